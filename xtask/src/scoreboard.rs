//! Who is how fast? The table of medians and ratios, beside what each kernel has to reach, as Markdown.

use std::fmt::Write as _;

use crate::record::Record;

/// A kernel of the table and what it has to reach.
#[derive(Clone, Copy, Debug)]
struct Row {
    kernel: &'static str,
    /// The size, as a reader would write it.
    size: &'static str,
    /// The rival that the goal speaks of.
    rival: &'static str,
    /// The rival in words.
    rival_is: &'static str,
    /// How many times as fast as the rival impel is to be.
    rival_goal: f64,
    /// How many times as fast as the same WGSL on lavapipe.
    lavapipe_goal: f64,
    /// What one run moves or computes, from the size and the checksum.
    work: fn(f64, f64) -> Work,
}

/// What a run moves or computes at least.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    /// Bytes between memory and cores.
    Bytes(f64),
    /// Floating-point operations.
    Flop(f64),
}

/// The table, in its order. The sum of mandelbrot's counts, its checksum, is the number of steps taken.
const ROWS: [Row; 10] = [
    row(
        "saxpy",
        "2^24",
        ("rayon_plain", "zip", 0.95),
        9.0,
        |n, _| Work::Bytes(12.0 * n),
    ),
    row(
        "nbody",
        "8192",
        ("rayon_plain", "two loops", 10.0),
        15.0,
        |n, _| Work::Flop(20.0 * n * n),
    ),
    row(
        "mandelbrot",
        "2048²",
        ("rayon_plain", "rows", 14.0),
        7.0,
        |_, steps| Work::Flop(8.0 * steps),
    ),
    row(
        "black_scholes",
        "2^22",
        ("rayon_plain", "zip", 5.0),
        6.0,
        |n, _| Work::Bytes(20.0 * n),
    ),
    row(
        "jacobi",
        "4096²",
        ("rayon_plain", "rows", 0.9),
        15.0,
        |n, _| Work::Bytes(8.0 * n * n),
    ),
    row(
        "matmul_tiled",
        "1024³",
        ("rayon_plain", "ikj over rows", 2.3),
        80.0,
        |n, _| Work::Flop(2.0 * n * n * n),
    ),
    row(
        "matmul_blocked",
        "1024³",
        ("rayon_plain", "ikj over rows", 4.0),
        80.0,
        |n, _| Work::Flop(2.0 * n * n * n),
    ),
    row(
        "sum",
        "2^24",
        ("rayon_plain", "par_iter().sum()", 2.2),
        13.0,
        |n, _| Work::Bytes(4.0 * n),
    ),
    row(
        "histogram",
        "2^24",
        ("rayon_plain", "shared atomics", 40.0),
        13.0,
        |n, _| Work::Bytes(4.0 * n),
    ),
    row(
        "histogram",
        "2^24",
        ("rayon_private", "private bins", 0.75),
        13.0,
        |n, _| Work::Bytes(4.0 * n),
    ),
];

/// A row of the table; the rival is its name, itself in words, and the goal.
const fn row(
    kernel: &'static str,
    size: &'static str,
    (rival, rival_is, rival_goal): (&'static str, &'static str, f64),
    lavapipe_goal: f64,
    work: fn(f64, f64) -> Work,
) -> Row {
    Row {
        kernel,
        size,
        rival,
        rival_is,
        rival_goal,
        lavapipe_goal,
        work,
    }
}

/// The contestant that the goals speak of.
const IMPEL: &str = "impel_cpu";

/// The kernels of the table, in its order.
pub(crate) fn kernels() -> Vec<&'static str> {
    let mut kernels: Vec<_> = ROWS.iter().map(|row| row.kernel).collect();
    kernels.dedup();
    kernels
}

/// The measured times of all contestants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scoreboard<'a> {
    records: &'a [Record],
}

impl<'a> Scoreboard<'a> {
    /// A board of pooled records.
    pub(crate) fn new(records: &'a [Record]) -> Scoreboard<'a> {
        Scoreboard { records }
    }

    /// The record of a contestant in a kernel.
    fn find(&self, kernel: &str, contestant: &str) -> Option<&'a Record> {
        self.records
            .iter()
            .find(|record| record.kernel == kernel && record.contestant == contestant)
    }

