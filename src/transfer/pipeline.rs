//! Into how many chunks is a part cut so that its copies and its work go on side by side? Pure.
//!
//! A chunk is uploaded, worked on and downloaded; each of the three stages does one chunk at a time, in order. Many chunks fill the
//! stages sooner, few pay the fixed cost of a chunk less often.

use crate::cost::Link;
use crate::machine::Overlap;

/// One of the three stages, for the whole part. Times are in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stage {
    /// From the end of a chunk's turn until the next stage can have it.
    pub delay_ns: f64,
    /// What every chunk takes of the stage's time besides its share.
    pub per_chunk_ns: f64,
    /// The sum of the chunks' shares.
    pub shares_ns: f64,
}

impl Stage {
    /// Copies of `bytes` in all over `link`, where copies that follow one another hide each other's latency.
    pub fn copies(link: Link, bytes: f64) -> Self {
        if bytes == 0.0 {
            return Self::default();
        }
        Self {
            delay_ns: link.latency_ns,
            per_chunk_ns: 0.0,
            shares_ns: bytes * link.ns_per_byte(),
        }
    }

    /// Kernels that work for `work_ns` in all, and each take `launch_ns` to begin.
    pub fn kernels(launch_ns: f64, work_ns: f64) -> Self {
        Self {
            delay_ns: 0.0,
            per_chunk_ns: launch_ns,
            shares_ns: work_ns,
        }
    }

    /// Time of the stage if it were the only one and did everything in one go.
    pub fn alone_ns(&self) -> f64 {
        self.delay_ns + self.per_chunk_ns + self.shares_ns
    }

    fn turn_ns(&self, chunks: u32) -> f64 {
        self.per_chunk_ns + self.shares_ns / f64::from(chunks)
    }
}

/// A part cut into chunks of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pipeline {
    /// Number of chunks.
    pub chunks: u32,
    /// When the last chunk has left the last stage.
    pub end_ns: f64,
}

/// The best number of chunks, at most `chunks_max`, for a device that can overlap so much.
///
/// ```
/// use impel::cost::Link;
/// use impel::machine::Overlap;
/// use impel::transfer::pipeline::{Stage, best};
///
/// let link = Link { latency_ns: 1e4, bytes_per_s: 1e10 };
/// let (up, down) = (Stage::copies(link, 1e8), Stage::copies(link, 5e7));
/// let work = Stage::kernels(5e3, 4e6);
/// let serial = best([up, work, down], Overlap::None, 256);
/// let overlapped = best([up, work, down], Overlap::FullDuplex, 256);
/// assert_eq!(serial.chunks, 1);
/// assert!(overlapped.end_ns < 1.1 * up.alone_ns() && up.alone_ns() < 0.6 * serial.end_ns);
/// ```
pub fn best(stages: [Stage; 3], overlap: Overlap, chunks_max: u32) -> Pipeline {
    let tried = |chunks: u32| Pipeline {
        chunks,
        end_ns: end_ns(&stages, overlap, chunks),
    };
    let mut best = tried(1);
    if overlap == Overlap::None {
        return best;
    }
    let mut chunks = 2;
    while chunks <= chunks_max {
        let candidate = tried(chunks);
        // A tenth more chunks for the same time would only be more work for the host.
        if candidate.end_ns < best.end_ns * 0.999 {
            best = candidate;
        }
        chunks += (chunks / 8).max(1);
    }
    best
}

/// When the last of `chunks` chunks has left the last stage.
pub fn end_ns(stages: &[Stage; 3], overlap: Overlap, chunks: u32) -> f64 {
    let [up, work, down] = stages;
    let (mut up_free, mut work_free, mut down_free) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut waiting: Option<f64> = None;
    let mut end = 0.0_f64;
    for _ in 0..chunks {
        if overlap == Overlap::None {
            end += up.turn_ns(chunks) + up.delay_ns;
            end += work.turn_ns(chunks) + work.delay_ns;
            end += down.turn_ns(chunks) + down.delay_ns;
            continue;
        }
        up_free += up.turn_ns(chunks);
        work_free = work_free.max(up_free + up.delay_ns) + work.turn_ns(chunks);
        let ready = work_free + work.delay_ns;
        if overlap == Overlap::FullDuplex {
            down_free = down_free.max(ready) + down.turn_ns(chunks);
            end = down_free + down.delay_ns;
            continue;
        }
        // One direction at a time: a result goes home as soon as the upload after it is through.
        if let Some(ready) = waiting.replace(ready) {
            up_free = up_free.max(ready) + down.turn_ns(chunks);
        }
    }
    if let Some(ready) = waiting {
        end = up_free.max(ready) + down.turn_ns(chunks) + down.delay_ns;
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::seeded::cases(2000, 0x919e))]

        #[test]
        fn a_one_shot_launch_over_full_duplex_links_takes_little_more_than_its_longest_stage(
            latency_ns in 1e3_f64..1e5,
            rates in (1e9_f64..5e10, 1e9_f64..5e10),
            bytes in (0.0_f64..4e9, 0.0_f64..4e9),
            work_ns in 0.0_f64..1e9,
            launch_part in 0.0_f64..0.1,
        ) {
            let link = |bytes_per_s| Link { latency_ns, bytes_per_s };
            let stages = [
                Stage::copies(link(rates.0), bytes.0),
                Stage::kernels(latency_ns * launch_part, work_ns),
                Stage::copies(link(rates.1), bytes.1),
            ];
            let longest = stages.iter().map(Stage::alone_ns).fold(0.0, f64::max);
            prop_assume!(longest >= 100.0 * latency_ns);
            let pipeline = best(stages, Overlap::FullDuplex, 256);
            prop_assert!(pipeline.end_ns <= 1.1 * longest, "{pipeline:?} for {longest}");
            prop_assert!(pipeline.end_ns >= longest * 0.999);
        }

        #[test]
        fn more_overlap_is_never_slower(
            shares in (0.0_f64..1e9, 0.0_f64..1e9, 0.0_f64..1e9),
            fixed in (0.0_f64..1e5, 0.0_f64..1e5, 0.0_f64..1e5),
        ) {
            let stage = |shares_ns, fixed| Stage { delay_ns: fixed, per_chunk_ns: fixed / 2.0, shares_ns };
            let stages = [stage(shares.0, fixed.0), stage(shares.1, fixed.1), stage(shares.2, fixed.2)];
            let ends = [Overlap::None, Overlap::HalfDuplex, Overlap::FullDuplex]
                .map(|overlap| best(stages, overlap, 256).end_ns);
            prop_assert!(ends[1] <= ends[0] * (1.0 + 1e-9) && ends[2] <= ends[1] * (1.0 + 1e-9), "{ends:?}");
        }
    }

    #[test]
    fn what_takes_its_turns_is_done_in_one_go() {
        let stage = Stage {
            delay_ns: 1.0,
            per_chunk_ns: 2.0,
            shares_ns: 100.0,
        };
        let pipeline = best([stage; 3], Overlap::None, 64);
        assert_eq!(
            pipeline,
            Pipeline {
                chunks: 1,
                end_ns: 309.0
            }
        );
        let cheap = best(
            [Stage::default(), stage, Stage::default()],
            Overlap::FullDuplex,
            64,
        );
        assert_eq!(cheap.chunks, 1, "nothing to overlap with");
    }
}
