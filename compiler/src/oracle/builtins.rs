//! Which scalar function does each numeric built-in apply to which components of its arguments?

use naga::MathFunction as Fun;

use super::bits::{dot_of_bytes, extract_bits, insert_bits, integer1, integer2, integer3};
use super::error::OracleError;
use super::eval::{Scope, each1, each2, no_such_operation};
use super::frame::Slot;
use super::math;
use super::pack;
use super::types::{Kind, Ty};

/// Computes `fun(arguments)` into `to`.
pub(super) fn math(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    fun: Fun,
    arguments: &[Slot],
) -> Result<(), OracleError> {
    match (fun, arguments) {
        (
            Fun::Dot
            | Fun::Cross
            | Fun::Length
            | Fun::Distance
            | Fun::Normalize
            | Fun::Reflect
            | Fun::Refract
            | Fun::FaceForward,
            _,
        ) => geometry(scope, words, to, fun, arguments),
        (Fun::Transpose | Fun::Determinant, &[matrix]) => of_matrix(scope, words, to, matrix),
        (Fun::ExtractBits | Fun::InsertBits, _) => bit_field(scope, words, to, arguments),
        (Fun::Ldexp, &[x, exponent]) => each2(scope, words, to, [x, exponent], |_, x, e| {
            Some(math::ldexp(f32::from_bits(x), e as i32).to_bits())
        }),
        (Fun::Modf | Fun::Frexp, &[x]) => {
            two_parts(scope, words, to, fun, x);
            Ok(())
        }
        (Fun::Dot4I8Packed | Fun::Dot4U8Packed, &[a, b]) => {
            let signed = fun == Fun::Dot4I8Packed;
            words[to.at as usize] =
                dot_of_bytes(signed, words[a.at as usize], words[b.at as usize]);
            Ok(())
        }
        (_, &[a]) => match pack::pack(fun, scope.value(words, a)) {
            Some(packed) => {
                words[to.at as usize..][..packed.len()].copy_from_slice(&packed);
                Ok(())
            }
            None => each1(scope, words, to, a, |kind, a| one(fun, kind, a)),
        },
        (_, &[a, b]) => each2(scope, words, to, [a, b], |kind, a, b| two(fun, kind, a, b)),
        (_, &[a, b, c]) => each3(scope, words, to, [a, b, c], |kind, a, b, c| {
            three(fun, kind, a, b, c)
        }),
        _ => Err(no_such_operation()),
    }
}

fn one(fun: Fun, kind: Kind, a: u32) -> Option<u32> {
    match kind {
        Kind::F32 => math::float1(fun, f32::from_bits(a)).map(f32::to_bits),
        Kind::I32 | Kind::U32 => integer1(fun, kind == Kind::I32, a),
        Kind::Bool => None,
    }
}

fn two(fun: Fun, kind: Kind, a: u32, b: u32) -> Option<u32> {
    match kind {
        Kind::F32 => math::float2(fun, f32::from_bits(a), f32::from_bits(b)).map(f32::to_bits),
        Kind::I32 | Kind::U32 => integer2(fun, kind == Kind::I32, a, b),
        Kind::Bool => None,
    }
}

fn three(fun: Fun, kind: Kind, a: u32, b: u32, c: u32) -> Option<u32> {
    match kind {
        Kind::F32 => math::float3(fun, f32::from_bits(a), f32::from_bits(b), f32::from_bits(c))
            .map(f32::to_bits),
        Kind::I32 | Kind::U32 => integer3(fun, kind == Kind::I32, a, b, c),
        Kind::Bool => None,
    }
}

fn each3(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    arguments: [Slot; 3],
    f: impl Fn(Kind, u32, u32, u32) -> Option<u32>,
) -> Result<(), OracleError> {
    let kind = scope.kind(arguments[0])?;
    let steps = arguments.map(|argument| usize::from(scope.len(argument) > 1));
    for i in 0..scope.len(to) {
        let [a, b, c] = [0, 1, 2].map(|k| words[arguments[k].at as usize + i * steps[k]]);
        words[to.at as usize + i] = f(kind, a, b, c).ok_or_else(no_such_operation)?;
    }
    Ok(())
}

