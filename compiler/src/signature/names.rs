//! Which Rust identifier stands for a WGSL name?

/// Rust keywords that WGSL lets a program use as names and that Rust takes with `r#`.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// A WGSL name as a Rust identifier.
pub(crate) fn identifier(name: &str) -> String {
    match name {
        "self" | "Self" | "super" | "crate" => format!("{name}_"),
        _ if KEYWORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

/// `dst_grid` as `DstGrid`.
pub(crate) fn camel_case(name: &str) -> String {
    name.split('_')
        .filter(|word| !word.is_empty())
        .map(capitalised)
        .collect()
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// `matmulTiled` and `matmul_tiled` as `MATMUL_TILED`.
pub(crate) fn upper_case(name: &str) -> String {
    let mut text = String::new();
    let mut before_lower = false;
    for character in name.chars() {
        if before_lower && character.is_uppercase() {
            text.push('_');
        }
        before_lower = character.is_lowercase() || character.is_numeric();
        text.extend(character.to_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_rust_identifiers_of_each_kind() {
        assert_eq!(identifier("type"), "r#type");
        assert_eq!(identifier("self"), "self_");
        assert_eq!(camel_case("dst_grid"), "DstGrid");
        assert_eq!(camel_case("_x"), "X");
        assert_eq!(upper_case("matmulTiled2x"), "MATMUL_TILED2X");
        assert_eq!(upper_case("matmul_tiled"), "MATMUL_TILED");
    }
}
