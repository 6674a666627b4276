//! How are atomic operations printed? One per active lane in the order of the lanes, or one for all lanes where that is the same.

use super::expression::{rust_type, splat};
use super::gang::Gang;
use super::memory::{Access, Place};
use crate::ir::{AtomicOp, Memory, Scalar, Stmt, ValueId};

impl Gang<'_> {
    /// Prints an atomic statement.
    pub(super) fn atomic(&mut self, stmt: &Stmt) {
        let Stmt::Atomic {
            address,
            op,
            ty,
            value,
            compare,
            result,
            exchanged,
            ..
        } = stmt
        else {
            unreachable!("only an atomic statement is atomic")
        };
        let access = self.access(address);
        let private = matches!(address.memory, Memory::Workgroup(_));
        let needed = |id: &Option<ValueId>| id.filter(|id| self.cx.tree.needed.value(*id));
        let (result, exchanged) = (needed(result), needed(exchanged));
        match (op, value, compare) {
            (AtomicOp::CompareExchange, Some(value), Some(compare)) => {
                self.compare_exchange(&access, (*compare, *value), result, exchanged);
            }
            (AtomicOp::Load, ..) => {
                if let Some(result) = result {
                    self.atomic_load(&access, *ty, private, result);
                }
            }
            (_, Some(value), _) if result.is_none() && self.once(&access, *op, *value) => {
                self.all_at_once(&access, *op, *ty, *value);
            }
            (AtomicOp::Store, Some(value), _) if private => {
                let statement = format!(
                    "s.scatter_i32({}, {}, {}, {});",
                    access.buffer,
                    Gang::scattered(&access.place),
                    self.active(access.inside.as_ref()),
                    self.cx.vector(*value)
                );
                self.guarded(&access, statement);
            }
            (_, Some(value), _) if result.is_none() && self.cx.plan.is_scalar(*value) => {
                self.each_with(&access, *op, *ty, *value);
            }
            (_, Some(value), _) => {
                self.lane_by_lane(&access, *op, *ty, &self.cx.vector(*value), result);
            }
            _ => unreachable!("{op:?} has operands"),
        }
    }

    /// Do all lanes do the same to one word, and can one operation stand for them?
    fn once(&self, access: &Access, op: AtomicOp, value: ValueId) -> bool {
        let uniform = self.cx.plan.is_scalar(value);
        uniform
            && access.inside.is_none()
            && matches!(access.place, Place::One(_))
            && op != AtomicOp::ExclusiveOr
    }

    fn guarded(&mut self, access: &Access, statement: String) {
        match &access.guard {
            Some(guard) => self.text.line(format!("if {guard} {{ {statement} }}")),
            None => self.text.line(statement),
        }
    }

    fn all_at_once(&mut self, access: &Access, op: AtomicOp, ty: Scalar, value: ValueId) {
        let Place::One(word) = &access.place else {
            unreachable!("all lanes meet at one word")
        };
        let (ty, scalar) = (rust_type(ty), self.cx.scalar(value));
        let name = match op {
            AtomicOp::Add => "add",
            AtomicOp::Subtract => "sub",
            AtomicOp::And => "and",
            AtomicOp::Or => "or",
            AtomicOp::Min => "min",
            AtomicOp::Max => "max",
            AtomicOp::Exchange | AtomicOp::Store => "store",
            AtomicOp::ExclusiveOr | AtomicOp::Load | AtomicOp::CompareExchange => {
                unreachable!("{op:?} does not happen once for all lanes")
            }
        };
        let operand = match op {
            AtomicOp::Add | AtomicOp::Subtract => format!(
                "{scalar}.wrapping_mul(s.mask_bits({}).count_ones() as {ty})",
                self.on
            ),
            _ => scalar,
        };
        self.guarded(
            access,
            format!("{}.atomic_{name}_{ty}({word}, {operand});", access.buffer),
        );
    }

    fn atomic_load(&mut self, access: &Access, ty: Scalar, private: bool, result: ValueId) {
        match &access.place {
            Place::One(word) if access.inside.is_none() => {
                let load = splat(
                    ty,
                    &format!("{}.atomic_load_{}({word})", access.buffer, rust_type(ty)),
                );
                self.define_guarded(access, result, &load);
            }
            place if private => {
                let words = Gang::scattered(place);
                let mask = self.active(access.inside.as_ref());
                let mut load = format!("s.gather_i32({}, {words}, {mask})", access.buffer);
                if let Some(inside) = &access.inside {
                    load = format!("s.i32_select({inside}, {load}, s.i32_splat(0i32))");
                }
                self.define_guarded(access, result, &load);
            }
            // Or with nothing: another worker may be writing the word.
            _ => self.lane_by_lane(access, AtomicOp::Or, ty, "s.i32_splat(0i32)", Some(result)),
        }
    }

    /// Defines `result`, zeros where the access is out of bounds as a whole.
    fn define_guarded(&mut self, access: &Access, result: ValueId, right: &str) {
        match &access.guard {
            Some(guard) => self.define(
                result,
                format!("if {guard} {{ {right} }} else {{ s.i32_splat(0i32) }}"),
            ),
            None => self.define(result, right),
        }
    }

    fn lane_by_lane(
        &mut self,
        access: &Access,
        op: AtomicOp,
        ty: Scalar,
        operand: &str,
        result: Option<ValueId>,
    ) {
        let call = format!(
            "s.atomic_rmw({}, {}::Rmw::{}, {}, {}, {operand})",
            access.buffer,
            self.cx.lanes,
            rmw(op, ty),
            Gang::scattered(&access.place),
            self.active(access.inside.as_ref()),
        );
        match result {
            Some(result) => self.define_guarded(access, result, &call),
            None => self.guarded(access, format!("let _ = {call};")),
        }
    }

    /// All lanes, one after the other, with the same operand.
    fn each_with(&mut self, access: &Access, op: AtomicOp, ty: Scalar, value: ValueId) {
        let operand = self.cx.scalar(value);
        let operand = match ty {
            Scalar::I32 => format!("({operand}).cast_unsigned()"),
            _ => operand,
        };
        let statement = format!(
            "s.atomic_each({}, {}::Rmw::{}, {}, {}, {operand});",
            access.buffer,
            self.cx.lanes,
            rmw(op, ty),
            Gang::scattered(&access.place),
            self.active(access.inside.as_ref()),
        );
        self.guarded(access, statement);
    }

    fn compare_exchange(
        &mut self,
        access: &Access,
        (compare, value): (ValueId, ValueId),
        result: Option<ValueId>,
        exchanged: Option<ValueId>,
    ) {
        let mask = match &access.guard {
            Some(guard) => {
                let inside = format!("s.mask_splat({guard})");
                let active = self.active(access.inside.as_ref());
                format!("s.mask_and({active}, {inside})")
            }
            None => self.active(access.inside.as_ref()),
        };
        let pair = self.fresh("exchange");
        self.text.line(format!(
            "let {pair} = s.atomic_compare_exchange({}, {}, {mask}, {}, {});",
            access.buffer,
            Gang::scattered(&access.place),
            self.cx.vector(compare),
            self.cx.vector(value)
        ));
        for (id, part) in [(result, 0), (exchanged, 1)] {
            if let Some(id) = id {
                self.define(id, format!("{pair}.{part}"));
            }
        }
    }
}

/// What `lanes` calls an operation.
fn rmw(op: AtomicOp, ty: Scalar) -> &'static str {
    let signed = ty == Scalar::I32;
    match op {
        AtomicOp::Add => "Add",
        AtomicOp::Subtract => "Sub",
        AtomicOp::And => "And",
        AtomicOp::Or => "Or",
        AtomicOp::ExclusiveOr => "Xor",
        AtomicOp::Min if signed => "MinI32",
        AtomicOp::Min => "MinU32",
        AtomicOp::Max if signed => "MaxI32",
        AtomicOp::Max => "MaxU32",
        AtomicOp::Exchange | AtomicOp::Store => "Exchange",
        AtomicOp::Load | AtomicOp::CompareExchange => {
            unreachable!("{op:?} is printed elsewhere")
        }
    }
}
