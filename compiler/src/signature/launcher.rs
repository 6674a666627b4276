//! What does a user write to launch a kernel? A struct per entry point with a field per binding, and constants beside it.

use std::fmt::Write;

use super::names::{camel_case, identifier, upper_case};
use super::structs::Encoder;
use super::{BindingSignature, HostConstant, KernelSignature, Signature};
use crate::ir::{Literal, Space};

impl Signature {
    /// The module's structs and constants as Rust items.
    pub fn items(&self) -> String {
        let mut text = String::new();
        for item in &self.structs {
            text += &item.to_rust(&self.path, &self.structs);
            text += "\n";
        }
        for constant in &self.constants {
            text += &constant.to_rust(&self.path);
        }
        text
    }

    /// A kernel's launcher. `descriptor` names the static that describes the kernel.
    pub fn launcher(&self, kernel: &KernelSignature, descriptor: &str) -> String {
        let mut text = self.launcher_struct(kernel);
        text += &self.grids(kernel);
        text += &self.arguments(kernel, descriptor);
        let [x, y, z] = kernel.workgroup_size;
        let _ = writeln!(
            text,
            "/// Invocations per workgroup of `{}` along x, y and z.",
            kernel.name
        );
        let _ = writeln!(
            text,
            "pub const {}_WORKGROUP_SIZE: [u32; 3] = [{x}, {y}, {z}];\n",
            upper_case(&kernel.name)
        );
        text
    }

    fn launcher_struct(&self, kernel: &KernelSignature) -> String {
        let (name, generics) = (identifier(&kernel.name), self.generics(kernel));
        let mut text = format!(
            "/// Arguments of the kernel `{}` of `{}`, line {}.\n///\n/// Workgroups have {} invocations.\n",
            kernel.name,
            self.path,
            kernel.position.line,
            kernel
                .workgroup_size
                .map(|size| size.to_string())
                .join(" × "),
        );
        text += "#[allow(non_camel_case_types, non_snake_case)]\n#[derive(Debug)]\n";
        let list = angled(&generics);
        let _ = writeln!(text, "pub struct {name}{list} {{");
        let mut generics = generics.iter();
        for binding in &kernel.bindings {
            let _ = writeln!(
                text,
                "    /// `{}`, line {}{}.",
                binding.declaration,
                binding.position.line,
                binding.note()
            );
            let field = identifier(&binding.name);
            let _ = match binding.space {
                Space::Uniform => writeln!(text, "    pub {field}: {},", binding.ty),
                _ => writeln!(
                    text,
                    "    pub {field}: {},",
                    generics.next().expect("a storage binding has a parameter")
                ),
            };
        }
        text + "}\n\n"
    }