    /// Contestants whose result is not that of the first contestant in the same kernel, in words.
    ///
    /// Floats are added in another order by each, and a few points of mandelbrot lie on a border, so a thousandth is
    /// allowed.
    pub(crate) fn disagreements(&self) -> Vec<String> {
        let mut found = Vec::new();
        for kernel in kernels() {
            let mut of_kernel = self.records.iter().filter(|record| record.kernel == kernel);
            let Some(first) = of_kernel.next() else {
                continue;
            };
            for other in of_kernel.filter(|other| other.size == first.size) {
                let difference = (other.checksum - first.checksum).abs();
                if difference.is_nan() || difference > 1e-3 * first.checksum.abs() {
                    found.push(format!(
                        "{kernel}: {} has checksum {:e}, {} has {:e}",
                        first.contestant, first.checksum, other.contestant, other.checksum
                    ));
                }
            }
        }
        found
    }

    /// The table of kernels, in Markdown.
    pub(crate) fn table(&self) -> String {
        let isa = self
            .records
            .iter()
            .find(|record| record.contestant == IMPEL)
            .and_then(|record| record.isa.as_deref());
        let impel = isa.map_or("impel".to_owned(), |isa| format!("impel, {isa}"));
        let mut text = format!(
            "| kernel | size | {impel} | impel, avx2 | impel, scalar | rival | rival is | ratio (goal) | lavapipe | ratio (goal) | of the limit |\n\
             |---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        let measured = |row: &&Row| {
            self.records
                .iter()
                .any(|record| record.kernel == row.kernel)
        };
        for row in ROWS.iter().filter(measured) {
            let time = |contestant: &str| {
                self.find(row.kernel, contestant)
                    .map_or("–".to_owned(), time)
            };
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                row.kernel,
                row.size,
                time(IMPEL),
                time("impel_cpu_avx2"),
                time("impel_cpu_scalar"),
                time(row.rival),
                row.rival_is,
                self.ratio(row.kernel, row.rival, row.rival_goal),
                time("wgpu_lavapipe"),
                self.ratio(row.kernel, "wgpu_lavapipe", row.lavapipe_goal),
                self.share_of_limit(row),
            )
            .expect("a String takes everything");
        }
        text
    }

    /// What was measured besides the kernels: rates where the work is known, times otherwise, in Markdown.
    pub(crate) fn other_measurements(&self) -> String {
        let mut text =
            String::from("| measured | by | median | quartiles | rate |\n|---|---|---|---|---|\n");
        let kernels = kernels();
        for record in self
            .records
            .iter()
            .filter(|record| !kernels.contains(&record.kernel.as_str()))
        {
            let rate = record
                .work
                .as_ref()
                .map_or("–".to_owned(), |(amount, unit)| {
                    let unit = if unit == "bytes" { "B" } else { unit };
                    format!("{:.1} G{unit}/s", amount / record.median_ns())
                });
            writeln!(
                text,
                "| {} | {} | {} | {} – {} | {rate} |",
                record.kernel,
                record.contestant,
                span(record.median_ns()),
                span(record.quantile_ns(0.25)),
                span(record.quantile_ns(0.75)),
            )
            .expect("a String takes everything");
        }
        text
    }

    /// How many times as fast as the rival impel is, beside the goal.
    fn ratio(&self, kernel: &str, rival: &str, goal: f64) -> String {
        let (Some(own), Some(rival)) = (self.find(kernel, IMPEL), self.find(kernel, rival)) else {
            return format!("– ({goal})");
        };
        let ratio = rival.median_ns() / own.median_ns();
        let missed = if ratio < goal { ", missed" } else { "" };
        format!("**{ratio:.2}×** ({goal}{missed})")
    }

    /// The share of the machine's measured bandwidth or rate that impel reaches.
    fn share_of_limit(&self, row: &Row) -> String {
        let Some(own) = self.find(row.kernel, IMPEL) else {
            return "–".to_owned();
        };
        let (work, limit, unit) = match (row.work)(own.size as f64, own.checksum) {
            Work::Bytes(bytes) => (bytes, self.best_rate("memory"), "memory"),
            Work::Flop(operations) => (operations, self.best_rate("fma"), "FMA"),
        };
        limit.map_or("–".to_owned(), |limit| {
            format!("{:.0} % {unit}", 100.0 * work / own.median_ns() / limit)
        })
    }

    /// The best rate among the contestants of a measurement of the machine, a nanosecond.
    fn best_rate(&self, measurement: &str) -> Option<f64> {
        let of_measurement = self
            .records
            .iter()
            .filter(|record| record.kernel == measurement);
        of_measurement
            .filter_map(|record| Some(record.work.as_ref()?.0 / record.median_ns()))
            .max_by(f64::total_cmp)
    }
}

