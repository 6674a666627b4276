//! What does impel itself cost? The times of small launches, of planning and of starting, beside wgpu by hand where it can do the same.

use impel::{Array, Policy, Runtime};
use impel_kernels::saxpy::wgsl;

use crate::on_impel::{Devices, array, finish};
use crate::subject::{Outcome, nanoseconds};
use crate::{Call, inputs};

/// One measurement.
pub(crate) struct Overhead {
    /// What is measured.
    pub(crate) name: &'static str,
    /// By whom.
    pub(crate) contestant: &'static str,
    /// Elements, where none are asked for.
    pub(crate) size: usize,
    /// Measures.
    pub(crate) run: fn(&Call, usize) -> Result<Outcome, String>,
}

/// All of them. A contestant with `gpu` in its name needs one.
pub(crate) const OVERHEADS: &[Overhead] = &[
    Overhead {
        name: "launch_latency",
        contestant: "impel_cpu",
        size: 64,
        run: launch_latency,
    },
    Overhead {
        name: "replay_of_1",
        contestant: "impel_cpu",
        size: 64,
        run: replay_of_one,
    },
    Overhead {
        name: "step_of_1000",
        contestant: "impel_cpu",
        size: 64,
        run: step_of_many,
    },
    Overhead {
        name: "chained_launch",
        contestant: "impel_cpu",
        size: 64,
        run: chained_launch,
    },
    Overhead {
        name: "queued_launch",
        contestant: "impel_cpu",
        size: 64,
        run: queued_launch,
    },
    Overhead {
        name: "runtime_new",
        contestant: "impel_cpu",
        size: 1,
        run: runtime_new,
    },
    #[cfg(feature = "gpu")]
    Overhead {
        name: "planning",
        contestant: "impel_cpu_gpu",
        size: 1 << 10,
        run: planning,
    },
    #[cfg(feature = "gpu")]
    Overhead {
        name: "chain_of_1000",
        contestant: "impel_gpu",
        size: 1 << 10,
        run: impel_chain,
    },
    #[cfg(feature = "gpu")]
    Overhead {
        name: "chain_of_1000",
        contestant: "wgpu",
        size: 1 << 10,
        run: wgpu_chain,
    },
    #[cfg(feature = "gpu")]
    Overhead {
        name: "launch_and_read",
        contestant: "impel_gpu",
        size: 1 << 10,
        run: impel_read,
    },
    #[cfg(feature = "gpu")]
    Overhead {
        name: "launch_and_read",
        contestant: "wgpu",
        size: 1 << 10,
        run: wgpu_read,
    },
];

/// Repetitions whose mean is one time, for what takes microseconds.
const BATCH: usize = 1000;

/// Launches in a chain.
#[cfg(feature = "gpu")]
const CHAIN: usize = 1000;

/// Times of what is too short to be timed alone: each is the mean over a batch, the first of which is dropped.
fn means(iterations: usize, mut work: impl FnMut()) -> Outcome {
    let mut batch = || nanoseconds(|| (0..BATCH).for_each(|_| work())) / BATCH as u64;
    batch();
    Outcome {
        checksum: 0.0,
        ns: (0..iterations).map(|_| batch()).collect(),
    }
}

/// Times after three runs that are not timed.
#[cfg(feature = "gpu")]
fn times(iterations: usize, mut work: impl FnMut()) -> Outcome {
    (0..3).for_each(|_| work());
    Outcome {
        checksum: 0.0,
        ns: (0..iterations).map(|_| nanoseconds(&mut work)).collect(),
    }
}

/// Saxpy's arrays in a runtime.
struct Saxpy {
    rt: Runtime,
    params: wgsl::Params,
    x: Array<f32>,
    y: Array<f32>,
}

impl Saxpy {
    fn new(rt: Runtime, size: usize) -> Saxpy {
        let (x, y) = inputs::saxpy(size);
        let (x, y) = (array(&rt, x), array(&rt, y));
        Saxpy {
            rt,
            params: wgsl::Params {
                alpha: inputs::SAXPY_ALPHA,
                n: size as u32,
            },
            x,
            y,
        }
    }

