//! The `shader!` macro of impel: reads the WGSL, calls the compiler, and places its messages. No logic.

mod input;

use std::fs;
use std::path::PathBuf;

use impel_compiler::front::Options;
use proc_macro::TokenStream;

use input::{Input, Mistake, Wgsl};

/// Compiles WGSL into a module of typed launchers.
///
/// ```text
/// impel::shader!(pub mod saxpy = "shaders/saxpy.wgsl");
/// impel::shader!(mod tuned = "shaders/tile.wgsl", strict, overrides { TILE = 32, SCALE = 0.5 });
/// impel::shader!(mod inline, wgsl = r#"@compute @workgroup_size(64) fn f() {}"#);
/// ```
///
/// Paths are relative to the crate that uses the macro, and the file is tracked: a change to it recompiles the crate.
/// After the source, in any order:
///
/// - `strict`: on the CPU, every operation rounds by itself; `a * b + c` is not fused.
/// - `overrides { NAME = number, … }`: values of WGSL's `override` declarations; the others take their defaults.
///
/// The module holds, for each file: structs for uniform buffers, structs for elements of storage arrays, one struct per entry
/// point with a field per binding, whose methods `over` and `workgroups` make launches of it, and constants.
#[proc_macro]
pub fn shader(tokens: TokenStream) -> TokenStream {
    // `pub mod saxpy`, as far as it was understood: after a mistake the module is still there, so that there is one message.
    let mut head = TokenStream::new();
    let outcome = input::parse(tokens, &mut head).and_then(|input| expand(&input));
    outcome.unwrap_or_else(|mistake| mistake.into_compile_error(&head))
}

fn expand(input: &Input) -> Result<TokenStream, Mistake> {
    let (text, path, tracked) = match &input.wgsl {
        Wgsl::Inline { text } => (
            text.clone(),
            format!("inline WGSL of mod {}", input.name),
            String::new(),
        ),
        Wgsl::File { path } => {
            let text = read(path).map_err(|message| Mistake::new(message, input.source_span))?;
            let tracked = format!(
                "const _: &[u8] = ::core::include_bytes!(::core::concat!(::core::env!(\"CARGO_MANIFEST_DIR\"), \"/\", {path:?}));"
            );
            (text, path.clone(), tracked)
        }
    };
    let options = Options {
        overrides: input.overrides.clone(),
        strict: input.strict,
    };
    let compiled = impel_compiler::compile(&text, &path, &options);
    let compiled = compiled.map_err(|diagnostics| {
        let text = diagnostics.to_string();
        // rustc says "error:" before it.
        Mistake::new(text.trim_start_matches("error: "), input.source_span)
    })?;
    let about = format!("The kernels of `{path}`.");
    let source = format!("{{ #![doc = {about:?}] {tracked} {} }}", compiled.to_rust());
    let body: TokenStream = source.parse().map_err(|error| {
        Mistake::new(
            format!("generated code does not parse: {error}"),
            input.source_span,
        )
    })?;
    let mut module: TokenStream = input.head.clone();
    module.extend(body);
    Ok(module)
}

fn read(path: &str) -> Result<String, String> {
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    fs::read_to_string(root.join(path)).map_err(|error| format!("cannot read `{path}`: {error}; the path is relative to the folder of the crate's Cargo.toml"))
}
