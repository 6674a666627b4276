//! What is computed? A launch of each kernel of the library over a given size, with seeded random arguments.

use impel::kernel::Kernel;
use impel::launch::Arguments;
use impel::{Runtime, View, ViewMut};
use impel_kernels as library;
use impel_kernels::KernelError;

use crate::random::Random;

impel::shader!(mod strict_mandelbrot = "shaders/mandelbrot.wgsl", strict);

/// A kernel, its grid, and the words of its bindings.
pub(crate) struct Problem {
    pub(crate) kernel: &'static Kernel,
    /// Its WGSL.
    pub(crate) source: &'static str,
    /// Workgroups.
    pub(crate) grid: [u32; 3],
    /// Uniforms and arrays in the order of the bindings.
    pub(crate) words: Vec<Vec<u32>>,
}

type Read<T> = View<'static, T>;
type Write<T> = ViewMut<'static, T>;

macro_rules! problem {
    ($kernel:ty, $file:literal, $grid:expr, $words:expr) => {
        Problem {
            kernel: <$kernel as Arguments>::kernel(),
            source: include_str!(concat!("../../shaders/", $file, ".wgsl")),
            grid: $grid,
            words: $words,
        }
    };
}

fn line(n: usize, chunk: usize) -> [u32; 3] {
    [n.div_ceil(chunk) as u32, 1, 1]
}

fn plane([width, height]: [usize; 2], tile: usize) -> [u32; 3] {
    [width.div_ceil(tile) as u32, height.div_ceil(tile) as u32, 1]
}

pub(crate) fn saxpy(n: usize) -> Problem {
    type Kernel = library::saxpy::wgsl::saxpy<Read<f32>, Write<f32>>;
    let mut random = Random(n as u64);
    let words = vec![
        vec![1.7_f32.to_bits(), n as u32],
        random.floats(n, -3.0, 3.0),
        random.floats(n, -3.0, 3.0),
    ];
    problem!(Kernel, "saxpy", line(n, 64), words)
}

pub(crate) fn black_scholes(n: usize) -> Problem {
    type Kernel = library::black_scholes::wgsl::black_scholes<
        Read<f32>,
        Read<f32>,
        Read<f32>,
        Write<f32>,
        Write<f32>,
    >;
    let mut random = Random(n as u64);
    let words = vec![
        vec![n as u32, 0.03_f32.to_bits(), 0.3_f32.to_bits()],
        random.floats(n, 50.0, 100.0),
        random.floats(n, 50.0, 100.0),
        random.floats(n, 0.25, 4.0),
        vec![0; n],
        vec![0; n],
    ];
    problem!(Kernel, "black_scholes", line(n, 64), words)
}

pub(crate) fn nbody(n: usize) -> Problem {
    type Kernel = library::nbody::wgsl::nbody<Read<[f32; 4]>, Write<[f32; 4]>>;
    let mut random = Random(n as u64);
    let words = vec![
        vec![n as u32, 0.01_f32.to_bits()],
        random.floats(4 * n, 0.25, 2.0),
        vec![0; 4 * n],
    ];
    problem!(Kernel, "nbody", line(n, 64), words)
}

pub(crate) fn nbody_step(n: usize) -> Problem {
    type Kernel =
        library::nbody_step::wgsl::nbody_step<Read<[f32; 4]>, Write<[f32; 4]>, Write<[f32; 4]>>;
    let mut random = Random(n as u64);
    let words = vec![
        vec![n as u32, 0.125_f32.to_bits(), 0.3_f32.to_bits()],
        random.floats(4 * n, -2.0, 2.0),
        random.floats(4 * n, -2.0, 2.0),
        random.floats(4 * n, -2.0, 2.0),
    ];
    problem!(Kernel, "nbody_step", line(n, 64), words)
}

pub(crate) fn jacobi(size: [usize; 2]) -> Problem {
    type Kernel = library::jacobi::wgsl::jacobi<Read<f32>, Write<f32>>;
    let [width, height] = size;
    let mut random = Random((width * 1000 + height) as u64);
    let words = vec![
        vec![width as u32, height as u32, 0.9_f32.to_bits()],
        random.floats(width * height, -3.0, 3.0),
        vec![0; width * height],
    ];
    problem!(Kernel, "jacobi", plane(size, 16), words)
}

/// Words of a matrix product of shape [n, m, k].
fn matrices([n, m, k]: [usize; 3]) -> Vec<Vec<u32>> {
    let mut random = Random((n * 10_000 + m * 100 + k) as u64);
    vec![
        vec![n as u32, m as u32, k as u32],
        random.floats(n * k, -3.0, 3.0),
        random.floats(k * m, -3.0, 3.0),
        vec![0; n * m],
    ]
}

