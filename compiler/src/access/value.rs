//! What does an operation make of what is known about its operands? The transfer functions of the analysis.

use super::Analysis;
use super::affine::{Affine, Range, Variable};
use super::form::{Condition, Form, Relation, Unknown};
use super::poly::{Atom, Function, Poly};
use crate::ir::{
    Address, Binary, Builtin, Extent, Literal, Math, Memory, Op, Scalar, Space, Unary, ValueId,
};

impl Analysis<'_> {
    /// What is known about `id` here and now.
    pub(super) fn evaluate(&mut self, id: ValueId) -> Form {
        let kernel = self.kernel;
        let value = kernel.value(id);
        let form = match &value.op {
            Op::ReadVar(variable) => return self.variables[variable.0 as usize].clone(),
            Op::Const(literal) => constant(*literal),
            Op::Builtin(builtin) => self.builtin(*builtin),
            Op::Unary(op, a) => self.unary(*op, *a),
            Op::Binary(op, a, b) => self.binary(*op, *a, *b),
            Op::Select {
                condition,
                accept,
                reject,
            } => self.select(*condition, *accept, *reject),
            Op::Convert(a) => self.convert(*a, value.ty),
            Op::Bitcast(a) => match kernel.value(*a).ty {
                Scalar::I32 | Scalar::U32 => self.form(*a),
                _ => Form::unknown("the bits of a floating-point value"),
            },
            Op::Math(math, operands) => self.math(*math, operands, value.ty),
            Op::ReadArray(array, _) => Form::unknown(format!(
                "an element of the private array `{}`",
                kernel.arrays[array.0 as usize].name
            )),
            Op::Load(address) | Op::UniformLoad(address) => self.loaded(address, value.ty),
            Op::ArrayLength {
                buffer,
                offset,
                stride,
            } => {
                let length = self.atoms.poly(Atom::ArrayLength {
                    binding: buffer.0,
                    offset: *offset,
                    stride: *stride,
                });
                Form::Integer(length.into())
            }
            Op::AtomicResult => Form::unknown("the result of an atomic operation"),
        };
        match (form, value.ty) {
            (Form::Integer(affine), Scalar::I32 | Scalar::U32) => {
                Form::Integer(affine.with_global_ids(kernel.workgroup_size))
            }
            (Form::Integer(_), Scalar::F32) => Form::unknown("a floating-point value"),
            (form, _) => form,
        }
    }

    /// What was known about `id` where its `Let` stands.
    pub(super) fn form(&self, id: ValueId) -> Form {
        self.forms[id.0 as usize]
            .clone()
            .expect("operands are made before they are used")
    }

    fn is_signed(&self, id: ValueId) -> bool {
        self.kernel.value(id).ty == Scalar::I32
    }

    fn builtin(&mut self, builtin: Builtin) -> Form {
        let size = self.kernel.workgroup_size;
        let local = |axis: u8| match size[usize::from(axis)] {
            1 => Affine::from(0),
            _ => Affine::from(Variable::local(axis)),
        };
        let affine = match builtin {
            Builtin::GlobalId(axis) => Some(Variable::global(axis).into()),
            Builtin::WorkgroupId(axis) if size[usize::from(axis)] == 1 => {
                Some(Variable::global(axis).into())
            }
            Builtin::WorkgroupId(axis) => Some(Variable::workgroup(axis).into()),
            Builtin::LocalId(axis) => Some(local(axis)),
            Builtin::NumWorkgroups(axis) => Some(self.atoms.poly(Atom::NumWorkgroups(axis)).into()),
            Builtin::LocalIndex => {
                let row = Poly::from(i64::from(size[0]));
                let layer = Poly::from(i64::from(size[0]) * i64::from(size[1]));
                local(0)
                    .plus(&local(1).scaled(&row).unwrap_or_default())
                    .and_then(|rows| rows.plus(&local(2).scaled(&layer)?))
            }
        };
        integer(affine)
    }

    fn unary(&mut self, op: Unary, a: ValueId) -> Form {
        let a = self.form(a);
        match op {
            Unary::LogicalNot => Form::Truth(a.condition().not()),
            Unary::Negate | Unary::BitwiseNot => match a.integer() {
                Err(unknown) => Form::unknown(unknown.reason),
                Ok(affine) => {
                    let negative = affine.scaled(&Poly::from(-1));
                    integer(match op {
                        // ~x = -x - 1 in two's complement.
                        Unary::BitwiseNot => negative.and_then(|negative| negative.offset(-1)),
                        _ => negative,
                    })
                }
            },
        }
    }

    fn binary(&mut self, op: Binary, left: ValueId, right: ValueId) -> Form {
        let (a, b, signed) = (self.form(left), self.form(right), self.is_signed(left));
        match (op, self.kernel.value(left).ty) {
            (Binary::And, Scalar::Bool) => Form::Truth(a.condition().and(b.condition())),
            (Binary::Or, Scalar::Bool) => Form::Truth(a.condition().or(b.condition())),
            (_, Scalar::Bool) => Form::Truth(Condition::Unknown),
            (_, Scalar::F32) => match op {
                Binary::Equal
                | Binary::NotEqual
                | Binary::Less
                | Binary::LessEqual
                | Binary::Greater
                | Binary::GreaterEqual => Form::Truth(Condition::Unknown),
                _ => Form::unknown("a floating-point value"),
            },
            _ => match (a.integer(), b.integer()) {
                (Ok(a), Ok(b)) => self.integers(op, a, b, signed),
                (a, b) => {
                    half_known(op, a, b, signed).unwrap_or_else(|bounds| self.bounded(bounds))
                }
            },
        }
    }

    fn integers(&mut self, op: Binary, a: &Affine, b: &Affine, signed: bool) -> Form {
        match op {
            Binary::Add => integer(a.plus(b)),
            Binary::Subtract => integer(a.minus(b)),
            Binary::Multiply => match (a.uniform(), b.uniform()) {
                (Some(factor), _) => integer(b.scaled(factor)),
                (_, Some(factor)) => integer(a.scaled(factor)),
                _ => Form::unknown("the product of two values that both vary"),
            },
            Binary::ShiftLeft => self.shifted_left(a, b),
            Binary::Divide => self.quotient(a, b, signed),
            Binary::Modulo => self.remainder(a, b, signed),
            Binary::ShiftRight => self.shifted_right(a, b, signed),
            Binary::And => self.masked(a, b, signed),
            Binary::Or | Binary::ExclusiveOr => match (self.low_bits(a, b), self.low_bits(b, a)) {
                (true, _) | (_, true) => integer(a.plus(b)),
                _ => Form::unknown("a bitwise combination"),
            },
            Binary::Less => compare(Relation::Less, a, b, signed),
            Binary::LessEqual => compare(Relation::LessEqual, a, b, signed),
            Binary::Greater => compare(Relation::Less, b, a, signed),
            Binary::GreaterEqual => compare(Relation::LessEqual, b, a, signed),
            Binary::Equal => compare(Relation::Equal, a, b, signed),
            Binary::NotEqual => match compare(Relation::Equal, a, b, signed) {
                Form::Truth(equal) => Form::Truth(equal.not()),
                other => other,
            },
        }
    }

    fn shifted_left(&mut self, a: &Affine, b: &Affine) -> Form {
        let Some(count) = b.uniform() else {
            return Form::unknown("a shift by a varying count");
        };
        let power = match count.constant() {
            Some(count) => Some(Poly::from(1 << (count & 31))),
            None => self
                .atoms
                .function(Function::ShiftLeft, &Poly::from(1), count, false),
        };
        integer(power.and_then(|power| a.scaled(&power)))
    }

    fn shifted_right(&mut self, a: &Affine, b: &Affine, signed: bool) -> Form {
        match (a.uniform(), b.uniform(), b.constant()) {
            (_, _, Some(count)) => {
                let power = Affine::from(1 << (count & 31));
                match a.uniform() {
                    // Division rounds towards zero, a shift downwards.
                    Some(a) if signed => self.uniform(Function::ShiftRight, a, &b.base, signed),
                    _ => self.quotient(a, &power, signed),
                }
            }
            (Some(a), Some(b), _) => self.uniform(Function::ShiftRight, a, b, signed),
            _ => Form::unknown("a shift by a count that is known only at launch"),
        }
    }

    fn quotient(&mut self, a: &Affine, b: &Affine, signed: bool) -> Form {
        match (a.uniform(), b.uniform()) {
            (Some(a), Some(b)) => self.uniform(Function::Divide, a, b, signed),
            (None, Some(divisor)) if divisor.constant() == Some(1) => Form::Integer(a.clone()),
            (None, Some(divisor)) => self.variable(Range::Quotient {
                value: a.clone(),
                divisor: divisor.clone(),
                signed,
            }),
            _ => Form::unknown("a quotient by a varying divisor"),
        }
    }

    fn remainder(&mut self, a: &Affine, b: &Affine, signed: bool) -> Form {
        match (a.uniform(), b.uniform()) {
            (Some(a), Some(b)) => self.uniform(Function::Remainder, a, b, signed),
            (None, Some(divisor)) => self.variable(Range::Remainder {
                value: a.clone(),
                divisor: divisor.clone(),
                signed,
            }),
            _ => Form::unknown("a remainder by a varying divisor"),
        }
    }

    fn masked(&mut self, a: &Affine, b: &Affine, signed: bool) -> Form {
        let (value, mask) = match (a.uniform(), b.uniform()) {
            (Some(a), Some(b)) if !signed => return self.uniform(Function::And, a, b, false),
            (_, Some(mask)) => (a, mask),
            (Some(mask), _) => (b, mask),
            _ => return Form::unknown("a bitwise combination"),
        };
        match mask.constant() {
            Some(mask @ 0..) if !signed && (mask + 1).count_ones() == 1 => {
                self.remainder(value, &Affine::from(mask + 1), false)
            }
            Some(mask @ 0..) => self.bounded(Bounds {
                low: Poly::from(0),
                high: Poly::from(mask),
                reason: "a bitwise combination".to_owned(),
            }),
            _ => Form::unknown("a bitwise combination"),
        }
    }

    /// Whether `low` has only bits below all those of `high`, so that `|` and `^` add.
    fn low_bits(&self, low: &Affine, high: &Affine) -> bool {
        let content = high
            .terms
            .values()
            .map(Poly::content)
            .chain([high.base.content()])
            .filter(|content| *content != 0)
            .min()
            .unwrap_or(0);
        let unit = match content {
            0 => return true,
            content => 1_i64 << content.trailing_zeros(),
        };
        let divisible = |poly: &Poly| poly.content() % unit == 0;
        self.upper_bound(low)
            .is_some_and(|greatest| greatest < unit)
            && high.terms.values().all(divisible)
            && divisible(&high.base)
    }

    fn select(&mut self, condition: ValueId, accept: ValueId, reject: ValueId) -> Form {
        let condition = self.form(condition).condition();
        let (accept, reject) = (self.form(accept), self.form(reject));
        self.either(&condition, &accept, &reject)
    }

    /// `accept` where `condition` holds, else `reject`.
    pub(super) fn either(&mut self, condition: &Condition, accept: &Form, reject: &Form) -> Form {
        match (condition, accept, reject) {
            (Condition::Known(true), it, _) | (Condition::Known(false), _, it) => it.clone(),
            (_, a, b) if a == b => a.clone(),
            (_, Form::Integer(a), Form::Integer(b)) => {
                self.variable(Range::Either(a.clone(), b.clone()))
            }
            (_, Form::Unknown(unknown), _) | (_, _, Form::Unknown(unknown)) => {
                Form::unknown(unknown.reason.clone())
            }
            (condition, a, b) => {
                let accepted = condition.clone().and(a.condition());
                let rejected = condition.clone().not().and(b.condition());
                Form::Truth(accepted.or(rejected))
            }
        }
    }

    fn convert(&mut self, a: ValueId, to: Scalar) -> Form {
        let from = self.kernel.value(a).ty;
        match (from, to) {
            (Scalar::I32 | Scalar::U32, Scalar::I32 | Scalar::U32)
            | (Scalar::Bool, Scalar::Bool) => self.form(a),
            (Scalar::Bool, Scalar::I32 | Scalar::U32) => self.bounded(Bounds {
                low: Poly::from(0),
                high: Poly::from(1),
                reason: "a truth value".to_owned(),
            }),
            (Scalar::I32 | Scalar::U32, Scalar::Bool) => match self.form(a).integer() {
                Ok(value) => match compare(
                    Relation::Equal,
                    value,
                    &Affine::from(0),
                    from == Scalar::I32,
                ) {
                    Form::Truth(zero) => Form::Truth(zero.not()),
                    other => other,
                },
                Err(_) => Form::Truth(Condition::Unknown),
            },
            (Scalar::F32, Scalar::Bool) => Form::Truth(Condition::Unknown),
            _ => Form::unknown("a floating-point value"),
        }
    }

    fn math(&mut self, math: Math, operands: &[ValueId], ty: Scalar) -> Form {
        let signed = ty == Scalar::I32;
        match (math, operands, ty) {
            (_, _, Scalar::F32) => Form::unknown("a floating-point value"),
            (Math::Min, [a, b], _) => {
                let (a, b) = (self.form(*a), self.form(*b));
                self.least(&a, &b, signed)
            }
            (Math::Max, [a, b], _) => {
                let (a, b) = (self.form(*a), self.form(*b));
                self.greatest(&a, &b, signed)
            }
            (Math::Clamp, [value, low, high], _) => {
                let (value, low, high) = (self.form(*value), self.form(*low), self.form(*high));
                let raised = self.greatest(&value, &low, signed);
                self.least(&raised, &high, signed)
            }
            (Math::CountOneBits | Math::CountLeadingZeros | Math::CountTrailingZeros, [_], _) => {
                self.bounded(Bounds {
                    low: Poly::from(0),
                    high: Poly::from(32),
                    reason: "a count of bits".to_owned(),
                })
            }
            (Math::ExtractBits, [_, _, count], Scalar::U32) => {
                match self.form(*count).integer().ok().and_then(Affine::constant) {
                    Some(count @ 0..32) => self.bounded(Bounds {
                        low: Poly::from(0),
                        high: Poly::from((1 << count) - 1),
                        reason: "some bits of another value".to_owned(),
                    }),
                    _ => Form::unknown("some bits of another value"),
                }
            }
            _ => {
                let unknown = operands
                    .iter()
                    .find_map(|operand| self.form(*operand).integer().err());
                Form::unknown(unknown.map_or_else(
                    || format!("the result of `{math:?}`").to_lowercase(),
                    |unknown| unknown.reason,
                ))
            }
        }
    }

    fn least(&mut self, a: &Form, b: &Form, signed: bool) -> Form {
        match (a.integer(), b.integer()) {
            (Ok(a), Ok(b)) => match (a.uniform(), b.uniform()) {
                (Some(a), Some(b)) => self.uniform(Function::Min, a, b, signed),
                _ => self.variable(Range::Min {
                    a: a.clone(),
                    b: b.clone(),
                    signed,
                }),
            },
            (Err(unknown), Ok(bound)) | (Ok(bound), Err(unknown)) => {
                let low = unknown.low.or((!signed).then(Poly::default));
                match (low, bound.uniform()) {
                    (Some(low), Some(high)) => {
                        let least = self.atoms.function(Function::Min, &low, high, signed);
                        match least {
                            Some(low) => self.bounded(Bounds {
                                low,
                                high: high.clone(),
                                reason: unknown.reason,
                            }),
                            None => Form::unknown(unknown.reason),
                        }
                    }
                    _ => Form::unknown(unknown.reason),
                }
            }
            (Err(unknown), Err(_)) => Form::unknown(unknown.reason),
        }
    }

    fn greatest(&mut self, a: &Form, b: &Form, signed: bool) -> Form {
        match (a.integer(), b.integer()) {
            (Ok(a), Ok(b)) => match (a.uniform(), b.uniform()) {
                (Some(a), Some(b)) => self.uniform(Function::Max, a, b, signed),
                _ => self.variable(Range::Max {
                    a: a.clone(),
                    b: b.clone(),
                    signed,
                }),
            },
            (Err(unknown), Ok(bound)) | (Ok(bound), Err(unknown)) => Form::Unknown(Unknown {
                low: bound.uniform().cloned(),
                reason: unknown.reason,
            }),
            (Err(unknown), Err(_)) => Form::unknown(unknown.reason),
        }
    }

    fn uniform(&mut self, function: Function, a: &Poly, b: &Poly, signed: bool) -> Form {
        integer(
            self.atoms
                .function(function, a, b, signed)
                .map(Affine::from),
        )
    }

    /// A value between two bounds.
    fn bounded(&mut self, bounds: Bounds) -> Form {
        let index = self.ranges.len() as u32;
        self.variable(Range::Within {
            index,
            low: bounds.low,
            high: bounds.high,
            reason: bounds.reason,
        })
    }

    /// The variable that stands for `range`; an old one if there is one.
    pub(super) fn variable(&mut self, range: Range) -> Form {
        Form::Integer(self.range_variable(range).into())
    }

    pub(super) fn range_variable(&mut self, range: Range) -> Variable {
        let index = self
            .ranges
            .iter()
            .position(|known| *known == range)
            .unwrap_or_else(|| {
                self.ranges.push(range);
                self.ranges.len() - 1
            });
        Variable(Variable::BUILTINS + index as u32)
    }

    fn loaded(&mut self, address: &Address, ty: Scalar) -> Form {
        let Memory::Buffer(buffer) = address.memory else {
            return Form::unknown("a value in workgroup memory");
        };
        let binding = &self.kernel.bindings[buffer.0 as usize];
        let reason = format!("a value read from `{}`", binding.name);
        if binding.space != Space::Uniform || !matches!(ty, Scalar::I32 | Scalar::U32) {
            return Form::unknown(reason);
        }
        let word = address.terms.iter().try_fold(address.offset, |word, term| {
            let index = self.form(term.index).integer().ok()?.constant()?;
            let index = u32::try_from(index).ok()?;
            let in_bounds = matches!(term.extent, Extent::Fixed(extent) if index < extent);
            word.checked_add(index.checked_mul(term.stride)?)
                .filter(|_| in_bounds)
        });
        match word {
            Some(word) => {
                let word = self.atoms.poly(Atom::Word {
                    binding: buffer.0,
                    word,
                    signed: ty == Scalar::I32,
                });
                Form::Integer(word.into())
            }
            None => Form::unknown(reason),
        }
    }
}

