//! How is a checkpoint written so that the one before it survives whatever happens? Into a file beside it, which takes its place when
//! every byte is on the disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::CHUNK_BYTES;
use super::header::{self, Dtype, HEADER_BYTES_MAX, Header, Tensor};
use crate::error::CheckpointError;

/// Saves of this process, so that each has a file of its own.
static SAVES: AtomicU64 = AtomicU64::new(0);
/// How names of unfinished checkpoints end.
const UNFINISHED: &str = "unfinished";
/// Attempts at making an unfinished file that no other process takes for abandoned.
const ATTEMPTS_MAX: usize = 16;

/// An array to be saved.
pub(crate) struct Source<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: Dtype,
    /// Number of elements, then the shape of one.
    pub(crate) shape: Vec<u64>,
    pub(crate) bytes: &'a [u8],
}

/// Writes a checkpoint in place of the one that `path` names, if any. After an error, and after a crash at any moment, that one is
/// still there. Returns its size in bytes.
pub(crate) fn save(path: &Path, step: u64, sources: &[Source<'_>]) -> Result<u64, CheckpointError> {
    let mut header = header_of(step, sources)?;
    let target = target(path)?;
    let failed = |doing: &'static str| {
        move |cause: io::Error| CheckpointError::Write {
            path: path.to_owned(),
            doing,
            cause: explained(&cause, sources),
        }
    };
    remove_abandoned(&target);
    let mut unfinished = Unfinished::beside(&target).map_err(failed("making a file beside it"))?;
    unfinished
        .write(&mut header, sources)
        .map_err(failed("writing"))?;
    unfinished
        .finish(&target)
        .map_err(failed("putting it in place"))?;
    sync_folder(&target).map_err(failed("making its folder durable"))?;
    let header_bytes = (size_of::<u64>() + header.to_text().len()) as u64;
    Ok(header_bytes + header.data_bytes().unwrap_or(0))
}

fn header_of(step: u64, sources: &[Source<'_>]) -> Result<Header, CheckpointError> {
    let refused = |name: &str, why: &'static str| CheckpointError::Name {
        name: name.to_owned(),
        why,
    };
    let mut tensors: Vec<Tensor> = Vec::with_capacity(sources.len());
    for source in sources {
        if !header::is_name(source.name) {
            let why = "must be neither empty nor `__metadata__`";
            return Err(refused(source.name, why));
        }
        if tensors.iter().any(|tensor| tensor.name == source.name) {
            return Err(refused(source.name, "names two arrays"));
        }
        let tensor = Tensor {
            name: source.name.to_owned(),
            dtype: source.dtype,
            shape: source.shape.clone(),
            crc32: 0,
        };
        assert_eq!(tensor.bytes(), Some(source.bytes.len() as u64));
        tensors.push(tensor);
    }
    let header = Header { step, tensors };
    match sources.last() {
        Some(last) if header.to_text().len() as u64 > HEADER_BYTES_MAX => {
            let why = "is one name too many: all of them together must fit 4 MiB";
            Err(refused(last.name, why))
        }
        _ => Ok(header),
    }
}

/// The file to be replaced: what a symbolic link points at, not the link.
fn target(path: &Path) -> Result<PathBuf, CheckpointError> {
    let refused = |cause: &str| CheckpointError::Write {
        path: path.to_owned(),
        doing: "looking at the path",
        cause: cause.to_owned(),
    };
    if path.file_name().is_none() {
        return Err(refused("it names no file; add a file name"));
    }
    if path.is_dir() {
        return Err(refused("it is a folder; add a file name"));
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => Ok(target),
        _ => Ok(Path::new(".").join(target)),
    }
}

/// A file beside the checkpoint that takes its place or disappears. It is locked, so that other processes can tell it from one that
/// a killed process left behind.
struct Unfinished {
    file: File,
    path: PathBuf,
    in_place: bool,
}

impl Unfinished {
    fn beside(target: &Path) -> io::Result<Self> {
        for _ in 0..ATTEMPTS_MAX {
            let path = target.with_file_name(unfinished_name(target));
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).open(&path)?;
            // A file system without locks is as good: then nothing is ever taken for abandoned.
            drop(file.lock());
            // Another process may have taken it for abandoned before it was locked.
            if path.exists() {
                return Ok(Self {
                    file,
                    path,
                    in_place: false,
                });
            }
        }
        Err(io::Error::other(
            "other processes remove every file as soon as it is made",
        ))
    }

    /// Writes the words and, when their checksums are known, the header before them.
    fn write(&mut self, header: &mut Header, sources: &[Source<'_>]) -> io::Result<()> {
        let header_bytes = header.to_text().len();
        let start = (size_of::<u64>() + header_bytes) as u64;
        self.file.seek(SeekFrom::Start(start))?;
        for (tensor, source) in header.tensors.iter_mut().zip(sources) {
            let mut hasher = crc32fast::Hasher::new();
            for chunk in source.bytes.chunks(CHUNK_BYTES) {
                hasher.update(chunk);
                self.file.write_all(chunk)?;
            }
            tensor.crc32 = hasher.finalize();
        }
        let text = header.to_text();
        assert_eq!(text.len(), header_bytes, "checksums have one width");
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&(header_bytes as u64).to_le_bytes())?;
        self.file.write_all(text.as_bytes())
    }

    fn finish(mut self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, target)?;
        self.in_place = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.in_place {
            // Left behind, it would be removed by the next save.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn unfinished_name(target: &Path) -> String {
    let save = SAVES.fetch_add(1, Ordering::Relaxed);
    format!(
        "{}{}.{save}.{UNFINISHED}",
        unfinished_start(target),
        std::process::id()
    )
}

fn unfinished_start(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.")
}

/// Removes what processes that were killed while they wrote this checkpoint have left beside it. What cannot be removed stays.
fn remove_abandoned(target: &Path) {
    let Some(folder) = target.parent() else {
        return;
    };
    let start = unfinished_start(target);
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name.strip_prefix(&start).unwrap_or_default();
        let is_one = rest.strip_suffix(UNFINISHED).is_some_and(|ids| {
            ids.chars().filter(|&c| c == '.').count() == 2
                && ids.chars().all(|c| c == '.' || c.is_ascii_digit())
        });
        if is_one && let Some(locked) = abandoned(&entry.path()) {
            // Still locked: whoever has just made it and waits for the lock sees that it is gone.
            drop(fs::remove_file(entry.path()));
            drop(locked);
        }
    }
}

/// The file, locked, if no process had it locked; where that cannot be told, one had.
fn abandoned(path: &Path) -> Option<File> {
    let file = OpenOptions::new().write(true).open(path).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}

/// Makes the new name durable: a rename is in the folder, not in the file.
fn sync_folder(target: &Path) -> io::Result<()> {
    match target.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        // Elsewhere folders cannot be opened, and renames are journalled.
        _ => Ok(()),
    }
}

/// What the system said, and what to do about it.
fn explained(cause: &io::Error, sources: &[Source<'_>]) -> String {
    let bytes: usize = sources.iter().map(|source| source.bytes.len()).sum();
    let advice = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!(
                "; it needs {bytes} bytes beside the checkpoint before it: free some, or choose another disk"
            )
        }
        io::ErrorKind::FileTooLarge => {
            format!("; it needs {bytes} bytes: raise the limit on file sizes")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; a new file has to be made in its folder: choose a folder that can be written"
                .to_owned()
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            "; make its folder first".to_owned()
        }
        _ => String::new(),
    };
    format!("{cause}{advice}")
}
