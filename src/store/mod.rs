//! What is kept on disk? Learned costs, in the user's cache directory. The only module of the library that touches files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cost::Costs;

/// Saves of this process, so that each has a temporary file of its own.
static SAVES: AtomicU64 = AtomicU64::new(0);
/// Name of the file inside the cache directory.
const FILE: &str = "costs";

/// Where costs are kept between runs, or nowhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct CostStore {
    directory: Option<PathBuf>,
}

impl CostStore {
    /// Keeps costs in `directory`, which is made when the first costs are saved.
    pub(crate) fn in_directory(directory: PathBuf) -> Self {
        Self {
            directory: Some(directory),
        }
    }

    /// Keeps nothing.
    pub(crate) fn nowhere() -> Self {
        Self::default()
    }

    /// Keeps costs in `$XDG_CACHE_HOME/impel`, `$HOME/.cache/impel`, `%LOCALAPPDATA%\impel\cache`, or nowhere if none is set.
    pub(crate) fn in_user_cache() -> Self {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let directory = variable("XDG_CACHE_HOME")
            .map(|cache| cache.join("impel"))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/impel")))
            .or_else(|| variable("LOCALAPPDATA").map(|data| data.join("impel/cache")));
        Self { directory }
    }

    /// Where the costs are.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.directory
            .as_deref()
            .map(|directory| directory.join(FILE))
    }

    /// What was learned before. A missing file is nothing; an unreadable or foreign one is nothing with a warning.
    pub(crate) fn load(&self) -> Costs {
        let Some(path) = self.path() else {
            return Costs::default();
        };
        match fs::read_to_string(&path) {
            Ok(text) => text.parse().unwrap_or_else(|error| {
                warn(
                    &path,
                    &format!("holds no costs ({error}); starting without"),
                );
                Costs::default()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Costs::default(),
            Err(error) => {
                warn(
                    &path,
                    &format!("cannot be read ({error}); starting without"),
                );
                Costs::default()
            }
        }
    }

    /// Replaces what is on disk, in one step: other processes see the old costs or the new ones. A failure is a warning.
    pub(crate) fn save(&self, costs: &Costs) {
        let Some((directory, path)) = self.directory.as_deref().zip(self.path()) else {
            return;
        };
        let save = SAVES.fetch_add(1, Ordering::Relaxed);
        let temporary = directory.join(format!("{FILE}.{}.{save}", std::process::id()));
        let written = fs::create_dir_all(directory)
            .and_then(|()| fs::write(&temporary, costs.to_text()))
            .and_then(|()| fs::rename(&temporary, &path));
        if let Err(error) = written {
            // The temporary file may not exist; either way nothing is left to do about it.
            drop(fs::remove_file(&temporary));
            warn(
                &path,
                &format!("cannot be written ({error}); costs are forgotten at exit"),
            );
        }
    }
}

fn warn(path: &Path, what: &str) {
    eprintln!("impel: warning: {} {what}", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_ignored() {
        let directory = std::env::temp_dir().join(format!("impel-store-{}", std::process::id()));
        let store = CostStore::in_directory(directory.clone());
        store.save(&Costs::default());
        fs::write(store.path().unwrap(), b"\xff\xfe not costs").unwrap();
        assert_eq!(store.load(), Costs::default());
        fs::write(store.path().unwrap(), "another program's cache\n").unwrap();
        assert_eq!(store.load(), Costs::default());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_loses_nothing_but_the_costs() {
        let file = std::env::temp_dir().join(format!("impel-store-file-{}", std::process::id()));
        fs::write(&file, "a file, no directory").unwrap();
        let store = CostStore::in_directory(file.clone());
        store.save(&Costs::default());
        assert_eq!(store.load(), Costs::default());
        fs::remove_file(file).unwrap();
    }
}
