//! How long may a wait still take?

use std::time::{Duration, Instant};

/// A moment at which somebody stops waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now; one that the clock cannot count to never comes.
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now().checked_add(patience))
    }

    /// The time that is left; none if it has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        match self.0 {
            None => Some(Duration::MAX),
            Some(end) => end
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_and_a_distant_one_does_not() {
        assert_eq!(Deadline::after(Duration::ZERO).left(), None);
        let hour = Duration::from_hours(1);
        assert!(
            Deadline::after(hour)
                .left()
                .is_some_and(|left| left <= hour)
        );
        assert_eq!(Deadline::after(Duration::MAX).left(), Some(Duration::MAX));
    }
}
