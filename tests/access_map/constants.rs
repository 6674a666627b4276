//! The Rust that the compiler writes is the map that it means: it compiles, and equals the tables it was written from.

use std::path::Path;

use impel::kernel::AccessMap;

use crate::shader::{Shader, files};

include!("../shaders/access/constants.in");

/// The constants' text, as the compiler writes them.
fn written() -> String {
    let entry = |path: &std::path::PathBuf| {
        let shader = Shader::read(path);
        format!("    ({:?}, {}),\n", shader.name, shader.rust)
    };
    let entries: String = files("shaders").iter().map(entry).collect();
    format!("/// The kernels' access maps.\nconst MAPS: &[(&str, AccessMap)] = &[\n{entries}];\n")
}

#[test]
fn access_maps_written_as_rust_are_what_was_meant() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shaders/access/constants.in");
    let text = written();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == text,
        "UPDATE=1 accepts the new text of {}",
        path.display()
    );
    for path in files("shaders") {
        let shader = Shader::read(&path);
        let constant = MAPS.iter().find(|(name, _)| *name == shader.name);
        assert_eq!(constant.map(|(_, map)| map), Some(&shader.map));
    }
}
