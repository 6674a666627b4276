//! How are costs written down and read back?
//!
//! One line each, fields parted by spaces, numbers in Rust's shortest exact form, keys in hexadecimal; names end their line:
//!
//! ```text
//! impel-costs 3
//! device DEVICE name
//! limits DEVICE bandwidth near-bytes near-bandwidth ops special launch up-latency up-rate down-latency down-rate
//! power DEVICE idle busy
//! kernel KERNEL launches name
//! learnt KERNEL DEVICE seen last
//! first KERNEL DEVICE bytes,fresh,ops,special:ns
//! samples KERNEL DEVICE bytes,fresh,ops,special:ns bytes,fresh,ops,special:ns ...
//! end CHECKSUM
//! ```
//!
//! The last line is a checksum of the lines before it, so that a file that was cut short or damaged is not taken for a whole one.

use std::fmt::Write;
use std::str::{FromStr, SplitWhitespace};

use thiserror::Error;

use super::estimate::{Class, Point};
use super::limits::{DeviceLimits, Link};
use super::power::Power;
use super::table::{Costs, DeviceKey, KernelKey, is_time};
use super::work::Work;

const HEADER: &str = "impel-costs 3";

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
    /// It is not what was written: cut short, or changed.
    #[error("the record of costs is cut short or changed: its checksum does not fit")]
    Checksum,
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
        for (device, note) in &self.devices {
            lines.push(format!("device {:016x} {}", device.0, note.name));
            lines.extend(
                note.limits
                    .iter()
                    .map(|limits| limits_line(*device, limits)),
            );
            if let Some(Power { idle_w, busy_w }) = note.power {
                lines.push(format!("power {:016x} {idle_w} {busy_w}", device.0));
            }
        }
        for (kernel, note) in &self.kernels {
            let (launches, name) = (note.launches, &note.name);
            lines.push(format!("kernel {:016x} {launches} {name}", kernel.0));
        }
        for ((kernel, device), learnt) in &self.learnt {
            let keys = format!("{:016x} {:016x}", kernel.0, device.0);
            lines.push(format!("learnt {keys} {} {}", learnt.seen, learnt.last));
            if let Some(cold) = learnt.cold {
                lines.push(format!("first {keys} {}", point_text(cold)));
            }
            for class in learnt.classes.values() {
                lines.push(samples_line(&keys, class));
            }
        }
        let body = lines.join("\n") + "\n";
        let checksum = DeviceKey::new(&body).0;
        format!("{body}end {checksum:016x}\n")
    }
}

impl FromStr for Costs {
    type Err = CostsError;

    /// Reads what [`Costs::to_text`] wrote.
    fn from_str(text: &str) -> Result<Self, CostsError> {
        if text.lines().next() != Some(HEADER) {
            let found = text
                .chars()
                .take_while(|c| !c.is_control())
                .take(40)
                .collect();
            return Err(CostsError::Foreign { found });
        }
        let end = text.rfind("\nend ").ok_or(CostsError::Checksum)? + 1;
        let (body, end) = text.split_at(end);
        if end != format!("end {:016x}\n", DeviceKey::new(body).0) {
            return Err(CostsError::Checksum);
        }
        let mut costs = Self::default();
        for (index, line) in body.lines().enumerate().skip(1) {
            read_line(&mut costs, line).ok_or(CostsError::Damaged { line: index + 1 })?;
        }
        for ((kernel, _), learnt) in &costs.learnt {
            // A device cannot have taken part later than the last launch.
            if learnt.last > costs.launches(*kernel) {
                return Err(CostsError::Checksum);
            }
        }
        costs.mark_kept();
        Ok(costs)
    }
}

