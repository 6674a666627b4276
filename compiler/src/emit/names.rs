//! What are things called in the emitted code?

use crate::ir::{ArrayId, BufferId, Kernel, ValueId, VarId, WorkgroupVarId};

/// `name` in lower case, its words of letters and digits joined by underscores.
pub(super) fn snake(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("_")
}

/// `prefix`, number and WGSL name.
fn numbered(prefix: &str, number: u32, name: &str) -> String {
    let name = snake(name);
    if name.is_empty() {
        format!("{prefix}{number}")
    } else {
        format!("{prefix}{number}_{name}")
    }
}

pub(super) fn value(id: ValueId) -> String {
    format!("v{}", id.0)
}

pub(super) fn var(kernel: &Kernel, id: VarId) -> String {
    numbered("x", id.0, &kernel.vars[id.0 as usize].name)
}

pub(super) fn array(kernel: &Kernel, id: ArrayId) -> String {
    numbered("a", id.0, &kernel.arrays[id.0 as usize].name)
}

pub(super) fn buffer(kernel: &Kernel, id: BufferId) -> String {
    numbered("b", id.0, &kernel.bindings[id.0 as usize].name)
}

pub(super) fn workgroup(kernel: &Kernel, id: WorkgroupVarId) -> String {
    numbered("w", id.0, &kernel.workgroup_vars[id.0 as usize].name)
}

/// The length of a runtime-sized array.
pub(super) fn length(kernel: &Kernel, (id, offset, stride): (BufferId, u32, u32)) -> String {
    let name = buffer(kernel, id);
    if (offset, stride) == (0, 1) {
        format!("{name}_len")
    } else {
        format!("{name}_len_{offset}_{stride}")
    }
}

/// Name of the type that carries the kernel: its WGSL name in camel case and `Body`.
pub(super) fn body_type(name: &str) -> String {
    let mut out = String::new();
    let mut upper = true;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(if upper { c.to_ascii_uppercase() } else { c });
        }
        upper = !c.is_ascii_alphanumeric();
    }
    out + "Body"
}
