//! What is the value of an expression, given the values of its operands in the same frame?
//!
//! Everything here is pure; loads, calls and atomic operations are done by the invocation.

use naga::{BinaryOperator, Expression, Handle, RelationalFunction, SwizzleComponent};

use super::arithmetic::{binary, cast_target, convert, truth, unary};
use super::builtins;
use super::error::OracleError;
use super::frame::{Frame, Slot};
use super::memory::FIRST_BUFFER;
use super::types::{Kind, Ty, Types};

/// What an expression may refer to besides its operands' words.
pub(super) struct Scope<'a, 'm> {
    pub(super) types: &'a Types,
    pub(super) frame: &'a Frame<'m>,
    /// Length of each buffer in words.
    pub(super) extents: &'a [u32],
}

impl Scope<'_, '_> {
    /// The place of an operand.
    pub(super) fn slot(&self, handle: Handle<Expression>) -> Result<Slot, OracleError> {
        self.frame.slot(handle)
    }

    /// Words of the value in a slot.
    pub(super) fn len(&self, slot: Slot) -> usize {
        self.types.words(slot.ty) as usize
    }

    /// The kind of the components of a scalar, vector or matrix.
    pub(super) fn kind(&self, slot: Slot) -> Result<Kind, OracleError> {
        match *self.types.get(slot.ty) {
            Ty::Scalar(kind) | Ty::Vector { kind, .. } | Ty::Atomic(kind) => Ok(kind),
            Ty::Matrix { .. } => Ok(Kind::F32),
            _ => Err(OracleError::malformed("a number was expected")),
        }
    }

    /// The words of the value in a slot.
    pub(super) fn value<'w>(&self, words: &'w [u32], slot: Slot) -> &'w [u32] {
        &words[slot.at as usize..][..self.len(slot)]
    }
}

/// Computes `handle` from its operands in the frame `words` and puts it in its own place there.
pub(super) fn evaluate(
    scope: &Scope,
    words: &mut [u32],
    handle: Handle<Expression>,
) -> Result<(), OracleError> {
    let to = scope.slot(handle)?;
    match scope.frame.expressions[handle] {
        Expression::Compose { .. }
        | Expression::Access { .. }
        | Expression::AccessIndex { .. }
        | Expression::Splat { .. }
        | Expression::Swizzle { .. } => rearrange(scope, words, to, handle),
        Expression::Unary { op, expr } => each1(scope, words, to, scope.slot(expr)?, |kind, a| {
            unary(op, kind, a)
        }),
        Expression::Binary { op, left, right } => {
            operator(scope, words, to, op, scope.slot(left)?, scope.slot(right)?)
        }
        Expression::Select {
            condition,
            accept,
            reject,
        } => select(scope, words, to, condition, accept, reject),
        Expression::Relational { fun, argument } => {
            relational(scope, words, to, fun, scope.slot(argument)?)
        }
        Expression::Math {
            fun,
            arg,
            arg1,
            arg2,
            arg3,
        } => {
            let mut slots = [to; 4];
            let mut count = 0;
            for arg in [Some(arg), arg1, arg2, arg3].into_iter().flatten() {
                slots[count] = scope.slot(arg)?;
                count += 1;
            }
            builtins::math(scope, words, to, fun, &slots[..count])
        }
        Expression::As {
            expr,
            kind,
            convert: width,
        } => {
            let target = cast_target(kind, width).ok_or_else(|| {
                OracleError::unsupported(format!("conversion to {kind:?} of {width:?} bytes"))
            })?;
            let cast = |from, a| {
                Some(if width.is_some() {
                    convert(from, target, a)
                } else {
                    a
                })
            };
            each1(scope, words, to, scope.slot(expr)?, cast)
        }
        Expression::ArrayLength(array) => {
            words[to.at as usize] = array_length(scope, words, scope.slot(array)?)?;
            Ok(())
        }
        ref other => Err(OracleError::malformed(format!(
            "{other:?} cannot be evaluated here"
        ))),
    }
}

