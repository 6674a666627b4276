//! What happens on imagined machines? Any fault can be made to happen there, at any moment.

use std::time::Duration;

use impel::Runtime;
use impel::sim::{Fault, FaultKind, Gpu, Machine, Moment, Phase};

use crate::outcome::Outcome;
use crate::scenario::{self, Company, Program, VICTIM};

/// A row of the table: something that happens in some operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) kind: FaultKind,
    pub(crate) phase: Phase,
    pub(crate) moment: Moment,
    /// The share of parts that are computed twice.
    pub(crate) verified: f64,
}

/// Every fault in every phase that it can happen in.
pub(crate) fn rows() -> Vec<Row> {
    use Phase::{Allocate, Compute, Download, Submit, Upload};
    let mut rows = Vec::new();
    let mut add = |kind, phase, moments: &[Moment]| {
        rows.extend(moments.iter().map(|&moment| Row {
            kind,
            phase,
            moment,
            verified: 0.0,
        }));
    };
    let before = &[Moment::Before];
    add(FaultKind::Lost, Allocate, before);
    add(FaultKind::Lost, Upload, &Moment::ALL);
    add(FaultKind::Lost, Submit, before);
    add(FaultKind::Lost, Compute, &Moment::ALL);
    add(FaultKind::Lost, Download, &Moment::ALL);
    for kind in [FaultKind::OutOfMemory, FaultKind::Invalid] {
        for phase in [Allocate, Upload, Submit, Download] {
            add(kind, phase, before);
        }
    }
    for phase in [Upload, Compute, Download] {
        add(FaultKind::Hang, phase, &[Moment::During]);
    }
    add(FaultKind::Slow(1000.0), Compute, &[Moment::During]);
    for verified in [0.0, 1.0] {
        rows.push(Row {
            kind: FaultKind::WrongResult,
            phase: Compute,
            moment: Moment::During,
            verified,
        });
    }
    rows
}

/// A machine with two GPUs, and this happening to the first in its `nth` such operation.
pub(crate) fn machine(row: Row, nth: u32) -> Machine {
    let Row {
        kind,
        phase,
        moment,
        ..
    } = row;
    let gpu = VICTIM;
    Machine::desktop()
        .with(Gpu::card().named("first card"))
        .with(Gpu::card().named("second card"))
        .with_faults([Fault {
            gpu,
            phase,
            nth,
            moment,
            kind,
        }])
}

/// How the program ends when this happens in the `nth` such operation.
pub(crate) fn outcome(row: Row, nth: u32, company: Company) -> Outcome {
    let rt = Runtime::builder()
        .threads(2)
        .simulated(machine(row, nth))
        .hang_after(Duration::from_secs(5), 100.0)
        .verify_sample(row.verified, 0.0)
        .build()
        .expect("a machine of imagination");
    scenario::run(&rt, company, VICTIM, Program::default())
}
