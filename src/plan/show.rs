//! How does a plan read?

use std::fmt;

use super::{Part, Plan, Reason, SplitVerdict};
use crate::lanes::Tile;

/// A time, in the unit that suits it.
struct Time(f64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            ns if ns < 1e3 => format!("{ns:.0} ns"),
            ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
            ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
            ns => format!("{:.2} s", ns / 1e9),
        };
        f.pad(&text)
    }
}

/// A number of bytes, in the unit that suits it.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        let text = match self.0 {
            0..10_000 => format!("{} B", self.0),
            10_000..10_000_000 => format!("{:.1} KiB", bytes / 1024.0),
            10_000_000..10_000_000_000 => format!("{:.1} MiB", bytes / 1024.0 / 1024.0),
            _ => format!("{:.1} GiB", bytes / 1024.0 / 1024.0 / 1024.0),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Software => f.write_str(
                "a software GPU runs on the CPU's cores; ask for it with IMPEL_SOFTWARE_GPU=1",
            ),
            Self::Misaligned {
                argument,
                offset,
                alignment,
            } => write!(
                f,
                "array argument {argument} begins at byte {offset}, which is no multiple of {alignment}"
            ),
            Self::TooLong { ns, ns_max } => write!(
                f,
                "it would take {}, the launch cannot be cut, and systems stop a GPU's work after {}",
                Time(*ns),
                Time(*ns_max)
            ),
            Self::NoRoom(why) | Self::Unsupported(why) => f.write_str(why),
            Self::Retired(why) => write!(f, "retired after it failed: {why}"),
            Self::Policy => f.write_str("the policy leaves it out"),
            Self::NoGain {
                alone_ns,
                transfer_ns,
            } => {
                write!(f, "no gain: alone it would take {}", Time(*alone_ns))?;
                if *transfer_ns > 0.0 {
                    write!(f, ", of which {} copying", Time(*transfer_ns))?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for SplitVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing to do"),
            Self::OneDevice => f.write_str("not split: only one device can take part"),
            Self::Policy => f.write_str("as the policy demands"),
            Self::Refused(why) => write!(f, "cannot be split: {why}"),
            Self::Split { single, single_ns } => {
                write!(
                    f,
                    "split, because {single} alone would take {}",
                    Time(*single_ns)
                )
            }
            Self::Kept { kept_ns, best_ns } => write!(
                f,
                "split as last time: the best cut would take {} instead of {}",
                Time(*best_ns),
                Time(*kept_ns)
            ),
            Self::Trial {
                device,
                idle_launches,
                usual_ns,
            } => write!(
                f,
                "trying {device} after {idle_launches} launches without it; the usual plan would take {}",
                Time(*usual_ns)
            ),
            Self::Frugal {
                joules,
                ns,
                fastest_joules,
                fastest_ns,
            } => write!(
                f,
                "the most frugal: {joules:.3e} J in {}; the fastest would take {fastest_joules:.3e} J in {}",
                Time(*ns),
                Time(*fastest_ns)
            ),
            Self::NotWorth {
                split_ns,
                single_ns,
            } => write!(
                f,
                "not worth splitting: the best split would take {} instead of {}",
                Time(*split_ns),
                Time(*single_ns)
            ),
            Self::TooShort { single_ns, next_ns } => write!(
                f,
                "not worth splitting: done in {}, and a second device takes {} for the least share",
                Time(*single_ns),
                Time(*next_ns)
            ),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.grid;
        write!(f, "{x} × {y} × {z} workgroups")?;
        if !self.parts.is_empty() {
            write!(f, " in {}", Time(self.makespan_ns()))?;
        }
        writeln!(f, ", {}", self.split)?;
        for part in &self.parts {
            self.show_part(f, part)?;
        }
        for (device, reason) in &self.rejected {
            writeln!(f, "  {device:<6} no part: {reason}")?;
        }
        Ok(())
    }
}

impl Plan {
    fn show_part(&self, f: &mut fmt::Formatter<'_>, part: &Part) -> fmt::Result {
        let range = self
            .axis
            .map_or_else(|| "everything".to_owned(), |axis| range(axis, &part.tile));
        let (device, time) = (part.device, Time(part.predicted_ns));
        write!(
            f,
            "  {device:<6} {range:<18} {:>4.0} %  {time:>9}",
            self.share(&part.tile) * 100.0
        )?;
        if part.bytes_in > 0 {
            write!(f, ", copies in {}", Bytes(part.bytes_in))?;
        }
        if part.bytes_out > 0 {
            write!(f, ", copies out {}", Bytes(part.bytes_out))?;
        }
        if part.transfer_ns > 0.0 {
            write!(f, " in {}", Time(part.transfer_ns))?;
        }
        writeln!(f, " ({})", part.source)
    }

    /// The fraction of the launch that `tile` is.
    fn share(&self, tile: &Tile) -> f64 {
        let along =
            |axis: usize| f64::from(tile.hi[axis] - tile.lo[axis]) / f64::from(self.grid[axis]);
        (0..3).map(along).product()
    }
}

fn range(axis: usize, tile: &Tile) -> String {
    format!(
        "{} {}..{}",
        ["x", "y", "z"][axis],
        tile.lo[axis],
        tile.hi[axis]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Source;
    use crate::machine::DeviceId;

    #[test]
    fn a_plan_reads_as_a_table_with_its_reasons() {
        let part = |device: u8, lo: u32, hi: u32, bytes_in: u64| Part {
            device: DeviceId(device),
            tile: Tile {
                lo: [0, lo, 0],
                hi: [64, hi, 1],
            },
            predicted_ns: 1.93e6,
            transfer_ns: bytes_in as f64 / 12.0,
            bytes_in,
            bytes_out: 0,
            source: Source::Measured(5),
        };
        let plan = Plan {
            grid: [64, 2048, 1],
            axis: Some(1),
            parts: vec![part(0, 0, 812, 0), part(1, 812, 2048, 12_000_000)],
            rejected: vec![
                (DeviceId(2), Reason::Software),
                (
                    DeviceId(3),
                    Reason::NoGain {
                        alone_ns: 5.2e6,
                        transfer_ns: 4.9e6,
                    },
                ),
            ],
            split: SplitVerdict::Split {
                single: DeviceId::CPU,
                single_ns: 3.1e6,
            },
        };
        let expected = "\
64 × 2048 × 1 workgroups in 1.93 ms, split, because CPU alone would take 3.10 ms
  CPU    y 0..812             40 %    1.93 ms (from 5 samples)
  GPU 1  y 812..2048          60 %    1.93 ms, copies in 11.4 MiB in 1.00 ms (from 5 samples)
  GPU 2  no part: a software GPU runs on the CPU's cores; ask for it with IMPEL_SOFTWARE_GPU=1
  GPU 3  no part: no gain: alone it would take 5.20 ms, of which 4.90 ms copying
";
        assert_eq!(plan.to_string(), expected);
    }

    #[test]
    fn every_verdict_says_its_numbers() {
        let not_worth = SplitVerdict::NotWorth {
            split_ns: 99_000.0,
            single_ns: 80_000.0,
        };
        assert_eq!(
            not_worth.to_string(),
            "not worth splitting: the best split would take 99.0 µs instead of 80.0 µs"
        );
        let short = SplitVerdict::TooShort {
            single_ns: 900.0,
            next_ns: 25_000.0,
        };
        assert_eq!(
            short.to_string(),
            "not worth splitting: done in 900 ns, and a second device takes 25.0 µs for the least share"
        );
    }
}
