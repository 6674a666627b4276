//! What has been learnt so far about every kernel on every device?

use std::collections::BTreeMap;

use super::estimate::{Class, Point, Prediction, Source};
use super::learnt::{Learnt, class_of};
use super::limits::DeviceLimits;
use super::power::Power;
use super::work::Work;

/// Relative spread of a prior: kernels miss their limits by about this much.
const PRIOR_SPREAD: f64 = 0.5;
/// Spread added per factor of two between the work asked about and the work measured.
const SPREAD_PER_CLASS: f64 = 0.05;
/// Confidence in a prior.
const PRIOR_CONFIDENCE: f64 = 0.2;
/// So many samples make half of full confidence.
const SAMPLES_HALF: f64 = 2.0;
/// Confidence kept per factor of two between the work asked about and the work measured.
const CONFIDENCE_PER_CLASS: f64 = 0.8;
/// Launches without the device after which what is known of it counts half: caches, frequencies and neighbours change.
const LAUNCHES_HALF: f64 = 128.0;

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
    pub(super) devices: BTreeMap<DeviceKey, DeviceNote>,
    pub(super) kernels: BTreeMap<KernelKey, KernelNote>,
    pub(super) learnt: BTreeMap<(KernelKey, DeviceKey), Learnt>,
}

/// What is known of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DeviceNote {
    pub(super) name: String,
    pub(super) limits: Option<DeviceLimits>,
    pub(super) power: Option<Power>,
    /// Whether the limits or the power are not on disk yet.
    pub(super) fresh: bool,
}

/// What is known of a kernel, wherever it runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KernelNote {
    pub(super) name: String,
    /// Launches so far.
    pub(super) launches: u64,
    /// Of these, how many are not on disk yet.
    pub(super) fresh: u64,
}

impl Costs {
    /// The limits of `device`, if they have been measured.
    pub fn limits(&self, device: DeviceKey) -> Option<&DeviceLimits> {
        self.devices.get(&device)?.limits.as_ref()
    }

    /// Notes the limits of `device`. Earlier samples keep their meaning.
    pub fn set_limits(&mut self, device: DeviceKey, limits: DeviceLimits) {
        let note = self.devices.entry(device).or_default();
        note.limits = Some(limits);
        note.fresh = true;
        for ((_, own), learnt) in &mut self.learnt {
            if *own == device {
                *learnt = learnt.rescaled(&limits);
            }
        }
    }

    /// What `device` draws, if that has been measured.
    pub fn power(&self, device: DeviceKey) -> Option<Power> {
        self.devices.get(&device)?.power
    }

    /// Notes what `device` draws.
    pub fn set_power(&mut self, device: DeviceKey, power: Power) {
        let note = self.devices.entry(device).or_default();
        note.power = Some(power);
        note.fresh = true;
    }

    /// Notes what people call a device.
    pub fn name_device(&mut self, device: DeviceKey, name: &str) {
        let note = self.devices.entry(device).or_default();
        if note.name != name {
            note.name = one_line(name);
        }
    }

    /// Notes what people call a kernel.
    pub fn name_kernel(&mut self, kernel: KernelKey, name: &str) {
        let note = self.kernels.entry(kernel).or_default();
        if note.name != name {
            note.name = one_line(name);
        }
    }

    /// Whether `kernel` has run on `device` in this process: if not, its next run is cold.
    pub fn has_run(&self, kernel: KernelKey, device: DeviceKey) -> bool {
        let learnt = self.learnt.get(&(kernel, device));
        learnt.is_some_and(|learnt| learnt.has_run)
    }

    /// Learns from a part that ran. Times that are no times teach nothing, and a cold sample is believed only as long as there is
    /// no other.
    pub fn record(&mut self, sample: &Sample) {
        let point = Point {
            work: sample.work,
            work_ns: self.limits_or_guess(sample.device).work_ns(sample.work),
            ns: sample.ns,
        };
        if !is_time(point.ns) || !is_time(point.work_ns) {
            return;
        }
        let key = (sample.kernel, sample.device);
        let learnt = self.learnt.entry(key).or_default();
        learnt.has_run = true;
        if sample.cold {
            learnt.cold = Some(point);
            learnt.cold_fresh = true;
        } else {
            learnt.push(point);
        }
    }

