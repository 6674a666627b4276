//! Does a GPU compute what it should? For a sample of the parts, some workgroups run on the CPU, too, and what both wrote is compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;

use super::Shared;
use super::gpu_parts::BoundPart;
use super::job::Job;
use super::launch::{cpu_arguments, workgroups};
use crate::device::DeviceError;
use crate::device::cpu::{self, HostMemory, Lending, Loan};
use crate::kernel::access::Split;
use crate::lanes::Tile;
use crate::plan::Part;
use crate::region::{Footprint, Span, SpanSet};
use crate::transfer::Company;

/// Workgroups of a sample along the axis of the cut.
const GROUPS: u32 = 4;

/// Which parts are computed twice, and how far the results may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampling {
    /// The share of parts on GPUs, from 0 to 1.
    pub(crate) fraction: f64,
    /// How far two words may differ as floats, relative to the larger one; 0 if all their bits must be equal.
    pub(crate) tolerance: f32,
}

/// Memory of its own for each array of a launch.
type Scratch = SmallVec<[Arc<HostMemory>; 8]>;

/// Parts seen so far.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    choice: Option<Sampling>,
    parts: AtomicU64,
}

/// What some workgroups of a part should write.
#[derive(Debug)]
pub(super) struct Expected {
    tolerance: f32,
    /// By slot: words counted from the start of the slot, and what they should be.
    written: SmallVec<[(usize, SpanSet, Vec<u32>); 4]>,
}

impl Sampler {
    pub(super) fn new(choice: Option<Sampling>) -> Self {
        Self {
            choice: choice.filter(|choice| choice.fraction > 0.0),
            parts: AtomicU64::new(0),
        }
    }

    /// Whether any part is computed twice.
    pub(super) fn is_on(&self) -> bool {
        self.choice.is_some()
    }

    /// The number and tolerance of the next part, if it is one of the sample.
    fn next(&self) -> Option<(u64, f32)> {
        let choice = self.choice?;
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let chosen = |number: u64| (number as f64 * choice.fraction).floor();
        (chosen(number + 1) > chosen(number)).then_some((number, choice.tolerance))
    }
}

impl Shared {
    /// What a part that is about to start on a GPU should write, by the CPU's reckoning; nothing for parts that are not in the sample. The
    /// words that it needs are in the GPU's memory.
    pub(super) fn expected_of(
        &self,
        job: &Job<'_>,
        part: &Part,
        (bound, company): (&BoundPart, Company),
    ) -> Result<Option<Expected>, DeviceError> {
        let whole = matches!(job.body.kernel.access.split, Split::No { .. });
        if whole && workgroups(part.tile) < 2 {
            // Nobody can tell whether the order of its invocations matters.
            return Ok(None);
        }
        let Some((number, tolerance)) = self.sampler.next() else {
            return Ok(None);
        };
        let sample = sample_of(job, part.tile, number);
        let whole = whole || !is_apart(job, part.tile, sample, company);
        let tile = if whole { part.tile } else { sample };
        let footprint = job.footprint_in(tile, company);
        let Some(scratch) = self.copy_of(part, (job, bound), &footprint)? else {
            return Ok(None);
        };
        let backwards = if whole { copies_of(&scratch) } else { None };
        if !self.compute(job, [tile], &scratch) {
            return Ok(None);
        }
        if whole {
            // What depends on the order of its workgroups need not be the same twice.
            let same = |backwards: &Scratch| {
                self.compute(job, last_to_first(tile), backwards) && same_words(&scratch, backwards)
            };
            if !backwards.is_some_and(|backwards| same(&backwards)) {
                return Ok(None);
            }
        }
        let mut written = SmallVec::new();
        for (index, touch) in footprint.arguments.iter().enumerate() {
            let spans = from_slot(&touch.writes, job, index);
            if !spans.is_empty() {
                let words = read_all(&scratch[index], &spans);
                written.push((index, spans, words));
            }
        }
        Ok(Some(Expected { tolerance, written }))
    }