    /// Names of the type parameters, one per storage binding.
    fn generics(&self, kernel: &KernelSignature) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for binding in kernel
            .bindings
            .iter()
            .filter(|binding| binding.space != Space::Uniform)
        {
            let mut name = camel_case(&binding.name);
            let taken = |name: &String| {
                names.contains(name)
                    || self.structs.iter().any(|item| item.name == *name)
                    || self.kernels.iter().any(|kernel| kernel.name == *name)
            };
            while name.is_empty() || name == "Self" || taken(&name) {
                name += "Argument";
            }
            names.push(name);
        }
        names
    }

    /// Which arrays the type parameters stand for.
    fn bounds(&self, kernel: &KernelSignature) -> Vec<String> {
        let storage = kernel
            .bindings
            .iter()
            .filter(|binding| binding.space != Space::Uniform);
        storage
            .zip(self.generics(kernel))
            .map(|(binding, generic)| {
                let role = if binding.space == Space::StorageRead {
                    "ReadArgument"
                } else {
                    "WriteArgument"
                };
                format!("{generic}: ::impel::launch::{role}<{}>", binding.ty)
            })
            .collect()
    }

    /// The methods that turn arguments into a launch. The bounds stand on them, not on the struct: so rustc says which argument does
    /// not fit, and says it once.
    fn grids(&self, kernel: &KernelSignature) -> String {
        let (name, list) = (identifier(&kernel.name), angled(&self.generics(kernel)));
        let mut bounds = String::new();
        for bound in self.bounds(kernel) {
            let _ = writeln!(bounds, "        {bound} + 'a,");
        }
        let clause = if bounds.is_empty() {
            String::new()
        } else {
            format!("\n    where\n{bounds}   ")
        };
        let mut text = format!(
            "#[allow(dead_code, clippy::all, clippy::pedantic)]\nimpl{list} {name}{list} {{\n"
        );
        let methods = [
            (
                "over",
                "invocations",
                "A launch of at least this many invocations along x, y, z, in whole workgroups.",
            ),
            (
                "workgroups",
                "workgroups",
                "A launch of this many workgroups along x, y, z.",
            ),
        ];
        for (method, extent, about) in methods {
            let _ = writeln!(
                text,
                "    /// {about}\n    pub fn {method}<'a>(self, {extent}: impl Into<::impel::launch::Extent>) -> ::impel::Launch<'a>{clause} {{\n        ::impel::Launch::{method}(self, {extent})\n    }}"
            );
        }
        text + "}\n\n"
    }

    fn arguments(&self, kernel: &KernelSignature, descriptor: &str) -> String {
        let name = identifier(&kernel.name);
        let (bounds, list) = (angled(&self.bounds(kernel)), angled(&self.generics(kernel)));
        let mut text = format!(
            "#[allow(clippy::all, clippy::pedantic)]\nimpl{bounds} ::impel::launch::Arguments for {name}{list} {{\n"
        );
        let _ = writeln!(
            text,
            "    fn kernel() -> &'static ::impel::kernel::Kernel {{\n        &{descriptor}\n    }}\n"
        );
        let binder = if kernel.bindings.is_empty() {
            "_binder"
        } else {
            "binder"
        };
        let _ = writeln!(
            text,
            "    fn bind(self, {binder}: &mut ::impel::launch::Binder) {{"
        );
        for binding in &kernel.bindings {
            self.bind(&mut text, binding);
        }
        text + "    }\n}\n\n"
    }

    fn bind(&self, text: &mut String, binding: &BindingSignature) {
        let field = identifier(&binding.name);
        let _ = match binding.space {
            Space::Uniform => {
                let _ = writeln!(
                    text,
                    "        let mut words = [0_u32; {}];",
                    binding.fixed_words
                );
                let value = format!("self.{field}");
                Encoder {
                    text,
                    structs: &self.structs,
                }
                .encode(&binding.ty, &value, (0, ""), 2);
                writeln!(text, "        binder.uniform(&words);")
            }
            Space::StorageRead => writeln!(
                text,
                "        binder.read::<{}>(&self.{field});",
                binding.ty
            ),
            Space::StorageReadWrite => writeln!(
                text,
                "        binder.write::<{}>(&self.{field});",
                binding.ty
            ),
        };
    }
}

/// A list of type parameters, if there are any.
fn angled(parameters: &[String]) -> String {
    match parameters {
        [] => String::new(),
        _ => format!("<{}>", parameters.join(", ")),
    }
}

impl BindingSignature {
    /// What a user should know about the argument beyond its declaration.
    fn note(&self) -> String {
        match (self.space, self.stride_words, self.fixed_words) {
            (Space::Uniform, ..) | (_, 1.., 0) => String::new(),
            (_, 0, words) => format!(": an array of at least {words} words"),
            (_, stride, fixed) => {
                format!(
                    ": an array of words, of which the first {fixed} are the members before the runtime-sized array, and {stride} follow for each element"
                )
            }
        }
    }

    /// The binding as a Rust expression of type `impel::kernel::Binding`.
    pub fn to_rust(&self) -> String {
        let space = match self.space {
            Space::Uniform => "Uniform",
            Space::StorageRead => "StorageRead",
            Space::StorageReadWrite => "StorageReadWrite",
        };
        format!(
            "::impel::kernel::Binding {{ name: {:?}, group: {}, binding: {}, space: ::impel::kernel::Space::{space}, fixed_words: {}, stride_words: {} }}",
            self.name, self.group, self.binding, self.fixed_words, self.stride_words
        )
    }
}

impl HostConstant {
    fn to_rust(&self, path: &str) -> String {
        let value = match self.value {
            Literal::F32(value) if value.is_finite() => format!("{value:?}"),
            Literal::F32(value) => format!("f32::from_bits({})", value.to_bits()),
            Literal::I32(value) => value.to_string(),
            Literal::U32(value) => value.to_string(),
            Literal::Bool(value) => value.to_string(),
        };
        let (kind, name) = (
            if self.is_override {
                "override"
            } else {
                "const"
            },
            identifier(&self.name),
        );
        format!(
            "/// `{kind} {}` of `{path}`, line {}.\n#[allow(non_upper_case_globals, clippy::all, clippy::pedantic)]\npub const {name}: {} = {value};\n\n",
            self.name,
            self.position.line,
            self.value.ty()
        )
    }
}
