//! What has been learnt so far about every kernel on every device?

use std::collections::BTreeMap;
use std::fmt;

use super::estimate::{Class, Point, Prediction, Source, fixed_ns};
use super::limits::{DeviceLimits, Work};

/// Relative spread of a prior: kernels miss their limits by about this much.
const PRIOR_SPREAD: f64 = 0.5;
/// Spread added per factor of two between the work asked about and the work measured.
const SPREAD_PER_CLASS: f64 = 0.05;

/// A kernel, by the fingerprint of its WGSL and the compiler's options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KernelKey(pub u64);

/// A device, by the fingerprint of what it is: the same in every process, unlike a `DeviceId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKey(pub u64);

impl DeviceKey {
    /// The key of a device that is described by `identity`: model, driver and version of impel.
    pub fn new(identity: &str) -> Self {
        // FNV-1a, 64 bits: stable across processes and releases, unlike the standard library's hasher.
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(identity.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// One part that ran.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// What ran.
    pub kernel: KernelKey,
    /// Where it ran.
    pub device: DeviceKey,
    /// How much it was.
    pub work: Work,
    /// How long it took, in ns.
    pub ns: f64,
    /// Whether it was the first of its kernel on its device in this process, with compilation or cold caches in its time.
    pub cold: bool,
}

/// All that is known about costs: limits of devices and samples of kernels. A plain value; where it is kept is not its affair.
///
/// ```
/// use impel::cost::{Costs, DeviceKey, DeviceLimits, KernelKey, Sample, Source, Work};
///
/// let (kernel, cpu) = (KernelKey(7), DeviceKey::new("a CPU"));
/// let mut costs = Costs::default();
/// costs.set_limits(cpu, DeviceLimits::GUESS);
/// let work = Work { bytes: 1e6, ..Work::default() };
/// assert_eq!(costs.predict(kernel, cpu, work).source, Source::Prior);
///
/// costs.record(&Sample { kernel, device: cpu, work, ns: 250_000.0, cold: false });
/// let learnt = costs.predict(kernel, cpu, work);
/// assert_eq!(learnt.source, Source::Measured(1));
/// assert!((learnt.ns - 250_000.0).abs() < 1.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    pub(super) limits: BTreeMap<DeviceKey, DeviceLimits>,
    pub(super) learnt: BTreeMap<(KernelKey, DeviceKey), Learnt>,
}

/// One kernel on one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Learnt {
    /// By the power of two below the work.
    pub(super) classes: BTreeMap<u8, Class>,
    fixed_ns: Option<f64>,
}

impl Learnt {
    pub(super) fn push(&mut self, point: Point) {
        self.classes
            .entry(class_of(point.work_ns))
            .or_default()
            .push(point);
        self.fixed_ns = fixed_ns(self.classes.values().map(Class::summary));
    }

    /// The class nearest to `class` and its distance.
    fn nearest(&self, class: u8) -> Option<(&Class, u8)> {
        if let Some(exact) = self.classes.get(&class) {
            return Some((exact, 0));
        }
        let distances = self
            .classes
            .iter()
            .map(|(own, value)| (value, own.abs_diff(class)));
        distances.min_by_key(|(_, distance)| *distance)
    }
}

impl Costs {
    /// The limits of `device`, if they have been measured.
    pub fn limits(&self, device: DeviceKey) -> Option<&DeviceLimits> {
        self.limits.get(&device)
    }

    /// Notes the limits of `device`.
    pub fn set_limits(&mut self, device: DeviceKey, limits: DeviceLimits) {
        self.limits.insert(device, limits);
    }

    /// Learns from a part that ran. Cold samples, and times that are no times, teach nothing.
    pub fn record(&mut self, sample: &Sample) {
        let point = Point {
            work_ns: self.limits_or_guess(sample.device).work_ns(sample.work),
            ns: sample.ns,
        };
        if !sample.cold && is_time(point.ns) && is_time(point.work_ns) {
            let key = (sample.kernel, sample.device);
            self.learnt.entry(key).or_default().push(point);
        }
    }

    /// Expected time of `work` of `kernel` on `device`. Costs a few tens of nanoseconds.
    pub fn predict(&self, kernel: KernelKey, device: DeviceKey, work: Work) -> Prediction {
        let limits = self.limits_or_guess(device);
        let prior_ns = limits.work_ns(work);
        let learnt = self.learnt.get(&(kernel, device));
        let Some((learnt, (class, distance))) =
            learnt.and_then(|learnt| Some((learnt, learnt.nearest(class_of(prior_ns))?)))
        else {
            return Prediction {
                ns: limits.launch_ns + prior_ns,
                fixed_ns: limits.launch_ns,
                work_ns: prior_ns,
                spread: PRIOR_SPREAD,
                source: if self.limits.contains_key(&device) {
                    Source::Prior
                } else {
                    Source::Guess
                },
            };
        };
        let middle = class.summary();
        // A fixed cost above half of what was measured would leave nothing for the work itself.
        let fixed_ns = learnt
            .fixed_ns
            .unwrap_or(limits.launch_ns)
            .min(middle.ns / 2.0);
        let work_ns = (middle.ns - fixed_ns) / middle.work_ns.max(1.0) * prior_ns;
        Prediction {
            ns: fixed_ns + work_ns,
            fixed_ns,
            work_ns,
            spread: middle.spread + SPREAD_PER_CLASS * f64::from(distance),
            source: if distance == 0 {
                Source::Measured(class.samples())
            } else {
                Source::Scaled(class.samples())
            },
        }
    }

