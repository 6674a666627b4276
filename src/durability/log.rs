//! Which launches, versions and copies have to be remembered so that whatever a GPU alone holds can be made again?

use std::collections::BTreeMap;

use super::replay::{Need, Replay, Unrecoverable};
use super::versions::{Version, Versions};
use crate::graph::ArrayId;
use crate::region::{Span, SpanSet};

/// Launches that may have to be repeated. `W` is whatever a launch is, `D` whatever a copy of words is.
#[derive(Debug)]
pub(crate) struct Log<W, D> {
    next: Version,
    pub(super) entries: BTreeMap<Version, Entry<W>>,
    pub(super) arrays: BTreeMap<ArrayId, History<D>>,
    recompute_ns: f64,
    exposed_words: u64,
    kept_words: u64,
}

/// A launch.
#[derive(Debug)]
pub(super) struct Entry<W> {
    work: W,
    pub(super) reads: Vec<Need>,
    writes: Vec<(ArrayId, SpanSet)>,
    recompute_ns: f64,
    /// Whether what it wrote counts.
    done: bool,
}

/// What is known of one array.
#[derive(Debug)]
pub(super) struct History<D> {
    /// What each word is now, wherever it is.
    current: Versions,
    /// What main memory holds; nothing where it is being overwritten.
    pub(super) home: Versions,
    /// Words that main memory held once.
    pub(super) kept: Vec<Kept<D>>,
    exposed_words: u64,
}

/// A copy of words in a version that main memory no longer holds.
#[derive(Debug)]
pub(super) struct Kept<D> {
    pub(super) span: Span,
    pub(super) version: Version,
    data: D,
}

/// What a launch does to one of its arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) array: ArrayId,
    /// Length of the array.
    pub(crate) words: u64,
    /// Words whose contents it needs.
    pub(crate) reads: SpanSet,
    /// Words that it may write.
    pub(crate) writes: SpanSet,
}

impl<W, D> Default for Log<W, D> {
    fn default() -> Self {
        Self {
            next: Version(1),
            entries: BTreeMap::new(),
            arrays: BTreeMap::new(),
            recompute_ns: 0.0,
            exposed_words: 0,
            kept_words: 0,
        }
    }
}

impl<W, D> Log<W, D> {
    /// Whether no launch is remembered.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of launches that are remembered.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Predicted time of repeating all of them.
    pub(crate) fn recompute_ns(&self) -> f64 {
        self.recompute_ns
    }

    /// Words that are not in main memory as they are now.
    pub(crate) fn exposed_words(&self) -> u64 {
        self.exposed_words
    }

    /// Words of the copies that are kept.
    pub(crate) fn kept_words(&self) -> u64 {
        self.kept_words
    }

    /// The remembered launches.
    pub(crate) fn works(&self) -> impl Iterator<Item = &W> {
        self.entries.values().map(|entry| &entry.work)
    }

    /// A remembered launch.
    ///
    /// # Panics
    /// If it is not remembered.
    pub(crate) fn work(&self, version: Version) -> &W {
        &self.entries[&version].work
    }

    /// The kept copy that has these words in this version, and where it begins.
    pub(crate) fn kept(&self, array: ArrayId, version: Version, span: Span) -> Option<(u64, &D)> {
        let kept = &self.arrays.get(&array)?.kept;
        let holds = |kept: &&Kept<D>| {
            kept.version == version && kept.span.lo <= span.lo && span.hi <= kept.span.hi
        };
        kept.iter()
            .find(holds)
            .map(|kept| (kept.span.lo, &kept.data))
    }

    /// Remembers a launch that is about to start. Everything before it that it depends on has finished.
    pub(crate) fn begin(&mut self, work: W, touched: &[Touched], recompute_ns: f64) -> Version {
        let version = self.advance();
        let mut entry = Entry {
            work,
            reads: Vec::with_capacity(touched.len()),
            writes: Vec::with_capacity(touched.len()),
            recompute_ns,
            done: false,
        };
        for touch in touched {
            let array = touch.array;
            let history = self
                .arrays
                .entry(array)
                .or_insert_with(|| History::new(touch.words));
            let reads = history.current.within(&touch.reads);
            entry
                .reads
                .extend(reads.into_iter().map(|(span, version)| Need {
                    array,
                    span,
                    version,
                }));
            if !touch.writes.is_empty() {
                entry.writes.push((array, touch.writes.clone()));
            }
        }
        self.recompute_ns += recompute_ns;
        self.entries.insert(version, entry);
        version
    }

