//! Is this text what it was? `UPDATE=1` rewrites the files instead of comparing.

use std::path::Path;

/// Compares `actual` with the content of `path`.
pub(crate) fn check(path: impl AsRef<Path>, actual: &str) {
    let path = path.as_ref();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a golden file lies in a folder"))
            .expect("the folder can be made");
        std::fs::write(path, actual).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let first_difference = expected
        .lines()
        .zip(actual.lines())
        .position(|(old, new)| old != new);
    assert!(
        expected == actual,
        "{} differs from line {} on; UPDATE=1 accepts the new text:\n{actual}",
        path.display(),
        first_difference.unwrap_or(expected.lines().count().min(actual.lines().count())) + 1
    );
}
