//! What is the processor? Its model, the cores that may be used and why, its vector instructions, caches and NUMA nodes.

use std::fmt;

use super::{bytes_words, wrapped};
use crate::lanes::Level;

/// The CPU and the share of it that this process may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// The processor's own name.
    pub model: String,
    /// Physical cores that may be used; equal to `logical_cores` where they cannot be told apart.
    pub physical_cores: usize,
    /// Hardware threads that may be used.
    pub logical_cores: usize,
    /// Threads that impel runs on.
    pub threads: usize,
    /// How `threads` was decided, in words.
    pub decision: String,
    /// The best vector instructions that are here.
    pub level: Level,
    /// Cache sizes.
    pub caches: Caches,
    /// NUMA nodes; 1 where memory is uniform or nothing is known.
    pub numa_nodes: usize,
}

/// Cache sizes in bytes, of one instance each; none where unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caches {
    /// First level, data, of one core.
    pub l1d_bytes: Option<u64>,
    /// Second level, of one core.
    pub l2_bytes: Option<u64>,
    /// Third level, shared.
    pub l3_bytes: Option<u64>,
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = count(self.threads, "thread");
        let cores = count(self.physical_cores, "core");
        let nodes = count(self.numa_nodes, "NUMA node");
        f.write_str(&wrapped(&format!(
            "CPU, {model}\n  {threads} on {cores}, {level}, {nodes}\n  {decision}\n  caches: {caches}",
            model = self.model,
            level = self.level,
            decision = self.decision,
            caches = self.caches,
        )))
    }
}

impl fmt::Display for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<String> = [
            ("L1d", self.l1d_bytes),
            ("L2", self.l2_bytes),
            ("L3", self.l3_bytes),
        ]
        .into_iter()
        .filter_map(|(name, bytes)| Some(format!("{name} {}", bytes_words(bytes?))))
        .collect();
        if known.is_empty() {
            f.write_str("unknown")
        } else {
            f.write_str(&known.join(", "))
        }
    }
}

/// What limits the number of threads: plain facts that discovery read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CpuLimits {
    /// Hardware threads that are online.
    pub(crate) online: usize,
    /// Those that the process's affinity allows.
    pub(crate) allowed: usize,
    /// Physical cores among those.
    pub(crate) physical: usize,
    /// Processors' worth of time that the control group grants, if it limits it.
    pub(crate) quota: Option<f64>,
}

/// How many threads to run, and why: never more than hardware threads allowed, nor than the quota pays for.
pub(crate) fn decide_threads(limits: &CpuLimits) -> (usize, String) {
    let allowed = limits.allowed.max(1);
    let mut reasons = Vec::new();
    reasons.push(if limits.allowed < limits.online {
        format!(
            "affinity allows {} of {}",
            limits.allowed,
            count(limits.online, "hardware thread")
        )
    } else {
        format!(
            "{} online, all allowed",
            count(limits.online.max(1), "hardware thread")
        )
    });
    let threads = match limits.quota {
        None => {
            reasons.push("no CPU quota".to_owned());
            allowed
        }
        Some(quota) => {
            reasons.push(format!(
                "the control group's quota is {} CPUs",
                (quota * 100.0).round() / 100.0
            ));
            // Half a processor more is worth a thread; less would only be throttled.
            allowed.min((quota.round() as usize).max(1))
        }
    };
    (threads, reasons.join(", "))
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(online: usize, allowed: usize, quota: Option<f64>, threads: usize, words: &str) {
        let decided = decide_threads(&CpuLimits {
            online,
            allowed,
            physical: allowed,
            quota,
        });
        assert_eq!(decided, (threads, words.to_owned()));
    }

    #[test]
    fn threads_respect_affinity_and_quota_and_say_so() {
        check(
            8,
            8,
            None,
            8,
            "8 hardware threads online, all allowed, no CPU quota",
        );
        check(
            64,
            4,
            None,
            4,
            "affinity allows 4 of 64 hardware threads, no CPU quota",
        );
        check(
            8,
            8,
            Some(2.5),
            3,
            "8 hardware threads online, all allowed, the control group's quota is 2.5 CPUs",
        );
        check(
            8,
            2,
            Some(6.0),
            2,
            "affinity allows 2 of 8 hardware threads, the control group's quota is 6 CPUs",
        );
        check(
            1,
            1,
            Some(0.1),
            1,
            "1 hardware thread online, all allowed, the control group's quota is 0.1 CPUs",
        );
        check(
            0,
            0,
            None,
            1,
            "1 hardware thread online, all allowed, no CPU quota",
        );
    }

    #[test]
    fn a_cpu_prints_in_four_short_lines() {
        let cpu = Cpu {
            model: "Example 9000".to_owned(),
            physical_cores: 4,
            logical_cores: 8,
            threads: 8,
            decision: "8 hardware threads online, all allowed, no CPU quota".to_owned(),
            level: Level::Portable,
            caches: Caches {
                l1d_bytes: Some(48 << 10),
                l2_bytes: Some(2 << 20),
                l3_bytes: None,
            },
            numa_nodes: 1,
        };
        assert_eq!(
            cpu.to_string(),
            "CPU, Example 9000\n  8 threads on 4 cores, scalar, 1 NUMA node\n  \
             8 hardware threads online, all allowed, no CPU quota\n  caches: L1d 48 KiB, L2 2 MiB"
        );
    }
}
