//! Which WGSL structs does the host hold, and what are they as Rust items?

use std::collections::BTreeSet;
use std::fmt::Write;

use naga::{Handle, Type, TypeInner};

use super::host::{HostType, member_type, value_type};
use super::names::identifier;
use super::{HostMember, HostStruct, KernelSignature};
use crate::diagnostic::Diagnostic;
use crate::front::Front;
use crate::ir::{Scalar, Space};

/// Longest array for which the standard library derives `Default`.
const DEFAULT_LENGTH_MAX: u32 = 32;

/// The structs that `kernels` bind, inner ones first.
pub(super) fn host_structs(
    front: &Front,
    kernels: &[KernelSignature],
) -> Result<Vec<HostStruct>, Diagnostic> {
    let (mut needed, mut in_memory) = (BTreeSet::new(), BTreeSet::new());
    for binding in kernels.iter().flat_map(|kernel| &kernel.bindings) {
        if let Some(name) = binding.ty.struct_name() {
            let found = if binding.space == Space::Uniform {
                &mut needed
            } else {
                &mut in_memory
            };
            found.insert(name.to_owned());
        }
    }
    let mut structs = Vec::new();
    // Inner structs come before outer ones in naga's arena, so that going backwards meets every struct after all that hold it.
    let types: Vec<_> = front.module.types.iter().collect();
    for (handle, ty) in types.into_iter().rev() {
        let (TypeInner::Struct { .. }, Some(name)) = (&ty.inner, &ty.name) else {
            continue;
        };
        let is_in_memory = in_memory.contains(name);
        if !is_in_memory && !needed.contains(name) {
            continue;
        }
        let host = host_struct(front, handle, name, is_in_memory)?;
        for inner in host
            .members
            .iter()
            .filter_map(|member| member.ty.struct_name())
        {
            if is_in_memory {
                in_memory.insert(inner.to_owned())
            } else {
                needed.insert(inner.to_owned())
            };
        }
        structs.push(host);
    }
    structs.reverse();
    Ok(structs)
}

fn host_struct(
    front: &Front,
    handle: Handle<Type>,
    name: &str,
    in_memory: bool,
) -> Result<HostStruct, Diagnostic> {
    let declaration = front.module.types.get_span(handle);
    let TypeInner::Struct { members, span } = &front.module.types[handle].inner else {
        return Err(front
            .source
            .diagnose(declaration, format!("`{name}` is no struct")));
    };
    let mut host_members = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let member_name = member
            .name
            .clone()
            .unwrap_or_else(|| format!("member{index}"));
        let ty = if in_memory {
            member_type(&front.module, member.ty)
        } else {
            value_type(&front.module, member.ty)
        };
        let Some(ty) = ty else {
            let message =
                format!("member `{member_name}` of `{name}` has no counterpart on the host");
            return Err(front.source.diagnose(declaration, message));
        };
        host_members.push(HostMember {
            name: member_name,
            ty,
            offset: member.offset / 4,
        });
    }
    let position = front.source.position(declaration);
    Ok(HostStruct {
        name: name.to_owned(),
        position,
        members: host_members,
        words: span / 4,
        in_memory,
    })
}

/// A piece of a struct in memory.
enum Piece<'a> {
    Member(&'a HostMember),
    /// So many words of padding.
    Padding(u32),
}

impl HostStruct {
    /// The struct as Rust items. `structs` are all of the module's.
    pub(super) fn to_rust(&self, path: &str, structs: &[HostStruct]) -> String {
        if self.in_memory {
            self.memory_items(path, structs)
        } else {
            self.value_items(path, structs)
        }
    }

    fn doc(&self, path: &str, how: &str) -> String {
        format!(
            "/// `struct {}` of `{path}`, line {}{how}.\n",
            self.name, self.position.line
        )
    }

    /// Whether `Default` can be derived, or is implemented.
    fn has_default(&self, structs: &[HostStruct]) -> bool {
        let inner_has = |member: &HostMember| {
            let inner = member.ty.struct_name();
            let inner = structs.iter().find(|item| inner == Some(&item.name));
            inner.is_none_or(|item| item.has_default(structs))
        };
        let is_short = |member: &HostMember| member.ty.longest_array() <= DEFAULT_LENGTH_MAX;
        self.in_memory
            || self
                .members
                .iter()
                .all(|member| is_short(member) && inner_has(member))
    }

