//! What does the command line ask for?

use std::path::PathBuf;

use impel::{Policy, Runtime, RuntimeError};

/// The choices of a run.
pub(crate) struct Options {
    pub(crate) bodies: usize,
    pub(crate) steps: usize,
    pub(crate) devices: Devices,
    pub(crate) output: PathBuf,
}

/// Which devices take part.
#[derive(Clone, Copy)]
pub(crate) enum Devices {
    Cpu,
    Gpu,
    All,
}

impl Devices {
    /// A runtime on these devices.
    pub(crate) fn runtime(self) -> Result<Runtime, RuntimeError> {
        match self {
            Devices::Cpu => Runtime::builder().gpus(false).build(),
            Devices::Gpu => Runtime::builder()
                .require_gpu()
                .policy(Policy::GpuOnly(impel::DeviceId(1)))
                .build(),
            Devices::All => Runtime::new(),
        }
    }
}

impl Options {
    /// Reads the command line; the error says how it should look.
    pub(crate) fn from_command_line() -> Result<Options, String> {
        let mut options = Options {
            bodies: 16_384,
            steps: 400,
            devices: Devices::All,
            output: "nbody.png".into(),
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{name} needs a value"));
            match name.as_str() {
                "--bodies" => options.bodies = at_least(2, &value()?, &name)?,
                "--steps" => options.steps = at_least(1, &value()?, &name)?,
                "--output" => options.output = value()?.into(),
                "--devices" => {
                    options.devices = match value()?.as_str() {
                        "cpu" => Devices::Cpu,
                        "gpu" => Devices::Gpu,
                        "all" => Devices::All,
                        other => return Err(format!("--devices is cpu, gpu or all, not {other}")),
                    }
                }
                _ => {
                    return Err(format!(
                        "unknown option {name}; there are --bodies, --steps, --devices and --output"
                    ));
                }
            }
        }
        Ok(options)
    }
}

fn at_least(least: usize, value: &str, name: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|&number| number >= least);
    number.ok_or(format!(
        "{name} needs a whole number of at least {least}, not {value}"
    ))
}
