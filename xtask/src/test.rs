//! What has to pass before a change is good? Every step of `cargo xtask test`, in the order in which a mistake is cheapest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::command::{self, Failure, cargo};
use crate::drivers::{self, Drivers};
use crate::root;
use crate::steps::{Protocol, Verdict};

/// How much to test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What every change is tested with.
    Quick,
    /// That, and the long seeded sets.
    Long,
}

/// Runs every step and prints the protocol; a failed step does not keep the later ones from running.
pub(crate) fn run(extent: Extent) -> ExitCode {
    let root = root();
    let mut protocol = Protocol::default();
    protocol.take("software Vulkan", software_vulkan);
    let setting = Setting::new(&root, extent);

    protocol.take("format", || format(&root));
    protocol.take("toolchain", || toolchain(&root));
    protocol.take("lints", || {
        shown(cargo(
            &root,
            &[
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ))
    });
    protocol.take("lints without `gpu`", || {
        let without = ["--no-default-features", "--lib", "--", "-D", "warnings"];
        shown(cargo(
            &root,
            &[&["clippy", "--locked", "-p", "impel"][..], &without].concat(),
        ))
    });
    protocol.take("lints with `tracing`", || {
        let with = ["--features", "tracing", "--lib", "--test", "tracing"];
        let all = ["clippy", "--locked", "-p", "impel"];
        let deny = ["--", "-D", "warnings"];
        shown(cargo(&root, &[&all[..], &with, &deny].concat()))
    });
    protocol.take("lints of the rivals", || {
        shown(cargo(
            &rivals(&root),
            &[
                "clippy",
                "--locked",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ))
    });
    protocol.take("documentation", || {
        let mut doc = cargo(&root, &["doc", "--locked", "--workspace", "--no-deps"]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        shown(doc)
    });
    protocol.take("tests", || {
        setting.test(&[
            "--workspace",
            "--lib",
            "--bins",
            "--tests",
            "--no-fail-fast",
        ])
    });
    protocol.take("tests without `gpu`", || {
        setting.test(&[
            "-p",
            "impel",
            "--no-default-features",
            "--lib",
            "--no-fail-fast",
        ])
    });
    protocol.take("tests with `tracing`", || {
        setting.test(&[
            "-p",
            "impel",
            "--features",
            "tracing",
            "--test",
            "tracing",
            "--test",
            "trace",
        ])
    });
    protocol.take("models of threads", || setting.models());
    protocol.take("documentation tests", || {
        setting.test(&["--workspace", "--doc", "--no-fail-fast"])
    });
    protocol.take("tests on each device", || setting.devices());
    // The ledger has been read; one that was never written is no loss.
    let _ = fs::remove_file(&setting.ledger);
    protocol.take("examples", || {
        shown(cargo(
            &root,
            &["build", "--locked", "--workspace", "--examples"],
        ))
    });
    protocol.take("packages", || packages(&root, extent));

    println!("\n{protocol}");
    if protocol.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The folder of the rivals' workspace.
fn rivals(root: &Path) -> PathBuf {
    root.join("benches/rivals")
}

/// The folder of the models' workspace.
fn models(root: &Path) -> PathBuf {
    root.join("tests/loom")
}

/// Runs a command with its output shown.
fn shown(mut command: Command) -> Verdict {
    verdict(command::show(&mut command), String::new())
}

/// Passed with a remark, or failed with the reason.
fn verdict(result: Result<(), Failure>, remark: String) -> Verdict {
    match result {
        Ok(()) => Verdict::Passed(remark),
        Err(failure) => Verdict::Failed(failure.to_string()),
    }
}

/// Makes sure of two software GPUs, or says what is missing. In CI both have to be there.
fn software_vulkan() -> Verdict {
    if let Some(files) = drivers::given_files() {
        return Verdict::Passed(format!("VK_DRIVER_FILES is set: {files}"));
    }
    let mut drivers = Drivers::find();
    if !drivers.are_complete() && drivers::can_install() {
        if let Err(failure) = drivers::install(&drivers) {
            println!("{failure}");
        }
        drivers = Drivers::find();
    }
    match (drivers.are_complete(), in_ci()) {
        (true, _) => Verdict::Passed("lavapipe and SwiftShader".to_owned()),
        (false, true) => Verdict::Failed(drivers.missing()),
        (false, false) => Verdict::Skipped(drivers.missing()),
    }
}

/// Whether this is a run of continuous integration.
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// The format of all Rust sources.
fn format(root: &Path) -> Verdict {
    let impel = command::show(&mut cargo(root, &["fmt", "--all", "--check"]));
    let rivals = command::show(&mut cargo(&rivals(root), &["fmt", "--check"]));
    let models = command::show(&mut cargo(&models(root), &["fmt", "--check"]));
    verdict(impel.and(rivals).and(models), String::new())
}

/// Whether this toolchain is the oldest one promised, so that the other steps prove the promise.
fn toolchain(root: &Path) -> Verdict {
    let manifest = match fs::read_to_string(root.join("Cargo.toml")) {
        Ok(manifest) => manifest,
        Err(error) => return Verdict::Failed(format!("Cargo.toml: {error}")),
    };
    let Some(promised) = promised_version(&manifest) else {
        return Verdict::Failed("Cargo.toml states no rust-version".to_owned());
    };
    match command::capture(&mut command::program("rustc", root, &["--version"])) {
        Ok(version) if version.starts_with(&format!("rustc {promised}.")) => Verdict::Passed(
            format!("every step below runs on the oldest Rust promised, {promised}"),
        ),
        Ok(version) => Verdict::Skipped(format!(
            "{promised} is promised, this is {}",
            version.trim()
        )),
        Err(failure) => Verdict::Failed(failure.to_string()),
    }
}

/// The `rust-version` that a manifest states.
fn promised_version(manifest: &str) -> Option<&str> {
    let line = manifest
        .lines()
        .find(|line| line.starts_with("rust-version"))?;
    line.split('"').nth(1)
}

/// Whether every published crate can be packaged: its manifest is complete, the files it embeds are inside it, and its
/// siblings are declared by version. The crates need not be in the registry: cargo lets each see the others' packages. With
/// `Extent::Long` each package is also built from what was packed.
fn packages(root: &Path, extent: Extent) -> Verdict {
    let mut arguments = vec![
        "package",
        "--workspace",
        "--exclude",
        "xtask",
        "--allow-dirty",
        "--quiet",
    ];
    if extent == Extent::Quick {
        arguments.push("--no-verify");
    }
    shown(cargo(root, &arguments))
}

/// What the tests are run with.
#[derive(Debug)]
struct Setting {
    root: PathBuf,
    extent: Extent,
    /// The Vulkan drivers that the tests are to see.
    driver_files: Option<String>,
    /// The file to which tests of devices append what they ran.
    ledger: PathBuf,
}

impl Setting {
    /// The drivers of this machine, and an empty ledger.
    fn new(root: &Path, extent: Extent) -> Setting {
        let ledger =
            std::env::temp_dir().join(format!("impel-test-ledger-{}.tsv", std::process::id()));
        // A ledger that is not there is as good as one that was removed.
        let _ = fs::remove_file(&ledger);
        let driver_files = drivers::given_files().or_else(|| Drivers::find().files());
        Setting {
            root: root.to_owned(),
            extent,
            driver_files,
            ledger,
        }
    }

    /// Runs `cargo test` and counts the tests.
    fn test(&self, arguments: &[&str]) -> Verdict {
        let mut test = cargo(&self.root, &[&["test", "--locked"], arguments].concat());
        test.env("IMPEL_TEST_LEDGER", &self.ledger);
        // Every runtime checks in the end what it has done.
        test.env("IMPEL_VERIFY", "1");
        if let Some(files) = &self.driver_files {
            test.env("VK_DRIVER_FILES", files);
            // Mesa's layer that picks a device for a screen complains where there is none.
            test.env("NODEVICE_SELECT", "1");
        }
        if in_ci() {
            test.env("IMPEL_TEST_ADAPTERS_MIN", "2");
        }
        if self.extent == Extent::Long {
            test.env("IMPEL_TEST_LONG", "1");
        }
        let mut counts = Counts::default();
        let result = command::watch(&mut test, |line| {
            println!("{line}");
            counts.see(line);
        });
        verdict(result, counts.to_string())
    }

    /// Has loom try every order of events where threads meet, and find the mistakes that are put in.
    fn models(&self) -> Verdict {
        let mut test = cargo(&models(&self.root), &["test", "--locked"]);
        let mut counts = Counts::default();
        let result = command::watch(&mut test, |line| {
            println!("{line}");
            counts.see(line);
        });
        verdict(result, counts.to_string())
    }

    /// Counts what the tests of devices executed and skipped, by device.
    fn devices(&self) -> Verdict {
        let ledger = fs::read_to_string(&self.ledger).unwrap_or_default();
        let tally = tally(&ledger);
        for (device, executed, skipped) in &tally {
            println!("{device}: {executed} executed, {skipped} skipped");
        }
        for reason in ledger.lines().filter(|line| line.starts_with("skipped")) {
            println!("  {}", reason.replace('\t', "  "));
        }
        let executed: usize = tally.iter().map(|(_, executed, _)| executed).sum();
        let skipped: usize = tally.iter().map(|(_, _, skipped)| skipped).sum();
        let remark = format!(
            "{executed} executed, {skipped} skipped on {} devices",
            tally.len()
        );
        if ledger.is_empty() {
            Verdict::Skipped("no test of a device left a line in the ledger".to_owned())
        } else {
            Verdict::Passed(remark)
        }
    }
}

/// Lines of the ledger by device: name, executed, skipped. A line is `executed`, device, test, or `skipped`, device, test,
/// reason, with tabs between.
fn tally(ledger: &str) -> Vec<(String, usize, usize)> {
    let mut devices = std::collections::BTreeMap::<&str, (usize, usize)>::new();
    for line in ledger.lines() {
        let mut fields = line.split('\t');
        if let (Some(what), Some(device)) = (fields.next(), fields.next()) {
            let (executed, skipped) = devices.entry(device).or_default();
            *(if what == "skipped" { skipped } else { executed }) += 1;
        }
    }
    devices
        .into_iter()
        .map(|(device, (executed, skipped))| (device.to_owned(), executed, skipped))
        .collect()
}

/// How many tests ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Adds a line of libtest's, if it is a summary: `test result: ok. 2 passed; 0 failed; 1 ignored; …`.
    fn see(&mut self, line: &str) {
        let Some((_, summary)) = line.split_once("test result: ") else {
            return;
        };
        let count = |word: &str| {
            summary
                .split(['.', ';'])
                .find_map(|part| part.trim().strip_suffix(word)?.trim().parse::<usize>().ok())
                .unwrap_or(0)
        };
        self.passed += count(" passed");
        self.failed += count(" failed");
        self.ignored += count(" ignored");
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} tests passed, {} failed, {} ignored",
            self.passed, self.failed, self.ignored
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, promised_version, tally};

    #[test]
    fn summaries_of_libtest_are_added_up() {
        let mut counts = Counts::default();
        counts.see("test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 7 filtered out; finished in 1.25s");
        counts.see("test a_test ... ok");
        counts
            .see("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(
            counts,
            Counts {
                passed: 13,
                failed: 2,
                ignored: 3
            }
        );
    }

    #[test]
    fn the_promised_toolchain_is_read_from_the_manifest() {
        assert_eq!(
            promised_version("edition = \"2024\"\nrust-version = \"1.95\"\n"),
            Some("1.95")
        );
        assert_eq!(promised_version("edition = \"2024\"\n"), None);
    }

    #[test]
    fn the_ledger_is_counted_by_device() {
        let ledger =
            "executed\tcpu\tsaxpy\nexecuted\tllvmpipe\tsaxpy\nskipped\tllvmpipe\tsum\tno adapter\n";
        assert_eq!(
            tally(ledger),
            [("cpu".to_owned(), 1, 0), ("llvmpipe".to_owned(), 1, 1)]
        );
    }
}
