//! What is known of a launch before it is planned? Its facts, and the placements of its arrays.

use std::sync::{Arc, MutexGuard};

use smallvec::SmallVec;

use super::facts::{Facts, KnownFacts};
use crate::array::{ArrayCore, Placement};
use crate::cost::{KernelKey, Work};
use crate::error::LaunchError;
use crate::graph::{ArrayId, TaskId};
use crate::lanes::Tile;
use crate::launch::{LaunchBody, Slot};
use crate::region::Footprint;
use crate::trace::LaunchNo;
use crate::transfer::Company;

/// A launch that has been checked, with its facts at hand: prepared once, it runs any number of times. What follows from the launch
/// alone is never worked out again, and neither is its plan while its arrays are where they were and costs what they were.
///
/// It keeps the launch's arrays alive. Several threads may run it, but not at the same time: whoever runs it sees to the order.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) body: LaunchBody,
    facts: Arc<Facts>,
}

impl Prepared {
    /// Looks the facts of a launch up, or works them out. The launch has passed [`LaunchBody::check`].
    pub(super) fn new(body: LaunchBody, known: &KnownFacts) -> Self {
        let facts = known.of(&body);
        Self { body, facts }
    }

    /// The launch as it is carried out.
    pub(super) fn job(&self) -> Job<'_> {
        Job::new(&self.body, &self.facts)
    }
}

/// A launch with everything that is known of it before it is planned.
pub(super) struct Job<'a> {
    pub(super) body: &'a LaunchBody,
    pub(super) slots: SmallVec<[&'a Slot; 8]>,
    pub(super) facts: &'a Facts,
    pub(super) grid: [u32; 3],
    /// Its number in the trace.
    pub(super) number: LaunchNo,
    /// How often it is known to be repeated.
    pub(super) repeats: u32,
}

/// The placements of a launch's arrays, each locked once, in the order of their ids so that launches cannot wait for each
/// other in a circle.
pub(super) struct Placements<'a> {
    cores: SmallVec<[&'a Arc<ArrayCore>; 8]>,
    locked: SmallVec<[MutexGuard<'a, Placement>; 8]>,
}

impl<'a> Job<'a> {
    pub(super) fn new(body: &'a LaunchBody, facts: &'a Facts) -> Self {
        Self {
            body,
            slots: body.slots().collect(),
            facts,
            grid: facts.grid,
            number: LaunchNo::default(),
            repeats: 1,
        }
    }

    /// The same launch, of which it is known that it is repeated this often.
    pub(super) fn repeated(mut self, repeats: u32) -> Self {
        self.repeats = repeats;
        self
    }

    /// The same launch, as the piece of work `id`.
    pub(super) fn numbered(mut self, id: TaskId) -> Self {
        self.number = id.into();
        self
    }

    /// What a tile touches in this company: alone, what would be combined is updated in place.
    pub(super) fn footprint_in(&self, tile: Tile, company: Company) -> Arc<Footprint> {
        self.facts.footprint(tile, company)
    }

    /// Refuses parameters with which the kernel's own guards let it write past the end of an array.
    pub(super) fn check_bounds(&self) -> Result<(), LaunchError> {
        if !self.facts.overruns {
            return Ok(());
        }
        let Some(overrun) = self.facts.resolved.overrun() else {
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

    /// How much work a tile is.
    pub(super) fn work(&self, tile: Tile, footprint: &Footprint) -> Work {
        self.facts.work(tile, footprint)
    }

    pub(super) fn whole(&self) -> Tile {
        self.facts.whole()
    }

    pub(super) fn key(&self) -> KernelKey {
        KernelKey(self.body.kernel.fingerprint)
    }

    /// The slowest axis along which there is something to cut.
    pub(super) fn axis(&self) -> usize {
        (0..3).rev().find(|&axis| self.grid[axis] > 1).unwrap_or(0)
    }
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

    /// The arrays with their placements.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<ArrayCore>, &Placement)> {
        let placements = self.locked.iter().map(|locked| &**locked);
        self.cores.iter().copied().zip(placements)
    }

    /// As [`iter`](Self::iter), to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<ArrayCore>, &mut Placement)> {
        let placements = self.locked.iter_mut().map(|locked| &mut **locked);
        self.cores.iter().copied().zip(placements)
    }

    /// The placement of an array, if it is one of the launch's.
    pub(super) fn by_id(&mut self, id: ArrayId) -> Option<&mut Placement> {
        let at = self.cores.iter().position(|core| core.id() == id)?;
        Some(&mut self.locked[at])
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
