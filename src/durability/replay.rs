//! Which launches have to be repeated, in what order, and from which copies, so that lost words are had again?

use std::collections::BTreeMap;
use std::fmt;

use super::log::Log;
use super::versions::Version;
use crate::graph::ArrayId;
use crate::region::{Span, SpanSet};

/// Words in the version that somebody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) array: ArrayId,
    pub(crate) span: Span,
    pub(crate) version: Version,
}

/// Words that nothing can bring back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unrecoverable {
    pub(crate) array: ArrayId,
    pub(crate) spans: SpanSet,
}

/// Steps that make words again, in memory of their own that is as large as the arrays and holds anything at first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replay {
    pub(crate) steps: Vec<Step>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Copies words from where they are.
    Load { need: Need, from: Source },
    /// Repeats a launch.
    Run(Version),
}

/// Where words are in an old version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In main memory, where the array has them.
    Home,
    /// In a copy that was kept.
    Kept,
}

impl Replay {
    /// Number of launches to repeat.
    pub(crate) fn launches(&self) -> usize {
        let runs = |step: &&Step| matches!(step, Step::Run(_));
        self.steps.iter().filter(runs).count()
    }

    /// Whether it repeats this launch.
    pub(super) fn runs(&self, version: Version) -> bool {
        self.steps.contains(&Step::Run(version))
    }

    /// Whether it loads something of a kept copy.
    pub(super) fn loads(&self, array: ArrayId, span: Span, version: Version) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Load { need, from } => {
                *from == Source::Kept
                    && need.array == array
                    && need.version == version
                    && need.span.lo < span.hi
                    && span.lo < need.span.hi
            }
            Step::Run(_) => false,
        })
    }
}

/// What is needed of one version, by array.
type Needed = BTreeMap<ArrayId, SpanSet>;

impl<W, D> Log<W, D> {
    /// What has to be loaded and run so that all `needs` are met.
    ///
    /// Versions are met from the last to the first: a version that is still somewhere is loaded, and otherwise its launch is repeated, which
    /// needs what that launch read. So no launch is repeated that need not be. In the end the steps stand in the order of
    /// the versions, in which nothing overwrites what a later step needs: it did not when the launches ran first.
    pub(super) fn replay_needs(&self, needs: Vec<Need>) -> Result<Replay, Unrecoverable> {
        let mut open: BTreeMap<Version, Needed> = BTreeMap::new();
        for need in needs {
            add(&mut open, need);
        }
        let mut backwards = Vec::new();
        while let Some((version, needed)) = open.pop_last() {
            match self.load_all(version, &needed) {
                Ok(loads) => backwards.extend(loads),
                Err(missing) => {
                    let entry = self.entries.get(&version).ok_or(missing)?;
                    backwards.push(Step::Run(version));
                    for need in &entry.reads {
                        add(&mut open, *need);
                    }
                }
            }
        }
        backwards.reverse();
        Ok(Replay { steps: backwards })
    }

    /// The loads that meet all that is needed of a version, or what none can meet.
    fn load_all(&self, version: Version, needed: &Needed) -> Result<Vec<Step>, Unrecoverable> {
        let mut steps = Vec::new();
        for (&array, spans) in needed {
            let missing = |spans: &SpanSet| Unrecoverable {
                array,
                spans: spans.clone(),
            };
            let history = self.arrays.get(&array).ok_or_else(|| missing(spans))?;
            let mut load = |found: &SpanSet, from| {
                steps.extend(found.iter().map(|span| Step::Load {
                    need: Need {
                        array,
                        span,
                        version,
                    },
                    from,
                }));
            };
            let home = history.home.having(version, spans);
            load(&home, Source::Home);
            let mut rest = spans.difference(&home);
            for kept in history.kept.iter().filter(|kept| kept.version == version) {
                let found = rest.within(kept.span);
                load(&found, Source::Kept);
                rest = rest.difference(&found);
            }
            if !rest.is_empty() {
                return Err(missing(&rest));
            }
        }
        Ok(steps)
    }
}

fn add(open: &mut BTreeMap<Version, Needed>, need: Need) {
    let of_version = open.entry(need.version).or_default();
    of_version.entry(need.array).or_default().insert(need.span);
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load { need, from } => {
                let from = match from {
                    Source::Home => "main memory",
                    Source::Kept => "a kept copy",
                };
                let (array, span, version) = (need.array.0, need.span, need.version.0);
                write!(
                    f,
                    "load words {span} of array {array}, version {version}, from {from}"
                )
            }
            Self::Run(version) => write!(f, "repeat the launch that made version {}", version.0),
        }
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        Ok(())
    }
}