    /// Counts a launch of `kernel` in which these devices took part. What is known of the others ages.
    pub fn took_part(&mut self, kernel: KernelKey, devices: &[DeviceKey]) {
        let note = self.kernels.entry(kernel).or_default();
        note.launches += 1;
        note.fresh += 1;
        for device in devices {
            let learnt = self.learnt.entry((kernel, *device)).or_default();
            learnt.last = note.launches;
            learnt.used = true;
        }
    }

    /// Expected time of `work` of `kernel` on `device`. Costs a few tens of nanoseconds.
    pub fn predict(&self, kernel: KernelKey, device: DeviceKey, work: Work) -> Prediction {
        let limits = self.limits_or_guess(device);
        let prior_ns = limits.work_ns(work);
        let learnt = self.learnt.get(&(kernel, device));
        let idle_launches = self.launches(kernel) - learnt.map_or(0, |learnt| learnt.last);
        let measured =
            learnt.and_then(|learnt| Some((learnt, learnt.nearest(class_of(prior_ns))?)));
        let prediction = match measured {
            Some((learnt, (class, distance))) => {
                from_samples(learnt, class, distance, limits, prior_ns)
            }
            // What a launch that nobody has seen needs is not in the caches.
            None if learnt.is_none_or(|learnt| learnt.cold.is_none()) => {
                self.prior(device, limits, limits.first_work_ns(work))
            }
            None => self.prior(device, limits, prior_ns),
        };
        match learnt.and_then(|learnt| Some((learnt, learnt.cold?))) {
            Some((learnt, cold)) if measured.is_none() => Prediction {
                idle_launches,
                ..from_first_run(learnt.has_run, cold, prediction)
            },
            _ => prediction.aged(idle_launches),
        }
    }

    fn prior(&self, device: DeviceKey, limits: &DeviceLimits, prior_ns: f64) -> Prediction {
        let measured = self.limits(device).is_some();
        Prediction {
            ns: limits.launch_ns + prior_ns,
            fixed_ns: limits.launch_ns,
            work_ns: prior_ns,
            spread: PRIOR_SPREAD,
            confidence: if measured { PRIOR_CONFIDENCE } else { 0.0 },
            idle_launches: 0,
            source: if measured {
                Source::Prior
            } else {
                Source::Guess
            },
        }
    }

    /// Samples of `kernel` on `device` so far, also those that newer ones have replaced.
    pub fn samples(&self, kernel: KernelKey, device: DeviceKey) -> u64 {
        let learnt = self.learnt.get(&(kernel, device));
        learnt.map_or(0, |learnt| learnt.seen)
    }

    /// Launches of `kernel` so far.
    pub fn launches(&self, kernel: KernelKey) -> u64 {
        self.kernels.get(&kernel).map_or(0, |note| note.launches)
    }

    /// Forgets all samples of `kernel`.
    pub fn forget_kernel(&mut self, kernel: KernelKey) {
        self.learnt.retain(|(own, _), _| *own != kernel);
        self.kernels.remove(&kernel);
    }

    /// Forgets all samples and the limits of `device`.
    pub fn forget_device(&mut self, device: DeviceKey) {
        self.learnt.retain(|(_, own), _| *own != device);
        self.devices.remove(&device);
    }

    pub(super) fn limits_or_guess(&self, device: DeviceKey) -> &DeviceLimits {
        self.limits(device).unwrap_or(&DeviceLimits::GUESS)
    }
}

fn from_samples(
    learnt: &Learnt,
    class: &Class,
    distance: u8,
    limits: &DeviceLimits,
    prior_ns: f64,
) -> Prediction {
    let middle = class.summary();
    // A fixed cost above half of what was measured would leave nothing for the work itself.
    let fixed_ns = learnt
        .fixed_ns
        .unwrap_or(limits.launch_ns)
        .min(middle.ns / 2.0);
    let work_ns = (middle.ns - fixed_ns) / middle.work_ns.max(1.0) * prior_ns;
    let samples = f64::from(class.samples());
    Prediction {
        ns: fixed_ns + work_ns,
        fixed_ns,
        work_ns,
        spread: middle.spread + SPREAD_PER_CLASS * f64::from(distance),
        confidence: samples / (samples + SAMPLES_HALF)
            * CONFIDENCE_PER_CLASS.powi(i32::from(distance)),
        idle_launches: 0,
        source: if distance == 0 {
            Source::Measured(class.samples())
        } else {
            Source::Scaled(class.samples())
        },
    }
}

