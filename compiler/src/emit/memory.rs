//! How is memory read and written? Addresses, bounds, and the shape of each access.

use super::expression::{family, rust_type, splat, zero};
use super::gang::Gang;
use super::names;
use super::plan::{Form, exact};
use super::range;
use crate::ir::{Address, ArrayId, Extent, Literal, Memory, Scalar, Term, ValueId};
use crate::tree::NodeId;
use crate::variance::Divergence;

/// Where the lanes of an access point.
pub(super) enum Place {
    /// All at this word.
    One(String),
    /// Lane 0 at this word, each further lane so many words on.
    Strided(String, u32),
    /// Anywhere: a vector of words.
    Scattered(String),
}

/// An access without its operation.
pub(super) struct Access {
    /// The buffer's name.
    pub(super) buffer: String,
    pub(super) place: Place,
    /// A scalar condition for the access to be in bounds.
    pub(super) guard: Option<String>,
    /// A mask of lanes that are in bounds.
    pub(super) inside: Option<String>,
}

impl Gang<'_> {
    /// Takes `address` apart and prints its bounds checks.
    pub(super) fn access(&mut self, address: &Address) -> Access {
        let (mut guards, mut masks) = (Vec::new(), Vec::new());
        for at in 0..address.terms.len() {
            let term = address.terms[at];
            let Some(extent) = self.extent_to_check(address, at) else {
                continue;
            };
            let uniform = self.cx.plan.is_scalar(term.index);
            let name = self.check(term.index, extent, uniform);
            if uniform {
                guards.push(name);
            } else {
                masks.push(name);
            }
        }
        let buffer = match address.memory {
            Memory::Buffer(id) => names::buffer(self.cx.kernel, id),
            Memory::Workgroup(id) => names::workgroup(self.cx.kernel, id),
        };
        let inside = masks
            .into_iter()
            .reduce(|a, b| format!("s.mask_and({a}, {b})"));
        let guard = (!guards.is_empty()).then(|| guards.join(" && "));
        Access {
            buffer,
            place: self.place(address),
            guard,
            inside,
        }
    }

    /// The bound that index `at` must be compared with.
    fn extent_to_check(&self, address: &Address, at: usize) -> Option<String> {
        let term = address.terms[at];
        match (term.extent, address.memory) {
            (Extent::Fixed(extent), _) => {
                let below = range::below(self.cx.kernel, term.index);
                below
                    .is_none_or(|below| below > extent)
                    .then(|| format!("{extent}u32"))
            }
            (Extent::Runtime { offset }, Memory::Buffer(buffer)) => (!exact(address, at))
                .then(|| names::length(self.cx.kernel, (buffer, offset, term.stride))),
            (Extent::Runtime { .. }, Memory::Workgroup(_)) => {
                unreachable!("workgroup memory has a fixed size")
            }
        }
    }

    /// The name of `index < extent`, printed at its first use in scope.
    fn check(&mut self, index: ValueId, extent: String, uniform: bool) -> String {
        let key = (index, extent);
        if let Some(name) = self.checks.iter().rev().find_map(|scope| scope.get(&key)) {
            return name.clone();
        }
        let right = if uniform {
            format!("{} < {}", self.word(index), key.1)
        } else {
            format!(
                "s.u32_lt({}, s.u32_splat({}))",
                self.cx.vector(index),
                key.1
            )
        };
        let name = self.bind("ok", right);
        if let Some(scope) = self.checks.last_mut() {
            scope.insert(key, name.clone());
        }
        name
    }

    /// The scalar, or lane 0, of an index as `u32`.
    fn word(&self, index: ValueId) -> String {
        let text = self.cx.scalar(index);
        if self.cx.ty(index) == Scalar::I32 {
            format!("{text}.cast_unsigned()")
        } else {
            text
        }
    }

    fn place(&self, address: &Address) -> Place {
        let form = |term: &Term| self.cx.plan.of(term.index);
        let (vectors, others): (Vec<Term>, Vec<Term>) = address
            .terms
            .iter()
            .partition(|term| *form(term) == Form::Vector);
        let stride = others.iter().fold(0u32, |sum, term| match form(term) {
            Form::Linear(lane) => sum.wrapping_add(lane.wrapping_mul(term.stride)),
            _ => sum,
        });
        let linear = others
            .iter()
            .any(|term| matches!(form(term), Form::Linear(_)));
        let base = self.scalar_address(address.offset, &others);
        if vectors.is_empty() && !linear {
            return Place::One(base);
        }
        if vectors.is_empty() && stride != 0 {
            return Place::Strided(base, stride);
        }
        let mut sum = match (base == "0u32" && !vectors.is_empty(), stride) {
            (true, 0) => None,
            (_, 0) => Some(splat(Scalar::U32, &base)),
            _ => Some(strided(&base, stride)),
        };
        for term in &vectors {
            let index = self.cx.vector(term.index);
            let step = if term.stride == 1 {
                index
            } else {
                format!("s.i32_mul({index}, s.u32_splat({}u32))", term.stride)
            };
            sum = Some(sum.map_or(step.clone(), |sum| format!("s.i32_add({sum}, {step})")));
        }
        Place::Scattered(sum.unwrap_or_else(|| splat(Scalar::U32, &base)))
    }

    /// Word of lane 0: `offset` and the steps of `terms`.
    fn scalar_address(&self, offset: u32, terms: &[Term]) -> String {
        let steps = terms.iter().map(|term| {
            let index = self.word(term.index);
            if term.stride == 1 {
                index
            } else {
                format!("{index}.wrapping_mul({}u32)", term.stride)
            }
        });
        let start = (offset != 0 || terms.is_empty()).then(|| format!("{offset}u32"));
        let sum = start
            .into_iter()
            .chain(steps)
            .reduce(|a, b| format!("{a}.wrapping_add({b})"));
        sum.unwrap_or_else(|| "0u32".to_owned())
    }

    /// The mask of lanes that are active and in bounds.
    pub(super) fn active(&self, inside: Option<&String>) -> String {
        inside.map_or_else(
            || self.on.clone(),
            |inside| format!("s.mask_and({}, {inside})", self.on),
        )
    }

    /// Prints the load that computes `id`.
    pub(super) fn load(&mut self, id: ValueId, address: &Address) {
        let ty = self.cx.ty(id);
        let access = self.access(address);
        let (family, buffer) = (family(ty), &access.buffer);
        let mask = self.active(access.inside.as_ref());
        let scalar = matches!(access.place, Place::One(_));
        let mut right = match &access.place {
            Place::One(word) => format!("{buffer}.load_{}({word})", rust_type(ty)),
            Place::Strided(word, 1) => format!("s.load_linear_{family}({buffer}, {word}, {mask})"),
            Place::Strided(word, stride) => {
                format!("s.load_strided_{family}({buffer}, {word}, {stride}u32, {mask})")
            }
            Place::Scattered(words) => format!("s.gather_{family}({buffer}, {words}, {mask})"),
        };
        if let (Memory::Buffer(_), Place::Strided(word, 1)) = (address.memory, &access.place)
            && self.loops > 0
        {
            let hint = format!("s.prefetch_linear({buffer}, {word});");
            self.text.line(hint);
        }
        let nothing = if scalar {
            zero(ty).to_owned()
        } else {
            splat(ty, zero(ty))
        };
        if let Some(inside) = &access.inside {
            right = format!("s.{family}_select({inside}, {right}, {nothing})");
        }
        if let Some(guard) = &access.guard {
            right = format!("if {guard} {{ {right} }} else {{ {nothing} }}");
        }
        self.define(id, right);
    }

    /// Prints a store.
    pub(super) fn store(&mut self, address: &Address, value: ValueId) {
        let ty = self.cx.ty(value);
        let access = self.access(address);
        let (family, buffer) = (family(ty), &access.buffer);
        let mask = self.active(access.inside.as_ref());
        let lanes = self.cx.vector(value);
        let uniform = self.cx.plan.is_scalar(value);
        let statement = match &access.place {
            Place::One(word) if uniform => format!(
                "{buffer}.store_{}({word}, {});",
                rust_type(ty),
                self.cx.scalar(value)
            ),
            Place::One(word) => format!(
                "s.scatter_{family}({buffer}, {}, {mask}, {lanes});",
                splat(Scalar::U32, word)
            ),
            Place::Strided(word, 1) => {
                format!("s.store_linear_{family}({buffer}, {word}, {mask}, {lanes});")
            }
            Place::Strided(word, stride) => {
                format!("s.store_strided_{family}({buffer}, {word}, {stride}u32, {mask}, {lanes});")
            }
            Place::Scattered(words) => {
                format!("s.scatter_{family}({buffer}, {words}, {mask}, {lanes});")
            }
        };
        match access.guard {
            Some(guard) => self.text.line(format!("if {guard} {{ {statement} }}")),
            None => self.text.line(statement),
        }
    }

    /// The words of all lanes.
    pub(super) fn scattered(place: &Place) -> String {
        match place {
            Place::One(word) => splat(Scalar::U32, word),
            Place::Strided(word, stride) => strided(word, *stride),
            Place::Scattered(words) => words.clone(),
        }
    }

    /// Prints the read of an element of a private array, or of a constant table.
    pub(super) fn read_element(&mut self, id: ValueId, array: ArrayId, index: ValueId) {
        let (ty, len) = (self.cx.ty(id), self.cx.kernel.arrays[array.0 as usize].len);
        if self.cx.kernel.arrays[array.0 as usize].contents.is_some() {
            return self.read_table(id, array, index);
        }
        let place = self.array_place(array);
        let vector = self.cx.plan.array_is_vector(array);
        let right = if self.cx.plan.is_scalar(index) {
            let nothing = if vector {
                splat(stored(ty), zero(stored(ty)))
            } else {
                zero(stored(ty)).to_owned()
            };
            let word = self.word(index);
            if range::below(self.cx.kernel, index).is_some_and(|below| below <= len) {
                format!("{place}[{word} as usize]")
            } else {
                format!("if {word} < {len}u32 {{ {place}[{word} as usize] }} else {{ {nothing} }}")
            }
        } else {
            let family = family(stored(ty));
            format!(
                "s.array_load_{family}(&{place}, {}, {})",
                self.cx.vector(index),
                self.on
            )
        };
        let right = match (ty, vector) {
            (Scalar::Bool, true) => format!("s.i32_ne({right}, s.i32_splat(0i32))"),
            (Scalar::Bool, false) => format!("({right}) != 0u32"),
            _ => right,
        };
        self.define(id, right);
    }

    fn read_table(&mut self, id: ValueId, array: ArrayId, index: ValueId) {
        let (ty, table) = (self.cx.ty(id), names::array(self.cx.kernel, array));
        let family = family(stored(ty));
        let right = match self.cx.plan.of(index) {
            Form::Vector => format!(
                "s.gather_{family}({table}, {}, {})",
                self.cx.vector(index),
                self.on
            ),
            Form::Linear(1) => format!(
                "s.load_linear_{family}({table}, {}, {})",
                self.word(index),
                self.on
            ),
            Form::Linear(stride) => {
                format!(
                    "s.load_strided_{family}({table}, {}, {stride}u32, {})",
                    self.word(index),
                    self.on
                )
            }
            _ => format!(
                "{table}.load_{}({})",
                rust_type(stored(ty)),
                self.word(index)
            ),
        };
        let right = match (ty, self.cx.plan.is_vector(id)) {
            (Scalar::Bool, true) => format!("s.i32_ne({right}, s.i32_splat(0i32))"),
            (Scalar::Bool, false) => format!("{right} != 0u32"),
            _ => right,
        };
        self.define(id, right);
    }

    /// Prints the assignment of an element of a private array.
    pub(super) fn assign_element(
        &mut self,
        node: NodeId,
        array: ArrayId,
        index: ValueId,
        value: ValueId,
    ) {
        let ty = self.cx.ty(value);
        let len = self.cx.kernel.arrays[array.0 as usize].len;
        let place = self.array_place(array);
        let vector = self.cx.plan.array_is_vector(array);
        let family = family(stored(ty));
        let right = match (ty, vector) {
            (Scalar::Bool, true) => format!("s.i32_from_mask({})", self.cx.vector(value)),
            (Scalar::Bool, false) => format!("u32::from({})", self.cx.scalar(value)),
            (_, true) => self.cx.vector(value),
            (_, false) => self.cx.scalar(value),
        };
        if !self.cx.plan.is_scalar(index) {
            let index = self.cx.vector(index);
            return self.text.line(format!(
                "s.array_store_{family}(&mut {place}, {index}, {}, {right});",
                self.on
            ));
        }
        let word = self.word(index);
        let element = format!("{place}[{word} as usize]");
        let right = if vector && self.cx.variance.spread(node).exit == Divergence::Gang {
            format!("s.{family}_select({}, {right}, {element})", self.on)
        } else {
            right
        };
        let statement = format!("{element} = {right};");
        if range::below(self.cx.kernel, index).is_some_and(|below| below <= len) {
            self.text.line(statement);
        } else {
            self.text
                .line(format!("if {word} < {len}u32 {{ {statement} }}"));
        }
    }

    fn array_place(&self, array: ArrayId) -> String {
        self.array_places
            .get(&array)
            .cloned()
            .unwrap_or_else(|| names::array(self.cx.kernel, array))
    }

    /// The initial content of a private array: zeros.
    pub(super) fn array_zeros(&self, array: ArrayId) -> String {
        let declared = &self.cx.kernel.arrays[array.0 as usize];
        let ty = stored(declared.ty);
        let element = if self.cx.plan.array_is_vector(array) {
            splat(ty, zero(ty))
        } else {
            zero(ty).to_owned()
        };
        format!("[{element}; {}]", declared.len)
    }
}

/// `base`, `base + stride`, …
fn strided(base: &str, stride: u32) -> String {
    let steps = if stride == 1 {
        "s.i32_iota()".to_owned()
    } else {
        format!("s.i32_mul(s.i32_iota(), s.u32_splat({stride}u32))")
    };
    if base == "0u32" {
        steps
    } else {
        format!("s.i32_add({}, {steps})", splat(Scalar::U32, base))
    }
}

/// The type that holds `ty` in a private array: a `bool` is the word 0 or 1.
fn stored(ty: Scalar) -> Scalar {
    if ty == Scalar::Bool { Scalar::U32 } else { ty }
}

/// The word of a constant table.
pub(super) fn table_word(literal: Literal) -> u32 {
    match literal {
        Literal::F32(value) => value.to_bits(),
        Literal::I32(value) => value.cast_unsigned(),
        Literal::U32(value) => value,
        Literal::Bool(value) => u32::from(value),
    }
}
