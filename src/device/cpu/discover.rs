//! What is this processor, and how much of it may this process use? Read from Linux's files; elsewhere from what std knows.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use crate::lanes::Level;
use crate::machine::{Caches, Cpu, CpuLimits, decide_threads};

/// Describes the CPU of this machine.
pub(crate) fn discover() -> Cpu {
    describe(Path::new("/"))
}

/// Describes the CPU whose system files lie below `root`.
fn describe(root: &Path) -> Cpu {
    let limits = limits(root).unwrap_or_else(fallback);
    let (threads, decision) = decide_threads(&limits);
    Cpu {
        model: model(root),
        physical_cores: limits.physical,
        logical_cores: limits.allowed,
        threads,
        decision,
        level: Level::detect(),
        caches: caches(&root.join("sys/devices/system/cpu/cpu0/cache")),
        numa_nodes: numa_nodes(&root.join("sys/devices/system/node")),
    }
}

/// Where the system has no such files: the standard library counts hardware threads, minding affinity and quotas where it can.
fn fallback() -> CpuLimits {
    let threads = available_parallelism().map_or(1, NonZero::get);
    CpuLimits {
        online: threads,
        allowed: threads,
        physical: threads,
        quota: None,
    }
}

fn limits(root: &Path) -> Option<CpuLimits> {
    let online = list(&fs::read_to_string(root.join("sys/devices/system/cpu/online")).ok()?);
    let status = fs::read_to_string(root.join("proc/self/status")).ok()?;
    let affinity = field(&status, "Cpus_allowed_list").map_or_else(|| online.clone(), list);
    let allowed: BTreeSet<u32> = online.intersection(&affinity).copied().collect();
    let physical = physical_cores(&root.join("sys/devices/system/cpu"), &allowed);
    Some(CpuLimits {
        online: online.len(),
        allowed: allowed.len(),
        physical,
        quota: quota(root),
    })
}

/// The value behind `name:` in a file of such lines.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// The numbers in a list such as `0-3,8`.
fn list(text: &str) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            numbers.extend(first..=last);
        }
    }
    numbers
}

/// Hardware threads that share a core list the same siblings.
fn physical_cores(cpus: &Path, allowed: &BTreeSet<u32>) -> usize {
    let siblings = |cpu: &u32| {
        fs::read_to_string(cpus.join(format!("cpu{cpu}/topology/thread_siblings_list")))
    };
    let cores: Result<BTreeSet<String>, _> = allowed.iter().map(siblings).collect();
    cores.map_or(allowed.len(), |cores| cores.len())
}