pub(crate) fn matmul_tiled(shape: [usize; 3]) -> Problem {
    type Kernel = library::matmul_tiled::wgsl::matmul_tiled<Read<f32>, Read<f32>, Write<f32>>;
    let grid = plane([shape[1], shape[0]], 16);
    problem!(Kernel, "matmul_tiled", grid, matrices(shape))
}

pub(crate) fn matmul_blocked(shape: [usize; 3]) -> Problem {
    type Kernel = library::matmul_blocked::wgsl::matmul_blocked<Read<f32>, Read<f32>, Write<f32>>;
    let grid = plane([shape[1], shape[0]], 64);
    problem!(Kernel, "matmul_blocked", grid, matrices(shape))
}

pub(crate) fn sum(n: usize) -> Problem {
    type Kernel = library::sum::wgsl::sum<Read<f32>, Write<f32>>;
    let mut random = Random(n as u64);
    let words = vec![
        vec![n as u32],
        random.floats(n, -3.0, 3.0),
        vec![0; n.div_ceil(library::sum::CHUNK)],
    ];
    problem!(Kernel, "sum", line(n, library::sum::CHUNK), words)
}

pub(crate) fn histogram(n: usize) -> Problem {
    type Kernel = library::histogram::wgsl::histogram<Read<u32>, Write<u32>>;
    let mut random = Random(n as u64);
    let words = vec![
        vec![n as u32, 5],
        random.words(n),
        random.words(library::histogram::BINS),
    ];
    let grid = line(n, library::histogram::CHUNK);
    problem!(Kernel, "histogram", grid, words)
}

/// Words of a picture of the whole set.
fn picture([width, height]: [usize; 2]) -> Vec<Vec<u32>> {
    let view = library::mandelbrot::View {
        width,
        height,
        re: (-2.0, 0.5),
        im: (-1.25, 1.25),
        max_iterations: 64,
    };
    let params = view.params().expect("the picture is small");
    let parameters = vec![
        params.width,
        params.height,
        params.max_iterations,
        params.left.to_bits(),
        params.top.to_bits(),
        params.step_x.to_bits(),
        params.step_y.to_bits(),
    ];
    vec![parameters, vec![0; width * height]]
}

pub(crate) fn mandelbrot(size: [usize; 2]) -> Problem {
    type Kernel = library::mandelbrot::wgsl::mandelbrot<Write<u32>>;
    problem!(Kernel, "mandelbrot", plane(size, 16), picture(size))
}

pub(crate) fn mandelbrot_strict(size: [usize; 2]) -> Problem {
    type Kernel = strict_mandelbrot::mandelbrot<Write<u32>>;
    problem!(Kernel, "mandelbrot", plane(size, 16), picture(size))
}

/// Every function of the library over empty arrays.
pub(crate) fn of_nothing(rt: &Runtime) -> Result<(), KernelError> {
    let none = rt.zeros::<f32>(0)?;
    let (mut out, mut second) = (rt.zeros::<f32>(0)?, rt.zeros::<f32>(0)?);
    let (no_body, mut bodies) = (rt.zeros::<[f32; 4]>(0)?, rt.zeros::<[f32; 4]>(0)?);
    let mut velocities = rt.zeros::<[f32; 4]>(0)?;
    library::saxpy::saxpy(rt, 2.0, &none, &mut out)?;
    let market = library::black_scholes::Market {
        rate: 0.1,
        volatility: 0.2,
    };
    let options = library::black_scholes::Options {
        spot: &none,
        strike: &none,
        years: &none,
    };
    library::black_scholes::black_scholes(rt, market, options, &mut out, &mut second)?;
    library::nbody::nbody(rt, 0.1, &no_body, &mut bodies)?;
    library::nbody_step::nbody_step(rt, 0.1, 0.1, &no_body, &mut velocities, &mut bodies)?;
    let grid = library::jacobi::Grid {
        width: 0,
        height: 5,
        relaxation: 1.0,
    };
    library::jacobi::jacobi(rt, grid, &none, &mut out)?;
    library::matmul_tiled::matmul_tiled(rt, [0, 3, 0], &none, &none, &mut out)?;
    library::matmul_blocked::matmul_blocked(rt, [0, 3, 0], &none, &none, &mut out)?;
    assert_eq!(library::sum::sum(rt, &none)?.to_bits(), 0.0_f32.to_bits());
    let mut bins = rt.array_from_vec(vec![3_u32; library::histogram::BINS])?;
    library::histogram::histogram(rt, 0, &rt.zeros(0)?, &mut bins)?;
    assert_eq!(*bins.read()?, [3; library::histogram::BINS]);
    let view = library::mandelbrot::View {
        width: 0,
        height: 0,
        re: (0.0, 1.0),
        im: (0.0, 1.0),
        max_iterations: 1,
    };
    library::mandelbrot::mandelbrot(rt, &view, &mut rt.zeros(0)?)
}
