//! What time is it on an imagined machine, and what has it drawn? One clock for the host and all devices. Nothing here waits: time
//! passes when somebody asks for what is not done yet.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::Machine;
use super::streams::{Range, Streams};
use crate::cost::{Power, Work};
use crate::machine::DeviceId;
use crate::timing::Way;

/// The virtual clock of a machine and all its devices.
#[derive(Debug)]
pub(crate) struct World {
    /// The CPU's first.
    power: Vec<Option<Power>>,
    streams: Mutex<Streams>,
}

impl World {
    pub(crate) fn new(machine: &Machine) -> Arc<Self> {
        let gpus = machine.gpus.iter().map(|gpu| gpu.power);
        Arc::new(Self {
            power: [machine.cpu_power].into_iter().chain(gpus).collect(),
            streams: Mutex::new(Streams::new(machine)),
        })
    }

    /// The host's time, in ns.
    pub(crate) fn now(&self) -> f64 {
        self.streams().now()
    }

    /// The CPU works; how long that took, in ns.
    pub(crate) fn work_on_cpu(&self, work: Work) -> f64 {
        let mut streams = self.streams();
        let (number, took) = streams.kernel(DeviceId::CPU, work, 1.0);
        streams.wait(DeviceId::CPU, (number, number + 1), f64::INFINITY);
        took.get().copied().unwrap_or_default()
    }

    /// The host waits until a device has done these operations, or for as long as it has patience: whether they are done.
    pub(super) fn wait(&self, device: DeviceId, ops: Range, patience_ns: f64) -> bool {
        let mut streams = self.streams();
        let latest = streams.now() + patience_ns;
        streams.wait(device, ops, latest)
    }

    pub(super) fn is_done(&self, device: DeviceId, ops: Range) -> bool {
        self.streams().is_done(device, ops)
    }

    /// A device will do some work, `slower` times as long as usual, when it has done what came before: which operation that is, and
    /// where it will say how long it took, in ns.
    pub(super) fn compute(
        &self,
        device: DeviceId,
        work: Work,
        slower: f64,
    ) -> (Range, Arc<OnceLock<f64>>) {
        let (number, took) = self.streams().kernel(device, work, slower);
        ((number, number + 1), took)
    }

    /// Words will go to a device, `slower` times as long as usual: which operation that is. Where things overlap, copies that follow one
    /// another hide each other's latency.
    pub(super) fn send(&self, device: DeviceId, bytes: u64, slower: f64) -> Range {
        let number = self.streams().copy((device, Way::Up), bytes, 0, slower);
        (number, number + 1)
    }

    /// Words will come home, `slower` times as long as usual, when the device has done the kernels with numbers below `after`: which
    /// operation that is.
    pub(super) fn fetch(&self, device: DeviceId, bytes: u64, after: u64, slower: f64) -> Range {
        let way = (device, Way::Down);
        let number = self.streams().copy(way, bytes, after, slower);
        (number, number + 1)
    }

    /// A device never ends what it does: which operation that is.
    pub(super) fn hang(&self, device: DeviceId) -> (Range, Arc<OnceLock<f64>>) {
        let (number, took) = self.streams().endless(device);
        ((number, number + 1), took)
    }

    /// Everything that a device was given.
    pub(super) fn everything(&self, device: DeviceId) -> Range {
        (0, self.streams().latest(device))
    }

    pub(super) fn overlaps(&self, device: DeviceId) -> bool {
        self.streams().overlaps(device)
    }

    /// What a device draws, if the machine says so.
    pub(crate) fn power(&self, device: DeviceId) -> Option<Power> {
        self.power.get(usize::from(device.0)).copied().flatten()
    }

    /// Joules that a device has drawn until now, if the machine says what it draws.
    pub(crate) fn joules(&self, device: DeviceId) -> Option<f64> {
        let power = self.power(device)?;
        let streams = self.streams();
        Some(power.joules(streams.busy_ns(device), streams.now()))
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
