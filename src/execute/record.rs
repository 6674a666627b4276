//! What is told of launches to the trace? The events of launches, parts and copies, composed from what the executor has at hand.

use super::Shared;
use super::job::Job;
use crate::array::ArrayCore;
use crate::error::LaunchError;
use crate::graph::{Access, TaskId};
use crate::lanes::Tile;
use crate::launch::LaunchBody;
use crate::machine::DeviceId;
use crate::plan::{Part, Plan};
use crate::region::{Footprint, Span};
use crate::trace::{
    ArrayNo, Event, LaunchNo, PartKind, PartNo, Planned, Range, Reach, Trace, TraceDevice, Use,
};
use crate::transfer::{Company, Copy};

/// A part about to start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Starting<'a> {
    pub(super) device: DeviceId,
    pub(super) tile: Tile,
    pub(super) footprint: &'a Footprint,
    pub(super) company: Company,
    pub(super) kind: PartKind,
    pub(super) predicted_ns: f64,
}

impl From<TaskId> for LaunchNo {
    fn from(id: TaskId) -> Self {
        Self(id.0)
    }
}

impl From<&Part> for Planned {
    fn from(part: &Part) -> Self {
        Self {
            device: part.device,
            tile: part.tile,
            predicted_ns: part.predicted_ns,
            transfer_ns: part.transfer_ns,
            bytes_in: part.bytes_in,
        }
    }
}

impl ArrayCore {
    /// The array's number in traces.
    pub(crate) fn number(&self) -> ArrayNo {
        ArrayNo(self.id().0)
    }
}

impl Shared {
    /// What happened since the trace was turned on.
    pub(crate) fn trace_so_far(&self) -> Trace {
        self.read_clocks();
        let (events, dropped) = self.trace.events();
        let devices = self.devices.machine.devices();
        let devices = devices.map(|(id, name)| TraceDevice {
            id,
            name: name.to_owned(),
        });
        Trace {
            devices: devices.collect(),
            events,
            dropped,
        }
    }

    pub(super) fn record_queued(&self, id: TaskId, body: &LaunchBody) {
        self.trace.record(|| Event::LaunchQueued {
            launch: id.into(),
            kernel: body.kernel.name.into(),
            grid: body.num_workgroups(),
            accesses: body.accesses().iter().map(range).collect(),
        });
    }

    pub(super) fn record_finished(&self, id: TaskId, error: Option<&LaunchError>) {
        self.trace.record(|| Event::LaunchFinished {
            launch: id.into(),
            error: error.map(|error| error.to_string().into()),
        });
    }

    pub(super) fn record_plan(&self, job: &Job<'_>, plan: &Plan) {
        self.trace.record(|| Event::PlanMade {
            launch: job.number,
            parts: plan.parts.iter().map(Planned::from).collect(),
            verdict: plan.split.to_string().into(),
        });
    }

    /// Notes what a launch is, for whoever wants to plan it again elsewhere.
    pub(super) fn record_description(&self, job: &Job<'_>) {
        let axis = job.axis();
        let footprint = |from: u32, to: u32| {
            let mut tile = job.whole();
            (tile.lo[axis], tile.hi[axis]) = (from, to);
            job.facts.footprint_anew(tile, Company::Shared)
        };
        self.trace.record(|| {
            let arrays = job.slots.iter().map(|slot| slot.core.number());
            let arrays: Vec<ArrayNo> = arrays.collect();
            Event::LaunchDescribed {
                launch: job.number,
                work: job.facts.work,
                axis: job.facts.refusal().is_none().then_some(axis),
                reaches: Reach::of(&arrays, job.grid[axis], footprint),
            }
        });
    }

    /// Numbers a part and notes that it starts.
    pub(super) fn record_part(&self, job: &Job<'_>, starting: &Starting<'_>) -> PartNo {
        if !self.trace.is_on() {
            return PartNo::default();
        }
        let part = self.trace.next_part();
        let memory = starting.device.memory();
        let accesses = job.body.kernel.access.buffers;
        let touches = starting.footprint.arguments.iter().zip(accesses);
        let uses = job
            .slots
            .iter()
            .zip(touches)
            .map(|(slot, (touch, access))| {
                let apart = touch.combine && starting.company == Company::Shared;
                Use {
                    array: slot.core.number(),
                    memory: starting.company.place(touch, memory),
                    needs: if apart {
                        touch.writes.clone()
                    } else {
                        touch.needs()
                    },
                    writes: touch.writes.clone(),
                    combine: access.combine.is_some(),
                }
            });
        let uses = uses.collect();
        self.trace.record(|| Event::PartStarted {
            launch: job.number,
            part,
            kind: starting.kind,
            device: starting.device,
            tile: starting.tile,
            uses,
            predicted_ns: starting.predicted_ns,
        });
        part
    }

    /// Notes copies that were made together in `ns`.
    pub(super) fn record_copies(
        &self,
        launch: Option<LaunchNo>,
        core: &ArrayCore,
        run: &[Copy],
        ns: u64,
    ) {
        let mut report = self.report();
        for copy in run {
            report.add_reason(copy.reason, copy.span.words() - copy.gap_words);
        }
        drop(report);
        for copy in run {
            self.trace.record(|| Event::Copied {
                launch,
                array: core.number(),
                span: copy.span,
                from: copy.from,
                to: copy.to,
                reason: copy.reason,
                gap_words: copy.gap_words,
                ns,
            });
        }
    }

    /// Notes that a device failed, and whether it is gone for that.
    pub(super) fn record_device_failure(
        &self,
        device: DeviceId,
        error: &crate::device::DeviceError,
    ) {
        let cause = || error.to_string().into();
        self.trace.warn(|| Event::DeviceFailed {
            device,
            cause: cause(),
        });
        self.note_loss(device);
    }

    pub(crate) fn record_host_read(&self, core: &ArrayCore, span: Span) {
        let array = core.number();
        self.trace.record(|| Event::HostRead { array, span });
    }

    pub(crate) fn record_host_write(&self, core: &ArrayCore, span: Span) {
        let array = core.number();
        self.trace.record(|| Event::HostWrote { array, span });
    }
}

fn range(access: &Access) -> Range {
    Range {
        array: ArrayNo(access.array.0),
        span: access.span,
        write: access.write,
    }
}
