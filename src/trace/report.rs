//! What happened? Launches, times and bytes moved, added up for people.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::watch::Running;
use crate::machine::{DeviceId, MemoryId};
use crate::region::{SpanSet, WORD_BYTES};
use crate::transfer::Reason;

/// What a runtime has done so far; see [`Runtime::report`](crate::Runtime::report).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    kernels: BTreeMap<(&'static str, DeviceId), Runs>,
    moved: BTreeMap<(MemoryId, MemoryId), Moved>,
    failures: Vec<(DeviceId, String)>,
    replayed: u64,
    names: Vec<String>,
    joules: Vec<(DeviceId, f64)>,
    reasons: BTreeMap<Reason, u64>,
    elapsed_ns: u64,
    running: Vec<Running>,
}

/// Parts of one kernel that one device ran.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Runs {
    /// Number of parts.
    pub parts: u64,
    /// Workgroups of all parts.
    pub workgroups: u64,
    /// Measured time of the parts whose time is known, in ns.
    pub measured_ns: u64,
    /// Time predicted for the same parts, in ns.
    pub predicted_ns: f64,
    /// Parts whose time is known.
    pub timed: u64,
}

/// Copies in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Number of copies.
    pub copies: u64,
    /// Words of 32 bits, gaps included.
    pub words: u64,
    /// Words among them that nobody asked for: they lie between others, and further copies would have cost more.
    pub gap_words: u64,
}

impl Report {
    /// An empty report that knows the devices' names, the CPU's first.
    pub(crate) fn of_devices(names: Vec<String>) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    pub(crate) fn add_part(
        &mut self,
        kernel: &'static str,
        device: DeviceId,
        workgroups: u64,
        predicted_ns: f64,
        ns: Option<u64>,
    ) {
        let runs = self.kernels.entry((kernel, device)).or_default();
        runs.parts += 1;
        runs.workgroups += workgroups;
        if let Some(ns) = ns {
            runs.timed += 1;
            runs.measured_ns += ns;
            runs.predicted_ns += predicted_ns;
        }
    }

    pub(crate) fn add_copies(&mut self, from: MemoryId, to: MemoryId, spans: &SpanSet) {
        let moved = self.moved.entry((from, to)).or_default();
        moved.copies += spans.spans().len() as u64;
        moved.words += spans.words();
    }

    pub(crate) fn add_reason(&mut self, reason: Reason, words: u64) {
        *self.reasons.entry(reason).or_default() += words;
    }

    pub(crate) fn set_now(&mut self, elapsed_ns: u64, running: Vec<Running>) {
        self.elapsed_ns = elapsed_ns;
        self.running = running;
    }

    /// Bytes moved for a reason.
    pub fn bytes_for(&self, reason: Reason) -> u64 {
        self.reasons.get(&reason).copied().unwrap_or_default() * WORD_BYTES
    }

    /// The fraction of the time since the runtime was built that a device spent in parts whose time is known.
    pub fn utilisation(&self, device: DeviceId) -> f64 {
        let own = self.kernels.iter().filter(|((_, on), _)| *on == device);
        let busy_ns: u64 = own.map(|(_, runs)| runs.measured_ns).sum();
        busy_ns as f64 / self.elapsed_ns.max(1) as f64
    }

    /// The parts that devices were at, the oldest first.
    pub fn running(&self) -> &[Running] {
        &self.running
    }

    /// Words that were copied although nobody asked for them.
    pub(crate) fn add_gaps(&mut self, from: MemoryId, to: MemoryId, words: u64) {
        self.moved.entry((from, to)).or_default().gap_words += words;
    }

    pub(crate) fn add_failure(&mut self, device: DeviceId, cause: String) {
        self.failures.push((device, cause));
    }

    pub(crate) fn add_replay(&mut self, launches: u64) {
        self.replayed += launches;
    }

    /// Launches that were repeated to make words again that were lost with a GPU.
    pub fn replayed(&self) -> u64 {
        self.replayed
    }

    /// Failures of GPUs so far, oldest first: which, and what it said. What they failed to do was done elsewhere, or is the
    /// error of the launch.
    pub fn failures(&self) -> &[(DeviceId, String)] {
        &self.failures
    }

    pub(crate) fn set_joules(&mut self, joules: Vec<(DeviceId, f64)>) {
        self.joules = joules;
    }

    /// Energy that a device has drawn since the runtime was made, in joules, whoever used it; nothing where no counter can be read.
    pub fn joules(&self, device: DeviceId) -> Option<f64> {
        let mut all = self.joules.iter();
        all.find(|(own, _)| *own == device)
            .map(|(_, joules)| *joules)
    }

    /// Parts of `kernel` on `device`.
    pub fn runs(&self, kernel: &str, device: DeviceId) -> Runs {
        let mut all = self.kernels.iter();
        all.find(|((name, on), _)| *name == kernel && *on == device)
            .map(|(_, runs)| *runs)
            .unwrap_or_default()
    }

    /// Copies from one memory to another.
    pub fn moved(&self, from: MemoryId, to: MemoryId) -> Moved {
        self.moved.get(&(from, to)).copied().unwrap_or_default()
    }

    /// Bytes moved between memories, in all directions.
    pub fn moved_bytes(&self) -> u64 {
        self.moved.values().map(|moved| moved.words * 4).sum()
    }

