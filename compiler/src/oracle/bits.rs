//! What do WGSL's integer built-in functions compute on one scalar?
//!
//! Operands and results are the 32-bit words of `i32` or `u32`.

use naga::MathFunction;

/// A function of one integer; `None` if `fun` is none.
pub(super) fn integer1(fun: MathFunction, signed: bool, a: u32) -> Option<u32> {
    match fun {
        MathFunction::Abs if signed => Some((a as i32).wrapping_abs() as u32),
        MathFunction::Abs => Some(a),
        MathFunction::Sign if signed => Some((a as i32).signum() as u32),
        MathFunction::CountOneBits => Some(a.count_ones()),
        MathFunction::CountLeadingZeros => Some(a.leading_zeros()),
        MathFunction::ReverseBits => Some(a.reverse_bits()),
        MathFunction::FirstLeadingBit => Some(first_leading_bit(signed, a)),
        MathFunction::FirstTrailingBit if a == 0 => Some(u32::MAX),
        MathFunction::CountTrailingZeros | MathFunction::FirstTrailingBit => {
            Some(a.trailing_zeros())
        }
        _ => None,
    }
}

/// Position of the highest bit that differs from the sign (signed) or is set (unsigned); all ones if there is none.
fn first_leading_bit(signed: bool, a: u32) -> u32 {
    let telling = if signed && (a as i32) < 0 { !a } else { a };
    31u32.wrapping_sub(telling.leading_zeros())
}

/// A function of two integers; `None` if `fun` is none.
pub(super) fn integer2(fun: MathFunction, signed: bool, a: u32, b: u32) -> Option<u32> {
    match fun {
        MathFunction::Min if signed => Some((a as i32).min(b as i32) as u32),
        MathFunction::Max if signed => Some((a as i32).max(b as i32) as u32),
        MathFunction::Min => Some(a.min(b)),
        MathFunction::Max => Some(a.max(b)),
        _ => None,
    }
}

/// A function of three integers; `None` if `fun` is none. `clamp` is `min(max(a, b), c)`.
pub(super) fn integer3(fun: MathFunction, signed: bool, a: u32, b: u32, c: u32) -> Option<u32> {
    match fun {
        MathFunction::Clamp if signed => Some((a as i32).max(b as i32).min(c as i32) as u32),
        MathFunction::Clamp => Some(a.max(b).min(c)),
        _ => None,
    }
}

/// `count` bits of `a` from bit `offset` on, sign-extended where `signed`; both are cut to the width.
pub(super) fn extract_bits(signed: bool, a: u32, offset: u32, count: u32) -> u32 {
    let offset = offset.min(32);
    let count = count.min(32 - offset);
    if count == 0 {
        return 0;
    }
    let at_the_top = a << (32 - offset - count);
    if signed {
        ((at_the_top as i32) >> (32 - count)) as u32
    } else {
        at_the_top >> (32 - count)
    }
}

/// `a` with `count` bits from bit `offset` on replaced by the low bits of `new`; both are cut to the width.
pub(super) fn insert_bits(a: u32, new: u32, offset: u32, count: u32) -> u32 {
    let offset = offset.min(32);
    let count = count.min(32 - offset);
    if count == 0 {
        return a;
    }
    let ones = u32::MAX >> (32 - count) << offset;
    (a & !ones) | ((new << offset) & ones)
}

/// Four signed or unsigned bytes of each operand, multiplied pairwise and added; wraps for unsigned operands.
pub(super) fn dot_of_bytes(signed: bool, a: u32, b: u32) -> u32 {
    let product = |(x, y): (u8, u8)| {
        if signed {
            (i32::from(x as i8) * i32::from(y as i8)) as u32
        } else {
            u32::from(x) * u32::from(y)
        }
    };
    a.to_le_bytes()
        .into_iter()
        .zip(b.to_le_bytes())
        .map(product)
        .fold(0, u32::wrapping_add)
}
