//! What would happen on an imagined machine? Launches carried out in virtual time; pure.
//!
//! A [`Machine`] is a CPU and up to eight GPUs as they are and not as the planner believes them to be: caches make small working sets
//! faster, devices on one memory bus slow each other down, links are full or half duplex and overlap with work or do not, every
//! chunk takes a little more or less time than the last one, and the cost of a [`Load`] may vary along its axis. [`run`] carries out one
//! launch as the executor would: the production planner's plan, or the production [`Balance`](crate::plan::balance::Balance), says who
//! does what, the production [`transfer::copies`](crate::transfer::copies) which words move.
//!
//! ```
//! use impel::cost::Link;
//! use impel::simulate::{Copying, Device, Duplex, Load, Machine};
//!
//! let cpu = Device::cpu(100.0, 40.0);
//! let link = Link { latency_ns: 10_000.0, bytes_per_s: 12e9 };
//! let gpu = Device { link_up: link, link_down: link, ..Device::gpu(5000.0, 400.0) };
//! let machine = Machine { devices: vec![cpu, gpu], buses: vec![60.0] };
//! let load = Load::even(1000, 4e6, 16e3);
//! assert!(machine.alone_ns(0, &load) > 10.0 * machine.alone_ns(1, &load));
//! ```

mod engine;
mod machine;

pub use crate::timing::{Copying, Device, Duplex};
pub use engine::{Busy, How, Launched, Outcome, Sent, Step, run, run_beside};
pub use machine::{Load, Machine};
