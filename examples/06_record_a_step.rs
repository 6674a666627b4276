//! Lesson 6: a time step that is recorded once and replayed until nothing changes any more. Two arrays change places by name, and a
//! number that the devices compute decides when to stop.

use impel::Runtime;

impel::shader!(mod jacobi = "shaders/jacobi.wgsl");
impel::shader!(mod change, wgsl = r#"
@group(0) @binding(0) var<storage, read> before: array<f32>;
@group(0) @binding(1) var<storage, read> after: array<f32>;
@group(0) @binding(2) var<storage, read_write> largest: array<atomic<u32>>;

@compute @workgroup_size(1)
fn reset() {
    atomicStore(&largest[0], 0u);
}

// Numbers that are not negative are ordered as their bits are.
@compute @workgroup_size(64)
fn measure(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < arrayLength(&before) {
        atomicMax(&largest[0], bitcast<u32>(abs(after[id.x] - before[id.x])));
    }
}
"#);

const WIDTH: usize = 64;
const HEIGHT: usize = 48;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rt = Runtime::new()?;
    let start = plate();
    let mut now = rt.array_from_vec(start.clone())?;
    let mut next = rt.array_from_vec(start)?;
    let mut largest = rt.zeros::<u32>(1)?;
    let params = jacobi::Params {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        relaxation: 1.0,
    };

    // Nothing runs yet. What `array` returns stands for the array in launches.
    let mut step = rt.graph(|g| {
        let now = g.array("now", &mut now)?;
        let mut next = g.array("next", &mut next)?;
        let mut largest = g.array("largest", &mut largest)?;
        g.launch(
            change::reset {
                largest: &mut largest,
            }
            .workgroups(1_u32),
        )?;
        let sweep = jacobi::jacobi {
            params,
            src: &now,
            dst: &mut next,
        };
        g.launch(sweep.over([WIDTH, HEIGHT]))?;
        let measure = change::measure {
            before: &now,
            after: &next,
            largest: &mut largest,
        };
        g.launch(measure.over(WIDTH * HEIGHT))?;
        // The two names change places; no element moves.
        g.swap("now", "next")
    })?;

    let end = step.replay_until::<u32>("largest", 100, 100_000, |largest| {
        f32::from_bits(largest[0]) < 1e-7
    })?;
    println!("settled after {} steps", end.steps);
    assert!(end.reached);
    // While the graph lives, it lends its arrays; afterwards they are the program's again.
    let middle = step
        .array::<f32>("now")?
        .read_range(WIDTH * 9..WIDTH * 10)?[WIDTH / 2];
    drop(step);

    let temperatures = now.read()?;
    assert_eq!(temperatures[WIDTH * 9 + WIDTH / 2], middle);
    // Between a cold and a warm edge the temperature rises evenly.
    for (i, &temperature) in temperatures.iter().enumerate() {
        let even = (i % WIDTH) as f32 / (WIDTH - 1) as f32;
        assert!((temperature - even).abs() < 1e-3, "element {i}");
    }
    println!("{}", rt.report());
    Ok(())
}

/// A plate with even temperatures along its edges and cold inside.
fn plate() -> Vec<f32> {
    let at = |i: usize| {
        let (x, y) = (i % WIDTH, i / WIDTH);
        let edge = x == 0 || y == 0 || x == WIDTH - 1 || y == HEIGHT - 1;
        if edge {
            x as f32 / (WIDTH - 1) as f32
        } else {
            0.0
        }
    };
    (0..WIDTH * HEIGHT).map(at).collect()
}
