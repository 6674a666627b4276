//! The library's kernels, over sizes that are no multiple of anything: footprints are as tight as splitting needs, and every cut
//! along the slowest axis is disjoint.

use impel::kernel::access::Split;
use impel::kernel::{Bound, Environment, disjoint};
use impel::lanes::Tile;
use impel::region::{Span, Touch};

use crate::footprints::{Shown, check_launch};
use crate::random::Random;
use crate::shader::{Launch, Shader, files};

fn kernel(name: &str) -> Shader {
    let is_it = |path: &&std::path::PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    Shader::read(files("shaders").iter().find(is_it).unwrap())
}

/// A launch with these parameters and arrays of these lengths, in words, filled with small numbers.
fn launch(num_workgroups: [u32; 3], parameters: &[u32], lengths: &[u32]) -> Launch {
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut buffers = vec![bytes(parameters)];
    for length in lengths {
        let words: Vec<u32> = (0..*length)
            .map(|word| (1.0 + (word % 7) as f32).to_bits())
            .collect();
        buffers.push(bytes(&words));
    }
    Launch {
        num_workgroups,
        buffers,
    }
}

/// A launch over a random size, as the kernel's documentation asks for it, and the axis to cut.
fn random_launch(name: &str, random: &mut Random) -> (Launch, usize) {
    let n = 1 + random.below(300);
    let (w, h, k) = (
        1 + random.below(90),
        1 + random.below(90),
        1 + random.below(40),
    );
    let (half, line) = (0.5_f32.to_bits(), [n.div_ceil(64), 1, 1]);
    match name {
        "saxpy" => (launch(line, &[half, n], &[n, n]), 0),
        "black_scholes" => (launch(line, &[n, half, half], &[n; 5]), 0),
        "nbody" => (launch(line, &[n, half], &[4 * n, 4 * n]), 0),
        "nbody_step" => (launch(line, &[n, half, half], &[4 * n, 4 * n, 4 * n]), 0),
        "jacobi" => {
            let grid = [w.div_ceil(16), h.div_ceil(16), 1];
            (launch(grid, &[w, h, half], &[w * h, w * h]), 1)
        }
        "mandelbrot" => {
            let grid = [w.div_ceil(16), h.div_ceil(16), 1];
            (
                launch(grid, &[w, h, 9, half, half, half, half], &[w * h]),
                1,
            )
        }
        "matmul_tiled" | "matmul_blocked" => {
            let tile = if name == "matmul_tiled" { 16 } else { 64 };
            let grid = [w.div_ceil(tile), h.div_ceil(tile), 1];
            (launch(grid, &[h, w, k], &[h * k, k * w, h * w]), 1)
        }
        "sum" => {
            let n = n * 40;
            let groups = n.div_ceil(4096);
            (launch([groups, 1, 1], &[n], &[n, groups]), 0)
        }
        "histogram" => {
            let n = n * 300;
            (launch([n.div_ceil(32768), 1, 1], &[n, 3], &[n, 256]), 0)
        }
        other => panic!("no launch is described for {other}"),
    }
}

#[test]
fn footprints_hold_all_that_kernels_touch_and_every_cut_is_disjoint() {
    let mut shown = Shown::default();
    for (index, path) in files("shaders").iter().enumerate() {
        let shader = Shader::read(path);
        let mut random = Random(100 + index as u64);
        for _ in 0..3 {
            let (launch, axis) = random_launch(&shader.name, &mut random);
            check_launch(&shader, &launch, &mut random, &mut shown);
            assert_eq!(shader.map.split, Split::WhereDisjoint, "{}", shader.name);
            let whole = Tile {
                lo: [0; 3],
                hi: launch.num_workgroups,
            };
            for at in 1..launch.num_workgroups[axis] {
                let (mut first, mut second) = (whole, whole);
                first.hi[axis] = at;
                second.lo[axis] = at;
                let parts =
                    [first, second].map(|part| shader.footprint(&shader.map, &launch, part));
                assert_eq!(
                    disjoint(&parts),
                    Ok(()),
                    "{} at {at}: {launch:?}",
                    shader.name
                );
            }
        }
    }
    assert_eq!(shown.skipped, 0);
    assert!(shown.exact > 40, "{shown:?}");
}

