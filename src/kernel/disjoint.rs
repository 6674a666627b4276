//! May these parts of a launch run at once on different devices? Only if no part writes what another one reads or writes.

use std::fmt;

use crate::region::{Footprint, Span, SpanSet};

/// Two parts of a launch that cannot run on different devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Conflict {
    /// Index of the array argument, in the order of the kernel's storage bindings.
    pub argument: usize,
    /// The part that writes, counted in the order given.
    pub writer: usize,
    /// The part that reads or writes the same words.
    pub other: usize,
    /// What that one does.
    pub kind: ConflictKind,
    /// Where they meet.
    pub words: Span,
}

/// What happens to a word that another part writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictKind {
    /// It may be read.
    Read,
    /// It may be written.
    Write,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.kind {
            ConflictKind::Read => "reads",
            ConflictKind::Write => "writes",
        };
        write!(
            f,
            "part {} {verb} words {} of argument {}, which part {} writes",
            self.other, self.words, self.argument, self.writer
        )
    }
}

/// Shows that no part writes a word that another part touches; arguments that are combined afterwards do not count.
///
/// # Errors
/// The first words in dispute.
pub fn disjoint(parts: &[Footprint]) -> Result<(), Conflict> {
    for (writer, part) in parts.iter().enumerate() {
        for (other, with) in parts
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != writer)
        {
            for (argument, touch) in part.arguments.iter().enumerate() {
                let Some(touched) = with.arguments.get(argument) else {
                    continue;
                };
                if touch.combine || touch.writes.is_empty() {
                    continue;
                }
                let conflict = |kind, words| Conflict {
                    argument,
                    writer,
                    other,
                    kind,
                    words,
                };
                if let Some(words) = meeting(&touch.writes, &touched.writes) {
                    return Err(conflict(ConflictKind::Write, words));
                }
                if let Some(words) = meeting(&touch.writes, &touched.reads) {
                    return Err(conflict(ConflictKind::Read, words));
                }
            }
        }
    }
    Ok(())
}

fn meeting(a: &SpanSet, b: &SpanSet) -> Option<Span> {
    if a.hull().intersection(b.hull()).is_empty() {
        return None;
    }
    a.intersection(b).iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::Touch;

    fn part(touch: Touch) -> Footprint {
        Footprint {
            arguments: vec![touch],
        }
    }

    #[test]
    fn parts_that_update_their_own_words_may_run_at_once() {
        let parts = [
            part(Touch::updating(Span::new(0, 8))),
            part(Touch::updating(Span::new(8, 20))),
        ];
        assert_eq!(disjoint(&parts), Ok(()));
    }

    #[test]
    fn a_part_must_not_read_what_another_writes() {
        let halo = Touch {
            reads: Span::new(7, 20).into(),
            ..Touch::updating(Span::new(8, 20))
        };
        let parts = [part(Touch::updating(Span::new(0, 8))), part(halo)];
        let conflict = disjoint(&parts).unwrap_err();
        assert_eq!(
            conflict.to_string(),
            "part 1 reads words 7..8 of argument 0, which part 0 writes"
        );
    }

    #[test]
    fn combined_arguments_never_conflict() {
        let bins = Touch {
            combine: true,
            ..Touch::writing(Span::new(0, 256))
        };
        assert_eq!(disjoint(&[part(bins.clone()), part(bins)]), Ok(()));
    }
}
