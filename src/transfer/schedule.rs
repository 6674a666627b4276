//! Which copies does a plan lack?

use thiserror::Error;

use super::commit::Company;
use super::copy::{Copies, Copy, Reason};
use crate::cost::Link;
use crate::machine::MemoryId;
use crate::plan::Plan;
use crate::region::{Footprint, Residency, Span, SpanSet, Touch, WORD_BYTES};

/// How a memory is reached from the host's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryLinks {
    /// Copies into it.
    pub up: Link,
    /// Copies out of it.
    pub down: Link,
}

impl MemoryLinks {
    /// Host memory itself.
    pub const HOST: Self = Self {
        up: Link::NONE,
        down: Link::NONE,
    };
}

/// Whether near ranges travel together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merging {
    /// Where the words between them cost less than a second copy.
    #[default]
    ByLink,
    /// Never: exactly the missing words move.
    Off,
}

/// Words that a launch needs and that no memory holds any more.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("words {words} of array argument {argument} were lost with the device that held them")]
pub struct Lost {
    /// Number of the array argument.
    pub argument: usize,
    /// The words.
    pub words: SpanSet,
}

/// The copies after which every part of `plan` finds in its memory all it needs.
///
/// `footprints` has one entry per part, `residencies` one per array argument (the same one twice for two views of an array), `links`
/// one per memory by number. Costs a few hundred nanoseconds where little is missing, and no allocation where nothing is.
///
/// # Errors
/// If words are needed that no memory holds.
///
/// # Panics
/// If `footprints` or `links` are too short.
pub fn copies(
    plan: &Plan,
    footprints: &[Footprint],
    residencies: &[&Residency],
    links: &[MemoryLinks],
    merging: Merging,
) -> Result<Copies, Lost> {
    assert_eq!(plan.parts.len(), footprints.len(), "a footprint per part");
    let memories = plan.parts.iter().map(|part| part.device.memory());
    let parts: Vec<(MemoryId, &Footprint)> = memories.zip(footprints).collect();
    let company = Company::of(parts.len());
    copies_of_parts(&parts, company, residencies, links, merging)
}

/// As [`copies`], for some parts of a launch: the memories that they run in, and what they touch.
///
/// # Errors
/// If words are needed that no memory holds.
///
/// # Panics
/// If `links` is too short.
pub fn copies_of_parts(
    parts: &[(MemoryId, &Footprint)],
    company: Company,
    residencies: &[&Residency],
    links: &[MemoryLinks],
    merging: Merging,
) -> Result<Copies, Lost> {
    let mut schedule = Schedule {
        links,
        merging,
        home: Vec::new(),
        copies: Copies::default(),
    };
    let mut present: Vec<Present<'_>> = Vec::new();
    for (argument, residency) in residencies.iter().copied().enumerate() {
        let known = present
            .iter()
            .position(|present| std::ptr::eq(present.before, residency));
        let at = known.unwrap_or_else(|| {
            present.push(Present {
                before: residency,
                arrived: None,
            });
            present.len() - 1
        });
        let touches = || {
            parts
                .iter()
                .map(|(memory, footprint)| (*memory, &footprint.arguments[argument]))
        };
        for (number, (memory, touch)) in touches().enumerate() {
            let to = company.place(touch, memory);
            let others = touches().enumerate().filter(|(other, _)| *other != number);
            let written = || {
                touches()
                    .flat_map(|(_, touch)| touch.writes.iter())
                    .collect()
            };
            let request = Request {
                argument,
                to,
                written: &written,
            };
            let needs = touch.contents();
            if present[at].now().valid(to).covers_all(&needs) {
                continue;
            }
            let halo = halo(&needs, others.map(|(_, (_, touch))| touch));
            schedule.bring(&request, &mut present[at], &needs, |missing| {
                reasons(touch, company, &halo, missing)
            })?;
        }
    }
    Ok(schedule.finish())
}

/// The copies after which `spans` of one array, argument number 0, are valid in host memory.
///
/// # Errors
/// If words are needed that no memory holds.
pub fn home(
    residency: &Residency,
    spans: &SpanSet,
    links: &[MemoryLinks],
    merging: Merging,
) -> Result<Copies, Lost> {
    let mut schedule = Schedule {
        links,
        merging,
        home: Vec::new(),
        copies: Copies::default(),
    };
    let mut present = Present {
        before: residency,
        arrived: None,
    };
    let request = Request {
        argument: 0,
        to: MemoryId::HOST,
        written: &|| SpanSet::EMPTY,
    };
    schedule.bring(&request, &mut present, spans, |missing| {
        vec![(Reason::HostRead, missing.clone())]
    })?;
    Ok(schedule.finish())
}

/// Words of `needs` that a neighbour in the launch needs too. Where one needs nothing that the other does not need as well, that is
/// no halo: both read the same table.
fn halo<'t>(needs: &SpanSet, others: impl Iterator<Item = &'t Touch>) -> SpanSet {
    let mut halo = SpanSet::EMPTY;
    for other in others {
        let theirs = other.needs();
        let both = needs.intersection(&theirs);
        if both != *needs && both != theirs {
            halo = halo.union(&both);
        }
    }
    halo
}

/// `missing` words of a part, parted by what they are for.
fn reasons(
    touch: &Touch,
    company: Company,
    halo: &SpanSet,
    missing: &SpanSet,
) -> Vec<(Reason, SpanSet)> {
    if touch.combine && company == Company::Shared {
        return vec![(Reason::Combine, missing.clone())];
    }
    let read = missing.intersection(&touch.reads);
    vec![
        (Reason::PartialWrite, missing.difference(&touch.reads)),
        (Reason::Halo, read.intersection(halo)),
        (Reason::Read, read.difference(halo)),
    ]
}

