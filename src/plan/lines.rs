//! Where may a launch be cut so that no two devices write to one cache line?

use crate::region::{Footprint, Span};

/// Words of a cache line.
const LINE_WORDS: u64 = 16;

/// The least multiple of units at which what the parts write ends at a cache line's border, for a launch whose units numbers 1 and
/// 2 touch `first` and `second`; `starts` are the arrays' first words, counted from a cache line's border. It is 1 where no multiple
/// has that property, or where `extent` units are too few for one.
///
/// This is a preference: two devices never share a word wherever a launch is cut, and memory is right at any alignment.
pub fn line_multiple(first: &Footprint, second: &Footprint, starts: &[u64], extent: u64) -> u32 {
    /// Cuts may be this much coarser than the finest, relative to the extent.
    const COARSEST: u64 = 64;
    let mut multiple = 1;
    for ((first, second), start) in first.arguments.iter().zip(&second.arguments).zip(starts) {
        let written = [first, second].map(|touch| match touch.writes.spans() {
            [span] if !touch.combine => Some(*span),
            _ => None,
        });
        let [Some(a), Some(b)] = written else {
            continue;
        };
        let own = border_multiple(a, b, *start).unwrap_or(1);
        let both = lcm(multiple, own);
        if both * COARSEST <= extent {
            multiple = both;
        }
    }
    multiple as u32
}

/// The least multiple of units that begin at cache lines' borders, where the first unit writes `a` and the next one `b`.
fn border_multiple(a: Span, b: Span, start: u64) -> Option<u64> {
    let stride = b.lo.checked_sub(a.lo).filter(|stride| *stride > 0)?;
    // Unit 0 begins one stride before unit 1.
    let origin = (start + a.lo).checked_sub(stride)?;
    origin
        .is_multiple_of(LINE_WORDS)
        .then(|| LINE_WORDS / gcd(LINE_WORDS, stride))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn lcm(a: u64, b: u64) -> u64 {
    a / gcd(a, b) * b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::{SpanSet, Touch};

    fn writing(spans: &[(u64, u64)]) -> Footprint {
        let touch = |(lo, hi): &(u64, u64)| Touch::writing(Span::new(*lo, *hi));
        Footprint {
            arguments: spans.iter().map(touch).collect(),
        }
    }

    #[test]
    fn cuts_fall_on_borders_of_cache_lines_where_there_are_such() {
        let of = |stride: u64, start: u64, extent: u64| {
            let (a, b) = ((stride, 2 * stride), (2 * stride, 3 * stride));
            line_multiple(&writing(&[a]), &writing(&[b]), &[start], extent)
        };
        assert_eq!(of(64, 0, 1000), 1);
        assert_eq!(of(8, 0, 1000), 2);
        assert_eq!(of(1, 0, 10_000), 16);
        assert_eq!(of(12, 16, 10_000), 4);
        // Too few units for so coarse cuts, and arrays that begin inside a line.
        assert_eq!(of(1, 0, 500), 1);
        assert_eq!(of(8, 4, 1000), 1);
    }

    #[test]
    fn several_arrays_agree_on_a_multiple() {
        let first = writing(&[(8, 16), (4, 8)]);
        let second = writing(&[(16, 24), (8, 12)]);
        assert_eq!(line_multiple(&first, &second, &[0, 0], 10_000), 4);
    }

    #[test]
    fn what_has_no_stride_has_no_multiple() {
        let same = writing(&[(0, 64)]);
        assert_eq!(line_multiple(&same, &same, &[0], 10_000), 1);
        let scattered: SpanSet = [Span::new(0, 1), Span::new(9, 10)].into_iter().collect();
        let scattered = Footprint {
            arguments: vec![Touch {
                writes: scattered,
                ..Touch::writing(Span::new(0, 1))
            }],
        };
        assert_eq!(line_multiple(&scattered, &scattered, &[0], 10_000), 1);
    }
}
