//! What do the costs say, for people?

use std::fmt;

use super::learnt::Learnt;
use super::table::{Costs, DeviceKey, KernelKey};

impl Costs {
    /// The devices that something is known of, with what people call them.
    pub fn devices(&self) -> impl Iterator<Item = (DeviceKey, &str)> {
        self.devices
            .iter()
            .map(|(key, note)| (*key, note.name.as_str()))
    }

    /// The kernels that something is known of, with what people call them.
    pub fn kernels(&self) -> impl Iterator<Item = (KernelKey, &str)> {
        self.kernels
            .iter()
            .map(|(key, note)| (*key, note.name.as_str()))
    }

    fn show_learnt(
        &self,
        f: &mut fmt::Formatter<'_>,
        device: DeviceKey,
        learnt: &Learnt,
    ) -> fmt::Result {
        let name = self.devices.get(&device).map(|note| note.name.as_str());
        let name = name.filter(|name| !name.is_empty()).unwrap_or("a device");
        match learnt.seen {
            0 => writeln!(f, "  on {name}: only a first run")?,
            1 => writeln!(f, "  on {name}: 1 sample")?,
            samples => writeln!(f, "  on {name}: {samples} samples")?,
        }
        for class in learnt.classes.values() {
            let middle = class.summary();
            let (at_best, us) = (middle.work_ns / 1e3, middle.ns / 1e3);
            let percent = middle.spread * 100.0;
            writeln!(
                f,
                "    {us:>12.1} µs ± {percent:>3.0} % for work that takes {at_best:.1} µs at the device's limits"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (device, note) in &self.devices {
            writeln!(f, "device {:016x} {}", device.0, note.name)?;
            match &note.limits {
                Some(limits) => {
                    writeln!(f, "  {}", limits.shown_rates())?;
                    if let Some(links) = limits.shown_links() {
                        writeln!(f, "  {links}")?;
                    }
                }
                None => writeln!(f, "  not measured")?,
            }
            if let Some(power) = note.power {
                writeln!(f, "  {power}")?;
            }
        }
        for (kernel, note) in &self.kernels {
            let launches = note.launches;
            write!(f, "kernel {:016x} {}", kernel.0, note.name)?;
            match launches {
                0 => writeln!(f)?,
                launches => writeln!(f, ", planned {launches} times")?,
            }
            let own = self.learnt.iter().filter(|((own, _), _)| own == kernel);
            for ((_, device), learnt) in own {
                self.show_learnt(f, *device, learnt)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::DeviceLimits;
    use super::super::table::Sample;
    use super::super::work::Work;
    use super::*;

    #[test]
    fn costs_read_with_names_and_times() {
        let (kernel, device) = (KernelKey(7), DeviceKey(1));
        let mut costs = Costs::default();
        costs.name_device(device, "a CPU");
        costs.set_limits(device, DeviceLimits::GUESS);
        costs.name_kernel(kernel, "saxpy");
        let work = Work {
            bytes: 1e6,
            ..Work::default()
        };
        costs.record(&Sample {
            kernel,
            device,
            work,
            ns: 250_000.0,
            cold: false,
        });
        let expected = "\
device 0000000000000001 a CPU
  10.0 GB/s, 50.0 Gop/s, 5.0 special Gop/s, launch 10.0 µs
kernel 0000000000000007 saxpy
  on a CPU: 1 sample
           250.0 µs ±   0 % for work that takes 100.0 µs at the device's limits
";
        assert_eq!(costs.to_string(), expected);
    }
}
