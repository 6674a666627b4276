//! How accurate are the functions of one argument? Prints the largest error of each over all of `f32`, per instruction set.
//!
//! `cargo run --release -p impel-lanes --example accuracy -- 61 avx512` looks at every 61st number with AVX-512 only. Without
//! arguments it looks at all numbers with all instruction sets, which takes an hour of one core each. Functions of two arguments
//! are measured on ten million seeded pairs.

#[path = "../tests/measure/mod.rs"]
mod measure;

use std::thread;

use impel_lanes::Level;
use measure::{FUNCTIONS, Function, PAIR_FUNCTIONS, Worst, worst_of, worst_of_pairs};

/// The largest error over every `stride`th number, found by all cores together.
fn worst(function: &Function, level: Level, stride: u64) -> Worst {
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|t| {
                scope
                    .spawn(move || worst_of(function, level, t * stride, 1 << 32, threads * stride))
            })
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("no part panics"))
            .fold(Worst::default(), Worst::or)
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
    for function in FUNCTIONS {
        for level in Level::available().filter(|level| only.is_none_or(|only| only == *level)) {
            let worst = worst(function, level, stride);
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