    /// A struct that is encoded when it is bound: members only, freely written as a literal.
    fn value_items(&self, path: &str, structs: &[HostStruct]) -> String {
        let name = identifier(&self.name);
        let default = if self.has_default(structs) {
            ", Default"
        } else {
            ""
        };
        let mut text = self.doc(path, ", encoded in WGSL's layout when it is bound");
        let _ = writeln!(
            text,
            "#[allow(non_camel_case_types, non_snake_case)]\n#[derive(Clone, Copy, Debug, PartialEq{default})]"
        );
        let _ = writeln!(text, "pub struct {name} {{");
        for member in &self.members {
            let _ = writeln!(
                text,
                "    /// `{}` in WGSL.\n    pub {}: {},",
                member.name,
                identifier(&member.name),
                member.ty
            );
        }
        let _ = writeln!(
            text,
            "}}\n\n#[allow(clippy::all, clippy::pedantic)]\nimpl {name} {{"
        );
        let _ = writeln!(text, "    fn encode(&self, words: &mut [u32]) {{");
        for member in &self.members {
            let value = format!("self.{}", identifier(&member.name));
            Encoder {
                text: &mut text,
                structs,
            }
            .encode(&member.ty, &value, (member.offset, ""), 2);
        }
        text + "    }\n}\n"
    }

    /// A struct with WGSL's layout, for the elements of arrays.
    fn memory_items(&self, path: &str, structs: &[HostStruct]) -> String {
        let name = identifier(&self.name);
        let pieces = self.pieces(structs);
        let mut text = self.doc(path, ", with WGSL's layout");
        text += "#[allow(non_camel_case_types, non_snake_case)]\n#[repr(C)]\n";
        text += "#[derive(Clone, Copy, ::impel::bytemuck::Pod, ::impel::bytemuck::Zeroable)]\n";
        text += "#[bytemuck(crate = \"::impel::bytemuck\")]\n";
        let _ = writeln!(text, "pub struct {name} {{");
        for (index, piece) in pieces.iter().enumerate() {
            let _ = match piece {
                Piece::Member(member) => {
                    writeln!(
                        text,
                        "    /// `{}` in WGSL.\n    pub {}: {},",
                        member.name,
                        identifier(&member.name),
                        member.ty
                    )
                }
                Piece::Padding(words) => {
                    writeln!(text, "    {}: [u32; {words}],", self.padding(index))
                }
            };
        }
        text += "}\n\n";
        text += &self.constructor(&pieces);
        text += &self.comparison();
        text
    }

    /// Members and the padding between and after them.
    fn pieces(&self, structs: &[HostStruct]) -> Vec<Piece<'_>> {
        let (mut pieces, mut end) = (Vec::new(), 0);
        for member in &self.members {
            if member.offset > end {
                pieces.push(Piece::Padding(member.offset - end));
            }
            pieces.push(Piece::Member(member));
            end = member.offset + words_of(&member.ty, structs);
        }
        if self.words > end {
            pieces.push(Piece::Padding(self.words - end));
        }
        pieces
    }

    /// Name of the padding that is piece `index`.
    fn padding(&self, index: usize) -> String {
        let mut name = format!("padding_{index}");
        while self.members.iter().any(|member| member.name == name) {
            name.push('_');
        }
        name
    }

    fn constructor(&self, pieces: &[Piece<'_>]) -> String {
        let name = identifier(&self.name);
        let parameters: Vec<_> = self
            .members
            .iter()
            .map(|member| format!("{}: {}", identifier(&member.name), member.ty))
            .collect();
        let mut text =
            format!("#[allow(non_snake_case, clippy::too_many_arguments)]\nimpl {name} {{\n");
        let _ = writeln!(
            text,
            "    /// A `{}` with these members; the padding between them is zero.",
            self.name
        );
        let _ = writeln!(
            text,
            "    #[must_use]\n    pub const fn new({}) -> Self {{\n        Self {{",
            parameters.join(", ")
        );
        for (index, piece) in pieces.iter().enumerate() {
            let _ = match piece {
                Piece::Member(member) => {
                    writeln!(text, "            {},", identifier(&member.name))
                }
                Piece::Padding(words) => {
                    writeln!(text, "            {}: [0; {words}],", self.padding(index))
                }
            };
        }
        text + "        }\n    }\n}\n\n"
    }

    /// Comparison, printing and default of the members alone: a kernel leaves the padding as it finds it.
    fn comparison(&self) -> String {
        let name = identifier(&self.name);
        let fields: Vec<_> = self
            .members
            .iter()
            .map(|member| identifier(&member.name))
            .collect();
        let equal: Vec<_> = fields
            .iter()
            .map(|field| format!("self.{field} == other.{field}"))
            .collect();
        let debug: String = self
            .members
            .iter()
            .zip(&fields)
            .fold(String::new(), |text, (member, field)| {
                text + &format!(".field({:?}, &self.{field})", member.name)
            });
        format!(
            "#[allow(clippy::all, clippy::pedantic)]\nimpl ::core::cmp::PartialEq for {name} {{\n    fn eq(&self, other: &Self) -> bool {{\n        {}\n    }}\n}}\n\n\
             #[allow(clippy::all, clippy::pedantic)]\nimpl ::core::fmt::Debug for {name} {{\n    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n        \
             f.debug_struct({:?}){debug}.finish()\n    }}\n}}\n\n\
             impl ::core::default::Default for {name} {{\n    fn default() -> Self {{\n        \
             ::impel::bytemuck::Zeroable::zeroed()\n    }}\n}}\n",
            equal.join(" && "),
            self.name
        )
    }
}

