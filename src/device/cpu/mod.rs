//! How does the CPU carry out its part? A tile is cut into blocks of workgroups, which the workers take one by one.

mod crew;
mod discover;
mod ledger;
mod measure;
mod memory;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::kernel::Kernel;
use crate::kernel::access::Combine;
use crate::lanes::{Buffer, Launch, Level, Tile};
use crate::machine;
use crew::Crew;
pub(crate) use ledger::Lending;
pub(crate) use memory::{HostMemory, Loan};

/// A part that is predicted to take less runs on the calling thread: waking a worker costs about as much.
const INLINE_NS: f64 = 50_000.0;
/// No block is predicted shorter than this, so that taking a block costs nothing in comparison.
const BLOCK_NS: f64 = 20_000.0;
/// Blocks for each worker, so that a slow block or a late worker delays the end by little.
const BLOCKS_PER_WORKER: u32 = 16;
/// Stack of a worker: a kernel keeps its private arrays and a workgroup's memory there, up to 1 MiB, and debug builds keep every
/// vector there as well.
pub(crate) const STACK_BYTES: usize = 8 << 20;
/// Buffers of combined atomics up to this size are private to each worker.
const PRIVATE_WORDS_MAX: usize = 1 << 16;

/// The CPU: its workers and the instructions they use.
#[derive(Debug)]
pub(crate) struct Cpu {
    pool: Option<Arc<rayon::ThreadPool>>,
    threads: usize,
    level: Level,
}

/// A storage or uniform buffer as a CPU part sees it.
#[derive(Debug)]
pub(crate) enum Argument<'a> {
    /// Words of the launch itself.
    Uniform(&'a [u32]),
    /// Words of an array.
    Storage(&'a Loan),
    /// Words of an array that the kernel only combines into, with the operation.
    Combined(&'a Loan, Combine),
}

/// A tile of a launch, ready to run.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// What to run.
    pub(crate) kernel: &'static Kernel,
    /// The bound buffers, in the order of the kernel's bindings.
    pub(crate) arguments: &'a [Argument<'a>],
    /// Workgroups of the whole launch.
    pub(crate) num_workgroups: [u32; 3],
    /// The workgroups to run.
    pub(crate) tile: Tile,
    /// How long one thread is predicted to take, in nanoseconds.
    pub(crate) predicted_ns: f64,
}

/// A worker's panic, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

/// How many workers this process may have, minding affinity and control groups.
pub(crate) fn usable_cores() -> usize {
    discover::discover().threads
}

impl Cpu {
    /// A CPU device with `threads` workers of its own.
    pub(crate) fn new(threads: usize, level: Level) -> Result<Self, rayon::ThreadPoolBuildError> {
        assert!(
            threads > 0 && level.is_available(),
            "a CPU has workers and instructions"
        );
        let pool = if threads == 1 {
            None
        } else {
            let name = |index| format!("impel-cpu-{index}");
            // One fewer, since whoever runs a part takes part in it: an idle worker that looks for work slows down those that have
            // some.
            Some(Arc::new(
                rayon::ThreadPoolBuilder::new()
                    .num_threads(threads - 1)
                    .stack_size(STACK_BYTES)
                    .thread_name(name)
                    .build()?,
            ))
        };
        Ok(Self {
            pool,
            threads,
            level,
        })
    }

    /// A CPU device on the caller's pool.
    pub(crate) fn with_pool(pool: Arc<rayon::ThreadPool>, level: Level) -> Self {
        let threads = pool.current_num_threads();
        Self {
            pool: Some(pool),
            threads,
            level,
        }
    }

    /// The processor, with the workers and the instructions that are in use.
    pub(crate) fn describe(&self) -> machine::Cpu {
        machine::Cpu {
            threads: self.threads,
            level: self.level,
            ..discover::discover()
        }
    }

