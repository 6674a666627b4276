//! Which kernels do programs launch? Such as give the same bits however they are split.

use impel::kernel::Kernel;
use impel::launch::WordArgument;
use impel::{Array, Launch};
use impel_kernels::{histogram, jacobi, mandelbrot, saxpy, sum};

use crate::random::Random;

impel::shader!(mod gather, wgsl = r"
    struct Params { n: u32, step: u32, add: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> a: array<u32>;
    @group(0) @binding(2) var<storage, read_write> b: array<u32>;

    @compute @workgroup_size(64)
    fn gather(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < params.n) { b[id.x] = (a[id.x * params.step % params.n] & 0xffffu) + params.add; }
    }
");

/// Words that a program's arrays have at least.
pub(crate) const WORDS_MIN: usize = 1024;

/// What a kernel does with the words that it is given.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    kernel: &'static Kernel,
    uniforms: Vec<u32>,
    groups: [u32; 3],
    /// Whether it reads an array besides the one that it writes.
    pub(crate) reads: bool,
}

/// Any kernel, for `read` words to be read and `written` words to be written, both at least [`WORDS_MIN`].
pub(crate) fn any(random: &mut Random, read: usize, written: usize) -> Call {
    let small = |float: f32| float.to_bits();
    let n = read.min(written) as u32;
    match random.next() % 6 {
        0 => Call {
            kernel: &saxpy::wgsl::SAXPY_KERNEL,
            uniforms: vec![small(random.float(-0.5, 0.5)), n],
            groups: [n.div_ceil(64), 1, 1],
            reads: true,
        },
        1 => {
            let width = 8 + (random.next() % 60) as u32;
            let height = n / width;
            Call {
                kernel: &jacobi::wgsl::JACOBI_KERNEL,
                uniforms: vec![width, height, small(random.float(0.1, 0.9))],
                groups: groups_of(&jacobi::wgsl::JACOBI_KERNEL, width, height),
                reads: true,
            }
        }
        2 => Call {
            kernel: &histogram::wgsl::HISTOGRAM_KERNEL,
            uniforms: vec![read as u32, (random.next() % 25) as u32],
            groups: [(read as u32).div_ceil(32_768), 1, 1],
            reads: true,
        },
        3 => {
            let width = 8 + (random.next() % 60) as u32;
            let height = written as u32 / width;
            let place = [-2.0, -1.0, 0.05, 0.05].map(small);
            Call {
                kernel: &mandelbrot::wgsl::MANDELBROT_KERNEL,
                uniforms: [vec![width, height, 20], place.to_vec()].concat(),
                groups: groups_of(&mandelbrot::wgsl::MANDELBROT_KERNEL, width, height),
                reads: false,
            }
        }
        4 => Call {
            kernel: &sum::wgsl::SUM_KERNEL,
            uniforms: vec![read as u32],
            groups: [(read as u32).div_ceil(4096), 1, 1],
            reads: true,
        },
        _ => Call {
            kernel: &gather::GATHER_KERNEL,
            uniforms: vec![n, 1 + (random.next() % 99) as u32, random.next() as u32],
            groups: [n.div_ceil(64), 1, 1],
            reads: true,
        },
    }
}

fn groups_of(kernel: &Kernel, width: u32, height: u32) -> [u32; 3] {
    let [x, y, _] = kernel.workgroup_size;
    [width.div_ceil(x), height.div_ceil(y), 1]
}

impl Call {
    /// The launch with these arrays; `x` is not used if the kernel reads none.
    pub(crate) fn launch<'a>(&'a self, x: &'a Array<u32>, y: &'a mut Array<u32>) -> Launch<'a> {
        let mut arguments = vec![WordArgument::Uniform(&self.uniforms)];
        if self.reads {
            arguments.push(WordArgument::Read(x));
        }
        arguments.push(WordArgument::Write(y));
        Launch::of_words(self.kernel, arguments, self.groups).expect("it has these bindings")
    }
}
