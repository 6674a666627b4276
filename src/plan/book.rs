//! Which plans did a program follow, written down so that it can follow them again?
//!
//! ```text
//! impel-plans 1
//! device 0 Intel(R) Xeon(R) Processor
//! launch 0..500 jacobi 00c0ffee00c0ffee grid 64 64 1 axis y
//! part 0 from 0 0 0 to 64 20 1
//! part 1 from 0 20 0 to 64 64 1
//! end 3
//! ```
//!
//! Launches are numbered in the order in which the program makes them; those in a row that are alike stand together. The last line
//! counts the lines between it and the first, so that a file cut short is not taken for a whole one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::str::{FromStr, SplitWhitespace};

use thiserror::Error;

use super::{Part, Plan, SplitVerdict};
use crate::cost::Source;
use crate::lanes::Tile;
use crate::machine::DeviceId;

const HEADER: &str = "impel-plans 1";
const AXES: [&str; 3] = ["x", "y", "z"];

/// The plans of a program's launches, by their number: a plain value that can be written down and read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanBook {
    /// Names of the devices, the CPU's first.
    devices: Vec<String>,
    launches: BTreeMap<u64, Page>,
}

/// What is written of one launch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    kernel: String,
    fingerprint: u64,
    grid: [u32; 3],
    axis: Option<usize>,
    parts: Vec<(DeviceId, Tile)>,
}

/// Why plans that were written down cannot be followed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BookError {
    /// The text is no plan book of this version.
    #[error("these are no plans of this version: they begin with `{found}`, not `{HEADER}`")]
    Foreign {
        /// The start of the first line.
        found: String,
    },
    /// The text lacks its last line, or lines before that.
    #[error("the plans are cut short: the last line does not count the lines before it")]
    CutShort,
    /// A line makes no sense.
    #[error("line {line} of the plans makes no sense: `{text}`")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// This machine is another one.
    #[error("the plans are of another machine: {device} was {theirs}, and is {ours}")]
    OtherMachine {
        /// The first device that differs.
        device: DeviceId,
        /// What it was when the plans were made.
        theirs: String,
        /// What it is here.
        ours: String,
    },
    /// The program makes another launch.
    #[error("the plans are of another program: launch {number} was {theirs}, and is {ours}")]
    OtherLaunch {
        /// Number of the launch.
        number: u64,
        /// What it was when the plans were made.
        theirs: String,
        /// What it is here.
        ours: String,
    },
}