/// `extractBits(e, offset, count)` and `insertBits(e, new, offset, count)`: offset and count serve all components.
fn bit_field(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    arguments: &[Slot],
) -> Result<(), OracleError> {
    let signed = scope.kind(to)? == Kind::I32;
    for i in 0..scope.len(to) {
        words[to.at as usize + i] = match *arguments {
            [e, offset, count] => {
                let (offset, count) = (words[offset.at as usize], words[count.at as usize]);
                extract_bits(signed, words[e.at as usize + i], offset, count)
            }
            [e, new, offset, count] => {
                let (offset, count) = (words[offset.at as usize], words[count.at as usize]);
                insert_bits(
                    words[e.at as usize + i],
                    words[new.at as usize + i],
                    offset,
                    count,
                )
            }
            _ => return Err(no_such_operation()),
        };
    }
    Ok(())
}

fn floats(scope: &Scope, words: &[u32], slot: Slot) -> Vec<f32> {
    scope
        .value(words, slot)
        .iter()
        .map(|word| f32::from_bits(*word))
        .collect()
}

fn put(words: &mut [u32], to: Slot, values: &[f32]) {
    for (place, value) in words[to.at as usize..].iter_mut().zip(values) {
        *place = value.to_bits();
    }
}

fn geometry(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    fun: Fun,
    arguments: &[Slot],
) -> Result<(), OracleError> {
    if scope.kind(arguments[0])? != Kind::F32 {
        return integer_dot(scope, words, to, arguments);
    }
    let values: Vec<Vec<f32>> = arguments
        .iter()
        .map(|argument| floats(scope, words, *argument))
        .collect();
    let result = match (fun, values.as_slice()) {
        (Fun::Dot, [a, b]) => vec![math::dot(a, b)],
        (Fun::Cross, [a, b]) if a.len() == 3 => {
            math::cross([a[0], a[1], a[2]], [b[0], b[1], b[2]]).to_vec()
        }
        (Fun::Length, [a]) => vec![math::length(a)],
        (Fun::Distance, [a, b]) => {
            let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
            vec![math::length(&difference)]
        }
        (Fun::Normalize, [a]) => {
            let length = math::length(a);
            a.iter().map(|a| a / length).collect()
        }
        (Fun::Reflect, [i, n]) => math::reflect(i, n),
        (Fun::Refract, [i, n, eta]) => math::refract(i, n, eta[0]),
        (Fun::FaceForward, [n, i, reference]) => {
            let toward = math::dot(reference, i) < 0.0;
            n.iter().map(|n| if toward { *n } else { -n }).collect()
        }
        _ => return Err(no_such_operation()),
    };
    put(words, to, &result);
    Ok(())
}

fn integer_dot(
    scope: &Scope,
    words: &mut [u32],
    to: Slot,
    arguments: &[Slot],
) -> Result<(), OracleError> {
    let &[a, b] = arguments else {
        return Err(no_such_operation());
    };
    let products = scope
        .value(words, a)
        .iter()
        .zip(scope.value(words, b))
        .map(|(a, b)| a.wrapping_mul(*b));
    words[to.at as usize] = products.fold(0, u32::wrapping_add);
    Ok(())
}

/// `transpose`, whose result is a matrix, or `determinant`, whose result is a number.
fn of_matrix(scope: &Scope, words: &mut [u32], to: Slot, matrix: Slot) -> Result<(), OracleError> {
    let Ty::Matrix { columns, rows } = *scope.types.get(matrix.ty) else {
        return Err(no_such_operation());
    };
    let values = floats(scope, words, matrix);
    if scope.len(to) == 1 {
        put(words, to, &[math::determinant(&values, columns as usize)]);
    } else {
        let transposed: Vec<f32> = (0..rows)
            .flat_map(|r| (0..columns).map(move |c| (c * rows + r) as usize))
            .map(|i| values[i])
            .collect();
        put(words, to, &transposed);
    }
    Ok(())
}

/// `modf` and `frexp`: a struct of the fractional parts and the whole parts or exponents.
fn two_parts(scope: &Scope, words: &mut [u32], to: Slot, fun: Fun, x: Slot) {
    let values = floats(scope, words, x);
    for (i, value) in values.iter().enumerate() {
        let (first, second) = if fun == Fun::Modf {
            (value - value.trunc(), value.trunc().to_bits())
        } else {
            let (fraction, exponent) = math::frexp(*value);
            (fraction, exponent as u32)
        };
        words[to.at as usize + i] = first.to_bits();
        words[to.at as usize + values.len() + i] = second;
    }
}
