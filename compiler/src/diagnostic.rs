//! What is wrong with this WGSL, where, and what to write instead? One message for one mistake, with the line that holds it.

use std::fmt;

use naga::Span;

/// A WGSL text and the path it is known by in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path for people, as given by whoever compiles.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A place in a [`Source`], counted as editors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Source {
    /// Names a text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Where `span` begins; 1:1 if the span is undefined or lies outside the text.
    pub fn position(&self, span: Span) -> Position {
        let start = self.range(span).start;
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
        }
    }

    /// The WGSL that `span` covers; empty if the span is undefined.
    pub fn excerpt(&self, span: Span) -> &str {
        &self.text[self.range(span)]
    }

    /// A message about the WGSL at `span`.
    pub fn diagnose(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        let range = self.range(span);
        let line_start = self.text[..range.start]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let line_end = self.text[range.start..]
            .find('\n')
            .map_or(self.text.len(), |newline| range.start + newline);
        let marked_end = range.end.min(line_end).max(range.start);
        Diagnostic {
            path: self.path.clone(),
            position: self.position(span),
            snippet: self.text[line_start..line_end]
                .trim_end_matches('\r')
                .to_owned(),
            width: self.text[range.start..marked_end].chars().count().max(1) as u32,
            message: message.into(),
            advice: None,
        }
    }

    /// The bytes of `span`, moved onto character borders inside the text.
    fn range(&self, span: Span) -> std::ops::Range<usize> {
        let range = span.to_range().unwrap_or(0..0);
        let onto_border = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = onto_border(range.start);
        start..onto_border(range.end).max(start)
    }
}

/// One mistake in a WGSL file. Displays as rustc's messages do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Path of the WGSL file.
    pub path: String,
    /// Where the mistake begins.
    pub position: Position,
    /// The whole line that holds it.
    pub snippet: String,
    /// How many characters of the line are meant, at least 1.
    pub width: u32,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub advice: Option<String>,
}

impl Diagnostic {
    /// Adds what to write instead.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Diagnostic {
        self.advice = Some(advice.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.position.line.to_string();
        let gutter = " ".repeat(number.len());
        // A tab before the mark stays a tab, so that the mark stands below its text however wide a terminal draws it.
        let indent: String = self
            .snippet
            .chars()
            .take(self.position.column as usize - 1)
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(f, "error: {}", self.message)?;
        writeln!(f, "{gutter}--> {}:{}", self.path, self.position)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", self.snippet)?;
        write!(f, "{gutter} | {indent}{}", "^".repeat(self.width as usize))?;
        if let Some(advice) = &self.advice {
            write!(f, "\n{gutter} = help: {advice}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// All mistakes found in a WGSL file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                write!(f, "\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_the_line_and_marks_the_place() {
        let source = Source::new("a.wgsl", "// α\n\tvar x: f16;\n");
        let at = source.text.find("f16").unwrap() as u32;
        let diagnostic = source
            .diagnose(Span::new(at, at + 3), "`f16` is not supported")
            .advise("use f32");
        assert_eq!(diagnostic.position, Position { line: 2, column: 9 });
        assert_eq!(
            diagnostic.to_string(),
            "error: `f16` is not supported\n --> a.wgsl:2:9\n  |\n2 | \tvar x: f16;\n  | \t       ^^^\n  = help: use f32"
        );
    }

    #[test]
    fn a_span_over_many_lines_marks_the_first() {
        let source = Source::new("a.wgsl", "fn f() {\n}\n");
        let diagnostic = source.diagnose(Span::new(0, 10), "no");
        assert_eq!(diagnostic.width, 8);
        assert_eq!(
            source.position(Span::default()),
            Position { line: 1, column: 1 }
        );
    }
}