impl PlanBook {
    /// An empty book for a machine with these devices, the CPU first.
    pub fn of_devices<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let one_line = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            devices: names.into_iter().map(one_line).collect(),
            launches: BTreeMap::new(),
        }
    }

    /// Number of launches whose plans are written here.
    pub fn len(&self) -> usize {
        self.launches.len()
    }

    /// Whether no plan is written here.
    pub fn is_empty(&self) -> bool {
        self.launches.is_empty()
    }

    /// Notes that launch `number`, of `kernel` with this fingerprint, follows `plan`.
    pub fn write(&mut self, number: u64, kernel: &str, fingerprint: u64, plan: &Plan) {
        let parts = plan.parts.iter().map(|part| (part.device, part.tile));
        let page = Page {
            kernel: kernel.to_owned(),
            fingerprint,
            grid: plan.grid,
            axis: plan.axis,
            parts: parts.collect(),
        };
        self.launches.insert(number, page);
    }

    /// The plan that launch `number` is to follow, for [`Policy::Fixed`](super::Policy::Fixed).
    ///
    /// # Errors
    /// [`BookError::OtherLaunch`] if no such launch is written here, or one of another kernel or grid.
    pub fn read(
        &self,
        number: u64,
        kernel: &str,
        fingerprint: u64,
        grid: [u32; 3],
    ) -> Result<Plan, BookError> {
        let differs = |theirs: String, ours: String| BookError::OtherLaunch {
            number,
            theirs,
            ours,
        };
        let over = |kernel: &str, [x, y, z]: [u32; 3]| format!("`{kernel}` over {x} × {y} × {z}");
        let Some(page) = self.launches.get(&number) else {
            return Err(differs("not made".to_owned(), over(kernel, grid)));
        };
        if page.kernel != kernel || page.grid != grid {
            return Err(differs(over(&page.kernel, page.grid), over(kernel, grid)));
        }
        if page.fingerprint != fingerprint {
            let version = |fingerprint: u64| format!("version {fingerprint:016x} of `{kernel}`");
            return Err(differs(version(page.fingerprint), version(fingerprint)));
        }
        let part = |(device, tile): &(DeviceId, Tile)| Part {
            device: *device,
            tile: *tile,
            predicted_ns: 0.0,
            transfer_ns: 0.0,
            bytes_in: 0,
            bytes_out: 0,
            source: Source::Guess,
        };
        Ok(Plan {
            grid,
            axis: page.axis,
            parts: page.parts.iter().map(part).collect(),
            rejected: Vec::new(),
            split: SplitVerdict::Policy,
        })
    }

    /// Checks that the plans are of a machine with the same devices as `here`.
    ///
    /// # Errors
    /// [`BookError::OtherMachine`] names the first device that differs.
    pub fn check_machine(&self, here: &Self) -> Result<(), BookError> {
        let count = self.devices.len().max(here.devices.len());
        let name = |devices: &[String], at: usize| {
            let name = devices.get(at).map(String::as_str);
            name.unwrap_or("absent").to_owned()
        };
        for at in 0..count {
            let (theirs, ours) = (name(&self.devices, at), name(&here.devices, at));
            if theirs != ours {
                return Err(BookError::OtherMachine {
                    device: DeviceId(at as u8),
                    theirs,
                    ours,
                });
            }
        }
        Ok(())
    }

    /// The whole as text, for people and for [`PlanBook::from_str`].
    pub fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for (number, name) in self.devices.iter().enumerate() {
            lines.push(format!("device {number} {name}"));
        }
        let mut launches = self.launches.iter().peekable();
        while let Some((first, page)) = launches.next() {
            let mut end = first + 1;
            while launches
                .next_if(|(number, next)| **number == end && *next == page)
                .is_some()
            {
                end += 1;
            }
            page.write(*first, end, &mut lines);
        }
        let mut text = format!("{HEADER}\n");
        for line in &lines {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text, "end {}", lines.len());
        text
    }
}

impl Page {
    fn write(&self, first: u64, end: u64, lines: &mut Vec<String>) {
        let Self {
            kernel,
            fingerprint,
            grid: [x, y, z],
            axis,
            parts,
        } = self;
        let axis = axis.map_or("none", |axis| AXES[axis]);
        lines.push(format!(
            "launch {first}..{end} {kernel} {fingerprint:016x} grid {x} {y} {z} axis {axis}"
        ));
        for (device, tile) in parts {
            let ([a, b, c], [d, e, f]) = (tile.lo, tile.hi);
            lines.push(format!("part {} from {a} {b} {c} to {d} {e} {f}", device.0));
        }
    }
}

impl FromStr for PlanBook {
    type Err = BookError;

    /// Reads what [`PlanBook::to_text`] wrote.
    fn from_str(text: &str) -> Result<Self, BookError> {
        let mut lines: Vec<&str> = text.lines().collect();
        if lines.first().map(|line| line.trim_end()) != Some(HEADER) {
            let first = text.chars().take_while(|c| !c.is_control());
            return Err(BookError::Foreign {
                found: first.take(40).collect(),
            });
        }
        let end = lines.pop().unwrap_or_default();
        let between = lines.len().saturating_sub(1);
        if lines.is_empty() || end.trim_end() != format!("end {between}") {
            return Err(BookError::CutShort);
        }
        let mut reader = Reader::default();
        for (index, line) in lines.iter().enumerate().skip(1) {
            reader.read(line).ok_or_else(|| BookError::Line {
                line: index + 1,
                text: line.chars().take(80).collect(),
            })?;
        }
        reader.finish();
        Ok(reader.book)
    }
}

