//! Which words of its buffers does a kernel touch, in terms of ids and of what is known at launch?
//!
//! One forward walk over [KIR](crate::ir) gives every integer an affine form ([`value`], [`form`]) over builtin ids, loop counters
//! and bounded values ([`affine`]), with coefficients that are polynomials in parameters, array lengths and the grid
//! ([`poly`]); conditions become linear constraints ([`guard`]), and accesses under them patterns ([`pattern`], [`merge`], [`fold`]). From these
//! follow whether a launch may be split ([`split`]) and how much it computes ([`work`]). [`tables`] is the form that the
//! runtime evaluates.
//!
//! Integers are those of mathematics. Sums, differences and products agree with WGSL's 32-bit ones modulo 2³²; wherever the
//! value itself matters (comparisons, quotients, minima, the final index), the map carries a check that it fits its type, made at
//! launch by interval arithmetic. Where a check fails, the guard is ignored or the whole buffer taken.

mod affine;
mod display;
mod fold;
mod form;
mod guard;
mod merge;
mod pattern;
mod poly;
mod split;
mod tables;
mod value;
mod walk;
mod work;

use std::collections::BTreeMap;

pub use affine::{Affine, Last, Range, Variable};
pub use guard::{Check, Constraint, Trips};
pub use pattern::{Action, Pattern, Reach, Site, Words};
pub use poly::{Atom, AtomId, Atoms, Function, Poly};
pub use split::{Combine, CombineOp, Split};
pub use tables::{
    AffineRow, BufferRow, CheckRow, ConstraintRow, CountsRow, PatternRow, RangeRow, SplitRow,
    Tables, TermRow, TripsRow, UniformRow, WordsRow,
};
pub use work::{Counts, Work};

use crate::diagnostic::Source;
use crate::ir::{Kernel, Space};
use form::Form;
use guard::Guard;
use pattern::Access;

/// How one kernel touches its storage buffers, and how much an invocation computes.
#[derive(Clone, Debug)]
pub struct AccessMap {
    /// The kernel's name.
    pub name: String,
    /// Names of all bindings.
    pub bindings: Vec<String>,
    /// Invocations per workgroup.
    pub workgroup_size: [u32; 3],
    /// What the polynomials speak of.
    pub atoms: Atoms,
    /// Variables beyond the builtin ids.
    pub ranges: Vec<Range>,
    /// One entry per storage binding.
    pub buffers: Vec<BufferAccess>,
    /// Whether a launch may be cut into parts.
    pub split: Split,
    /// What an invocation computes.
    pub work: Work,
}

/// How one storage binding is touched.
#[derive(Clone, Debug)]
pub struct BufferAccess {
    /// Index into [`Kernel::bindings`].
    pub binding: u32,
    /// What is read.
    pub reads: Vec<Pattern>,
    /// What is written.
    pub writes: Vec<Pattern>,
    /// Set if private copies can be combined afterwards.
    pub combine: Option<Combine>,
}

/// Analyses `kernel`, which was lowered from `source`.
///
/// Never fails: what cannot be analysed touches whole buffers, and the map says why.
pub fn analyse(kernel: &Kernel, source: &Source) -> AccessMap {
    let mut analysis = Analysis {
        kernel,
        source,
        atoms: Atoms::default(),
        ranges: Vec::new(),
        forms: vec![None; kernel.values.len()],
        variables: kernel
            .vars
            .iter()
            .map(|variable| walk::initial(variable.ty))
            .collect(),
        guards: Vec::new(),
        scopes: Vec::new(),
        trips: BTreeMap::new(),
        accesses: Vec::new(),
    };
    analysis.block(Kernel::ROOT, &kernel.body);
    let work = work::count(kernel, &analysis.trips, &analysis.ranges);
    let found = std::mem::take(&mut analysis.accesses);
    let mut buffers = Vec::new();
    let mut verdict = Split::WhereDisjoint;
    for (index, binding) in kernel.bindings.iter().enumerate() {
        if binding.space == Space::Uniform {
            continue;
        }
        let accesses: Vec<&Access> = found
            .iter()
            .filter(|access| access.buffer.0 as usize == index)
            .collect();
        let combine = split::combine(&accesses);
        if combine.is_none() && verdict == Split::WhereDisjoint {
            verdict = split::verdict(&binding.name, &accesses, &analysis.ranges);
        }
        buffers.push(BufferAccess {
            binding: index as u32,
            reads: merge::merged(pattern::reads(&accesses, combine.is_some())),
            writes: analysis.folded(merge::merged(pattern::writes(&accesses))),
            combine,
        });
    }
    AccessMap {
        name: kernel.name.clone(),
        bindings: kernel
            .bindings
            .iter()
            .map(|binding| binding.name.clone())
            .collect(),
        workgroup_size: kernel.workgroup_size,
        atoms: analysis.atoms,
        ranges: analysis.ranges,
        buffers,
        split: verdict,
        work,
    }
}

/// The state of the walk.
struct Analysis<'k> {
    kernel: &'k Kernel,
    source: &'k Source,
    atoms: Atoms,
    ranges: Vec<Range>,
    /// What is known of each value, once its `Let` was passed.
    forms: Vec<Option<Form>>,
    /// What is known of each variable here.
    variables: Vec<Form>,
    /// What holds here, outermost first.
    guards: Vec<Guard>,
    /// Open scopes, outermost first.
    scopes: Vec<walk::Scope>,
    /// How often loops go round, by counter.
    trips: BTreeMap<Variable, Trips>,
    accesses: Vec<Access>,
}
