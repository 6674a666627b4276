//! What is known of a launch before it is planned? Its resolved access map and work, and the placements of its arrays.

use std::sync::{Arc, MutexGuard};

use smallvec::SmallVec;

use crate::array::{ArrayCore, Placement};
use crate::cost::{KernelKey, Work};
use crate::error::LaunchError;
use crate::graph::TaskId;
use crate::kernel::{self, Bound, Environment, Resolved};
use crate::lanes::Tile;
use crate::launch::{self, LaunchBody, Slot};
use crate::region::{Footprint, Touch};
use crate::trace::LaunchNo;
use crate::transfer::Company;

/// A launch with everything that is known of it before it is planned.
pub(super) struct Job<'a> {
    pub(super) body: &'a LaunchBody,
    pub(super) slots: SmallVec<[&'a Slot; 8]>,
    pub(super) resolved: Resolved<'a>,
    pub(super) grid: [u32; 3],
    /// Its number in the trace.
    pub(super) number: LaunchNo,
    work_per_invocation: kernel::WorkEstimate,
}

/// The placements of a launch's arrays, each locked once, in the order of their ids so that launches cannot wait for each
/// other in a circle.
pub(super) struct Placements<'a> {
    cores: SmallVec<[&'a Arc<ArrayCore>; 8]>,
    locked: SmallVec<[MutexGuard<'a, Placement>; 8]>,
}

impl<'a> Job<'a> {
    pub(super) fn new(body: &'a LaunchBody, bindings: &'a [Bound<'a>]) -> Self {
        let grid = body.num_workgroups();
        let workgroup_size = body.kernel.workgroup_size;
        let resolved = body.kernel.access.resolve(&Environment {
            bindings,
            num_workgroups: grid,
            workgroup_size,
        });
        let work_per_invocation = resolved.work();
        Self {
            body,
            slots: body.slots().collect(),
            resolved,
            grid,
            number: LaunchNo::default(),
            work_per_invocation,
        }
    }

    /// The same launch, as the piece of work `id`.
    pub(super) fn numbered(mut self, id: TaskId) -> Self {
        self.number = id.into();
        self
    }

    /// What a tile touches, counted from the starts of the arrays.
    pub(super) fn footprint(&self, tile: Tile) -> Footprint {
        let mut footprint = self.resolved.footprint(tile);
        for (touch, slot) in footprint.arguments.iter_mut().zip(&self.slots) {
            if slot.span.lo > 0 {
                touch.reads = touch.reads.shifted(slot.span.lo);
                touch.writes = touch.writes.shifted(slot.span.lo);
            }
        }
        footprint
    }

    /// What a tile touches in this company: alone, what would be combined is updated in place.
    pub(super) fn footprint_in(&self, tile: Tile, company: Company) -> Footprint {
        let mut footprint = self.footprint(tile);
        if company == Company::Alone {
            footprint
                .arguments
                .iter_mut()
                .filter(|touch| touch.combine)
                .for_each(in_place);
        }
        footprint
    }

    /// Refuses parameters with which the kernel's own guards let it write past the end of an array.
    pub(super) fn check_bounds(&self) -> Result<(), LaunchError> {
        let Some(overrun) = self.resolved.overrun() else {
            return Ok(());
        };
        let kernel = self.body.kernel;
        let binding = usize::from(kernel.access.buffers[overrun.argument].binding);
        Err(LaunchError::Overrun {
            kernel: kernel.name,
            binding: kernel.bindings[binding].name,
            needed_words: overrun.needed_words,
            words: self.slots[overrun.argument].span.words(),
            site: format!("{}:{}", kernel.path, overrun.site),
        })
    }

    /// How much work a tile is. Memory traffic is the footprint, since caches serve repeated loads.
    pub(super) fn work(&self, tile: Tile, footprint: &Footprint) -> Work {
        let per = &self.work_per_invocation;
        let invocations: f64 = (0..3)
            .map(|axis| {
                f64::from(tile.hi[axis] - tile.lo[axis])
                    * f64::from(self.body.kernel.workgroup_size[axis])
            })
            .product();
        let words: u64 = footprint
            .arguments
            .iter()
            .map(|touch| touch.reads.words() + touch.writes.words())
            .sum();
        Work {
            bytes: words as f64 * 4.0,
            ops: (per.flops + per.int_ops) * invocations,
            special_ops: per.special * invocations,
        }
    }

    pub(super) fn whole(&self) -> Tile {
        Tile {
            lo: [0; 3],
            hi: self.grid,
        }
    }

    pub(super) fn key(&self) -> KernelKey {
        KernelKey(self.body.kernel.fingerprint)
    }

    /// The slowest axis along which there is something to cut.
    pub(super) fn axis(&self) -> usize {
        (0..3).rev().find(|&axis| self.grid[axis] > 1).unwrap_or(0)
    }
}

/// Turns what would be combined into what is read and written.
fn in_place(touch: &mut Touch) {
    touch.combine = false;
    touch.exact = false;
    touch.reads = touch.reads.union(&touch.writes);
}

/// What is bound, for the access map.
pub(super) fn bindings(body: &LaunchBody) -> SmallVec<[Bound<'_>; 8]> {
    body.bound
        .iter()
        .map(|bound| match bound {
            launch::Bound::Uniform { start, end } => Bound::Uniform(&body.uniforms[*start..*end]),
            launch::Bound::Storage(slot) => Bound::Array(slot.span.words()),
        })
        .collect()
}

impl<'a> Placements<'a> {
    pub(super) fn lock(job: &Job<'a>) -> Self {
        let cores = distinct_cores(job);
        let locked = cores.iter().map(|core| core.placement()).collect();
        Self { cores, locked }
    }

    /// As [`lock`](Self::lock), but none where another thread has one of the placements.
    pub(super) fn try_lock(job: &Job<'a>) -> Option<Self> {
        let cores = distinct_cores(job);
        let locked = cores
            .iter()
            .map(|core| core.try_placement())
            .collect::<Option<_>>()?;
        Some(Self { cores, locked })
    }

    pub(super) fn of(&mut self, slot: &Slot) -> &mut Placement {
        let at = self.position(slot);
        &mut self.locked[at]
    }

    pub(super) fn get(&self, slot: &Slot) -> &Placement {
        &self.locked[self.position(slot)]
    }

    fn position(&self, slot: &Slot) -> usize {
        let id = slot.core.id();
        self.cores
            .iter()
            .position(|core| core.id() == id)
            .expect("every slot's array is locked")
    }
}

/// A launch's arrays, each once, in the order of their ids.
fn distinct_cores<'a>(job: &Job<'a>) -> SmallVec<[&'a Arc<ArrayCore>; 8]> {
    let mut cores: SmallVec<[&Arc<ArrayCore>; 8]> =
        job.slots.iter().map(|slot| &slot.core).collect();
    cores.sort_by_key(|core| core.id());
    cores.dedup_by_key(|core| core.id());
    cores
}