/// Puts together, takes apart or reorders values: nothing is computed.
fn rearrange(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    handle: Handle<Expression>,
) -> Result<(), OracleError> {
    match scope.frame.expressions[handle] {
        Expression::Compose { ref components, .. } => compose(scope, words, to, components),
        Expression::Access { base, index } => {
            let index = words[scope.slot(index)?.at as usize];
            access(scope, words, to, scope.slot(base)?, index)
        }
        Expression::AccessIndex { base, index } => {
            access(scope, words, to, scope.slot(base)?, index)
        }
        Expression::Splat { value, .. } => {
            let value = words[scope.slot(value)?.at as usize];
            words[to.at as usize..][..scope.len(to)].fill(value);
            Ok(())
        }
        Expression::Swizzle {
            size,
            vector,
            pattern,
        } => {
            swizzle(words, to, scope.slot(vector)?, &pattern[..size as usize]);
            Ok(())
        }
        ref other => Err(OracleError::malformed(format!(
            "{other:?} rearranges nothing"
        ))),
    }
}

fn compose(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    parts: &[Handle<Expression>],
) -> Result<(), OracleError> {
    let mut at = to.at as usize;
    for part in parts {
        let part = scope.slot(*part)?;
        let len = scope.len(part);
        words.copy_within(part.at as usize..part.at as usize + len, at);
        at += len;
    }
    Ok(())
}

/// `base[index]` of a value or of what a pointer points to. A bad index gives zero, or a pointer out of bounds.
fn access(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    base: Slot,
    index: u32,
) -> Result<(), OracleError> {
    let (source, len) = (base.at as usize, scope.len(to));
    let (bound, offset) = match *scope.types.get(base.ty) {
        Ty::Pointer { .. } => return access_pointer(scope, words, to, base, index),
        Ty::Struct { ref members } => (
            members.len() as u32,
            members.get(index as usize).map_or(0, |m| m.dense),
        ),
        Ty::Vector { size, .. } => (size, index),
        Ty::Matrix { columns, rows } => (columns, index.wrapping_mul(rows)),
        Ty::Array {
            len: Some(bound), ..
        } => (bound, index.wrapping_mul(len as u32)),
        ref other => {
            return Err(OracleError::malformed(format!(
                "{other:?} cannot be indexed"
            )));
        }
    };
    if index < bound {
        let from = source + offset as usize;
        words.copy_within(from..from + len, to.at as usize);
    } else {
        words[to.at as usize..][..len].fill(0);
    }
    Ok(())
}

fn access_pointer(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    base: Slot,
    index: u32,
) -> Result<(), OracleError> {
    let &[root, offset, in_bounds] = scope.value(words, base) else {
        return Err(OracleError::malformed("a pointer was expected"));
    };
    let Ty::Pointer {
        to: pointee,
        layout,
    } = *scope.types.get(base.ty)
    else {
        return Err(OracleError::malformed("a pointer was expected"));
    };
    let bound = match *scope.types.get(pointee) {
        Ty::Struct { ref members } => {
            let member = members
                .get(index as usize)
                .ok_or_else(|| OracleError::malformed("no such member"))?;
            let step = if layout == super::types::Layout::Host {
                member.host
            } else {
                member.dense
            };
            words[to.at as usize..][..3].copy_from_slice(&[root, offset + step, in_bounds]);
            return Ok(());
        }
        Ty::Vector { size, .. } => size,
        Ty::Matrix { columns, .. } => columns,
        Ty::Array { len: Some(len), .. } => len,
        Ty::Array { len: None, .. } => array_length(scope, words, base)?,
        ref other => {
            return Err(OracleError::malformed(format!(
                "{other:?} cannot be indexed"
            )));
        }
    };
    let stepped = if in_bounds == 1 && index < bound {
        [
            root,
            offset + index * scope.types.stride(pointee, layout),
            1,
        ]
    } else {
        [root, offset, 0]
    };
    words[to.at as usize..][..3].copy_from_slice(&stepped);
    Ok(())
}

/// Whole elements between the start of a runtime-sized array and the end of its buffer.
fn array_length(scope: &Scope, words: &[u32], pointer: Slot) -> Result<u32, OracleError> {
    let (Ty::Pointer { to, layout }, &[root, offset, _]) =
        (scope.types.get(pointer.ty), scope.value(words, pointer))
    else {
        return Err(OracleError::malformed("`arrayLength` of no pointer"));
    };
    let extent = root
        .checked_sub(FIRST_BUFFER)
        .and_then(|buffer| scope.extents.get(buffer as usize))
        .ok_or_else(|| OracleError::malformed("a runtime-sized array outside buffers"))?;
    Ok(extent.saturating_sub(offset) / scope.types.stride(*to, *layout).max(1))
}

