//! How accurate are the functions of one argument? Prints the largest error of each over all of `f32`, per instruction set.
//!
//! `cargo run --release -p impel-lanes --example accuracy -- 61 avx512` looks at every 61st number with AVX-512 only. Without
//! arguments it looks at all numbers with all instruction sets, which takes about two minutes of one core for each function.
//! Functions of two arguments are measured on ten million seeded pairs.

#[path = "../tests/measure/mod.rs"]
mod measure;

use std::thread;

use impel_lanes::Level;
use measure::{FUNCTIONS, Function, PAIR_FUNCTIONS, Worst, worst_of, worst_of_pairs};

/// The largest error of each level over every `stride`th number, found by all cores together.
fn worst(function: &Function, levels: &[Level], stride: u64) -> Vec<Worst> {
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    thread::scope(|scope| {
        let part = |t| {
            scope.spawn(move || worst_of(function, levels, t * stride, 1 << 32, threads * stride))
        };
        let parts: Vec<_> = (0..threads).map(part).collect();
        let parts = parts
            .into_iter()
            .map(|part| part.join().expect("no part panics"));
        parts
            .reduce(|a, b| a.into_iter().zip(b).map(|(a, b)| a.or(b)).collect())
            .expect("there is a core")
    })
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let stride = arguments.next().map_or(1, |n| {
        n.parse()
            .expect("the first argument is the stride, a number")
    });
    let only: Option<Level> = arguments.next().map(|name| {
        name.parse()
            .expect("the second argument is an instruction set")
    });
    println!("{:18}{:8}{:>10}  at", "", "", "ulp");
    let levels: Vec<Level> = Level::available()
        .filter(|level| only.is_none_or(|only| only == *level))
        .collect();
    for function in FUNCTIONS {
        for (level, worst) in levels.iter().zip(worst(function, &levels, stride)) {
            println!(
                "{:18}{level:8}{:10.3}  {:e}",
                function.name, worst.error, worst.at
            );
        }
    }
    for function in PAIR_FUNCTIONS {
        let worst = worst_of_pairs(function, 10_000_000);
        println!(
            "{:18}{:8}{:10.3}  {:e}",
            function.0, "", worst.error, worst.at
        );
    }
}
