//! Lesson 4: a shader of your own, written into the program, with structs of its own.

use impel::Runtime;

impel::shader!(mod rain, wgsl = r#"
    struct Drop {
        position: vec3<f32>,
        speed: f32,
    }

    struct Params {
        gravity: f32,
        dt: f32,
        count: u32,
    }

    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read_write> drops: array<Drop>;

    @compute @workgroup_size(64)
    fn fall(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x >= params.count) {
            return;
        }
        // Drops reach the ground at z = 0 and stay there.
        let speed = drops[id.x].speed + params.gravity * params.dt;
        let height = drops[id.x].position.z - speed * params.dt;
        drops[id.x].speed = select(0.0, speed, height > 0.0);
        drops[id.x].position.z = max(height, 0.0);
    }
"#);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rt = Runtime::new()?;

    // `rain::Drop` has exactly the layout of the WGSL struct.
    let start: Vec<rain::Drop> = (0..10_000)
        .map(|i| rain::Drop::new([i as f32, 0.0, 1.0 + i as f32 / 1000.0], 0.0))
        .collect();
    let count = u32::try_from(start.len())?;
    let mut drops = rt.array_from_vec(start)?;

    let params = rain::Params {
        gravity: 9.81,
        dt: 0.01,
        count,
    };
    for _ in 0..100 {
        rt.launch(
            rain::fall {
                params,
                drops: &mut drops,
            }
            .over(count),
        )?;
    }

    let drops = drops.read()?;
    let landed = drops.iter().filter(|drop| drop.position[2] == 0.0).count();
    println!("after one second {landed} of {count} drops have landed");
    // In 100 steps of 0.01 s a drop falls 9.81 · 0.01² · (1 + 2 + … + 100) = 4.954 m.
    assert_eq!(landed, 3955);
    Ok(())
}
