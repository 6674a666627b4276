//! What can go wrong? One enum per operation, each message saying what, where and what to do.

use std::path::PathBuf;
use std::sync::Arc;

use crate::kernel::Space;
use crate::machine::DeviceId;

/// Why [`Runtime::new`](crate::Runtime::new) or [`RuntimeBuilder::build`](crate::RuntimeBuilder::build) failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// An environment variable holds something impel cannot read.
    #[error(
        "the environment variable {name} is `{value}`, but must be {expected}; correct or unset it"
    )]
    Environment {
        /// The variable.
        name: &'static str,
        /// Its content.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// The instruction set asked for is not on this machine.
    #[error("this CPU has no {asked}; it has {available}")]
    Isa {
        /// Level asked for.
        asked: String,
        /// Levels of this machine.
        available: String,
    },
    /// A GPU was demanded and there is none.
    #[error(
        "no GPU was found{found}; install a Vulkan, Metal or DX12 driver, or do not demand a GPU"
    )]
    NoGpu {
        /// What was found and why it does not count.
        found: String,
    },
    /// The plans of an earlier run cannot be followed, or those of this one cannot be kept.
    #[error("plans in {path}: {reason}")]
    Plans {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The worker threads could not be started.
    #[error("cannot start {threads} worker threads: {cause}")]
    Threads {
        /// How many.
        threads: usize,
        /// What the system said.
        cause: String,
    },
}

/// Why making, reading or writing an [`Array`](crate::Array) failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// Too many elements: indices of WGSL have 32 bits, and impel addresses 2^31 - 1 words per array.
    #[error(
        "an array of {elements} elements of {element_bytes} bytes is larger than 8 GiB, the most that a kernel can index; split it"
    )]
    TooLarge {
        /// Length asked for.
        elements: usize,
        /// Size of one element.
        element_bytes: usize,
    },
    /// The range does not lie in the array.
    #[error("range {start}..{end} is outside of an array of {len} elements")]
    Range {
        /// First element asked for.
        start: usize,
        /// One past the last.
        end: usize,
        /// Length of the array.
        len: usize,
    },
    /// A launch that should have written this range failed; write it anew to use it again.
    #[error("words {lo}..{hi} of the array were not written: {cause}")]
    Failed {
        /// First word.
        lo: u64,
        /// One past the last.
        hi: u64,
        /// Why the launch failed.
        cause: Arc<LaunchError>,
    },
    /// A GPU held the only copy and is gone.
    #[error(
        "{device} was lost and held the only copy of words {words} of the array: {cause}; write them anew"
    )]
    Lost {
        /// The GPU.
        device: String,
        /// The ranges, in 32-bit words.
        words: String,
        /// What the driver said.
        cause: String,
    },
    /// The range is in use by a guard or by a launch.
    #[error("words {lo}..{hi} of the array are in use: {by}")]
    Busy {
        /// First word.
        lo: u64,
        /// One past the last.
        hi: u64,
        /// By whom.
        by: String,
    },
    /// Main memory is exhausted.
    #[error("cannot allocate {bytes} bytes of main memory")]
    OutOfMemory {
        /// How much was asked for.
        bytes: u64,
    },
}

/// Why a launch was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// A grid without workgroups.
    #[error(
        "kernel `{kernel}`: the grid {grid:?} has no workgroups; every extent must be at least 1"
    )]
    EmptyGrid {
        /// Entry point.
        kernel: &'static str,
        /// Grid asked for, in workgroups.
        grid: [u32; 3],
    },
    /// A grid whose ids do not fit 32 bits.
    #[error(
        "kernel `{kernel}`: {invocations} invocations along {axis} do not fit the 32 bits of global_invocation_id; launch in parts"
    )]
    GridTooLarge {
        /// Entry point.
        kernel: &'static str,
        /// `x`, `y` or `z`.
        axis: char,
        /// Invocations along it.
        invocations: u64,
    },
    /// Arguments that are not the kernel's.
    #[error("kernel `{kernel}` takes {wanted:?}, but was given {given:?}")]
    Arguments {
        /// Entry point.
        kernel: &'static str,
        /// Kinds of its bindings, in order.
        wanted: Vec<Space>,
        /// Kinds of the arguments, in order.
        given: Vec<Space>,
    },
    /// An array of another runtime.
    #[error(
        "kernel `{kernel}`: `{binding}` is an array of another Runtime; make it with the one that launches"
    )]
    ForeignArray {
        /// Entry point.
        kernel: &'static str,
        /// Which argument.
        binding: &'static str,
    },
    /// An array is shorter than the type WGSL declares.
    #[error(
        "kernel `{kernel}`: `{binding}` needs at least {needed_words} words ({needed}), but the array has {words}"
    )]
    TooShort {
        /// Entry point.
        kernel: &'static str,
        /// Which argument.
        binding: &'static str,
        /// Words needed.
        needed_words: u64,
        /// Why so many.
        needed: &'static str,
        /// Words given.
        words: u64,
    },
    /// The parameters let the kernel write past the end of an array.
    #[error(
        "kernel `{kernel}`: with these parameters it writes words up to {needed_words} of `{binding}`, which has {words} ({site}); correct the parameters or bind a longer array"
    )]
    Overrun {
        /// Entry point.
        kernel: &'static str,
        /// Which argument.
        binding: &'static str,
        /// Words that the kernel's guards let it write.
        needed_words: u64,
        /// Words given.
        words: u64,
        /// The WGSL that writes.
        site: String,
    },
    /// An argument's content is missing.
    #[error("kernel `{kernel}`: `{binding}`: {cause}")]
    Argument {
        /// Entry point.
        kernel: &'static str,
        /// Which argument.
        binding: &'static str,
        /// What is wrong with it.
        cause: Box<ArrayError>,
    },
    /// The policy cannot be followed.
    #[error("kernel `{kernel}`: {reason}")]
    Policy {
        /// Entry point.
        kernel: &'static str,
        /// Why.
        reason: String,
    },
    /// Energy is to be saved, but nobody can tell what a device draws.
    #[error(
        "kernel `{kernel}`: energy cannot be planned, since what {device} draws is unknown: {reason}"
    )]
    Objective {
        /// Entry point.
        kernel: &'static str,
        /// Which device.
        device: DeviceId,
        /// Which counter is missing or cannot be read.
        reason: String,
    },
    /// A GPU failed and no other device could take over.
    #[error("kernel `{kernel}` on {device}: {cause}")]
    Device {
        /// Entry point.
        kernel: &'static str,
        /// Which device.
        device: DeviceId,
        /// What the driver said.
        cause: String,
    },
    /// A CPU worker, or what carries launches out, panicked.
    #[error("kernel `{kernel}`: a worker panicked: {message}")]
    WorkerPanicked {
        /// Entry point.
        kernel: &'static str,
        /// The panic's message.
        message: String,
    },
}