    /// Forgets all samples of `kernel`.
    pub fn forget_kernel(&mut self, kernel: KernelKey) {
        self.learnt.retain(|(own, _), _| *own != kernel);
    }

    /// Forgets all samples and the limits of `device`.
    pub fn forget_device(&mut self, device: DeviceKey) {
        self.learnt.retain(|(_, own), _| *own != device);
        self.limits.remove(&device);
    }

    fn limits_or_guess(&self, device: DeviceKey) -> &DeviceLimits {
        self.limits.get(&device).unwrap_or(&DeviceLimits::GUESS)
    }
}

/// The power of two at or below `work_ns`.
pub(super) fn class_of(work_ns: f64) -> u8 {
    (work_ns.max(1.0) as u64).ilog2() as u8
}

/// Whether `ns` is a span of time that something could have taken: up to eleven days.
pub(super) fn is_time(ns: f64) -> bool {
    (0.0..1e15).contains(&ns)
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (device, limits) in &self.limits {
            writeln!(f, "device {:016x}: {limits}", device.0)?;
        }
        for ((kernel, device), learnt) in &self.learnt {
            writeln!(f, "kernel {:016x} on {:016x}:", kernel.0, device.0)?;
            for (class, values) in &learnt.classes {
                let middle = values.summary();
                writeln!(
                    f,
                    "  work 2^{class} ns: {:.1} µs ± {:.0} %, {} samples",
                    middle.ns / 1e3,
                    middle.spread * 100.0,
                    values.samples()
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: KernelKey = KernelKey(1);

    fn bytes(bytes: f64) -> Work {
        Work {
            bytes,
            ..Work::default()
        }
    }

    fn sample(bytes_moved: f64, ns: f64) -> Sample {
        Sample {
            kernel: KERNEL,
            device: DeviceKey::new("cpu"),
            work: bytes(bytes_moved),
            ns,
            cold: false,
        }
    }

    #[test]
    fn the_first_prediction_comes_from_the_limits() {
        let mut costs = Costs::default();
        let device = DeviceKey::new("cpu");
        assert_eq!(
            costs.predict(KERNEL, device, bytes(1e6)).source,
            Source::Guess
        );
        costs.set_limits(device, DeviceLimits::GUESS);
        let prior = costs.predict(KERNEL, device, bytes(1e6));
        assert_eq!(prior.source, Source::Prior);
        assert!((prior.ns - 110_000.0).abs() < 1e-6, "{prior}");
    }

    #[test]
    fn cold_and_impossible_samples_teach_nothing() {
        let mut costs = Costs::default();
        let good = sample(1e6, 1e5);
        costs.record(&Sample { cold: true, ..good });
        for ns in [f64::NAN, -1.0, f64::INFINITY] {
            costs.record(&Sample { ns, ..good });
        }
        assert_eq!(costs, Costs::default());
    }

    #[test]
    fn three_launches_teach_the_time_of_a_fourth_size() {
        let mut costs = Costs::default();
        let truth = |bytes_moved: f64| 3000.0 + 0.3 * bytes_moved;
        for size in [1e5, 1e6, 1e7] {
            costs.record(&sample(size, truth(size)));
        }
        let device = DeviceKey::new("cpu");
        for size in [2e5, 5e6, 1e8] {
            let predicted = costs.predict(KERNEL, device, bytes(size));
            assert!(
                (predicted.ns / truth(size) - 1.0).abs() < 0.02,
                "{size}: {predicted}"
            );
        }
        assert_eq!(
            costs.predict(KERNEL, device, bytes(1e9)).source,
            Source::Scaled(1)
        );
    }

    #[test]
    fn kernels_and_devices_are_learnt_apart_and_forgotten_apart() {
        let mut costs = Costs::default();
        costs.record(&sample(1e6, 5e5));
        let other = DeviceKey::new("gpu");
        assert_eq!(
            costs.predict(KERNEL, other, bytes(1e6)).source,
            Source::Guess
        );
        assert_eq!(
            costs
                .predict(KernelKey(2), DeviceKey::new("cpu"), bytes(1e6))
                .source,
            Source::Guess
        );
        costs.forget_device(other);
        assert!(!costs.learnt.is_empty());
        costs.forget_kernel(KERNEL);
        assert!(costs.learnt.is_empty());
    }
}
