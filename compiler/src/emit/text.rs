//! Indented lines of Rust.

/// A text under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    out: String,
    depth: usize,
}

impl Text {
    /// One line.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if !line.is_empty() {
            self.out.push_str(&"    ".repeat(self.depth));
            self.out.push_str(line);
        }
        self.out.push('\n');
    }

    /// `head {`, deeper from here on.
    pub(super) fn open(&mut self, head: impl AsRef<str>) {
        let head = head.as_ref();
        self.line(if head.is_empty() {
            "{".to_owned()
        } else {
            format!("{head} {{")
        });
        self.depth += 1;
    }

    /// Closes what was opened last.
    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// `} else {`
    pub(super) fn or_else(&mut self) {
        self.depth -= 1;
        self.line("} else {");
        self.depth += 1;
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}
