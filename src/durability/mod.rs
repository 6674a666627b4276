//! What has to be done again when a GPU takes the only copy of something with it? A log of launches, the versions of words that
//! main memory still holds, and the plan that makes the lost ones from them.
//!
//! Every launch that is logged gets a version, and so does everything the host writes. A launch can be repeated if each word that it
//! read can be had in the version that it read: from main memory, which keeps the old contents of what GPUs have overwritten
//! since; from a copy that was kept before main memory itself was overwritten; or from an earlier launch that can be repeated. The log
//! holds that for all of its launches. What nobody can lose any more needs no launches, and they are struck off.
//!
//! Pure: it says what to keep and what to run, and [`execute`](crate::execute) does so.

mod log;
#[cfg(test)]
mod promises;
mod replay;
mod versions;

pub(crate) use log::{Log, Touched};
pub(crate) use replay::{Replay, Source, Step};
pub(crate) use versions::Version;

/// What happens to words that only a lost GPU held.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Durability {
    /// They are lost: whatever needs them is an error that names array and ranges, until they are written anew.
    #[default]
    Off,
    /// They are computed again on the CPU, by the launches that made them; the program notices nothing but the time. For this, launches
    /// are logged, inputs are copied in main memory before they are overwritten, and now and then results are copied home, after which
    /// the launches before are forgotten. GPU and CPU may round differently, and so may what is
    /// computed again.
    Replay {
        /// Results are copied home when computing them again would take this many times as long: 20 costs a program whose GPU is
        /// no faster than its CPU a twentieth of its time.
        mirror_at: f64,
    },
}

impl Durability {
    /// [`Durability::Replay`] as most programs want it: results are copied home when computing them again would take 20 times as long.
    pub const fn replay() -> Self {
        Self::Replay { mirror_at: 20.0 }
    }
}