/// Launches that one line stands for at most, so that a line gone wrong does not fill memory.
const LAUNCHES_MAX: u64 = 1 << 24;

/// A book half read.
#[derive(Default)]
struct Reader {
    book: PlanBook,
    open: Option<(u64, u64, Page)>,
}

impl Reader {
    fn read(&mut self, line: &str) -> Option<()> {
        let mut fields = line.split_whitespace();
        match fields.next()? {
            "device" => {
                let number: usize = fields.next()?.parse().ok()?;
                if number != self.book.devices.len() || number > usize::from(u8::MAX) {
                    return None;
                }
                let name: Vec<&str> = fields.by_ref().collect();
                self.book.devices.push(name.join(" "));
            }
            "launch" => {
                self.finish();
                let (first, end) = fields.next()?.split_once("..")?;
                let (first, end): (u64, u64) = (first.parse().ok()?, end.parse().ok()?);
                let later = self.book.launches.keys().next_back();
                let in_order = later.is_none_or(|last| *last < first);
                if !in_order || first >= end || end - first > LAUNCHES_MAX {
                    return None;
                }
                self.open = Some((first, end, launch(&mut fields)?));
            }
            "part" => {
                let part = part(&mut fields)?;
                self.open.as_mut()?.2.parts.push(part);
            }
            _ => return None,
        }
        fields.next().is_none().then_some(())
    }

    /// Files the launch whose parts have been read.
    fn finish(&mut self) {
        if let Some((first, end, page)) = self.open.take() {
            let pages = (first..end).map(|number| (number, page.clone()));
            self.book.launches.extend(pages);
        }
    }
}

fn launch(fields: &mut SplitWhitespace<'_>) -> Option<Page> {
    let kernel = fields.next()?.to_owned();
    let fingerprint = u64::from_str_radix(fields.next()?, 16).ok()?;
    let grid = after(fields, "grid")?;
    let axis = (fields.next()? == "axis").then(|| fields.next())??;
    let axis = match AXES.iter().position(|name| *name == axis) {
        None if axis != "none" => return None,
        axis => axis,
    };
    Some(Page {
        kernel,
        fingerprint,
        grid,
        axis,
        parts: Vec::new(),
    })
}

fn part(fields: &mut SplitWhitespace<'_>) -> Option<(DeviceId, Tile)> {
    let device = DeviceId(fields.next()?.parse().ok()?);
    let (lo, hi) = (after(fields, "from")?, after(fields, "to")?);
    Some((device, Tile { lo, hi }))
}

