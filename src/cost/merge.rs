//! How do the records of several processes become one? Each adds what it learned itself to what is on disk by then.

use super::learnt::Learnt;
use super::table::Costs;

impl Costs {
    /// Adds what `other` has learned since it was last [marked as kept](Self::mark_kept).
    ///
    /// What it had read before is left out, since that is here already or was forgotten on purpose.
    pub fn absorb_news(&mut self, other: &Self) {
        for (key, news) in &other.devices {
            let note = self.devices.entry(*key).or_default();
            if note.name.is_empty() {
                note.name.clone_from(&news.name);
            }
            if news.fresh {
                note.power = news.power.or(note.power);
                note.fresh = true;
            }
            if let Some(limits) = news.limits.filter(|_| news.fresh) {
                self.set_limits(*key, limits);
            }
        }
        for (key, news) in &other.kernels {
            let note = self.kernels.entry(*key).or_default();
            if note.name.is_empty() {
                note.name.clone_from(&news.name);
            }
            note.launches += news.fresh;
            note.fresh += news.fresh;
        }
        for ((kernel, device), news) in &other.learnt {
            if news.fresh == 0 && !news.used && !news.cold_fresh {
                continue;
            }
            let limits = *self.limits_or_guess(*device);
            let launches = self.launches(*kernel);
            let since = other.launches(*kernel) - news.last;
            let own = self.learnt.entry((*kernel, *device)).or_default();
            add_samples(own, news, &limits);
            if news.cold_fresh {
                own.cold = news.cold.map(|point| point.measured_by(&limits));
                own.cold_fresh = true;
            }
            if news.used {
                own.last = launches.saturating_sub(since);
                own.used = true;
            }
        }
        self.drop_empty();
    }

    /// Notes that all of this is on disk: [`absorb_news`](Self::absorb_news) takes from here on only what comes after.
    pub fn mark_kept(&mut self) {
        self.devices
            .values_mut()
            .for_each(|note| note.fresh = false);
        self.kernels.values_mut().for_each(|note| note.fresh = 0);
        self.learnt.values_mut().for_each(Learnt::mark_kept);
    }

    /// The same, but as if all of it were new: what [`absorb_news`](Self::absorb_news) adds to the costs of another machine or user.
    pub fn into_news(mut self) -> Self {
        self.devices.values_mut().for_each(|note| note.fresh = true);
        for note in self.kernels.values_mut() {
            note.fresh = note.launches;
        }
        for learnt in self.learnt.values_mut() {
            learnt.mark_news();
        }
        self
    }

    /// Whether there is anything that is not on disk.
    pub fn has_news(&self) -> bool {
        self.devices.values().any(|note| note.fresh)
            || self.kernels.values().any(|note| note.fresh > 0)
            || self
                .learnt
                .values()
                .any(|learnt| learnt.fresh > 0 || learnt.used || learnt.cold_fresh)
    }

    /// Names alone say nothing.
    fn drop_empty(&mut self) {
        let learnt = &self.learnt;
        self.kernels
            .retain(|key, note| note.launches > 0 || learnt.keys().any(|(own, _)| own == key));
        self.devices.retain(|key, note| {
            note.limits.is_some()
                || note.power.is_some()
                || learnt.keys().any(|(_, own)| own == key)
        });
    }
}

fn add_samples(own: &mut Learnt, news: &Learnt, limits: &super::DeviceLimits) {
    let mut added = 0;
    for point in news
        .classes
        .values()
        .flat_map(super::estimate::Class::fresh)
    {
        own.push(point.measured_by(limits));
        added += 1;
    }
    // Those that a newer one of the same process has replaced.
    own.seen += news.fresh - added;
    own.fresh += news.fresh - added;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::limits::DeviceLimits;
    use super::super::table::{DeviceKey, KernelKey, Sample};
    use super::super::work::Work;
    use super::*;

    fn record(costs: &mut Costs, kernel: u64, device: u64, ns: f64) {
        let (kernel, device) = (KernelKey(kernel), DeviceKey(device));
        costs.record(&Sample {
            kernel,
            device,
            work: Work {
                bytes: 1e6,
                ..Work::default()
            },
            ns,
            cold: false,
        });
        costs.took_part(kernel, &[device]);
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(128, 0x5eed))]

        #[test]
        fn nothing_that_several_processes_learn_at_once_is_lost(
            before in proptest::collection::vec((0_u64..3, 0_u64..3), 0..30),
            processes in proptest::collection::vec(
                proptest::collection::vec((0_u64..3, 0_u64..3), 0..40), 1..5),
        ) {
            let mut disk = Costs::default();
            for (kernel, device) in &before {
                record(&mut disk, *kernel, *device, 1e5);
            }
            disk.mark_kept();
            let started = disk.clone();
            let mut expected = std::collections::BTreeMap::new();
            for samples in std::iter::once(&before).chain(&processes) {
                for key in samples {
                    *expected.entry(*key).or_insert(0_u64) += 1;
                }
            }
            for samples in &processes {
                let mut own = started.clone();
                for (kernel, device) in samples {
                    record(&mut own, *kernel, *device, 2e5);
                }
                disk.absorb_news(&own);
                disk.mark_kept();
            }
            for ((kernel, device), count) in &expected {
                let found = disk.samples(KernelKey(*kernel), DeviceKey(*device));
                prop_assert_eq!(found, *count);
            }
            let launches: u64 = (0..3).map(|kernel| disk.launches(KernelKey(kernel))).sum();
            prop_assert_eq!(launches, expected.values().sum::<u64>());
        }
    }

    #[test]
    fn what_was_forgotten_on_disk_does_not_come_back() {
        let mut disk = Costs::default();
        record(&mut disk, 1, 1, 1e5);
        record(&mut disk, 2, 1, 1e5);
        disk.mark_kept();
        let mut process = disk.clone();
        disk.forget_kernel(KernelKey(1));
        record(&mut process, 2, 1, 1e5);
        disk.absorb_news(&process);
        assert_eq!(disk.samples(KernelKey(1), DeviceKey(1)), 0);
        assert_eq!(disk.samples(KernelKey(2), DeviceKey(1)), 2);
    }

    #[test]
    fn what_is_imported_is_all_added() {
        let mut theirs = Costs::default();
        theirs.set_limits(DeviceKey(1), DeviceLimits::GUESS);
        for _ in 0..20 {
            record(&mut theirs, 1, 1, 1e5);
        }
        let exported: Costs = theirs.to_text().parse().unwrap();
        let mut ours = Costs::default();
        record(&mut ours, 1, 1, 1e5);
        ours.absorb_news(&exported.into_news());
        assert_eq!(ours.samples(KernelKey(1), DeviceKey(1)), 21);
        assert_eq!(ours.launches(KernelKey(1)), 21);
        assert!(ours.limits(DeviceKey(1)).is_some());
    }

    #[test]
    fn samples_keep_their_meaning_when_a_device_is_measured_anew() {
        let (kernel, device) = (KernelKey(1), DeviceKey(1));
        let mut costs = Costs::default();
        costs.set_limits(device, DeviceLimits::GUESS);
        record(&mut costs, 1, 1, 3e5);
        let work = Work {
            bytes: 1e6,
            ..Work::default()
        };
        let before = costs.predict(kernel, device, work);
        costs.set_limits(
            device,
            DeviceLimits {
                bandwidth_bytes_per_s: 4e10,
                ..DeviceLimits::GUESS
            },
        );
        let after = costs.predict(kernel, device, work);
        assert!((after.ns - before.ns).abs() < 1.0, "{before} {after}");
        assert!(costs.has_news());
    }
}