    /// The instructions in use.
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// Number of workers.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs a part to its end and says how long that took, in nanoseconds.
    pub(crate) fn run(&self, part: &Part<'_>) -> Result<u64, Panicked> {
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| match &self.pool {
            Some(pool) if part.predicted_ns >= INLINE_NS => self.run_in_blocks(pool, part),
            _ => run_alone(part, self.level),
        }));
        match outcome {
            Ok(()) => Ok(start.elapsed().as_nanos() as u64),
            Err(payload) => Err(Panicked(message(payload.as_ref()))),
        }
    }

    /// The calling thread and all workers but one take blocks until none is left.
    fn run_in_blocks(&self, pool: &rayon::ThreadPool, part: &Part<'_>) {
        let wanted = (part.predicted_ns / BLOCK_NS) as u32;
        let blocks = Blocks::cut(
            part.tile,
            wanted.clamp(1, self.threads as u32 * BLOCKS_PER_WORKER),
        );
        let next = AtomicU32::new(0);
        let merging = Mutex::new(());
        let work = || work(part, self.level, &blocks, &next, &merging);
        work_together(pool, self.threads.min(blocks.count as usize) - 1, &work);
    }
}

/// Work that a crew does together.
#[derive(Clone, Copy)]
struct Task<'a>(*const (dyn Fn() + Sync + 'a));

// SAFETY: what it points to is `Sync`, and whoever calls it makes sure that it is still there.
unsafe impl Send for Task<'_> {}

/// The calling thread does `work`, and so do up to `others` workers that are free before it is done.
fn work_together(pool: &rayon::ThreadPool, others: usize, work: &(dyn Fn() + Sync)) {
    let crew = Arc::new(Crew::default());
    // SAFETY: only the lifetime changes, and nothing uses the pointer after this function: see below.
    let task: Task<'static> = unsafe { std::mem::transmute(Task(work)) };
    for _ in 0..others {
        let crew = Arc::clone(&crew);
        pool.spawn(move || {
            let task = task;
            // SAFETY: who has joined works before `close` returns, and nobody joins later.
            crew.join(|| unsafe { (*task.0)() });
        });
    }
    let own = catch_unwind(AssertUnwindSafe(work));
    let panic = crew.close();
    if let Some(payload) = own.err().or(panic) {
        resume_unwind(payload);
    }
}

/// Runs a part to its end on the calling thread.
pub(crate) fn run_caught(part: &Part<'_>, level: Level) -> Result<(), Panicked> {
    catch_unwind(AssertUnwindSafe(|| run_alone(part, level)))
        .map_err(|payload| Panicked(message(payload.as_ref())))
}

/// One thread does the whole part.
fn run_alone(part: &Part<'_>, level: Level) {
    let mut buffers = Vec::with_capacity(part.arguments.len());
    for argument in part.arguments {
        buffers.push(match argument {
            Argument::Uniform(words) => uniform(words),
            Argument::Storage(loan) => loan.buffer(),
            Argument::Combined(loan, _) => loan.private_buffer(),
        });
    }
    enter(part, level, &buffers, part.tile);
}

/// Takes blocks until none is left, with private copies of what is combined.
fn work(part: &Part<'_>, level: Level, blocks: &Blocks, next: &AtomicU32, merging: &Mutex<()>) {
    let mut private: Vec<Vec<u32>> = Vec::new();
    for argument in part.arguments {
        private.push(match argument {
            Argument::Combined(loan, combine) if loan.len() <= PRIVATE_WORDS_MAX => {
                vec![combine.identity(); loan.len()]
            }
            _ => Vec::new(),
        });
    }
    let mut buffers = Vec::with_capacity(part.arguments.len());
    for (argument, copy) in part.arguments.iter().zip(&mut private) {
        buffers.push(match argument {
            Argument::Uniform(words) => uniform(words),
            Argument::Combined(..) if !copy.is_empty() => Buffer::exclusive(copy),
            Argument::Storage(loan) | Argument::Combined(loan, _) => loan.buffer(),
        });
    }
    let mut idle = true;
    // Relaxed: the counter only hands out numbers; the scope's end publishes the results.
    while let Some(tile) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
        enter(part, level, &buffers, tile);
        idle = false;
    }
    drop(buffers);
    if idle {
        return;
    }
    let _alone = merging.lock().unwrap_or_else(PoisonError::into_inner);
    for (argument, copy) in part.arguments.iter().zip(&private) {
        if let Argument::Combined(loan, combine) = argument {
            combine_into(loan.buffer(), copy, *combine);
        }
    }
}

