//! What does a given tile on a given device cost, copies from where the arrays really are included?

use super::Part;
use super::situation::{Candidate, Situation, workgroups};
use crate::cost::Link;
use crate::lanes::Tile;
use crate::machine::MemoryId;
use crate::region::{Footprint, Residency, SpanSet, Touch, WORD_BYTES};

/// Whether a part shares its launch with other devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    Alone,
    Shared,
}

/// Copies before and after a part.
#[derive(Clone, Copy, Debug, Default)]
struct Copying {
    words_in: u64,
    words_out: u64,
    ns: f64,
}

/// The part that does `tile`, with footprint `footprint`, on `candidate`.
pub(super) fn part(
    situation: &Situation<'_>,
    candidate: &Candidate,
    tile: Tile,
    footprint: &Footprint,
    company: Company,
) -> Part {
    let mut copying = Copying::default();
    for (argument, touch) in situation.arguments.iter().zip(&footprint.arguments) {
        let private = touch.combine && company == Company::Shared;
        // Private copies are combined in host memory with what is there; alone, a device combines in place.
        let needs = if private && candidate.device.memory() != MemoryId::HOST {
            touch.needs()
        } else {
            touch.contents()
        };
        copies_in(
            &mut copying,
            situation,
            candidate,
            argument.residency,
            &needs,
        );
        let next = if private {
            Some(MemoryId::HOST)
        } else {
            argument.next
        };
        if let Some(next) = next {
            copies_out(&mut copying, situation, candidate, touch, next);
        }
    }
    let share = workgroups(&tile) as f64 / workgroups(&situation.whole()) as f64;
    let whole = &candidate.whole;
    Part {
        device: candidate.device,
        tile,
        predicted_ns: candidate.ready_ns + whole.fixed_ns + whole.work_ns * share + copying.ns,
        transfer_ns: copying.ns,
        bytes_in: copying.words_in * WORD_BYTES,
        bytes_out: copying.words_out * WORD_BYTES,
        source: whole.source,
    }
}

/// The part that does the whole launch on `candidate`, if nothing has to be copied for that: seen without a footprint.
pub(super) fn whole_in_place(situation: &Situation<'_>, candidate: &Candidate) -> Option<Part> {
    let memory = candidate.device.memory();
    let in_place = |argument: &super::Argument<'_>| {
        argument.residency.valid(memory).words() == argument.residency.words()
            && argument.next.is_none_or(|next| next == memory)
    };
    let untouched = Footprint::default();
    let whole = situation.whole();
    situation
        .arguments
        .iter()
        .all(in_place)
        .then(|| part(situation, candidate, whole, &untouched, Company::Alone))
}

fn copies_in(
    copying: &mut Copying,
    situation: &Situation<'_>,
    candidate: &Candidate,
    residency: &Residency,
    needs: &SpanSet,
) {
    let memory = candidate.device.memory();
    let missing = residency.missing(memory, needs);
    if missing.is_empty() {
        return;
    }
    copying.words_in += missing.words();
    copying.ns += copy_ns(&candidate.up, &missing);
    let mut far = residency.missing(MemoryId::HOST, &missing);
    for holder in residency
        .holders()
        .filter(|holder| *holder != MemoryId::HOST)
    {
        let found = far.intersection(residency.valid(holder));
        if !found.is_empty() {
            copying.ns += copy_ns(&situation.down(holder), &found);
            far = far.difference(&found);
        }
    }
}

/// Time to bring into main memory what `parts` need and is neither there nor in their own memories: one copy after another, for one part
/// after another, no word twice.
pub(super) fn home_ns(situation: &Situation<'_>, parts: &[Part], footprints: &[Footprint]) -> f64 {
    let mut ns = 0.0;
    for (index, argument) in situation.arguments.iter().enumerate() {
        let residency = argument.residency;
        let mut home = residency.valid(MemoryId::HOST).clone();
        for (part, footprint) in parts.iter().zip(footprints) {
            let needs = footprint.arguments[index].contents();
            let mut far = residency
                .missing(part.device.memory(), &needs)
                .difference(&home);
            for holder in residency
                .holders()
                .filter(|holder| *holder != MemoryId::HOST)
            {
                let found = far.intersection(residency.valid(holder));
                if !found.is_empty() {
                    ns += copy_ns(&situation.down(holder), &found);
                    far = far.difference(&found);
                    home = home.union(&found);
                }
            }
        }
    }
    ns
}

fn copies_out(
    copying: &mut Copying,
    situation: &Situation<'_>,
    candidate: &Candidate,
    touch: &Touch,
    next: MemoryId,
) {
    let memory = candidate.device.memory();
    if next == memory || touch.writes.is_empty() {
        return;
    }
    copying.words_out += touch.writes.words();
    copying.ns += copy_ns(&candidate.down, &touch.writes);
    let reader = situation
        .candidates
        .iter()
        .find(|other| other.device.memory() == next);
    copying.ns += reader.map_or(0.0, |reader| copy_ns(&reader.up, &touch.writes));
}

/// Time to copy `spans`, near ones together.
pub(super) fn copy_ns(link: &Link, spans: &SpanSet) -> f64 {
    if *link == Link::NONE {
        return 0.0;
    }
    let copied = spans.merged(gap_words(link));
    let bytes = (copied.words() * WORD_BYTES) as f64;
    link.latency_ns * copied.spans().len() as f64 + bytes * link.ns_per_byte()
}

/// Gaps up to this are cheaper than a second copy.
pub(super) fn gap_words(link: &Link) -> u64 {
    link.gap_bytes() as u64 / WORD_BYTES
}
