//! What is launched? Every kernel on inputs of a size, ready to be launched again and again.

use impel::{Array, Element, Launch, Runtime};
use impel_kernels::{
    black_scholes, histogram, jacobi, mandelbrot, matmul_blocked, nbody, saxpy, sum,
};

use super::inputs;

/// What to do with a launch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Again {
    /// Have it planned.
    Explain,
    /// Launch it and wait for the end.
    Launch,
}

/// Does it again.
pub(crate) type Launches = Box<dyn FnMut(&Runtime, Again)>;

/// A kernel, four sizes, and how its launches are prepared.
type Case = (&'static str, [usize; 4], fn(&Runtime, usize) -> Launches);

/// The kernels.
pub(crate) const KERNELS: [Case; 8] = [
    ("saxpy", [1 << 14, 1 << 18, 1 << 21, 1 << 24], saxpy),
    ("nbody", [512, 2048, 4096, 8192], nbody),
    ("mandelbrot", [128, 512, 1024, 2048], mandelbrot),
    (
        "black_scholes",
        [1 << 14, 1 << 17, 1 << 20, 1 << 22],
        black_scholes,
    ),
    ("jacobi", [256, 1024, 2048, 4096], jacobi),
    ("matmul_blocked", [128, 256, 512, 1024], matmul),
    ("sum", [1 << 14, 1 << 18, 1 << 21, 1 << 24], sum),
    ("histogram", [1 << 14, 1 << 18, 1 << 21, 1 << 24], histogram),
];

fn array<T: Element>(rt: &Runtime, elements: Vec<T>) -> Array<T> {
    rt.array_from_vec(elements).expect("the inputs are small")
}

/// An output whose pages the system has already given.
fn output<T: Element>(rt: &Runtime, len: usize, element: T) -> Array<T> {
    rt.array_from_slice(&vec![element; len])
        .expect("the outputs are small")
}

fn again(rt: &Runtime, what: Again, launch: Launch<'_>) {
    match what {
        Again::Explain => {
            rt.explain(&launch).expect("the launch is valid");
        }
        Again::Launch => {
            let pending = rt.launch(launch).expect("the launch is valid");
            pending.wait().expect("the launch succeeds");
        }
    }
}

fn saxpy(rt: &Runtime, size: usize) -> Launches {
    let (x, y) = inputs::saxpy(size);
    let (x, mut y) = (array(rt, x), array(rt, y));
    let params = saxpy::wgsl::Params {
        alpha: inputs::SAXPY_ALPHA,
        n: size as u32,
    };
    Box::new(move |rt, what| {
        let arguments = saxpy::wgsl::saxpy {
            params,
            x: &x,
            y: &mut y,
        };
        again(rt, what, arguments.over(size));
    })
}

fn nbody(rt: &Runtime, size: usize) -> Launches {
    let bodies = array(rt, inputs::bodies(size));
    let mut accelerations = output(rt, size, [0.0_f32; 4]);
    let params = nbody::wgsl::Params {
        n: size as u32,
        softening_squared: inputs::NBODY_SOFTENING_SQUARED,
    };
    Box::new(move |rt, what| {
        let arguments = nbody::wgsl::nbody {
            params,
            bodies: &bodies,
            accelerations: &mut accelerations,
        };
        again(rt, what, arguments.over(size));
    })
}

fn mandelbrot(rt: &Runtime, size: usize) -> Launches {
    let mut counts = output(rt, size * size, 0_u32);
    let (left, top, side) = inputs::MANDELBROT_VIEW;
    let view = mandelbrot::View {
        width: size,
        height: size,
        re: (left, left + side),
        im: (top, top + side),
        max_iterations: inputs::MANDELBROT_MAX_ITERATIONS,
    };
    let params = view.params().expect("the picture is small");
    Box::new(move |rt, what| {
        let arguments = mandelbrot::wgsl::mandelbrot {
            params,
            counts: &mut counts,
        };
        again(rt, what, arguments.over([size, size]));
    })
}

fn black_scholes(rt: &Runtime, size: usize) -> Launches {
    let [spot, strike, years] = inputs::options(size).map(|values| array(rt, values));
    let [mut call, mut put] = [(); 2].map(|()| output(rt, size, 0.0_f32));
    let (rate, volatility) = inputs::BLACK_SCHOLES_RATE_VOLATILITY;
    let params = black_scholes::wgsl::Params {
        n: size as u32,
        rate,
        volatility,
    };
    Box::new(move |rt, what| {
        let arguments = black_scholes::wgsl::black_scholes {
            params,
            spot: &spot,
            strike: &strike,
            years: &years,
            call: &mut call,
            put: &mut put,
        };
        again(rt, what, arguments.over(size));
    })
}

fn jacobi(rt: &Runtime, size: usize) -> Launches {
    let src = array(rt, inputs::grid(size));
    let mut dst = output(rt, size * size, 0.0_f32);
    let (width, height) = (size as u32, size as u32);
    let params = jacobi::wgsl::Params {
        width,
        height,
        relaxation: inputs::JACOBI_RELAXATION,
    };
    Box::new(move |rt, what| {
        let arguments = jacobi::wgsl::jacobi {
            params,
            src: &src,
            dst: &mut dst,
        };
        again(rt, what, arguments.over([size, size]));
    })
}

fn matmul(rt: &Runtime, size: usize) -> Launches {
    let (a, b) = inputs::matrices(size);
    let (a, b) = (array(rt, a), array(rt, b));
    let mut c = output(rt, size * size, 0.0_f32);
    let n = size as u32;
    let params = matmul_blocked::wgsl::Params { n, m: n, k: n };
    let tiles = size.div_ceil(64);
    Box::new(move |rt, what| {
        let arguments = matmul_blocked::wgsl::matmul_blocked {
            params,
            a: &a,
            b: &b,
            c: &mut c,
        };
        again(rt, what, arguments.workgroups([tiles, tiles]));
    })
}

fn sum(rt: &Runtime, size: usize) -> Launches {
    let x = array(rt, inputs::summands(size));
    let chunks = size.div_ceil(sum::CHUNK);
    let mut partials = output(rt, chunks, 0.0_f32);
    let params = sum::wgsl::Params { n: size as u32 };
    Box::new(move |rt, what| {
        let arguments = sum::wgsl::sum {
            params,
            x: &x,
            partials: &mut partials,
        };
        again(rt, what, arguments.workgroups(chunks));
    })
}

fn histogram(rt: &Runtime, size: usize) -> Launches {
    let data = array(rt, inputs::words(size));
    let mut bins = output(rt, histogram::BINS, 0_u32);
    let params = histogram::wgsl::Params {
        n: size as u32,
        shift: 0,
    };
    let chunks = size.div_ceil(histogram::CHUNK);
    Box::new(move |rt, what| {
        let arguments = histogram::wgsl::histogram {
            params,
            data: &data,
            bins: &mut bins,
        };
        again(rt, what, arguments.workgroups(chunks));
    })
}
