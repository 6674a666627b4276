//! How did it end? A result that one thread leaves and any number of others pick up.

use std::sync::Arc;

use crate::sync::{Mutex, lock};

/// A place for one result.
#[derive(Debug)]
pub(crate) struct Outcome<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Outcome<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl<T: Clone> Outcome<T> {
    /// Leaves the result; one that is there already stays.
    pub(crate) fn set(&self, result: T) {
        lock(&self.0).get_or_insert(result);
    }

    /// The result, if it is there.
    pub(crate) fn get(&self) -> Option<T> {
        lock(&self.0).clone()
    }
}
