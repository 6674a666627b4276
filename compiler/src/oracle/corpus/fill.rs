//! Which numbers does a buffer start with?

use super::leaves::{Leaf, Number};

/// Numbers for the scalars of one binding, or of one member of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fill {
    binding: u32,
    /// A member path; empty for the whole buffer.
    path: String,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    /// All zero, any kind.
    Zero,
    /// Any 32 bits, for integers.
    Bits,
    /// From the first up to but not including the second.
    F32(f64, f64),
    I32(i64, i64),
    U32(i64, i64),
}

impl Fill {
    /// `target` is `BINDING` or `BINDING.MEMBER`, `values` one of `zero`, `bits`, `KIND VALUE`, `KIND LOW..HIGH`.
    pub(super) fn parse(target: &str, values: &str) -> Option<Self> {
        let (binding, path) = target.split_once('.').unwrap_or((target, ""));
        let values = match values.split_once(' ') {
            None if values == "zero" => Values::Zero,
            None if values == "bits" => Values::Bits,
            Some(("f32", range)) => {
                let (low, high) = range.split_once("..").unwrap_or((range, range));
                Values::F32(low.parse().ok()?, high.parse().ok()?)
            }
            Some(("i32", range)) => integers(range).map(|(low, high)| Values::I32(low, high))?,
            Some(("u32", range)) => integers(range).map(|(low, high)| Values::U32(low, high))?,
            _ => return None,
        };
        Some(Self {
            binding: binding.parse().ok()?,
            path: path.to_owned(),
            values,
        })
    }

    /// Whether it says what a scalar of a binding starts with.
    pub(super) fn covers(&self, binding: u32, leaf: &Leaf) -> bool {
        let inside = match leaf.path.strip_prefix(&self.path) {
            Some(rest) => self.path.is_empty() || rest.is_empty() || rest.starts_with('.'),
            None => false,
        };
        let kind = match self.values {
            Values::Zero => true,
            Values::Bits => leaf.number != Number::F32,
            Values::F32(..) => leaf.number == Number::F32,
            Values::I32(..) => leaf.number == Number::I32,
            Values::U32(..) => leaf.number == Number::U32,
        };
        binding == self.binding && inside && kind
    }

    /// The next number's bits.
    pub(super) fn draw(&self, seed: &mut u64) -> u32 {
        match self.values {
            Values::Zero => 0,
            Values::Bits => next(seed) as u32,
            Values::F32(low, high) => float_between(low, high, seed),
            Values::I32(low, high) | Values::U32(low, high) => integer_between(low, high, seed),
        }
    }
}

/// `LOW..HIGH`, or one value.
fn integers(range: &str) -> Option<(i64, i64)> {
    if let Some((low, high)) = range.split_once("..") {
        let (low, high) = (low.parse().ok()?, high.parse().ok()?);
        (low < high).then_some((low, high))
    } else {
        let value: i64 = range.parse().ok()?;
        Some((value, value + 1))
    }
}

/// A seed that depends on the shader's name and the binding only (FNV-1a).
pub(super) fn seed(name: &str, binding: u32) -> u64 {
    let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    name.bytes()
        .chain(binding.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, hash)
}

/// What scalars start with where nothing is said: floats in [-4, 4), three quarters of the integers small (below 16 in
/// magnitude), the others of any bits.
pub(super) fn draw_default(number: Number, seed: &mut u64) -> u32 {
    if number == Number::F32 {
        return float_between(-4.0, 4.0, seed);
    }
    if next(seed).is_multiple_of(4) {
        return next(seed) as u32;
    }
    let low = if number == Number::I32 { -15 } else { 0 };
    integer_between(low, 16, seed)
}

/// One of 2^24 evenly spaced numbers, rounded to f32.
fn float_between(low: f64, high: f64, seed: &mut u64) -> u32 {
    let part = (next(seed) >> 40) as f64 / f64::from(1 << 24);
    ((low + (high - low) * part) as f32).to_bits()
}

fn integer_between(low: i64, high: i64, seed: &mut u64) -> u32 {
    (low + (next(seed) % (high - low).unsigned_abs()) as i64) as u32
}

/// The next number of the splitmix64 sequence.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
