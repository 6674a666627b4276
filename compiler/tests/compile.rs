//! Does a whole file compile to a module that holds together?

use impel_compiler::compile;
use impel_compiler::front::Options;

/// The WGSL files in a folder of the repository.
fn shaders_in(folder: &str) -> Vec<(String, String)> {
    let folder = format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wgsl")
        })
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_kernel_and_corpus_shader_compiles_to_one_module() {
    for (path, source) in shaders_in("shaders")
        .into_iter()
        .chain(shaders_in("tests/shaders/in"))
    {
        let compiled =
            compile(&source, &path, &Options::default()).unwrap_or_else(|found| panic!("{found}"));
        let text = compiled.to_rust();
        for kernel in &compiled.signature.kernels {
            assert!(
                text.contains(&format!("pub struct {}", kernel.name)),
                "{text}"
            );
        }
        assert!(!text.contains("unsafe"), "generated code is safe: {path}");
        assert_eq!(
            text.matches('{').count(),
            text.matches('}').count(),
            "{path}"
        );
    }
}

#[test]
fn the_fingerprint_follows_text_and_options_only() {
    let (path, source) = &shaders_in("shaders")[0];
    let fingerprint = |source: &str, path: &str, options: &Options| {
        compile(source, path, options).unwrap().fingerprint
    };
    let plain = fingerprint(source, path, &Options::default());
    assert_eq!(
        plain,
        fingerprint(source, "elsewhere.wgsl", &Options::default())
    );
    assert_ne!(
        plain,
        fingerprint(&format!("{source} "), path, &Options::default())
    );
    let strict = Options {
        strict: true,
        ..Options::default()
    };
    assert_ne!(plain, fingerprint(source, path, &strict));
}

#[test]
fn a_mistake_in_one_entry_point_is_told_once() {
    let source = "
        var<workgroup> w: u32;
        @compute @workgroup_size(64) fn a() {}
        @compute @workgroup_size(64) fn b(@builtin(local_invocation_index) i: u32) {
            if (i == 0u) { workgroupBarrier(); }
            w = i;
        }";
    let found = compile(source, "shader.wgsl", &Options::default()).unwrap_err();
    assert_eq!(found.0.len(), 1, "{found}");
    assert_eq!(found.0[0].position.line, 5, "{found}");
}
