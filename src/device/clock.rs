//! What time is it? The clock of traces and reports: nanoseconds since a runtime was built.

use std::sync::Arc;
use std::time::Instant;

/// A clock that starts at 0 now.
pub(crate) fn from_now() -> Arc<dyn Fn() -> u64 + Send + Sync> {
    let start = Instant::now();
    Arc::new(move || start.elapsed().as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn time_does_not_run_backwards() {
        let now = super::from_now();
        let first = now();
        assert!(now() >= first);
    }
}
