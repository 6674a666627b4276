//! How do words get from one memory to another? The copies that the transfer scheduler lists, one run of them at a time, each
//! noted in the residency when it is made.

use super::Shared;
use crate::array::{ArrayCore, Placed, Placement};
use crate::cost::Link;
use crate::device::cpu::Lending;
use crate::device::{Accelerator, DeviceError};
use crate::error::ArrayError;
use crate::machine::{DeviceId, MemoryId};
use crate::region::{Span, SpanSet};
use crate::trace::{Doing, Event, LaunchNo};
use crate::transfer::{self, Copy, MemoryLinks, Merging};

/// Attempts at fetching words from a device that is not lost.
const FETCHES_MAX: usize = 3;

/// Why a run of copies was not made.
#[derive(Debug)]
pub(super) enum MoveError {
    /// Words are lost, or in use.
    Array(ArrayError),
    /// A GPU failed; what it held is still somewhere else.
    Device {
        device: DeviceId,
        error: DeviceError,
    },
}

impl From<ArrayError> for MoveError {
    fn from(error: ArrayError) -> Self {
        Self::Array(error)
    }
}

impl Shared {
    /// Makes `span` valid in main memory.
    pub(crate) fn bring_home(&self, core: &ArrayCore, span: Span) -> Result<(), ArrayError> {
        let mut loans = self.loans();
        self.recovering(&mut loans, || {
            let mut placement = core.placement();
            self.bring_home_placed(None, core, &mut placement, &SpanSet::from(span))
        })
    }

    /// As [`bring_home`](Self::bring_home), with the placement at hand.
    pub(super) fn bring_home_placed(
        &self,
        launch: Option<LaunchNo>,
        core: &ArrayCore,
        placement: &mut Placement,
        spans: &SpanSet,
    ) -> Result<(), ArrayError> {
        spans.iter().try_for_each(|span| placement.check(span))?;
        if placement.residency.valid(MemoryId::HOST).covers_all(spans) {
            return Ok(());
        }
        let links = self.links();
        let mut merging = self.merging_in([&*placement]);
        // Each device that fails is struck off the residency, so this ends.
        loop {
            let Ok(copies) = transfer::home(&placement.residency, spans, &links, merging) else {
                return spans.iter().try_for_each(|span| placement.check(span));
            };
            match self.make_copies(launch, core, placement, &copies.list) {
                Ok(()) => return Ok(()),
                Err(MoveError::Array(ArrayError::Busy { .. })) if merging != Merging::Off => {
                    // Somebody uses words of a gap.
                    merging = Merging::Off;
                }
                Err(MoveError::Array(error)) => return Err(error),
                Err(MoveError::Device { .. }) => {}
            }
        }
    }