fn limits_line(device: DeviceKey, limits: &DeviceLimits) -> String {
    let mut line = format!("limits {:016x}", device.0);
    for value in [
        limits.bandwidth_bytes_per_s,
        limits.near_bytes,
        limits.near_bytes_per_s,
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

fn samples_line(keys: &str, class: &Class) -> String {
    let mut line = format!("samples {keys}");
    for point in class.points() {
        let _ = write!(line, " {}", point_text(point));
    }
    line
}

fn point_text(point: Point) -> String {
    let Work {
        bytes,
        fresh_bytes,
        ops,
        special_ops,
    } = point.work;
    format!("{bytes},{fresh_bytes},{ops},{special_ops}:{}", point.ns)
}

/// Adds what `line` says to `costs`, or returns `None` if it makes no sense.
fn read_line(costs: &mut Costs, line: &str) -> Option<()> {
    let mut fields = line.split_whitespace();
    match fields.next()? {
        "device" => {
            let device = DeviceKey(hex(&mut fields)?);
            costs.name_device(device, &rest(&mut fields));
        }
        "limits" => {
            let device = DeviceKey(hex(&mut fields)?);
            let limits = read_limits(&mut fields)?;
            costs.set_limits(device, limits);
        }
        "power" => {
            let device = DeviceKey(hex(&mut fields)?);
            let power = Power {
                idle_w: fields.next()?.parse().ok()?,
                busy_w: fields.next()?.parse().ok()?,
            };
            power.check().ok()?;
            costs.set_power(device, power);
        }
        "kernel" => {
            let kernel = KernelKey(hex(&mut fields)?);
            let launches = fields.next()?.parse().ok()?;
            costs.name_kernel(kernel, &rest(&mut fields));
            costs.kernels.entry(kernel).or_default().launches = launches;
        }
        "learnt" => {
            let key = (KernelKey(hex(&mut fields)?), DeviceKey(hex(&mut fields)?));
            let learnt = costs.learnt.entry(key).or_default();
            learnt.seen = fields.next()?.parse().ok()?;
            learnt.last = fields.next()?.parse().ok()?;
        }
        "first" => {
            let key = (KernelKey(hex(&mut fields)?), DeviceKey(hex(&mut fields)?));
            let limits = *costs.limits_or_guess(key.1);
            let point = read_point(fields.next()?, &limits)?;
            costs.learnt.get_mut(&key)?.cold = Some(point);
        }
        "samples" => {
            let key = (KernelKey(hex(&mut fields)?), DeviceKey(hex(&mut fields)?));
            let limits = *costs.limits_or_guess(key.1);
            let learnt = costs.learnt.get_mut(&key)?;
            let seen = learnt.seen;
            for field in &mut fields {
                learnt.push(read_point(field, &limits)?);
            }
            learnt.seen = seen;
        }
        _ => return None,
    }
    fields.next().is_none().then_some(())
}

fn read_point(field: &str, limits: &DeviceLimits) -> Option<Point> {
    let (work, ns) = field.split_once(':')?;
    let mut amounts = work.split(',').map(|amount| {
        let amount: f64 = amount.parse().ok()?;
        (amount.is_finite() && amount >= 0.0).then_some(amount)
    });
    let work = Work {
        bytes: amounts.next()??,
        fresh_bytes: amounts.next()??,
        ops: amounts.next()??,
        special_ops: amounts.next()??,
    };
    let work_ns = limits.work_ns(work);
    let ns = ns.parse().ok().filter(|ns| is_time(*ns))?;
    (amounts.next().is_none() && is_time(work_ns)).then_some(Point { work, work_ns, ns })
}

fn rest(fields: &mut SplitWhitespace<'_>) -> String {
    fields.collect::<Vec<_>>().join(" ")
}

fn read_limits(fields: &mut SplitWhitespace<'_>) -> Option<DeviceLimits> {
    let mut number = || fields.next()?.parse::<f64>().ok();
    let limits = DeviceLimits {
        bandwidth_bytes_per_s: number()?,
        near_bytes: number()?,
        near_bytes_per_s: number()?,
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

    use super::super::table::Sample;
    use super::super::work::Work;
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
        let (idle_w, busy_w) = (4.5, 65.0);
        costs.set_power(DeviceKey(2), Power { idle_w, busy_w });
        for (kernel, device, bytes, ns) in samples {
            costs.name_kernel(KernelKey(u64::from(*kernel)), "a kernel");
            costs.record(&Sample {
                kernel: KernelKey(u64::from(*kernel)),
                device: DeviceKey(u64::from(*device)),
                work: Work {
                    bytes: *bytes,
                    ..Work::default()
                },
                ns: *ns,
                cold: *ns > 9e8,
            });
        }
        costs
    }

    fn any_costs() -> impl Strategy<Value = Costs> {
        let sample = (0_u8..3, 0_u8..3, 1.0..1e9, 1.0..1e9);
        proptest::collection::vec(sample, 0..24).prop_map(|samples| learnt(&samples))
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(128, 0x5eed))]

        #[test]
        fn costs_survive_being_written_and_read(mut costs in any_costs()) {
            let text = costs.to_text();
            let read: Costs = text.parse().unwrap();
            prop_assert_eq!(read.to_text(), text);
            costs.mark_kept();
            for learnt in costs.learnt.values_mut() {
                // That is the process's own.
                learnt.has_run = false;
            }
            prop_assert_eq!(read, costs);
        }

        #[test]
        fn a_text_cut_short_is_refused(costs in any_costs(), cut in 0.0..1.0) {
            let text = costs.to_text();
            let kept = (text.len() as f64 * cut) as usize;
            prop_assert!(text[..kept].parse::<Costs>().is_err());
        }

        #[test]
        fn a_text_with_one_bit_flipped_is_refused(costs in any_costs(), at in 0.0..1.0, bit in 0_u8..7) {
            let mut bytes = costs.to_text().into_bytes();
            let at = (bytes.len() as f64 * at) as usize;
            bytes[at] ^= 1 << bit;
            let text = String::from_utf8(bytes).unwrap();
            prop_assert!(text.parse::<Costs>().is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(noise in ".{0,200}", costs in any_costs(), at in 0.0..1.0) {
            let mut text = costs.to_text();
            let at = (text.len() as f64 * at) as usize;
            text.insert_str(at, &noise);
            let _ = text.parse::<Costs>();
            let _ = noise.parse::<Costs>();
            // Under a checksum that fits, too.
            let body = format!("{HEADER}\n{noise}\n");
            let sealed = format!("{body}end {:016x}\n", DeviceKey::new(&body).0);
            let _ = sealed.parse::<Costs>();
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
            "impel-costs 1\nend 1\n".parse::<Costs>(),
            Err(CostsError::Foreign { .. })
        ));
        let text = learnt(&[(1, 1, 1e6, 1e5)]).to_text();
        let absurd = text.replace("9000.5", "0");
        assert_eq!(absurd.parse::<Costs>(), Err(CostsError::Checksum));
        assert_eq!(
            sealed(&absurd).parse::<Costs>(),
            Err(CostsError::Damaged { line: 3 })
        );
        let negative = sealed(&text.replace(":100000", ":-100000"));
        assert_eq!(
            negative.parse::<Costs>(),
            Err(CostsError::Damaged { line: 8 })
        );
    }

    /// `text` with a checksum that fits.
    fn sealed(text: &str) -> String {
        let body = &text[..text.rfind("end ").unwrap()];
        format!("{body}end {:016x}\n", DeviceKey::new(body).0)
    }
}
