//! Which buffers must leave a device's memory before others can be made there? Pure.
//!
//! A part of a launch names all the buffers that it wants at once, and gets all of them or none: no operand of a part is ever
//! evicted for another one. What leaves is what known launches use last, and among what none of them uses, what was used longest
//! ago.

use std::cmp::Reverse;

use smallvec::SmallVec;
use thiserror::Error;

use crate::plan::Bytes;
use crate::region::{Span, WORD_BYTES};

/// A buffer in a device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Number of the array whose words it holds.
    pub array: u64,
    /// Which of them.
    pub span: Span,
    /// Whether a part at work uses it: then it stays.
    pub pinned: bool,
    /// When a part used it last; larger is later.
    pub last_use: u64,
    /// How many queued launches come before the next that uses it; none if no known launch does.
    pub next_use: Option<u64>,
}

/// A range of an array that must be in one buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Want {
    /// Number of the array.
    pub array: u64,
    /// The words.
    pub span: Span,
}

/// What to do so that all wanted ranges have their buffers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Indices of the held buffers that leave, in this order.
    pub evict: SmallVec<[usize; 4]>,
    /// The buffers to make.
    pub make: SmallVec<[Want; 8]>,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NoRoom {
    /// Even an empty memory is too small.
    #[error("its arrays need {} at once, and the budget of its memory is {}", Bytes(*wanted_words * WORD_BYTES), Bytes(*budget_words * WORD_BYTES))]
    Never {
        /// Words of all ranges.
        wanted_words: u64,
        /// Words of the memory.
        budget_words: u64,
    },
    /// Parts at work use too much of it; there will be room when they are done.
    #[error("its arrays need {}, and parts at work use {}", Bytes(*wanted_words * WORD_BYTES), Bytes(*pinned_words * WORD_BYTES))]
    Now {
        /// Words of all ranges.
        wanted_words: u64,
        /// Words that stay for now.
        pinned_words: u64,
    },
}

/// Makes room for all of `wants` in a memory of `budget_words` that has the buffers `held`, which share no word.
///
/// # Errors
/// If there is no room for all of them at once, now or ever.
pub fn reserve(budget_words: u64, held: &[Held], wants: &[Want]) -> Result<Reservation, NoRoom> {
    let wants = joined(wants);
    let wanted_words = wants.iter().map(|want| want.span.words()).sum();
    if wanted_words > budget_words {
        return Err(NoRoom::Never {
            wanted_words,
            budget_words,
        });
    }
    let serves = |held: &Held, want: &Want| held.array == want.array && held.span.covers(want.span);
    // Where buffers that serve a short range are in the way themselves, those are made anew, as short as they need to be.
    attempt(budget_words, held, &wants, serves)
        .or_else(|| {
            attempt(budget_words, held, &wants, |held, want| {
                held.pinned && serves(held, want)
            })
        })
        .ok_or_else(|| NoRoom::Now {
            wanted_words,
            pinned_words: words(held.iter().filter(|held| held.pinned).map(|held| held.span)),
        })
}

