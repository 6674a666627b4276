//! What does a machine file say? A CPU and any number of GPUs, by the figures of their data sheets.

use std::fs;
use std::path::Path;

use impel::cost::{DeviceLimits, Link, Power};
use impel::simulate::{Copying, Duplex};

use crate::Failure;

/// A machine as its file describes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Machine {
    pub(crate) name: String,
    /// The CPU first.
    pub(crate) devices: Vec<Device>,
}

/// A device as a machine file describes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) limits: DeviceLimits,
    /// What it draws, if the file says so.
    pub(crate) power: Option<Power>,
    pub(crate) memory_bytes: f64,
    /// Working sets up to this many bytes are served from a cache, …
    pub(crate) cache_bytes: f64,
    /// … this many times as fast.
    pub(crate) cache_gain: f64,
    /// Whether it works on the CPU's memory bus.
    pub(crate) shares_memory: bool,
    /// Whether it works on the CPU's cores, too.
    pub(crate) shares_cores: bool,
    pub(crate) duplex: Duplex,
    pub(crate) copying: Copying,
    /// How many of it there are, while the file is being read; 1 afterwards.
    count: usize,
}

impl Device {
    /// A device of which nothing but the name is known.
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            limits: DeviceLimits {
                bandwidth_bytes_per_s: 0.0,
                near_bytes: 0.0,
                near_bytes_per_s: 0.0,
                ops_per_s: 0.0,
                special_ops_per_s: 0.0,
                launch_ns: 0.0,
                up: Link::NONE,
                down: Link::NONE,
            },
            power: None,
            memory_bytes: f64::INFINITY,
            cache_bytes: 0.0,
            cache_gain: 1.0,
            shares_memory: false,
            shares_cores: false,
            duplex: Duplex::Half,
            copying: Copying::Serial,
            count: 1,
        }
    }
}

/// The machine in a file.
pub(crate) fn read(path: &Path) -> Result<Machine, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| Failure::of(format!("{shown}: {error}")))?;
    parse(&text).map_err(|what| Failure::of(format!("{shown}: {what}")))
}

/// The machine that a text describes, or what is wrong with it.
fn parse(text: &str) -> Result<Machine, String> {
    let mut machine = Machine {
        name: String::new(),
        devices: Vec::new(),
    };
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            take(&mut machine, line).map_err(|what| format!("line {number}: {what}"))?;
        }
    }
    let alike = |device: Device| {
        let count = device.count;
        vec![Device { count: 1, ..device }; count]
    };
    machine.devices = machine.devices.into_iter().flat_map(alike).collect();
    for (at, device) in machine.devices.iter().enumerate() {
        let limits = &device.limits;
        let missing = [
            ("bandwidth", limits.bandwidth_bytes_per_s),
            ("ops", limits.ops_per_s),
            ("special", limits.special_ops_per_s),
            ("launch", limits.launch_ns),
        ];
        if let Some((what, _)) = missing.iter().find(|(_, value)| *value <= 0.0) {
            return Err(format!("{} lacks its `{what}`", device.name));
        }
        if at > 0 && !device.shares_memory && limits.up == Link::NONE {
            return Err(format!("{} lacks its `up` and `down`", device.name));
        }
    }
    if machine.devices.is_empty() {
        return Err("a machine has a `cpu`".to_owned());
    }
    Ok(machine)
}

/// Adds what a line says.
fn take(machine: &mut Machine, line: &str) -> Result<(), String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match (word, machine.devices.is_empty()) {
        ("machine", true) => rest.clone_into(&mut machine.name),
        ("cpu", true) | ("gpu", false) => machine.devices.push(Device::named(rest)),
        ("cpu" | "machine", false) => return Err("a machine has one name and one `cpu`".to_owned()),
        (_, true) => return Err(format!("`{word}` comes before the `cpu`")),
        ("count", false) => {
            let count: usize = rest.parse().map_err(|_| format!("`{rest}` is no number"))?;
            if count == 0 || machine.devices.len() == 1 || count > 64 {
                return Err("there are 1 to 64 of a `gpu`, and one `cpu`".to_owned());
            }
            let device = machine.devices.last_mut().expect("there is one");
            device.count = count;
        }
        (_, false) => {
            let device = machine.devices.last_mut().expect("there is one");
            set(device, word, rest)?;
        }
    }
    Ok(())
}