/// Median and quartiles in milliseconds.
fn time(record: &Record) -> String {
    let ms = |share| record.quantile_ns(share) / 1e6;
    format!("{:.2} ms ({:.2}–{:.2})", ms(0.5), ms(0.25), ms(0.75))
}

/// A time in a unit that suits it.
fn span(ns: f64) -> String {
    match ns {
        _ if ns < 1e3 => format!("{ns:.0} ns"),
        _ if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        _ if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::{Scoreboard, kernels, span};
    use crate::record::Record;

    fn record(kernel: &str, contestant: &str, checksum: f64, ns: u64) -> Record {
        Record {
            kernel: kernel.to_owned(),
            contestant: contestant.to_owned(),
            size: 1000,
            checksum,
            isa: None,
            work: None,
            ns: vec![ns],
        }
    }

    #[test]
    fn ratios_stand_beside_their_goals() {
        let records = [
            record("sum", "impel_cpu", 1.0, 1_000_000),
            record("sum", "rayon_plain", 1.0, 3_000_000),
            record("sum", "wgpu_lavapipe", 1.0, 5_000_000),
            record("jacobi", "rayon_plain", 1.0, 5_000_000),
        ];
        let table = Scoreboard::new(&records).table();
        let line = table
            .lines()
            .find(|line| line.starts_with("| sum"))
            .expect("a row of sum");
        assert!(
            line.contains("**3.00×** (2.2)") && line.contains("**5.00×** (13, missed)"),
            "{line}"
        );
        let line = table
            .lines()
            .find(|line| line.starts_with("| jacobi"))
            .expect("a row of jacobi");
        assert!(line.contains("– (0.9)"), "{line}");
        assert!(
            !table.contains("saxpy"),
            "nothing of saxpy was measured: {table}"
        );
    }

    #[test]
    fn the_share_of_the_limit_is_of_the_best_measured_rate() {
        let rate = |contestant: &str, amount| Record {
            work: Some((amount, "bytes".to_owned())),
            ..record("memory", contestant, 0.0, 100)
        };
        // 4000 bytes in 200 ns, where 40 bytes a nanosecond are possible: a half.
        let records = [
            record("sum", "impel_cpu", 1.0, 200),
            rate("triad", 2000.0),
            rate("saxpy", 4000.0),
        ];
        let board = Scoreboard::new(&records);
        assert!(board.table().contains("50 % memory"), "{}", board.table());
        assert!(
            board
                .other_measurements()
                .contains("| memory | saxpy | 100 ns |"),
            "{}",
            board.other_measurements()
        );
        assert!(
            board.other_measurements().contains("40.0 GB/s"),
            "{}",
            board.other_measurements()
        );
    }

    #[test]
    fn results_that_differ_are_named() {
        let records = [
            record("sum", "rayon_plain", 1000.0, 1),
            record("sum", "impel_cpu", 1000.5, 1),
            record("sum", "impel_cpu_avx2", 1002.0, 1),
            record("sum", "impel_cpu_scalar", f64::NAN, 1),
        ];
        let found = Scoreboard::new(&records).disagreements();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("impel_cpu_avx2") && found[1].contains("impel_cpu_scalar"));
    }

    #[test]
    fn every_kernel_is_listed_once_and_times_have_units() {
        assert_eq!(kernels().len(), 9);
        assert_eq!(
            [span(950.0), span(2500.0), span(2.5e9)],
            ["950 ns", "2.50 µs", "2.50 s"]
        );
    }
}