/// As [`reserve`], where `serves` says which held buffer stands for a want; none if too much is pinned.
fn attempt(
    budget_words: u64,
    held: &[Held],
    wants: &[Want],
    serves: impl Fn(&Held, &Want) -> bool,
) -> Option<Reservation> {
    let mut reservation = Reservation::default();
    // A held buffer with words of one to be made gives way, since a word has one place in a memory; what it served is made, too.
    loop {
        let evict = &mut reservation.evict;
        let stays = |index: &usize| !evict.contains(index);
        let is_served = |want: &&Want| {
            let mut indices = (0..held.len()).filter(stays);
            indices.any(|index| serves(&held[index], want))
        };
        let make: SmallVec<[Want; 8]> = wants
            .iter()
            .filter(|want| !is_served(want))
            .copied()
            .collect();
        let in_the_way = |index: &usize| {
            let buffer = &held[*index];
            let shares = |want: &Want| !buffer.span.intersection(want.span).is_empty();
            make.iter()
                .any(|want| want.array == buffer.array && shares(want))
        };
        let give_way: SmallVec<[usize; 4]> =
            (0..held.len()).filter(stays).filter(in_the_way).collect();
        reservation.make = make;
        if give_way.is_empty() {
            break;
        }
        if give_way.iter().any(|&index| held[index].pinned) {
            return None;
        }
        evict.extend(give_way);
    }
    let more = words(reservation.make.iter().map(|want| want.span));
    let stay = (0..held.len()).filter(|index| !reservation.evict.contains(index));
    let mut used = words(stay.clone().map(|index| held[index].span));
    let is_free = |index: &usize| {
        let buffer = &held[*index];
        !buffer.pinned && !wants.iter().any(|want| serves(buffer, want))
    };
    let mut free: SmallVec<[usize; 8]> = stay.filter(is_free).collect();
    free.sort_by_key(|&index| {
        let buffer = &held[index];
        (
            Reverse(buffer.next_use.unwrap_or(u64::MAX)),
            buffer.last_use,
        )
    });
    let mut victims: SmallVec<[usize; 8]> = SmallVec::new();
    for index in free.into_iter().take_while(|_| more > 0) {
        if used + more <= budget_words {
            break;
        }
        used -= held[index].span.words();
        victims.push(index);
    }
    if more > 0 && used + more > budget_words {
        return None;
    }
    // A large one may have made the small ones before it needless.
    victims.retain(|index| {
        let stays = used + held[*index].span.words() + more <= budget_words;
        if stays {
            used += held[*index].span.words();
        }
        !stays
    });
    reservation.evict.extend(victims);
    Some(reservation)
}

fn words(spans: impl Iterator<Item = Span>) -> u64 {
    spans.map(Span::words).sum()
}