/// CPUs' worth of time that control groups grant this process: the least of its own group's and those above.
fn quota(root: &Path) -> Option<f64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mut least: Option<f64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let mount = root.join("sys/fs/cgroup");
        let (base, read): (PathBuf, fn(&Path) -> Option<f64>) = if controllers.is_empty() {
            (mount, quota_v2)
        } else if controllers.split(',').any(|name| name == "cpu") {
            (
                first_existing(&[mount.join(controllers), mount.join("cpu")]),
                quota_v1,
            )
        } else {
            continue;
        };
        let group = base.join(path.trim_start_matches('/'));
        // Inside a container the path may be the host's: then only the mount itself is there.
        for folder in group
            .ancestors()
            .take_while(|folder| folder.starts_with(&base))
        {
            least = match (least, read(folder)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    least
}

fn first_existing(candidates: &[PathBuf]) -> PathBuf {
    candidates
        .iter()
        .find(|path| path.exists())
        .unwrap_or(&candidates[0])
        .clone()
}

/// Version 2: `cpu.max` holds `quota period` or `max period`.
fn quota_v2(folder: &Path) -> Option<f64> {
    let text = fs::read_to_string(folder.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    ratio(quota, period)
}

/// Version 1: two files, and -1 for no limit.
fn quota_v1(folder: &Path) -> Option<f64> {
    let read = |name| fs::read_to_string(folder.join(name));
    ratio(
        &read("cpu.cfs_quota_us").ok()?,
        &read("cpu.cfs_period_us").ok()?,
    )
}

fn ratio(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (
        quota.trim().parse::<f64>().ok()?,
        period.trim().parse::<f64>().ok()?,
    );
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

/// The processor's name for itself; where it has none, its architecture.
fn model(root: &Path) -> String {
    let info = fs::read_to_string(root.join("proc/cpuinfo")).unwrap_or_default();
    let named = ["model name", "Model", "cpu model", "cpu"]
        .into_iter()
        .find_map(|name| field(&info, name));
    match named {
        Some(name) if !name.is_empty() => name.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => format!("{} processor", std::env::consts::ARCH),
    }
}

fn caches(folder: &Path) -> Caches {
    let mut caches = Caches::default();
    for index in 0..8 {
        let folder = folder.join(format!("index{index}"));
        let read = |name| fs::read_to_string(folder.join(name)).ok();
        let (Some(level), Some(kind), Some(size)) = (read("level"), read("type"), read("size"))
        else {
            continue;
        };
        let size = cache_bytes(size.trim());
        match (level.trim(), kind.trim()) {
            ("1", "Data" | "Unified") => caches.l1d_bytes = size,
            ("2", "Data" | "Unified") => caches.l2_bytes = size,
            ("3", "Data" | "Unified") => caches.l3_bytes = size,
            _ => {}
        }
    }
    caches
}

/// A size such as `48K` or `2M`.
fn cache_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

/// Nodes that have memory; 1 where the system does not say.
fn numa_nodes(folder: &Path) -> usize {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    read("has_memory")
        .or_else(|| read("online"))
        .map_or(1, |text| list(&text).len().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up system's files, removed at the end.
    struct System(PathBuf);

    impl System {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root =
                std::env::temp_dir().join(format!("impel-discover-{name}-{}", std::process::id()));
            for (path, content) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().expect("a file has a folder"))
                    .expect("a folder for the test");
                fs::write(path, content).expect("a file for the test");
            }
            Self(root)
        }
    }

    impl Drop for System {
        fn drop(&mut self) {
            // A left-over folder in the system's temporary space is no failure.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn affinity_siblings_and_a_container_quota_are_respected() {
        let system = System::new(
            "v2",
            &[
                ("sys/devices/system/cpu/online", "0-7\n"),
                ("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-5\n"),
                ("proc/self/cgroup", "0::/a/b\n"),
                ("sys/fs/cgroup/cpu.max", "max 100000\n"),
                ("sys/fs/cgroup/a/cpu.max", "250000 100000\n"),
                ("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n"),
                (
                    "proc/cpuinfo",
                    "processor\t: 0\nmodel name\t: Example   CPU @ 2.0GHz\n",
                ),
                (
                    "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
                    "0,4\n",
                ),
                (
                    "sys/devices/system/cpu/cpu1/topology/thread_siblings_list",
                    "1,5\n",
                ),
                (
                    "sys/devices/system/cpu/cpu2/topology/thread_siblings_list",
                    "2,6\n",
                ),
                (
                    "sys/devices/system/cpu/cpu3/topology/thread_siblings_list",
                    "3,7\n",
                ),
                (
                    "sys/devices/system/cpu/cpu4/topology/thread_siblings_list",
                    "0,4\n",
                ),
                (
                    "sys/devices/system/cpu/cpu5/topology/thread_siblings_list",
                    "1,5\n",
                ),
                ("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n"),
                ("sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n"),
                ("sys/devices/system/cpu/cpu0/cache/index0/size", "48K\n"),
                ("sys/devices/system/cpu/cpu0/cache/index1/level", "1\n"),
                (
                    "sys/devices/system/cpu/cpu0/cache/index1/type",
                    "Instruction\n",
                ),
                ("sys/devices/system/cpu/cpu0/cache/index1/size", "32K\n"),
                ("sys/devices/system/cpu/cpu0/cache/index2/level", "2\n"),
                ("sys/devices/system/cpu/cpu0/cache/index2/type", "Unified\n"),
                ("sys/devices/system/cpu/cpu0/cache/index2/size", "2M\n"),
                ("sys/devices/system/node/has_memory", "0-1\n"),
            ],
        );
        let cpu = describe(&system.0);
        assert_eq!(cpu.model, "Example CPU @ 2.0GHz");
        assert_eq!(
            (cpu.logical_cores, cpu.physical_cores, cpu.threads),
            (6, 4, 3)
        );
        assert_eq!(
            cpu.decision,
            "affinity allows 6 of 8 hardware threads, the control group's quota is 2.5 CPUs"
        );
        assert_eq!(
            cpu.caches,
            Caches {
                l1d_bytes: Some(48 << 10),
                l2_bytes: Some(2 << 20),
                l3_bytes: None
            }
        );
        assert_eq!(cpu.numa_nodes, 2);
    }

    #[test]
    fn the_first_version_of_control_groups_is_read_too() {
        let system = System::new(
            "v1",
            &[
                ("sys/devices/system/cpu/online", "0-3\n"),
                ("proc/self/status", "Cpus_allowed_list:\t0-3\n"),
                ("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/x\n"),
                ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
                ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
                ("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "150000\n"),
                ("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n"),
            ],
        );
        assert_eq!(quota(&system.0), Some(1.5));
        assert_eq!(describe(&system.0).threads, 2);
    }

    #[test]
    fn a_system_without_such_files_still_has_a_cpu() {
        let cpu = describe(Path::new("/nowhere/at/all"));
        assert!(cpu.threads >= 1 && cpu.physical_cores >= 1 && cpu.numa_nodes == 1);
        assert!(cpu.model.ends_with("processor"));
        assert_eq!(cpu.caches, Caches::default());
    }

    #[test]
    fn this_machine_is_described() {
        let cpu = discover();
        assert!(
            cpu.threads >= 1 && cpu.threads <= cpu.logical_cores,
            "{cpu}"
        );
        assert!(cpu.physical_cores <= cpu.logical_cores, "{cpu}");
        assert!(!cpu.model.is_empty() && !cpu.decision.is_empty(), "{cpu}");
    }

    #[test]
    fn lists_and_sizes_are_read_as_the_kernel_writes_them() {
        assert_eq!(list("0-2,5,7-8\n"), [0, 1, 2, 5, 7, 8].into());
        assert_eq!(list(""), BTreeSet::new());
        assert_eq!(cache_bytes("266240K"), Some(260 << 20));
        assert_eq!(cache_bytes("odd"), None);
    }
}
