//! Does every kernel of the library agree with the oracle: on every instruction set, on every device, and however it is split?
//!
//! Sizes are no multiple of anything; splits are random shares of all devices, from a fixed seed. Integers must be equal. Floats
//! must lie within a bound that follows from WGSL's error of each operation and is stated beside each kernel in `bounds`.
//! `IMPEL_TEST_LONG=1` adds sizes and splits.

#[path = "../devices/mod.rs"]
mod devices;

mod bounds;
mod compare;
mod escape;
mod problems;
mod random;

use compare::{agree, exactly};
use devices::long;
use impel::{LaunchError, Policy};
use impel_kernels::KernelError;
use problems::{self as given, Problem};

/// Lengths of one-dimensional launches.
const LENGTHS: [usize; 6] = [1, 7, 63, 64, 65, 1009];

fn problems<S>(sizes: impl IntoIterator<Item = S>, make: impl Fn(S) -> Problem) -> Vec<Problem> {
    sizes.into_iter().map(make).collect()
}

#[test]
fn saxpy_agrees() {
    let problems = problems(LENGTHS.into_iter().chain([65_537]), given::saxpy);
    agree("saxpy_agrees", &problems, &bounds::saxpy);
}

#[test]
fn more_workgroups_than_a_dispatch_takes_along_an_axis_agree() {
    let name = "more_workgroups_than_a_dispatch_takes_along_an_axis_agree";
    compare::agree_in_samples(name, &given::saxpy(65_536 * 64 - 3), &bounds::saxpy);
}

#[test]
fn black_scholes_agrees() {
    let largest = if long() { 65_537 } else { 2003 };
    let problems = problems(LENGTHS.into_iter().chain([largest]), given::black_scholes);
    agree("black_scholes_agrees", &problems, &bounds::black_scholes);
}

#[test]
fn nbody_agrees() {
    let largest = if long() { 1009 } else { 131 };
    let problems = problems([1, 7, 63, 64, 65, largest], given::nbody);
    agree("nbody_agrees", &problems, &bounds::nbody);
}

#[test]
fn nbody_step_agrees() {
    let problems = problems(LENGTHS, given::nbody_step);
    agree("nbody_step_agrees", &problems, &bounds::nbody_step);
}

#[test]
fn jacobi_agrees() {
    let sizes = [[1, 1], [2, 3], [17, 1], [1, 67], [37, 53], [101, 67]];
    agree(
        "jacobi_agrees",
        &problems(sizes, given::jacobi),
        &bounds::jacobi,
    );
}

#[test]
fn matmul_tiled_agrees() {
    let shapes = [[1, 1, 1], [7, 65, 1], [17, 19, 23], [53, 37, 31]];
    let problems = problems(shapes, given::matmul_tiled);
    agree("matmul_tiled_agrees", &problems, &bounds::matmul);
}

#[test]
fn matmul_blocked_agrees() {
    let shapes = [[1, 1, 1], [17, 19, 23], [67, 131, 5], [131, 67, 17]];
    let problems = problems(shapes, given::matmul_blocked);
    agree("matmul_blocked_agrees", &problems, &bounds::matmul);
}

#[test]
fn sum_agrees() {
    let lengths = LENGTHS.into_iter().chain([4096, 4097, 65_537]);
    agree("sum_agrees", &problems(lengths, given::sum), &bounds::sum);
}

#[test]
fn histogram_agrees() {
    let lengths = LENGTHS.into_iter().chain([32_768, 32_769, 98_765]);
    agree(
        "histogram_agrees",
        &problems(lengths, given::histogram),
        &exactly,
    );
}

/// Sizes of pictures.
const PICTURES: [[usize; 2]; 5] = [[1, 1], [7, 1], [1, 65], [61, 89], [127, 67]];

#[test]
fn mandelbrot_agrees_but_near_its_threshold() {
    let name = "mandelbrot_agrees_but_near_its_threshold";
    let problems = problems(PICTURES, given::mandelbrot);
    agree(name, &problems, &escape::near_threshold);
}

#[test]
fn mandelbrot_without_contraction_agrees_exactly_on_the_cpu() {
    let problems = problems(PICTURES, given::mandelbrot_strict);
    compare::agree_on_cpu(&problems, &exactly);
}

#[test]
fn a_size_of_zero_is_nothing_to_do_for_the_library_and_an_empty_grid_for_a_launch() {
    let rt = devices::cpu_only();
    let nothing = |policy: Policy| {
        let problem = given::saxpy(1);
        let empty = Problem {
            grid: [0, 1, 1],
            ..problem
        };
        compare::launch(&rt, &empty, policy)
    };
    let error = nothing(Policy::Auto).expect_err("an empty grid");
    assert!(matches!(*error, LaunchError::EmptyGrid { .. }), "{error}");
    given::of_nothing(&rt).unwrap_or_else(|error: KernelError| panic!("{error}"));
    assert_eq!(rt.report().moved_bytes(), 0);
}

#[test]
fn as_many_adapters_are_found_as_the_environment_demands() {
    let Some(demanded) = std::env::var_os("IMPEL_TEST_ADAPTERS_MIN") else {
        return;
    };
    let demanded: usize = demanded
        .to_str()
        .and_then(|text| text.parse().ok())
        .expect("IMPEL_TEST_ADAPTERS_MIN is a number");
    let found = devices::gpus(&devices::runtime()).len();
    assert!(
        found >= demanded,
        "{found} adapters were found, {demanded} are demanded: GPU tests would be skipped"
    );
}
