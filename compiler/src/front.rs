//! Which module does this WGSL text denote? Parsed and validated by naga, overrides resolved, and free of every construct that
//! impel does not lower.

mod explain;
mod refuse;
mod words;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use naga::proc::{IndexableLength, Layouter};
use naga::valid::{Capabilities, ModuleInfo, ValidationError, ValidationFlags, Validator};
use naga::{ArraySize, Module, Span, Type, TypeInner};

use explain::explain;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::stack::on_big_stack;

/// What a compilation can choose.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Values of `override` declarations by name (or by decimal `@id` where one is declared). The others take their defaults.
    pub overrides: BTreeMap<String, f64>,
    /// No contraction of `a * b + c` on the CPU: each operation rounds by itself.
    pub strict: bool,
}

/// A module that the later passes can rely on: valid, without overrides, with at least one compute entry point and no other.
#[derive(Debug)]
pub struct Front {
    /// The text, for messages.
    pub source: Source,
    /// naga's IR.
    pub module: Module,
    /// naga's types of every expression.
    pub info: ModuleInfo,
    /// Sizes and alignments of the module's types.
    pub layouter: Layouter,
    /// The overrides that the text declares, with the values they got.
    pub overrides: Vec<Override>,
}

/// A resolved `override` declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// WGSL name.
    pub name: String,
    /// Its value.
    pub value: naga::Literal,
    /// The declaration.
    pub span: Span,
}

/// Parses and checks `source`.
///
/// # Errors
/// Everything that WGSL forbids, every construct that impel does not support, and overrides without a value.
pub fn parse(source: &str, path: &str, options: &Options) -> Result<Front, Diagnostics> {
    let source = Source::new(path, source);
    on_big_stack(|| parse_on_this_stack(source, options))
}

fn parse_on_this_stack(source: Source, options: &Options) -> Result<Front, Diagnostics> {
    let parsed =
        naga::front::wgsl::parse_str(&source.text).map_err(|error| parse_error(&source, &error))?;
    refuse::refuse_unsupported(&parsed, &source)?;
    let info = validate(&parsed, &source)?;
    check_override_values(&parsed, &source, options)?;
    let overrides = declared_overrides(&parsed);
    let (module, info) = resolve_overrides(parsed, info, &source, options)?;
    let overrides = overrides
        .into_iter()
        .filter_map(|(name, span)| {
            Some(Override {
                value: constant_value(&module, &name)?,
                name,
                span,
            })
        })
        .collect();
    let mut layouter = Layouter::default();
    layouter
        .update(module.to_ctx())
        .map_err(|error| source.diagnose(Span::default(), error.to_string()))?;
    Ok(Front {
        source,
        module,
        info,
        layouter,
        overrides,
    })
}

/// naga's own message, unless the offending word names something that impel refuses.
fn parse_error(source: &Source, error: &naga::front::wgsl::ParseError) -> Diagnostic {
    let span = error
        .labels()
        .next()
        .map_or(Span::default(), |(span, _)| span);
    if let Some(refused) = refuse::refuse_word(source, span) {
        return refused;
    }
    let diagnostic = source.diagnose(span, error.message());
    let notes: Vec<&str> = error.notes().collect();
    match notes.as_slice() {
        [] => diagnostic,
        [heading, list @ ..] if heading.ends_with(':') => {
            let types = list
                .iter()
                .map(|note| note.trim_start_matches("allowed type: "));
            let here = types.filter(|name| {
                !["{", "16", "64"]
                    .iter()
                    .any(|left_out| name.contains(left_out))
            });
            diagnostic.advise(format!("{heading} {}", here.collect::<Vec<_>>().join(", ")))
        }
        [note, ..] => diagnostic.advise(*note),
    }
}

fn validate(module: &Module, source: &Source) -> Result<ModuleInfo, Diagnostic> {
    // naga's uniformity takes every local for divergent; the variance pass has the flow-sensitive check.
    let flags = ValidationFlags::all() - ValidationFlags::CONTROL_FLOW_UNIFORMITY;
    let mut validator = Validator::new(flags, Capabilities::empty());
    validator.validate(module).map_err(|error| {
        let span = match (error.spans().next(), error.as_inner()) {
            (Some((span, _)), _) => *span,
            (None, ValidationError::EntryPoint { name, .. }) => find_function(source, name),
            (None, _) => Span::default(),
        };
        let said = innermost_message(error.as_inner());
        if ["apability", "forbidden at this stage", "cast"]
            .iter()
            .any(|hint| said.contains(hint))
            && let Some(refused) =
                refuse::refuse_word(source, span).or_else(|| refuse::refuse_body(source))
        {
            return refused;
        }
        let (message, advice) = explain(&said);
        let diagnostic = source.diagnose(span, message);
        match advice {
            Some(advice) => diagnostic.advise(advice),
            None => diagnostic,
        }
    })
}

