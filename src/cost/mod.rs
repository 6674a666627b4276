//! How long will it take? Limits of devices, priors from them, and what earlier launches taught; plain values.
//!
//! A part's [`Work`] and a device's [`DeviceLimits`] give a *prior*: the time if the slower of memory and arithmetic ran at its
//! limit. That time, without the launch, is the scale on which everything else is measured: launches of one kernel on one
//! device follow `a + b·work`, where `work` is the prior in nanoseconds, `a` the fixed cost and `b` how many times slower than
//! its limits the kernel really is. [`Costs`] keeps the last samples per (kernel, device, power-of-two class of work), takes their
//! median with decay and lets single slow samples pass without consequence.

mod estimate;
mod learnt;
mod limits;
mod list;
mod merge;
mod power;
mod table;
mod text;
mod work;

pub use estimate::Prediction;
pub use estimate::Source;
pub use limits::{DeviceLimits, LimitError, Link, until_believable};
pub use power::{Calibration, Power};
pub use table::{Costs, DeviceKey, KernelKey, Sample};
pub use text::CostsError;
pub use work::Work;