/// Why [`Runtime::checkpoint`](crate::Runtime::checkpoint), [`Runtime::restore`](crate::Runtime::restore) or a method of
/// [`Checkpoint`](crate::Checkpoint) failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// There is no file.
    #[error("there is no checkpoint at {}; start from the beginning, or correct the path", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is not as it was written.
    #[error("the checkpoint {} is damaged: {what}; restore an older one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file is no checkpoint, or one of another version.
    #[error("{} cannot be restored: {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        why: String,
    },
    /// The file cannot be read.
    #[error("cannot read the checkpoint {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The file cannot be written. The one before it is intact.
    #[error("cannot write the checkpoint {} ({doing}): {cause}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What failed.
        doing: &'static str,
        /// What the system said, and what to do.
        cause: String,
    },
    /// Arrays that a file cannot hold under these names.
    #[error("the array name `{name}` {why}; give each array a name of its own")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The checkpoint has no array of this name.
    #[error("the checkpoint {} has no array `{name}`; it has: {names}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// What is there.
        names: String,
    },
    /// The saved array has elements of another type, or another number of them.
    #[error("array `{name}` of the checkpoint {} is {saved}, but {wanted} was asked for", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The array.
        name: String,
        /// Type and shape in the file.
        saved: String,
        /// Type and shape asked for.
        wanted: String,
    },
    /// An array's content is missing, or there is no memory for it.
    #[error("array `{name}`: {cause}")]
    Array {
        /// The array.
        name: String,
        /// What is wrong with it.
        cause: ArrayError,
    },
}

/// Why recording or replaying a [`Graph`](crate::Graph) failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Two arrays under one name.
    #[error("there is already an array named `{name}`; give each array of a graph its own name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A name that no array has.
    #[error("no array of the graph is named `{name}`; there are {known:?}")]
    NoArray {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A launch uses an array that has no name.
    #[error(
        "kernel `{kernel}`: `{binding}` is an array that the graph does not know; name it with `Recorder::array` or `Recorder::input` and bind what they return"
    )]
    Unnamed {
        /// Entry point.
        kernel: &'static str,
        /// Which argument.
        binding: &'static str,
    },
    /// The array's elements are of another type.
    #[error("the array `{name}` does not hold elements of type {asked}")]
    Element {
        /// The array.
        name: String,
        /// The type that was asked for.
        asked: &'static str,
    },
    /// An array that is only borrowed to be read.
    #[error("the array `{name}` is an input, which is not written; name it with `Recorder::array`")]
    Input {
        /// The array.
        name: String,
    },
    /// Two arrays that cannot stand for each other.
    #[error("`{first}` and `{second}` cannot be swapped: {reason}")]
    Swap {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// Why not.
        reason: &'static str,
    },
    /// Swaps that take long to come back to where they began.
    #[error(
        "the swaps of a step bring every name back to its own array only after more than {most} steps; swap in shorter rings"
    )]
    Period {
        /// The most steps.
        most: usize,
    },
    /// A launch was refused.
    #[error(transparent)]
    Launch(LaunchError),
    /// An array could not be used.
    #[error(transparent)]
    Array(ArrayError),
    /// A launch failed while it was replayed.
    #[error(transparent)]
    Failed(Arc<LaunchError>),
}

impl GraphError {
    /// The array does not hold elements of type `T`.
    pub(crate) fn element<T>(name: &str) -> Self {
        Self::Element {
            name: name.to_owned(),
            asked: std::any::type_name::<T>(),
        }
    }
}
