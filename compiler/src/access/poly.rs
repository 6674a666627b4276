//! When are two launch-uniform integers the same? Polynomials over what is known at launch, in a normal form.

use std::collections::BTreeMap;

/// Index into [`Atoms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtomId(pub u32);

/// An integer that has one value per launch and is no sum or product of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Atom {
    /// A word of a uniform buffer.
    Word {
        /// Index into the kernel's bindings.
        binding: u32,
        /// Which word.
        word: u32,
        /// Whether it is an `i32`.
        signed: bool,
    },
    /// Number of elements of a runtime-sized array.
    ArrayLength {
        /// Index into the kernel's bindings.
        binding: u32,
        /// Words before the array.
        offset: u32,
        /// Words per element.
        stride: u32,
    },
    /// `num_workgroups` along an axis.
    NumWorkgroups(u8),
    /// A function of two integers that must both be values of its type.
    Function {
        /// Which.
        function: Function,
        /// First operand.
        a: Poly,
        /// Second operand.
        b: Poly,
        /// On `i32`, or else on `u32`.
        signed: bool,
    },
}

/// A function of two integers that is not polynomial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `a / b`, towards zero.
    Divide,
    /// `a % b`.
    Remainder,
    /// The lesser.
    Min,
    /// The greater.
    Max,
    /// `a << b`.
    ShiftLeft,
    /// `a >> b`.
    ShiftRight,
    /// `a & b`.
    And,
}

impl Function {
    /// The result on constants of the type, with WGSL's rules; none where the launch would not know either.
    fn of_constants(self, a: i64, b: i64) -> Option<i64> {
        let count = (0..32).contains(&b).then_some(b);
        match self {
            Function::Divide if b == 0 => Some(a),
            Function::Divide => Some(a / b),
            Function::Remainder if b == 0 => Some(0),
            Function::Remainder => Some(a % b),
            Function::Min => Some(a.min(b)),
            Function::Max => Some(a.max(b)),
            Function::ShiftLeft => count.map(|count| a << count),
            Function::ShiftRight => count.map(|count| a >> count),
            Function::And if a >= 0 && b >= 0 => Some(a & b),
            Function::And => None,
        }
    }
}

/// The atoms that the polynomials of one kernel speak of; equal atoms have equal ids.
#[derive(Clone, Debug, Default)]
pub struct Atoms(Vec<Atom>);

impl Atoms {
    /// The atom behind `id`.
    pub fn get(&self, id: AtomId) -> &Atom {
        &self.0[id.0 as usize]
    }

    /// The polynomial that is just `atom`.
    pub fn poly(&mut self, atom: Atom) -> Poly {
        let index = self
            .0
            .iter()
            .position(|known| *known == atom)
            .unwrap_or_else(|| {
                self.0.push(atom);
                self.0.len() - 1
            });
        Poly(BTreeMap::from([(vec![AtomId(index as u32)], 1)]))
    }

    /// `function(a, b)`, folded if both are constants; none if the result is unknown.
    pub fn function(
        &mut self,
        function: Function,
        a: &Poly,
        b: &Poly,
        signed: bool,
    ) -> Option<Poly> {
        if let (Some(a), Some(b)) = (a.constant(), b.constant())
            && in_type(a, signed)
            && in_type(b, signed)
        {
            return function.of_constants(a, b).map(Poly::from);
        }
        if function == Function::ShiftLeft
            && let Some(count @ 0..32) = b.constant()
        {
            return a.times(&Poly::from(1 << count));
        }
        let (a, b) = (a.clone(), b.clone());
        Some(self.poly(Atom::Function {
            function,
            a,
            b,
            signed,
        }))
    }

    /// Whether `poly` is a value of `i32` (`signed`) or `u32`, whatever the launch.
    pub fn always_fits(&self, poly: &Poly, signed: bool) -> bool {
        if let Some(constant) = poly.constant() {
            return in_type(constant, signed);
        }
        let mut monomials = poly.0.iter();
        match (monomials.next(), monomials.next()) {
            (Some((atoms, 1)), None) if atoms.len() == 1 => match self.get(atoms[0]) {
                Atom::ArrayLength { .. } | Atom::NumWorkgroups(_) => true,
                Atom::Function {
                    function: Function::ShiftLeft,
                    ..
                } => false,
                Atom::Word { signed: own, .. } | Atom::Function { signed: own, .. } => {
                    *own == signed
                }
            },
            _ => false,
        }
    }
}

