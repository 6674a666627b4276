//! On what does a recorded program run in virtual time? An imagined machine, or the one that it was recorded on, as the planner sees it
//! and as it is.

use impel::cost::{Link, Prediction, Source, Work};
use impel::machine::{DeviceId, MemoryId};
use impel::plan::{Candidate, Reason};
use impel::region::WORD_BYTES;
use impel::simulate::{self, Duplex, Load};
use impel::trace::TraceDevice;
use impel::transfer::MemoryLinks;

use super::machine::{Device, Machine};
use super::own::Own;
use super::program::Launch;

/// Operations of a unit of a load: one is a millionth of a unit's arithmetic, whatever it really is.
const OPS: f64 = 1e6;

/// On what a program runs.
pub(crate) enum On<'a> {
    /// An imagined machine; the planner decides anew.
    Machine(&'a Machine),
    /// The machine that it was recorded on, as the trace shows it; the plans are the recorded ones.
    Own(&'a Own, Vec<TraceDevice>),
}

impl On<'_> {
    pub(super) fn devices(&self) -> Vec<TraceDevice> {
        match self {
            On::Machine(machine) => (0..)
                .zip(&machine.devices)
                .map(|(id, device)| TraceDevice {
                    id: DeviceId(id),
                    name: device.name.clone(),
                })
                .collect(),
            On::Own(_, devices) => devices.clone(),
        }
    }

    /// Device number `number` as a machine file describes it.
    pub(super) fn described(&self, number: usize) -> Option<&Device> {
        match self {
            On::Machine(machine) => machine.devices.get(number),
            On::Own(..) => None,
        }
    }

    /// What the host adds to a launch, in ns.
    pub(super) fn overhead_ns(&self, kernel: &str, first: bool) -> f64 {
        match self {
            On::Own(own, _) => own.overhead_ns(kernel, first),
            On::Machine(_) => 0.0,
        }
    }

    /// Fixed and growing time of a launch on a device, in ns; none if it cannot be said.
    fn time(&self, launch: &Launch, device: DeviceId) -> Option<(f64, f64)> {
        match self {
            On::Machine(machine) => {
                let limits = &machine.devices[usize::from(device.0)].limits;
                Some((limits.launch_ns, limits.work_ns(launch.work)))
            }
            On::Own(own, _) => own.predict(launch, device),
        }
    }

    pub(super) fn links(&self, count: usize) -> Vec<MemoryLinks> {
        let of = |number: usize| match self {
            On::Machine(machine) => MemoryLinks {
                up: machine.devices[number].limits.up,
                down: machine.devices[number].limits.down,
            },
            On::Own(own, _) => {
                let memory = MemoryId(number as u8);
                let link = |from, to| own.link(from, to).unwrap_or(Link::NONE);
                MemoryLinks {
                    up: link(MemoryId::HOST, memory),
                    down: link(memory, MemoryId::HOST),
                }
            }
        };
        (0..count).map(of).collect()
    }

    /// The machine as it is for one launch.
    pub(super) fn world(
        &self,
        launch: &Launch,
        units: u64,
        links: &[MemoryLinks],
    ) -> (simulate::Machine, Load) {
        let mut load = Load::even(units, OPS, 0.0);
        let mut buses = vec![f64::INFINITY];
        if let On::Machine(machine) = self {
            load.bytes_per_unit = launch.work.bytes / units as f64;
            buses[0] = machine.devices[0].limits.bandwidth_bytes_per_s / 1e9;
        }
        let numbers = links.iter().enumerate();
        let devices = numbers.map(|(number, links)| self.device(launch, units, number, *links));
        let devices = devices.collect();
        (simulate::Machine { devices, buses }, load)
    }

    /// A device as it is for one launch.
    fn device(
        &self,
        launch: &Launch,
        units: u64,
        number: usize,
        links: MemoryLinks,
    ) -> simulate::Device {
        let time = self.time(launch, DeviceId(number as u8));
        let (launch_ns, work_ns) = time.unwrap_or((0.0, 1e18));
        let mut device = simulate::Device::cpu(units as f64 * OPS / work_ns.max(1.0), 1e9);
        (device.launch_ns, device.queued_launch_ns) = (launch_ns, launch_ns);
        (device.link_up, device.link_down) = (links.up, links.down);
        device.bus = (number == 0).then_some(0);
        device.duplex = Duplex::Half;
        let Some(own) = self.described(number) else {
            return device;
        };
        let arithmetic = Work {
            bytes: 0.0,
            fresh_bytes: 0.0,
            ..launch.work
        };
        let arithmetic_ns = own.limits.work_ns(arithmetic).max(1e-3);
        device.ops_per_ns = units as f64 * OPS / arithmetic_ns;
        device.bytes_per_ns = own.limits.bandwidth_bytes_per_s / 1e9;
        (device.cache_bytes, device.cache_gain) = (own.cache_bytes, own.cache_gain);
        device.bus = (number == 0 || own.shares_memory).then_some(0);
        device.cores = (number == 0 || own.shares_cores).then_some(0);
        (device.duplex, device.copying) = (own.duplex, own.copying);
        device
    }

    /// The devices as the planner sees them.
    pub(super) fn candidates(&self, launch: &Launch, links: &[MemoryLinks]) -> Vec<Candidate> {
        let needed: u64 = launch
            .reaches
            .iter()
            .map(|reach| reach.reads.all.hull(reach.writes.all).words() * WORD_BYTES)
            .sum();
        let candidate = |(number, links): (usize, &MemoryLinks)| {
            let device = DeviceId(number as u8);
            let time = self.time(launch, device);
            let described = self.described(number);
            let room = described.map_or(f64::INFINITY, |own| own.memory_bytes);
            let (fixed_ns, work_ns) = time.unwrap_or((0.0, 0.0));
            let unusable = if time.is_none() {
                Some(Reason::Unsupported("it never ran this kernel".to_owned()))
            } else if needed as f64 > room {
                Some(Reason::Unsupported(format!(
                    "its memory holds {room:.1e} bytes of {needed}"
                )))
            } else {
                None
            };
            Candidate {
                device,
                unusable,
                ready_ns: 0.0,
                whole: Prediction {
                    ns: fixed_ns + work_ns,
                    fixed_ns,
                    work_ns,
                    spread: 0.1,
                    confidence: 0.9,
                    idle_launches: 0,
                    source: Source::Prior,
                },
                up: links.up,
                down: links.down,
                dispatch_ns_max: f64::INFINITY,
                power: described.and_then(|own| own.power),
            }
        };
        links.iter().enumerate().map(candidate).collect()
    }
}
