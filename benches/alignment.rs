//! What does it cost that an adopted `Vec` may begin inside of a cache line? saxpy on arrays that impel has allocated, which begin at a
//! line's border, and on ranges that begin 16 bytes behind one, as long `Vec`s do: `cargo bench --bench alignment`.

use std::time::Instant;

use impel::{Array, Policy, Runtime};
use impel_kernels::saxpy::wgsl as saxpy;

/// Launches of which the fastest counts, in turns with the other's.
const TURNS: usize = 60;

/// Elements of 16 bytes.
const OFFSET: usize = 4;

fn time_us(rt: &Runtime, x: &Array<f32>, y: &mut Array<f32>, start: usize, n: usize) -> f64 {
    let params = saxpy::Params {
        alpha: 0.5,
        n: n as u32,
    };
    let arguments = saxpy::saxpy {
        params,
        x: x.view(start..start + n).expect("the range is inside"),
        y: y.view_mut(start..start + n).expect("the range is inside"),
    };
    let launch = arguments.over(n).with_policy(Policy::CpuOnly);
    let begin = Instant::now();
    let pending = rt.launch(launch).expect("the launch is valid");
    pending.wait().expect("the launch succeeds");
    begin.elapsed().as_secs_f64() * 1e6
}

fn main() {
    let builder = Runtime::builder().without_cache();
    #[cfg(feature = "gpu")]
    let builder = builder.gpus(false);
    let rt = builder.build().expect("a CPU is enough");
    println!(
        "{:>9} {:>12} {:>14} {:>6}",
        "elements", "aligned µs", "unaligned µs", "loss"
    );
    for n in [1 << 12, 1 << 16, 1 << 20, 1 << 24] {
        let array = || {
            rt.array_from_slice(&vec![1.0_f32; n + OFFSET])
                .expect("it is small")
        };
        let (x, mut y) = (array(), array());
        let mut best = [f64::INFINITY; 2];
        for _ in 0..TURNS {
            for (best, start) in best.iter_mut().zip([0, OFFSET]) {
                *best = best.min(time_us(&rt, &x, &mut y, start, n));
            }
        }
        let [aligned, unaligned] = best;
        let percent = (unaligned / aligned - 1.0) * 100.0;
        println!("{n:>9} {aligned:>12.1} {unaligned:>14.1} {percent:>4.0} %");
    }
}
