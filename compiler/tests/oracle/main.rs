//! Does the oracle compute what the WGSL specification says? Expected numbers are worked out by hand.

#![expect(clippy::float_cmp, reason = "the oracle's results are exact")]
#![expect(
    clippy::excessive_precision,
    clippy::approx_constant,
    reason = "expected values as the tables print them"
)]

mod corpus;
mod coverage;
mod errors;
mod floats;
mod integers;
mod memory;

use impel_compiler::front::{Options, parse};
use impel_compiler::oracle::{Oracle, OracleError};

/// Words as the bytes of a buffer.
fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The words of a buffer.
fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

/// Runs the entry point `main` of `source` over `grid` workgroups.
fn try_run(source: &str, grid: [u32; 3], buffers: &mut [Vec<u8>]) -> Result<(), OracleError> {
    let front =
        parse(source, "test.wgsl", &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    Oracle::new(&front.module, &front.info, "main")?
        .loop_limit(1 << 16)
        .run(grid, buffers)
}

/// As [`try_run`], for buffers of words.
fn run(source: &str, grid: [u32; 3], buffers: &[&[u32]]) -> Vec<Vec<u32>> {
    let mut buffers: Vec<Vec<u8>> = buffers.iter().map(|buffer| bytes(buffer)).collect();
    try_run(source, grid, &mut buffers).unwrap_or_else(|error| panic!("{error}"));
    buffers.iter().map(|buffer| words(buffer)).collect()
}

/// The value of a WGSL expression of type `ty` whose operands are the run-time values `a`, `b`, `c`, `d` of type
/// `operand`, given by their bits.
fn value(ty: &str, expression: &str, operand: &str, operands: &[u32]) -> Vec<u32> {
    let source = format!(
        "@group(0) @binding(0) var<storage, read_write> result: array<{ty}>;
         @group(0) @binding(1) var<storage, read> operand: array<{operand}>;
         @compute @workgroup_size(1) fn main() {{
             let a = operand[0]; let b = operand[1]; let c = operand[2]; let d = operand[3];
             result[0] = {expression};
         }}"
    );
    let mut given = operands.to_vec();
    given.resize(64, 0);
    run(&source, [1, 1, 1], &[&[0; 16], &given]).swap_remove(0)
}

fn i32_of(expression: &str, operands: &[i32]) -> i32 {
    let operands: Vec<u32> = operands.iter().map(|operand| *operand as u32).collect();
    value("i32", expression, "i32", &operands)[0] as i32
}

fn u32_of(expression: &str, operands: &[u32]) -> u32 {
    value("u32", expression, "u32", operands)[0]
}

fn f32_of(expression: &str, operands: &[f32]) -> f32 {
    let operands: Vec<u32> = operands.iter().map(|operand| operand.to_bits()).collect();
    f32::from_bits(value("f32", expression, "f32", &operands)[0])
}

/// The four components of a vector expression of four-component float operands.
fn vec4_of(expression: &str, operands: &[[f32; 4]]) -> [f32; 4] {
    let operands: Vec<u32> = operands
        .iter()
        .flatten()
        .map(|operand| operand.to_bits())
        .collect();
    let found = value("vec4f", expression, "vec4f", &operands);
    [0, 1, 2, 3].map(|i| f32::from_bits(found[i]))
}
