//! How did it end? The few ways that a program may end in which something went wrong.

use std::fmt;

use impel::{ArrayError, DeviceId, LaunchError, Runtime};

/// What became of a program's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is right.
    Right(Gpu),
    /// An error names the device, the array's words and the cause.
    Lost(Gpu),
    /// It is wrong, and nothing says so.
    Wrong,
}

/// What became of the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gpu {
    /// Nothing was noticed.
    Well,
    /// Its failure is in the report, and it is still used.
    Used,
    /// It is left out from then on, with the reason.
    Retired,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Right(Gpu::Well) => "right",
            Self::Right(Gpu::Used) => "right, reported",
            Self::Right(Gpu::Retired) => "right, retired",
            Self::Lost(Gpu::Well | Gpu::Used) => "error, reported",
            Self::Lost(Gpu::Retired) => "error, retired",
            Self::Wrong => "**wrong**",
        })
    }
}

/// What became of a GPU, as the report and a plan tell it. `plan` is the text of a plan that could use it.
pub(crate) fn gpu(rt: &Runtime, device: DeviceId, plan: &str) -> Gpu {
    let failed = rt.report().failures().iter().any(|(on, _)| *on == device);
    let retired = plan.contains("retired after it failed");
    match (failed, retired) {
        (_, true) => Gpu::Retired,
        (true, false) => Gpu::Used,
        (false, false) => Gpu::Well,
    }
}

/// Whether an error says which device lost which words of an array, and why.
///
/// # Panics
/// If it says something else.
pub(crate) fn names_what_was_lost(error: &ArrayError, device: &str) -> bool {
    match error {
        ArrayError::Lost {
            device: told,
            words,
            cause,
        } => {
            assert_eq!(told, device);
            assert!(!words.is_empty() && !cause.is_empty(), "{error}");
            true
        }
        ArrayError::Failed { cause, .. } => launch_names(cause, device),
        other => panic!("{other}"),
    }
}

fn launch_names(error: &LaunchError, device: &str) -> bool {
    match error {
        LaunchError::Argument { cause, .. } => names_what_was_lost(cause, device),
        other => panic!("{other}"),
    }
}

/// As [`names_what_was_lost`], of a launch.
pub(crate) fn launch_names_what_was_lost(error: &LaunchError, device: &str) -> bool {
    launch_names(error, device)
}
