//! How does an imagined GPU carry out a part? With real memory and real results, on a virtual clock.
//!
//! A kernel runs at once, on the thread that hands it over, through its CPU entry, on the GPU's own copy of the words. What a driver
//! would do later is only marked with the moment at which it will have happened: waiting moves the clock there.

mod durations;
mod machine;
mod memory;
mod world;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;

pub use machine::{Gpu, Machine};
pub(crate) use memory::SimBuffer;
pub(crate) use world::World;

use super::accelerator::{Argument, Buffer, Timing};
use super::cpu::{Lending, Loan};
use super::{DeviceError, cpu};
use crate::cost::{DeviceLimits, Work};
use crate::kernel::{Bound, Environment, Kernel, Space, WorkEstimate, dispatch_size};
use crate::lanes::{Level, Tile};
use crate::machine::{self as hardware, DeviceId};
use crate::region::{Footprint, Span};
use memory::Ledger;
use world::{Direction, Moment};

/// How long blocking calls wait for the device, in ns of the virtual clock.
const PATIENCE_NS: f64 = 60e9;

/// An imagined GPU.
#[derive(Debug)]
pub(crate) struct SimGpu {
    id: DeviceId,
    about: hardware::Gpu,
    limits: DeviceLimits,
    level: Level,
    world: Arc<World>,
    ledger: Arc<Ledger>,
    lost: Mutex<Option<String>>,
}

/// A claim on work of an imagined GPU.
#[derive(Clone, Debug)]
pub(crate) struct SimTicket {
    done_at: Moment,
}

/// A dispatch of an imagined GPU.
#[derive(Debug)]
pub(crate) struct SimDispatch {
    pub(super) ticket: SimTicket,
    ns: Option<u64>,
    world: Arc<World>,
}

impl SimDispatch {
    pub(super) fn elapsed_ns(&self) -> Option<u64> {
        self.ns.filter(|_| self.world.now() >= self.ticket.done_at)
    }
}

impl SimGpu {
    pub(super) fn new(id: DeviceId, gpu: &Gpu, level: Level, world: &Arc<World>) -> Self {
        Self {
            id,
            about: gpu.describe(),
            limits: gpu.limits,
            level,
            world: Arc::clone(world),
            ledger: Ledger::new(gpu.memory_bytes),
            lost: Mutex::default(),
        }
    }

    pub(super) fn about(&self) -> &hardware::Gpu {
        &self.about
    }

    pub(super) fn set_memory_budget(&self, bytes: u64) {
        self.ledger.set_budget(bytes);
    }

    pub(super) fn is_lost(&self) -> Option<String> {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn destroy(&self) {
        self.lose("it was destroyed");
    }

    fn lose(&self, reason: &str) {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| reason.to_owned());
    }

    fn check(&self) -> Result<(), DeviceError> {
        match self.is_lost() {
            None => Ok(()),
            Some(reason) => Err(DeviceError::Lost {
                device: self.about.name.clone(),
                reason,
            }),
        }
    }

    fn check_span(&self, buffer: &SimBuffer, span: Span) -> Result<(), DeviceError> {
        self.check()?;
        if span.lo <= span.hi && span.hi <= buffer.words() {
            return Ok(());
        }
        let words = buffer.words();
        Err(self.invalid("a copy", format!("the words {span} of a buffer of {words}")))
    }

    fn invalid(&self, what: impl Into<String>, detail: impl Into<String>) -> DeviceError {
        DeviceError::Validation {
            device: self.about.name.clone(),
            what: what.into(),
            detail: detail.into(),
        }
    }

    pub(super) fn allocate(&self, words: u64) -> Result<SimBuffer, DeviceError> {
        self.check()?;
        let limit = self.about.limits.buffer_words_max();
        if words > limit {
            return Err(self.beyond("the length of a buffer in 32-bit words", words, limit));
        }
        self.ledger.allocate(&self.about.name, words)
    }

    fn beyond(&self, what: &'static str, wanted: u64, limit: u64) -> DeviceError {
        DeviceError::Limit {
            device: self.about.name.clone(),
            what,
            wanted,
            limit,
        }
    }

