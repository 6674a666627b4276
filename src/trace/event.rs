//! What can happen? One variant for every decision and movement of a runtime.

use std::borrow::Cow;
use std::fmt;

use super::reach::Reach;
use crate::cost::Work;
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::region::{Span, SpanSet};
use crate::transfer::Reason;

/// Text that is mostly known when the program is compiled.
pub type Text = Cow<'static, str>;

/// Number of a launch within a runtime; later launches have larger numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaunchNo(pub u64);

/// Number of an array within a runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArrayNo(pub u64);

/// Number of a part within a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartNo(pub u64);

impl fmt::Display for LaunchNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "launch {}", self.0)
    }
}

impl fmt::Display for ArrayNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "array {}", self.0)
    }
}

impl fmt::Display for PartNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "part {}", self.0)
    }
}

/// Words that a launch may use, before anything is known of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Of which array.
    pub array: ArrayNo,
    /// Which words.
    pub span: Span,
    /// Whether they may be written.
    pub write: bool,
}

/// What a part does to one of its arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The array.
    pub array: ArrayNo,
    /// Where the words of `needs` must be when the part starts, and those of `writes` are once it is done: the memory of its device, or
    /// main memory for what several devices combine.
    pub memory: MemoryId,
    /// Words whose present contents the part needs.
    pub needs: SpanSet,
    /// Words that it may write.
    pub writes: SpanSet,
    /// Whether other parts of the launch may write the same words, because their contributions are combined.
    pub combine: bool,
}

/// A part of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planned {
    /// Who does it.
    pub device: DeviceId,
    /// What it does.
    pub tile: Tile,
    /// When it is expected to be done, in ns after the plan was made.
    pub predicted_ns: f64,
    /// Of that, copies, in ns.
    pub transfer_ns: f64,
    /// Bytes to copy beforehand.
    pub bytes_in: u64,
}

/// How a part came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartKind {
    /// It is a part of the plan.
    #[default]
    Planned,
    /// It is a chunk that a device took while the launch ran.
    Chunk,
    /// Another device failed to do it.
    Repair,
}

impl PartKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Planned, Self::Chunk, Self::Repair];
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Planned => "planned",
            Self::Chunk => "chunk",
            Self::Repair => "repair",
        })
    }
}

