//! Which shorter kernel does the same? Passes over [KIR](crate::ir), repeated until nothing changes:
//!
//! - [`jumps`]: blocks, jumps and branches that structure alone can replace.
//! - [`forward`]: folding, sharing, variables whose content is known, small branches as selections.
//! - [`unroll`]: short loops with constant bounds that index private arrays, written out.
//! - [`scalars`]: private arrays with constant indices only, as variables.
//! - [`liveness`]: what nobody reads.
//! - [`renumber`]: gaps in the numbering, closed at the end.

mod forward;
mod if_conversion;
mod jumps;
mod liveness;
mod renumber;
mod scalars;
mod unroll;

use crate::ir::{Kernel, Stmt};

/// The passes open each other's way; real kernels settle within four rounds.
const ROUNDS_MAX: usize = 16;

/// A kernel with the same effect on memory for every launch, without needless statements, values and variables.
pub fn simplify(kernel: &Kernel) -> Kernel {
    let mut simple = round(kernel.clone());
    for _ in 1..ROUNDS_MAX {
        let before = size(&simple);
        simple = round(simple);
        if size(&simple) == before {
            break;
        }
    }
    let simple = renumber::renumber(&simple);
    debug_assert_eq!(simple.verify(), Ok(()), "{simple}");
    simple
}

fn round(mut kernel: Kernel) -> Kernel {
    jumps::tidy(&mut kernel);
    let mut kernel = forward::forward(&kernel);
    unroll::unroll(&mut kernel);
    scalars::scalarise(&mut kernel);
    liveness::drop_dead(&mut kernel);
    debug_assert_eq!(kernel.verify(), Ok(()), "{kernel}");
    kernel
}

/// Counts of statements and of nested lists, which every change made by a pass alters.
fn size(kernel: &Kernel) -> (usize, usize) {
    let (mut stmts, mut nested) = (0, 0);
    for stmt in &kernel.body {
        stmt.walk(&mut |stmt: &Stmt| {
            stmts += 1;
            nested += stmt.lists().iter().filter(|list| !list.is_empty()).count();
        });
    }
    (stmts, nested)
}