fn set(device: &mut Device, word: &str, rest: &str) -> Result<(), String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let limits = &mut device.limits;
    match (word, words.as_slice()) {
        ("bandwidth", [value, unit]) => limits.bandwidth_bytes_per_s = amount(value, unit, "B/s")?,
        ("ops", [value, unit]) => limits.ops_per_s = amount(value, unit, "op/s")?,
        ("special", [value, unit]) => limits.special_ops_per_s = amount(value, unit, "op/s")?,
        ("launch", [value, unit]) => limits.launch_ns = amount(value, unit, "s")? * 1e9,
        ("power", [idle, idle_unit, busy, busy_unit]) => {
            let power = Power {
                idle_w: amount(idle, idle_unit, "W")?,
                busy_w: amount(busy, busy_unit, "W")?,
            };
            power.check().map_err(|error| error.to_string())?;
            device.power = Some(power);
        }
        ("memory", [value, unit]) => device.memory_bytes = amount(value, unit, "B")?,
        ("cache", [value, unit, gain]) => {
            device.cache_bytes = amount(value, unit, "B")?;
            let gain = gain.strip_suffix('x').and_then(|gain| gain.parse().ok());
            device.cache_gain = gain.ok_or("a cache is so many times as fast: `3x`")?;
        }
        ("up", [rate, unit, latency, short]) => limits.up = link(rate, unit, latency, short)?,
        ("down", [rate, unit, latency, short]) => limits.down = link(rate, unit, latency, short)?,
        ("duplex", ["full"]) => device.duplex = Duplex::Full,
        ("duplex", ["half"]) => device.duplex = Duplex::Half,
        ("copies", ["overlap"]) => device.copying = Copying::Overlapped,
        ("copies", ["serial"]) => device.copying = Copying::Serial,
        ("shares-memory", []) => device.shares_memory = true,
        ("shares-cores", []) => (device.shares_memory, device.shares_cores) = (true, true),
        _ => return Err(format!("`{word} {rest}` says nothing of a device")),
    }
    Ok(())
}

fn link(rate: &str, rate_unit: &str, latency: &str, unit: &str) -> Result<Link, String> {
    Ok(Link {
        bytes_per_s: amount(rate, rate_unit, "B/s")?,
        latency_ns: amount(latency, unit, "s")? * 1e9,
    })
}

/// A value with its unit: `3.35 TB/s` is 3.35e12 of `B/s`.
fn amount(value: &str, unit: &str, of: &str) -> Result<f64, String> {
    let number: f64 = value
        .parse()
        .map_err(|_| format!("`{value}` is no number"))?;
    let prefix = unit.strip_suffix(of);
    let factor = match prefix {
        Some("") => 1.0,
        Some("k") => 1e3,
        Some("M") => 1e6,
        Some("G") => 1e9,
        Some("T") => 1e12,
        Some("m") => 1e-3,
        Some("u") => 1e-6,
        Some("n") => 1e-9,
        _ => return Err(format!("`{unit}` is no unit of {of}")),
    };
    if number > 0.0 && number.is_finite() {
        Ok(number * factor)
    } else {
        Err(format!("`{value}` is not greater than 0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_that_come_with_impel_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../machines");
        let files = fs::read_dir(folder).expect("the folder is there");
        let paths = files.map(|file| file.expect("it is readable").path());
        let paths = paths.filter(|path| path.extension().is_some_and(|end| end == "machine"));
        let mut devices: Vec<usize> = paths
            .map(|path| {
                let machine = read(&path).unwrap_or_else(|failure| panic!("{failure:?}"));
                for device in &machine.devices {
                    let checked = device.limits.check();
                    // The CPU has no link, and nor has what works in its memory.
                    let linked = device.limits.up != Link::NONE;
                    assert!(!linked || checked.is_ok(), "{}: {checked:?}", device.name);
                    assert!(device.power.is_some(), "{}", device.name);
                }
                machine.devices.len()
            })
            .collect();
        devices.sort_unstable();
        assert_eq!(devices, [1, 2, 2, 3, 9]);
    }

    #[test]
    fn a_software_gpu_shares_the_cores_and_so_the_memory() {
        let device = "bandwidth 10 GB/s\nops 1 Top/s\nspecial 1 Top/s\nlaunch 1 us\n";
        let text = format!("cpu A\n{device}gpu B\n{device}shares-cores\n");
        let machine = parse(&text).expect("it is right");
        let shares = |at: usize| {
            let device = &machine.devices[at];
            (device.shares_memory, device.shares_cores)
        };
        assert_eq!((shares(0), shares(1)), ((false, false), (true, true)));
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let error = |text: &str| parse(text).expect_err("it is wrong");
        assert_eq!(error(""), "a machine has a `cpu`");
        assert_eq!(
            error("bandwidth 1 GB/s"),
            "line 1: `bandwidth` comes before the `cpu`"
        );
        assert_eq!(
            error("cpu A\n# fine\nops 1 GB/s"),
            "line 3: `GB/s` is no unit of op/s"
        );
        assert_eq!(
            error("cpu A\nops -1 Gop/s"),
            "line 2: `-1` is not greater than 0"
        );
        assert_eq!(
            error("cpu A\nspeed 3"),
            "line 2: `speed 3` says nothing of a device"
        );
        assert_eq!(error("cpu A\nops 1 Gop/s"), "A lacks its `bandwidth`");
        assert_eq!(
            error("cpu A\npower 50 W 20 W"),
            "line 2: a power at full load of 2e1 W is not believable: measure again"
        );
    }
}