    /// Whether copies of these arrays may be merged: words between others have a place in a memory only if all of an array does.
    pub(super) fn merging_in<'a>(
        &self,
        placements: impl IntoIterator<Item = &'a Placement>,
    ) -> Merging {
        if placements.into_iter().all(Placement::is_whole) {
            self.merging
        } else {
            Merging::Off
        }
    }

    /// Makes the copies of one array, for a launch or the host, in order; neighbours in the same direction go together.
    pub(super) fn make_copies(
        &self,
        launch: Option<LaunchNo>,
        core: &ArrayCore,
        placement: &mut Placement,
        copies: &[Copy],
    ) -> Result<(), MoveError> {
        for run in copies.chunk_by(|a, b| (a.from, a.to) == (b.from, b.to)) {
            let spans: SpanSet = run.iter().map(|copy| copy.span).collect();
            let (from, to) = (run[0].from, run[0].to);
            let moving = self.trace.begin(|| Doing::Transfer {
                launch,
                array: core.number(),
                from,
                to,
                words: spans.words(),
            });
            let _within = moving.enter();
            self.move_words(core, placement, (from, to), &spans)?;
            let ns = self.trace.ns_of(&moving);
            self.note_copies(launch, core, placement, run, ns);
        }
        Ok(())
    }

    /// Notes copies between the same two memories that were made together in `ns`.
    pub(super) fn note_copies(
        &self,
        launch: Option<LaunchNo>,
        core: &ArrayCore,
        placement: &mut Placement,
        run: &[Copy],
        ns: u64,
    ) {
        let spans: SpanSet = run.iter().map(|copy| copy.span).collect();
        let (from, to) = (run[0].from, run[0].to);
        for copy in run {
            copy.commit(&mut placement.residency);
        }
        if to == MemoryId::HOST {
            self.log_fetch(core, &spans);
        }
        self.record_copies(launch, core, run, ns);
        let mut report = self.report();
        report.add_copies(from, to, &spans);
        report.add_gaps(from, to, run.iter().map(|copy| copy.gap_words).sum());
    }

    /// Notes that a copy from or to a GPU failed; what it alone held is lost, if `lost` says so.
    pub(super) fn note_copy_failed(
        &self,
        core: &ArrayCore,
        placement: &mut Placement,
        (device, error): (DeviceId, &DeviceError),
        lost: bool,
    ) {
        self.record_device_failure(device, error);
        self.report().add_failure(device, error.to_string());
        if lost {
            let (memory, gpu) = (device.memory(), self.devices.gpu(device));
            let spans = placement.lose(memory, gpu.about().name.clone(), error.to_string());
            self.trace.warn(|| Event::Lost {
                array: core.number(),
                memory,
                spans,
            });
        }
    }

    /// Copies words between main memory and a GPU's.
    fn move_words(
        &self,
        core: &ArrayCore,
        placement: &mut Placement,
        (from, to): (MemoryId, MemoryId),
        spans: &SpanSet,
    ) -> Result<(), MoveError> {
        let away = if to == MemoryId::HOST { from } else { to };
        let device = DeviceId(away.0);
        let gpu = self.devices.gpu(device);
        let outcome = if to == MemoryId::HOST {
            self.devices.note_wait();
            self.before_overwrite(core, spans)?;
            let window = Span::new(0, core.words());
            let mut loan = core.lend_spans(window, spans.spans(), Lending::Exclusive)?;
            let mut fetch = || {
                by_buffer(placement, gpu, away, spans)?.try_for_each(|(placed, own)| {
                    gpu.download(&placed.buffer, &own, &mut |span, words| {
                        loan.copy_in(span.shifted(placed.span.lo), words);
                    })
                })
            };
            // What cannot be fetched is lost: as long as the device lives, that is not said lightly.
            let mut outcome = fetch();
            for _ in 1..FETCHES_MAX {
                if outcome.is_ok() || gpu.is_lost().is_some() {
                    break;
                }
                outcome = fetch();
            }
            outcome
        } else {
            let upload = |(placed, own): (&Placed, Vec<Span>)| {
                for span in own {
                    let words = core.lend(span.shifted(placed.span.lo), Lending::Shared)?;
                    let sent = gpu.upload(&placed.buffer, span.lo, words.words());
                    if sent.is_err() {
                        return Ok(sent);
                    }
                }
                Ok(Ok(()))
            };
            match by_buffer(placement, gpu, away, spans) {
                Ok(parts) => parts
                    .map(upload)
                    .collect::<Result<Result<(), _>, ArrayError>>()?,
                Err(error) => Err(error),
            }
        };
        outcome.map_err(|error| {
            let lost = to == MemoryId::HOST || gpu.is_lost().is_some();
            self.note_copy_failed(core, placement, (device, &error), lost);
            let lost = spans.iter().try_for_each(|span| placement.check(span));
            lost.map_or_else(MoveError::Array, |()| MoveError::Device { device, error })
        })
    }

    /// How each memory is reached, by number.
    pub(super) fn links(&self) -> Vec<MemoryLinks> {
        let costs = self.costs();
        let of = |device: DeviceId| {
            let limits = costs.limits(self.devices.key(device));
            limits.map_or(
                MemoryLinks {
                    up: Link::NONE,
                    down: Link::NONE,
                },
                |limits| MemoryLinks {
                    up: limits.up,
                    down: limits.down,
                },
            )
        };
        self.devices.ids().map(of).collect()
    }
}

/// The parts of `spans` by the buffer that they are in, each counted from its buffer's start; an error if some are in none, so that
/// nothing is taken for copied that has no place to be copied from or to.
pub(super) fn by_buffer<'a>(
    placement: &'a Placement,
    gpu: &Accelerator,
    memory: MemoryId,
    spans: &'a SpanSet,
) -> Result<impl Iterator<Item = (&'a Placed, Vec<Span>)>, DeviceError> {
    let buffers = placement.buffers(memory);
    let placed = buffers.iter().map(|placed| spans.words_in(placed.span));
    let (placed, words): (u64, u64) = (placed.sum(), spans.words());
    if placed != words {
        return Err(DeviceError::Validation {
            device: gpu.about().name.clone(),
            what: format!("a copy of words {spans}"),
            detail: format!("{placed} of {words} words have a buffer there"),
        });
    }
    let own = |placed: &'a Placed| {
        let within = spans.within(placed.span);
        let from_start = |span: Span| Span::new(span.lo - placed.span.lo, span.hi - placed.span.lo);
        (placed, within.iter().map(from_start).collect::<Vec<_>>())
    };
    Ok(buffers.iter().map(own).filter(|(_, own)| !own.is_empty()))
}
