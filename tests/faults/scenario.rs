//! What is running when something goes wrong? One small program in the three ways in which a GPU can take part in it.

use std::time::Duration;

use impel::kernel::Kernel;
use impel::launch::WordArgument;
use impel::{Array, DeviceId, Policy, Runtime};
use impel_kernels::saxpy::wgsl as saxpy;

use crate::outcome::{self, Gpu, Outcome};

/// Launches of the program.
pub(crate) const LAUNCHES: u32 = 3;

/// The GPU that something happens to.
pub(crate) const VICTIM: DeviceId = DeviceId(1);

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    /// The CPU and the GPU that something happens to.
    WithCpu,
    /// That GPU alone.
    Alone,
    /// That GPU and another one.
    WithGpu,
    /// All devices, which take chunks as they go.
    AsItGoes,
}

impl Company {
    pub(crate) const ALL: [Self; 4] = [Self::WithCpu, Self::Alone, Self::WithGpu, Self::AsItGoes];

    fn policy(self, victim: DeviceId) -> Policy {
        Policy::Split(match self {
            Self::AsItGoes => return Policy::Auto,
            Self::WithCpu => vec![(DeviceId::CPU, 0.5), (victim, 0.5)],
            Self::Alone => vec![(victim, 1.0)],
            Self::WithGpu => {
                let other = if victim.0 == 1 { 2 } else { 1 };
                vec![(victim, 0.5), (DeviceId(other), 0.5)]
            }
        })
    }
}

/// What is computed: `y += 0.5 * x`, by this kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// It has the bindings of saxpy, and does the same on the CPU.
    pub(crate) kernel: &'static Kernel,
    /// Elements of the arrays.
    pub(crate) n: usize,
    /// The GPU is lost before this launch, from 0, or before the result is read.
    pub(crate) lose_before: Option<u32>,
    /// The GPU is lost so long after the first launch was handed over.
    pub(crate) lose_after: Option<Duration>,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            kernel: &saxpy::SAXPY_KERNEL,
            n: 4096,
            lose_before: None,
            lose_after: None,
        }
    }
}

/// So many words that hold this number.
fn words(number: f32, n: usize) -> Vec<u32> {
    vec![number.to_bits(); n]
}

/// The program's parameters for arrays of `n` elements, as the kernel takes them.
pub(crate) fn parameters(n: usize) -> [u32; 2] {
    [0.5_f32.to_bits(), n as u32]
}

/// The launch of the program.
pub(crate) fn axpy<'a>(
    kernel: &'static Kernel,
    parameters: &'a [u32; 2],
    x: &'a Array<u32>,
    y: &'a mut Array<u32>,
) -> impel::Launch<'a> {
    let groups = parameters[1].div_ceil(kernel.workgroup_size[0]);
    let arguments = [
        WordArgument::Uniform(parameters),
        WordArgument::Read(x),
        WordArgument::Write(y),
    ];
    impel::Launch::of_words(kernel, arguments, [groups, 1, 1]).expect("saxpy's bindings")
}

/// Adds to an array in place three times, on the devices given until one of them fails, then wherever it is best, and reads the
/// result. Whatever happened, the runtime must then compute the same once more with new data.
pub(crate) fn run(rt: &Runtime, company: Company, victim: DeviceId, program: Program) -> Outcome {
    // Devices are measured before the clock runs.
    let x = rt.zeros(64).unwrap();
    is_retired(rt, &x, &mut rt.zeros(64).unwrap());
    if program.lose_after.is_some() {
        // Its module is compiled, too.
        let (parameters, mut y) = (parameters(64), rt.zeros(64).unwrap());
        let launch = axpy(program.kernel, &parameters, &x, &mut y);
        let launch = launch.with_policy(Policy::GpuOnly(victim));
        let pending = rt.launch(launch).unwrap();
        pending.wait().expect("nothing happened yet");
    }
    run_through(rt, company, victim, program)
}

fn run_through(rt: &Runtime, company: Company, victim: DeviceId, program: Program) -> Outcome {
    let name = crate::devices::name(rt, victim);
    let Program {
        kernel,
        n,
        lose_before,
        lose_after,
    } = program;
    let x = rt.array_from_vec(words(2.0, n)).unwrap();
    let mut y = rt.array_from_vec(words(1.0, n)).unwrap();
    let mut lost = false;
    for number in 0..LAUNCHES {
        if lose_before == Some(number) {
            rt.lose_gpu(victim);
        }
        let policy = if rt.report().failures().is_empty() && !is_retired(rt, &x, &mut y) {
            company.policy(victim)
        } else if std::ptr::eq(kernel, &raw const saxpy::SAXPY_KERNEL) {
            Policy::Auto
        } else {
            // It is right on the CPU only.
            Policy::CpuOnly
        };
        let parameters = parameters(n);
        let launch = axpy(kernel, &parameters, &x, &mut y).with_policy(policy);
        let pending = rt.launch(launch).unwrap();
        let ended = std::thread::scope(|scope| {
            if let Some(delay) = lose_after.filter(|_| number == 0) {
                scope.spawn(move || {
                    std::thread::sleep(delay);
                    rt.lose_gpu(victim);
                });
            }
            pending.wait()
        });
        if let Err(error) = ended {
            lost |= outcome::launch_names_what_was_lost(&error, &name);
        }
    }
    if lose_before == Some(LAUNCHES) {
        rt.lose_gpu(victim);
    }
    let right = words(1.0 + LAUNCHES as f32, n);
    // The first half, then all.
    let half = y.read_range(0..n / 2).map(|half| *half == right[..n / 2]);
    let all = y.read().map(|all| *all == right);
    let read = half.and_then(|half| all.map(|all| half && all));
    lost |= read
        .as_ref()
        .is_err_and(|error| outcome::names_what_was_lost(error, &name));
    let gpu = state(rt, victim, &x, &mut y);
    goes_on(rt);
    match read {
        Ok(true) => {
            assert!(!lost, "a launch failed, and its result is there");
            Outcome::Right(gpu)
        }
        Ok(false) => Outcome::Wrong,
        Err(_) => Outcome::Lost(gpu),
    }
}

/// Whether something was retired before any part failed.
fn is_retired(rt: &Runtime, x: &Array<u32>, y: &mut Array<u32>) -> bool {
    let plan = rt.explain(&axpy(&saxpy::SAXPY_KERNEL, &parameters(x.len()), x, y));
    plan.is_ok_and(|plan| plan.to_string().contains("retired after it failed"))
}

/// What became of the GPU.
fn state(rt: &Runtime, victim: DeviceId, x: &Array<u32>, y: &mut Array<u32>) -> Gpu {
    // Words that are lost would hide the plan.
    y.copy_from_slice(0, &vec![0; y.len()]).unwrap();
    let plan = rt
        .explain(&axpy(&saxpy::SAXPY_KERNEL, &parameters(x.len()), x, y))
        .expect("it can be planned");
    outcome::gpu(rt, victim, &plan.to_string())
}

/// The runtime works on with new data.
pub(crate) fn goes_on(rt: &Runtime) {
    let x = rt.array_from_vec(words(4.0, 4096)).unwrap();
    let mut y = rt.array_from_vec(words(0.5, 4096)).unwrap();
    let parameters = parameters(4096);
    let launch = axpy(&saxpy::SAXPY_KERNEL, &parameters, &x, &mut y);
    rt.launch(launch).unwrap().wait().expect("it goes on");
    assert_eq!(*y.read().expect("it goes on"), words(2.5, 4096));
}
