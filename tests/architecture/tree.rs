//! Which files make up a crate? Found as the compiler finds them, from `mod` to `mod`; and as a person does, by looking.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::names::{Module, named_in};

/// A crate of the workspace and the modules that are compiled outside of tests.
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    /// The folder with its sources, relative to the workspace.
    pub(crate) folder: String,
    pub(crate) modules: Vec<Module>,
    /// All files that some `mod` leads to, those of tests included.
    pub(crate) files: BTreeSet<String>,
}

impl Crate {
    /// Reads the crate whose root file is `lib`.
    pub(crate) fn read(root: &Path, name: &'static str, lib: &str) -> Crate {
        let folder = lib
            .rsplit_once('/')
            .expect("a root file is in a folder")
            .0
            .to_owned();
        let mut krate = Crate {
            name,
            folder,
            modules: Vec::new(),
            files: BTreeSet::new(),
        };
        let mut waiting = vec![(lib.to_owned(), Vec::<String>::new(), false)];
        while let Some((file, path, for_tests)) = waiting.pop() {
            let text = fs::read_to_string(root.join(&file))
                .unwrap_or_else(|error| panic!("{file}: {error}"));
            for module in named_in(&text, &file, &path) {
                for child in &module.children {
                    let child_for_tests = for_tests || child.for_tests;
                    assert!(
                        child_for_tests || !child.elsewhere,
                        "{file}: `#[path]` hides where a module is"
                    );
                    if !child.elsewhere {
                        waiting.push((
                            krate.file_of(root, &child.path),
                            child.path.clone(),
                            child_for_tests,
                        ));
                    }
                }
                if !for_tests {
                    krate.modules.push(module);
                }
            }
            krate.files.insert(file);
        }
        krate
    }

    fn file_of(&self, root: &Path, path: &[String]) -> String {
        let stem = format!("{}/{}", self.folder, path.join("/"));
        let candidates = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
        let found = candidates.into_iter().find(|file| root.join(file).exists());
        found.unwrap_or_else(|| {
            panic!(
                "crate {}: no file for module {}",
                self.name,
                path.join("::")
            )
        })
    }
}

/// All Rust files of the workspace under `folder`, build folders and hidden ones left out, relative to the workspace.
pub(crate) fn rust_files(root: &Path, folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry
                .file_name()
                .into_string()
                .expect("file names are UTF-8");
            let kind = entry.file_type().unwrap();
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            if kind.is_dir() && name != "target" && !name.starts_with('.') {
                waiting.push(path);
            } else if kind.is_file()
                && Path::new(&path)
                    .extension()
                    .is_some_and(|extension| extension == "rs")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