    /// The launch has ended well: what it wrote is as `at_home` says in main memory, too, and the rest only on GPUs.
    ///
    /// # Panics
    /// If the launch is not remembered.
    pub(crate) fn finish(
        &mut self,
        version: Version,
        at_home: impl Fn(ArrayId, &SpanSet) -> SpanSet,
    ) {
        let entry = self.entries.get_mut(&version);
        let entry = entry.expect("a launch that runs is remembered");
        entry.done = true;
        for (array, writes) in &entry.writes {
            let history = self.arrays.get_mut(array).expect("begin made it");
            history.current.set(writes, version);
            let at_home = at_home(*array, writes);
            if !at_home.is_empty() {
                history.home.set(&at_home, version);
            }
        }
        let written: Vec<ArrayId> = entry.writes.iter().map(|(array, _)| *array).collect();
        for array in written {
            self.recount(array);
        }
    }

    /// The launch has failed: whatever is where it should have written is of no use to anybody.
    pub(crate) fn abandon(&mut self, version: Version) {
        let Some(entry) = self.entries.remove(&version) else {
            return;
        };
        self.recompute_ns -= entry.recompute_ns;
        for (array, writes) in entry.writes {
            self.spoilt(array, &writes);
        }
    }

    /// What words are now is of no use to anybody, until they are written anew.
    pub(crate) fn spoilt(&mut self, array: ArrayId, spans: &SpanSet) {
        if let Some(history) = self.arrays.get_mut(&array) {
            history.current.remove(spans);
            self.recount(array);
        }
    }

    /// What of words of main memory has to be [kept](Self::keep) before they are [overwritten](Self::overwritten).
    pub(crate) fn to_keep(&self, array: ArrayId, spans: &SpanSet) -> Vec<(Span, Version)> {
        let Some(history) = self.arrays.get(&array) else {
            return Vec::new();
        };
        let held = history.home.within(spans);
        let mut wanted = Vec::new();
        for (span, version) in held {
            // A remembered launch makes its version again.
            if self.entries.contains_key(&version) {
                continue;
            }
            let readers = self.entries.range(version..);
            let reads = readers.flat_map(|(_, entry)| &entry.reads);
            let read = reads.filter(|need| need.array == array && need.version == version);
            let read: SpanSet = read.map(|need| need.span).collect();
            let already = history.kept_in(version);
            let lacking = read.within(span).difference(&already);
            wanted.extend(lacking.iter().map(|span| (span, version)));
        }
        wanted
    }

    /// Words of main memory are being overwritten: it counts as holding none of them.
    pub(crate) fn overwritten(&mut self, array: ArrayId, spans: &SpanSet) {
        if let Some(history) = self.arrays.get_mut(&array) {
            history.home.remove(spans);
            self.recount(array);
        }
    }

    /// Keeps a copy of words that main memory is about to lose.
    pub(crate) fn keep(&mut self, array: ArrayId, span: Span, version: Version, data: D) {
        if let Some(history) = self.arrays.get_mut(&array) {
            self.kept_words += span.words();
            history.kept.push(Kept {
                span,
                version,
                data,
            });
        }
    }

    /// The host, or a launch that is not remembered, has written words of main memory.
    pub(crate) fn host_wrote(&mut self, array: ArrayId, spans: &SpanSet) {
        let version = self.advance();
        if let Some(history) = self.arrays.get_mut(&array) {
            history.current.set(spans, version);
            history.home.set(spans, version);
            self.recount(array);
        }
    }

    /// Words have come home: main memory holds them as they are now. Of those that a running launch writes, nobody can say which
    /// version came; when it ends it will be known.
    pub(crate) fn fetched(&mut self, array: ArrayId, spans: &SpanSet) {
        let mut spans = spans.clone();
        for written in self.running_writes(array) {
            spans = spans.difference(written);
        }
        if let Some(history) = self.arrays.get_mut(&array) {
            for (span, version) in history.current.within(&spans) {
                history.home.set(&SpanSet::from(span), version);
            }
            self.recount(array);
        }
    }

    /// The words of each array that are not in main memory as they are now, but for those that a running launch is about to write.
    pub(crate) fn exposed(&self) -> Vec<(ArrayId, SpanSet)> {
        let exposed = |(&array, history): (&ArrayId, &History<D>)| {
            let spans = self
                .running_writes(array)
                .fold(history.exposed(), |left, written| left.difference(written));
            (history.exposed_words > 0 && !spans.is_empty()).then_some((array, spans))
        };
        self.arrays.iter().filter_map(exposed).collect()
    }

