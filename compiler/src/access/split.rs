//! May a launch of this kernel be cut into parts for several devices? What the kernel's text alone says about it; the rest is
//! decided at launch, where footprints are numbers.

use std::fmt;

use super::affine::{Range, Variable};
use super::pattern::{Access, Action, Reach, Site, Words};
use crate::ir::AtomicOp;

/// Whether a launch may be cut into parts at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// At borders of workgroups, wherever the parts' footprints are disjoint.
    WhereDisjoint,
    /// Never.
    No {
        /// Why not.
        reason: String,
        /// The WGSL that says so.
        site: Site,
    },
}

/// How private copies of a buffer become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Combine {
    /// With which operation.
    pub op: CombineOp,
    /// On `i32`, or else `u32`.
    pub signed: bool,
}

/// A commuting operation on words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CombineOp {
    Add,
    Min,
    Max,
    And,
    Or,
    ExclusiveOr,
}

impl fmt::Display for Combine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            CombineOp::Add => "add",
            CombineOp::Min => "min",
            CombineOp::Max => "max",
            CombineOp::And => "and",
            CombineOp::Or => "or",
            CombineOp::ExclusiveOr => "xor",
        };
        write!(f, "{op} {}", if self.signed { "i32" } else { "u32" })
    }
}

/// How private copies of a buffer with these accesses become one: they are all atomic updates by the same commuting operation
/// whose results nobody uses.
pub(super) fn combine(accesses: &[&Access]) -> Option<Combine> {
    let mut found = None;
    for access in accesses {
        let Action::Update {
            op,
            signed,
            used: false,
        } = access.action
        else {
            return None;
        };
        let combine = Combine {
            op: commuting(op)?,
            signed,
        };
        if found.is_some_and(|other| other != combine) {
            return None;
        }
        found = Some(combine);
    }
    found
}

fn commuting(op: AtomicOp) -> Option<CombineOp> {
    match op {
        // Subtracting adds the two's complement.
        AtomicOp::Add | AtomicOp::Subtract => Some(CombineOp::Add),
        AtomicOp::Min => Some(CombineOp::Min),
        AtomicOp::Max => Some(CombineOp::Max),
        AtomicOp::And => Some(CombineOp::And),
        AtomicOp::Or => Some(CombineOp::Or),
        AtomicOp::ExclusiveOr => Some(CombineOp::ExclusiveOr),
        AtomicOp::Load | AtomicOp::Store | AtomicOp::Exchange | AtomicOp::CompareExchange => None,
    }
}

/// What the accesses to the buffer `name`, which is not combined, say about splitting.
pub(super) fn verdict(name: &str, accesses: &[&Access], ranges: &[Range]) -> Split {
    let why_atomic = why_not_combined(name, accesses);
    let describe = |access: &Access, what: &str| {
        let prefix = match (access.action, &why_atomic) {
            (Action::Update { .. }, Some(why)) => why.clone(),
            (Action::Update { .. } | Action::Write, _) => format!("`{name}` is written"),
            (Action::Read, _) => format!("`{name}` is read and written"),
        };
        Split::No {
            reason: format!("{prefix}, and {what}"),
            site: access.pattern.site.clone(),
        }
    };
    let is_write = |access: &&&Access| access.action != Action::Read;
    for access in accesses.iter().filter(is_write) {
        match &access.pattern.reach {
            Reach::Whole { reason } => return describe(access, reason),
            Reach::Words(words) => {
                if let Some(reason) = same_in_all_parts(words, ranges) {
                    return describe(access, &reason);
                }
            }
        }
    }
    if !accesses.iter().any(|access| access.action != Action::Read) {
        return Split::WhereDisjoint;
    }
    for access in accesses {
        if let Reach::Whole { reason } = &access.pattern.reach {
            return describe(access, reason);
        }
    }
    Split::WhereDisjoint
}

/// Why atomic updates of the buffer cannot be made on private copies.
fn why_not_combined(name: &str, accesses: &[&Access]) -> Option<String> {
    let updates = || {
        accesses.iter().filter_map(|access| match access.action {
            Action::Update { op, used, .. } => Some((op, used)),
            _ => None,
        })
    };
    let (first, _) = updates().next()?;
    Some(if updates().any(|(_, used)| used) {
        format!("`{name}` is updated atomically and the result is used")
    } else if updates().count() < accesses.len() {
        format!("`{name}` is updated atomically and also read or stored to")
    } else if updates().any(|(op, _)| commuting(op) != commuting(first)) {
        format!("`{name}` is updated by different atomic operations")
    } else {
        format!("`{name}` is updated by an atomic operation that depends on the order")
    })
}

/// Why the words do not depend on which part an invocation is in, if they do not.
fn same_in_all_parts(words: &Words, ranges: &[Range]) -> Option<String> {
    let guards = words
        .constraints
        .iter()
        .filter(|constraint| !constraint.coefficient.is_zero())
        .map(|constraint| constraint.variable);
    let mut variables = words.address.terms.keys().copied().chain(guards);
    if variables.any(|variable| depends_on_workgroup(variable, ranges)) {
        return None;
    }
    let bounded =
        words
            .address
            .terms
            .keys()
            .find_map(|variable| match &ranges[variable.range()?] {
                Range::Within { reason, .. } => Some(reason),
                _ => None,
            });
    Some(match bounded {
        Some(reason) => format!("the index depends on {reason}"),
        None => "every workgroup touches the same words".to_owned(),
    })
}

fn depends_on_workgroup(variable: Variable, ranges: &[Range]) -> bool {
    match variable.range() {
        None => variable < Variable::local(0),
        Some(index) => ranges[index]
            .operands()
            .into_iter()
            .flat_map(|affine| affine.terms.keys())
            .any(|operand| depends_on_workgroup(*operand, ranges)),
    }
}
