//! What can go wrong on a device beside the CPU? One value per failure: what happened, where, and what to do about it.

use std::time::Duration;

/// A failure of a device. None of them panics, and none of them leaves a wrong result behind: work that failed has written nothing
/// that residency would call valid.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DeviceError {
    /// The driver refused to open the device.
    #[cfg(feature = "gpu")]
    #[error("{device}: cannot be opened: {detail}; update its driver, or leave the device out")]
    Open {
        /// The device's name.
        device: String,
        /// The driver's reason.
        detail: String,
    },

    /// No room for a buffer, in the budget or on the device.
    #[error(
        "{device}: no room for {wanted_bytes} bytes ({used_bytes} bytes in use, budget {}); free arrays, split the launch, or raise the memory budget",
        budget_words(*budget_bytes)
    )]
    OutOfMemory {
        /// The device's name.
        device: String,
        /// Bytes asked for.
        wanted_bytes: u64,
        /// Bytes that are allocated already.
        used_bytes: u64,
        /// The most bytes that may be allocated; `u64::MAX` where only the device's own memory limits.
        budget_bytes: u64,
    },

    /// A request beyond what the device can do at all, refused before the driver saw it.
    #[error(
        "{device}: {what} is {wanted}, and the device's limit is {limit}; use smaller parts or another device"
    )]
    Limit {
        /// The device's name.
        device: String,
        /// The quantity, with its unit.
        what: &'static str,
        /// What was asked for.
        wanted: u64,
        /// The most that is possible.
        limit: u64,
    },

    /// The driver or wgpu found the module, or a request made of it, invalid.
    #[error(
        "{device}: {what} is invalid: {detail}; this is an error in impel or in the driver: run this kernel on another device, and report it"
    )]
    Validation {
        /// The device's name.
        device: String,
        /// What was being made or run.
        what: String,
        /// The message of the validator.
        detail: String,
    },

    /// The device is gone: unplugged, reset, or destroyed. Everything that only it held is lost.
    #[error(
        "{device}: the device is lost: {reason}; work continues on the other devices, and opening it again may succeed"
    )]
    Lost {
        /// The device's name.
        device: String,
        /// What is known of the reason.
        reason: String,
    },

    /// The device computed something else than the CPU did.
    #[error(
        "{device}: {detail}; it is not used any more, since nothing else that it computed can be trusted"
    )]
    Wrong {
        /// The device's name.
        device: String,
        /// What it computed, and what it should have.
        detail: String,
    },

    /// The device did not finish in the time it was given. The work may still end.
    #[error(
        "{device}: {what} did not end within {after:?}; wait longer, use smaller parts, or leave the device out"
    )]
    TimedOut {
        /// The device's name.
        device: String,
        /// What was waited for.
        what: &'static str,
        /// How long.
        after: Duration,
    },
}

fn budget_words(bytes: u64) -> String {
    if bytes == u64::MAX {
        "not set".to_owned()
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_where_and_what_to_do() {
        let error = DeviceError::OutOfMemory {
            device: "llvmpipe".into(),
            wanted_bytes: 8,
            used_bytes: 4,
            budget_bytes: 10,
        };
        assert_eq!(
            error.to_string(),
            "llvmpipe: no room for 8 bytes (4 bytes in use, budget 10 bytes); free arrays, split the launch, or raise the memory budget"
        );
        let error = DeviceError::OutOfMemory {
            device: "llvmpipe".into(),
            wanted_bytes: 8,
            used_bytes: 4,
            budget_bytes: u64::MAX,
        };
        assert!(error.to_string().contains("budget not set"));
    }
}
