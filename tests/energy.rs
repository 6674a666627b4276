//! Can energy be planned for? On counters of a processor as Linux shows them, in a folder of the test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use impel::{DeviceId, LaunchError, Objective, Runtime};
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
