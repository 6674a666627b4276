//! How is a shader of the corpus run: which grid, buffers, inputs and tolerance do its header comments ask for?
//!
//! The convention is defined in `tests/shaders/README.md`. A [`Case`] is parsed from a shader's text; it makes the
//! input buffers (always the same ones) and compares results. It touches no files.

mod fill;
mod leaves;

use std::collections::BTreeMap;

use naga::{AddressSpace, Module, StorageAccess};

use super::setup::Bound;
use fill::Fill;
pub use leaves::{Leaf, Number, leaves};

/// A corpus shader with what its header says about running it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The file's stem; it seeds the inputs.
    pub name: String,
    /// WGSL text with one compute entry point, `main`.
    pub source: String,
    /// Workgroups along x, y and z.
    pub dispatch: [u32; 3],
    /// Values of overrides by name.
    pub overrides: BTreeMap<String, f64>,
    /// By how much f32 results may differ from the oracle's.
    pub tolerance: Tolerance,
    /// Why a GPU may rightly give other results, if it may; such a shader is compared on the CPU only.
    pub cpu_only: Option<String>,
    /// Why integer results hang on the last bit of floats, if they do; such a shader is compared only on a CPU build
    /// that is `strict`.
    pub strict_only: Option<String>,
    /// Elements of the runtime-sized array at each binding.
    counts: BTreeMap<u32, u32>,
    fills: Vec<Fill>,
}

/// Largest difference allowed for an f32; integers must be equal always. All zeros: equal as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerance {
    /// Units in the last place: the distance in the order of all f32 numbers.
    pub ulp: u32,
    /// Relative to the expected value.
    pub rel: f64,
    /// Absolute, added to the relative part.
    pub abs: f64,
}

/// A header comment that the convention does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: cannot read the directive `{directive}`")]
pub struct CorpusError {
    /// The shader's name.
    pub name: String,
    /// The comment, without the slashes.
    pub directive: String,
}

/// The first result that differs by more than the tolerance.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{case}: `{variable}` at byte {offset} ({path}): expected {expected}, got {actual}")]
pub struct Mismatch {
    /// The shader's name.
    pub case: String,
    /// The buffer's WGSL variable.
    pub variable: String,
    /// Members on the way to the scalar, joined by dots.
    pub path: String,
    /// Offset of the scalar in the buffer.
    pub offset: usize,
    /// The oracle's value.
    pub expected: String,
    /// The other value.
    pub actual: String,
}

impl Case {
    /// Reads the directives at the head of a shader.
    ///
    /// # Errors
    /// A comment of the form `word: ...` or `word argument: ...` that is no known directive.
    pub fn parse(name: &str, source: &str) -> Result<Self, CorpusError> {
        let mut case = Self {
            name: name.to_owned(),
            source: source.to_owned(),
            dispatch: [1; 3],
            overrides: BTreeMap::new(),
            tolerance: Tolerance::default(),
            cpu_only: None,
            strict_only: None,
            counts: BTreeMap::new(),
            fills: Vec::new(),
        };
        for line in source
            .lines()
            .map_while(|line| line.trim().strip_prefix("//"))
        {
            let directive = line.trim();
            if let Some((head, value)) = directive.split_once(": ") {
                case.direct(head.trim(), value.trim())
                    .ok_or_else(|| CorpusError {
                        name: name.to_owned(),
                        directive: directive.to_owned(),
                    })?;
            }
        }
        Ok(case)
    }

    fn direct(&mut self, head: &str, value: &str) -> Option<()> {
        let (word, argument) = head.split_once(' ').unwrap_or((head, ""));
        match word {
            "about" => {}
            "dispatch" => {
                let counts: Vec<u32> = value
                    .split(' ')
                    .map(str::parse)
                    .collect::<Result<_, _>>()
                    .ok()?;
                self.dispatch = counts.try_into().ok()?;
            }
            "override" => {
                self.overrides
                    .insert(argument.to_owned(), value.parse().ok()?);
            }
            "buffer" => {
                self.counts
                    .insert(argument.parse().ok()?, value.parse().ok()?);
            }
            "fill" => self.fills.push(Fill::parse(argument, value)?),
            "tolerance" => self.tolerance = Tolerance::parse(value)?,
            "cpu-only" => self.cpu_only = Some(value.to_owned()),
            "strict-only" => self.strict_only = Some(value.to_owned()),
            _ => return None,
        }
        Some(())
    }

