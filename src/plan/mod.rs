//! Who does which part? From a launch, the devices' costs and where the arrays are, to a plan; pure.
//!
//! [`choose`] weighs every device alone and all of them together. Together, the launch is cut along one axis into a tile per
//! device, so that the last device to finish does so as early as possible: each device's time for the units `lo..hi` of the axis is
//!
//! ```text
//! ready + launch + copies(lo..hi, present residency) + work · (hi - lo)      (0 for no units)
//! ```
//!
//! which grows with `hi` and shrinks with `lo`. For a given end time the devices, in order, each take as many units as they
//! can; the least end time for which they reach the end of the axis is found by bisection. A device whose fixed cost exceeds the end
//! time takes nothing, so that all subsets of devices are weighed in one go.
//!
//! The parts of a plan tile the launch exactly once ([`Plan::check`]); the plan decides when and where, never what.

pub mod balance;
mod book;
mod choose;
mod curve;
mod descend;
mod energy;
mod lines;
mod memo;
mod parts;
mod policy;
mod price;
mod reach;
mod show;
mod situation;
mod split;
mod trial;
mod watchdog;

pub use book::{BookError, PlanBook};
pub use choose::{PlanError, choose};
pub use lines::line_multiple;
pub(crate) use memo::Remembered;
pub use parts::{Part, Plan, Reason, SplitVerdict, TilingError};
pub(crate) use show::Bytes;
pub use situation::{Argument, Candidate, Objective, Policy, Situation, Splitting, Units};

#[cfg(test)]
mod promises;
