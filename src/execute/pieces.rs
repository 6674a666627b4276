//! How does a part run whose arrays do not fit a GPU's memory, or whose copies take long? In pieces, one after another, each with the
//! ranges that it touches; several are under way at once, so that the words for one go out and the results of another come home beside
//! the work on a third.

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::Shared;
use super::gpu_parts::{Gathered, Started};
use super::homeward::Homeward;
use super::job::{Job, Placements};
use super::launch::Failure;
use super::memory::{Denied, PRIVATE, Patience};
use crate::error::LaunchError;
use crate::kernel::{self, Space};
use crate::lanes::Tile;
use crate::machine::{DeviceId, Overlap};
use crate::plan::{Bytes, Part};
use crate::region::{Footprint, Span, WORD_BYTES};
use crate::trace::PartKind;
use crate::transfer::Company;
use crate::transfer::pipeline::{self, Stage};
use crate::transfer::residence::{NoRoom, Want};
use crate::transfer::window::{self, Crowded, Operand, Room};

/// The most chunks for the sake of overlap.
const CHUNKS_MAX: u32 = 128;
/// Chunks must shorten a part to this fraction of its time, to be worth their trouble.
const WORTH_CHUNKS: f64 = 0.95;

/// Results that may be on their way home before the oldest are waited for: while these come, words for the next pieces go out.
const HOMEWARD_MAX: usize = 8;

/// How a part's arrays fit a memory.
pub(super) enum Fit {
    /// All of them whole.
    Whole(SmallVec<[Want; 8]>),
    /// All ranges that it touches.
    Windows(SmallVec<[Want; 8]>),
    /// The ranges that each of these pieces touches.
    Pieces(Vec<Tile>),
}

/// A GPU part that runs in pieces.
pub(super) struct Stream {
    pub(super) part: Part,
    pub(super) tiles: Vec<Tile>,
}

impl Stream {
    /// Adds the pieces of a part to what its device does.
    pub(super) fn add(streams: &mut Vec<Self>, part: &Part, tiles: Vec<Tile>) {
        match streams
            .iter_mut()
            .find(|stream| stream.part.device == part.device)
        {
            Some(stream) => stream.tiles.extend(tiles),
            None => streams.push(Self { part: *part, tiles }),
        }
    }
}

/// The array arguments of a launch, in the order of its slots.
pub(super) fn operands(job: &Job<'_>, company: Company) -> SmallVec<[Operand; 8]> {
    let kernel = job.body.kernel;
    let storage = kernel
        .bindings
        .iter()
        .filter(|binding| binding.space != Space::Uniform);
    let accesses = storage.zip(kernel.access.buffers);
    let slots = (0..).zip(&job.slots).zip(accesses);
    slots
        .map(|((number, slot), (binding, access))| {
            if access.combine.is_some() && company == Company::Shared {
                let words = slot.span.words();
                return Operand {
                    array: PRIVATE + number,
                    words,
                    bound: Span::new(0, words),
                    element_words: None,
                };
            }
            let windowed = binding.may_be_windowed() && kernel.gpu.windowed.is_some();
            Operand {
                array: slot.core.id().0,
                words: slot.core.words(),
                bound: slot.span,
                element_words: windowed.then_some(u64::from(binding.stride_words)),
            }
        })
        .collect()
}

impl Shared {
    /// How a tile fits a GPU's memory; the reason, if it does not.
    pub(super) fn fit(
        &self,
        job: &Job<'_>,
        device: DeviceId,
        tile: Tile,
        company: Company,
    ) -> Result<Fit, String> {
        let (operands, room) = (operands(job, company), self.room(device));
        if let Some(wants) = window::whole(&operands, &room) {
            return Ok(Fit::Whole(wants));
        }
        let footprint = job.footprint_in(tile, company);
        if let Ok(wants) = window::windows(&operands, &footprint, &room) {
            return Ok(Fit::Windows(wants));
        }
        if let Some(refusal) = job.facts.refusal() {
            let crowded = window::windows(&operands, &footprint, &room).err();
            return Err(format!(
                "{}, and it cannot be cut: {refusal}",
                crowded.map_or_else(String::new, |crowded| lack(crowded, &room))
            ));
        }
        let fits = |room: Room| {
            let operands = &operands;
            move |tile: Tile| {
                let footprint = job.facts.footprint_anew(tile, company);
                window::windows(operands, &footprint, &room).map(drop)
            }
        };
        // Two pieces at once, where that can be.
        let half = Room {
            budget_words: room.budget_words / 2,
            ..room
        };
        let tiles = window::pieces(tile, fits(half))
            .or_else(|_| window::pieces(tile, fits(room)))
            .map_err(|crowded| {
                format!("even a piece of it is too large: {}", lack(crowded, &room))
            })?;
        let trials: Vec<Footprint> = tiles.iter().map(|tile| job.facts.trial(*tile)).collect();
        if let Err(conflict) = kernel::disjoint(&trials) {
            return Err(format!(
                "it is too large for the memory as a whole, and its pieces are not independent: {conflict}"
            ));
        }
        Ok(Fit::Pieces(tiles))
    }

