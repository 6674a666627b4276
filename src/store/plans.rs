//! Where are plans kept from one run to the next? In a file that the user names.

use std::fs;
use std::path::Path;

use crate::plan::PlanBook;

/// Reads the plans in `path`.
///
/// # Errors
/// Why they cannot be read.
pub(crate) fn read(path: &Path) -> Result<PlanBook, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    text.parse()
        .map_err(|error: crate::plan::BookError| error.to_string())
}

/// Writes plans to `path` in one step.
///
/// # Errors
/// Why they cannot be written.
pub(crate) fn write(path: &Path, book: &PlanBook) -> Result<(), String> {
    super::costs::replace(path, &book.to_text()).map_err(|error| error.to_string())
}