/// One thing that happened. Times are in ns, words have 32 bits.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// An array was made; all its words are in main memory.
    ArrayMade {
        /// Which.
        array: ArrayNo,
        /// Its length.
        words: u64,
    },
    /// A launch was asked for. Recorded in the order of the program.
    LaunchQueued {
        /// Which.
        launch: LaunchNo,
        /// Name of its entry point.
        kernel: Text,
        /// Workgroups along x, y, z.
        grid: [u32; 3],
        /// What it may use.
        accesses: Vec<Range>,
    },
    /// Somebody began to carry a launch out: nothing that it depends on is unfinished.
    LaunchStarted {
        /// Which.
        launch: LaunchNo,
    },
    /// What a launch is, so that it can be planned again elsewhere.
    LaunchDescribed {
        /// Which.
        launch: LaunchNo,
        /// How much there is to do.
        work: Work,
        /// The axis along which it may be cut, if it may.
        axis: Option<usize>,
        /// How the words that it touches move along that axis.
        reaches: Vec<Reach>,
    },
    /// It was decided who does what.
    PlanMade {
        /// For which launch.
        launch: LaunchNo,
        /// The parts.
        parts: Vec<Planned>,
        /// Why the launch is split, or is not.
        verdict: Text,
    },
    /// Words are in place in another memory.
    Copied {
        /// For which launch; none if the host asked for them.
        launch: Option<LaunchNo>,
        /// Of which array.
        array: ArrayNo,
        /// Which words.
        span: Span,
        /// Where they came from.
        from: MemoryId,
        /// Where they are now, too.
        to: MemoryId,
        /// What for.
        reason: Reason,
        /// Words among them that nobody asked for: they lie between others, and a second copy would cost more.
        gap_words: u64,
        /// How long it took, the copies that were made together with it included.
        ns: u64,
    },
    /// A device was given a part, whose words are in place.
    PartStarted {
        /// Of which launch.
        launch: LaunchNo,
        /// Which.
        part: PartNo,
        /// How it came about.
        kind: PartKind,
        /// Who does it.
        device: DeviceId,
        /// What it does.
        tile: Tile,
        /// What it does to the arrays.
        uses: Vec<Use>,
        /// How long that should take.
        predicted_ns: f64,
    },
    /// The results of a part count: it is done, or in the queue of a device where everything that follows waits for it.
    PartDone {
        /// Which.
        part: PartNo,
        /// How long it took, if that is known yet.
        ns: Option<u64>,
    },
    /// The clock of a device says how long a part took that nobody waited for.
    PartMeasured {
        /// Which.
        part: PartNo,
        /// How long it took.
        ns: u64,
    },
    /// A device could not do a part. Nothing of it counts.
    PartFailed {
        /// Which.
        part: PartNo,
        /// What the device said.
        cause: Text,
    },
    /// A device's private copy of what is combined was fetched and merged into main memory.
    Combined {
        /// Whose.
        part: PartNo,
        /// Into which array.
        array: ArrayNo,
        /// Which words.
        span: Span,
        /// Where the private copy was.
        from: MemoryId,
        /// How long fetching took.
        ns: u64,
    },
    /// A launch is over.
    LaunchFinished {
        /// Which.
        launch: LaunchNo,
        /// Why it failed, if it did.
        error: Option<Text>,
    },
    /// The program was given words to read.
    HostRead {
        /// Of which array.
        array: ArrayNo,
        /// Which.
        span: Span,
    },
    /// The program was given words to overwrite.
    HostWrote {
        /// Of which array.
        array: ArrayNo,
        /// Which.
        span: Span,
    },
    /// Words were brought to a device ahead of the launch that will read them; the copies follow.
    Prefetched {
        /// For which launch.
        launch: LaunchNo,
        /// To where.
        memory: MemoryId,
        /// How much.
        words: u64,
    },
    /// A memory gave words up to make room. What it alone held was copied elsewhere before.
    Evicted {
        /// Of which array.
        array: ArrayNo,
        /// Which words.
        spans: SpanSet,
        /// From where.
        memory: MemoryId,
    },
    /// A device is gone with what its memory held of an array.
    Lost {
        /// Which array.
        array: ArrayNo,
        /// The memory.
        memory: MemoryId,
        /// The words that were nowhere else.
        spans: SpanSet,
    },
    /// Words were lost that a launch needs, when some of it was done: nothing of it counts, and what its arrays held before is made
    /// again.
    Undone {
        /// Which.
        launch: LaunchNo,
    },
    /// Words that were lost with a device, or that an undone launch has overwritten, are back in main memory.
    Rebuilt {
        /// Of which array.
        array: ArrayNo,
        /// Which words.
        spans: SpanSet,
    },
    /// A device reported a failure.
    DeviceFailed {
        /// Which.
        device: DeviceId,
        /// What it said.
        cause: Text,
    },
    /// A device takes no part of its own accord any more, because it is gone or fails again and again.
    DeviceRetired {
        /// Which.
        device: DeviceId,
        /// Why.
        cause: Text,
    },
    /// A device that was retired for its failures did a part that was asked of it all the same, and is used again.
    DeviceResumed {
        /// Which.
        device: DeviceId,
    },
    /// A measured time changed what is expected of a kernel on a device.
    Learned {
        /// Which kernel.
        kernel: Text,
        /// Where.
        device: DeviceId,
        /// What was expected.
        predicted_ns: f64,
        /// What was measured.
        ns: u64,
    },
    /// Arrays were written to a checkpoint.
    Checkpoint {
        /// Which step of the program it holds.
        step: u64,
        /// Its size.
        bytes: u64,
        /// How long writing it took.
        ns: u64,
    },
}
