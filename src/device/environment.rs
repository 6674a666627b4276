//! What does the environment ask for? The `IMPEL_` variables, refused with a clear error where they make no sense.

use crate::error::RuntimeError;
use crate::lanes::Level;

/// `IMPEL_ISA`: instructions of CPU kernels.
pub(crate) fn isa() -> Result<Option<Level>, RuntimeError> {
    variable("IMPEL_ISA", "`scalar`, `avx2` or `avx512`", |value| {
        value.parse().ok()
    })
}

/// `IMPEL_THREADS`: number of CPU workers.
pub(crate) fn threads() -> Result<Option<usize>, RuntimeError> {
    variable(
        "IMPEL_THREADS",
        "a number of CPU workers, at least 1",
        |value| value.parse().ok().filter(|&threads| threads > 0),
    )
}

/// `IMPEL_SOFTWARE_GPU`: whether GPUs that are emulated on the CPU are used.
#[cfg(feature = "gpu")]
pub(crate) fn software_gpus() -> Result<Option<bool>, RuntimeError> {
    variable("IMPEL_SOFTWARE_GPU", "`0` or `1`", |value| match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    })
}

/// `IMPEL_VERIFY`: whether what a runtime did is recorded and checked when it is dropped.
pub(crate) fn verify() -> Result<bool, RuntimeError> {
    let asked = variable("IMPEL_VERIFY", "`0` or `1`", |value| match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    })?;
    Ok(asked.unwrap_or(false))
}

/// `IMPEL_TRACE`: the file that gets the trace of what a runtime did.
pub(crate) fn trace_file() -> Option<std::path::PathBuf> {
    let file = std::env::var_os("IMPEL_TRACE").filter(|file| !file.is_empty())?;
    Some(file.into())
}

/// The variable's meaning; none if it is unset or empty.
fn variable<T>(
    name: &'static str,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, RuntimeError> {
    let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy().into_owned();
    match parse(value.trim()) {
        Some(meaning) => Ok(Some(meaning)),
        None => Err(RuntimeError::Environment {
            name,
            value,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_refused_with_the_variable_and_what_it_may_hold() {
        // Only this test uses the name, so no other thread reads or writes it meanwhile.
        let name = "IMPEL_TEST_OF_NONSENSE";
        // SAFETY: as above.
        unsafe { std::env::set_var(name, "many") };
        let error = variable(name, "a number", |value| value.parse::<u32>().ok()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the environment variable {name} is `many`, but must be a number; correct or unset it"
            )
        );
    }
}
