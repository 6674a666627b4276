//! Where do learned costs survive the process? In one file of the user's cache directory, to which many processes add at once.
//!
//! A save reads the file again under an advisory lock, adds what this process has learned since it started, and replaces the file in
//! one step: readers, who take no lock, see the old costs or the new ones. A file that holds no costs is ignored with one
//! warning, and the next save replaces it.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cost::Costs;

/// Saves of this process, so that each has a temporary file of its own.
static SAVES: AtomicU64 = AtomicU64::new(0);
/// Files that this process has warned about.
static WARNED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Name of the file inside the cache directory.
const FILE: &str = "costs";
/// Name of the file whose lock a save holds. It is never removed: the lock is on the file, not on its name.
const LOCK: &str = "costs.lock";
/// How often a save asks for the lock, and the time between: another process holds it for milliseconds.
const LOCK_TRIES: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Where costs are kept between runs, or nowhere. Many processes may use it at once.
#[derive(Clone, Debug, Default)]
pub struct CostStore {
    directory: Option<PathBuf>,
}

impl CostStore {
    /// Keeps costs in `directory`, which is made when the first costs are saved.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self {
            directory: Some(directory),
        }
    }

    /// Keeps nothing.
    pub fn nowhere() -> Self {
        Self::default()
    }

    /// Keeps costs in `$XDG_CACHE_HOME/impel`, `$HOME/.cache/impel`, `%LOCALAPPDATA%\impel\cache`, or nowhere if none is set.
    pub fn in_user_cache() -> Self {
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
    pub fn path(&self) -> Option<PathBuf> {
        self.directory
            .as_deref()
            .map(|directory| directory.join(FILE))
    }

    /// What was learned before. A missing file is nothing; an unreadable or foreign one is nothing with a warning on standard error,
    /// given once.
    pub fn load(&self) -> Costs {
        let Some(path) = self.path() else {
            return Costs::default();
        };
        read(&path).unwrap_or_else(|why| {
            warn_once(&path, &format!("{why}; starting without"));
            Costs::default()
        })
    }

    /// Adds to what is on disk what was learned since `costs` was loaded or last saved. A failure is a warning, given once.
    pub fn save(&self, costs: &mut Costs) {
        if !costs.has_news() {
            return;
        }
        let news = &*costs;
        let Some(path) = self.path() else { return };
        match self.update(|kept| kept.absorb_news(news)) {
            Ok(()) => costs.mark_kept(),
            Err(error) => warn_once(
                &path,
                &format!("cannot be written ({error}); costs are forgotten at exit"),
            ),
        }
    }

    /// Changes what is on disk, in one step that no other process's change can fall into.
    ///
    /// # Errors
    /// If the file cannot be written, or another process holds its lock for seconds.
    pub fn update(&self, change: impl FnOnce(&mut Costs)) -> io::Result<()> {
        let Some((directory, path)) = self.directory.as_deref().zip(self.path()) else {
            return Ok(());
        };
        fs::create_dir_all(directory)?;
        // Held until the end of this function.
        let _lock = lock(&directory.join(LOCK))?;
        let mut costs = read(&path).unwrap_or_default();
        change(&mut costs);
        replace(&path, &costs.to_text())
    }
}

/// What a file holds; nothing if there is none.
fn read(path: &Path) -> Result<Costs, String> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Costs::default()),
        Err(error) => return Err(format!("cannot be read ({error})")),
    };
    let text = String::from_utf8(bytes).map_err(|_| "holds no costs (it is no text)")?;
    text.parse()
        .map_err(|error| format!("holds no costs ({error})"))
}

/// Waits for the lock of `path`; none on file systems without locks, where the last of two simultaneous saves wins.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(None);
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(format!(
        "another process holds the lock of {}",
        path.display()
    )))
}

/// Puts `text` in the place of `path` in one step.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let save = SAVES.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}.{save}", std::process::id()));
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The temporary file may not exist; either way nothing is left to do about it.
        drop(fs::remove_file(&temporary));
    }
    written
}

