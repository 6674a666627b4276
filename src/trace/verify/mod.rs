//! Was everything right that happened? A recorded run, checked word by word and part by part after the fact; pure.
//!
//! Every word of every array has a *version*: the number of the event that last wrote it. A memory holds some version of a word, or none.
//! Copies carry versions from memory to memory; whatever reads must find the last one. Beyond that, nothing may start before
//! what it depends on has ended, the parts of a launch must tile it exactly once, and no word may move without somebody needing it.

mod checker;
mod contents;
mod marks;

use thiserror::Error;

use super::event::{ArrayNo, LaunchNo, PartNo};
use super::recorder::Trace;
use crate::machine::MemoryId;
use crate::region::Span;
use checker::Checker;

/// More violations are not looked for: one mistake has many consequences.
const VIOLATIONS_MAX: usize = 16;

/// What is wrong with a recorded run. Events are named by their number in the trace, from 0.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// Something was read that was not the last thing written.
    #[error("event {event} reads words {span} of {array} in {memory}, where {} is; {} is the last", written(*.held), written(Some(*.last)))]
    Stale {
        /// What reads.
        event: usize,
        /// The array.
        array: ArrayNo,
        /// The first such words.
        span: Span,
        /// Where they are read.
        memory: MemoryId,
        /// The event that wrote what is there, if anything is.
        held: Option<usize>,
        /// The event that wrote them last.
        last: usize,
    },
    /// Something started before what it depends on had ended.
    #[error("event {event} uses {array} before {before}, which conflicts with it, has finished")]
    TooEarly {
        /// What started.
        event: usize,
        /// The array that both use.
        array: ArrayNo,
        /// The launch that had not finished.
        before: LaunchNo,
    },
    /// Words were copied to where they were already.
    #[error(
        "event {event} copies words of {array} to {memory}, which holds {words} of them already"
    )]
    Needless {
        /// The copy.
        event: usize,
        /// The array.
        array: ArrayNo,
        /// Where they were copied to.
        memory: MemoryId,
        /// How many were there, beyond the gaps.
        words: u64,
    },
    /// Words were copied that nobody used.
    #[error("event {event} copies {words} words of {array} to {memory} that nobody used there")]
    Unused {
        /// The copy.
        event: usize,
        /// The array.
        array: ArrayNo,
        /// Where they were copied to.
        memory: MemoryId,
        /// How many, beyond the gaps.
        words: u64,
    },
    /// A launch ended, but its parts do not tile it exactly once.
    #[error("event {event} ends {launch}, whose parts {what}")]
    Tiling {
        /// The end.
        event: usize,
        /// The launch.
        launch: LaunchNo,
        /// What is wrong with its parts.
        what: String,
    },
    /// Two parts of one launch interfere.
    #[error(
        "event {event} starts {part}, which uses words of {array} that {other} of the same launch writes, or the other way round"
    )]
    Interference {
        /// The start of the second part.
        event: usize,
        /// The second part.
        part: PartNo,
        /// The first part.
        other: PartNo,
        /// The array.
        array: ArrayNo,
    },
    /// A memory gave up words that were nowhere else.
    #[error(
        "event {event} evicts words {span} of {array} from {memory}, the only memory that has them"
    )]
    EvictedLast {
        /// The eviction.
        event: usize,
        /// The array.
        array: ArrayNo,
        /// The first such words.
        span: Span,
        /// The memory.
        memory: MemoryId,
    },
    /// An event speaks of something that is not there.
    #[error("event {event} {what}")]
    Disorder {
        /// The event.
        event: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A launch never ended.
    #[error("{launch}, queued by event {event}, never finishes")]
    Unfinished {
        /// What queued it.
        event: usize,
        /// The launch.
        launch: LaunchNo,
    },
}

fn written(event: Option<usize>) -> String {
    event.map_or_else(
        || "nothing".to_owned(),
        |event| format!("what event {event} wrote"),
    )
}

/// Whether a trace ends where the run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The run may have gone on: launches may be unfinished, and copies unused so far.
    Open,
    /// Nothing came after it.
    Complete,
}

impl Trace {
    /// Checks the run word by word and part by part. The trace must have been on from the start.
    ///
    /// Of a trace that reached the bound on its length, what is there is checked.
    ///
    /// # Errors
    /// What is wrong, in the order of the events; the first is the cause of many others.
    pub fn verify(&self, ending: Ending) -> Result<(), Vec<Violation>> {
        let mut checker = Checker::default();
        for (number, (_, event)) in self.events.iter().enumerate() {
            checker.event = number;
            checker.take(event);
            if checker.violations.len() >= VIOLATIONS_MAX {
                return Err(checker.violations);
            }
        }
        if ending == Ending::Complete && self.dropped == 0 {
            checker.end();
        }
        if checker.violations.is_empty() {
            Ok(())
        } else {
            Err(checker.violations)
        }
    }
}

#[cfg(test)]
mod tests;