/// The wanted ranges, with those of one array that share words made one: a word has one place in a memory.
fn joined(wants: &[Want]) -> SmallVec<[Want; 8]> {
    let mut sorted: SmallVec<[Want; 8]> = wants.iter().copied().collect();
    sorted.sort_unstable();
    let mut out: SmallVec<[Want; 8]> = SmallVec::new();
    for want in sorted.into_iter().filter(|want| !want.span.is_empty()) {
        match out.last_mut() {
            Some(last) if last.array == want.array && want.span.lo < last.span.hi => {
                last.span.hi = last.span.hi.max(want.span.hi);
            }
            _ => out.push(want),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ARRAY: u64 = 40;

    fn held(array: u64, lo: u64, hi: u64, last_use: u64) -> Held {
        Held {
            array,
            span: Span::new(lo, hi),
            pinned: false,
            last_use,
            next_use: None,
        }
    }

    fn want(array: u64, lo: u64, hi: u64) -> Want {
        Want {
            array,
            span: Span::new(lo, hi),
        }
    }

    #[test]
    fn what_was_used_longest_ago_leaves_unless_a_queued_launch_uses_it_soon() {
        let mut memory = [held(1, 0, 10, 3), held(2, 0, 10, 1), held(3, 0, 10, 2)];
        let victims = |memory: &[Held]| reserve(35, memory, &[want(4, 0, 12)]).unwrap().evict;
        assert_eq!(victims(&memory)[..], [1]);
        memory[1].next_use = Some(0);
        assert_eq!(victims(&memory)[..], [2]);
        (memory[0].next_use, memory[2].next_use) = (Some(5), Some(2));
        assert_eq!(victims(&memory)[..], [0]);
    }

    #[test]
    fn nothing_leaves_while_there_is_room_and_what_is_there_is_used() {
        let memory = [held(1, 0, 10, 1), held(2, 0, 10, 2)];
        let reservation = reserve(32, &memory, &[want(1, 2, 8), want(3, 0, 12)]).unwrap();
        assert!(reservation.evict.is_empty());
        assert_eq!(reservation.make[..], [want(3, 0, 12)]);
    }

    #[test]
    fn a_long_buffer_gives_way_to_the_short_range_that_is_wanted_of_it() {
        let memory = [held(1, 0, 30, 1)];
        let reservation = reserve(32, &memory, &[want(1, 4, 8), want(2, 0, 12)]).unwrap();
        assert_eq!(reservation.evict[..], [0]);
        assert_eq!(reservation.make[..], [want(1, 4, 8), want(2, 0, 12)]);
    }

    #[test]
    fn two_ranges_of_one_array_that_share_words_share_a_buffer() {
        let reservation = reserve(32, &[], &[want(1, 6, 20), want(1, 0, 8)]).unwrap();
        assert_eq!(reservation.make[..], [want(1, 0, 20)]);
    }

    #[test]
    fn refusals_tell_never_from_now() {
        let mut memory = [held(1, 0, 20, 1)];
        memory[0].pinned = true;
        let never = reserve(32, &memory, &[want(2, 0, 20), want(3, 0, 20)]).unwrap_err();
        assert_eq!(
            never.to_string(),
            "its arrays need 160 B at once, and the budget of its memory is 128 B"
        );
        let now = reserve(32, &memory, &[want(2, 0, 20)]).unwrap_err();
        assert_eq!(
            now.to_string(),
            "its arrays need 80 B, and parts at work use 80 B"
        );
    }

    fn any_want() -> impl Strategy<Value = Want> {
        (0_u64..6, 0..ARRAY, 1_u64..20)
            .prop_map(|(array, lo, words)| want(array, lo, (lo + words).min(ARRAY)))
    }

    /// A memory that obeys reservations; words of each buffer beside when it was used.
    fn obey(memory: &mut Vec<Held>, reservation: &Reservation, wants: &[Want], now: u64) {
        let mut index = 0;
        memory.retain(|_| {
            index += 1;
            !reservation.evict.contains(&(index - 1))
        });
        for made in &reservation.make {
            memory.push(held(made.array, made.span.lo, made.span.hi, now));
        }
        for buffer in memory {
            let used = |want: &Want| want.array == buffer.array && buffer.span.covers(want.span);
            if wants.iter().any(used) {
                buffer.last_use = now;
            }
        }
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(500, 0xe71c))]

        #[test]
        fn all_operands_of_a_part_have_their_room_at_once_and_none_evicts_another(
            parts in proptest::collection::vec(proptest::collection::vec(any_want(), 1..5), 1..12),
            budget_words in 20_u64..120,
            pins in proptest::collection::vec(any::<bool>(), 12),
        ) {
            let mut memory: Vec<Held> = Vec::new();
            for (now, wants) in (1..).zip(&parts) {
                for (buffer, pinned) in memory.iter_mut().zip(&pins) {
                    buffer.pinned = *pinned && now % 3 == 0;
                }
                let before = memory.clone();
                let reservation = match reserve(budget_words, &memory, wants) {
                    Ok(reservation) => reservation,
                    Err(NoRoom::Never { wanted_words, .. }) => {
                        prop_assert!(wanted_words > budget_words);
                        continue;
                    }
                    Err(NoRoom::Now { .. }) => {
                        prop_assert!(memory.iter().any(|held| held.pinned));
                        continue;
                    }
                };
                prop_assert!(reservation.evict.iter().all(|&index| !before[index].pinned));
                obey(&mut memory, &reservation, wants, now);
                prop_assert!(words(memory.iter().map(|held| held.span)) <= budget_words);
                for (index, a) in memory.iter().enumerate() {
                    for b in &memory[index + 1..] {
                        prop_assert!(a.array != b.array || a.span.intersection(b.span).words() == 0);
                    }
                }
                for want in wants {
                    let there = |held: &Held| held.array == want.array && held.span.covers(want.span);
                    prop_assert!(memory.iter().any(there), "{want:?} has its buffer");
                }
                // The same part again finds everything: operands that took turns in one place would never settle.
                let again = reserve(budget_words, &memory, wants).unwrap();
                prop_assert_eq!(again, Reservation::default());
            }
        }
    }
}