fn warn_once(path: &Path, what: &str) {
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.insert(path.to_owned()) {
        eprintln!("impel: warning: {} {what}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::cost::{DeviceKey, KernelKey, Sample, Work};

    /// Set in child processes: the directory to save to, and the child's number.
    const CHILD_DIRECTORY: &str = "IMPEL_TEST_STORE_DIRECTORY";
    const CHILD_NUMBER: &str = "IMPEL_TEST_STORE_NUMBER";
    const SAVES_PER_CHILD: u64 = 12;
    const CHILDREN: u64 = 6;
    const THREADS: u64 = 3;

    fn directory(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("impel-store-{name}-{}", std::process::id()))
    }

    fn learn(costs: &mut Costs, kernel: u64) {
        costs.record(&Sample {
            kernel: KernelKey(kernel),
            device: DeviceKey(1),
            work: Work {
                bytes: 1e6,
                ..Work::default()
            },
            ns: 1e5,
            cold: false,
        });
    }

    /// This test once more, in a process of its own.
    fn child(test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture"]);
        command
    }

    /// The directory that a child process was given.
    fn given() -> Option<PathBuf> {
        std::env::var_os(CHILD_DIRECTORY).map(PathBuf::from)
    }

    #[test]
    fn nothing_that_many_processes_and_threads_learn_at_once_is_lost() {
        if let Some(directory) = given() {
            return one_of_many_processes(directory);
        }
        let directory = directory("many");
        let children: Vec<_> = (0..CHILDREN)
            .map(|number| {
                child("store::costs::tests::nothing_that_many_processes_and_threads_learn_at_once_is_lost")
                    .env(CHILD_DIRECTORY, &directory)
                    .env(CHILD_NUMBER, number.to_string())
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let costs = CostStore::in_directory(directory.clone()).load();
        let samples = |kernel| costs.samples(KernelKey(kernel), DeviceKey(1));
        assert_eq!(samples(0), CHILDREN * THREADS * SAVES_PER_CHILD);
        for own in 1..=CHILDREN * THREADS {
            assert_eq!(samples(own), SAVES_PER_CHILD, "of thread {own}");
        }
        fs::remove_dir_all(directory).unwrap();
    }

    fn one_of_many_processes(directory: PathBuf) {
        let number: u64 = std::env::var(CHILD_NUMBER).unwrap().parse().unwrap();
        let store = CostStore::in_directory(directory);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let store = &store;
                scope.spawn(move || {
                    for _ in 0..SAVES_PER_CHILD {
                        let mut costs = store.load();
                        learn(&mut costs, 0);
                        learn(&mut costs, 1 + number * THREADS + thread);
                        store.save(&mut costs);
                    }
                });
            }
        });
    }

    #[test]
    fn a_damaged_file_is_ignored_with_one_warning_and_replaced() {
        if let Some(directory) = given() {
            return reader_of_a_damaged_file(directory);
        }
        let directory = directory("damaged");
        let store = CostStore::in_directory(directory.clone());
        let mut costs = Costs::default();
        learn(&mut costs, 1);
        store.save(&mut costs);
        let whole = fs::read(store.path().unwrap()).unwrap();
        for content in [
            b"\xff\xfe not costs".as_slice(),
            b"another program's cache\n",
            b"",
            &whole[..whole.len() / 2],
        ] {
            fs::write(store.path().unwrap(), content).unwrap();
            let output = child(
                "store::costs::tests::a_damaged_file_is_ignored_with_one_warning_and_replaced",
            )
            .env(CHILD_DIRECTORY, &directory)
            .output()
            .unwrap();
            assert!(output.status.success());
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(said.matches("impel: warning:").count(), 1, "{said}");
            assert_eq!(store.load().samples(KernelKey(2), DeviceKey(1)), 1);
        }
        fs::remove_dir_all(directory).unwrap();
    }

    fn reader_of_a_damaged_file(directory: PathBuf) {
        let store = CostStore::in_directory(directory);
        assert_eq!(store.load(), Costs::default());
        let mut costs = store.load();
        learn(&mut costs, 2);
        store.save(&mut costs);
    }

    #[test]
    fn a_directory_that_cannot_be_made_loses_nothing_but_the_costs() {
        let file = directory("file");
        fs::write(&file, "a file, no directory").unwrap();
        let store = CostStore::in_directory(file.clone());
        let mut costs = Costs::default();
        learn(&mut costs, 1);
        store.save(&mut costs);
        assert!(costs.has_news());
        assert_eq!(store.load(), Costs::default());
        fs::remove_file(file).unwrap();
    }

    #[test]
    fn saving_nothing_new_touches_no_file() {
        let directory = directory("untouched");
        let store = CostStore::in_directory(directory.clone());
        store.save(&mut Costs::default());
        assert!(!directory.exists());
    }
}
