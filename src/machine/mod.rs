//! What hardware is here? Devices and their memories by typed ids, and what is known of each.

mod cpu;
mod gpu;

use std::fmt;

pub use cpu::{Caches, Cpu};
pub(crate) use cpu::{CpuLimits, decide_threads};
pub use gpu::{Backend, Gpu, GpuFeature, GpuLimits, Kind, Overlap};

/// A device: 0 is the CPU, the GPUs follow in the order of discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(pub u8);

impl DeviceId {
    /// All CPU cores together.
    pub const CPU: Self = Self(0);

    /// Where this device's kernels find their arrays.
    pub const fn memory(self) -> MemoryId {
        MemoryId(self.0)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.pad("CPU"),
            number => f.pad(&format!("GPU {number}")),
        }
    }
}

/// A memory: 0 is the host's, the others belong to the GPU with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemoryId(pub u8);

impl MemoryId {
    /// Main memory.
    pub const HOST: Self = Self(0);
}

impl fmt::Display for MemoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.pad("host"),
            number => f.pad(&format!("GPU {number}")),
        }
    }
}

/// All that can run a part of a launch: the CPU, and each GPU once.
///
/// Its `Display` form is for people, in lines of at most 80 columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The processor: device 0.
    pub cpu: Cpu,
    /// The GPUs: devices 1 and up, in this order.
    pub gpus: Vec<Gpu>,
}

impl Machine {
    /// Every device with its name.
    pub fn devices(&self) -> impl Iterator<Item = (DeviceId, &str)> {
        let gpus = (1..)
            .zip(&self.gpus)
            .map(|(id, gpu)| (DeviceId(id), gpu.name.as_str()));
        [(DeviceId::CPU, self.cpu.model.as_str())]
            .into_iter()
            .chain(gpus)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device 0: {}", self.cpu)?;
        for (id, gpu) in (1..).zip(&self.gpus) {
            let id: u32 = id;
            write!(f, "\ndevice {id}: {gpu}")?;
        }
        if self.gpus.is_empty() {
            f.write_str("\nno GPU")?;
        }
        Ok(())
    }
}

/// Text of at most 80 columns: words that do not fit go to a next line, indented by four.
fn wrapped(text: &str) -> String {
    const COLUMNS: usize = 80;
    let mut out = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in line.split_inclusive(' ') {
            let width = word.trim_end().chars().count();
            if column > 4 && column + width > COLUMNS {
                out.truncate(out.trim_end().len());
                out.push_str("\n    ");
                column = 4;
            }
            out.push_str(word);
            column += word.chars().count();
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

/// A number of bytes as people write it: `48 KiB`, `2 MiB`, `1.5 GiB`.
fn bytes_words(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    // Sizes one byte below a power of two are meant as that power.
    let rounded = (value * 10.0).round() / 10.0;
    if rounded >= 1024.0 && unit + 1 < UNITS.len() {
        return format!("1 {}", UNITS[unit + 1]);
    }
    format!("{rounded} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(bytes_words(0), "0 bytes");
        assert_eq!(bytes_words(1023), "1023 bytes");
        assert_eq!(bytes_words(48 << 10), "48 KiB");
        assert_eq!(bytes_words(3 << 29), "1.5 GiB");
        assert_eq!(bytes_words((1 << 31) - 1), "2 GiB");
        assert_eq!(bytes_words((1 << 30) - 1), "1 GiB");
    }

    #[test]
    fn no_line_is_longer_than_a_terminal() {
        let text = wrapped(&"word ".repeat(60));
        assert!(text.lines().count() > 3);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert_eq!(text.split_whitespace().count(), 60);
    }
}
