//! What does the host have to know of a module? Its kernels with their bindings, the structs that cross the border, and its
//! constants; as plain values, and as the Rust items that [`shader!`] puts into a user's module.
//!
//! [`shader!`]: https://docs.rs/impel

mod host;
mod kernels;
mod launcher;
mod names;
mod structs;

use std::fmt;

use crate::diagnostic::{Diagnostic, Position};
use crate::front::Front;
use crate::ir::{Literal, Space};

pub use host::HostType;
pub(crate) use names::upper_case;

/// Everything about a module that the host sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// Path of the WGSL file, for documentation.
    pub path: String,
    /// Structs of uniform buffers and of storage arrays, inner ones first.
    pub structs: Vec<HostStruct>,
    /// Named constants and resolved overrides of scalar type.
    pub constants: Vec<HostConstant>,
    /// The entry points.
    pub kernels: Vec<KernelSignature>,
}

/// A WGSL struct that the host fills or reads.
#[derive(Clone, Debug, PartialEq)]
pub struct HostStruct {
    /// WGSL name.
    pub name: String,
    /// Where it is declared.
    pub position: Position,
    /// Its members, in order.
    pub members: Vec<HostMember>,
    /// Size in words, padding included.
    pub words: u32,
    /// Whether it lies in arrays and so has WGSL's layout; else it is encoded at launch.
    pub in_memory: bool,
}

/// A member of a [`HostStruct`].
#[derive(Clone, Debug, PartialEq)]
pub struct HostMember {
    /// WGSL name.
    pub name: String,
    /// Type on the host.
    pub ty: HostType,
    /// Where it begins, in words.
    pub offset: u32,
}

/// A constant of the module.
#[derive(Clone, Debug, PartialEq)]
pub struct HostConstant {
    /// WGSL name.
    pub name: String,
    /// Its value.
    pub value: Literal,
    /// Where it is declared.
    pub position: Position,
    /// Whether it is an `override`.
    pub is_override: bool,
}

/// A compute entry point.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelSignature {
    /// WGSL name.
    pub name: String,
    /// Where it is declared.
    pub position: Position,
    /// Invocations per workgroup along x, y, z.
    pub workgroup_size: [u32; 3],
    /// The buffers it uses, ordered by (group, binding).
    pub bindings: Vec<BindingSignature>,
}

/// A buffer that a kernel uses.
#[derive(Clone, Debug, PartialEq)]
pub struct BindingSignature {
    /// WGSL name.
    pub name: String,
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// Address space and access.
    pub space: Space,
    /// Where it is declared.
    pub position: Position,
    /// The declaration's text.
    pub declaration: String,
    /// Type of a uniform's value, or of a storage array's elements.
    pub ty: HostType,
    /// Words before the runtime-sized array (0 for a plain array), or the size in words of a type of fixed size.
    pub fixed_words: u32,
    /// Words per element of the runtime-sized array; 0 for a type of fixed size.
    pub stride_words: u32,
}

/// Collects the signature of a module.
///
/// # Errors
/// Types that cannot be bound, such as a `bool` in a buffer's struct.
pub fn signature(front: &Front) -> Result<Signature, Diagnostic> {
    let kernels: Vec<KernelSignature> = (0..front.module.entry_points.len())
        .map(|index| kernels::kernel_signature(front, index))
        .collect::<Result<_, _>>()?;
    Ok(Signature {
        path: front.source.path.clone(),
        structs: structs::host_structs(front, &kernels)?,
        constants: kernels::constants(front),
        kernels,
    })
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in &self.structs {
            let layout = if item.in_memory {
                "in arrays"
            } else {
                "encoded at launch"
            };
            writeln!(
                f,
                "struct {} ({}): {} words, {layout}",
                item.name, item.position, item.words
            )?;
            for member in &item.members {
                writeln!(f, "  {:>3} {}: {}", member.offset, member.name, member.ty)?;
            }
        }
        for constant in &self.constants {
            let kind = if constant.is_override {
                "override"
            } else {
                "const"
            };
            writeln!(
                f,
                "{kind} {} = {} ({})",
                constant.name, constant.value, constant.position
            )?;
        }
        for kernel in &self.kernels {
            let [x, y, z] = kernel.workgroup_size;
            writeln!(
                f,
                "kernel {} ({}) workgroup_size({x}, {y}, {z})",
                kernel.name, kernel.position
            )?;
            for binding in &kernel.bindings {
                write!(
                    f,
                    "  @group({}) @binding({}) ",
                    binding.group, binding.binding
                )?;
                write!(f, "{} {}: {}", binding.space, binding.name, binding.ty)?;
                writeln!(
                    f,
                    ", {} words + {} an element",
                    binding.fixed_words, binding.stride_words
                )?;
            }
        }
        Ok(())
    }
}
