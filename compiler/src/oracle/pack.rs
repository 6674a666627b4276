//! What do WGSL's packing and unpacking built-in functions compute?
//!
//! Specification sections "Data Packing" and "Data Unpacking Built-in Functions".

use naga::MathFunction;

/// Packs the components in `words`, or unpacks the one word; `None` if `fun` does neither.
pub(super) fn pack(fun: MathFunction, words: &[u32]) -> Option<Vec<u32>> {
    Some(match fun {
        MathFunction::Pack4x8snorm => vec![joined(words, 8, |w| scaled(w, -1.0, 127.0))],
        MathFunction::Pack4x8unorm => vec![joined(words, 8, |w| scaled(w, 0.0, 255.0))],
        MathFunction::Pack2x16snorm => vec![joined(words, 16, |w| scaled(w, -1.0, 32767.0))],
        MathFunction::Pack2x16unorm => vec![joined(words, 16, |w| scaled(w, 0.0, 65535.0))],
        MathFunction::Pack4xI8 | MathFunction::Pack4xU8 => vec![joined(words, 8, |w| w)],
        MathFunction::Pack4xI8Clamp => {
            vec![joined(words, 8, |w| (w as i32).clamp(-128, 127) as u32)]
        }
        MathFunction::Pack4xU8Clamp => vec![joined(words, 8, |w| w.min(255))],
        MathFunction::Unpack4x8snorm => parted(words[0], 8, |w| ratio(signed(w, 8), 127.0)),
        MathFunction::Unpack4x8unorm => parted(words[0], 8, |w| ratio(w as i32, 255.0)),
        MathFunction::Unpack2x16snorm => parted(words[0], 16, |w| ratio(signed(w, 16), 32767.0)),
        MathFunction::Unpack2x16unorm => parted(words[0], 16, |w| ratio(w as i32, 65535.0)),
        MathFunction::Unpack4xI8 => parted(words[0], 8, |w| signed(w, 8) as u32),
        MathFunction::Unpack4xU8 => parted(words[0], 8, |w| w),
        _ => return None,
    })
}

fn joined(words: &[u32], bits: u32, convert: impl Fn(u32) -> u32) -> u32 {
    let low = (1u32 << bits) - 1;
    words
        .iter()
        .rev()
        .fold(0, |all, word| (all << bits) | (convert(*word) & low))
}

fn parted(word: u32, bits: u32, convert: impl Fn(u32) -> u32) -> Vec<u32> {
    let low = (1u32 << bits) - 1;
    (0..32 / bits)
        .map(|i| convert((word >> (i * bits)) & low))
        .collect()
}

/// `floor(0.5 + scale * clamp(x, least, 1))`.
fn scaled(word: u32, least: f32, scale: f32) -> u32 {
    let x = f32::from_bits(word);
    let kept = if x.is_nan() {
        least
    } else {
        x.clamp(least, 1.0)
    };
    (0.5 + scale * kept).floor() as i32 as u32
}

fn signed(part: u32, bits: u32) -> i32 {
    ((part << (32 - bits)) as i32) >> (32 - bits)
}

/// `max(part / scale, -1)`.
fn ratio(part: i32, scale: f32) -> u32 {
    (part as f32 / scale).max(-1.0).to_bits()
}
