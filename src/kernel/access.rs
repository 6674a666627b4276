//! Which words does a kernel touch, in terms of what is only known at launch? The constant form of the compiler's access map.
//!
//! Every address is an [`Affine`] form `base + Σ coefficient · variable` in words. Bases and coefficients are [`Uniform`]
//! expressions: numbers once parameters, array lengths and the grid are known. Variables are builtin ids, loop counters and
//! values with known bounds; each has an interval for a given tile, and [`Constraint`]s, the guards of the WGSL, narrow it.
//! [`Resolved`](super::Resolved) does that arithmetic.

use std::fmt;

/// Index into [`AccessMap::uniforms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UniformId(pub u16);
/// Index into [`AccessMap::constraints`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConstraintId(pub u16);
/// Index into [`AccessMap::sites`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u16);

/// A quantity that varies over the invocations of a tile: 0 to 2 are `global_invocation_id` along x, y, z, 3 to 5
/// `workgroup_id`, 6 to 8 `local_invocation_id`, and 9 + i is entry i of [`AccessMap::ranges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Variable(pub u16);

impl Variable {
    /// Number of variables that are builtin ids.
    pub const BUILTINS: usize = 9;

    /// `global_invocation_id` along `axis`.
    pub const fn global(axis: u16) -> Self {
        Self(axis)
    }

    /// `workgroup_id` along `axis`.
    pub const fn workgroup(axis: u16) -> Self {
        Self(3 + axis)
    }

    /// `local_invocation_id` along `axis`.
    pub const fn local(axis: u16) -> Self {
        Self(6 + axis)
    }
}

/// How one kernel touches its arrays, and how much it computes.
#[derive(Debug, PartialEq)]
pub struct AccessMap {
    /// Expressions that are numbers at launch; operands stand before their users.
    pub uniforms: &'static [Uniform],
    /// Variables beyond the builtin ids; each depends on earlier variables only.
    pub ranges: &'static [Range],
    /// Guards.
    pub constraints: &'static [Constraint],
    /// Places in the WGSL.
    pub sites: &'static [Site],
    /// One entry per storage binding, in the order of [`Kernel::bindings`](super::Kernel::bindings).
    pub buffers: &'static [BufferAccess],
    /// Whether a launch may be cut into parts at all.
    pub split: Split,
    /// What an invocation computes.
    pub work: Work,
}

/// An integer expression that has one value per launch. Arithmetic is that of the integers; a value that leaves the range
/// where WGSL's 32-bit arithmetic agrees is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Uniform {
    /// A constant.
    Const(i64),
    /// A word of a uniform buffer.
    Word {
        /// Index into [`Kernel::bindings`](super::Kernel::bindings).
        binding: u16,
        /// Which word.
        word: u32,
        /// Whether it is an `i32`.
        signed: bool,
    },
    /// Number of whole elements of a runtime-sized array.
    ArrayLength {
        /// Index into [`Kernel::bindings`](super::Kernel::bindings).
        binding: u16,
        /// Words before the array.
        offset: u32,
        /// Words per element.
        stride: u32,
    },
    /// `num_workgroups` of the whole launch along an axis.
    NumWorkgroups(u8),
    /// `a + b`
    Add(UniformId, UniformId),
    /// `a · b`
    Multiply(UniformId, UniformId),
    /// `a / b` rounded towards zero; `a` where b = 0.
    Divide(UniformId, UniformId),
    /// `a - b · (a / b)`; 0 where b = 0.
    Remainder(UniformId, UniformId),
    /// The lesser.
    Min(UniformId, UniformId),
    /// The greater.
    Max(UniformId, UniformId),
    /// `a · 2^b`, unknown unless 0 <= b < 32.
    ShiftLeft(UniformId, UniformId),
    /// `⌊a / 2^b⌋`, unknown unless 0 <= b < 32.
    ShiftRight(UniformId, UniformId),
    /// Bits set in both, unknown where one is negative.
    And(UniformId, UniformId),
    /// `a` if it is a value of the type, else unknown.
    Fits {
        /// The expression.
        value: UniformId,
        /// `i32`, or else `u32`.
        signed: bool,
    },
}

/// `base + Σ coefficient · variable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Affine {
    /// The part that is the same for all invocations.
    pub base: UniformId,
    /// The rest; no variable occurs twice.
    pub terms: &'static [Term],
}

/// A summand of an [`Affine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// The varying factor.
    pub variable: Variable,
    /// The other one.
    pub coefficient: UniformId,
}

/// What a variable that is no builtin id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Range {
    /// Number of completed iterations of a loop: 0 and up; a [`Constraint`] bounds it.
    Counter,
    /// The same, where it is known which iteration can be the last: the first one, or one with `step · counter <= distance`.
    CounterTo {
        /// How far the counted value goes at most.
        distance: Affine,
        /// By how much it moves each time.
        step: UniformId,
        /// That holds only if these did not wrap around.
        checks: &'static [Check],
    },
    /// A sum that a guard compares as a whole.
    Sum(Affine),
    /// The lesser of two values.
    Min {
        /// One.
        a: Affine,
        /// The other.
        b: Affine,
        /// Compared as `i32`, or else `u32`.
        signed: bool,
    },
    /// The greater of two values.
    Max {
        /// One.
        a: Affine,
        /// The other.
        b: Affine,
        /// Compared as `i32`, or else `u32`.
        signed: bool,
    },
    /// One of two values.
    Either(Affine, Affine),
    /// `value / divisor`
    Quotient {
        /// What is divided.
        value: Affine,
        /// By what.
        divisor: UniformId,
        /// `i32`, or else `u32`.
        signed: bool,
    },
    /// `value % divisor`
    Remainder {
        /// What is divided.
        value: Affine,
        /// By what.
        divisor: UniformId,
        /// `i32`, or else `u32`.
        signed: bool,
    },
    /// Any value from `low` to `high`, both included.
    Within {
        /// Least value.
        low: UniformId,
        /// Greatest value.
        high: UniformId,
    },
}

