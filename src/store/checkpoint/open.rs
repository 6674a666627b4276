//! Is a file a checkpoint, whole and unchanged? Everything is verified before anything of it is used, and again while it is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::CHUNK_BYTES;
use super::header::{HEADER_BYTES_MAX, Header, HeaderError, Tensor};
use crate::error::CheckpointError;

/// A checkpoint that was whole when it was opened. It stays readable when the path gets a newer one.
#[derive(Debug)]
pub(crate) struct Opened {
    path: PathBuf,
    file: File,
    header: Header,
    /// Where the first array's words are.
    data_start: u64,
}

impl Opened {
    /// Opens and verifies a checkpoint; every byte is read once.
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::NotFound => CheckpointError::Missing {
                path: path.to_owned(),
            },
            _ => unreadable(path, &cause),
        };
        let mut file = File::open(path).map_err(failed)?;
        let file_bytes = file.metadata().map_err(failed)?.len();
        let header_bytes = header_bytes(&mut file, file_bytes).map_err(|error| error.at(path))?;
        let header = Header::parse(&header_bytes).map_err(|error| Refused::from(error).at(path))?;
        let opened = Self {
            path: path.to_owned(),
            file,
            header,
            data_start: (size_of::<u64>() + header_bytes.len()) as u64,
        };
        opened.check_length(file_bytes)?;
        for tensor in &opened.header.tensors {
            opened.stream(tensor, |_, _| {})?;
        }
        Ok(opened)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn step(&self) -> u64 {
        self.header.step
    }

    pub(crate) fn tensors(&self) -> &[Tensor] {
        &self.header.tensors
    }

    /// Reads an array's bytes, which fill `into`, and verifies them once more.
    ///
    /// # Panics
    /// If `into` has another size than the array.
    pub(crate) fn read(&self, tensor: &Tensor, into: &mut [u8]) -> Result<(), CheckpointError> {
        assert_eq!(tensor.bytes(), Some(into.len() as u64));
        self.stream(tensor, |at, chunk| {
            into[at..at + chunk.len()].copy_from_slice(chunk);
        })
    }

    /// Hands an array's bytes over in order, and fails if they are not those that were saved.
    fn stream(
        &self,
        tensor: &Tensor,
        mut take: impl FnMut(usize, &[u8]),
    ) -> Result<(), CheckpointError> {
        let mut left = tensor.bytes().unwrap_or(0) as usize;
        let (mut at, mut hasher) = (0, crc32fast::Hasher::new());
        let mut chunk = vec![0; left.min(CHUNK_BYTES)];
        let mut file = &self.file;
        let seek = file.seek(SeekFrom::Start(self.start_of(tensor)));
        seek.map_err(|cause| unreadable(&self.path, &cause))?;
        while left > 0 {
            let piece = &mut chunk[..left.min(CHUNK_BYTES)];
            file.read_exact(piece)
                .map_err(|cause| self.damaged_or_unreadable(tensor, &cause))?;
            hasher.update(piece);
            take(at, piece);
            (at, left) = (at + piece.len(), left - piece.len());
        }
        if hasher.finalize() == tensor.crc32 {
            return Ok(());
        }
        let what = format!("array `{}` does not match its checksum", tensor.name);
        Err(Refused::Damaged(what).at(&self.path))
    }

    fn start_of(&self, tensor: &Tensor) -> u64 {
        let before = self.header.tensors.iter();
        let before = before.take_while(|other| other.name != tensor.name);
        self.data_start + before.filter_map(Tensor::bytes).sum::<u64>()
    }

    fn check_length(&self, file_bytes: u64) -> Result<(), CheckpointError> {
        let bytes = self.header.data_bytes();
        let expected = bytes.and_then(|bytes| bytes.checked_add(self.data_start));
        if expected == Some(file_bytes) {
            return Ok(());
        }
        let expected = expected.map_or("more than 2^64".to_owned(), |bytes| bytes.to_string());
        let what = format!("it has {file_bytes} bytes and should have {expected}");
        Err(Refused::Damaged(what).at(&self.path))
    }

    fn damaged_or_unreadable(&self, tensor: &Tensor, cause: &io::Error) -> CheckpointError {
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            let what = format!("it ends inside of array `{}`", tensor.name);
            return Refused::Damaged(what).at(&self.path);
        }
        unreadable(&self.path, cause)
    }
}

/// The bytes of the header, no more than the file has and a header may have.
fn header_bytes(file: &mut File, file_bytes: u64) -> Result<Vec<u8>, Refused> {
    let too_short = || Refused::Damaged(format!("it has only {file_bytes} bytes"));
    let mut length = [0; size_of::<u64>()];
    file.read_exact(&mut length).map_err(|cause| {
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            too_short()
        } else {
            Refused::Unreadable(cause)
        }
    })?;
    let length = u64::from_le_bytes(length);
    if length > HEADER_BYTES_MAX {
        let why = "it is no checkpoint of impel, or its first bytes are damaged";
        return Err(Refused::Foreign(why.to_owned()));
    }
    if length > file_bytes.saturating_sub(size_of::<u64>() as u64) {
        return Err(too_short());
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes).map_err(Refused::Unreadable)?;
    Ok(bytes)
}

/// Why a file is not taken for a checkpoint.
enum Refused {
    Foreign(String),
    Damaged(String),
    Unreadable(io::Error),
}

impl From<HeaderError> for Refused {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Foreign(why) => Self::Foreign(why),
            HeaderError::Damaged(what) => Self::Damaged(what),
        }
    }
}

impl Refused {
    fn at(self, path: &Path) -> CheckpointError {
        let path = path.to_owned();
        match self {
            Self::Foreign(why) => CheckpointError::Foreign { path, why },
            Self::Damaged(what) => CheckpointError::Damaged { path, what },
            Self::Unreadable(cause) => unreadable(&path, &cause),
        }
    }
}

fn unreadable(path: &Path, cause: &io::Error) -> CheckpointError {
    CheckpointError::Read {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}