/// The most specific of a chain of errors, without naga's arena handles.
fn innermost_message(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let mut message = String::new();
    let mut depth = 0_u32;
    for character in innermost.to_string().chars() {
        match character {
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            _ if depth == 0 => message.push(character),
            _ => {}
        }
    }
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn override_key(declared: &naga::Override) -> Option<String> {
    declared
        .id
        .map(|id| id.to_string())
        .or_else(|| declared.name.clone())
}

/// Every given value has a declaration, and every declaration has a value or a default.
fn check_override_values(
    module: &Module,
    source: &Source,
    options: &Options,
) -> Result<(), Diagnostics> {
    let mut found = Vec::new();
    let keys: Vec<_> = module
        .overrides
        .iter()
        .filter_map(|(_, declared)| override_key(declared))
        .collect();
    for given in options
        .overrides
        .keys()
        .filter(|given| !keys.contains(given))
    {
        let declared = if keys.is_empty() {
            "it declares none".to_owned()
        } else {
            format!("it declares {}", keys.join(", "))
        };
        found.push(
            source
                .diagnose(Span::default(), format!("a value is given for override `{given}`, which this shader does not declare"))
                .advise(declared),
        );
    }
    for (handle, declared) in module
        .overrides
        .iter()
        .filter(|(_, declared)| declared.init.is_none())
    {
        let Some(key) = override_key(declared).filter(|key| !options.overrides.contains_key(key))
        else {
            continue;
        };
        let name = declared.name.as_deref().unwrap_or(&key);
        found.push(
            source
                .diagnose(module.overrides.get_span(handle), format!("override `{name}` has no value"))
                .advise(format!("give it one, `shader!(… = \"…\", overrides {{ {name} = … }})`, or a default, `override {name}: … = …;`")),
        );
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Diagnostics(found))
    }
}

fn declared_overrides(module: &Module) -> Vec<(String, Span)> {
    module
        .overrides
        .iter()
        .filter_map(|(handle, declared)| {
            Some((declared.name.clone()?, module.overrides.get_span(handle)))
        })
        .collect()
}

fn resolve_overrides(
    module: Module,
    info: ModuleInfo,
    source: &Source,
    options: &Options,
) -> Result<(Module, ModuleInfo), Diagnostic> {
    if module.overrides.is_empty() {
        return Ok((module, info));
    }
    let mut values = naga::back::PipelineConstants::default();
    values.extend(
        options
            .overrides
            .iter()
            .map(|(name, value)| (name.clone(), *value)),
    );
    let declared = module
        .overrides
        .iter()
        .next()
        .map_or(Span::default(), |(handle, _)| {
            module.overrides.get_span(handle)
        });
    let resolved = naga::back::pipeline_constants::process_overrides(&module, &info, None, &values)
        .map_err(|error| {
            source.diagnose(
                declared,
                format!(
                    "the overrides cannot be resolved: {}",
                    explain(&innermost_message(&error)).0
                ),
            )
        })?;
    let (mut module, info) = (resolved.0.into_owned(), resolved.1.into_owned());
    if !size_arrays(&mut module) {
        return Ok((module, info));
    }
    let info = validate(&module, source)?;
    Ok((module, info))
}

/// Gives arrays of a size that overrides decide their size. The types keep apart from others of the same size by a name, which
/// arrays do not have otherwise. Returns whether there were any.
fn size_arrays(module: &mut Module) -> bool {
    let sized: Vec<_> = module
        .types
        .iter()
        .filter_map(|(handle, ty)| match ty.inner {
            TypeInner::Array {
                base,
                size: size @ ArraySize::Pending(_),
                stride,
            } => {
                let Ok(IndexableLength::Known(length)) = size.resolve(module.to_ctx()) else {
                    return None;
                };
                let size = ArraySize::Constant(NonZeroU32::new(length)?);
                let name = Some(format!("sized by an override, type {}", handle.index()));
                Some((
                    handle,
                    Type {
                        name,
                        inner: TypeInner::Array { base, size, stride },
                    },
                ))
            }
            _ => None,
        })
        .collect();
    let any = !sized.is_empty();
    for (handle, ty) in sized {
        module.types.replace(handle, ty);
    }
    any
}

/// The name in the declaration of the function called `name`; naga keeps no spans of entry points.
pub(crate) fn find_function(source: &Source, name: &str) -> Span {
    let mut previous = "";
    for (start, word) in words::words(&source.text) {
        if previous == "fn" && word == name {
            return Span::new(start as u32, (start + word.len()) as u32);
        }
        previous = word;
    }
    Span::default()
}

/// The literal behind the constant called `name`; none if it is unused and was dropped.
fn constant_value(module: &Module, name: &str) -> Option<naga::Literal> {
    let (_, constant) = module
        .constants
        .iter()
        .find(|(_, constant)| constant.name.as_deref() == Some(name))?;
    match module.global_expressions[constant.init] {
        naga::Expression::Literal(literal) => Some(literal),
        _ => None,
    }
}
