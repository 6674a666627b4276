//! On which machine, with which tools, on which day was this measured?

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::command;

/// What the operating system and the tools say about the machine.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// The processor's name.
    pub(crate) cpu: String,
    /// Cores that this process may use.
    pub(crate) cores: usize,
    /// Which of AVX-512, AVX2 and FMA the processor has.
    pub(crate) isa: Vec<&'static str>,
    /// Memory in MiB, where known.
    pub(crate) memory_mib: Option<u64>,
    /// Operating system and its version.
    pub(crate) system: String,
    /// The compiler's version.
    pub(crate) rustc: String,
    /// The commit that was measured, with `+` for changes not committed; empty outside a repository.
    pub(crate) commit: String,
    /// The day in UTC, as year-month-day.
    pub(crate) date: String,
}

impl Host {
    /// Asks the machine.
    pub(crate) fn describe(root: &Path) -> Host {
        let said = |name: &str, arguments: &[&str]| {
            let output = command::capture(&mut command::program(name, root, arguments));
            output
                .map(|text| text.trim().to_owned())
                .unwrap_or_default()
        };
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let changed = if said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty()
        {
            ""
        } else {
            "+"
        };
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Host {
            cpu: field(&cpu, "model name")
                .unwrap_or(std::env::consts::ARCH)
                .to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            isa: instruction_sets(),
            memory_mib: field(&memory, "MemTotal")
                .and_then(|total| total.split_whitespace().next()?.parse::<u64>().ok())
                .map(|kib| kib / 1024),
            system: said("uname", &["-sr"]),
            rustc: said("rustc", &["--version"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]) + changed,
            date: date(seconds / 86_400),
        }
    }

    /// The name of a folder of measurements: the day, the processor and the number of cores.
    pub(crate) fn folder_name(&self) -> String {
        format!("{}-{}-{}-cores", self.date, slug(&self.cpu), self.cores)
    }

    /// As JSON.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cores": self.cores,
            "isa": self.isa,
            "memory_mib": self.memory_mib,
            "system": self.system,
            "rustc": self.rustc,
            "commit": self.commit,
            "date": self.date,
        })
    }

    /// Whether the processor has AVX-512.
    pub(crate) fn has_avx512(&self) -> bool {
        self.isa.contains(&"avx512")
    }
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// The instruction sets that impel has code for, widest first.
fn instruction_sets() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let found = [
        ("avx512", is_x86_feature_detected!("avx512f")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let found: [(&str, bool); 0] = [];
    found
        .into_iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| name)
        .collect()
}

/// Lower-case words with hyphens between; trade marks and clock rates are left out.
fn slug(name: &str) -> String {
    let plain = name.replace("(R)", "").replace("(TM)", "").to_lowercase();
    let plain = plain.split('@').next().unwrap_or_default();
    plain
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// The date of a day counted from 1 January 1970, in the Gregorian calendar.
fn date(mut day: u64) -> String {
    let leap = |year: u64| {
        (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
    };
    let mut year = 1970;
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", day + 1)
}

#[cfg(test)]
mod tests {
    use super::{date, field, slug};

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(11_017), "2000-03-01");
        assert_eq!(date(20_818), "2026-12-31");
    }

    #[test]
    fn processors_become_folder_names() {
        assert_eq!(
            slug("Intel(R) Xeon(R) Processor @ 2.10GHz"),
            "intel-xeon-processor"
        );
        assert_eq!(
            slug("AMD Ryzen 9 7950X 16-Core"),
            "amd-ryzen-9-7950x-16-core"
        );
    }

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "model\t\t: 207\nmodel name\t: A CPU\n";
        assert_eq!(field(text, "model name"), Some("A CPU"));
        assert_eq!(field(text, "name"), None);
    }
}
