//! What of a launch is the same whenever it is repeated? What follows from its kernel, its uniforms, its grid and the ranges that are
//! bound, worked out once and kept for the next time.
//!
//! Facts are found again by comparing all of what they follow from, never a hash of it. They do not depend on which arrays are bound,
//! so that a step that swaps two arrays has one set of facts.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use smallvec::SmallVec;

use super::repeats::Repeats;
use super::settled::Settled;
use crate::cost::Work;
use crate::kernel::access::Split;
use crate::kernel::{self, Environment, Kernel, Resolved};
use crate::lanes::Tile;
use crate::launch::{Bound, LaunchBody};
use crate::plan::{self, Plan, Policy, Remembered, Situation};
use crate::region::{Footprint, Span, SpanSet, Touch};
use crate::transfer::Company;

/// Launches whose facts are kept; the one that was not used for longest makes room.
const FACTS_MAX: usize = 32;
/// Footprints of parts that are kept for a launch; a plan has one for each device.
const PARTS_MAX: usize = 16;
/// Plans that are kept for a launch: of the policies, and of the places where its arrays are, that it is repeated with.
const PLANS_MAX: usize = 4;

/// What follows from a launch's kernel, uniforms, grid and bound ranges.
#[derive(Debug)]
pub(crate) struct Facts {
    kernel: &'static Kernel,
    uniforms: Box<[u32]>,
    bound: SmallVec<[Place; 8]>,
    /// Workgroups along x, y, z.
    pub(super) grid: [u32; 3],
    /// The access map with everything put in.
    pub(super) resolved: Resolved<'static>,
    work_per_invocation: kernel::WorkEstimate,
    /// How much work the whole launch is.
    pub(super) work: Work,
    /// Whether the kernel's own guards let it write past the end of an array.
    pub(super) overruns: bool,
    /// The most rounds that loops of an invocation go, if that is known.
    pub(super) loop_rounds_max: Option<f64>,
    /// The footprint of the whole launch on one device.
    alone: Arc<Footprint>,
    /// What must be valid where the whole launch runs, by argument.
    needs: SmallVec<[SpanSet; 8]>,
    /// Why the launch cannot be cut, if it cannot.
    refusal: OnceLock<Option<String>>,
    parts: Mutex<Vec<KnownPart>>,
    plans: Mutex<Vec<Remembered>>,
    repeats: Mutex<Repeats>,
    /// Cuts at multiples of this many units fall on borders of cache lines, if the arrays begin at such.
    line_multiple: OnceLock<u32>,
    settled: Mutex<Vec<Settled>>,
}

/// A bound argument without its array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Uniform { start: usize, end: usize },
    Array(Span),
}

/// The footprint of a tile, as asked for before.
#[derive(Debug)]
struct KnownPart {
    tile: Tile,
    company: Company,
    footprint: Arc<Footprint>,
}

/// The facts of the latest launches.
#[derive(Debug, Default)]
pub(crate) struct KnownFacts {
    /// The latest last.
    recent: Mutex<Vec<Arc<Facts>>>,
}

impl KnownFacts {
    /// The facts of a launch whose grid has been checked: those of an equal one before, or new ones.
    pub(super) fn of(&self, body: &LaunchBody) -> Arc<Facts> {
        if let Some(known) = self.find(body) {
            return known;
        }
        let facts = Arc::new(Facts::new(body));
        let mut recent = lock(&self.recent);
        if recent.len() == FACTS_MAX {
            recent.remove(0);
        }
        recent.push(Arc::clone(&facts));
        facts
    }

    fn find(&self, body: &LaunchBody) -> Option<Arc<Facts>> {
        let mut recent = lock(&self.recent);
        let at = recent.iter().rposition(|facts| facts.are_of(body))?;
        let found = Arc::clone(&recent[at]);
        if at + 1 < recent.len() {
            recent[at..].rotate_left(1);
        }
        Some(found)
    }
}

