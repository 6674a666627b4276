//! What happens on imagined machines? Any fault can be made to happen there, at any moment.

use std::time::Duration;

use impel::Runtime;
use impel::cost::DeviceLimits;
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
pub(crate) fn machine(row: Row, nth: u32, company: Company) -> Machine {
    let Row {
        kind,
        phase,
        moment,
        ..
    } = row;
    let gpu = VICTIM;
    let mut cpu = Machine::desktop();
    let mut card = Gpu::card();
    if company == Company::AsItGoes {
        // So slow that small launches are long.
        slow_down(&mut cpu.cpu, 1e7);
        slow_down(&mut card.limits, 2e7);
    }
    cpu.with(card.clone().named("first card"))
        .with(card.named("second card"))
        .with_faults([Fault {
            gpu,
            phase,
            nth,
            moment,
            kind,
        }])
}

/// Gives a device this bandwidth, and arithmetic to match.
fn slow_down(limits: &mut DeviceLimits, bytes_per_s: f64) {
    limits.bandwidth_bytes_per_s = bytes_per_s;
    limits.ops_per_s = bytes_per_s;
    limits.special_ops_per_s = bytes_per_s / 2.0;
}

/// How the program ends when this happens in the `nth` such operation.
pub(crate) fn outcome(row: Row, nth: u32, company: Company) -> Outcome {
    let rt = Runtime::builder()
        .threads(2)
        .simulated(machine(row, nth, company))
        .hang_after(Duration::from_secs(5), 100.0)
        .verify_sample(row.verified, 0.0)
        .build()
        .expect("a machine of imagination");
    scenario::run(&rt, company, VICTIM, Program::default())
}
