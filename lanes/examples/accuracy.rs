//! How accurate are the functions of one argument? Prints the largest error of each over all of `f32`, per instruction set.
//!
//! `cargo run --release -p impel-lanes --example accuracy -- 64` looks at every 64th number, without an argument at all of them
//! (which takes an hour of one core per instruction set).

#[path = "../tests/measure/mod.rs"]
mod measure;

use std::thread;

use impel_lanes::Level;
use measure::{FUNCTIONS, Function, Worst, worst_of};

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
    let stride = std::env::args().nth(1).map_or(1, |n| {
        n.parse().expect("the argument is the stride, a number")
    });
    println!("{:18}{:8}{:>10}  at", "", "", "ulp");
    for function in FUNCTIONS {
        for level in Level::available() {
            let worst = worst(function, level, stride);
            println!(
                "{:18}{level:8}{:10.3}  {:e}",
                function.name, worst.error, worst.at
            );
        }
    }
}