impl Facts {
    fn new(body: &LaunchBody) -> Self {
        let kernel = body.kernel;
        let grid = body.num_workgroups();
        let bindings: SmallVec<[kernel::Bound<'_>; 8]> = body
            .bound
            .iter()
            .map(|bound| match bound {
                Bound::Uniform { start, end } => {
                    kernel::Bound::Uniform(&body.uniforms[*start..*end])
                }
                Bound::Storage(slot) => kernel::Bound::Array(slot.span.words()),
            })
            .collect();
        let resolved = kernel.access.resolve(&Environment {
            bindings: &bindings,
            num_workgroups: grid,
            workgroup_size: kernel.workgroup_size,
        });
        let bound: SmallVec<[Place; 8]> = body.bound.iter().map(Place::of).collect();
        let whole = Tile {
            lo: [0; 3],
            hi: grid,
        };
        let mut alone = footprint(&resolved, &bound, whole, Company::Shared);
        let work_per_invocation = resolved.work();
        let work = Work::of_tile(kernel, &work_per_invocation, whole, &alone);
        alone.arguments.iter_mut().for_each(in_place);
        Self {
            kernel,
            uniforms: body.uniforms.as_slice().into(),
            grid,
            work_per_invocation,
            work,
            overruns: resolved.overrun().is_some(),
            loop_rounds_max: resolved.loop_rounds_max(),
            needs: alone.arguments.iter().map(Touch::needs).collect(),
            alone: Arc::new(alone),
            refusal: OnceLock::new(),
            parts: Mutex::default(),
            plans: Mutex::default(),
            repeats: Mutex::default(),
            line_multiple: OnceLock::new(),
            settled: Mutex::default(),
            bound,
            resolved,
        }
    }

    /// Whether these are the facts of a launch.
    fn are_of(&self, body: &LaunchBody) -> bool {
        std::ptr::eq(self.kernel, body.kernel)
            && self.grid.map(u64::from) == body.grid
            && *self.uniforms == *body.uniforms
            && self.bound.len() == body.bound.len()
            && self
                .bound
                .iter()
                .copied()
                .eq(body.bound.iter().map(Place::of))
    }

    /// The whole launch as one tile.
    pub(super) fn whole(&self) -> Tile {
        Tile {
            lo: [0; 3],
            hi: self.grid,
        }
    }

    /// The footprint of the whole launch on one device, counted from the starts of the arrays.
    pub(super) fn alone(&self) -> &Arc<Footprint> {
        &self.alone
    }

    /// What must be valid where the whole launch runs, by argument.
    pub(super) fn needs(&self) -> &[SpanSet] {
        &self.needs
    }

    /// What a tile touches in this company, counted from the starts of the arrays: alone, what would be combined is updated in
    /// place.
    pub(super) fn footprint(&self, tile: Tile, company: Company) -> Arc<Footprint> {
        if company == Company::Alone && tile == self.whole() {
            return Arc::clone(&self.alone);
        }
        let mut parts = lock(&self.parts);
        let known = parts
            .iter()
            .find(|known| known.tile == tile && known.company == company);
        if let Some(known) = known {
            return Arc::clone(&known.footprint);
        }
        let footprint = Arc::new(footprint(&self.resolved, &self.bound, tile, company));
        if parts.len() == PARTS_MAX {
            parts.remove(0);
        }
        parts.push(KnownPart {
            tile,
            company,
            footprint: Arc::clone(&footprint),
        });
        footprint
    }

    /// What a tile of a launch that is shared touches, worked out anew: for tiles that are tried out.
    pub(super) fn trial(&self, tile: Tile) -> Footprint {
        footprint(&self.resolved, &self.bound, tile, Company::Shared)
    }

    /// What a tile touches in this company, worked out anew and not kept.
    pub(super) fn footprint_anew(&self, tile: Tile, company: Company) -> Footprint {
        footprint(&self.resolved, &self.bound, tile, company)
    }

    /// How much work a tile is.
    pub(super) fn work(&self, tile: Tile, footprint: &Footprint) -> Work {
        Work::of_tile(self.kernel, &self.work_per_invocation, tile, footprint)
    }

    /// Why the launch cannot be cut, if it cannot.
    pub(super) fn refusal(&self) -> Option<&str> {
        let reason = || match self.kernel.access.split {
            Split::WhereDisjoint => None,
            Split::No { reason, site } => {
                let site = &self.kernel.access.sites[usize::from(site.0)];
                Some(format!("{reason} ({}:{site})", self.kernel.path))
            }
        };
        self.refusal.get_or_init(reason).as_deref()
    }

    /// How often the launch was repeated.
    pub(super) fn repeats(&self) -> MutexGuard<'_, Repeats> {
        lock(&self.repeats)
    }