fn swizzle(words: &mut [u32], to: Slot, from: Slot, pattern: &[SwizzleComponent]) {
    for (i, component) in pattern.iter().enumerate() {
        words[to.at as usize + i] = words[from.at as usize + *component as usize];
    }
}

/// Applies `f(kind of a, a)` to each component.
pub(super) fn each1(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    a: Slot,
    f: impl Fn(Kind, u32) -> Option<u32>,
) -> Result<(), OracleError> {
    let kind = scope.kind(a)?;
    for i in 0..scope.len(to) {
        words[to.at as usize + i] =
            f(kind, words[a.at as usize + i]).ok_or_else(no_such_operation)?;
    }
    Ok(())
}

/// Applies `f(kind of a, a, b)` to each component; a scalar operand serves all components.
pub(super) fn each2(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    [a, b]: [Slot; 2],
    f: impl Fn(Kind, u32, u32) -> Option<u32>,
) -> Result<(), OracleError> {
    let kind = scope.kind(a)?;
    let (step_a, step_b) = (usize::from(scope.len(a) > 1), usize::from(scope.len(b) > 1));
    for i in 0..scope.len(to) {
        let (x, y) = (
            words[a.at as usize + i * step_a],
            words[b.at as usize + i * step_b],
        );
        words[to.at as usize + i] = f(kind, x, y).ok_or_else(no_such_operation)?;
    }
    Ok(())
}

pub(super) fn no_such_operation() -> OracleError {
    OracleError::malformed("an operation that its operands' type does not have")
}

fn operator(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    op: BinaryOperator,
    left: Slot,
    right: Slot,
) -> Result<(), OracleError> {
    let product = op == BinaryOperator::Multiply;
    match (scope.types.get(left.ty), scope.types.get(right.ty)) {
        (&Ty::Matrix { columns, rows }, &Ty::Matrix { columns: count, .. }) if product => {
            matrix_product(words, [to, left, right], [rows, columns, count]);
            Ok(())
        }
        (&Ty::Matrix { columns, rows }, Ty::Vector { .. }) if product => {
            matrix_product(words, [to, left, right], [rows, columns, 1]);
            Ok(())
        }
        (Ty::Vector { .. }, &Ty::Matrix { columns, rows }) if product => {
            matrix_product(words, [to, left, right], [1, rows, columns]);
            Ok(())
        }
        _ => each2(scope, words, to, [left, right], |kind, a, b| {
            binary(op, kind, a, b)
        }),
    }
}

/// `left` (rows × inner) times `right` (inner × columns), both by columns; each sum in order, each step rounded.
fn matrix_product(
    words: &mut [u32],
    [to, left, right]: [Slot; 3],
    [rows, inner, columns]: [u32; 3],
) {
    for column in 0..columns {
        for row in 0..rows {
            let mut sum = 0.0f32;
            for k in 0..inner {
                let a = f32::from_bits(words[(left.at + k * rows + row) as usize]);
                let b = f32::from_bits(words[(right.at + column * inner + k) as usize]);
                let product = a * b;
                sum = if k == 0 { product } else { sum + product };
            }
            words[(to.at + column * rows + row) as usize] = sum.to_bits();
        }
    }
}

fn select(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    condition: Handle<Expression>,
    accept: Handle<Expression>,
    reject: Handle<Expression>,
) -> Result<(), OracleError> {
    let (condition, accept, reject) = (
        scope.slot(condition)?,
        scope.slot(accept)?,
        scope.slot(reject)?,
    );
    let step = usize::from(scope.len(condition) > 1);
    for i in 0..scope.len(to) {
        let chosen = if words[condition.at as usize + i * step] == 1 {
            accept
        } else {
            reject
        };
        words[to.at as usize + i] = words[chosen.at as usize + i];
    }
    Ok(())
}

fn relational(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    fun: RelationalFunction,
    argument: Slot,
) -> Result<(), OracleError> {
    match fun {
        RelationalFunction::All | RelationalFunction::Any => {
            let mut components = scope.value(words, argument).iter();
            let answer = match fun {
                RelationalFunction::All => components.all(|c| *c == 1),
                _ => components.any(|c| *c == 1),
            };
            words[to.at as usize] = truth(answer);
            Ok(())
        }
        RelationalFunction::IsNan => each1(scope, words, to, argument, |_, a| {
            Some(truth(f32::from_bits(a).is_nan()))
        }),
        RelationalFunction::IsInf => each1(scope, words, to, argument, |_, a| {
            Some(truth(f32::from_bits(a).is_infinite()))
        }),
    }
}
