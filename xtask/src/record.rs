//! What did a contestant measure? The line of JSON that the programs `rivals` and `contest` print, and its statistics.
//!
//! Both programs are called as `PROGRAM KERNEL CONTESTANT --threads N --iterations N` and print one line:
//!
//! ```json
//! {"kernel":"saxpy","contestant":"rayon_plain","threads":2,"size":16777216,"checksum":1.4e7,"ns":[3612345,3598712]}
//! ```
//!
//! `checksum` stands for the result. Two fields may be there besides: `isa`, the instruction set that was used, and `work`
//! with `unit`, what one run moves or computes. `PROGRAM --list` prints a line `KERNEL CONTESTANT` for everything it can run.

use serde_json::Value;

/// The times of one contestant in one kernel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// The kernel's name.
    pub(crate) kernel: String,
    /// The contestant's name.
    pub(crate) contestant: String,
    /// Elements, bodies, or elements along one side.
    pub(crate) size: u64,
    /// Stands for the result.
    pub(crate) checksum: f64,
    /// The instruction set used, where it was said.
    pub(crate) isa: Option<String>,
    /// What one run moves or computes: an amount and its unit.
    pub(crate) work: Option<(f64, String)>,
    /// Time of each run in nanoseconds.
    pub(crate) ns: Vec<u64>,
}

impl Record {
    /// Reads the line that a contestant printed; says what is wrong with it otherwise.
    pub(crate) fn parse(line: &str) -> Result<Record, String> {
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("{error} in {line:?}"))?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let missing = |name: &str| format!("no `{name}` in {line:?}");
        let ns: Option<Vec<u64>> = value["ns"]
            .as_array()
            .and_then(|times| times.iter().map(Value::as_u64).collect());
        let ns = ns
            .filter(|ns| !ns.is_empty())
            .ok_or_else(|| missing("ns"))?;
        Ok(Record {
            kernel: text("kernel").ok_or_else(|| missing("kernel"))?,
            contestant: text("contestant").ok_or_else(|| missing("contestant"))?,
            size: value["size"].as_u64().ok_or_else(|| missing("size"))?,
            checksum: value["checksum"]
                .as_f64()
                .ok_or_else(|| missing("checksum"))?,
            isa: text("isa"),
            work: value["work"].as_f64().zip(text("unit")),
            ns,
        })
    }

    /// The time that a share of the runs stayed below: 0.5 for the median.
    pub(crate) fn quantile_ns(&self, share: f64) -> f64 {
        let mut sorted = self.ns.clone();
        sorted.sort_unstable();
        let place = share * (sorted.len() - 1) as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        let weight = place - place.floor();
        sorted[below] as f64 * (1.0 - weight) + sorted[above] as f64 * weight
    }

    /// The median time.
    pub(crate) fn median_ns(&self) -> f64 {
        self.quantile_ns(0.5)
    }
}

/// The records of several rounds as one for each contestant, in the order of their first.
pub(crate) fn pool(records: &[Record]) -> Vec<Record> {
    let mut pooled: Vec<Record> = Vec::new();
    for record in records {
        let same = |other: &&mut Record| {
            other.kernel == record.kernel && other.contestant == record.contestant
        };
        match pooled.iter_mut().find(same) {
            Some(known) => known.ns.extend(&record.ns),
            None => pooled.push(record.clone()),
        }
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::{Record, pool};

    const LINE: &str = r#"{"kernel":"sum","contestant":"impel_cpu","threads":2,"size":8,"checksum":4e0,"isa":"avx2","ns":[30,10,20]}"#;

    #[test]
    fn a_contestants_line_is_read() {
        let record = Record::parse(LINE).expect("a whole line");
        assert_eq!(
            (record.kernel.as_str(), record.contestant.as_str()),
            ("sum", "impel_cpu")
        );
        assert_eq!(
            (record.size, record.isa.as_deref(), record.work.clone()),
            (8, Some("avx2"), None)
        );
        assert!((record.checksum - 4.0).abs() < 1e-12 && (record.median_ns() - 20.0).abs() < 1e-12);
    }

    #[test]
    fn a_line_without_times_is_refused_with_the_reason() {
        let message = Record::parse(&LINE.replace("[30,10,20]", "[]")).expect_err("no times");
        assert!(message.contains("`ns`"), "{message}");
        assert!(Record::parse("thread 'main' panicked").is_err());
    }

    #[test]
    fn quantiles_lie_between_the_times_around_them() {
        let record =
            Record::parse(&LINE.replace("[30,10,20]", "[40,10,20,30]")).expect("a whole line");
        assert!((record.median_ns() - 25.0).abs() < 1e-12);
        assert!((record.quantile_ns(1.0) - 40.0).abs() < 1e-12);
        assert!((record.quantile_ns(0.25) - 17.5).abs() < 1e-12);
    }

    #[test]
    fn rounds_are_pooled_by_contestant() {
        let one = Record::parse(LINE).expect("a whole line");
        let other = Record {
            contestant: "rayon_plain".to_owned(),
            ..one.clone()
        };
        let pooled = pool(&[one.clone(), other, one]);
        assert_eq!(pooled.len(), 2);
        assert_eq!(pooled[0].ns, [30, 10, 20, 30, 10, 20]);
    }
}
