//! What is known about a value? An affine integer, a condition on affine integers, or why neither.

use std::rc::Rc;

use super::affine::Affine;
use super::poly::Poly;

/// What is known about a scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// An integer. Agrees with the 32-bit value modulo 2³²; with the value itself where it is one of the type.
    Integer(Affine),
    /// A truth value.
    Truth(Condition),
    /// Nothing, or bounds only.
    Unknown(Unknown),
}

/// A value that is not affine.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unknown {
    /// Ends "the index depends on".
    pub(super) reason: String,
    /// Least value, if known.
    pub(super) low: Option<Poly>,
}

impl Form {
    /// A value of which nothing is known but what it depends on.
    pub(super) fn unknown(reason: impl Into<String>) -> Form {
        Form::Unknown(Unknown {
            reason: reason.into(),
            low: None,
        })
    }

    /// The integer, or why there is none.
    pub(super) fn integer(&self) -> Result<&Affine, Unknown> {
        match self {
            Form::Integer(affine) => Ok(affine),
            Form::Unknown(unknown) => Err(unknown.clone()),
            Form::Truth(_) => Err(Unknown {
                reason: "a truth value".to_owned(),
                low: None,
            }),
        }
    }

    /// As a condition.
    pub(super) fn condition(&self) -> Condition {
        match self {
            Form::Truth(condition) => condition.clone(),
            _ => Condition::Unknown,
        }
    }
}

/// How two integers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// `a < b`
    Less,
    /// `a <= b`
    LessEqual,
    /// `a == b`
    Equal,
}

/// A truth value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// A constant.
    Known(bool),
    /// A comparison of integers.
    Compare {
        /// How.
        relation: Relation,
        /// Left side.
        a: Affine,
        /// Right side.
        b: Affine,
        /// As `i32`, or else `u32`.
        signed: bool,
    },
    /// Not so.
    Not(Rc<Condition>),
    /// Both.
    And(Rc<Pair>),
    /// At least one.
    Or(Rc<Pair>),
    /// Anything.
    Unknown,
}

/// Two conditions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    pub(super) a: Condition,
    pub(super) b: Condition,
    /// Number of comparisons in both.
    comparisons: u32,
}

/// A longer condition is taken to be unknown.
const COMPARISONS_MAX: u32 = 64;

impl Pair {
    fn new(a: Condition, b: Condition) -> Option<Rc<Pair>> {
        let comparisons = a.comparisons() + b.comparisons();
        let pair = Pair { a, b, comparisons };
        (comparisons <= COMPARISONS_MAX).then(|| Rc::new(pair))
    }
}

impl Condition {
    fn comparisons(&self) -> u32 {
        match self {
            Condition::Known(_) | Condition::Unknown => 0,
            Condition::Compare { .. } => 1,
            Condition::Not(inner) => inner.comparisons(),
            Condition::And(pair) | Condition::Or(pair) => pair.comparisons,
        }
    }

    /// The opposite.
    pub(super) fn not(self) -> Condition {
        match self {
            Condition::Known(truth) => Condition::Known(!truth),
            Condition::Unknown => Condition::Unknown,
            Condition::Not(inner) => (*inner).clone(),
            other => Condition::Not(Rc::new(other)),
        }
    }

    /// Both.
    pub(super) fn and(self, other: Condition) -> Condition {
        match (self, other) {
            (Condition::Known(false), _) | (_, Condition::Known(false)) => Condition::Known(false),
            (Condition::Known(true), it) | (it, Condition::Known(true)) => it,
            (a, b) => Pair::new(a, b).map_or(Condition::Unknown, Condition::And),
        }
    }

    /// At least one.
    pub(super) fn or(self, other: Condition) -> Condition {
        match (self, other) {
            (Condition::Known(true), _) | (_, Condition::Known(true)) => Condition::Known(true),
            (Condition::Known(false), it) | (it, Condition::Known(false)) => it,
            (a, b) => Pair::new(a, b).map_or(Condition::Unknown, Condition::Or),
        }
    }
}
