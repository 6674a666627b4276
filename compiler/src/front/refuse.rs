//! Which constructs of a well-formed WGSL module does impel not support? Each is refused by name, where it stands.

use naga::{Binding, BuiltIn, Module, ScalarKind, ShaderStage, Span, TypeInner};

use super::words::find_word;
use crate::diagnostic::{Diagnostic, Diagnostics, Source};

/// Refuses everything outside the supported language that a module's declarations show: stages, types and address spaces.
/// Statements and expressions are refused by lowering, which meets every reachable one.
pub(super) fn refuse_unsupported(module: &Module, source: &Source) -> Result<(), Diagnostics> {
    let mut found: Vec<Diagnostic> = Vec::new();
    found.extend(
        module
            .entry_points
            .iter()
            .filter_map(|entry| refuse_stage(entry, source)),
    );
    found.extend(
        module
            .entry_points
            .iter()
            .flat_map(|entry| refuse_inputs(entry, module, source)),
    );
    for (handle, ty) in module.types.iter() {
        if let Some(diagnostic) = refuse_type(&ty.inner, module.types.get_span(handle), source)
            && !found.contains(&diagnostic)
        {
            found.push(diagnostic);
        }
    }
    if found.is_empty() {
        found.extend(
            module
                .global_variables
                .iter()
                .filter_map(|(handle, variable)| {
                    refuse_space(variable, module.global_variables.get_span(handle), source)
                }),
        );
    }
    if found.is_empty() && module.entry_points.is_empty() {
        found.push(
            source
                .diagnose(Span::default(), "this shader has no entry point")
                .advise("mark a function with `@compute @workgroup_size(64)`"),
        );
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Diagnostics(found))
    }
}

/// A message about the word at `span`, if it belongs to a part of WGSL that impel leaves out.
pub(super) fn refuse_word(source: &Source, span: Span) -> Option<Diagnostic> {
    let word = source
        .excerpt(span)
        .split(|character: char| character != '_' && !character.is_alphanumeric())
        .next()?;
    let (refused, advice) = match word {
        "f16" | "subgroups" | "clip_distances" | "dual_source_blending" => {
            (format!("the extension `{word}` is"), CORE)
        }
        "binding_array" => ("binding arrays are".to_owned(), ONE_ARRAY),
        "f64" | "i64" | "u64" | "i16" | "u16" => (format!("the type `{word}` is"), narrower(word)),
        "quantizeToF16" => (format!("the function `{word}` is"), NO_F16),
        _ if is_texture(word) => (format!("`{word}`: textures and samplers are"), BUFFERS),
        _ if is_subgroup(word) => (format!("the subgroup operation `{word}` is"), SUBGROUPS),
        _ if is_of_fragments(word) => (
            format!("`{word}` belongs to the fragment stage: it is"),
            COMPUTE,
        ),
        _ if word.starts_with("wgpu_") || word.starts_with("ray_query") => {
            (format!("the extension `{word}` is"), CORE)
        }
        _ => return None,
    };
    Some(
        source
            .diagnose(span, format!("{refused} not supported"))
            .advise(advice),
    )
}

/// A message about the first word of the text that only other stages and subgroups have, where naga names no place in a function.
pub(super) fn refuse_body(source: &Source) -> Option<Diagnostic> {
    let refused = |word: &str| is_of_fragments(word) || is_subgroup(word) || is_texture(word);
    refuse_word(source, find_word(&source.text, refused)?)
}

/// Whether `word` is a predeclared type or function of textures and samplers.
fn is_texture(word: &str) -> bool {
    const DIMENSIONS: [&str; 8] = [
        "1d",
        "2d",
        "3d",
        "cube",
        "multisampled",
        "external",
        "depth",
        "storage",
    ];
    match word.strip_prefix("texture") {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_uppercase()) => true,
        Some(rest) => rest.strip_prefix('_').is_some_and(|rest| {
            DIMENSIONS
                .iter()
                .any(|dimension| rest.starts_with(dimension))
        }),
        None => matches!(word, "sampler" | "sampler_comparison"),
    }
}

/// Whether `word` is a predeclared name of subgroups.
fn is_subgroup(word: &str) -> bool {
    let upper_after = |prefix: &str| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    };
    let input = matches!(
        word,
        "subgroup_size" | "subgroup_invocation_id" | "subgroup_id" | "num_subgroups"
    );
    input || upper_after("subgroup") || upper_after("quad")
}

/// Whether `word` needs the fragments that a triangle is made of.
fn is_of_fragments(word: &str) -> bool {
    let derivative = |prefix: &str| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| matches!(rest, "" | "Coarse" | "Fine"))
    };
    word == "discard" || derivative("dpdx") || derivative("dpdy") || derivative("fwidth")
}

const COMPUTE: &str = "impel runs compute entry points, which have no neighbours on a screen";
const NO_F16: &str = "keep the value in `f32`";
const CORE: &str =
    "impel compiles core WGSL compute shaders: f32, i32, u32 and bool, without extensions";
const BUFFERS: &str = "keep the data in a `var<storage>` array and index it";
const ONE_ARRAY: &str = "bind one array and index into it";
const SUBGROUPS: &str = "use workgroup memory and `workgroupBarrier()`: the width of a subgroup differs between devices";

fn narrower(word: &str) -> &'static str {
    match word.as_bytes()[0] {
        b'f' => "use `f32`",
        b'i' => "use `i32`",
        _ => "use `u32`",
    }
}

