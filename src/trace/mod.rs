//! What happened? Every decision and every movement of a runtime as a typed event, and what they add up to.
//!
//! A [`Recorder`] takes events while it is on, and costs one relaxed load while it is off. What it has taken is a [`Trace`]: plain data
//! that [prints as text](Trace::to_text) and is read back.
//!
//! The order of the events of a trace is the order in which things became true: a copy is recorded when its words are in place, the end of
//! a part when its results count. So a trace can be checked word by word after the run.

mod event;
mod perfetto;
mod reach;
mod recorder;
mod report;
mod text;
mod timeline;
mod verify;
mod watch;

pub use event::{ArrayNo, Event, LaunchNo, PartKind, PartNo, Planned, Range, Text, Use};
pub use reach::{Reach, Slide};
pub(crate) use recorder::{EVENTS_MAX, Recorder};
pub use recorder::{Trace, TraceDevice};
pub use report::{Moved, Report, Runs};
pub use text::TraceError;
pub use timeline::{Bar, Detail, Lane, Mark, Timeline};
pub use verify::{Ending, Violation};
pub use watch::Running;
pub(crate) use watch::{Entered, Watch};
