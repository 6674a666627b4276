//! What does `Durability::Replay` cost? Time a launch, and bytes copied home, with and without it, on an imagined GPU whose work is
//! carried out by this CPU. `cargo bench --bench durability`, with `--no-default-features` where wgpu need not be built.
//!
//! The first table has launches on 64 elements, so that it shows the bookkeeping; the second large ones, so that it shows the copies.

use std::time::Instant;

use impel::sim::{Gpu, Machine};
use impel::{Array, DeviceId, Durability, Policy, Runtime};
use impel_kernels::saxpy::wgsl as saxpy;

const ROUNDS: usize = 7;

/// Who does the launches of a chain.
#[derive(Clone, Copy, Debug)]
enum Who {
    Gpu,
    Split,
    Turns,
}

impl Who {
    fn policy(self, launch: u32) -> Policy {
        let gpu = DeviceId(1);
        match self {
            Self::Split => Policy::Split(vec![(DeviceId::CPU, 1.0), (gpu, 1.0)]),
            Self::Turns if launch.is_multiple_of(2) => Policy::CpuOnly,
            Self::Gpu | Self::Turns => Policy::GpuOnly(gpu),
        }
    }
}

fn runtime(durability: Durability) -> Runtime {
    let machine = Machine::desktop().with(Gpu::card());
    let builder = Runtime::builder().simulated(machine).without_cache();
    let built = builder.durability(durability).threads(1).build();
    built.expect("nothing is needed for it")
}

/// A chain of launches, each of which reads two arrays and writes one of them.
fn chain(rt: &Runtime, who: Who, launches: u32, x: &Array<f32>, y: &mut Array<f32>) {
    let n = y.len() as u32;
    for number in 0..launches {
        let params = saxpy::Params { alpha: 0.5, n };
        let launch = saxpy::saxpy {
            params,
            x,
            y: &mut *y,
        }
        .over(n);
        rt.launch(launch.with_policy(who.policy(number)))
            .expect("the launch is right");
    }
    rt.sync();
}

/// Median time a launch in ns, and bytes that came home a launch.
fn measure(durability: Durability, who: Who, elements: usize, launches: u32) -> (f64, f64) {
    let mut times = Vec::new();
    let mut bytes = 0.0;
    for _ in 0..ROUNDS {
        let rt = runtime(durability);
        let x = rt.array_from_vec(vec![1.0; elements]).expect("small");
        let mut y = rt.array_from_vec(vec![0.0; elements]).expect("small");
        chain(&rt, who, 100, &x, &mut y);
        let home = || {
            rt.report()
                .moved(DeviceId(1).memory(), DeviceId::CPU.memory())
        };
        let before = home().words;
        let clock = Instant::now();
        chain(&rt, who, launches, &x, &mut y);
        times.push(clock.elapsed().as_nanos() as f64 / f64::from(launches));
        bytes = (home().words - before) as f64 * 4.0 / f64::from(launches);
    }
    times.sort_by(f64::total_cmp);
    (times[ROUNDS / 2], bytes)
}

fn table(title: &str, elements: usize, launches: u32) {
    println!(
        "{title}\n{:<8} {:>12} {:>12} {:>16} {:>16}",
        "who", "off, ns", "replay, ns", "home off, B", "home replay, B"
    );
    for who in [Who::Gpu, Who::Split, Who::Turns] {
        let (off_ns, off_bytes) = measure(Durability::Off, who, elements, launches);
        let (on_ns, on_bytes) = measure(Durability::replay(), who, elements, launches);
        let who = format!("{who:?}");
        println!("{who:<8} {off_ns:>12.0} {on_ns:>12.0} {off_bytes:>16.1} {on_bytes:>16.1}");
    }
}

fn main() {
    table("64 elements, 20,000 launches; per launch:", 64, 20_000);
    table("2^20 elements, 300 launches; per launch:", 1 << 20, 300);
}