/// Merges a private copy into the words everybody shares.
fn combine_into(shared: Buffer<'_>, copy: &[u32], combine: Combine) {
    for (address, &word) in (0u32..).zip(copy) {
        if word != combine.identity() {
            shared.store_u32(address, combine.apply(shared.load_u32(address), word));
        }
    }
}

fn enter(part: &Part<'_>, level: Level, buffers: &[Buffer<'_>], tile: Tile) {
    let launch = Launch {
        buffers,
        num_workgroups: part.num_workgroups,
    };
    (part.kernel.cpu)(level, &launch, tile);
}

/// Uniform words as a kernel sees them; it never writes them.
fn uniform(words: &[u32]) -> Buffer<'_> {
    let count = u32::try_from(words.len()).expect("uniform buffers are small");
    // SAFETY: the words live and are not written while the buffer does: WGSL has no stores to `var<uniform>`.
    unsafe { Buffer::from_raw(words.as_ptr().cast_mut(), count) }
}

/// The text of a panic.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

/// A tile cut into blocks along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Blocks {
    tile: Tile,
    axis: usize,
    count: u32,
}

impl Blocks {
    /// At most `wanted` blocks: along the slowest axis that is long enough for all of them, else along the longest. Long rows
    /// along x stay whole where they can, because strips of lanes run along x.
    fn cut(tile: Tile, wanted: u32) -> Self {
        let extent = |axis: usize| tile.hi[axis] - tile.lo[axis];
        let long_enough = (0..3).rev().find(|&axis| extent(axis) >= wanted);
        let axis =
            long_enough.unwrap_or_else(|| (0..3).max_by_key(|&axis| extent(axis)).unwrap_or(0));
        Self {
            tile,
            axis,
            count: wanted.min(extent(axis)),
        }
    }

    /// Block `index`, or none past the last.
    fn get(&self, index: u32) -> Option<Tile> {
        if index >= self.count {
            return None;
        }
        let Self {
            mut tile,
            axis,
            count,
        } = *self;
        let lo = tile.lo[axis];
        let extent = u64::from(tile.hi[axis] - lo);
        let border = |index: u32| lo + (extent * u64::from(index) / u64::from(count)) as u32;
        (tile.lo[axis], tile.hi[axis]) = (border(index), border(index + 1));
        Some(tile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(tile: Tile) -> u64 {
        (0..3)
            .map(|axis| u64::from(tile.hi[axis] - tile.lo[axis]))
            .product()
    }

    #[test]
    fn blocks_tile_their_tile() {
        for (hi, wanted) in [
            ([1, 1, 1], 32),
            ([1000, 1, 1], 32),
            ([7, 300, 1], 32),
            ([3, 3, 3], 32),
            ([5, 40, 33], 32),
        ] {
            let tile = Tile { lo: [0, 0, 0], hi };
            let blocks = Blocks::cut(tile, wanted);
            let parts: Vec<Tile> = (0..).map_while(|index| blocks.get(index)).collect();
            assert_eq!(
                parts.iter().map(|&part| volume(part)).sum::<u64>(),
                volume(tile)
            );
            assert!(
                parts
                    .windows(2)
                    .all(|pair| pair[0].hi[blocks.axis] == pair[1].lo[blocks.axis])
            );
            assert!(parts.iter().all(|&part| volume(part) > 0));
        }
    }

    #[test]
    fn rows_along_x_stay_whole_where_there_are_enough() {
        assert_eq!(
            Blocks::cut(
                Tile {
                    lo: [0; 3],
                    hi: [100, 100, 1]
                },
                32
            )
            .axis,
            1
        );
        assert_eq!(
            Blocks::cut(
                Tile {
                    lo: [0; 3],
                    hi: [100, 1, 1]
                },
                32
            )
            .axis,
            0
        );
    }
}
