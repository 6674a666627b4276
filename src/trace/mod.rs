//! What happened? Every decision and every movement of a runtime as a typed event, and what they add up to.
//!
//! A [`Recorder`] takes events while it is on, and costs one relaxed load while it is off. What it has taken is a [`Trace`]: plain data
//! that [prints as text](Trace::to_text) and is read back.
//!
//! The order of the events of a trace is the order in which things became true: a copy is recorded when its words are in place, the end of
//! a part when its results count. So a trace can be checked word by word after the run.
//!
//! # Spans of `tracing`
//!
//! With the cargo feature `tracing`, the same events go to whoever subscribes to the crate `tracing` while they happen, whether a trace
//! is recorded or not. Their target is `impel`. Without a subscriber a runtime asks one atomic an event whether there is one.
//!
//! | told as | what | level |
//! |---|---|---|
//! | span `launch` | from the call of `launch`, within the program's span, to its end; entered while somebody carries it out | debug |
//! | span `part` | from its start until its results count, within its launch | debug |
//! | span `transfer` | words on their way between memories, within the launch that they are for | debug |
//! | span `checkpoint` | arrays on their way to a file | debug |
//! | events | decisions (`planned`, `planned part`, `learned`, `prefetched`, `evicted`), with device, tile, bytes, `predicted_ns`, `measured_ns` | debug |
//! | events | each array, copy, read and write | trace |
//! | events | failures and losses (`device failed`, `device retired`, `lost`) | warn |
//!
//! A runtime's own threads tell the subscriber of the thread that built the runtime, if it had one of its own, else that of the program.
//! On an imagined machine a subscriber's clock goes on as ever; imagined times are in the fields. A subscriber must not call the
//! runtime that tells it something.
//!
//! The crate `tracing-subscriber` prints them:
//!
//! ```text
//! let lines = tracing_subscriber::fmt::layer().with_span_events(FmtSpan::CLOSE);
//! let ours = Targets::new().with_target("impel", LevelFilter::DEBUG);
//! tracing_subscriber::registry().with(lines).with(ours).init();
//! ```
//!
//! A launch on a GPU then reads so, without times of day and with numbers cut short:
//!
//! ```text
//! launch{launch=1 kernel="saxpy"}: planned parts=1 verdict="as the policy demands"
//! launch{launch=1 kernel="saxpy"}: planned part device=GPU 1 bytes=8388608 predicted_ns=4529414
//! launch{launch=1 kernel="saxpy"}:transfer{array=0 bytes=4194304 from=host to=GPU 1}: close time.busy=7.59ms
//! launch{launch=1 kernel="saxpy"}:transfer{array=1 bytes=4194304 from=host to=GPU 1}: close time.busy=19.5ms
//! launch{launch=1 kernel="saxpy"}:part{device=GPU 1 predicted_ns=4529414}: close time.idle=35.4ms
//! launch{launch=1 kernel="saxpy"}: close time.busy=63.5ms
//! ```

mod event;
mod perfetto;
mod reach;
mod recorder;
mod report;
#[cfg(feature = "tracing")]
mod spans;
mod text;
mod timeline;
mod verify;
mod watch;

pub use event::{ArrayNo, Event, LaunchNo, PartKind, PartNo, Planned, Range, Text, Use};
pub use reach::{Reach, Slide};
pub(crate) use recorder::{Doing, EVENTS_MAX, Recorder, Timed};
pub use recorder::{Trace, TraceDevice};
pub use report::{Moved, Report, Runs};
pub use text::TraceError;
pub use timeline::{Bar, Detail, Lane, Mark, Timeline};
pub use verify::{Ending, Violation};
pub use watch::Running;
pub(crate) use watch::{Entered, Watch};
