//! Can energy be planned for? On counters of a processor as Linux shows them, in a folder of the test's own, and on imagined machines.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use impel::plan::SplitVerdict;
use impel::sim::{Gpu, Machine};
use impel::{DeviceId, LaunchError, Objective, Runtime};
use impel_kernels::nbody::wgsl as nbody;
use impel_kernels::saxpy::wgsl as saxpy;

/// What the imagined processor draws, in watts.
const WATTS: f64 = 40.0;

/// Where the counter begins: it starts again at zero during the test.
const START_UJ: u64 = 262_143_328_850 - 1_000_000;
const RANGE_UJ: u64 = 262_143_328_850;

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("impel-energy-{name}-{}", std::process::id()))
}

/// Runs `act` while the counter in `root` goes on.
fn with_counter(root: &Path, act: impl FnOnce()) {
    let zone = root.join("intel-rapl:0");
    fs::create_dir_all(&zone).unwrap();
    fs::write(zone.join("name"), "package-0\n").unwrap();
    fs::write(zone.join("max_energy_range_uj"), format!("{RANGE_UJ}\n")).unwrap();
    let start = Instant::now();
    let count = || {
        let drawn_uj = (start.elapsed().as_secs_f64() * WATTS * 1e6) as u64;
        let text = format!("{}\n", (START_UJ + drawn_uj) % RANGE_UJ);
        // Readers see one number or the other.
        fs::write(zone.join("next"), text).unwrap();
        fs::rename(zone.join("next"), zone.join("energy_uj")).unwrap();
    };
    count();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                count();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        act();
        over.store(true, Ordering::Relaxed);
    });
    fs::remove_dir_all(root).unwrap();
}

fn runtime(powercap: &Path) -> Runtime {
    let builder = Runtime::builder().without_cache().powercap(powercap);
    #[cfg(feature = "gpu")]
    let builder = builder.gpus(false);
    builder.build().unwrap()
}

/// A launch that saves energy: whether it ran.
fn launch(rt: &Runtime) -> Result<(), LaunchError> {
    let x = rt.array_from_vec(vec![1.0_f32; 1000]).unwrap();
    let mut y = rt.zeros(1000).unwrap();
    let params = saxpy::Params {
        alpha: 2.0,
        n: 1000,
    };
    let arguments = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    };
    rt.launch(arguments.over(1000).with_objective(Objective::Energy))?;
    assert_eq!(*y.read().unwrap(), [2.0; 1000]);
    Ok(())
}

#[test]
fn energy_is_planned_and_reported_where_it_can_be_read() {
    let root = folder("readable");
    with_counter(&root, || {
        let (rt, start) = (runtime(&root), Instant::now());
        launch(&rt).unwrap();
        let joules = rt.report().joules(DeviceId::CPU).unwrap();
        let passed = WATTS * start.elapsed().as_secs_f64();
        assert!(
            (joules / passed - 1.0).abs() < 0.2,
            "{joules} J, not {passed} J"
        );
        assert!(
            rt.report().to_string().contains(" J drawn by "),
            "{}",
            rt.report()
        );
    });
}

#[test]
fn energy_that_cannot_be_read_is_refused_with_the_file() {
    let root = folder("absent");
    let rt = runtime(&root);
    let error = launch(&rt).unwrap_err().to_string();
    let expected = format!(
        "kernel `saxpy`: energy cannot be planned, since what CPU draws is unknown: there is no energy counter of the processor: {} cannot be read",
        root.display()
    );
    assert!(error.starts_with(&expected), "{error}");
    assert_eq!(rt.report().joules(DeviceId::CPU), None);
}

/// A GPU that does so many operations a second, and draws so much.
fn card(name: &str, ops_per_s: f64, (idle_w, busy_w): (f64, f64)) -> Gpu {
    let mut gpu = Gpu::card().named(name).with_power(idle_w, busy_w);
    gpu.limits.ops_per_s = ops_per_s;
    gpu.limits.special_ops_per_s = ops_per_s / 10.0;
    gpu
}

/// A slow CPU, a GPU that is twice as fast and frugal, and one that is twenty times as fast and hungry.
fn uneven() -> Machine {
    let mut machine = Machine::desktop()
        .with(card("frugal", 1e10, (5.0, 20.0)))
        .with(card("hungry", 1e11, (15.0, 1000.0)));
    machine.cpu.ops_per_s = 5e9;
    machine.cpu.special_ops_per_s = 5e8;
    machine
}

/// What a launch took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    seconds: f64,
    joules: f64,
    /// As it was planned.
    planned_joules: Option<f64>,
}

/// Forces between some bodies, planned for `objective`.
fn forces(machine: Machine, objective: Objective) -> Result<Cost, LaunchError> {
    let builder = Runtime::builder().threads(1).objective(objective);
    let rt = builder.simulated(machine).build().unwrap();
    let count = 1000;
    let bodies = rt.array_from_vec(vec![[1.0_f32; 4]; count]).unwrap();
    let mut accelerations = rt.zeros::<[f32; 4]>(count).unwrap();
    let params = nbody::Params {
        n: count as u32,
        softening_squared: 0.1,
    };
    let launch = nbody::nbody {
        params,
        bodies: &bodies,
        accelerations: &mut accelerations,
    };
    let launch = launch.over(count as u32);
    let planned_joules = match rt.explain(&launch)?.split {
        SplitVerdict::Frugal { joules, .. } => Some(joules),
        _ => None,
    };
    rt.launch(launch)?.wait().unwrap();
    let report = rt.report();
    let devices = 0..=rt.machine().gpus.len();
    let joules = devices.map(|number| report.joules(DeviceId(number as u8)).unwrap_or_default());
    Ok(Cost {
        seconds: rt.simulated_time().unwrap().as_secs_f64(),
        joules: joules.sum(),
        planned_joules,
    })
}

#[test]
fn on_an_imagined_machine_energy_is_traded_for_time() {
    let [time, energy, both] = [Objective::Time, Objective::Energy, Objective::EnergyDelay]
        .map(|objective| forces(uneven(), objective).unwrap());
    assert!(time.seconds < 0.2 * energy.seconds, "{time:?} {energy:?}");
    assert!(energy.joules < 0.6 * time.joules, "{time:?} {energy:?}");
    let product = |cost: Cost| cost.joules * cost.seconds;
    for other in [time, energy] {
        assert!(product(both) < 1.01 * product(other), "{both:?} {other:?}");
    }
    for cost in [energy, both] {
        let planned = cost.planned_joules.expect("planned by energy");
        assert!((cost.joules / planned - 1.0).abs() < 0.05, "{cost:?}");
    }
}

#[test]
fn where_the_fastest_is_frugal_too_nothing_is_traded() {
    let mut machine = uneven();
    machine.gpus.remove(0);
    machine.gpus[0] = card("fast and frugal", 1e11, (1.0, 30.0));
    let [time, energy] = [Objective::Time, Objective::Energy]
        .map(|objective| forces(machine.clone(), objective).unwrap());
    assert!(energy.joules <= time.joules, "{time:?} {energy:?}");
    assert!(energy.seconds < 1.2 * time.seconds, "{time:?} {energy:?}");
}

#[test]
fn an_imagined_device_of_unknown_power_is_named() {
    let mut machine = uneven();
    machine.gpus[1].power = None;
    let error = forces(machine.clone(), Objective::Energy).unwrap_err();
    let expected = "kernel `nbody`: energy cannot be planned, since what GPU 2 draws is unknown: nothing says what hungry draws";
    assert_eq!(error.to_string(), expected);
    assert!(forces(machine, Objective::Time).is_ok());
}
