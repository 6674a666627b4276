//! What can every device beside the CPU do? One set of operations over GPUs behind a driver and simulated ones, so that whoever
//! uses them need not know which it has.

#[cfg(feature = "gpu")]
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(feature = "gpu")]
use smallvec::SmallVec;

#[cfg(feature = "gpu")]
use super::gpu;
use super::{DeviceError, sim};
use crate::cost::DeviceLimits;
use crate::kernel::{Kernel, Window};
use crate::lanes::Tile;
use crate::machine::{self, Overlap};
use crate::region::Span;

/// How long a look at a device takes that must be asked to find out what it has done.
#[cfg(feature = "gpu")]
const LOOK: Duration = Duration::from_micros(5);

/// Whether a dispatch is timed on the device. Timing ends the compute pass around it, which costs a few microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// Not timed.
    Off,
    /// Timed where the device can.
    Measured,
}

/// Which workgroups of a launch to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dispatched {
    /// Workgroups of the whole launch.
    pub(crate) num_workgroups: [u32; 3],
    /// The ones to run.
    pub(crate) tile: Tile,
    /// Whether to time them.
    pub(crate) timing: Timing,
}

/// A device beside the CPU, with a memory of its own. Everything handed to it happens in the order in which it was handed over.
///
/// A device that does not end what it was given within its [`Patience`] counts as lost.
#[derive(Debug)]
pub(crate) struct Accelerator {
    engine: Engine,
    patience: Patience,
    /// Time that what was handed over since the last wait is expected to take, in ns.
    owed_ns: AtomicU64,
    /// How long it was waited for in vain since something ended last.
    waited_ns: AtomicU64,
}

/// What carries out the work of an [`Accelerator`].
#[derive(Debug)]
pub(crate) enum Engine {
    /// A GPU behind a driver.
    #[cfg(feature = "gpu")]
    Driven(Arc<gpu::Gpu>),
    /// One that is imagined.
    Simulated(Box<sim::SimGpu>),
}

/// How long a device may take before it counts as hung.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Patience {
    /// It may always take so long…
    pub(crate) least: Duration,
    /// …and so many times as long as predicted besides.
    pub(crate) times: f64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            least: Duration::from_secs(30),
            times: 20.0,
        }
    }
}

/// Memory of an [`Accelerator`], zero at first. Dropping it returns its bytes to the budget.
#[derive(Debug)]
pub(crate) enum Buffer {
    /// Of a GPU behind a driver.
    #[cfg(feature = "gpu")]
    Driven(gpu::Buffer),
    /// Of one that is imagined.
    Simulated(sim::SimBuffer),
}

/// Words on their way from an [`Accelerator`] to main memory.
#[derive(Debug)]
pub(crate) enum Download {
    /// From a GPU behind a driver.
    #[cfg(feature = "gpu")]
    Driven(gpu::Download),
    /// From one that is imagined.
    Simulated(sim::SimDownload),
}

/// One argument of a dispatch, in the order of the kernel's bindings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument<'a> {
    /// The words of a uniform buffer. Missing ones at the end are zero.
    Uniform(&'a [u32]),
    /// A part of a buffer behind a storage binding.
    Storage {
        /// The memory.
        buffer: &'a Buffer,
        /// The words of the buffer that are bound; `lo` is a multiple of
        /// [`storage_alignment_words`](crate::machine::GpuLimits::storage_alignment_words).
        bound: Span,
    },
}

/// A claim on work: done when everything handed over before it was drawn has ended.
#[derive(Clone, Debug)]
pub(crate) enum Ticket {
    /// Of a GPU behind a driver.
    #[cfg(feature = "gpu")]
    Driven(gpu::Ticket),
    /// Of one that is imagined.
    Simulated(sim::SimTicket),
}

/// A dispatch on its way.
#[derive(Debug)]
pub(crate) enum Dispatch {
    /// On a GPU behind a driver.
    #[cfg(feature = "gpu")]
    Driven(gpu::Dispatch),
    /// On one that is imagined.
    Simulated(sim::SimDispatch),
}

impl Dispatch {
    /// Done when the dispatch has ended.
    pub(crate) fn ticket(&self) -> Ticket {
        match self {
            #[cfg(feature = "gpu")]
            Self::Driven(dispatch) => Ticket::Driven(dispatch.ticket.clone()),
            Self::Simulated(dispatch) => Ticket::Simulated(dispatch.ticket.clone()),
        }
    }

    /// Nanoseconds that it took on the device; none before it has ended, or where its time was not asked for or cannot be measured.
    pub(crate) fn elapsed_ns(&self) -> Option<u64> {
        match self {
            #[cfg(feature = "gpu")]
            Self::Driven(dispatch) => dispatch.elapsed_ns(),
            Self::Simulated(dispatch) => dispatch.elapsed_ns(),
        }
    }
}