/// What a first run tells where there is nothing else: of the next first run, its time; of a warm one, something between that and
/// what the device can do.
fn from_first_run(has_run: bool, cold: Point, prior: Prediction) -> Prediction {
    let ratio = (cold.ns - prior.fixed_ns).max(cold.ns / 2.0) / cold.work_ns.max(1.0);
    let factor = if has_run && ratio > 1.0 {
        ratio.sqrt()
    } else {
        ratio
    };
    let work_ns = prior.work_ns * factor;
    Prediction {
        ns: prior.fixed_ns + work_ns,
        work_ns,
        source: Source::FirstRun,
        ..prior
    }
}

impl Prediction {
    /// The same after this many launches without the device.
    fn aged(self, idle_launches: u64) -> Self {
        let recent = (-(idle_launches as f64) / LAUNCHES_HALF).exp2();
        Self {
            spread: self.spread + (PRIOR_SPREAD - self.spread).max(0.0) * (1.0 - recent),
            confidence: self.confidence * recent,
            idle_launches,
            ..self
        }
    }
}

/// `name` without what would break a line of text.
fn one_line(name: &str) -> String {
    name.split_whitespace()
        .map(|word| word.replace(char::is_control, "?"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether `ns` is a span of time that something could have taken: up to eleven days.
pub(super) fn is_time(ns: f64) -> bool {
    (0.0..1e15).contains(&ns)
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
    fn impossible_samples_teach_nothing() {
        let mut costs = Costs::default();
        for ns in [f64::NAN, -1.0, f64::INFINITY] {
            costs.record(&sample(1e6, ns));
        }
        assert_eq!(costs, Costs::default());
    }

    #[test]
    fn a_first_run_counts_only_as_long_as_there_is_no_other() {
        let device = DeviceKey::new("cpu");
        let mut costs = Costs::default();
        costs.set_limits(device, DeviceLimits::GUESS);
        assert!(!costs.has_run(KERNEL, device));
        // A hundred times slower than any run after it.
        let first = Sample {
            cold: true,
            ..sample(1e6, 1e7)
        };
        costs.record(&first);
        assert!(costs.has_run(KERNEL, device));
        let second = costs.predict(KERNEL, device, bytes(1e6));
        assert_eq!(second.source, Source::FirstRun);
        assert!(
            second.ns < 2e6,
            "a warm run is not expected to be as slow: {second}"
        );
        costs.record(&sample(1e6, 1e5));
        let third = costs.predict(KERNEL, device, bytes(1e6));
        assert_eq!(third.source, Source::Measured(1));
        assert!((third.ns - 1e5).abs() < 1.0, "{third}");
    }

    #[test]
    fn a_program_that_runs_a_kernel_once_learns_how_long_that_takes() {
        let device = DeviceKey::new("cpu");
        let mut costs = Costs::default();
        costs.record(&Sample {
            cold: true,
            ..sample(1e6, 1e7)
        });
        let next_process: Costs = costs.to_text().parse().unwrap();
        let predicted = next_process.predict(KERNEL, device, bytes(1e6));
        assert!((predicted.ns / 1e7 - 1.0).abs() < 0.01, "{predicted}");
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

    #[test]
    fn what_is_not_used_is_trusted_less_and_less() {
        let (cpu, gpu) = (DeviceKey::new("cpu"), DeviceKey::new("gpu"));
        let mut costs = Costs::default();
        for _ in 0..8 {
            costs.record(&sample(1e6, 1e5));
            costs.took_part(KERNEL, &[cpu]);
        }
        let fresh = costs.predict(KERNEL, cpu, bytes(1e6));
        for _ in 0..500 {
            costs.took_part(KERNEL, &[gpu]);
        }
        let aged = costs.predict(KERNEL, cpu, bytes(1e6));
        assert_eq!((fresh.idle_launches, aged.idle_launches), (0, 500));
        assert!(fresh.confidence > 0.7 && aged.confidence < 0.1, "{aged:?}");
        assert!(aged.spread > fresh.spread);
        assert!((aged.ns - fresh.ns).abs() < 1e-9);
    }
}
