//! How are costs written down and read back?
//!
//! One line each, fields parted by spaces, numbers in Rust's shortest exact form, keys in hexadecimal:
//!
//! ```text
//! impel-costs 1
//! limits DEVICE bandwidth ops special launch up-latency up-rate down-latency down-rate
//! samples KERNEL DEVICE work:ns work:ns ...
//! end LINES
//! ```
//!
//! The last line counts the lines before it, so that a file cut short is not taken for a whole one.

use std::fmt::Write;
use std::str::{FromStr, SplitWhitespace};

use thiserror::Error;

use super::estimate::{Class, Point};
use super::limits::{DeviceLimits, Link};
use super::table::{Costs, DeviceKey, KernelKey, is_time};

const HEADER: &str = "impel-costs 1";

/// Why a text is not a record of costs.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CostsError {
    /// It does not begin as such a record does, or is of another version.
    #[error("this is no record of costs of this version: it begins with `{found}`, not `{HEADER}`")]
    Foreign {
        /// The start of the first line.
        found: String,
    },
    /// It lacks its last line, or lines before that.
    #[error("the record of costs is cut short: its last line does not count {lines} lines")]
    CutShort {
        /// Lines found.
        lines: usize,
    },
    /// A line makes no sense.
    #[error("line {line} of the record of costs is damaged")]
    Damaged {
        /// Number of the line, from 1.
        line: usize,
    },
}

impl Costs {
    /// The whole as text; the same costs always give the same text.
    pub fn to_text(&self) -> String {
        let mut lines = vec![HEADER.to_owned()];
        lines.extend(
            self.limits
                .iter()
                .map(|(device, limits)| limits_line(*device, limits)),
        );
        for ((kernel, device), learnt) in &self.learnt {
            for class in learnt.classes.values() {
                lines.push(samples_line(*kernel, *device, class));
            }
        }
        lines.push(format!("end {}", lines.len()));
        lines.join("\n") + "\n"
    }
}

impl FromStr for Costs {
    type Err = CostsError;

    /// Reads what [`Costs::to_text`] wrote.
    fn from_str(text: &str) -> Result<Self, CostsError> {
        let mut lines: Vec<&str> = text.lines().collect();
        if lines.first() != Some(&HEADER) {
            let found = text
                .chars()
                .take_while(|c| !c.is_control())
                .take(40)
                .collect();
            return Err(CostsError::Foreign { found });
        }
        let end = lines.pop().unwrap_or_default();
        if end != format!("end {}", lines.len()) || !text.ends_with('\n') {
            return Err(CostsError::CutShort { lines: lines.len() });
        }
        let mut costs = Self::default();
        for (index, line) in lines.iter().enumerate().skip(1) {
            read_line(&mut costs, line).ok_or(CostsError::Damaged { line: index + 1 })?;
        }
        Ok(costs)
    }
}

fn limits_line(device: DeviceKey, limits: &DeviceLimits) -> String {
    let mut line = format!("limits {:016x}", device.0);
    for value in [
        limits.bandwidth_bytes_per_s,
        limits.ops_per_s,
        limits.special_ops_per_s,
        limits.launch_ns,
        limits.up.latency_ns,
        limits.up.bytes_per_s,
        limits.down.latency_ns,
        limits.down.bytes_per_s,
    ] {
        let _ = write!(line, " {value}");
    }
    line
}

fn samples_line(kernel: KernelKey, device: DeviceKey, class: &Class) -> String {
    let mut line = format!("samples {:016x} {:016x}", kernel.0, device.0);
    for point in class.points() {
        let _ = write!(line, " {}:{}", point.work_ns, point.ns);
    }
    line
}

/// Adds what `line` says to `costs`, or returns `None` if it makes no sense.
fn read_line(costs: &mut Costs, line: &str) -> Option<()> {
    let mut fields = line.split_whitespace();
    match fields.next()? {
        "limits" => {
            let device = DeviceKey(hex(&mut fields)?);
            let limits = read_limits(&mut fields)?;
            costs.set_limits(device, limits);
        }
        "samples" => {
            let key = (KernelKey(hex(&mut fields)?), DeviceKey(hex(&mut fields)?));
            let learnt = costs.learnt.entry(key).or_default();
            for field in &mut fields {
                let (work, ns) = field.split_once(':')?;
                let point = Point {
                    work_ns: work.parse().ok().filter(|work_ns| is_time(*work_ns))?,
                    ns: ns.parse().ok().filter(|ns| is_time(*ns))?,
                };
                learnt.push(point);
            }
        }
        _ => return None,
    }
    fields.next().is_none().then_some(())
}

