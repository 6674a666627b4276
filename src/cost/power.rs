//! What does a device draw?

use std::fmt;

use super::limits::{DeviceLimits, LimitError, within};
use crate::machine::DeviceId;

/// What a device draws while it does nothing and while it does all it can, in watts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Doing nothing.
    pub idle_w: f64,
    /// At full load.
    pub busy_w: f64,
}

/// What was found out about a device when it was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// Which device.
    pub device: DeviceId,
    /// What it can do at best; none if it failed, or gave figures that cannot be.
    pub limits: Option<DeviceLimits>,
    /// What it draws, or why nobody can tell.
    pub power: Result<Power, String>,
}

impl Power {
    /// Energy over `ns`, of which the device is at work for `busy_ns`, in joules.
    pub fn joules(&self, busy_ns: f64, ns: f64) -> f64 {
        (self.idle_w * ns + (self.busy_w - self.idle_w) * busy_ns) / 1e9
    }

    /// Refuses what no hardware does, so that a botched measurement is repeated and not believed.
    ///
    /// # Errors
    /// If a device draws less than nothing, more than 100 kW, or less when it works.
    pub fn check(&self) -> Result<(), LimitError> {
        within("idle power", self.idle_w, 0.0, 1e5, "W")?;
        within(
            "power at full load",
            self.busy_w,
            self.idle_w.max(1e-3),
            1e5,
            "W",
        )
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} W to {:.1} W", self.idle_w, self.busy_w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_counts_idling_too() {
        let power = Power {
            idle_w: 10.0,
            busy_w: 100.0,
        };
        assert!((power.joules(0.0, 1e9) - 10.0).abs() < 1e-9);
        assert!((power.joules(1e9, 1e9) - 100.0).abs() < 1e-9);
        assert!((power.joules(5e8, 1e9) - 55.0).abs() < 1e-9);
    }

    #[test]
    fn power_that_cannot_be_is_refused() {
        let good = Power {
            idle_w: 0.0,
            busy_w: 45.0,
        };
        assert!(good.check().is_ok());
        for (idle_w, busy_w) in [(-1.0, 4.0), (50.0, 45.0), (0.0, f64::NAN), (0.0, 1e9)] {
            assert!(Power { idle_w, busy_w }.check().is_err());
        }
    }
}
