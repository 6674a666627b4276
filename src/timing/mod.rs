//! How long do things take on an imagined machine? One model of time, for simulated devices under the executor (`device::sim`) and for
//! launches in virtual time (`simulate`); pure.
//!
//! Work takes as long as the slower of arithmetic and memory ([`Device::effort`]); working sets that a cache holds are moved faster;
//! devices on one memory bus, or on the same cores, slow each other down ([`speeds`]); links have a latency and a rate, and go both ways
//! at once or do not ([`Links`]); and nothing takes exactly as long as the last time ([`noise`]). None of this is the planner's model,
//! which says `a + b·work` and knows of no company.

mod device;
mod link;
mod share;

pub use device::Device;
pub(crate) use device::{Effort, noise};
pub use link::{Copying, Duplex};
pub(crate) use link::{Links, Way};
pub(crate) use share::{Running, speeds};
