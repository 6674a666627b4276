//! What the oracle sees a tile touch lies in its footprint, and what is surely written is written.

use impel::kernel::{AccessMap, disjoint};
use impel::lanes::Tile;
use impel::region::{Footprint, Span, SpanSet, Touch};
use impel_compiler::oracle::{Touched, WordSet};

use crate::random::Random;
use crate::shader::{Launch, Shader, files};

/// How much was shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) tiles: u32,
    /// Arguments whose writes are surely all made.
    pub(crate) exact: u32,
    /// Cuts of a launch into two parts that are disjoint.
    cuts: u32,
    /// Runs that the oracle refused: endless loops and the like.
    pub(crate) skipped: u32,
}

fn set(words: &WordSet) -> SpanSet {
    words
        .iter()
        .map(|word| Span::new(u64::from(word), u64::from(word) + 1))
        .collect()
}

/// The access map's buffers, what they were recorded to be touched like, and their footprints.
fn arguments<'a>(
    map: &'a AccessMap,
    touched: &'a [Touched],
    footprint: &'a Footprint,
) -> impl Iterator<Item = (usize, &'a Touched, &'a Touch)> {
    map.buffers
        .iter()
        .zip(&footprint.arguments)
        .map(|(buffer, touch)| {
            let binding = usize::from(buffer.binding);
            (binding, &touched[binding], touch)
        })
}

/// The set with `words` more on either side of every span.
fn grown(set: &SpanSet, words: u64) -> SpanSet {
    set.iter()
        .map(|span| Span::new(span.lo.saturating_sub(words), span.hi + words))
        .collect()
}

fn check_tile(shader: &Shader, launch: &Launch, tile: Tile, shown: &mut Shown) {
    let Ok(touched) = shader.touched(launch, tile) else {
        shown.skipped += 1;
        return;
    };
    shown.tiles += 1;
    let maps = [
        (&shader.literal_map, Some(0)),
        (&shader.map, shader.unused_words_max),
    ];
    for (map, unused_max) in maps {
        let footprint = shader.footprint(map, launch, tile);
        check_footprint(
            (shader, launch, tile),
            map,
            (&footprint, unused_max),
            &touched,
            shown,
        );
    }
}

/// The oracle loads what nobody uses; of that, the compiled kernel may leave out up to `unused_max` words next to used ones, or
/// any.
fn check_footprint(
    (shader, launch, tile): (&Shader, &Launch, Tile),
    map: &AccessMap,
    (footprint, unused_max): (&Footprint, Option<u64>),
    touched: &[Touched],
    shown: &mut Shown,
) {
    for (binding, touched, touch) in arguments(map, touched, footprint) {
        let (reads, writes) = (set(&touched.read), set(&touched.written));
        let context = || {
            let (name, grid) = (&shader.name, launch.num_workgroups);
            format!(
                "{name}, grid {grid:?}, {tile:?}, binding {binding}: {touch}, but really reads {reads} and writes {writes}"
            )
        };
        let readable = unused_max.map_or(reads.clone(), |words| grown(&touch.reads, words));
        assert!(
            touch.combine || readable.covers_all(&reads),
            "{}",
            context()
        );
        assert!(touch.writes.covers_all(&writes), "{}", context());
        if touch.exact && !touch.writes.is_empty() {
            assert_eq!(touch.writes, writes, "{}", context());
            shown.exact += 1;
        }
    }
}

/// Two parts that are said to be disjoint have no write of one in what the other touches.
fn check_cut(shader: &Shader, launch: &Launch, axis: usize, at: u32, shown: &mut Shown) {
    let whole = Tile {
        lo: [0; 3],
        hi: launch.num_workgroups,
    };
    let (mut first, mut second) = (whole, whole);
    first.hi[axis] = at;
    second.lo[axis] = at;
    let footprints =
        [first, second].map(|part| shader.footprint(&shader.literal_map, launch, part));
    if disjoint(&footprints).is_err() {
        return;
    }
    let (Ok(a), Ok(b)) = (
        shader.touched(launch, first),
        shader.touched(launch, second),
    ) else {
        shown.skipped += 1;
        return;
    };
    shown.cuts += 1;
    for (one, other) in [(&a, &b), (&b, &a)] {
        for (binding, written, touch) in arguments(&shader.literal_map, one, &footprints[0]) {
            let others = set(&other[binding].read).union(&set(&other[binding].written));
            let free = touch.combine || !set(&written.written).meets(&others);
            assert!(
                free,
                "{} cut at {at} along {axis}: binding {binding}",
                shader.name
            );
        }
    }
}

pub(crate) fn check_launch(
    shader: &Shader,
    launch: &Launch,
    random: &mut Random,
    shown: &mut Shown,
) {
    let whole = Tile {
        lo: [0; 3],
        hi: launch.num_workgroups,
    };
    check_tile(shader, launch, whole, shown);
    for _ in 0..2 {
        let tile = random.tile(launch.num_workgroups);
        check_tile(shader, launch, tile, shown);
    }
    for axis in 0..3 {
        let count = launch.num_workgroups[axis];
        if count > 1 {
            check_cut(shader, launch, axis, 1 + random.below(count - 1), shown);
        }
    }
}

#[test]
fn footprints_hold_all_that_corpus_shaders_touch() {
    let mut shown = Shown::default();
    for (index, path) in files("tests/shaders/in").iter().enumerate() {
        let shader = Shader::read(path);
        let mut random = Random(index as u64);
        let launch = shader.launch();
        check_launch(&shader, &launch, &mut random, &mut shown);
        for _ in 0..2 {
            let varied = random.vary(&shader, &launch);
            check_launch(&shader, &varied, &mut random, &mut shown);
        }
    }
    println!("{shown:?}");
    assert!(
        shown.tiles > 900 && shown.exact > 500 && shown.cuts > 100,
        "{shown:?}"
    );
    assert!(shown.skipped * 10 < shown.tiles, "{shown:?}");
}
