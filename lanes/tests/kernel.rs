//! Does a hand-written kernel, shaped as generated code is, give the results of a plain loop on every instruction set?
#![allow(clippy::inline_always, clippy::cast_lossless)]

use impel_lanes::{Body, Buffer, Isa, Launch, Level, Strict, Tile, X, run, scalar};

/// `y[i] = alpha * x[i] + y[i]` for `i < n`, workgroups of 64; bindings: parameters (alpha, n), x, y.
struct Saxpy;

impl Saxpy {
    #[inline(always)]
    fn strips<S: Isa>(s: S, launch: &Launch<'_>, tile: Tile) {
        let [params, x, y] = [launch.buffers[0], launch.buffers[1], launch.buffers[2]];
        let (alpha, n) = (params.load_f32(0), params.load_u32(1));
        let end = tile.hi[0] * 64;
        let mut gx = tile.lo[0] * 64;
        while gx < end {
            let entry = s.first_lanes(end - gx);
            let id = s.i32_add(s.u32_splat(gx), s.i32_iota());
            let on = s.mask_and(entry, s.u32_lt(id, s.u32_splat(n)));
            if s.any(on) {
                let sum = s.f32_contract(
                    s.f32_splat(alpha),
                    s.load_linear_f32(x, gx, on),
                    s.load_linear_f32(y, gx, on),
                );
                s.store_linear_f32(y, gx, on, sum);
            }
            gx += S::LANES as u32;
        }
    }
}

impl Body for Saxpy {
    const LANES_MAX: usize = 64;

    #[inline(always)]
    fn run<S: Isa>(&self, s: S, launch: &Launch<'_>, tile: Tile) {
        Self::strips(X::<_, 2>::new(Strict::new(s)), launch, tile);
    }
}

#[test]
fn saxpy_gives_the_results_of_a_plain_loop_and_leaves_the_rest_alone() {
    let n = 1003;
    let x: Vec<f32> = (0..n).map(|i| i as f32 * 0.37 - 100.0).collect();
    let y: Vec<f32> = (0..n).map(|i| 1.0 / (i + 1) as f32).collect();
    for level in Level::available() {
        let mut params = [2.5f32.to_bits(), 1000];
        let mut xs: Vec<u32> = x.iter().map(|v| v.to_bits()).collect();
        let mut ys: Vec<u32> = y.iter().map(|v| v.to_bits()).collect();
        let buffers = [
            Buffer::exclusive(&mut params),
            Buffer::exclusive(&mut xs),
            Buffer::exclusive(&mut ys),
        ];
        let launch = Launch {
            buffers: &buffers,
            num_workgroups: [16, 1, 1],
        };
        for lo in 0..4 {
            let tile = Tile {
                lo: [lo * 4, 0, 0],
                hi: [lo * 4 + 4, 1, 1],
            };
            run(level, &Saxpy, &launch, tile);
        }
        for i in 0..n {
            let expected = if i < 1000 { 2.5 * x[i] + y[i] } else { y[i] };
            assert_eq!(
                f32::from_bits(ys[i]).to_bits(),
                expected.to_bits(),
                "{level}: element {i}"
            );
        }
    }
}

/// Writes the number of lanes of the token it is given.
struct CountLanes<const MAX: usize>;

impl<const MAX: usize> Body for CountLanes<MAX> {
    const LANES_MAX: usize = MAX;

    #[inline(always)]
    fn run<S: Isa>(&self, _: S, launch: &Launch<'_>, _: Tile) {
        launch.buffers[0].store_u32(0, S::LANES as u32);
    }
}

fn lanes_given<const MAX: usize>(level: Level) -> usize {
    let mut words = [0];
    let buffers = [Buffer::exclusive(&mut words)];
    let launch = Launch {
        buffers: &buffers,
        num_workgroups: [1, 1, 1],
    };
    run(
        level,
        &CountLanes::<MAX>,
        &launch,
        Tile {
            lo: [0; 3],
            hi: [1; 3],
        },
    );
    words[0] as usize
}

#[test]
fn a_body_gets_no_more_lanes_than_it_can_use() {
    for level in Level::available() {
        assert_eq!(lanes_given::<64>(level), level.lanes(), "{level}");
        assert_eq!(lanes_given::<8>(level), 8, "{level}");
        assert_eq!(lanes_given::<4>(level), 1, "{level}");
    }
}

#[test]
fn levels_have_names_that_parse_back() {
    for level in Level::ALL {
        assert_eq!(level.to_string().parse(), Ok(level));
    }
    assert_eq!(
        "sse2".parse::<Level>().unwrap_err().to_string(),
        "no instruction set is called `sse2`; use one of `scalar`, `avx2`, `avx512`"
    );
    assert!(Level::available().any(|level| level == Level::detect()));
}

#[test]
fn uniform_values_follow_the_same_rules_as_lanes() {
    assert_eq!(scalar::i32_div(i32::MIN, -1), i32::MIN);
    assert_eq!(scalar::u32_rem(7u32, 0u32), 0);
    assert_eq!(scalar::i32_from_f32(f32::NAN), 0);
}
