//! How does a kernel run where only a range of an array is bound? Its text with every index counted from the first bound element.
//!
//! Windows are for bindings that are runtime-sized arrays. The launch description has a vector for each of them, in the order of
//! the bindings: the first bound element, and the number of elements of the whole array, which `arrayLength` tells.

use std::fmt::Write;

use naga::{AddressSpace, Module, TypeInner};

/// A runtime-sized array that may be bound in part.
struct Windowed {
    /// As written.
    name: String,
    /// Its vector in the launch description.
    number: usize,
}

/// Number of bindings that may be bound in part.
pub(super) fn count(module: &Module) -> usize {
    bindings(module).len()
}

/// The bindings that are runtime-sized arrays, ascending.
fn bindings(module: &Module) -> Vec<u32> {
    let is_array = |variable: &naga::GlobalVariable| {
        let ty = &module.types[variable.ty].inner;
        let unsized_array = matches!(
            ty,
            TypeInner::Array {
                size: naga::ArraySize::Dynamic,
                ..
            }
        );
        unsized_array && matches!(variable.space, AddressSpace::Storage { .. })
    };
    let variables = module.global_variables.iter().map(|(_, variable)| variable);
    let mut bindings: Vec<u32> = variables
        .filter(|variable| is_array(variable))
        .filter_map(|variable| Some(variable.binding?.binding))
        .collect();
    bindings.sort_unstable();
    bindings
}

/// `wgsl`, written from `module`, with each index of such an array counted from its window's start. `launch` is the name of the
/// launch description. None if an array is used otherwise than by index and length.
pub(super) fn with_windows(wgsl: &str, module: &Module, launch: &str) -> Option<String> {
    let arrays: Vec<Windowed> = bindings(module)
        .iter()
        .enumerate()
        .map(|(number, binding)| Windowed {
            name: written_name(wgsl, *binding),
            number,
        })
        .collect();
    let mut out = String::with_capacity(wgsl.len() * 2);
    rewrite(wgsl, &arrays, launch, &mut out).then_some(out)
}

/// The name of the variable at a binding of group 0.
fn written_name(wgsl: &str, binding: u32) -> String {
    let place = format!("@group(0) @binding({binding}) ");
    let at = wgsl.find(&place).expect("every binding is declared");
    let declaration = &wgsl[at + place.len()..];
    let rest = declaration
        .split_once('>')
        .map_or("", |(_, rest)| rest.trim_start());
    let (name, _) = rest.split_once(':').expect("a declaration has a type");
    name.trim().to_owned()
}

/// Appends `text` to `out`; whether every use of an array could be rewritten.
fn rewrite(text: &str, arrays: &[Windowed], launch: &str, out: &mut String) -> bool {
    let mut rest = text;
    let mut before = None;
    while let Some(found) = next_word(rest, before) {
        let (start, end) = found;
        let word = &rest[start..end];
        let after = &rest[end..];
        if word == "arrayLength" {
            let Some((argument, tail)) = parenthesised(after) else {
                return false;
            };
            let name = argument.trim_matches(['(', ')', '&', ' ']);
            if let Some(array) = arrays.iter().find(|array| array.name == name) {
                out.push_str(&rest[..start]);
                // Writing to a String cannot fail.
                let _ = write!(out, "{launch}.windows[{}u].y", array.number);
                before = Some(')');
                rest = tail;
                continue;
            }
        } else if let Some(array) = arrays.iter().find(|array| array.name == word) {
            if let Some((index, tail)) = bracketed(after) {
                out.push_str(&rest[..end]);
                out.push_str("[u32(");
                if !rewrite(index, arrays, launch, out) {
                    return false;
                }
                let _ = write!(out, ") - {launch}.windows[{}u].x]", array.number);
                before = Some(']');
                rest = tail;
                continue;
            }
            if !after.starts_with(':') {
                return false;
            }
        }
        out.push_str(&rest[..end]);
        before = rest[..end].chars().next_back();
        rest = after;
    }
    out.push_str(rest);
    true
}

/// Where the next identifier is that is no member of something; `before` is the character before the text.
fn next_word(text: &str, before: Option<char>) -> Option<(usize, usize)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut last = before;
    let mut start = None;
    for (at, c) in text.char_indices() {
        match start {
            None if is_part(c) && !last.is_some_and(|last| is_part(last) || last == '.') => {
                start = Some(at);
            }
            Some(start) if !is_part(c) => return Some((start, at)),
            _ => {}
        }
        last = Some(c);
    }
    start.map(|start| (start, text.len()))
}

/// What stands in the brackets that `text` begins with, and what follows them.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    enclosed(text, '[', ']')
}

/// What stands in the parentheses that `text` begins with, and what follows them.
fn parenthesised(text: &str) -> Option<(&str, &str)> {
    enclosed(text, '(', ')')
}

fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    if !text.starts_with(open) {
        return None;
    }
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some((&text[1..at], &text[at + 1..]));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::front::{Options, parse};
    use crate::gpu::gpu_module;

    fn windowed(text: &str) -> Option<String> {
        let front = parse(text, "window.wgsl", &Options::default()).unwrap();
        gpu_module(&front, 0).windowed
    }

    #[test]
    fn indices_are_counted_from_the_window_and_lengths_are_told() {
        let text = windowed(
            "struct Row { x: vec2<f32>, }
             @group(0) @binding(0) var<storage> x: array<u32>;
             @group(0) @binding(1) var<storage, read_write> rows: array<Row>;
             @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
                 let n = arrayLength(&rows);
                 if (id.x < n) { rows[x[id.x]].x[1] = f32(x[7]); }
             }",
        )
        .unwrap();
        assert!(
            text.contains("x[u32(7) - impel_launch.windows[0u].x]"),
            "{text}"
        );
        assert!(text.contains("impel_launch.windows[1u].y"), "{text}");
        assert!(text.contains("].x.y"), "members stay: {text}");
        assert!(text.contains("windows: array<vec4<u32>, 2>"), "{text}");
    }

    #[test]
    fn kernels_without_runtime_sized_arrays_need_no_windows() {
        let fixed = "@group(0) @binding(0) var<storage, read_write> x: array<u32, 4>;
             @compute @workgroup_size(1) fn main() { x[1] = 2u; }";
        assert_eq!(windowed(fixed), None);
    }
}