fn refuse_stage(entry: &naga::EntryPoint, source: &Source) -> Option<Diagnostic> {
    if entry.stage == ShaderStage::Compute {
        return None;
    }
    let span = super::find_function(source, &entry.name);
    let stage = format!("{:?}", entry.stage).to_lowercase();
    Some(
        source
            .diagnose(
                span,
                format!("entry point `{}` belongs to the {stage} stage", entry.name),
            )
            .advise("impel runs compute entry points: move this one to a file of its own"),
    )
}

/// Inputs of an entry point other than those of WGSL's compute stage.
fn refuse_inputs(entry: &naga::EntryPoint, module: &Module, source: &Source) -> Vec<Diagnostic> {
    let bindings = entry.function.arguments.iter().flat_map(|argument| {
        match &module.types[argument.ty].inner {
            TypeInner::Struct { members, .. } => members
                .iter()
                .filter_map(|member| member.binding.clone())
                .collect(),
            _ => Vec::from_iter(argument.binding.clone()),
        }
    });
    bindings
        .filter_map(|binding| match binding {
            Binding::Location { .. }
            | Binding::BuiltIn(
                BuiltIn::GlobalInvocationId
                | BuiltIn::LocalInvocationId
                | BuiltIn::LocalInvocationIndex
                | BuiltIn::WorkGroupId
                | BuiltIn::NumWorkGroups,
            ) => None,
            Binding::BuiltIn(other) => {
                let squeezed = format!("{other:?}").to_lowercase();
                let is_named = |word: &str| word.replace('_', "") == squeezed;
                let place = find_word(&source.text, is_named).unwrap_or_default();
                let name = source.excerpt(place);
                Some(
                    source
                        .diagnose(
                            place,
                            format!("the builtin input `{name}` is not supported"),
                        )
                        .advise(SUBGROUPS),
                )
            }
        })
        .collect()
}

fn refuse_type(inner: &TypeInner, span: Span, source: &Source) -> Option<Diagnostic> {
    let refused = |prefix: &str, what: &str, advice: &str| {
        let place = if span.is_defined() {
            Some(span)
        } else {
            find_word(&source.text, |word| word.starts_with(prefix))
        };
        Some(
            source
                .diagnose(place.unwrap_or_default(), format!("{what} not supported"))
                .advise(advice),
        )
    };
    match inner {
        TypeInner::Atomic(scalar) if scalar.kind == ScalarKind::Float => refused(
            "atomic",
            "atomic floats are",
            "use `atomic<u32>` and `bitcast`, or sum in workgroup memory",
        ),
        TypeInner::Scalar(scalar)
        | TypeInner::Vector { scalar, .. }
        | TypeInner::Matrix { scalar, .. }
        | TypeInner::Atomic(scalar) => refuse_scalar(*scalar, span, source),
        TypeInner::Image { .. } => refused("texture", "textures are", BUFFERS),
        TypeInner::Sampler { .. } => refused("sampler", "samplers are", BUFFERS),
        TypeInner::AccelerationStructure { .. } | TypeInner::RayQuery { .. } => refused(
            "acceleration_structure",
            "ray queries are",
            "walk your own acceleration structure in a `var<storage>` array",
        ),
        TypeInner::BindingArray { .. } => refused("binding_array", "binding arrays are", ONE_ARRAY),
        TypeInner::CooperativeMatrix { .. } => refused(
            "coop_mat",
            "cooperative matrices are",
            "use tiles in workgroup memory",
        ),
        TypeInner::Pointer { .. }
        | TypeInner::ValuePointer { .. }
        | TypeInner::Array { .. }
        | TypeInner::Struct { .. } => None,
    }
}

fn refuse_scalar(scalar: naga::Scalar, span: Span, source: &Source) -> Option<Diagnostic> {
    let name = match (scalar.kind, scalar.width) {
        (ScalarKind::Bool | ScalarKind::AbstractInt | ScalarKind::AbstractFloat, _) | (_, 4) => {
            return None;
        }
        (ScalarKind::Float, width) => format!("f{}", width * 8),
        (ScalarKind::Sint, width) => format!("i{}", width * 8),
        (ScalarKind::Uint, width) => format!("u{}", width * 8),
    };
    let in_text = find_word(&source.text, |word| word == name);
    let place = in_text
        .or_else(|| find_word(&source.text, |word| is_shorthand(word, &name)))
        .unwrap_or(span);
    Some(
        source
            .diagnose(place, format!("the type `{name}` is not supported"))
            .advise(narrower(&name)),
    )
}

/// `vec3h` and `mat2x2h` name `f16` without the word.
fn is_shorthand(word: &str, scalar: &str) -> bool {
    scalar == "f16" && (word.starts_with("vec") || word.starts_with("mat")) && word.ends_with('h')
}

fn refuse_space(
    variable: &naga::GlobalVariable,
    span: Span,
    source: &Source,
) -> Option<Diagnostic> {
    use naga::AddressSpace as Space;
    match variable.space {
        Space::Function | Space::Private | Space::WorkGroup | Space::Uniform | Space::Storage { .. } => None,
        Space::Immediate => Some(
            source
                .diagnose(span, "immediates (push constants) are not supported")
                .advise("use `@group(0) @binding(0) var<uniform>`: impel passes its content with the launch"),
        ),
        Space::Handle | Space::TaskPayload | Space::RayPayload | Space::IncomingRayPayload => {
            Some(source.diagnose(span, "this address space is not supported in compute shaders"))
        }
    }
}