    pub(super) fn fill(
        &self,
        buffer: &SimBuffer,
        span: Span,
        value: u32,
    ) -> Result<(), DeviceError> {
        self.check_span(buffer, span)?;
        self.lend(buffer, span, Lending::Exclusive)?
            .words_mut()
            .fill(value);
        Ok(())
    }

    pub(super) fn upload(
        &self,
        buffer: &SimBuffer,
        at_word: u64,
        words: &[u32],
    ) -> Result<(), DeviceError> {
        let count = words.len() as u64;
        let span = Span {
            lo: at_word,
            hi: at_word.saturating_add(count),
        };
        self.check_span(buffer, span)?;
        self.lend(buffer, span, Lending::Exclusive)?
            .words_mut()
            .copy_from_slice(words);
        self.world.copy(self.id, Direction::Up, count * 4);
        Ok(())
    }

    pub(super) fn download(
        &self,
        buffer: &SimBuffer,
        spans: &[Span],
        into: &mut dyn FnMut(Span, &[u32]),
    ) -> Result<(), DeviceError> {
        for span in spans {
            self.check_span(buffer, *span)?;
        }
        let words: u64 = spans.iter().map(|span| span.words()).sum();
        let done_at = self.world.copy(self.id, Direction::Down, words * 4);
        self.wait_until(done_at, PATIENCE_NS, "a download")?;
        for span in spans.iter().filter(|span| !span.is_empty()) {
            into(*span, self.lend(buffer, *span, Lending::Shared)?.words());
        }
        Ok(())
    }

    pub(super) fn dispatch(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
        num_workgroups: [u32; 3],
        tile: Tile,
        timing: Timing,
    ) -> Result<SimDispatch, DeviceError> {
        self.check()?;
        let most = self.about.limits.workgroups_per_dimension_max;
        let dispatched = dispatch_size(tile, most);
        if !dispatched.is_some_and(|size| size.iter().all(|count| *count > 0)) {
            let wanted = (0..3)
                .map(|axis| u64::from(tile.hi[axis].saturating_sub(tile.lo[axis])))
                .fold(1, u64::saturating_mul);
            let limit = u64::from(most).pow(3).min(u64::from(u32::MAX));
            return Err(self.beyond("the number of workgroups of a part", wanted, limit));
        }
        self.check_fit(kernel, arguments)?;
        let work = work(kernel, arguments, num_workgroups, tile);
        self.run(kernel, arguments, num_workgroups, tile)?;
        let (ns, done_at) = self.world.compute(self.id, work, 1.0);
        Ok(SimDispatch {
            ticket: SimTicket { done_at },
            ns: (timing == Timing::Measured).then_some(ns as u64),
            world: Arc::clone(&self.world),
        })
    }

    /// Refuses what a driver would find out.
    fn check_fit(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
    ) -> Result<(), DeviceError> {
        let what = || format!("a dispatch of kernel `{}`", kernel.name);
        if arguments.len() != kernel.bindings.len() {
            let counts = (arguments.len(), kernel.bindings.len());
            return Err(self.invalid(what(), format!("{} arguments for {}", counts.0, counts.1)));
        }
        for (argument, binding) in arguments.iter().zip(kernel.bindings) {
            match argument {
                Argument::Uniform(_) if binding.space == Space::Uniform => {}
                Argument::Storage { buffer, bound } if binding.space != Space::Uniform => {
                    let alignment = self.about.limits.storage_alignment_words();
                    let words = self.own(buffer)?.words();
                    if bound.lo > bound.hi
                        || bound.hi > words
                        || !bound.lo.is_multiple_of(alignment)
                    {
                        let detail =
                            format!("`{}` is bound to {bound} of {words} words", binding.name);
                        return Err(self.invalid(what(), detail));
                    }
                }
                _ => {
                    let detail = format!("`{}` is bound as the wrong kind", binding.name);
                    return Err(self.invalid(what(), detail));
                }
            }
        }
        Ok(())
    }