/// Size of a type on the host, in words, where arrays have WGSL's stride.
pub(super) fn words_of(ty: &HostType, structs: &[HostStruct]) -> u32 {
    match ty {
        HostType::Scalar(_) => 1,
        HostType::Vector(_, size) => *size,
        HostType::PaddedVector(_) => 4,
        HostType::Array(element, count) => stride_of(element, structs) * count,
        HostType::Struct(name) => structs
            .iter()
            .find(|item| item.name == *name)
            .map_or(0, |item| item.words),
    }
}

/// Words from one element of an array to the next.
fn stride_of(element: &HostType, structs: &[HostStruct]) -> u32 {
    match element {
        HostType::Vector(_, 3) => 4,
        other => words_of(other, structs),
    }
}

/// Writes statements that put values into the words of a buffer.
pub(super) struct Encoder<'a> {
    pub(super) text: &'a mut String,
    pub(super) structs: &'a [HostStruct],
}

impl Encoder<'_> {
    /// Puts `value`, a Rust expression, at the word `at`: a number and the terms of the loops around.
    pub(super) fn encode(&mut self, ty: &HostType, value: &str, at: (u32, &str), depth: usize) {
        match ty {
            HostType::Scalar(scalar) => self.word(*scalar, value, at, depth),
            HostType::Vector(scalar, size) => {
                for index in 0..*size {
                    self.word(
                        *scalar,
                        &format!("{value}[{index}]"),
                        (at.0 + index, at.1),
                        depth,
                    );
                }
            }
            HostType::PaddedVector(scalar) => {
                let components = HostType::Vector(*scalar, 3);
                self.encode(&components, &format!("{value}.components"), at, depth);
            }
            HostType::Array(element, count) => {
                let (index, stride) = (format!("i{depth}"), stride_of(element, self.structs));
                let step = if stride == 1 {
                    index.clone()
                } else {
                    format!("{index} * {stride}")
                };
                self.line(depth, &format!("for {index} in 0..{count} {{"));
                let terms = format!("{} + {step}", at.1);
                self.encode(
                    element,
                    &format!("{value}[{index}]"),
                    (at.0, &terms),
                    depth + 1,
                );
                self.line(depth, "}");
            }
            HostType::Struct(name) => self.nested(name, value, at, depth),
        }
    }

    fn line(&mut self, depth: usize, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "    ".repeat(depth));
    }

    fn word(&mut self, scalar: Scalar, value: &str, at: (u32, &str), depth: usize) {
        self.line(
            depth,
            &format!("words[{}] = {};", index(at), bits(scalar, value)),
        );
    }

    fn nested(&mut self, name: &str, value: &str, at: (u32, &str), depth: usize) {
        let Some(item) = self.structs.iter().find(|item| item.name == name) else {
            return;
        };
        let (from, to) = (index(at), index((at.0 + item.words, at.1)));
        let line = if item.in_memory {
            format!(
                "words[{from}..{to}].copy_from_slice(::impel::bytemuck::cast_slice(::core::slice::from_ref(&{value})));"
            )
        } else {
            format!("{value}.encode(&mut words[{from}..{to}]);")
        };
        self.line(depth, &line);
    }
}

/// The number of a word as a Rust expression.
fn index((offset, terms): (u32, &str)) -> String {
    if offset == 0 && !terms.is_empty() {
        terms.trim_start_matches(" + ").to_owned()
    } else {
        format!("{offset}{terms}")
    }
}

/// A scalar's bits as a Rust expression.
fn bits(scalar: Scalar, value: &str) -> String {
    match scalar {
        Scalar::F32 => format!("{value}.to_bits()"),
        Scalar::I32 => format!("{value}.cast_unsigned()"),
        Scalar::U32 | Scalar::Bool => value.to_owned(),
    }
}