/// Whether `value` is one of `i32` (`signed`) or else of `u32`.
pub(super) fn in_type(value: i64, signed: bool) -> bool {
    if signed {
        i32::try_from(value).is_ok()
    } else {
        u32::try_from(value).is_ok()
    }
}

/// A sum of products of atoms: factors of each product ascending, coefficients not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Poly(BTreeMap<Vec<AtomId>, i64>);

impl From<i64> for Poly {
    fn from(constant: i64) -> Poly {
        let mut poly = Poly::default();
        if constant != 0 {
            poly.0.insert(Vec::new(), constant);
        }
        poly
    }
}

impl Poly {
    /// The products and their coefficients.
    pub fn monomials(&self) -> impl Iterator<Item = (&[AtomId], i64)> {
        self.0
            .iter()
            .map(|(atoms, factor)| (atoms.as_slice(), *factor))
    }

    /// Whether it has a constant summand.
    pub fn has_constant(&self) -> bool {
        self.0.contains_key(&Vec::new())
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Its value, if that does not depend on the launch.
    pub fn constant(&self) -> Option<i64> {
        match self.0.len() {
            0 => Some(0),
            1 => self.0.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    /// The sum; none on overflow.
    pub fn plus(&self, other: &Poly) -> Option<Poly> {
        let mut sum = self.0.clone();
        for (atoms, factor) in &other.0 {
            let entry = sum.entry(atoms.clone()).or_insert(0);
            *entry = entry.checked_add(*factor)?;
        }
        sum.retain(|_, factor| *factor != 0);
        Some(Poly(sum))
    }

    /// The product; none on overflow.
    pub fn times(&self, other: &Poly) -> Option<Poly> {
        let mut product = Poly::default();
        for (left, left_factor) in &self.0 {
            for (right, right_factor) in &other.0 {
                let mut atoms = [left.as_slice(), right.as_slice()].concat();
                atoms.sort_unstable();
                let factor = left_factor.checked_mul(*right_factor)?;
                product = product.plus(&Poly(BTreeMap::from([(atoms, factor)])))?;
            }
        }
        Some(product)
    }

    /// The negative; none on overflow.
    pub fn negated(&self) -> Option<Poly> {
        self.times(&Poly::from(-1))
    }

    /// The difference; none on overflow.
    pub fn minus(&self, other: &Poly) -> Option<Poly> {
        self.plus(&other.negated()?)
    }

    /// The quotient by a constant that divides every coefficient.
    pub fn divided(&self, divisor: i64) -> Option<Poly> {
        let divide = |(atoms, factor): (&Vec<AtomId>, &i64)| {
            (divisor != 0 && factor % divisor == 0).then(|| (atoms.clone(), factor / divisor))
        };
        self.0.iter().map(divide).collect::<Option<_>>().map(Poly)
    }

    /// The greatest common divisor of the coefficients; 0 for 0.
    pub fn content(&self) -> i64 {
        self.0
            .values()
            .fold(0, |gcd, factor| greatest_common_divisor(gcd, *factor))
    }
}

/// Not negative; 0 only for two zeros.
pub(super) fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 {
        a.saturating_abs()
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(atoms: &mut Atoms, word: u32) -> Poly {
        atoms.poly(Atom::Word {
            binding: 0,
            word,
            signed: false,
        })
    }

    #[test]
    fn equal_polynomials_are_equal_values() {
        let mut atoms = Atoms::default();
        let (a, b) = (word(&mut atoms, 0), word(&mut atoms, 1));
        let sum = a.plus(&b).unwrap();
        let square = sum.times(&sum).unwrap();
        let ab = a.times(&b).unwrap();
        let spelled = a.times(&a).unwrap().plus(&b.times(&b).unwrap()).unwrap();
        let spelled = spelled
            .plus(&ab)
            .unwrap()
            .plus(&b.times(&a).unwrap())
            .unwrap();
        assert_eq!(square, spelled);
        assert_eq!(square.minus(&spelled).unwrap(), Poly::from(0));
    }

    #[test]
    fn division_by_a_constant_is_exact_or_refused() {
        let mut atoms = Atoms::default();
        let a = word(&mut atoms, 0).times(&Poly::from(12)).unwrap();
        let a = a.plus(&Poly::from(8)).unwrap();
        assert_eq!(a.content(), 4);
        assert_eq!(a.divided(4).unwrap().times(&Poly::from(4)).unwrap(), a);
        assert_eq!(a.divided(8), None);
    }
}