/// Limits of a value that is otherwise unknown.
struct Bounds {
    low: Poly,
    high: Poly,
    reason: String,
}

/// The result of an operation of which at least one operand is unknown: as a form, or as bounds.
fn half_known(
    op: Binary,
    a: Result<&Affine, Unknown>,
    b: Result<&Affine, Unknown>,
    signed: bool,
) -> Result<Form, Bounds> {
    let known =
        |side: &Result<&Affine, Unknown>| side.as_ref().ok().and_then(|affine| affine.constant());
    let bound = match op {
        Binary::Equal
        | Binary::NotEqual
        | Binary::Less
        | Binary::LessEqual
        | Binary::Greater
        | Binary::GreaterEqual => return Ok(Form::Truth(Condition::Unknown)),
        Binary::And => known(&a).or(known(&b)).filter(|mask| *mask >= 0),
        Binary::Modulo if !signed => known(&b).map(|divisor| (divisor - 1).max(0)),
        Binary::ShiftRight if !signed => known(&b).map(|count| i64::from(u32::MAX) >> (count & 31)),
        Binary::Divide if !signed => known(&b)
            .filter(|divisor| *divisor > 0)
            .map(|divisor| i64::from(u32::MAX) / divisor),
        _ => None,
    };
    let reason = a
        .err()
        .or(b.err())
        .map_or_else(String::new, |unknown| unknown.reason);
    match bound {
        Some(high) => Err(Bounds {
            low: Poly::from(0),
            high: Poly::from(high),
            reason,
        }),
        None => Ok(Form::unknown(reason)),
    }
}

fn integer(affine: Option<Affine>) -> Form {
    affine.map_or_else(|| Form::unknown("arithmetic beyond 64 bits"), Form::Integer)
}

fn constant(literal: Literal) -> Form {
    match literal {
        Literal::U32(value) => Form::Integer(Affine::from(i64::from(value))),
        Literal::I32(value) => Form::Integer(Affine::from(i64::from(value))),
        Literal::Bool(value) => Form::Truth(Condition::Known(value)),
        Literal::F32(_) => Form::unknown("a floating-point value"),
    }
}

fn compare(relation: Relation, a: &Affine, b: &Affine, signed: bool) -> Form {
    Form::Truth(Condition::Compare {
        relation,
        a: a.clone(),
        b: b.clone(),
        signed,
    })
}
