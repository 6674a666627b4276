//! Where does the trace of a run go? Into the file that the environment names, beside those of other runtimes of the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::trace::Trace;

/// The file for a further trace of this process: `file` itself for the first.
pub(crate) fn claim(file: &Path) -> PathBuf {
    static CLAIMED: AtomicU64 = AtomicU64::new(0);
    // Relaxed: the numbers only have to differ.
    numbered(file, CLAIMED.fetch_add(1, Ordering::Relaxed))
}

/// Writes a trace. A failure is a warning.
pub(crate) fn save(trace: &Trace, path: &Path) {
    if let Err(error) = fs::write(path, trace.to_text()) {
        let shown = path.display();
        eprintln!("impel: warning: {shown} cannot be written ({error}); the trace is lost");
    }
}

/// `file`, `file.1`, `file.2`, …
fn numbered(file: &Path, number: u64) -> PathBuf {
    if number == 0 {
        return file.to_owned();
    }
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_comes_back_from_its_file_and_the_next_does_not_overwrite_it() {
        let name = format!("impel-trace-{}", std::process::id());
        let file = std::env::temp_dir().join(name);
        let trace = Trace {
            dropped: 7,
            ..Trace::default()
        };
        let (first, second) = (numbered(&file, 0), numbered(&file, 1));
        save(&trace, &first);
        save(&Trace::default(), &second);
        let read = |path: &Path| fs::read_to_string(path).expect("it was written").parse();
        assert_eq!(read(&file), Ok(trace));
        assert_eq!(read(&numbered(&file, 1)), Ok(Trace::default()));
        fs::remove_file(numbered(&file, 1)).expect("it is there");
        fs::remove_file(file).expect("it is there");
    }
}