/// Where the words of an array are, the copies scheduled so far included.
struct Present<'a> {
    before: &'a Residency,
    arrived: Option<Residency>,
}

impl Present<'_> {
    fn now(&self) -> &Residency {
        self.arrived.as_ref().unwrap_or(self.before)
    }

    fn arrive(&mut self, memory: MemoryId, spans: &SpanSet) {
        self.arrived
            .get_or_insert_with(|| self.before.clone())
            .read_into(memory, spans);
    }
}

/// Who asks for words.
struct Request<'a> {
    argument: usize,
    to: MemoryId,
    /// Words that the launch writes: none of them may travel as a gap, since their writer may be at work by then.
    written: &'a dyn Fn() -> SpanSet,
}

struct Schedule<'a> {
    links: &'a [MemoryLinks],
    merging: Merging,
    /// Copies into host memory; the others are in `copies`.
    home: Vec<Copy>,
    copies: Copies,
}

impl Schedule<'_> {
    /// Schedules what of `needs` is missing where it is wanted: into host memory first, then on to a GPU.
    fn bring(
        &mut self,
        request: &Request<'_>,
        present: &mut Present<'_>,
        needs: &SpanSet,
        reasons: impl Fn(&SpanSet) -> Vec<(Reason, SpanSet)>,
    ) -> Result<(), Lost> {
        let missing = present.now().missing(request.to, needs);
        let mut far = present.now().missing(MemoryId::HOST, &missing);
        while !far.is_empty() {
            let Some(holder) = self.cheapest_holder(present.now(), &far) else {
                return Err(Lost {
                    argument: request.argument,
                    words: far,
                });
            };
            let found = far.intersection(present.now().valid(holder));
            let step = Request {
                to: MemoryId::HOST,
                ..*request
            };
            self.copy(&step, present, holder, &reasons(&found));
            far = far.difference(&found);
        }
        if request.to != MemoryId::HOST && !missing.is_empty() {
            self.copy(request, present, MemoryId::HOST, &reasons(&missing));
        }
        Ok(())
    }

    /// Of the memories that hold some of `words`, the one with the fastest link to the host.
    fn cheapest_holder(&self, residency: &Residency, words: &SpanSet) -> Option<MemoryId> {
        let holders = residency
            .holders()
            .filter(|holder| residency.valid(*holder).meets(words));
        let cost = |holder: &MemoryId| {
            self.links[usize::from(holder.0)]
                .down
                .copy_ns(words.words() as f64)
        };
        holders.min_by(|a, b| cost(a).total_cmp(&cost(b)))
    }

    fn copy(
        &mut self,
        request: &Request<'_>,
        present: &mut Present<'_>,
        from: MemoryId,
        pieces: &[(Reason, SpanSet)],
    ) {
        let Request {
            argument,
            to,
            written,
        } = *request;
        let mut ordered: Vec<Piece> = Vec::new();
        for (reason, words) in pieces {
            self.copies.totals.add(*reason, words.words());
            ordered.extend(words.iter().map(|span| (span, *reason, 0)));
        }
        ordered.sort_unstable();
        if self.merging == Merging::ByLink {
            let gap_words_max = self.gap_words_max(from, to);
            // Copies into host memory are made before all others: what those will bring to `from` is not there yet.
            let held = if to == MemoryId::HOST {
                present.before
            } else {
                present.now()
            };
            ordered = joined(&ordered, gap_words_max, held.valid(from), written);
        }
        let spans: SpanSet = ordered.iter().map(|(span, ..)| *span).collect();
        self.copies.totals.gap_words += ordered.iter().map(|(.., gap)| gap).sum::<u64>();
        present.arrive(to, &spans);
        let list = if to == MemoryId::HOST {
            &mut self.home
        } else {
            &mut self.copies.list
        };
        list.extend(ordered.into_iter().map(|(span, reason, gap_words)| Copy {
            argument,
            span,
            from,
            to,
            reason,
            gap_words,
        }));
    }

    /// The gap, in words, that costs no more than a second copy.
    fn gap_words_max(&self, from: MemoryId, to: MemoryId) -> u64 {
        let link = match to {
            MemoryId::HOST => self.links[usize::from(from.0)].down,
            device => self.links[usize::from(device.0)].up,
        };
        if link == Link::NONE {
            0
        } else {
            link.gap_bytes() as u64 / WORD_BYTES
        }
    }

    fn finish(mut self) -> Copies {
        self.home.append(&mut self.copies.list);
        self.copies.list = self.home;
        self.copies
    }
}

/// Words to copy, what most of them are for, and how many of them are gaps.
type Piece = (Span, Reason, u64);

/// Ascending `pieces`, with neighbours joined over short gaps of words that the source holds validly and nobody writes.
fn joined(
    pieces: &[Piece],
    gap_words_max: u64,
    valid: &SpanSet,
    written: &dyn Fn() -> SpanSet,
) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut forbidden = None;
    // Words of the piece that gave the last span its reason.
    let mut most = 0;
    for (span, reason, _) in pieces {
        let join = out.last().is_some_and(|(last, ..)| {
            let gap = Span::new(last.hi, span.lo);
            let mut allowed =
                || valid.covers(gap) && forbidden.get_or_insert_with(written).words_in(gap) == 0;
            gap.is_empty() || (gap.words() <= gap_words_max && allowed())
        });
        if let Some((last, why, gap)) = out.last_mut().filter(|_| join) {
            *gap += span.lo - last.hi;
            last.hi = span.hi;
            if span.words() > most {
                (*why, most) = (*reason, span.words());
            }
        } else {
            out.push((*span, *reason, 0));
            most = span.words();
        }
    }
    out
}
