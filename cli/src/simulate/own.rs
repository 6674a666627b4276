//! How fast is the machine on which a program was recorded? Each kernel on each device, the links and the host, from the trace alone.

use std::collections::BTreeMap;

use impel::cost::{Link, Work};
use impel::machine::{DeviceId, MemoryId};
use impel::region::WORD_BYTES;
use impel::trace::{Event, Trace};

use super::program::{Launch, Program};

/// Most that a part counts as costing however small it is, where all parts of a kernel were alike, in ns: few devices take longer to
/// start one.
const FIXED_NS_MAX: f64 = 20_000.0;

/// The model of the machine of a recorded run, learned from that run.
pub(crate) struct Own {
    /// Amount of work and ns of the parts, by kernel and device.
    kernels: BTreeMap<(String, DeviceId), Link>,
    links: BTreeMap<(MemoryId, MemoryId), Link>,
    /// What the host adds to a launch, by kernel: to the first, whose code is made ready, and to a later one, in ns.
    overheads: BTreeMap<String, (f64, f64)>,
}

impl Own {
    /// Learns from a trace and its program.
    pub(crate) fn of(trace: &Trace, program: &Program) -> Self {
        let mut parts: BTreeMap<(String, DeviceId), Vec<(f64, f64)>> = BTreeMap::new();
        let mut guesses = parts.clone();
        for launch in program.launches() {
            let at = |device: DeviceId| (launch.kernel.clone(), device);
            for (device, share, ns) in &launch.measured {
                let point = (amount(launch.work) * share, *ns);
                parts.entry(at(*device)).or_default().push(point);
            }
            for part in &launch.planned {
                let point = (
                    amount(launch.work) * launch.share(part.tile),
                    (part.predicted_ns - part.transfer_ns).max(0.0),
                );
                guesses.entry(at(part.device)).or_default().push(point);
            }
        }
        // Where nothing was measured, since the runtime knew the time well, what it knew counts.
        for (at, points) in guesses {
            parts.entry(at).or_insert(points);
        }
        let fit = |(at, points): ((String, DeviceId), Vec<(f64, f64)>)| {
            // The first of many did some things for the first time.
            let warm = if points.len() > 3 {
                &points[1..]
            } else {
                &points
            };
            (at, line(warm, FIXED_NS_MAX))
        };
        Self {
            kernels: parts.into_iter().map(fit).collect(),
            links: links(trace),
            overheads: BTreeMap::new(),
        }
    }

    /// Time of all of a launch on a device: what it costs however small a part is, and the rest, in ns. None where its kernel never
    /// ran.
    pub(crate) fn predict(&self, launch: &Launch, device: DeviceId) -> Option<(f64, f64)> {
        let fit = self.kernels.get(&(launch.kernel.clone(), device))?;
        Some((fit.latency_ns, amount(launch.work) * fit.ns_per_byte()))
    }

    /// Learns what the host adds from how much longer the launches took than they did without it, in ns, in the order of the program.
    pub(crate) fn learn_overheads(&mut self, program: &Program, lacking_ns: &[f64]) {
        let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (launch, ns) in program.launches().zip(lacking_ns) {
            all.entry(&launch.kernel).or_default().push(*ns);
        }
        let mean = |lacking: &[f64]| {
            let sum: f64 = lacking.iter().sum();
            (sum / lacking.len().max(1) as f64).max(0.0)
        };
        let split = |(kernel, lacking): (&str, Vec<f64>)| {
            let later = if lacking.len() > 1 {
                &lacking[1..]
            } else {
                &lacking
            };
            (kernel.to_owned(), (lacking[0].max(0.0), mean(later)))
        };
        self.overheads = all.into_iter().map(split).collect();
    }

    /// What the host adds to a launch, in ns.
    pub(crate) fn overhead_ns(&self, kernel: &str, first: bool) -> f64 {
        let (first_ns, later_ns) = self.overheads.get(kernel).copied().unwrap_or_default();
        if first { first_ns } else { later_ns }
    }

    /// The link between main memory and a device's, as far as copies were recorded.
    pub(crate) fn link(&self, from: MemoryId, to: MemoryId) -> Option<Link> {
        self.links.get(&(from, to)).copied()
    }
}

/// Work in one number: within a kernel, whatever grows with it will do.
fn amount(work: Work) -> f64 {
    work.bytes + work.ops + work.special_ops
}

/// The links by the line of least squares through the copies that went over them.
fn links(trace: &Trace) -> BTreeMap<(MemoryId, MemoryId), Link> {
    let mut copies: BTreeMap<(MemoryId, MemoryId), Vec<(f64, f64)>> = BTreeMap::new();
    let mut last = None;
    for (_, event) in &trace.events {
        if let Event::Copied {
            launch,
            array,
            span,
            from,
            to,
            ns,
            ..
        } = event
        {
            let own = copies.entry((*from, *to)).or_default();
            let bytes = (span.words() * WORD_BYTES) as f64;
            // Copies that were made together share their time.
            let this = Some((*launch, *array, *from, *to, *ns));
            match own.last_mut() {
                Some((before, _)) if last == this => *before += bytes,
                _ => own.push((bytes, *ns as f64)),
            }
            last = this;
        } else {
            last = None;
        }
    }
    let link = |(way, copies): ((MemoryId, MemoryId), Vec<(f64, f64)>)| {
        (way, line(&copies, f64::INFINITY))
    };
    copies.into_iter().map(link).collect()
}

/// `latency + bytes / rate` through points of bytes and ns. Where all points are alike, half of their time counts as latency, but no
/// more than `latency_ns_max`: any split of it says the same about such points.
fn line(points: &[(f64, f64)], latency_ns_max: f64) -> Link {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (bytes, ns) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - bytes).powi(2)).sum();
    let common: f64 = points
        .iter()
        .map(|point| (point.0 - bytes) * (point.1 - ns))
        .sum();
    let slope = if spread > 0.0 && common > 0.0 {
        (common / spread).min(ns / bytes.max(1.0))
    } else {
        (ns - (0.5 * ns).min(latency_ns_max)) / bytes.max(1.0)
    };
    Link {
        latency_ns: (ns - slope * bytes).max(0.0),
        bytes_per_s: 1e9 / slope.max(1e-6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_from_its_copies() {
        let at = |bytes: f64| (bytes, 5000.0 + bytes * 0.25);
        let link = line(&[at(1e3), at(1e6), at(4e6)], f64::INFINITY);
        assert!((link.latency_ns - 5000.0).abs() < 1.0, "{link:?}");
        assert!((link.bytes_per_s / 4e9 - 1.0).abs() < 1e-6, "{link:?}");
        let alike = line(&[(1000.0, 400.0), (1000.0, 600.0)], f64::INFINITY);
        assert!((alike.copy_ns(1000.0) - 500.0).abs() < 1e-9, "{alike:?}");
        let kernel = line(&[(1000.0, 1e6)], FIXED_NS_MAX);
        assert!(
            (kernel.latency_ns - FIXED_NS_MAX).abs() < 1e-6,
            "{kernel:?}"
        );
    }
}
