//! How much energy does each device draw? Counters of the processor and of GPUs, as far as this machine lets a program read them.

#[cfg(feature = "nvml")]
mod nvml;
mod rapl;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::sim::World;
use crate::cost::Power;
use crate::machine::{DeviceId, Gpu, Kind, Machine};
use rapl::Rapl;

/// How long a device is watched while it does nothing, and while it works. Counters move every millisecond or every tenth of a second.
const WATCHED: Duration = Duration::from_millis(250);

/// The energy counters of a machine.
#[derive(Debug)]
pub(crate) struct Meters {
    /// By device, the CPU's first.
    meters: Vec<Result<Meter, String>>,
}

/// One energy counter.
#[derive(Debug)]
enum Meter {
    Rapl(Mutex<Rapl>),
    #[cfg(feature = "nvml")]
    Nvml(nvml::Counter),
    /// A software GPU draws what the CPU draws for it.
    OfCpu,
    /// A device that is imagined.
    Imagined(Arc<World>, Power),
}

impl Meters {
    /// Opens the counters of this machine; energy is counted from here on.
    pub(crate) fn open(machine: &Machine, powercap: Option<&Path>) -> Self {
        let powercap = powercap.unwrap_or(Path::new(rapl::POWERCAP));
        let cpu = Rapl::open(powercap).map(|rapl| Meter::Rapl(Mutex::new(rapl)));
        let gpus = machine.gpus.iter().map(meter_of);
        Self {
            meters: [cpu].into_iter().chain(gpus).collect(),
        }
    }

    /// What the devices of an imagined machine draw, in imagined time.
    pub(crate) fn imagined(machine: &Machine, world: &Arc<World>) -> Self {
        let meter = |(device, name): (DeviceId, &str)| {
            let power = world.power(device);
            let power = power.ok_or_else(|| format!("nothing says what {name} draws"))?;
            power.check().map_err(|error| error.to_string())?;
            Ok(Meter::Imagined(Arc::clone(world), power))
        };
        Self {
            meters: machine.devices().map(meter).collect(),
        }
    }

    /// No counters.
    pub(crate) fn closed() -> Self {
        Self { meters: Vec::new() }
    }

    /// Joules that `device` has drawn since the counters were opened.
    ///
    /// # Errors
    /// Why nobody knows.
    pub(crate) fn joules(&self, device: DeviceId) -> Result<f64, String> {
        match self.meter(device)? {
            Meter::Rapl(rapl) => rapl.lock().unwrap_or_else(PoisonError::into_inner).joules(),
            #[cfg(feature = "nvml")]
            Meter::Nvml(counter) => counter.joules(),
            Meter::OfCpu => self.joules(DeviceId::CPU),
            Meter::Imagined(world, _) => Ok(world.joules(device).unwrap_or_default()),
        }
    }

    /// What every device with a counter of its own has drawn.
    pub(crate) fn all_joules(&self) -> Vec<(DeviceId, f64)> {
        let ids = (0..self.meters.len()).map(|number| DeviceId(number as u8));
        let own = ids.filter(|id| !matches!(self.meter(*id), Ok(Meter::OfCpu)));
        own.filter_map(|id| Some((id, self.joules(id).ok()?)))
            .collect()
    }

    /// What a device draws when it does nothing, and while `load` runs again and again. Takes half a second, but for one that is
    /// imagined.
    ///
    /// # Errors
    /// Why nobody knows.
    pub(crate) fn measure(
        &self,
        device: DeviceId,
        mut load: impl FnMut(),
    ) -> Result<Power, String> {
        if let Meter::Imagined(_, power) = self.meter(device)? {
            return Ok(*power);
        }
        let idle_w = self.watts(device, || std::thread::sleep(WATCHED))?;
        let busy_w = self.watts(device, || {
            let start = Instant::now();
            while start.elapsed() < WATCHED {
                load();
            }
        })?;
        let power = if matches!(self.meter(device)?, Meter::OfCpu) {
            // The rest is the CPU's own.
            Power {
                idle_w: 0.0,
                busy_w: (busy_w - idle_w).max(0.0),
            }
        } else {
            Power {
                idle_w,
                busy_w: busy_w.max(idle_w),
            }
        };
        match power.check() {
            Ok(()) => Ok(power),
            Err(error) => Err(error.to_string()),
        }
    }

    fn watts(&self, device: DeviceId, act: impl FnOnce()) -> Result<f64, String> {
        let (before, start) = (self.joules(device)?, Instant::now());
        act();
        let drawn = self.joules(device)? - before;
        Ok(drawn / start.elapsed().as_secs_f64())
    }

    fn meter(&self, device: DeviceId) -> Result<&Meter, String> {
        let meter = self.meters.get(usize::from(device.0));
        let meter = meter.ok_or_else(|| format!("there is no energy counter for {device}"))?;
        meter.as_ref().map_err(Clone::clone)
    }
}

fn meter_of(gpu: &Gpu) -> Result<Meter, String> {
    if gpu.kind == Kind::Software {
        return Ok(Meter::OfCpu);
    }
    #[cfg(feature = "nvml")]
    return nvml::Counter::open(gpu).map(Meter::Nvml);
    #[cfg(not(feature = "nvml"))]
    Err(format!(
        "the energy of {} is not read: build impel with the feature `nvml` for NVIDIA's; those of others have no counter that impel knows",
        gpu.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_counters_says_why() {
        let machine = Machine {
            cpu: crate::device::cpu::Cpu::new(1, crate::lanes::Level::Portable)
                .unwrap()
                .describe(),
            gpus: Vec::new(),
        };
        let meters = Meters::open(&machine, Some(Path::new("/nowhere/powercap")));
        let why = meters.joules(DeviceId::CPU).unwrap_err();
        assert!(why.contains("/nowhere/powercap cannot be read"), "{why}");
        assert_eq!(meters.measure(DeviceId::CPU, || ()), Err(why));
        assert!(meters.all_joules().is_empty());
    }
}
