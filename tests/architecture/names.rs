//! Which paths does a source file name? Every one in it, also inside macros, with `use`, `self` and `super` resolved.

use std::collections::BTreeMap;

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A module: a file, or the part of a file between the braces of `mod name { … }`.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The file, relative to the workspace.
    pub(crate) file: String,
    /// Module path within its crate.
    pub(crate) path: Vec<String>,
    /// Paths named in it, outside of code that only tests compile.
    pub(crate) names: Vec<Named>,
    /// Lines with the word `unsafe`.
    pub(crate) unsafe_lines: Vec<usize>,
    /// Modules declared in it that are files of their own.
    pub(crate) children: Vec<Child>,
    /// What `use` and `mod` bring into scope, unresolved.
    pub(crate) imports: BTreeMap<String, Vec<String>>,
}

/// A `mod name;`.
#[derive(Debug)]
pub(crate) struct Child {
    /// Module path within the crate.
    pub(crate) path: Vec<String>,
    /// Compiled for tests only.
    pub(crate) for_tests: bool,
    /// Has a `#[path]`.
    pub(crate) elsewhere: bool,
}

/// A path that is named somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    path: Vec<String>,
    /// Ends in `::*`.
    glob: bool,
    /// Line in the file.
    pub(crate) line: usize,
}

impl Named {
    /// Whether this is `name`, something in it, or a glob that brings it into scope. `core` and `alloc` count as `std`.
    pub(crate) fn reaches(&self, name: &str) -> bool {
        let name: Vec<&str> = name.split("::").collect();
        let std = |segment: &str| {
            if matches!(segment, "core" | "alloc") {
                "std".to_owned()
            } else {
                segment.to_owned()
            }
        };
        let mut path = self.path.clone();
        path[0] = std(&path[0]);
        let shared = path.iter().zip(&name).take_while(|(a, b)| a == *b).count();
        shared == name.len() || (self.glob && shared == path.len())
    }

    /// The module at the root of this crate that is named, if one is.
    pub(crate) fn neighbour(&self) -> Option<&str> {
        let [root, neighbour, ..] = self.path.as_slice() else {
            return None;
        };
        (root == "crate").then_some(neighbour.as_str())
    }

    /// For messages.
    pub(crate) fn text(&self) -> String {
        self.path.join("::") + if self.glob { "::*" } else { "" }
    }
}

/// The modules in the text of a file whose own module path is `path`; the file's own is the last.
pub(crate) fn named_in(text: &str, file: &str, path: &[String]) -> Vec<Module> {
    let syntax = syn::parse_file(text)
        .unwrap_or_else(|error| panic!("{file}:{}: {error}", error.span().start().line));
    let mut found = Vec::new();
    let mut reader = Reader::new(file, path, &syntax.items);
    reader.visit_file(&syntax);
    reader.finish(&mut found);
    found
}

/// Walks one module; nested ones get a reader of their own.
struct Reader {
    module: Module,
    nested: Vec<Module>,
}

impl Reader {
    fn new(file: &str, path: &[String], items: &[syn::Item]) -> Self {
        let mut imports = Imports::default();
        for item in items
            .iter()
            .filter(|item| !matches!(item, syn::Item::Mod(_)))
        {
            imports.visit_item(item);
        }
        for name in items.iter().filter_map(declared_module) {
            imports
                .0
                .insert(name.clone(), vec!["self".to_owned(), name]);
        }
        let module = Module {
            file: file.to_owned(),
            path: path.to_vec(),
            imports: imports.0,
            ..Module::default()
        };
        Self {
            module,
            nested: Vec::new(),
        }
    }

    fn finish(mut self, found: &mut Vec<Module>) {
        self.module.unsafe_lines.dedup();
        found.append(&mut self.nested);
        found.push(self.module);
    }

    /// Notes a path, resolved as far as this module's text allows.
    fn note(&mut self, segments: Vec<String>, glob: bool, line: usize) {
        if let Some(path) = self.resolve(segments) {
            self.module.names.push(Named { path, glob, line });
        }
    }

    /// Follows imports, `self` and `super` from the first segment on; a chain of imports is finite unless it is a mistake.
    fn resolve(&self, mut segments: Vec<String>) -> Option<Vec<String>> {
        const HOPS_MAX: usize = 8;
        for _ in 0..HOPS_MAX {
            let first = segments.first()?.clone();
            match first.as_str() {
                "crate" => return Some(segments),
                "self" | "super" => {
                    let mut path = vec!["crate".to_owned()];
                    let supers = segments
                        .iter()
                        .take_while(|segment| *segment == "super")
                        .count();
                    let kept = self.module.path.len().checked_sub(supers)?;
                    path.extend(self.module.path[..kept].iter().cloned());
                    path.extend(
                        segments
                            .into_iter()
                            .skip_while(|segment| matches!(segment.as_str(), "self" | "super")),
                    );
                    return Some(path);
                }
                name => match self.module.imports.get(name) {
                    Some(imported) if imported[0] != first => {
                        segments.splice(..1, imported.iter().cloned());
                    }
                    _ => return Some(segments),
                },
            }
        }
        None
    }

