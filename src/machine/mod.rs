//! What hardware is here? Devices and their memories, by typed ids.

/// A device: 0 is the CPU, the GPUs follow in the order of discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId(pub u8);

impl DeviceId {
    /// All CPU cores together.
    pub const CPU: Self = Self(0);

    /// Where this device's kernels find their arrays.
    pub const fn memory(self) -> MemoryId {
        MemoryId(self.0)
    }
}

/// A memory: 0 is the host's, the others belong to the GPU with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemoryId(pub u8);

impl MemoryId {
    /// Main memory.
    pub const HOST: Self = Self(0);
}