impl Accelerator {
    pub(super) fn new(engine: Engine) -> Self {
        let accelerator = Self {
            engine,
            patience: Patience::default(),
            owed_ns: AtomicU64::new(0),
            waited_ns: AtomicU64::new(0),
        };
        accelerator.settle();
        accelerator
    }

    pub(super) fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
        self.settle();
    }

    /// What was handed over is expected to take `ns` more.
    pub(crate) fn expect(&self, ns: f64) {
        // Relaxed: a sum that orders nothing.
        let owed = self.owed_ns.fetch_add(ns as u64, Ordering::Relaxed) as f64 + ns;
        self.be_patient(owed);
    }

    /// All that was handed over has ended.
    fn settle(&self) {
        self.owed_ns.store(0, Ordering::Relaxed);
        self.waited_ns.store(0, Ordering::Relaxed);
        self.be_patient(0.0);
    }

    fn be_patient(&self, owed_ns: f64) {
        let extra = Duration::from_secs_f64((owed_ns * self.patience.times / 1e9).min(1e6));
        let patience = self.patience.least.saturating_add(extra);
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.set_patience(patience),
            Engine::Simulated(gpu) => gpu.set_patience(patience),
        }
    }

    /// Gives the device up if it did not end in time. What it still does may touch its memory, so that nothing of that counts.
    fn minding_time<T>(&self, outcome: Result<T, DeviceError>) -> Result<T, DeviceError> {
        if let Err(error @ DeviceError::TimedOut { .. }) = &outcome {
            self.give_up(&error.to_string());
            #[cfg(feature = "gpu")]
            if let Engine::Driven(gpu) = &self.engine {
                // Closing a device waits for its work, which does not end: it stays open until the process ends.
                std::mem::forget(Arc::clone(gpu));
            }
        }
        outcome
    }

    /// Gives up a device that computed what it should not; the error that says so.
    pub(crate) fn convict(&self, detail: String) -> DeviceError {
        self.give_up(&detail);
        DeviceError::Wrong {
            device: self.about().name.clone(),
            detail,
        }
    }

    fn give_up(&self, reason: &str) {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.give_up(reason.to_owned()),
            Engine::Simulated(gpu) => gpu.give_up(reason),
        }
    }

    /// What it is, with the limits and features that it was opened with.
    pub(crate) fn about(&self) -> &machine::Gpu {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.about(),
            Engine::Simulated(gpu) => gpu.about(),
        }
    }

    /// The rounds, summed over all loops of an invocation, after which this device silently stops them: a kernel that goes round
    /// more often gives wrong results here. Only some software devices have such a cap.
    pub(crate) fn loop_rounds_max(&self) -> Option<u32> {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.loop_rounds_max(),
            Engine::Simulated(_) => None,
        }
    }

    /// Why the device is lost, if it is known to be.
    pub(crate) fn is_lost(&self) -> Option<String> {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.is_lost(),
            Engine::Simulated(gpu) => gpu.is_lost(),
        }
    }

    /// Gives the device up: everything after this fails with [`DeviceError::Lost`], and what was handed over is not done.
    pub(crate) fn destroy(&self) {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.destroy(),
            Engine::Simulated(gpu) => gpu.destroy(),
        }
    }

    /// Bytes of buffers in use.
    pub(crate) fn used_bytes(&self) -> u64 {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.used_bytes(),
            Engine::Simulated(gpu) => gpu.used_bytes(),
        }
    }

    /// Sets the most bytes that [`allocate`](Self::allocate) may have in use; buffers that exist stay.
    pub(crate) fn set_memory_budget(&self, bytes: u64) {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.set_memory_budget(bytes),
            Engine::Simulated(gpu) => gpu.set_memory_budget(bytes),
        }
    }

    /// What it can do side by side. Behind wgpu a device has one queue.
    pub(crate) fn overlap(&self) -> Overlap {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(_) => Overlap::None,
            Engine::Simulated(gpu) => gpu.overlap(),
        }
    }

    /// The most bytes that [`allocate`](Self::allocate) may have in use.
    pub(crate) fn memory_budget(&self) -> u64 {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.memory_budget(),
            Engine::Simulated(gpu) => gpu.memory_budget(),
        }
    }

    /// Makes a buffer of `words` words (of one, if none), all zero.
    ///
    /// # Errors
    ///
    /// Out of memory or budget, longer than the device's buffers can be, or the device is lost.
    pub(crate) fn allocate(&self, words: u64) -> Result<Buffer, DeviceError> {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.allocate(words).map(Buffer::Driven),
            Engine::Simulated(gpu) => gpu.allocate(words).map(Buffer::Simulated),
        }
    }

    /// Has the words of `span` become `value`, in order with everything else.
    ///
    /// # Errors
    ///
    /// The range lies outside the buffer, or the device is lost.
    pub(crate) fn fill(&self, buffer: &Buffer, span: Span, value: u32) -> Result<(), DeviceError> {
        match (&self.engine, buffer) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(gpu), Buffer::Driven(buffer)) => gpu.fill(buffer, span, value),
            (Engine::Simulated(gpu), Buffer::Simulated(buffer)) => gpu.fill(buffer, span, value),
            #[cfg(feature = "gpu")]
            _ => Err(self.foreign_buffer()),
        }
    }

    /// Copies `words` to the words of `buffer` from `at_word` on, in order with everything else. They are read before this returns.
    ///
    /// # Errors
    ///
    /// The range lies outside the buffer, memory is short, the device is lost, or it takes no more in time.
    pub(crate) fn upload(
        &self,
        buffer: &Buffer,
        at_word: u64,
        words: &[u32],
    ) -> Result<(), DeviceError> {
        self.minding_time(match (&self.engine, buffer) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(gpu), Buffer::Driven(buffer)) => gpu.upload(buffer, at_word, words),
            (Engine::Simulated(gpu), Buffer::Simulated(buffer)) => {
                gpu.upload(buffer, at_word, words)
            }
            #[cfg(feature = "gpu")]
            _ => Err(self.foreign_buffer()),
        })
    }

    /// Waits until everything handed over is done, and hands over the words of `spans`, in order; long spans come in pieces.
    ///
    /// # Errors
    ///
    /// A span lies outside the buffer, memory is short, the work before it or the copy failed, the device is lost, or it does not
    /// end in time.
    pub(crate) fn download(
        &self,
        buffer: &Buffer,
        spans: &[Span],
        into: &mut dyn FnMut(Span, &[u32]),
    ) -> Result<(), DeviceError> {
        let outcome = match (&self.engine, buffer) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(gpu), Buffer::Driven(buffer)) => gpu.download(buffer, spans, into),
            (Engine::Simulated(gpu), Buffer::Simulated(buffer)) => {
                gpu.download(buffer, spans, into)
            }
            #[cfg(feature = "gpu")]
            _ => Err(self.foreign_buffer()),
        };
        self.minding_time(outcome)?;
        self.settle();
        Ok(())
    }

    /// Has the words of `spans` be copied as soon as the work that writes them is done, beside other work where the device
    /// [can](Self::overlap). Until [`finish_download`](Self::finish_download), nothing may write them.
    ///
    /// # Errors
    ///
    /// A span lies outside the buffer, memory is short, or the device is lost.
    pub(crate) fn begin_download(
        &self,
        buffer: &Buffer,
        spans: &[Span],
    ) -> Result<Download, DeviceError> {
        match (&self.engine, buffer) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(gpu), Buffer::Driven(buffer)) => {
                gpu.begin_download(buffer, spans).map(Download::Driven)
            }
            (Engine::Simulated(gpu), Buffer::Simulated(buffer)) => {
                gpu.begin_download(buffer, spans).map(Download::Simulated)
            }
            #[cfg(feature = "gpu")]
            _ => Err(self.foreign_buffer()),
        }
    }

    /// Waits for a download out of `buffer`, and hands over its words span by span.
    ///
    /// # Errors
    ///
    /// The work before it or the copy failed, the device is lost, or it does not end in time.
    pub(crate) fn finish_download(
        &self,
        buffer: &Buffer,
        download: Download,
        into: &mut dyn FnMut(Span, &[u32]),
    ) -> Result<(), DeviceError> {
        let outcome = match (&self.engine, buffer, download) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(gpu), _, Download::Driven(download)) => {
                gpu.finish_download(download, gpu.patience(), into)
            }
            (Engine::Simulated(gpu), Buffer::Simulated(buffer), Download::Simulated(download)) => {
                gpu.finish_download(buffer, download, into)
            }
            #[cfg(feature = "gpu")]
            _ => Err(self.foreign_buffer()),
        };
        self.minding_time(outcome)
    }

    /// Has the workgroups of `part` run, in order with everything else. Where `windows` are given, one for each binding that
    /// [may be bound in part](crate::kernel::Binding::may_be_windowed), only these ranges of the arrays are bound.
    ///
    /// # Errors
    ///
    /// The module is invalid, the arguments do not fit the kernel, the tile is empty or beyond the device's limits, or the device
    /// is lost.
    pub(crate) fn dispatch(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
        windows: &[Window],
        part: Dispatched,
    ) -> Result<Dispatch, DeviceError> {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => {
                let arguments: Option<SmallVec<[gpu::Argument<'_>; 8]>> =
                    arguments.iter().map(driven).collect();
                let arguments = arguments.ok_or_else(|| self.foreign_buffer())?;
                gpu.dispatch_part(kernel, &arguments, windows, part)
                    .map(Dispatch::Driven)
            }
            Engine::Simulated(gpu) => gpu
                .dispatch(kernel, arguments, windows, part)
                .map(Dispatch::Simulated),
        }
    }

    /// Has everything handed over start, and returns the ticket of all of it.
    ///
    /// # Errors
    ///
    /// What was handed over is invalid, or the device is lost. The work is not done then, and its tickets fail too.
    pub(crate) fn flush(&self) -> Result<Ticket, DeviceError> {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.flush().map(Ticket::Driven),
            Engine::Simulated(gpu) => gpu.flush().map(Ticket::Simulated),
        }
    }

    /// Waits for the work, starting it first if need be.
    ///
    /// # Errors
    ///
    /// The work failed, the device is lost, or it does not end in time.
    pub(crate) fn wait(&self, ticket: &Ticket) -> Result<(), DeviceError> {
        let outcome = match (&self.engine, ticket) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(gpu), Ticket::Driven(ticket)) => gpu.wait(ticket, gpu.patience()),
            (Engine::Simulated(gpu), Ticket::Simulated(ticket)) => gpu.wait(ticket),
            #[cfg(feature = "gpu")]
            _ => Err(self.foreign_buffer()),
        };
        self.minding_time(outcome)?;
        self.settle();
        Ok(())
    }

    /// As [`wait`](Self::wait), but no longer than `left`, after which the device still counts as healthy. Whether the work has ended.
    #[cfg_attr(
        not(feature = "gpu"),
        allow(unused_variables, reason = "imagined time takes none")
    )]
    pub(crate) fn wait_within(&self, ticket: &Ticket, left: Duration) -> bool {
        match (&self.engine, ticket) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(gpu), Ticket::Driven(ticket)) => {
                let outcome = gpu.wait(ticket, left);
                if !matches!(outcome, Err(DeviceError::TimedOut { .. })) {
                    return true;
                }
                self.waited_in_vain(gpu, left);
                self.is_lost().is_some()
            }
            _ => {
                // Imagined time takes none; a failure is told to whoever needs the results.
                drop(self.wait(ticket));
                true
            }
        }
    }

    /// Many short waits are as good as a long one: at last the device counts as hung.
    #[cfg(feature = "gpu")]
    fn waited_in_vain(&self, gpu: &gpu::Gpu, time: Duration) {
        let ns = time.as_nanos() as u64;
        let waited_ns = self.waited_ns.fetch_add(ns, Ordering::Relaxed) + ns;
        let after = Duration::from_nanos(waited_ns);
        if after >= gpu.patience() {
            let device = self.about().name.clone();
            let what = "a launch";
            let error = DeviceError::TimedOut {
                device,
                what,
                after,
            };
            // It is given up, which is all that has to be done.
            drop(self.minding_time::<()>(Err(error)));
        }
    }

    /// Whether the work has ended, well or not; it is started first if need be.
    pub(crate) fn is_done(&self, ticket: &Ticket) -> bool {
        match (&self.engine, ticket) {
            #[cfg(feature = "gpu")]
            (Engine::Driven(_), Ticket::Driven(_)) => self.wait_within(ticket, LOOK),
            (Engine::Simulated(gpu), Ticket::Simulated(ticket)) => gpu.is_done(ticket),
            #[cfg(feature = "gpu")]
            _ => true,
        }
    }

    /// Measures the device. Everything handed over before is done first.
    ///
    /// # Errors
    ///
    /// Out of memory, the device is lost, or it gives figures that cannot be.
    pub(crate) fn measure(&self) -> Result<DeviceLimits, DeviceError> {
        match &self.engine {
            #[cfg(feature = "gpu")]
            Engine::Driven(gpu) => gpu.measure(),
            Engine::Simulated(gpu) => gpu.measure(),
        }
    }

    #[cfg(feature = "gpu")]
    fn foreign_buffer(&self) -> DeviceError {
        DeviceError::Validation {
            device: self.about().name.clone(),
            what: "a request".to_owned(),
            detail: "it names memory or work of another device".to_owned(),
        }
    }
}

/// An argument for a GPU behind a driver; none if its memory is simulated.
#[cfg(feature = "gpu")]
fn driven<'a>(argument: &Argument<'a>) -> Option<gpu::Argument<'a>> {
    match *argument {
        Argument::Uniform(words) => Some(gpu::Argument::Uniform(words)),
        Argument::Storage { buffer, bound } => match buffer {
            Buffer::Driven(buffer) => Some(gpu::Argument::Storage { buffer, bound }),
            Buffer::Simulated(_) => None,
        },
    }
}