    /// The chunks in which copies to a device and its work go on side by side, where it can do that and enough has to be copied.
    pub(super) fn overlapping_chunks(
        &self,
        job: &Job<'_>,
        part: &Part,
        company: Company,
    ) -> Option<Vec<Tile>> {
        let overlap = self.devices.gpu(part.device).overlap();
        if overlap == Overlap::None || job.facts.refusal().is_some() {
            return None;
        }
        let footprint = job.footprint_in(part.tile, company);
        let slots = || job.slots.iter().zip(&footprint.arguments);
        let missing_words: u64 = {
            let placements = Placements::lock(job);
            let missing = slots().map(|(slot, touch)| {
                let residency = &placements.get(slot).residency;
                residency
                    .missing(part.device.memory(), &touch.needs())
                    .words()
            });
            missing.sum()
        };
        let wanted = slots().map(|(slot, touch)| self.wanted_results(job, touch, slot, company));
        let wanted_words: u64 = wanted.map(|wanted| wanted.words()).sum();
        let limits = *self.costs().limits(self.devices.key(part.device))?;
        let work = job.work(part.tile, &footprint);
        let work_ns = self.predict(job, part.device, work).work_ns;
        let stages = [
            Stage::copies(limits.up, (missing_words * WORD_BYTES) as f64),
            Stage::kernels(limits.launch_ns, work_ns),
            Stage::copies(limits.down, (wanted_words * WORD_BYTES) as f64),
        ];
        let axis = job.axis();
        let units = part.tile.hi[axis] - part.tile.lo[axis];
        let best = pipeline::best(stages, overlap, units.min(CHUNKS_MAX));
        if best.end_ns > WORTH_CHUNKS * pipeline::end_ns(&stages, overlap, 1) {
            return None;
        }
        let tiles = window::even_pieces(part.tile, axis, best.chunks);
        let trials: Vec<Footprint> = tiles.iter().map(|tile| job.facts.trial(*tile)).collect();
        kernel::disjoint(&trials).ok()?;
        Some(tiles)
    }

    /// Whether some of a launch fits a GPU's memory; the reason, if nothing does. Cheaper than [`fit`](Self::fit), which may still say no.
    pub(super) fn may_fit(&self, job: &Job<'_>, device: DeviceId) -> Result<(), String> {
        let (operands, room) = (operands(job, Company::Alone), self.room(device));
        if window::whole(&operands, &room).is_some() {
            return Ok(());
        }
        let lacks = |footprint: &Footprint| window::windows(&operands, footprint, &room).err();
        let Some(crowded) = lacks(job.facts.alone()) else {
            return Ok(());
        };
        if let Some(refusal) = job.facts.refusal() {
            return Err(format!(
                "{}, and it cannot be cut: {refusal}",
                lack(crowded, &room)
            ));
        }
        let whole = job.whole();
        let mut least = crowded;
        for axis in (0..3).filter(|&axis| whole.hi[axis] > 1) {
            let mut slice = whole;
            slice.hi[axis] = 1;
            match lacks(&job.facts.footprint_anew(slice, Company::Alone)) {
                None => return Ok(()),
                Some(crowded) if crowded.all_words < least.all_words => least = crowded,
                Some(_) => {}
            }
        }
        Err(format!(
            "even a piece of it is too large: {}",
            lack(least, &room)
        ))
    }

    /// Runs streams of pieces beside `work`, each GPU's on a thread of its own. What they combined, and what GPUs failed to do.
    pub(super) fn stream_beside(
        &self,
        job: &Job<'_>,
        streams: &[Stream],
        company: Company,
        work: impl FnOnce() -> Result<Vec<()>, LaunchError>,
    ) -> Result<(Gathered, Vec<Failure>), LaunchError> {
        if streams.is_empty() {
            return work().map(|_| Default::default());
        }
        std::thread::scope(|scope| {
            let beside = |stream| scope.spawn(move || self.stream(job, stream, company));
            let running: Vec<_> = streams.iter().map(beside).collect();
            let done = work();
            let (mut gathered, mut failures) = (Gathered::default(), Vec::new());
            for stream in running {
                let outcome = stream.join();
                let (own, failed) =
                    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                gathered.take_in(own);
                failures.extend(failed);
            }
            done.map(|_| (gathered, failures))
        })
    }