    /// A launch and a wait.
    fn finish(&mut self, policy: Option<Policy>) {
        let Saxpy { rt, params, x, y } = self;
        let launch = wgsl::saxpy {
            params: *params,
            x: &*x,
            y,
        }
        .over(params.n);
        finish(
            rt,
            match policy {
                None => launch,
                Some(policy) => launch.with_policy(policy),
            },
        );
    }

    /// A launch, recorded.
    fn record(&mut self) -> impel::Graph<'_> {
        let Saxpy { rt, params, x, y } = self;
        let graph = rt.graph(|g| {
            let x = &g.input("x", x)?;
            let y = &mut g.array("y", y)?;
            let params = *params;
            g.launch(wgsl::saxpy { params, x, y }.over(params.n))
        });
        graph.expect("the launch is valid")
    }

    /// A launch.
    fn start(&mut self) {
        let Saxpy { rt, params, x, y } = self;
        let launch = wgsl::saxpy {
            params: *params,
            x: &*x,
            y,
        }
        .over(params.n);
        rt.launch(launch).expect("the launch is valid");
    }
}

/// The smallest launch, from the call to the end of the wait.
fn launch_latency(call: &Call, size: usize) -> Result<Outcome, String> {
    let mut saxpy = Saxpy::new(
        Devices::Cpu(impel::Level::detect()).runtime(call.threads)?,
        size,
    );
    Ok(means(5 * call.iterations, || saxpy.finish(None)))
}

/// A recorded launch, replayed once and waited for.
fn replay_of_one(call: &Call, size: usize) -> Result<Outcome, String> {
    let mut saxpy = Saxpy::new(
        Devices::Cpu(impel::Level::detect()).runtime(call.threads)?,
        size,
    );
    let mut graph = saxpy.record();
    let replay = || graph.replay(1).wait().expect("the launch succeeds");
    Ok(means(5 * call.iterations, replay))
}

/// A step of a recorded launch that is replayed many times.
fn step_of_many(call: &Call, size: usize) -> Result<Outcome, String> {
    let mut saxpy = Saxpy::new(
        Devices::Cpu(impel::Level::detect()).runtime(call.threads)?,
        size,
    );
    let mut graph = saxpy.record();
    let mut batch = || {
        let replay = || graph.replay(BATCH).wait().expect("the launch succeeds");
        nanoseconds(replay) / BATCH as u64
    };
    batch();
    Ok(Outcome {
        checksum: 0.0,
        ns: (0..5 * call.iterations).map(|_| batch()).collect(),
    })
}

/// One of ten thousand tiny launches that depend on each other, up to the end of one wait for all.
fn chained_launch(call: &Call, size: usize) -> Result<Outcome, String> {
    const CHAINED: u64 = 10_000;
    let mut saxpy = Saxpy::new(
        Devices::Cpu(impel::Level::detect()).runtime(call.threads)?,
        size,
    );
    let mut chain = || {
        let launches = || {
            (0..CHAINED).for_each(|_| saxpy.start());
            saxpy.rt.sync();
        };
        nanoseconds(launches) / CHAINED
    };
    chain();
    Ok(Outcome {
        checksum: 0.0,
        ns: (0..call.iterations).map(|_| chain()).collect(),
    })
}

