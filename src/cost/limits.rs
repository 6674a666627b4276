//! What can a device do at best, and how long would a given amount of work take it then?

use std::fmt;

use thiserror::Error;

use super::work::Work;

/// One direction between host memory and a device's memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Time of an empty copy, in ns.
    pub latency_ns: f64,
    /// Rate of a long copy.
    pub bytes_per_s: f64,
}

impl Link {
    /// No distance at all: the CPU and host memory.
    pub const NONE: Self = Self {
        latency_ns: 0.0,
        bytes_per_s: f64::INFINITY,
    };

    /// Time of one copy of `bytes`, in ns; no copy takes no time.
    pub fn copy_ns(&self, bytes: f64) -> f64 {
        if bytes == 0.0 {
            0.0
        } else {
            self.latency_ns + bytes * self.ns_per_byte()
        }
    }

    /// Time of a further byte in a long copy, in ns.
    pub fn ns_per_byte(&self) -> f64 {
        1e9 / self.bytes_per_s
    }

    /// The gap, in bytes, whose copying costs no more than starting another copy.
    pub fn gap_bytes(&self) -> f64 {
        self.latency_ns / 1e9 * self.bytes_per_s
    }

    /// Refuses what no hardware does, so that a botched measurement is repeated and not believed.
    ///
    /// # Errors
    /// If the latency is not positive or above a second, or the rate outside 1 MB/s to 10 TB/s.
    pub fn check(&self) -> Result<(), LimitError> {
        within("link latency", self.latency_ns, 1.0, 1e9, "ns")?;
        within("link rate", self.bytes_per_s, 1e6, 1e13, "B/s")
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("no copy needed");
        }
        let (us, gb) = (self.latency_ns / 1e3, self.bytes_per_s / 1e9);
        write!(f, "{us:.1} µs + {gb:.1} GB/s")
    }
}

/// What a device does at best, measured once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceLimits {
    /// Memory bandwidth, reads and writes together, in bytes per second.
    pub bandwidth_bytes_per_s: f64,
    /// Bytes that stay in fast caches from one launch to the next; 0 where there are none, or nobody knows.
    pub near_bytes: f64,
    /// Bandwidth for launches that touch no more than that, in bytes per second; of no meaning where that is nothing.
    pub near_bytes_per_s: f64,
    /// 32-bit operations per second.
    pub ops_per_s: f64,
    /// Operations per second that take many steps (see [`Work::special_ops`]).
    pub special_ops_per_s: f64,
    /// Time of an empty launch, from asking to knowing that it is done, in ns.
    pub launch_ns: f64,
    /// Copies into the device's memory.
    pub up: Link,
    /// Copies out of it.
    pub down: Link,
}

impl DeviceLimits {
    /// A guess for a device that nobody has measured: two ordinary cores.
    pub const GUESS: Self = Self {
        bandwidth_bytes_per_s: 1e10,
        near_bytes: 0.0,
        near_bytes_per_s: 1e10,
        ops_per_s: 5e10,
        special_ops_per_s: 5e9,
        launch_ns: 1e4,
        up: Link::NONE,
        down: Link::NONE,
    };

    /// Shortest time in which the device could do `work`, without the launch itself, in ns.
    ///
    /// Memory and arithmetic overlap; ordinary and special operations share the arithmetic units.
    pub fn work_ns(&self, work: Work) -> f64 {
        self.memory_s(self.moved_bytes(work))
            .max(self.arithmetic_s(work))
            * 1e9
    }

    /// The same where nothing is in the caches yet, as when a kernel runs for the first time.
    pub fn first_work_ns(&self, work: Work) -> f64 {
        let far = self.moved_bytes(work) / self.bandwidth_bytes_per_s;
        far.max(self.arithmetic_s(work)) * 1e9
    }

    /// Bytes that move between the device and its memory for `work`. A CPU's caches fetch a line before they write to it, unless it is
    /// there already; GPUs write past theirs. The CPU is the device without a link to its memory.
    pub fn moved_bytes(&self, work: Work) -> f64 {
        let fetches = self.up == Link::NONE;
        work.bytes + if fetches { work.fresh_bytes } else { 0.0 }
    }

    fn arithmetic_s(&self, work: Work) -> f64 {
        work.ops / self.ops_per_s + work.special_ops / self.special_ops_per_s
    }

    /// Shortest time in which it could move so many bytes, in seconds. Beyond what the caches hold, less and less is found there.
    fn memory_s(&self, bytes: f64) -> f64 {
        let far = bytes / self.bandwidth_bytes_per_s;
        if bytes >= 2.0 * self.near_bytes {
            return far;
        }
        let near = bytes / self.near_bytes_per_s;
        near + (bytes / self.near_bytes - 1.0).clamp(0.0, 1.0) * (far - near)
    }

    /// Refuses what no hardware does, so that a botched measurement is repeated and not believed.
    ///
    /// # Errors
    /// Names the first limit that is not believable.
    pub fn check(&self) -> Result<(), LimitError> {
        within("bandwidth", self.bandwidth_bytes_per_s, 1e7, 1e14, "B/s")?;
        within("cache size", self.near_bytes, 0.0, 1e12, "B")?;
        if self.near_bytes > 0.0 {
            let (near, far) = (self.near_bytes_per_s, self.bandwidth_bytes_per_s);
            within("cache bandwidth", near, far, 1e16, "B/s")?;
        }
        within("arithmetic rate", self.ops_per_s, 1e7, 1e16, "op/s")?;
        within(
            "special arithmetic rate",
            self.special_ops_per_s,
            1e6,
            1e16,
            "op/s",
        )?;
        within("launch time", self.launch_ns, 1.0, 1e10, "ns")?;
        for link in [&self.up, &self.down] {
            if *link != Link::NONE {
                link.check()?;
            }
        }
        Ok(())
    }
}

