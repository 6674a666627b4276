//! Which patterns say the same? Neighbouring words become one wide pattern, and what another pattern covers goes.

use super::guard::{Check, Constraint};
use super::pattern::{Pattern, Reach, Words};

/// Most patterns kept for reads, and for writes, of a buffer.
const PATTERNS_MAX: usize = 96;

/// The same words in fewer patterns.
pub(super) fn merged(patterns: Vec<Pattern>) -> Vec<Pattern> {
    let is_whole = |pattern: &&Pattern| matches!(pattern.reach, Reach::Whole { .. });
    if let Some(whole) = patterns.iter().find(is_whole) {
        return vec![whole.clone()];
    }
    let mut merged: Vec<Pattern> = Vec::new();
    for pattern in patterns {
        add(&mut merged, pattern);
        if merged.len() > 4 * PATTERNS_MAX {
            break;
        }
    }
    drop_covered(&mut merged);
    if merged.len() > PATTERNS_MAX {
        merged.truncate(1);
        merged[0].reach = Reach::Whole {
            reason: format!("there are more than {PATTERNS_MAX} different ones"),
        };
    }
    merged
}

/// Adds a pattern, joined with those that it touches.
fn add(merged: &mut Vec<Pattern>, mut pattern: Pattern) {
    while let Some((index, joined)) = merged
        .iter()
        .enumerate()
        .find_map(|(index, other)| Some((index, joined(other, &pattern)?)))
    {
        merged.remove(index);
        pattern = joined;
    }
    merged.push(pattern);
}

/// Both in one, if they differ by a constant only and leave no gap.
fn joined(a: &Pattern, b: &Pattern) -> Option<Pattern> {
    let (Reach::Words(left), Reach::Words(right)) = (&a.reach, &b.reach) else {
        return None;
    };
    let distance = distance(left, right)?;
    if distance < 0 {
        return joined(b, a);
    }
    let alike = left.exact == right.exact
        && left.constraints.len() == right.constraints.len()
        && all_in(&left.constraints, &right.constraints)
        && left.checks == right.checks;
    if !alike || distance > i64::from(left.width) {
        return None;
    }
    let end = (distance + i64::from(right.width)).max(i64::from(left.width));
    Some(Pattern {
        reach: Reach::Words(Words {
            width: u32::try_from(end).ok()?,
            ..left.clone()
        }),
        site: a.site.clone(),
    })
}

/// How many words `b` lies behind `a`, if that is a constant.
fn distance(a: &Words, b: &Words) -> Option<i64> {
    (a.address.terms == b.address.terms)
        .then(|| b.address.base.minus(&a.address.base)?.constant())
        .flatten()
}

fn all_in(inner: &[Constraint], outer: &[Constraint]) -> bool {
    inner.iter().all(|constraint| outer.contains(constraint))
}

fn drop_covered(patterns: &mut Vec<Pattern>) {
    let mut index = 0;
    while index < patterns.len() {
        let is_covered = patterns
            .iter()
            .enumerate()
            .any(|(other, pattern)| other != index && covers(pattern, &patterns[index]));
        if is_covered {
            patterns.remove(index);
        } else {
            index += 1;
        }
    }
}

/// Whether `a` has every word of `b`, and for certain if `b` has.
fn covers(a: &Pattern, b: &Pattern) -> bool {
    let (Reach::Words(a), Reach::Words(b)) = (&a.reach, &b.reach) else {
        return false;
    };
    let checks_in =
        |inner: &[Check], outer: &[Check]| inner.iter().all(|check| outer.contains(check));
    let inside =
        |distance: i64| distance >= 0 && distance + i64::from(b.width) <= i64::from(a.width);
    distance(a, b).is_some_and(inside)
        && all_in(&a.constraints, &b.constraints)
        && checks_in(&a.checks, &b.checks)
        && (a.exact || !b.exact)
}