    /// Cuts along `axis` at multiples of this many workgroups fall on borders of cache lines, if the arrays begin at such.
    pub(super) fn line_multiple(&self, axis: usize) -> u32 {
        *self.line_multiple.get_or_init(|| {
            let extent = self.grid[axis];
            if extent < 3 {
                return 1;
            }
            let unit = |lo: u32| {
                let mut tile = self.whole();
                (tile.lo[axis], tile.hi[axis]) = (lo, lo + 1);
                self.trial(tile)
            };
            let starts: SmallVec<[u64; 8]> = self.needs.iter().map(|_| 0).collect();
            plan::line_multiple(&unit(1), &unit(2), &starts, u64::from(extent))
        })
    }

    /// The plan that this situation led to before.
    pub(super) fn known_plan(
        &self,
        situation: &Situation<'_>,
        policy: &Policy,
    ) -> Option<Arc<Plan>> {
        let plans = lock(&self.plans);
        let mut latest_first = plans.iter().rev();
        let known = latest_first.find(|known| known.holds(situation, policy))?;
        Some(Arc::clone(known.plan()))
    }

    /// The latest note of a settled launch that `is_it`.
    pub(super) fn settled(&self, is_it: impl Fn(&mut Settled) -> bool) -> Option<Settled> {
        let mut settled = lock(&self.settled);
        settled
            .iter_mut()
            .rev()
            .find_map(|settled| is_it(settled).then(|| settled.clone()))
    }

    /// Notes that a launch has settled.
    pub(super) fn settle(&self, launch: Settled) {
        let mut settled = lock(&self.settled);
        settled.retain(|other| !other.is_like(&launch));
        if settled.len() == PLANS_MAX {
            settled.remove(0);
        }
        settled.push(launch);
    }

    /// Keeps a plan for the next time.
    pub(super) fn remember_plan(&self, plan: Remembered) {
        let mut plans = lock(&self.plans);
        if plans.len() == PLANS_MAX {
            plans.remove(0);
        }
        plans.push(plan);
    }
}

impl Place {
    fn of(bound: &Bound) -> Self {
        match bound {
            Bound::Uniform { start, end } => Self::Uniform {
                start: *start,
                end: *end,
            },
            Bound::Storage(slot) => Self::Array(slot.span),
        }
    }
}

/// What a tile touches in this company, counted from the starts of the arrays.
fn footprint(resolved: &Resolved<'_>, bound: &[Place], tile: Tile, company: Company) -> Footprint {
    let mut footprint = resolved.footprint(tile);
    let spans = bound.iter().filter_map(|place| match place {
        Place::Array(span) => Some(span),
        Place::Uniform { .. } => None,
    });
    for (touch, span) in footprint.arguments.iter_mut().zip(spans) {
        if span.lo > 0 {
            touch.reads = touch.reads.shifted(span.lo);
            touch.writes = touch.writes.shifted(span.lo);
        }
        if company == Company::Alone {
            in_place(touch);
        }
    }
    footprint
}

/// Turns what would be combined into what is read and written.
fn in_place(touch: &mut Touch) {
    if !touch.combine {
        return;
    }
    touch.combine = false;
    touch.exact = false;
    touch.reads = touch.reads.union(&touch.writes);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