    /// Runs a tile on the calling thread.
    fn run(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
        num_workgroups: [u32; 3],
        tile: Tile,
    ) -> Result<(), DeviceError> {
        let mut loans: SmallVec<[Loan; 8]> = SmallVec::new();
        for (argument, binding) in arguments.iter().zip(kernel.bindings) {
            if let Argument::Storage { buffer, bound } = argument {
                let lending = match binding.space {
                    Space::StorageReadWrite => Lending::Exclusive,
                    Space::StorageRead | Space::Uniform => Lending::Shared,
                };
                loans.push(self.lend(self.own(buffer)?, *bound, lending)?);
            }
        }
        let mut lent = loans.iter();
        let bound: SmallVec<[cpu::Argument<'_>; 8]> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Uniform(words) => cpu::Argument::Uniform(words),
                Argument::Storage { .. } => {
                    cpu::Argument::Storage(lent.next().expect("a loan for every buffer"))
                }
            })
            .collect();
        let part = cpu::Part {
            kernel,
            arguments: &bound,
            num_workgroups,
            tile,
            predicted_ns: 0.0,
        };
        let what = || format!("a dispatch of kernel `{}`", kernel.name);
        cpu::run_caught(&part, self.level)
            .map_err(|cpu::Panicked(message)| self.invalid(what(), message))
    }

    fn lend(&self, buffer: &SimBuffer, span: Span, lending: Lending) -> Result<Loan, DeviceError> {
        let busy = |held: Span| self.invalid("a buffer", format!("the words {held} are in use"));
        buffer.memory.lend(span, lending).map_err(busy)
    }

    /// The memory behind an argument.
    #[cfg_attr(
        not(feature = "gpu"),
        allow(
            clippy::unnecessary_wraps,
            clippy::unused_self,
            reason = "as with GPUs"
        )
    )]
    fn own<'a>(&self, buffer: &'a Buffer) -> Result<&'a SimBuffer, DeviceError> {
        match buffer {
            Buffer::Simulated(buffer) => Ok(buffer),
            #[cfg(feature = "gpu")]
            Buffer::Driven(_) => {
                Err(self.invalid("a request", "it names memory of another device"))
            }
        }
    }

    pub(super) fn flush(&self) -> Result<SimTicket, DeviceError> {
        self.check()?;
        Ok(SimTicket {
            done_at: self.world.idle_at(self.id),
        })
    }

    pub(super) fn wait(&self, ticket: &SimTicket, patience: Duration) -> Result<(), DeviceError> {
        self.wait_until(ticket.done_at, patience.as_nanos() as f64, "a launch")
    }

    fn wait_until(
        &self,
        moment: Moment,
        patience_ns: f64,
        what: &'static str,
    ) -> Result<(), DeviceError> {
        self.check()?;
        if self.world.wait(moment, patience_ns) {
            return Ok(());
        }
        Err(DeviceError::TimedOut {
            device: self.about.name.clone(),
            what,
            after: Duration::from_nanos(patience_ns as u64),
        })
    }

    pub(super) fn measure(&self) -> Result<DeviceLimits, DeviceError> {
        self.check()?;
        Ok(self.limits)
    }
}

/// What a part does: its footprint in bytes, and the operations of its invocations.
fn work(
    kernel: &'static Kernel,
    arguments: &[Argument<'_>],
    num_workgroups: [u32; 3],
    tile: Tile,
) -> Work {
    let bindings: SmallVec<[Bound<'_>; 8]> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Uniform(words) => Bound::Uniform(words),
            Argument::Storage { bound, .. } => Bound::Array(bound.words()),
        })
        .collect();
    let resolved = kernel.access.resolve(&Environment {
        bindings: &bindings,
        num_workgroups,
        workgroup_size: kernel.workgroup_size,
    });
    sum(&resolved.work(), &resolved.footprint(tile), kernel, tile)
}

fn sum(per: &WorkEstimate, footprint: &Footprint, kernel: &Kernel, tile: Tile) -> Work {
    let invocations: f64 = (0..3)
        .map(|axis| {
            f64::from(tile.hi[axis] - tile.lo[axis]) * f64::from(kernel.workgroup_size[axis])
        })
        .product();
    let touched = footprint.arguments.iter();
    let words: u64 = touched
        .map(|touch| touch.reads.words() + touch.writes.words())
        .sum();
    Work {
        bytes: words as f64 * 4.0,
        ops: (per.flops + per.int_ops) * invocations,
        special_ops: per.special * invocations,
    }
}
