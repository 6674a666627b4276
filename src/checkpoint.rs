//! How does a long computation survive the end of its process? Checkpoints: arrays of any element types and a step, written in one
//! go and read back only if every bit is as it was written.

use std::any::TypeId;
use std::path::Path;

use crate::array::{Array, Element, ReadGuard};
use crate::error::{ArrayError, CheckpointError};
use crate::runtime::Runtime;
use crate::store::checkpoint::{self as file, Dtype};
use crate::trace::{Doing, Event};
use crate::vec3::Vec3;

/// An array of whatever elements: what [`Runtime::checkpoint`] takes. `&Array<T>` becomes `&dyn AnyArray` by itself.
pub trait AnyArray: sealed::Sealed {
    #[doc(hidden)]
    fn saved(&self) -> Result<Saved<'_>, ArrayError>;
}

mod sealed {
    pub trait Sealed {}
    impl<T: super::Element> Sealed for super::Array<T> {}
}

/// An array's content, at home, and what its elements are.
#[doc(hidden)]
pub struct Saved<'a> {
    kind: Kind,
    elements: usize,
    guard: Box<dyn Bytes + 'a>,
}

/// Bytes that stay as they are while this lives.
trait Bytes {
    fn bytes(&self) -> &[u8];
}

impl<T: Element> Bytes for ReadGuard<'_, T> {
    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(self)
    }
}

impl<T: Element> AnyArray for Array<T> {
    fn saved(&self) -> Result<Saved<'_>, ArrayError> {
        Ok(Saved {
            kind: Kind::of::<T>(),
            elements: self.len(),
            guard: Box::new(self.read()?),
        })
    }
}

/// What the elements of an array are in a file: a number type, and how many of them along which axes make one element.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind {
    dtype: Dtype,
    row: Vec<u64>,
}

impl Kind {
    /// Numbers, and arrays of numbers, are what they are; anything else is a row of 32-bit words.
    fn of<T: Element>() -> Self {
        let element = TypeId::of::<T>();
        macro_rules! known {
            ($($dtype:ident: $number:ty),*) => { $(
                if let Some(row) = row_of::<$number>(element) {
                    return Self { dtype: Dtype::$dtype, row };
                }
            )* };
        }
        known!(F32: f32, I32: i32, U32: u32, F64: f64, I64: i64, U64: u64);
        let vectors = [
            (TypeId::of::<Vec3<f32>>(), Dtype::F32),
            (TypeId::of::<Vec3<i32>>(), Dtype::I32),
        ];
        let vector = vectors.into_iter().find(|(id, _)| *id == element);
        Self {
            dtype: vector.map_or(Dtype::U32, |(_, dtype)| dtype),
            row: vec![T::WORDS],
        }
    }

    fn shape(&self, elements: usize) -> Vec<u64> {
        let mut shape = vec![elements as u64];
        shape.extend(&self.row);
        shape
    }
}

/// The shape of an element that consists of `N`s: of `N` itself, `[N; n]`, or a matrix `[[N; rows]; columns]`.
fn row_of<N: 'static>(element: TypeId) -> Option<Vec<u64>> {
    macro_rules! arrays {
        ($($n:literal),*) => { $(
            if element == TypeId::of::<[N; $n]>() {
                return Some(vec![$n]);
            }
        )* };
    }
    macro_rules! matrices {
        ($([$columns:literal, $rows:literal]),*) => { $(
            if element == TypeId::of::<[[N; $rows]; $columns]>() {
                return Some(vec![$columns, $rows]);
            }
        )* };
    }
    if element == TypeId::of::<N>() {
        return Some(Vec::new());
    }
    arrays!(
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 32, 48, 64
    );
    matrices!(
        [2, 2],
        [2, 3],
        [2, 4],
        [3, 2],
        [3, 3],
        [3, 4],
        [4, 2],
        [4, 3],
        [4, 4]
    );
    None
}