    /// Copies of a part's arrays with what a tile touches: what is combined elsewhere begins with nothing. None without memory.
    fn copy_of(
        &self,
        part: &Part,
        (job, bound): (&Job<'_>, &BoundPart),
        footprint: &Footprint,
    ) -> Result<Option<Scratch>, DeviceError> {
        let gpu = self.devices.gpu(part.device);
        let mut scratch = Scratch::new();
        for (index, touch) in footprint.arguments.iter().enumerate() {
            let Some(memory) = HostMemory::zeroed(job.slots[index].span.words()) else {
                return Ok(None);
            };
            let memory = Arc::new(memory);
            let spans = from_slot(&touch.reads.union(&touch.writes), job, index);
            let (buffer, slot, first) = bound.words_of(index, job);
            let there = in_buffer(&spans, slot, first);
            let mut arrived = Vec::with_capacity(spans.words() as usize);
            gpu.download(buffer, &there, &mut |_, words| {
                arrived.extend_from_slice(words);
            })?;
            let mut rest = arrived.as_slice();
            for span in spans.iter() {
                let (now, later) = rest.split_at(span.words() as usize);
                lend(&memory, span).words_mut().copy_from_slice(now);
                rest = later;
            }
            scratch.push(memory);
        }
        Ok(Some(scratch))
    }

    /// Runs tiles one after the other on the CPU on copies of their arrays; false if one panicked there, which other parts will tell.
    fn compute(
        &self,
        job: &Job<'_>,
        tiles: impl IntoIterator<Item = Tile>,
        scratch: &Scratch,
    ) -> bool {
        let whole = |memory: &Arc<HostMemory>| lend(memory, Span::new(0, memory.words()));
        let loans: SmallVec<[Loan; 8]> = scratch.iter().map(whole).collect();
        let arguments = cpu_arguments(job, &loans);
        let part = |tile: Tile| cpu::Part {
            kernel: job.body.kernel,
            arguments: &arguments,
            num_workgroups: job.grid,
            tile,
            predicted_ns: 0.0,
        };
        let level = self.devices.cpu.level();
        let mut tiles = tiles.into_iter();
        tiles.all(|tile| cpu::run_caught(&part(tile), level).is_ok())
    }

    /// Compares what a part that has ended wrote with what it should have written. A device that is wrong is given up: what else it
    /// computed is not to be trusted either.
    pub(super) fn compare(
        &self,
        part: &Part,
        (job, bound): (&Job<'_>, &BoundPart),
        expected: &Expected,
    ) -> Result<(), DeviceError> {
        let gpu = self.devices.gpu(part.device);
        for (index, spans, right) in &expected.written {
            let (buffer, slot, first) = bound.words_of(*index, job);
            let there = in_buffer(spans, slot, first);
            let mut found = Vec::with_capacity(right.len());
            gpu.download(buffer, &there, &mut |_, words| {
                found.extend_from_slice(words);
            })?;
            let words = spans.iter().flat_map(|span| span.lo..span.hi);
            let mut pairs = words.zip(found.iter().zip(right));
            let wrong =
                pairs.find(|(_, (found, right))| !is_close(**found, **right, expected.tolerance));
            if let Some((word, (found, right))) = wrong {
                let access = &job.body.kernel.access.buffers[*index];
                let binding = job.body.kernel.bindings[usize::from(access.binding)].name;
                return Err(gpu.convict(format!(
                    "it computed {found:#010x} for word {word} of `{binding}` in kernel `{}`, where the CPU computes {right:#010x}",
                    job.body.kernel.name
                )));
            }
        }
        Ok(())
    }
}

/// The workgroups of a part that are computed twice: all where anything is combined, some otherwise.
fn sample_of(job: &Job<'_>, tile: Tile, number: u64) -> Tile {
    let mut buffers = job.body.kernel.access.buffers.iter();
    if buffers.any(|buffer| buffer.combine.is_some()) {
        return tile;
    }
    let axis = job.axis();
    let (lo, hi) = (tile.lo[axis], tile.hi[axis]);
    let groups = GROUPS.min(hi - lo);
    // Any odd number far from small fractions spreads the samples over the parts.
    let place = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let mut sample = tile;
    sample.lo[axis] = lo + (place % u64::from(hi - lo - groups + 1)) as u32;
    sample.hi[axis] = sample.lo[axis] + groups;
    sample
}

/// Whether nothing else of a part writes what a sample of it writes.
fn is_apart(job: &Job<'_>, part: Tile, sample: Tile, company: Company) -> bool {
    let axis = job.axis();
    let (mut before, mut after) = (part, part);
    before.hi[axis] = sample.lo[axis];
    after.lo[axis] = sample.hi[axis];
    let own = job.footprint_in(sample, company);
    let mut rest = [before, after]
        .into_iter()
        .filter(|rest| rest.lo[axis] < rest.hi[axis]);
    rest.all(|rest| {
        let others = job.footprint_in(rest, company);
        let mut both = own.arguments.iter().zip(&others.arguments);
        both.all(|(own, other)| own.writes.intersection(&other.writes).is_empty())
    })
}

/// Each workgroup of a tile, the last one first.
fn last_to_first(tile: Tile) -> impl Iterator<Item = Tile> {
    let [x, y, z] = [0, 1, 2].map(|axis| tile.lo[axis]..tile.hi[axis]);
    z.rev().flat_map(move |z| {
        let x = x.clone();
        y.clone().rev().flat_map(move |y| {
            x.clone().rev().map(move |x| Tile {
                lo: [x, y, z],
                hi: [x + 1, y + 1, z + 1],
            })
        })
    })
}

/// The same words in other memory; none without memory.
fn copies_of(scratch: &Scratch) -> Option<Scratch> {
    let copy = |memory: &Arc<HostMemory>| {
        let all = Span::new(0, memory.words());
        let copy = Arc::new(HostMemory::zeroed(memory.words())?);
        lend(&copy, all)
            .words_mut()
            .copy_from_slice(lend(memory, all).words());
        Some(copy)
    };
    scratch.iter().map(copy).collect()
}

fn same_words(a: &Scratch, b: &Scratch) -> bool {
    a.iter().zip(b).all(|(a, b)| {
        let all = Span::new(0, a.words());
        lend(a, all).words() == lend(b, all).words()
    })
}

/// Whether two words are as good as equal.
fn is_close(a: u32, b: u32, tolerance: f32) -> bool {
    let (x, y) = (f32::from_bits(a), f32::from_bits(b));
    a == b || (x.is_nan() && y.is_nan()) || (x - y).abs() <= tolerance * x.abs().max(y.abs())
}

/// Words of an array, counted from the start of a slot.
fn from_slot(spans: &SpanSet, job: &Job<'_>, index: usize) -> SpanSet {
    let lo = job.slots[index].span.lo;
    spans
        .iter()
        .map(|span| Span::new(span.lo - lo, span.hi - lo))
        .collect()
}

/// Words of a slot that begins at `slot`, counted from the start of a buffer that begins at `first`.
fn in_buffer(spans: &SpanSet, slot: u64, first: u64) -> Vec<Span> {
    let moved = |span: Span| Span::new(span.lo + slot - first, span.hi + slot - first);
    spans.iter().map(moved).collect()
}

/// Nobody else has the copies.
fn lend(memory: &Arc<HostMemory>, span: Span) -> Loan {
    let loan = memory.lend(span, Lending::Exclusive);
    loan.expect("one loan of each word at a time")
}

fn read_all(memory: &Arc<HostMemory>, spans: &SpanSet) -> Vec<u32> {
    let words = spans.iter().map(|span| lend(memory, span).words().to_vec());
    words.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_the_parts_is_chosen_and_evenly() {
        let sampler = Sampler::new(Some(Sampling {
            fraction: 0.25,
            tolerance: 0.0,
        }));
        let chosen: Vec<bool> = (0..400).map(|_| sampler.next().is_some()).collect();
        assert!(
            chosen
                .chunks(4)
                .all(|four| four.iter().filter(|it| **it).count() == 1)
        );
        assert!(Sampler::new(None).next().is_none());
    }

    #[test]
    fn words_are_close_as_floats_or_equal() {
        let bits = f32::to_bits;
        assert!(is_close(7, 7, 0.0));
        assert!(!is_close(7, 8, 0.0));
        assert!(!is_close(7, 8, 1e-3), "small integers are far apart");
        assert!(is_close(bits(1.0), bits(1.0005), 1e-3));
        assert!(!is_close(bits(1.0), bits(1.002), 1e-3));
        assert!(!is_close(bits(1.0), bits(-1.0), 1e-3));
        assert!(!is_close(bits(1.0), bits(f32::NAN), 1e-3));
        assert!(is_close(bits(f32::NAN), bits(-f32::NAN), 0.0));
    }

    #[test]
    fn workgroups_come_in_the_reverse_of_their_order() {
        let tile = Tile {
            lo: [1, 0, 2],
            hi: [3, 2, 3],
        };
        let order: Vec<[u32; 3]> = last_to_first(tile).map(|tile| tile.lo).collect();
        assert_eq!(order, [[2, 1, 2], [1, 1, 2], [2, 0, 2], [1, 0, 2]]);
    }
}