impl DeviceLimits {
    /// What it does by itself, for people.
    pub(super) fn shown_rates(&self) -> String {
        format!(
            "{:.1} GB/s, {:.1} Gop/s, {:.1} special Gop/s, launch {:.1} µs",
            self.bandwidth_bytes_per_s / 1e9,
            self.ops_per_s / 1e9,
            self.special_ops_per_s / 1e9,
            self.launch_ns / 1e3,
        )
    }

    /// How it is reached, for people; nothing if it needs no copies.
    pub(super) fn shown_links(&self) -> Option<String> {
        let apart = (self.up, self.down) != (Link::NONE, Link::NONE);
        apart.then(|| format!("up {}, down {}", self.up, self.down))
    }
}

impl fmt::Display for DeviceLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown_rates())?;
        let links = self.shown_links();
        links.map_or(Ok(()), |links| write!(f, ", {links}"))
    }
}

/// A measured limit that cannot be.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("a {what} of {value:e} {unit} is not believable: measure again")]
pub struct LimitError {
    what: &'static str,
    value: f64,
    unit: &'static str,
}

pub(super) fn within(
    what: &'static str,
    value: f64,
    min: f64,
    max: f64,
    unit: &'static str,
) -> Result<(), LimitError> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(LimitError { what, value, unit })
    }
}

/// Measures until the outcome can be believed, `tries` times at most; the last outcome if none can.
///
/// # Errors
/// Those of `measure`.
pub fn until_believable<E>(
    tries: u32,
    mut measure: impl FnMut() -> Result<DeviceLimits, E>,
) -> Result<DeviceLimits, E> {
    let mut limits = measure()?;
    for _ in 1..tries {
        if limits.check().is_ok() {
            break;
        }
        limits = measure()?;
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_memory_and_arithmetic_decides() {
        let limits = DeviceLimits {
            bandwidth_bytes_per_s: 1e9,
            near_bytes: 500.0,
            near_bytes_per_s: 1e10,
            ops_per_s: 2e9,
            special_ops_per_s: 1e8,
            ..DeviceLimits::GUESS
        };
        let memory_bound = Work {
            bytes: 1000.0,
            ops: 100.0,
            ..Work::default()
        };
        assert!((limits.work_ns(memory_bound) - 1000.0).abs() < 1e-9);
        let writing = Work {
            fresh_bytes: 500.0,
            ..memory_bound
        };
        assert!((limits.work_ns(writing) - 1500.0).abs() < 1e-9);
        let link = Link {
            latency_ns: 1e3,
            bytes_per_s: 1e10,
        };
        let gpu = DeviceLimits { up: link, ..limits };
        assert!((gpu.work_ns(writing) - 1000.0).abs() < 1e-9);
        let in_caches = Work {
            bytes: 500.0,
            ..Work::default()
        };
        assert!((limits.work_ns(in_caches) - 50.0).abs() < 1e-9);
        assert!((limits.first_work_ns(in_caches) - 500.0).abs() < 1e-9);
        let mut last_ns = 0.0;
        for bytes in (0..3000).map(f64::from) {
            let ns = limits.work_ns(Work {
                bytes,
                ..Work::default()
            });
            assert!(ns >= last_ns, "more bytes never take less time");
            last_ns = ns;
        }
        let compute_bound = Work {
            bytes: 10.0,
            fresh_bytes: 0.0,
            ops: 100.0,
            special_ops: 10.0,
        };
        assert!((limits.work_ns(compute_bound) - 150.0).abs() < 1e-9);
    }

    #[test]
    fn links_without_latency_or_with_absurd_rates_are_refused() {
        let good = Link {
            latency_ns: 8000.0,
            bytes_per_s: 1.2e10,
        };
        assert!(good.check().is_ok());
        for bad in [
            Link {
                latency_ns: 0.0,
                ..good
            },
            Link {
                bytes_per_s: 1e15,
                ..good
            },
            Link {
                bytes_per_s: f64::NAN,
                ..good
            },
        ] {
            let limits = DeviceLimits {
                up: bad,
                ..DeviceLimits::GUESS
            };
            let message = limits.check().unwrap_err().to_string();
            assert!(
                message.ends_with("is not believable: measure again"),
                "{message}"
            );
        }
        assert!(DeviceLimits::GUESS.check().is_ok());
    }

    #[test]
    fn what_cannot_be_believed_is_measured_anew() {
        let link = |latency_ns| Link {
            latency_ns,
            bytes_per_s: 1e10,
        };
        let measured = |latencies: &[f64]| {
            let mut left = latencies.iter();
            let limits = until_believable(3, || {
                let latency_ns = *left.next().ok_or("a fourth time")?;
                Ok::<_, &str>(DeviceLimits {
                    up: link(latency_ns),
                    ..DeviceLimits::GUESS
                })
            });
            (limits.map(|limits| limits.up.latency_ns), left.len())
        };
        assert_eq!(measured(&[0.0, 5e3, 6e3]), (Ok(5e3), 1));
        assert_eq!(measured(&[5e3, 0.0, 0.0]), (Ok(5e3), 2));
        assert_eq!(measured(&[0.0, 0.0, 0.0]), (Ok(0.0), 0));
    }

    #[test]
    fn no_copy_takes_no_time() {
        let link = Link {
            latency_ns: 100.0,
            bytes_per_s: 1e9,
        };
        assert!(link.copy_ns(0.0).abs() < 1e-12);
        assert!((link.copy_ns(50.0) - 150.0).abs() < 1e-9);
        assert!((link.gap_bytes() - 100.0).abs() < 1e-9);
    }
}