#[test]
fn a_part_of_a_stencil_reads_its_rows_and_one_on_either_side() {
    let (width, height) = (83, 70);
    let words = width * height;
    let jacobi = kernel("jacobi");
    let launch = launch([6, 5, 1], &[width, height, 0], &[words, words]);
    let part = Tile {
        lo: [0, 1, 0],
        hi: [6, 3, 1],
    };
    let footprint = jacobi.footprint(&jacobi.map, &launch, part);
    let rows = |lo: u32, hi: u32| Span::new(u64::from(lo * width), u64::from(hi * width));
    // Of the rows outside, the corners are not read.
    let halo = Span::new(rows(15, 49).lo + 1, rows(15, 49).hi - 1);
    assert_eq!(footprint.arguments[0], Touch::reading(halo));
    assert_eq!(footprint.arguments[1], Touch::writing(rows(16, 48)));
}

#[test]
fn a_part_of_a_product_in_blocks_writes_its_rows_for_sure() {
    let (rows, columns, depth) = (130, 200, 50);
    let lengths = [rows * depth, depth * columns, rows * columns];
    let blocked = kernel("matmul_blocked");
    let launch = launch([4, 3, 1], &[rows, columns, depth], &lengths);
    for (part, first, end) in [(0, 0, 64), (1, 64, 128), (2, 128, rows)] {
        let part = Tile {
            lo: [0, part, 0],
            hi: [4, part + 1, 1],
        };
        let footprint = blocked.footprint(&blocked.map, &launch, part);
        let words = Span::new(u64::from(first * columns), u64::from(end * columns));
        assert_eq!(footprint.arguments[2], Touch::writing(words));
    }
    // Columns that another part writes lie between the rows of this one.
    let part = Tile {
        lo: [1, 0, 0],
        hi: [4, 3, 1],
    };
    let footprint = blocked.footprint(&blocked.map, &launch, part);
    assert!(!footprint.arguments[2].exact);
}

#[test]
fn a_histogram_combines_its_bins_and_reads_its_chunk() {
    let histogram = kernel("histogram");
    let launch = launch([3, 1, 1], &[80_000, 0], &[80_000, 256]);
    let part = Tile {
        lo: [1, 0, 0],
        hi: [2, 1, 1],
    };
    let footprint = histogram.footprint(&histogram.map, &launch, part);
    assert_eq!(
        footprint.arguments[0],
        Touch::reading(Span::new(32_768, 65_536))
    );
    let bins = &footprint.arguments[1];
    assert!(bins.combine && bins.reads.is_empty());
    assert_eq!(bins.writes, Span::new(0, 256).into());
}

#[test]
fn work_follows_the_parameters() {
    let work = |n: u32| {
        let launch = launch([n.div_ceil(64), 1, 1], &[n, 0], &[4 * n, 4 * n]);
        let nbody = kernel("nbody");
        nbody.resolve(&nbody.map, &launch).work()
    };
    let (small, large) = (work(100), work(1000));
    assert!(!small.guessed);
    assert!(
        (large.flops / small.flops - 10.0).abs() < 1e-9,
        "{small} and {large}"
    );
    assert!((small.bytes_written - 16.0).abs() < 1e-9);
}

#[test]
fn a_launch_too_large_for_its_ids_touches_everything() {
    let saxpy = kernel("saxpy");
    let resolved = saxpy.map.resolve(&Environment {
        bindings: &[Bound::Uniform(&[0, 9]), Bound::Array(9), Bound::Array(9)],
        num_workgroups: [1 << 26, 1, 1],
        workgroup_size: [64, 1, 1],
    });
    let part = Tile {
        lo: [1, 0, 0],
        hi: [2, 1, 1],
    };
    let touch = &resolved.footprint(part).arguments[1];
    assert_eq!(touch.writes, Span::new(0, 9).into());
    assert!(!touch.exact);
}
