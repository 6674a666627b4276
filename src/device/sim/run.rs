//! How does an imagined GPU run a part? Through the kernel's CPU entry, on the calling thread, at once.

use std::sync::Arc;

use smallvec::SmallVec;

use super::faults::{FaultKind, Phase, Strike};
use super::{SimDispatch, SimGpu, SimTicket};
use crate::cost::Work;
use crate::device::accelerator::{Argument, Buffer, Dispatched, Timing};
use crate::device::cpu::{HostMemory, Lending, Loan};
use crate::device::{DeviceError, cpu};
use crate::kernel::{Bound, Environment, Kernel, Resolved, Space, Window, dispatch_size};
use crate::lanes::Tile;
use crate::region::{Footprint, Span, Touch};

/// Bits that a spoiled word has the wrong way round: the sign of a float, and its first digits.
const SPOILED: u32 = 0x8060_0000;

impl SimGpu {
    /// As [`Accelerator::dispatch`](crate::device::Accelerator::dispatch).
    pub(in crate::device) fn dispatch(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
        windows: &[Window],
        part: Dispatched,
    ) -> Result<SimDispatch, DeviceError> {
        let _turn = self.turn();
        let tile = part.tile;
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
        let launch = Launched {
            kernel,
            arguments,
            seen: seen(kernel, arguments, windows),
            num_workgroups: part.num_workgroups,
        };
        let strike = self.begin(Phase::Submit, 0, "a submission")?;
        self.end(strike, "a submission")?;
        let strike = Strike(self.faults.next(Phase::Compute));
        let (per, footprint) = resolved(&launch, |resolved| {
            (resolved.work(), resolved.footprint(tile))
        });
        let work = Work::of_tile(kernel, &per, tile, &footprint);
        self.run(&launch, strike.done_of_tile(tile))?;
        let hangs = matches!(strike.0, Some(fault) if fault.kind == FaultKind::Hang);
        let (ops, took) = if hangs {
            self.world.hang(self.id)
        } else {
            self.world.compute(self.id, work, strike.slower())
        };
        // The driver has taken the part: whoever waits for it will hear.
        match strike.0 {
            Some(fault) if fault.kind == FaultKind::WrongResult => {
                self.corrupt(&launch, tile)?;
            }
            Some(fault) if !matches!(fault.kind, FaultKind::Slow(_) | FaultKind::Hang) => {
                self.lose(&fault.to_string());
            }
            _ => {}
        }
        let is_done = |number: u64| self.world.is_done(self.id, (number, number + 1));
        for (buffer, span) in launch.written(&footprint) {
            self.own(buffer)?.written_by(span, ops.0, is_done);
        }
        Ok(SimDispatch {
            ticket: SimTicket { ops },
            took: (part.timing == Timing::Measured).then_some(took),
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

    /// Spoils what a tile wrote.
    fn corrupt(&self, launch: &Launched<'_>, tile: Tile) -> Result<(), DeviceError> {
        let footprint = resolved(launch, |resolved| resolved.footprint(tile));
        for (buffer, span) in launch.written(&footprint) {
            let mut loan = self.lend(self.own(buffer)?, span, Lending::Exclusive)?;
            for word in loan.words_mut() {
                *word ^= SPOILED;
            }
        }
        Ok(())
    }

    /// Runs a tile on the calling thread.
    fn run(&self, launch: &Launched<'_>, tile: Tile) -> Result<(), DeviceError> {
        let kernel = launch.kernel;
        let mut loans: SmallVec<[Loan; 8]> = SmallVec::new();
        let bindings = kernel.bindings.iter();
        let spaces = bindings
            .map(|binding| binding.space)
            .filter(|space| *space != Space::Uniform);
        for ((buffer, bound), space) in launch.storage().zip(spaces) {
            let lending = if space == Space::StorageReadWrite {
                Lending::Exclusive
            } else {
                Lending::Shared
            };
            loans.push(self.lend(self.own(buffer)?, bound, lending)?);
        }
        // The CPU's entry knows whole arrays only: where a range is bound, it gets an array that has the range in its place.
        let mut whole: SmallVec<[Option<Loan>; 8]> = SmallVec::new();
        for (loan, seen) in loans.iter().zip(&launch.seen) {
            whole.push(if seen.words == loan.len() as u64 {
                None
            } else {
                Some(self.unfolded(loan, seen)?)
            });
        }
        {
            let mut lent = loans.iter().zip(&whole);
            let bound: SmallVec<[cpu::Argument<'_>; 8]> = launch
                .arguments
                .iter()
                .map(|argument| match argument {
                    Argument::Uniform(words) => cpu::Argument::Uniform(words),
                    Argument::Storage { .. } => {
                        let (range, whole) = lent.next().expect("a loan for every buffer");
                        cpu::Argument::Storage(whole.as_ref().unwrap_or(range))
                    }
                })
                .collect();
            let part = cpu::Part {
                kernel,
                arguments: &bound,
                num_workgroups: launch.num_workgroups,
                tile,
                predicted_ns: 0.0,
            };
            let what = || format!("a dispatch of kernel `{}`", kernel.name);
            cpu::run_caught(&part, self.level)
                .map_err(|cpu::Panicked(message)| self.invalid(what(), message))?;
        }
        for ((range, whole), seen) in loans.iter_mut().zip(&whole).zip(&launch.seen) {
            if let Some(whole) = whole.as_ref().filter(|_| range.is_exclusive()) {
                let (from, len) = (seen.from as usize, range.len());
                range
                    .words_mut()
                    .copy_from_slice(&whole.words()[from..from + len]);
            }
        }
        Ok(())
    }

    /// An array that has the words of `range` where the kernel looks for them.
    fn unfolded(&self, range: &Loan, seen: &Seen) -> Result<Loan, DeviceError> {
        let from = seen.from as usize;
        let memory = HostMemory::zeroed_in_part(seen.words.max(seen.from + range.len() as u64));
        let memory = memory.ok_or_else(|| self.ledger.full(&self.about.name, seen.words * 4))?;
        let all = Span::new(0, memory.words());
        let mut whole = Arc::new(memory)
            .lend(all, Lending::Exclusive)
            .map_err(|_| self.invalid("a window", "its array is in use"))?;
        whole.words_mut()[from..from + range.len()].copy_from_slice(range.words());
        Ok(whole)
    }
}

/// A launch as a device is given it.
struct Launched<'a> {
    kernel: &'static Kernel,
    arguments: &'a [Argument<'a>],
    /// By storage binding.
    seen: SmallVec<[Seen; 8]>,
    num_workgroups: [u32; 3],
}

/// What the kernel sees of an array.
struct Seen {
    /// Its length.
    words: u64,
    /// Which of its words the first bound one is.
    from: u64,
}

impl<'a> Launched<'a> {
    fn storage(&self) -> impl Iterator<Item = (&'a Buffer, Span)> + use<'a> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Storage { buffer, bound } => Some((*buffer, *bound)),
            Argument::Uniform(_) => None,
        })
    }

