//! Which devices does a verb use? The options about them, shared by all verbs that start a runtime.

use impel::{Runtime, RuntimeBuilder};
use lexopt::{Parser, ValueExt as _};

use crate::Failure;

/// What the options about devices say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Devices {
    software: bool,
    cpu_only: bool,
    threads: Option<usize>,
}

/// The lines of a verb's help that [`Devices::take`] answers for.
#[macro_export]
macro_rules! devices_help {
    () => {
        "  --software    use GPUs that are emulated on the CPU, too
  --cpu         use the CPU only
  --threads N   use so many CPU workers
"
    };
}

impl Devices {
    /// Takes an option if it is about devices; whether it was.
    pub(crate) fn take(&mut self, name: &str, arguments: &mut Parser) -> Result<bool, Failure> {
        match name {
            "software" => self.software = true,
            "cpu" => self.cpu_only = true,
            "threads" => {
                let threads: usize = arguments.value()?.parse()?;
                if threads == 0 {
                    return Err(Failure::Usage("`--threads` is at least 1".to_owned()));
                }
                self.threads = Some(threads);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The choices for a runtime.
    pub(crate) fn builder(self) -> RuntimeBuilder {
        let mut builder = Runtime::builder();
        if self.software {
            builder = builder.software_gpus(true);
        }
        if self.cpu_only {
            builder = builder.gpus(false);
        }
        match self.threads {
            Some(threads) => builder.threads(threads),
            None => builder,
        }
    }

    /// A runtime on the chosen devices.
    pub(crate) fn runtime(self) -> Result<Runtime, Failure> {
        self.builder().build().map_err(Failure::of)
    }
}
