//! Which words must move, from where to where, before a plan can be obeyed? Pure.
//!
//! [`copies`] compares what the parts of a plan need with where the words validly are, and lists the copies that are missing;
//! nothing that is already in place moves. Between two GPUs words go through host memory: two copies, of which the first serves
//! everybody. When a copy has been made, [`Copy::commit`] notes it; when a part is done, [`commit`] notes what it wrote. Nothing
//! else changes a [`Residency`](crate::region::Residency) but the loss of a device.

mod commit;
mod copy;
pub mod pipeline;
#[cfg(test)]
mod promises;
pub mod residence;
mod schedule;
pub mod window;

pub use commit::{Company, commit, evict};
pub use copy::{Copies, Copy, Reason, Totals};
pub use schedule::{Lost, MemoryLinks, Merging, copies, copies_of_parts, home};