/// Three numbers behind a word.
fn after(fields: &mut SplitWhitespace<'_>, word: &str) -> Option<[u32; 3]> {
    if fields.next()? != word {
        return None;
    }
    let mut number = || fields.next()?.parse().ok();
    Some([number()?, number()?, number()?])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(extent: u32, cut: u32) -> Plan {
        let part = |device: u8, lo: u32, hi: u32| Part {
            device: DeviceId(device),
            tile: Tile {
                lo: [0, lo, 0],
                hi: [4, hi, 1],
            },
            predicted_ns: 5.0,
            transfer_ns: 1.0,
            bytes_in: 2,
            bytes_out: 3,
            source: Source::Prior,
        };
        let parts = [part(0, 0, cut), part(1, cut, extent)];
        let parts: Vec<Part> = parts
            .into_iter()
            .filter(|part| part.tile.lo[1] < part.tile.hi[1])
            .collect();
        Plan {
            grid: [4, extent, 1],
            axis: (parts.len() > 1).then_some(1),
            parts,
            rejected: Vec::new(),
            split: SplitVerdict::OneDevice,
        }
    }

    fn book(launches: &[(u64, bool, u32, u32)]) -> PlanBook {
        let mut book = PlanBook::of_devices(["a CPU", "a  GPU\n(fast)"]);
        let mut number = 0;
        for (step, other, extent, cut) in launches {
            number += step;
            let (kernel, fingerprint) = if *other {
                ("saxpy", 7)
            } else {
                ("jacobi", u64::MAX)
            };
            book.write(
                number,
                kernel,
                fingerprint,
                &plan(*extent, cut % (extent + 1)),
            );
            number += 1;
        }
        book
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(200, 0x5eed))]

        #[test]
        fn plans_survive_being_written_and_read(
            launches in proptest::collection::vec(
                (0_u64..2, any::<bool>(), 1_u32..3, 0_u32..3), 0..30),
        ) {
            let book = book(&launches);
            let read: PlanBook = book.to_text().parse().unwrap();
            prop_assert_eq!(&read, &book);
            let mut number = 0;
            for (step, other, extent, cut) in launches {
                number += step;
                let (kernel, fingerprint) = if other { ("saxpy", 7) } else { ("jacobi", u64::MAX) };
                let again = read.read(number, kernel, fingerprint, [4, extent, 1]).unwrap();
                prop_assert_eq!(again.check([4, extent, 1]), Ok(()));
                let tiles = |plan: &Plan| plan.parts.iter().map(|part| (part.device, part.tile)).collect::<Vec<_>>();
                prop_assert_eq!(tiles(&again), tiles(&plan(extent, cut % (extent + 1))));
                number += 1;
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(
            noise in ".{0,100}", at in 0.0..1.0, cut in 0.0..1.0,
        ) {
            let mut text = book(&[(0, true, 2, 1), (0, true, 2, 1), (3, false, 1, 0)]).to_text();
            // Without the last number, at least: the end of the last line may be missing.
            let kept = ((text.len() - 2) as f64 * cut) as usize;
            prop_assert!(text[..kept].parse::<PlanBook>().is_err());
            text.insert_str((text.len() as f64 * at) as usize, &noise);
            let _ = text.parse::<PlanBook>();
        }
    }

    #[test]
    fn alike_launches_in_a_row_are_one_entry_that_people_can_read() {
        let text = book(&[(0, false, 2, 1), (0, false, 2, 1), (1, true, 1, 1)]).to_text();
        let expected = "\
impel-plans 1
device 0 a CPU
device 1 a GPU (fast)
launch 0..2 jacobi ffffffffffffffff grid 4 2 1 axis y
part 0 from 0 0 0 to 4 1 1
part 1 from 0 1 0 to 4 2 1
launch 3..4 saxpy 0000000000000007 grid 4 1 1 axis none
part 0 from 0 0 0 to 4 1 1
end 7
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_differs_is_named() {
        let book = book(&[(0, true, 2, 1)]);
        let error = |number, kernel, fingerprint, grid| {
            let outcome = book.read(number, kernel, fingerprint, grid);
            outcome.unwrap_err().to_string()
        };
        assert_eq!(
            error(0, "saxpy", 7, [4, 3, 1]),
            "the plans are of another program: launch 0 was `saxpy` over 4 × 2 × 1, and is `saxpy` over 4 × 3 × 1"
        );
        assert!(error(0, "saxpy", 8, [4, 2, 1]).contains("version 0000000000000007 of `saxpy`"));
        assert!(error(1, "saxpy", 7, [4, 2, 1]).contains("launch 1 was not made, and is `saxpy`"));
        let here = PlanBook::of_devices(["a CPU"]);
        assert_eq!(
            book.check_machine(&here).unwrap_err().to_string(),
            "the plans are of another machine: GPU 1 was a GPU (fast), and is absent"
        );
        let damaged = book.to_text().replace("axis y", "axis w");
        assert_eq!(
            damaged.parse::<PlanBook>().unwrap_err().to_string(),
            "line 4 of the plans makes no sense: `launch 0..1 saxpy 0000000000000007 grid 4 2 1 axis w`"
        );
    }
}