/// One of ten thousand tiny launches that depend on each other, while something long keeps all of them waiting, up to the end of
/// one wait for all; the long one's own time is taken off.
fn queued_launch(call: &Call, size: usize) -> Result<Outcome, String> {
    const CHAINED: u64 = 10_000;
    const LONG: usize = 1 << 25;
    let mut long = Saxpy::new(
        Devices::Cpu(impel::Level::detect()).runtime(call.threads)?,
        LONG,
    );
    let mut y = array(&long.rt, vec![0.0; size]);
    let mut chain = |launches: u64| {
        nanoseconds(|| {
            long.start();
            for _ in 0..launches {
                let params = wgsl::Params {
                    n: size as u32,
                    ..long.params
                };
                let (x, y) = (&long.y, &mut y);
                let launch = wgsl::saxpy { params, x, y }.over(size);
                long.rt.launch(launch).expect("the launch is valid");
            }
            long.rt.sync();
        })
    };
    chain(CHAINED);
    let mut one = || chain(CHAINED).saturating_sub(chain(0)) / CHAINED;
    Ok(Outcome {
        checksum: 0.0,
        ns: (0..call.iterations).map(|_| one()).collect(),
    })
}

/// The first runtime of a process: the one that a program waits for.
fn runtime_new(_: &Call, _: usize) -> Result<Outcome, String> {
    let mut rt = None;
    let ns = nanoseconds(|| rt = Some(Runtime::new()));
    rt.expect("the closure ran")
        .map_err(|error| error.to_string())?;
    Ok(Outcome {
        checksum: 0.0,
        ns: vec![ns],
    })
}

/// Planning a launch over the CPU and a GPU, whose costs are known.
#[cfg(feature = "gpu")]
fn planning(call: &Call, size: usize) -> Result<Outcome, String> {
    use crate::on_impel::FIRST_GPU;

    let mut saxpy = Saxpy::new(Devices::Split.runtime(call.threads)?, size);
    for _ in 0..20 {
        saxpy.finish(Some(Policy::CpuOnly));
        saxpy.finish(Some(Policy::GpuOnly(FIRST_GPU)));
    }
    let Saxpy { rt, params, x, y } = &mut saxpy;
    let launch = wgsl::saxpy {
        params: *params,
        x: &*x,
        y,
    }
    .over(params.n)
    .with_policy(Policy::Auto);
    Ok(means(5 * call.iterations, || {
        std::hint::black_box(rt.explain(&launch)).expect("the launch is valid");
    }))
}

/// Launches that depend on each other, and one wait.
#[cfg(feature = "gpu")]
fn impel_chain(call: &Call, size: usize) -> Result<Outcome, String> {
    let mut saxpy = Saxpy::new(Devices::Gpu.runtime(call.threads)?, size);
    Ok(times(5 * call.iterations, || {
        (1..CHAIN).for_each(|_| saxpy.start());
        saxpy.finish(None);
    }))
}

/// The same dispatches in one submission.
#[cfg(feature = "gpu")]
fn wgpu_chain(call: &Call, size: usize) -> Result<Outcome, String> {
    let saxpy = on_wgpu(size)?;
    Ok(times(5 * call.iterations, || {
        saxpy.submit(CHAIN, None);
        saxpy.wait();
    }))
}

/// One launch, and its whole result on the host.
#[cfg(feature = "gpu")]
fn impel_read(call: &Call, size: usize) -> Result<Outcome, String> {
    let mut saxpy = Saxpy::new(Devices::Gpu.runtime(call.threads)?, size);
    Ok(times(50 * call.iterations, || {
        saxpy.start();
        std::hint::black_box(saxpy.y.read().expect("the launch succeeds")[0]);
    }))
}

/// One dispatch and a copy in one submission, and the copy on the host.
#[cfg(feature = "gpu")]
fn wgpu_read(call: &Call, size: usize) -> Result<Outcome, String> {
    let saxpy = on_wgpu(size)?;
    let copy = saxpy.copy_of(1);
    Ok(times(50 * call.iterations, || {
        saxpy.submit(1, Some(&copy));
        std::hint::black_box(saxpy.read(&copy)[0]);
    }))
}

#[cfg(feature = "gpu")]
fn on_wgpu(size: usize) -> Result<crate::on_wgpu::OnWgpu, String> {
    crate::on_wgpu::OnWgpu::prepare(
        crate::problems::problem("saxpy", size).expect("saxpy is a kernel"),
    )
}
