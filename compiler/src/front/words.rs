//! Where does a word stand in WGSL text, outside comments? naga keeps no spans for predeclared types, and messages need them.

use naga::Span;

/// Identifiers of `text` with their byte offsets, in order, comments skipped.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest_at = 0;
    std::iter::from_fn(move || {
        while rest_at < text.len() {
            let rest = &text[rest_at..];
            if rest.starts_with("//") {
                rest_at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                rest_at += block_comment_bytes(rest);
            } else {
                let first = rest.chars().next()?;
                if !is_word(first) {
                    rest_at += first.len_utf8();
                    continue;
                }
                let end = rest
                    .find(|character| !is_word(character))
                    .unwrap_or(rest.len());
                let start = rest_at;
                rest_at += end;
                if !first.is_ascii_digit() {
                    return Some((start, &rest[..end]));
                }
            }
        }
        None
    })
}

/// First word of `text` that `accept` takes.
pub(super) fn find_word(text: &str, accept: impl Fn(&str) -> bool) -> Option<Span> {
    words(text)
        .find(|(_, word)| accept(word))
        .map(|(start, word)| Span::new(start as u32, (start + word.len()) as u32))
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Length of the block comment that `text` begins with; WGSL nests them.
fn block_comment_bytes(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_u32, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_numbers_hold_no_words() {
        let text = "// f16\n/* f16 /* f16 */ f16 */ var a0 = 1f16x; é f16";
        let found: Vec<_> = words(text).map(|(_, word)| word).collect();
        assert_eq!(found, ["var", "a0", "é", "f16"]);
        let span = find_word(text, |word| word == "f16").unwrap();
        assert_eq!(span.to_range().unwrap(), text.len() - 3..text.len());
    }
}