    fn name(&self, number: u8) -> &str {
        self.names
            .get(usize::from(number))
            .map_or("a device", String::as_str)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16} {:<24} {:>7} {:>11} {:>8} {:>8}",
            "kernel", "device", "parts", "workgroups", "ms", "forecast"
        )?;
        for ((kernel, device), runs) in &self.kernels {
            write!(
                f,
                "{:<16} {:<24} {:>7} {:>11}",
                kernel,
                fitted(self.name(device.0), 24),
                runs.parts,
                runs.workgroups
            )?;
            if runs.timed == 0 {
                writeln!(f, " {:>8} {:>8}", "-", "-")?;
            } else {
                writeln!(
                    f,
                    " {:>8.2} {:>8.2}",
                    runs.measured_ns as f64 / 1e6,
                    runs.predicted_ns / 1e6
                )?;
            }
        }
        self.show_use(f)?;
        for (device, joules) in &self.joules {
            writeln!(f, "{joules:.3} J drawn by {}", self.name(device.0))?;
        }
        self.show_failures(f)?;
        if self.replayed > 0 {
            writeln!(
                f,
                "{} launches were repeated for what was lost",
                self.replayed
            )?;
        }
        if self.moved.is_empty() {
            return write!(f, "no bytes moved between memories");
        }
        let mut lines = self.moved.iter().peekable();
        while let Some(((from, to), moved)) = lines.next() {
            let megabytes = moved.words as f64 * 4.0 / 1e6;
            write!(
                f,
                "{megabytes:.3} MB in {} copies from {} to {}",
                moved.copies,
                self.memory(*from),
                self.memory(*to)
            )?;
            if lines.peek().is_some() {
                writeln!(f)?;
            }
        }
        for (reason, words) in &self.reasons {
            let megabytes = (words * WORD_BYTES) as f64 / 1e6;
            write!(f, "\n{megabytes:.3} MB of that for {reason}")?;
        }
        let gap_words: u64 = self.moved.values().map(|moved| moved.gap_words).sum();
        if gap_words > 0 {
            let megabytes = (gap_words * WORD_BYTES) as f64 / 1e6;
            write!(
                f,
                "\n{megabytes:.3} MB of that in gaps between merged copies"
            )?;
        }
        Ok(())
    }
}

impl Report {
    /// How much of its time each device was busy, and who takes many times as long as predicted.
    fn show_use(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed_ns as f64 / 1e9;
        let devices: BTreeSet<DeviceId> = self.kernels.keys().map(|(_, device)| *device).collect();
        for device in devices {
            let percent = 100.0 * self.utilisation(device);
            let name = fitted(self.name(device.0), 44);
            writeln!(f, "{name} busy {percent:.1} % of {seconds:.3} s")?;
        }
        for running in self.running.iter().filter(|running| running.is_overdue()) {
            writeln!(f, "{running}")?;
        }
        Ok(())
    }

    /// What failed, and how often if it was the same again.
    fn show_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for same in self.failures.chunk_by(|a, b| a == b) {
            let (device, cause) = &same[0];
            let name = self.name(device.0);
            // Most causes begin with the device.
            let cause = cause
                .strip_prefix(name)
                .and_then(|cause| cause.strip_prefix(": "))
                .unwrap_or(cause);
            write!(f, "{name} failed: {cause}")?;
            match same.len() {
                1 => writeln!(f)?,
                times => writeln!(f, " ({times} times)")?,
            }
        }
        Ok(())
    }

    fn memory(&self, memory: MemoryId) -> String {
        if memory == MemoryId::HOST {
            "main memory".to_owned()
        } else {
            self.name(memory.0).to_owned()
        }
    }
}

/// A name in a column of this width, with a mark where its end is missing.
fn fitted(name: &str, width: usize) -> Cow<'_, str> {
    if name.chars().count() <= width {
        return Cow::Borrowed(name);
    }
    let start: String = name.chars().take(width - 1).collect();
    Cow::Owned(format!("{}…", start.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::Span;

    #[test]
    fn parts_and_copies_add_up() {
        let mut report = Report::of_devices(vec!["CPU".to_owned(), "GPU".to_owned()]);
        report.add_part("saxpy", DeviceId::CPU, 3, 900_000.0, Some(1_000_000));
        report.add_part("saxpy", DeviceId::CPU, 4, 900_000.0, None);
        let spans: SpanSet = [
            Span { lo: 0, hi: 250_000 },
            Span {
                lo: 300_000,
                hi: 550_000,
            },
        ]
        .into_iter()
        .collect();
        report.add_copies(MemoryId::HOST, MemoryId(1), &spans);
        report.add_reason(Reason::Halo, spans.words());
        report.set_now(4_000_000, Vec::new());
        for cause in ["GPU: lost", "GPU: lost", "no room"] {
            report.add_failure(DeviceId(1), cause.to_owned());
        }
        assert_eq!(report.bytes_for(Reason::Halo), 2_000_000);
        assert_eq!(report.utilisation(DeviceId::CPU), 0.25);
        let runs = report.runs("saxpy", DeviceId::CPU);
        assert_eq!(
            (runs.parts, runs.workgroups, runs.timed, runs.measured_ns),
            (2, 7, 1, 1_000_000)
        );
        assert_eq!(report.moved_bytes(), 2_000_000);
        let text = report.to_string();
        assert!(
            text.contains("2.000 MB in 2 copies from main memory to GPU"),
            "{text}"
        );
        assert!(text.contains("CPU busy 25.0 % of 0.004 s"), "{text}");
        let failures = "GPU failed: lost (2 times)\nGPU failed: no room\n";
        assert!(text.contains(failures), "{text}");
        assert!(text.ends_with("\n2.000 MB of that for halo"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
