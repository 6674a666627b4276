//! What do naga's messages mean to somebody who writes WGSL, and what can be written instead?

/// Words of naga's message, what to say in its place (naga's own text if nothing), and what to write instead.
const EXPLAINED: &[(&str, Option<&str>, Option<&str>)] = &[
    (
        "valid destination for a store",
        Some("this cannot be assigned to"),
        Some(
            "`var<storage>` is read-only unless it says so: `var<storage, read_write>`; `let` values and `var<uniform>` never change",
        ),
    ),
    (
        "is not a multiple of the required alignment",
        None,
        Some(
            "in `var<uniform>`, elements of arrays and inner structs take multiples of 16 bytes: use `vec4` elements, or bind it as `var<storage, read>`",
        ),
    ),
    (
        "Type flags",
        Some("a value of this type cannot be shared with the host"),
        Some(
            "buffers hold f32, i32, u32, and vectors, matrices, arrays and structs of them; keep truth values as `u32`",
        ),
    ),
    (
        "The type is not host-shareable",
        Some("a value of this type cannot be shared with the host"),
        Some(
            "buffers hold f32, i32, u32, and vectors, matrices, arrays and structs of them; keep truth values as `u32`",
        ),
    ),
    (
        "Workgroup size is out of range",
        None,
        Some("each of its three numbers is at least 1 and at most 16384"),
    ),
    (
        "Bindings for",
        Some("two variables that this entry point uses have the same `@group` and `@binding`"),
        Some("give each its own number"),
    ),
    (
        "Binding decoration is missing",
        Some("this variable has no place to be bound"),
        Some("put `@group(0) @binding(n)` before `var`"),
    ),
    (
        "Entry point arguments and return values must all have bindings",
        Some("an input of the entry point has no `@builtin(…)`"),
        Some(
            "pass data through buffers; an entry point takes builtin values such as `@builtin(global_invocation_id)` only",
        ),
    ),
    (
        "is not statically sized",
        Some("a runtime-sized array stands where its size must be known"),
        Some(
            "only the last member of a struct in `var<storage>` can be `array<T>`; give the others a size, `array<T, n>`",
        ),
    ),
    (
        "Atomic operation is invalid",
        None,
        Some(
            "atomics are `atomic<u32>` and `atomic<i32>` in `var<storage, read_write>` or `var<workgroup>`",
        ),
    ),
    (
        "Support for subgroup operation",
        Some("subgroup operations are not supported"),
        Some(
            "use workgroup memory and `workgroupBarrier()`: the width of a subgroup differs between devices",
        ),
    ),
    (
        "apability",
        Some("this needs an extension that impel does not support"),
        Some(
            "impel compiles core WGSL compute shaders: f32, i32, u32 and bool, without extensions",
        ),
    ),
    (
        "operations forbidden at this stage",
        Some("this entry point uses what only fragment shaders can do"),
        Some(
            "derivatives such as `dpdx` and sampling without a level have no meaning in a compute shader",
        ),
    ),
    (
        "can't work with",
        Some("the operands of this operator do not fit each other"),
        Some(
            "WGSL converts nothing by itself: write `f32(x)`, `i32(x)`, `u32(x)`, or vectors of the same size",
        ),
    ),
    (
        "can't be dynamically-sized",
        Some("a runtime-sized array stands where its size must be known"),
        Some(
            "only the last member of a struct in `var<storage>` can be `array<T>`; give the others a size, `array<T, n>`",
        ),
    ),
    (
        "Storage address space doesn't support write-only access",
        None,
        Some("write `var<storage, read_write>`"),
    ),
    (
        "does not match the declared return type",
        Some("this function does not return a value of its type on every path"),
        Some(
            "a `return` with a value must stand at its end, also behind a loop that is never left by a `break`",
        ),
    ),
    (
        "The `switch` is missing a `default` case",
        None,
        Some("add `default: {}`"),
    ),
];

/// A message for people, and what to write instead if anything is known.
pub(super) fn explain(message: &str) -> (String, Option<&'static str>) {
    let found = EXPLAINED.iter().find(|(words, ..)| message.contains(words));
    match found {
        Some((_, said, advice)) => (
            said.map_or_else(|| decapitalised(message), str::to_owned),
            *advice,
        ),
        None => (decapitalised(message), None),
    }
}

/// rustc's messages begin with a small letter.
fn decapitalised(message: &str) -> String {
    let mut characters = message.chars();
    let second_is_small = message.chars().nth(1).is_some_and(char::is_lowercase);
    match characters.next() {
        Some(first) if second_is_small || first == 'A' => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => message.to_owned(),
    }
}