    /// The input bytes of each of `bindings`: the same ones on every machine.
    pub fn buffers(&self, module: &Module, bindings: &[Bound]) -> Vec<Vec<u8>> {
        bindings
            .iter()
            .map(|bound| self.buffer(module, bound))
            .collect()
    }

    fn buffer(&self, module: &Module, bound: &Bound) -> Vec<u8> {
        let (leaves, size) = leaves(module, bound.ty, self.count(bound.binding));
        let mut bytes = vec![0; size as usize];
        let mut seed = fill::seed(&self.name, bound.binding);
        for leaf in &leaves {
            let fill = self
                .fills
                .iter()
                .rev()
                .find(|fill| fill.covers(bound.binding, leaf));
            let word = match fill {
                Some(fill) => fill.draw(&mut seed),
                None if is_written(bound.space) => 0,
                None => fill::draw_default(leaf.number, &mut seed),
            };
            bytes[leaf.offset as usize..][..4].copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Compares two sets of buffers scalar by scalar; padding does not count.
    ///
    /// # Errors
    /// The first scalar that differs by more than the tolerance.
    ///
    /// # Panics
    /// If a buffer has another length than [`Case::buffers`] gives it.
    pub fn compare(
        &self,
        module: &Module,
        bindings: &[Bound],
        expected: &[Vec<u8>],
        actual: &[Vec<u8>],
    ) -> Result<(), Box<Mismatch>> {
        for ((bound, expected), actual) in bindings.iter().zip(expected).zip(actual) {
            let (leaves, size) = leaves(module, bound.ty, self.count(bound.binding));
            assert_eq!(
                expected.len(),
                size as usize,
                "expected bytes of `{}`",
                bound.name
            );
            assert_eq!(
                actual.len(),
                size as usize,
                "actual bytes of `{}`",
                bound.name
            );
            for leaf in leaves {
                let (want, got) = (leaf.word(expected), leaf.word(actual));
                if !self.tolerance.accepts(leaf.number, want, got) {
                    return Err(Box::new(Mismatch {
                        case: self.name.clone(),
                        variable: bound.name.clone(),
                        path: leaf.path,
                        offset: leaf.offset as usize,
                        expected: leaf.number.text(want),
                        actual: leaf.number.text(got),
                    }));
                }
            }
        }
        Ok(())
    }

    /// Elements of the runtime-sized array at `binding`; 64 unless the header says otherwise.
    pub fn count(&self, binding: u32) -> u32 {
        self.counts.get(&binding).copied().unwrap_or(64)
    }
}

fn is_written(space: AddressSpace) -> bool {
    matches!(space, AddressSpace::Storage { access } if access.contains(StorageAccess::STORE))
}

impl Tolerance {
    /// `exact`, or any of `ulp N`, `rel X`, `abs X`.
    fn parse(text: &str) -> Option<Self> {
        let mut tolerance = Self::default();
        if text == "exact" {
            return Some(tolerance);
        }
        let mut words = text.split(' ');
        while let Some(word) = words.next() {
            let value = words.next()?;
            match word {
                "ulp" => tolerance.ulp = value.parse().ok()?,
                "rel" => tolerance.rel = value.parse().ok()?,
                "abs" => tolerance.abs = value.parse().ok()?,
                _ => return None,
            }
        }
        Some(tolerance)
    }

    /// Whether `actual` is near enough to `expected`, both given by their bits.
    pub fn accepts(&self, number: Number, expected: u32, actual: u32) -> bool {
        if expected == actual {
            return true;
        }
        if number != Number::F32 {
            return false;
        }
        let (want, got) = (f32::from_bits(expected), f32::from_bits(actual));
        if want.is_nan() || got.is_nan() {
            return want.is_nan() && got.is_nan();
        }
        let near = f64::from(want).abs().mul_add(self.rel, self.abs);
        want.total_cmp(&got).is_eq()
            || (want - got).abs() == 0.0
            || ordinal(expected).abs_diff(ordinal(actual)) <= u64::from(self.ulp)
            || (want.is_finite() && (f64::from(want) - f64::from(got)).abs() <= near)
    }
}

/// Position of an f32 in the order of all f32 numbers.
fn ordinal(bits: u32) -> i64 {
    let magnitude = i64::from(bits & 0x7fff_ffff);
    if bits >> 31 == 1 {
        -magnitude
    } else {
        magnitude
    }
}