    /// The words of its buffers that a part with this footprint writes.
    fn written(&self, footprint: &Footprint) -> Vec<(&'a Buffer, Span)> {
        let seen = self.storage().zip(&self.seen).zip(&footprint.arguments);
        let own = |(((buffer, bound), seen), touch): (((_, Span), &Seen), &Touch)| {
            let at = |word: u64| bound.lo + (word - seen.from);
            let spans = touch.writes.iter();
            let spans = spans.map(|span| (buffer, Span::new(at(span.lo), at(span.hi))));
            spans.collect::<Vec<_>>()
        };
        seen.flat_map(own).collect()
    }
}

fn seen(
    kernel: &'static Kernel,
    arguments: &[Argument<'_>],
    windows: &[Window],
) -> SmallVec<[Seen; 8]> {
    let mut windows = windows.iter();
    let mut seen = SmallVec::new();
    for (argument, binding) in arguments.iter().zip(kernel.bindings) {
        let Argument::Storage { bound, .. } = argument else {
            continue;
        };
        let window = if binding.may_be_windowed() {
            windows.next()
        } else {
            None
        };
        let stride = u64::from(binding.stride_words);
        seen.push(match window {
            Some(window) => Seen {
                words: u64::from(window.len) * stride,
                from: u64::from(window.first) * stride,
            },
            None => Seen {
                words: bound.words(),
                from: 0,
            },
        });
    }
    seen
}

/// Applies `ask` to the access map of a launch.
fn resolved<T>(launch: &Launched<'_>, ask: impl FnOnce(&Resolved<'_>) -> T) -> T {
    let mut seen = launch.seen.iter();
    let bindings: SmallVec<[Bound<'_>; 8]> = launch
        .arguments
        .iter()
        .map(|argument| match argument {
            Argument::Uniform(words) => Bound::Uniform(words),
            Argument::Storage { .. } => Bound::Array(seen.next().map_or(0, |seen| seen.words)),
        })
        .collect();
    ask(&launch.kernel.access.resolve(&Environment {
        bindings: &bindings,
        num_workgroups: launch.num_workgroups,
        workgroup_size: launch.kernel.workgroup_size,
    }))
}
