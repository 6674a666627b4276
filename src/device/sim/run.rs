//! How does an imagined GPU run a part? Through the kernel's CPU entry, on the calling thread, at once.

use std::sync::Arc;

use smallvec::SmallVec;

use super::faults::{FaultKind, Phase, Strike};
use super::{SimDispatch, SimGpu, SimTicket};
use crate::cost::Work;
use crate::device::accelerator::{Argument, Timing};
use crate::device::cpu::{Lending, Loan};
use crate::device::{DeviceError, cpu};
use crate::kernel::{Bound, Environment, Kernel, Resolved, Space, dispatch_size};
use crate::lanes::Tile;

/// Bits that a spoiled word has the wrong way round: the sign of a float, and its first digits.
const SPOILED: u32 = 0x8060_0000;

impl SimGpu {
    /// As [`Accelerator::dispatch`](crate::device::Accelerator::dispatch).
    pub(in crate::device) fn dispatch(
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
        let strike = self.begin(Phase::Submit, 0, "a submission")?;
        self.end(strike, "a submission")?;
        let strike = Strike(self.faults.next(Phase::Compute));
        let work = work(kernel, arguments, num_workgroups, tile);
        self.run(kernel, arguments, num_workgroups, strike.done_of_tile(tile))?;
        let (ns, mut done_at) = self.world.compute(self.id, work, strike.slower());
        // The driver has taken the part: whoever waits for it will hear.
        match strike.0 {
            Some(fault) if fault.kind == FaultKind::Hang => {
                self.world.hang(self.id);
                done_at = f64::INFINITY;
            }
            Some(fault) if fault.kind == FaultKind::WrongResult => {
                self.corrupt(kernel, arguments, num_workgroups, tile)?;
            }
            Some(fault) if !matches!(fault.kind, FaultKind::Slow(_)) => {
                self.lose(&fault.to_string());
            }
            _ => {}
        }
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

    /// Spoils what a tile wrote.
    fn corrupt(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
        num_workgroups: [u32; 3],
        tile: Tile,
    ) -> Result<(), DeviceError> {
        let footprint = resolved(kernel, arguments, num_workgroups, |resolved| {
            resolved.footprint(tile)
        });
        let storage = arguments.iter().filter_map(|argument| match argument {
            Argument::Storage { buffer, bound } => Some((buffer, bound)),
            Argument::Uniform(_) => None,
        });
        for ((buffer, bound), touch) in storage.zip(&footprint.arguments) {
            for span in touch.writes.shifted(bound.lo).iter() {
                let mut loan = self.lend(self.own(buffer)?, span, Lending::Exclusive)?;
                for word in loan.words_mut() {
                    *word ^= SPOILED;
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
}

/// Applies `ask` to the access map of a launch.
fn resolved<T>(
    kernel: &'static Kernel,
    arguments: &[Argument<'_>],
    num_workgroups: [u32; 3],
    ask: impl FnOnce(&Resolved<'_>) -> T,
) -> T {
    let bindings: SmallVec<[Bound<'_>; 8]> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Uniform(words) => Bound::Uniform(words),
            Argument::Storage { bound, .. } => Bound::Array(bound.words()),
        })
        .collect();
    ask(&kernel.access.resolve(&Environment {
        bindings: &bindings,
        num_workgroups,
        workgroup_size: kernel.workgroup_size,
    }))
}

/// What a part does: its footprint in bytes, and the operations of its invocations.
fn work(
    kernel: &'static Kernel,
    arguments: &[Argument<'_>],
    num_workgroups: [u32; 3],
    tile: Tile,
) -> Work {
    let ask = |resolved: &Resolved<'_>| (resolved.work(), resolved.footprint(tile));
    let (per, footprint) = resolved(kernel, arguments, num_workgroups, ask);
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