impl Runtime {
    /// Writes arrays and the number of the step that they belong to into one file, from which [`restore`](Self::restore) brings them
    /// back. Waits for the launches that write the arrays.
    ///
    /// The file takes the place of an older one at `path` in one step, when all of it is on the disk: after an error, a crash or a
    /// loss of power at any moment, `path` names the old checkpoint or the new one, and never a part of either. There must be room
    /// for both.
    ///
    /// It is a [safetensors](https://github.com/huggingface/safetensors) file, which Python opens: arrays of numbers, of arrays of
    /// numbers and of matrices keep their types and shapes; structs become rows of 32-bit words (`U32`). The step and the
    /// arrays' CRC-32s are in its metadata.
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("impel-doc-checkpoint-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("state.safetensors");
    /// use impel::{Array, CheckpointError, Runtime};
    ///
    /// let rt = Runtime::new()?;
    /// let (step, u): (u64, Array<f32>) = match rt.restore(&path) {
    ///     Ok(saved) => (saved.step(), saved.array("u")?),
    ///     Err(CheckpointError::Missing { .. }) => (0, rt.zeros(1000)?),
    ///     Err(error) => return Err(error.into()),
    /// };
    /// let particles = rt.zeros::<[f32; 4]>(10)?;
    /// rt.checkpoint(&path, &[("u", &u), ("particles", &particles)], step + 1)?;
    /// # assert_eq!(rt.restore(&path)?.step(), 1);
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CheckpointError::Name`] for names that are empty or double, [`CheckpointError::Array`] if an array's content is missing,
    /// [`CheckpointError::Write`] if the file cannot be written. The old checkpoint is intact after each of them, unless the last
    /// says that only the folder could not be made durable.
    pub fn checkpoint(
        &self,
        path: impl AsRef<Path>,
        arrays: &[(&str, &dyn AnyArray)],
        step: u64,
    ) -> Result<(), CheckpointError> {
        let mut held = Vec::with_capacity(arrays.len());
        for &(name, array) in arrays {
            held.push(array.saved().map_err(of_array(name))?);
        }
        let sources: Vec<file::Source<'_>> = arrays
            .iter()
            .zip(&held)
            .map(|(&(name, _), saved)| file::Source {
                name,
                dtype: saved.kind.dtype,
                shape: saved.kind.shape(saved.elements),
                bytes: saved.guard.bytes(),
            })
            .collect();
        let trace = &self.shared().trace;
        let saving = trace.begin(|| Doing::Checkpoint { step });
        let _within = saving.enter();
        let bytes = file::save(path.as_ref(), step, &sources)?;
        trace.record(|| Event::Checkpoint {
            step,
            bytes,
            ns: trace.ns_of(&saving),
        });
        Ok(())
    }

    /// Opens a checkpoint and verifies all of it; its arrays are read when they are asked for.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] if there is none, [`CheckpointError::Damaged`] if it is not as it was written,
    /// [`CheckpointError::Foreign`] if it is another program's file, [`CheckpointError::Read`] if it cannot be read.
    pub fn restore(&self, path: impl AsRef<Path>) -> Result<Checkpoint<'_>, CheckpointError> {
        Ok(Checkpoint {
            rt: self,
            file: file::Opened::open(path.as_ref())?,
        })
    }
}

/// What [`Runtime::restore`] found: a step and named arrays, all of them verified. A newer checkpoint at the same path changes
/// nothing of it.
#[derive(Debug)]
pub struct Checkpoint<'rt> {
    rt: &'rt Runtime,
    file: file::Opened,
}

impl Checkpoint<'_> {
    /// The step that was given when it was written.
    pub fn step(&self) -> u64 {
        self.file.step()
    }

    /// Names of the arrays, in the order in which they were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.file.tensors().iter().map(|tensor| &*tensor.name)
    }

    /// An array with the saved elements.
    ///
    /// # Errors
    /// [`CheckpointError::Unknown`] if there is no such array, [`CheckpointError::Mismatch`] if its elements are not `T`s,
    /// [`CheckpointError::Array`] if main memory is exhausted, [`CheckpointError::Damaged`] and [`CheckpointError::Read`] if the
    /// file has changed since it was opened.
    pub fn array<T: Element>(&self, name: &str) -> Result<Array<T>, CheckpointError> {
        let elements = self.find::<T>(name)?.shape[0] as usize;
        let mut array = self.rt.zeros(elements).map_err(of_array(name))?;
        self.fill(name, &mut array)?;
        Ok(array)
    }

    /// Overwrites an array with the saved elements. An error leaves the array as it was.
    ///
    /// # Errors
    /// As [`array`](Self::array), and [`CheckpointError::Mismatch`] if the array has another length.
    pub fn restore_into<T: Element>(
        &self,
        name: &str,
        array: &mut Array<T>,
    ) -> Result<(), CheckpointError> {
        let saved = self.find::<T>(name)?;
        if saved.shape[0] != array.len() as u64 {
            return Err(self.mismatch::<T>(name, Some(array.len())));
        }
        let fresh = self.array::<T>(name)?;
        let elements = fresh.read().map_err(of_array(name))?;
        array.copy_from_slice(0, &elements).map_err(of_array(name))
    }

    fn fill<T: Element>(&self, name: &str, array: &mut Array<T>) -> Result<(), CheckpointError> {
        let mut elements = array.write().map_err(of_array(name))?;
        let tensor = self.find::<T>(name)?;
        self.file
            .read(tensor, bytemuck::cast_slice_mut(&mut elements))
    }

    /// What was saved under this name, if that is an array of `T`s.
    fn find<T: Element>(&self, name: &str) -> Result<&file::Tensor, CheckpointError> {
        let mut tensors = self.file.tensors().iter();
        let tensor = tensors.find(|tensor| tensor.name == name);
        let tensor = tensor.ok_or_else(|| CheckpointError::Unknown {
            path: self.file.path().to_owned(),
            name: name.to_owned(),
            names: self.names().collect::<Vec<_>>().join(", "),
        })?;
        let kind = Kind::of::<T>();
        let fits = tensor.dtype == kind.dtype && tensor.shape.get(1..) == Some(&kind.row);
        if fits {
            Ok(tensor)
        } else {
            Err(self.mismatch::<T>(name, None))
        }
    }

    fn mismatch<T: Element>(&self, name: &str, len: Option<usize>) -> CheckpointError {
        let saved = self
            .file
            .tensors()
            .iter()
            .find(|tensor| tensor.name == name);
        let kind = Kind::of::<T>();
        let saved_len = saved.map_or(0, |tensor| tensor.shape.first().copied().unwrap_or(0));
        let shape = kind.shape(len.unwrap_or(saved_len as usize));
        CheckpointError::Mismatch {
            path: self.file.path().to_owned(),
            name: name.to_owned(),
            saved: saved.map(ToString::to_string).unwrap_or_default(),
            wanted: format!("{} {shape:?}", kind.dtype.name()),
        }
    }
}

fn of_array(name: &str) -> impl Fn(ArrayError) -> CheckpointError {
    let name = name.to_owned();
    move |cause| CheckpointError::Array {
        name: name.clone(),
        cause,
    }
}