    fn running_writes(&self, array: ArrayId) -> impl Iterator<Item = &SpanSet> {
        let running = self.entries.values().filter(|entry| !entry.done);
        let written = running.flat_map(|entry| &entry.writes);
        written
            .filter(move |(written, _)| *written == array)
            .map(|(_, spans)| spans)
    }

    /// What has to be loaded and run so that words are again what they are now.
    pub(crate) fn replay(&self, wanted: &[(ArrayId, SpanSet)]) -> Result<Replay, Unrecoverable> {
        let mut needs = Vec::new();
        for (array, spans) in wanted {
            if !self.arrays.contains_key(array) {
                return Err(Unrecoverable {
                    array: *array,
                    spans: spans.clone(),
                });
            }
            needs.extend(self.needs_of(*array, spans));
        }
        self.replay_needs(needs)
    }

    /// Words as they are now.
    fn needs_of(&self, array: ArrayId, spans: &SpanSet) -> Vec<Need> {
        let history = self.arrays.get(&array);
        let versions = history.map(|history| history.current.within(spans));
        let need = |(span, version)| Need {
            array,
            span,
            version,
        };
        versions.into_iter().flatten().map(need).collect()
    }

    /// Forgets what could be lost without anybody missing it. Arrays that are not `wanted` will never be read again.
    /// Returns the launches that it forgets.
    pub(crate) fn prune(&mut self, wanted: impl Fn(ArrayId) -> bool) -> Vec<W> {
        let running = self.entries.values().filter(|entry| !entry.done);
        let mut needs: Vec<Need> = running.flat_map(|entry| &entry.reads).copied().collect();
        let exposed = self.exposed();
        for (array, spans) in exposed.into_iter().filter(|(array, _)| wanted(*array)) {
            needs.extend(self.needs_of(array, &spans));
        }
        let Ok(replay) = self.replay_needs(needs) else {
            // Something else will say what is missing when it is missed.
            return Vec::new();
        };
        let is_needed = |version: &Version, entry: &Entry<W>| !entry.done || replay.runs(*version);
        let entries = std::mem::take(&mut self.entries).into_iter();
        let (needed, forgotten) = entries.partition(|(version, entry)| is_needed(version, entry));
        self.entries = needed;
        for (array, history) in &mut self.arrays {
            history
                .kept
                .retain(|kept| replay.loads(*array, kept.span, kept.version));
        }
        let entries = &self.entries;
        self.arrays.retain(|array, history| {
            let read = |need: &Need| need.array == *array;
            let written = |(written, _): &(ArrayId, SpanSet)| written == array;
            !history.kept.is_empty()
                || entries
                    .values()
                    .any(|entry| entry.reads.iter().any(read) || entry.writes.iter().any(written))
        });
        self.count_all();
        let forgotten: BTreeMap<Version, Entry<W>> = forgotten;
        forgotten.into_values().map(|entry| entry.work).collect()
    }

    fn advance(&mut self) -> Version {
        let version = self.next;
        self.next.0 += 1;
        version
    }

    fn recount(&mut self, array: ArrayId) {
        if let Some(history) = self.arrays.get_mut(&array) {
            let words = history.exposed().words();
            self.exposed_words += words;
            self.exposed_words -= std::mem::replace(&mut history.exposed_words, words);
        }
    }

    fn count_all(&mut self) {
        let histories = self.arrays.values();
        self.exposed_words = histories.clone().map(|history| history.exposed_words).sum();
        let kept = histories.flat_map(|history| &history.kept);
        self.kept_words = kept.map(|kept| kept.span.words()).sum();
        self.recompute_ns = self.entries.values().map(|entry| entry.recompute_ns).sum();
    }
}

impl<D> History<D> {
    fn new(words: u64) -> Self {
        Self {
            current: Versions::first(words),
            home: Versions::first(words),
            kept: Vec::new(),
            exposed_words: 0,
        }
    }

    fn exposed(&self) -> SpanSet {
        self.current.unlike(&self.home)
    }

    /// The words that are kept in this version.
    pub(super) fn kept_in(&self, version: Version) -> SpanSet {
        let own = self.kept.iter().filter(|kept| kept.version == version);
        own.map(|kept| kept.span).collect()
    }
}