/// A guard: where it holds, `coefficient · variable + base >= 0`. With a coefficient of 0 it is a condition on the launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// What it bounds.
    pub variable: Variable,
    /// Factor of the variable.
    pub coefficient: UniformId,
    /// The rest.
    pub base: UniformId,
    /// The guard says so only if these did not wrap around.
    pub checks: &'static [Check],
}

/// The claim that a value is what integer arithmetic says, because it fits its 32-bit type for every invocation of the tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// The value.
    pub value: Affine,
    /// `i32`, or else `u32`.
    pub signed: bool,
}

/// How one storage binding is touched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BufferAccess {
    /// Index into [`Kernel::bindings`](super::Kernel::bindings).
    pub binding: u16,
    /// What is read.
    pub reads: &'static [Pattern],
    /// What is written, atomically or not.
    pub writes: &'static [Pattern],
    /// Set if the buffer is touched by atomics of one commuting operation only, whose results nobody uses: then each device
    /// may work on a private copy, and the copies be combined at the end.
    pub combine: Option<Combine>,
}

/// How private copies become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Combine {
    /// With which operation.
    pub op: CombineOp,
    /// On `i32`, or else `u32`.
    pub signed: bool,
}

/// A commuting operation on words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CombineOp {
    /// Wrapping sum; identity 0.
    Add,
    /// The least; identity is the greatest value of the type.
    Min,
    /// The greatest; identity is the least value of the type.
    Max,
    /// Bits set in all; identity all ones.
    And,
    /// Bits set in any; identity 0.
    Or,
    /// Bits set in an odd number; identity 0.
    ExclusiveOr,
}

impl Combine {
    /// The word that changes nothing.
    pub const fn identity(self) -> u32 {
        match (self.op, self.signed) {
            (CombineOp::Add | CombineOp::Or | CombineOp::ExclusiveOr, _)
            | (CombineOp::Max, false) => 0,
            (CombineOp::And, _) | (CombineOp::Min, false) => u32::MAX,
            (CombineOp::Min, true) => i32::MAX as u32,
            (CombineOp::Max, true) => i32::MIN as u32,
        }
    }

    /// One word out of two.
    pub const fn apply(self, a: u32, b: u32) -> u32 {
        let less = if self.signed {
            (a as i32) < b as i32
        } else {
            a < b
        };
        match self.op {
            CombineOp::Add => a.wrapping_add(b),
            CombineOp::And => a & b,
            CombineOp::Or => a | b,
            CombineOp::ExclusiveOr => a ^ b,
            CombineOp::Min => {
                if less {
                    a
                } else {
                    b
                }
            }
            CombineOp::Max => {
                if less {
                    b
                } else {
                    a
                }
            }
        }
    }
}

/// Words that one place in the WGSL touches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pattern {
    /// Which.
    pub reach: Reach,
    /// The WGSL.
    pub site: SiteId,
}

/// A set of words, per invocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    /// Any of the buffer.
    Whole {
        /// Why nothing better is known.
        reason: &'static str,
    },
    /// `width` words from `address` on, where all `constraints` hold.
    Words {
        /// First word.
        address: Affine,
        /// Number of words.
        width: u32,
        /// All variables that `address`, `constraints` and `checks` depend on, ascending.
        variables: &'static [Variable],
        /// Guards, ordered by variable.
        constraints: &'static [ConstraintId],
        /// The whole buffer is touched if one of these fails.
        checks: &'static [Check],
        /// Whether every combination of values of the variables that `constraints` admit surely takes place, so that a hull
        /// without gaps is written for certain.
        exact: bool,
    },
}

/// A place in the WGSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// The WGSL there.
    pub snippet: &'static str,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.snippet)
    }
}

/// Whether a launch may be cut into parts for several devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// At borders of workgroups, wherever the parts' footprints are [`disjoint`](super::disjoint).
    WhereDisjoint,
    /// Never.
    No {
        /// Why not.
        reason: &'static str,
        /// The WGSL that says so.
        site: SiteId,
    },
}

/// What an invocation computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// The loops.
    pub loops: &'static [Trips],
    /// Operation counts of straight code, each repeated by its loops.
    pub counts: &'static [Counts],
}

/// How often a loop goes round: `max(0, ⌈(limit - first) / step⌉)` times, averaged over the launch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trips {
    /// As long as a counter that starts at `first` stays below `limit`.
    Counted {
        /// First value of the counter.
        first: Affine,
        /// Exclusive end.
        limit: Affine,
        /// Increment, greater than 0.
        step: UniformId,
    },
    /// Nobody knows before it runs.
    Unknown,
}

/// Operations of a stretch of code.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Indices into [`Work::loops`] of the loops around it.
    pub loops: &'static [u16],
    /// Additions, multiplications, comparisons, … of `f32`; a fused multiply-add is two.
    pub flops: u32,
    /// Operations on integers and truth values.
    pub int_ops: u32,
    /// Divisions, roots and transcendental functions of `f32`, and atomic read-modify-writes.
    pub special: u32,
    /// Bytes loaded from storage.
    pub bytes_read: u32,
    /// Bytes stored to storage.
    pub bytes_written: u32,
}