fn read_limits(fields: &mut SplitWhitespace<'_>) -> Option<DeviceLimits> {
    let mut number = || fields.next()?.parse::<f64>().ok();
    let limits = DeviceLimits {
        bandwidth_bytes_per_s: number()?,
        ops_per_s: number()?,
        special_ops_per_s: number()?,
        launch_ns: number()?,
        up: Link {
            latency_ns: number()?,
            bytes_per_s: number()?,
        },
        down: Link {
            latency_ns: number()?,
            bytes_per_s: number()?,
        },
    };
    limits.check().is_ok().then_some(limits)
}

fn hex(fields: &mut SplitWhitespace<'_>) -> Option<u64> {
    u64::from_str_radix(fields.next().filter(|field| field.len() == 16)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::limits::Work;
    use super::super::table::Sample;
    use super::*;

    fn learnt(samples: &[(u8, u8, f64, f64)]) -> Costs {
        let mut costs = Costs::default();
        let gpu = DeviceLimits {
            up: Link {
                latency_ns: 9000.5,
                bytes_per_s: 1.25e10,
            },
            ..DeviceLimits::GUESS
        };
        costs.set_limits(DeviceKey(1), gpu);
        for (kernel, device, bytes, ns) in samples {
            costs.record(&Sample {
                kernel: KernelKey(u64::from(*kernel)),
                device: DeviceKey(u64::from(*device)),
                work: Work {
                    bytes: *bytes,
                    ..Work::default()
                },
                ns: *ns,
                cold: false,
            });
        }
        costs
    }

    fn any_costs() -> impl Strategy<Value = Costs> {
        let sample = (0_u8..3, 0_u8..3, 1.0..1e9, 1.0..1e9);
        proptest::collection::vec(sample, 0..24).prop_map(|samples| learnt(&samples))
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 128,
            failure_persistence: None,
            rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed),
            ..ProptestConfig::default()
        })]

        #[test]
        fn costs_survive_being_written_and_read(costs in any_costs()) {
            let text = costs.to_text();
            let read: Costs = text.parse().unwrap();
            prop_assert_eq!(read.to_text(), text);
            prop_assert_eq!(read, costs);
        }

        #[test]
        fn a_text_cut_short_is_refused(costs in any_costs(), cut in 0.0..1.0) {
            let text = costs.to_text();
            let kept = (text.len() as f64 * cut) as usize;
            prop_assert!(text[..kept].parse::<Costs>().is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(noise in ".{0,200}", costs in any_costs(), at in 0.0..1.0) {
            let mut text = costs.to_text();
            let at = (text.len() as f64 * at) as usize;
            text.insert_str(at, &noise);
            let _ = text.parse::<Costs>();
            let _ = noise.parse::<Costs>();
        }
    }

    #[test]
    fn foreign_and_damaged_texts_are_told_apart() {
        assert!(matches!(
            "{\"a\": 1}".parse::<Costs>(),
            Err(CostsError::Foreign { .. })
        ));
        assert!(matches!(
            "".parse::<Costs>(),
            Err(CostsError::Foreign { .. })
        ));
        assert!(matches!(
            "impel-costs 2\nend 1\n".parse::<Costs>(),
            Err(CostsError::Foreign { .. })
        ));
        let text = learnt(&[(1, 1, 1e6, 1e5)]).to_text();
        let absurd = text.replace("9000.5", "0");
        assert_eq!(
            absurd.parse::<Costs>(),
            Err(CostsError::Damaged { line: 2 })
        );
        let negative = text.replace(":100000", ":-100000");
        assert_eq!(
            negative.parse::<Costs>(),
            Err(CostsError::Damaged { line: 3 })
        );
    }
}
