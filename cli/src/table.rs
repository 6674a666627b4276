//! How does the command speak? To standard output, which may be closed before it has ended; in columns that fit a terminal.

use std::io::{Write as _, stdout};

/// Prints text. Whoever has closed the other end of a pipe wants no more of it, and no error either.
pub(crate) fn say(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A time in ns, in the unit that suits it.
pub(crate) fn time(ns: f64) -> String {
    match ns {
        ns if !ns.is_finite() => "-".to_owned(),
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

/// Columns of a terminal.
const WIDTH: usize = 80;

/// A name in a column of this width, with a mark where its end is missing.
pub(crate) fn fitted(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    let start: String = name.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// A text whose lines end between words before they leave the terminal; what follows a first line is indented.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut words = paragraph.split(' ');
        let mut line = words.next().unwrap_or_default().to_owned();
        for word in words {
            if line.chars().count() + 1 + word.chars().count() <= WIDTH {
                line.push(' ');
                line.push_str(word);
            } else {
                let next = format!("{:indent$}{word}", "");
                lines.push(std::mem::replace(&mut line, next));
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// A rate in thousands of millions a second, with two digits at least.
pub(crate) fn giga(per_s: f64) -> String {
    match per_s / 1e9 {
        rate if rate < 10.0 => format!("{rate:.2}"),
        rate => format!("{rate:.1}"),
    }
}

/// A number with a mark every three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_end_between_words_and_long_names_with_a_mark() {
        let text = wrapped(&"seven words ".repeat(20), 4);
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("    ")));
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words.len(), 40);
        assert_eq!(wrapped("one\n  two", 4), "one\n  two");
        assert_eq!(fitted("llvmpipe (LLVM)", 15), "llvmpipe (LLVM)");
        assert_eq!(fitted("llvmpipe (LLVM)", 10), "llvmpipe…");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            (giga(2.5e8), giga(1.26e10)),
            ("0.25".to_owned(), "12.6".to_owned())
        );
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_048_576), "1 048 576");
        assert_eq!(time(1500.0), "1.5 µs");
        assert_eq!(time(f64::INFINITY), "-");
    }
}