    /// Notes the paths and the word `unsafe` in tokens that syn leaves alone.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons, mut after_dot) = (0, 0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if ident == "unsafe" {
                        self.module.unsafe_lines.push(ident.span().start().line);
                    }
                    if colons != 2 {
                        self.note_tokens(&mut path, line);
                        line = ident.span().start().line;
                    }
                    if !after_dot {
                        path.push(ident.to_string());
                    }
                    (colons, after_dot) = (0, false);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    if matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '!' && punct.spacing() == Spacing::Alone)
                    {
                        path.last_mut().into_iter().for_each(|name| name.push('!'));
                    }
                    self.note_tokens(&mut path, line);
                    (colons, after_dot) = (
                        0,
                        matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '.'),
                    );
                    if let TokenTree::Group(group) = other {
                        self.read_tokens(group.stream());
                    }
                }
            }
        }
        self.note_tokens(&mut path, line);
    }

    fn note_tokens(&mut self, path: &mut Vec<String>, line: usize) {
        if !path.is_empty() {
            self.note(std::mem::take(path), false, line);
        }
    }

    fn note_unsafe(&mut self, token: Option<&syn::Token![unsafe]>) {
        self.module
            .unsafe_lines
            .extend(token.map(|token| token.span.start().line));
    }

    fn read_module(&mut self, module: &syn::ItemMod) {
        let mut path = self.module.path.clone();
        path.push(module.ident.to_string());
        let for_tests = is_for_tests(&module.attrs);
        let elsewhere = has_attribute(&module.attrs, "path");
        match &module.content {
            None => self.module.children.push(Child {
                path,
                for_tests,
                elsewhere,
            }),
            Some(_) if for_tests => {}
            Some((_, items)) => {
                let mut reader = Reader::new(&self.module.file, &path, items);
                for item in items {
                    reader.visit_item(item);
                }
                reader.finish(&mut self.nested);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Mod(module) => self.read_module(module),
            _ if is_for_tests(item_attributes(item)) => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        for used in paths {
            // The import itself is in `imports`, so its own first segment must not be followed through itself.
            self.note(used.path, used.glob, used.line);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note(segments_of(path), false, line_of(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let mut segments = segments_of(&call.path);
        segments.last_mut().expect("a path has a segment").push('!');
        self.note(segments, false, line_of(&call.path));
        self.visit_path(&call.path);
        self.read_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.read_tokens(list.tokens.clone());
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let (path, line) = (
            vec![format!(".{}", call.method)],
            call.method.span().start().line,
        );
        self.module.names.push(Named {
            path,
            glob: false,
            line,
        });
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.note_unsafe(Some(&block.unsafe_token));
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.note_unsafe(signature.unsafety.as_ref());
        visit::visit_signature(self, signature);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.note_unsafe(item.unsafety.as_ref());
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.note_unsafe(item.unsafety.as_ref());
        visit::visit_item_trait(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.note_unsafe(item.unsafety.as_ref());
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_type_bare_fn(&mut self, ty: &'ast syn::TypeBareFn) {
        self.note_unsafe(ty.unsafety.as_ref());
        visit::visit_type_bare_fn(self, ty);
    }
}

/// Collects what the `use` items of a module, also those inside its functions, bring into scope.
#[derive(Default)]
struct Imports(BTreeMap<String, Vec<String>>);

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        for used in paths.into_iter().filter(|used| !used.glob) {
            self.0.insert(used.name, used.path);
        }
    }
}

/// One leaf of a `use` tree.
struct Used {
    name: String,
    path: Vec<String>,
    glob: bool,
    line: usize,
}

fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut Vec<Used>) {
    let leaf = |last: &syn::Ident, name: &syn::Ident, before: &[String]| {
        let line = last.span().start().line;
        let mut path = before.to_vec();
        if last != "self" || path.is_empty() {
            path.push(last.to_string());
        }
        let name = if name == "self" {
            path.last().cloned().unwrap_or_default()
        } else {
            name.to_string()
        };
        Used {
            name,
            path,
            glob: false,
            line,
        }
    };
    match tree {
        syn::UseTree::Path(inner) => {
            before.push(inner.ident.to_string());
            flatten(&inner.tree, before, found);
            before.pop();
        }
        syn::UseTree::Name(last) => found.push(leaf(&last.ident, &last.ident, before)),
        syn::UseTree::Rename(last) => found.push(leaf(&last.ident, &last.rename, before)),
        syn::UseTree::Glob(glob) => {
            let line = glob.star_token.span.start().line;
            found.push(Used {
                name: String::new(),
                path: before.clone(),
                glob: true,
                line,
            });
        }
        syn::UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| flatten(tree, before, found)),
    }
}

fn segments_of(path: &syn::Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect()
}

fn line_of(path: &syn::Path) -> usize {
    path.segments[0].ident.span().start().line
}

fn declared_module(item: &syn::Item) -> Option<String> {
    match item {
        syn::Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    }
}

fn has_attribute(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident(name))
}

/// Whether the attributes keep an item for tests: `#[test]`, or a `#[cfg(…)]` with `test` that is not inside `not`.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    let cfg_test = |attribute: &syn::Attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let tokens = list.tokens.to_string();
            tokens == "test"
                || (tokens.starts_with("all")
                    && tokens
                        .split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == "test"))
        }
        _ => false,
    };
    has_attribute(attributes, "test") || attributes.iter().any(cfg_test)
}

fn item_attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