    /// Runs the pieces of a part in order.
    fn stream(
        &self,
        job: &Job<'_>,
        stream: &Stream,
        company: Company,
    ) -> Result<(Gathered, Vec<Failure>), LaunchError> {
        let mut streaming = Streaming {
            shared: self,
            job,
            device: stream.part.device,
            company,
            under_way: VecDeque::new(),
            homeward: VecDeque::new(),
            gathered: Gathered::default(),
            failures: Vec::new(),
        };
        for tile in &stream.tiles {
            let piece = Part {
                tile: *tile,
                predicted_ns: stream.part.predicted_ns / stream.tiles.len() as f64,
                ..stream.part
            };
            match streaming.start(&piece)? {
                Ok(started) => streaming.under_way.push_back(started),
                Err(failure) => streaming.failures.push(failure),
            }
            streaming.keep_up();
        }
        while streaming.finish_oldest() {}
        Ok((streaming.gathered, streaming.failures))
    }
}

/// The pieces of a part, each of which is on its way in, at work, or on its way home.
struct Streaming<'s, 'j> {
    shared: &'s Shared,
    job: &'s Job<'j>,
    device: DeviceId,
    company: Company,
    /// Started and not finished, the oldest first.
    under_way: VecDeque<Started>,
    /// Results of finished ones.
    homeward: VecDeque<Homeward>,
    gathered: Gathered,
    failures: Vec<Failure>,
}

impl Streaming<'_, '_> {
    /// Starts a piece while others may be at work; has those finished first whose buffers are in the way. The inner error is the GPU's.
    fn start(&mut self, piece: &Part) -> Result<Result<Started, Failure>, LaunchError> {
        let (shared, job, company) = (self.shared, self.job, self.company);
        let footprint = job.footprint_in(piece.tile, company);
        let (operands, room) = (operands(job, company), shared.room(piece.device));
        let whole = window::whole(&operands, &room).map(Ok);
        let wants = whole.unwrap_or_else(|| window::windows(&operands, &footprint, &room));
        let wants = match wants {
            Ok(wants) => wants,
            Err(crowded) => return Ok(Err(shared.no_room(piece, &lack(crowded, &room)))),
        };
        let bind = |patience| shared.bind(job, piece, company, (&wants, patience));
        let mut bound = bind(Patience::Gives);
        while let Err(Denied::Room(NoRoom::Now { .. })) = &bound {
            let patience = if self.finish_oldest() {
                Patience::Gives
            } else {
                Patience::Waits
            };
            bound = bind(patience);
        }
        let bound = match bound {
            Ok(bound) => bound,
            Err(denied) => return Ok(Err(shared.denied(job, piece, &denied))),
        };
        let parts = [(piece.device.memory(), &*footprint)];
        // Another device that fails gives up what it held, so this ends.
        while let Some((device, error)) = shared.move_for(job, &parts, company)? {
            if device == piece.device {
                return Ok(Err(shared.failure(job, device, piece.tile, &error)));
            }
            shared.note_failure(device, job.body, &error);
        }
        let started = shared.start(job, bound, (company, PartKind::Chunk));
        shared.devices.flush();
        Ok(started)
    }

    /// Finishes pieces until no more are under way than keep the device busy.
    fn keep_up(&mut self) {
        let overlap = self.shared.devices.gpu(self.device).overlap();
        let under_way_max = match (overlap, self.company) {
            (Overlap::None, _) => 1,
            // Nobody waits for a piece, so that its results are on their way as soon as they are there.
            (_, Company::Alone) => 0,
            (_, Company::Shared) => 2,
        };
        while self.under_way.len() > under_way_max {
            self.finish_piece();
        }
        while self.homeward.len() > HOMEWARD_MAX {
            self.take_in();
        }
    }

    /// Takes in what has been on its way home for longest, or finishes the piece that was started first; false if nothing is left.
    fn finish_oldest(&mut self) -> bool {
        self.take_in() || self.finish_piece()
    }

    fn finish_piece(&mut self) -> bool {
        let Some(started) = self.under_way.pop_front() else {
            return false;
        };
        let (shared, job, company) = (self.shared, self.job, self.company);
        let (tile, failed) = (started.tile(), self.failures.len());
        let told = (&mut self.gathered, &mut self.failures);
        shared.finish_gpu_part(job, started, company, told);
        if self.failures.len() == failed {
            let footprint = job.footprint_in(tile, company);
            let homeward = shared.send_home(job, self.device, &footprint, company);
            self.homeward.extend(homeward);
        }
        true
    }

    fn take_in(&mut self) -> bool {
        let Some(homeward) = self.homeward.pop_front() else {
            return false;
        };
        self.shared.arrive(self.job, homeward);
        true
    }
}

/// What does not fit, in words.
fn lack(crowded: Crowded, room: &Room) -> String {
    let bytes = |words: u64| Bytes(words.saturating_mul(WORD_BYTES));
    if crowded.longest_words > room.range_words_max {
        return format!(
            "an array needs {} in one binding, and it takes {}",
            bytes(crowded.longest_words),
            bytes(room.range_words_max)
        );
    }
    format!(
        "its arrays need {} at once, and the budget of its memory is {}",
        bytes(crowded.all_words),
        bytes(room.budget_words)
    )
}
