//! What do the samples of one kernel on one device say, whatever their size?

use std::collections::BTreeMap;

use super::estimate::{Class, Point, fixed_ns};
use super::limits::DeviceLimits;

/// One kernel on one device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Learnt {
    /// By the power of two below the work.
    pub(super) classes: BTreeMap<u8, Class>,
    pub(super) fixed_ns: Option<f64>,
    /// Samples so far, also those that newer ones have replaced.
    pub(super) seen: u64,
    /// Of these, how many are not on disk yet.
    pub(super) fresh: u64,
    /// The latest first run in a process, with what that takes once: believed only as long as there is nothing else.
    pub(super) cold: Option<Point>,
    /// Whether it is not on disk yet.
    pub(super) cold_fresh: bool,
    /// Whether the kernel has run on the device in this process.
    pub(super) has_run: bool,
    /// The kernel's launches up to the last one in which the device took part.
    pub(super) last: u64,
    /// Whether the device took part in a launch that is not on disk yet.
    pub(super) used: bool,
}

impl Learnt {
    pub(super) fn push(&mut self, point: Point) {
        self.classes
            .entry(class_of(point.work_ns))
            .or_default()
            .push(point);
        self.seen += 1;
        self.fresh += 1;
        self.fixed_ns = fixed_ns(self.classes.values().map(Class::summary));
    }

    /// The class nearest to `class` and its distance.
    pub(super) fn nearest(&self, class: u8) -> Option<(&Class, u8)> {
        if let Some(exact) = self.classes.get(&class) {
            return Some((exact, 0));
        }
        let distances = self
            .classes
            .iter()
            .map(|(own, value)| (value, own.abs_diff(class)));
        distances.min_by_key(|(_, distance)| *distance)
    }

    /// The same samples on the scale of other limits.
    pub(super) fn rescaled(&self, limits: &DeviceLimits) -> Self {
        let mut rescaled = Self::default();
        for class in self.classes.values() {
            let kept = class.points().len() - class.fresh().len();
            let kept = class.points().take(kept);
            kept.for_each(|point| rescaled.push(point.measured_by(limits)));
        }
        rescaled.mark_kept();
        for class in self.classes.values() {
            let fresh = class.fresh();
            fresh.for_each(|point| rescaled.push(point.measured_by(limits)));
        }
        Self {
            classes: rescaled.classes,
            fixed_ns: rescaled.fixed_ns,
            cold: self.cold.map(|point| point.measured_by(limits)),
            ..*self
        }
    }

    /// Notes that nothing of it is on disk.
    pub(super) fn mark_news(&mut self) {
        self.classes.values_mut().for_each(Class::mark_news);
        self.fresh = self.seen;
        self.used = true;
        self.cold_fresh = self.cold.is_some();
    }

    /// Notes that all of it is on disk.
    pub(super) fn mark_kept(&mut self) {
        self.classes.values_mut().for_each(Class::mark_kept);
        self.fresh = 0;
        self.used = false;
        self.cold_fresh = false;
    }
}

impl Point {
    pub(super) fn measured_by(self, limits: &DeviceLimits) -> Self {
        Self {
            work_ns: limits.work_ns(self.work),
            ..self
        }
    }
}

/// The power of two at or below `work_ns`.
pub(super) fn class_of(work_ns: f64) -> u8 {
    (work_ns.max(1.0) as u64).ilog2() as u8
}
