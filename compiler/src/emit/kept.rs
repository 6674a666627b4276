//! Where does a gang keep what it needs again in a later turn? In one record a gang, so that all of it lies together in memory.

use super::expression::{Context, family, rust_type, splat, zero};
use super::names;
use super::text::Text;
use crate::fission::Fission;
use crate::ir::{Scalar, ValueId, VarId};
use crate::variance::Shape;

/// Prints the record's type and the records of all `gangs`.
pub(super) fn declare(cx: Context<'_>, fission: &Fission<'_>, gangs: u32, text: &mut Text) {
    let vars = fission.kept_vars.iter().map(|var| {
        let vector = cx.variance.var(*var) == Shape::Varying;
        let ty = cx.kernel.vars[var.0 as usize].ty;
        (names::var(cx.kernel, *var), vector, ty)
    });
    let values = fission
        .kept_values
        .iter()
        .map(|id| (names::value(*id), cx.plan.is_vector(*id), cx.ty(*id)));
    let fields: Vec<(String, bool, Scalar)> = vars.chain(values).collect();
    if fields.is_empty() {
        return;
    }
    // A type that does not use its parameter is refused.
    let varies = fields.iter().any(|(_, vector, _)| *vector);
    let (parameter, argument) = if varies {
        (format!("<S: {}::Isa>", cx.lanes), "::<S>")
    } else {
        (String::new(), "")
    };
    text.line("#[derive(Clone, Copy)]");
    text.open(format!("struct Kept{parameter}"));
    for (name, vector, ty) in &fields {
        let ty = if *vector {
            lanes_type(*ty)
        } else {
            rust_type(*ty)
        };
        text.line(format!("{name}: {ty},"));
    }
    text.close();
    let zeros = fields.iter().map(|(name, vector, ty)| {
        let zero = zero(*ty);
        if *vector {
            format!("{name}: {}", splat(*ty, zero))
        } else {
            format!("{name}: {zero}")
        }
    });
    let zeros: Vec<String> = zeros.collect();
    text.line(format!(
        "let mut kept = [Kept{argument} {{ {} }}; {gangs}];",
        zeros.join(", ")
    ));
}

/// Where the gang at hand keeps a variable.
pub(super) fn var(cx: Context<'_>, var: VarId) -> String {
    format!("kept[g].{}", names::var(cx.kernel, var))
}

/// Where the gang at hand keeps a value.
pub(super) fn value(id: ValueId) -> String {
    format!("kept[g].{}", names::value(id))
}

/// Where the first gang keeps a value.
pub(super) fn value_of_first(id: ValueId) -> String {
    format!("kept[0].{}", names::value(id))
}

/// The type of a scalar in all lanes.
fn lanes_type(ty: Scalar) -> &'static str {
    match family(ty) {
        "f32" => "S::F32",
        "mask" => "S::Mask",
        _ => "S::I32",
    }
}
