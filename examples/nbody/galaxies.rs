//! Where do the bodies start? Two disc galaxies with bulges, on their way to a grazing encounter.

use std::f32::consts::TAU;

/// The bodies at the start.
pub(crate) struct Bodies {
    /// x, y, z and mass.
    pub(crate) positions: Vec<[f32; 4]>,
    /// Velocity in x, y, z.
    pub(crate) velocities: Vec<[f32; 4]>,
    /// 0 or 1 for each body.
    pub(crate) galaxy: Vec<u8>,
}

/// A galaxy as a whole.
struct Galaxy {
    mass: f32,
    /// Length scale of the disc.
    scale: f32,
    centre: [f32; 3],
    velocity: [f32; 3],
    /// Angle between the disc and the plane of the picture, about the x axis.
    tilt: f32,
}

/// Share of a galaxy's bodies in its bulge.
const BULGE: f32 = 0.35;

/// `count` bodies of equal mass: two thirds in the larger galaxy.
pub(crate) fn colliding(count: usize) -> Bodies {
    let larger = Galaxy {
        mass: 2.0 / 3.0,
        scale: 0.30,
        centre: [-0.55, -0.22, 0.0],
        velocity: [0.30, 0.02, 0.0],
        tilt: 0.35,
    };
    let smaller = Galaxy {
        mass: 1.0 / 3.0,
        scale: 0.20,
        centre: [1.10, 0.44, 0.0],
        velocity: [-0.60, -0.04, 0.0],
        tilt: -0.80,
    };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut bodies = Bodies {
        positions: Vec::new(),
        velocities: Vec::new(),
        galaxy: Vec::new(),
    };
    let split = count * 2 / 3;
    for (number, (galaxy, members)) in [(larger, split), (smaller, count - split)]
        .into_iter()
        .enumerate()
    {
        for member in 0..members {
            let in_bulge = (member as f32) < BULGE * members as f32;
            let (place, motion) = if in_bulge {
                galaxy.bulge_body(&mut random)
            } else {
                galaxy.disc_body(&mut random)
            };
            let (place, motion) = (galaxy.tilted(place), galaxy.tilted(motion));
            let [x, y, z] = [0, 1, 2].map(|axis| place[axis] + galaxy.centre[axis]);
            let [u, v, w] = [0, 1, 2].map(|axis| motion[axis] + galaxy.velocity[axis]);
            bodies.positions.push([x, y, z, 1.0 / count as f32]);
            bodies.velocities.push([u, v, w, 0.0]);
            bodies.galaxy.push(number as u8);
        }
    }
    bodies
}

impl Galaxy {
    /// Mass within `radius` of the centre: a Plummer bulge and an exponential disc.
    fn mass_within(&self, radius: f32) -> f32 {
        let core = self.bulge_scale();
        let bulge = (radius / (radius * radius + core * core).sqrt()).powi(3);
        let x = radius / self.scale;
        let disc = 1.0 - (1.0 + x) * (-x).exp();
        self.mass * (BULGE * bulge + (1.0 - BULGE) * disc)
    }

    fn bulge_scale(&self) -> f32 {
        0.25 * self.scale
    }

    /// A body on a nearly circular orbit in the disc.
    fn disc_body(&self, random: &mut Random) -> ([f32; 3], [f32; 3]) {
        // Two exponential distances add up to the radius of an exponential disc's surface density; the far tail is cut off.
        let radius = loop {
            let radius = self.scale * -(random.unit() * random.unit()).ln();
            if (0.05..5.0).contains(&(radius / self.scale)) {
                break radius;
            }
        };
        let (sin, cos) = (TAU * random.unit()).sin_cos();
        let speed = (self.mass_within(radius) / radius).sqrt();
        let heat = 0.06 * speed;
        let height = 0.04 * self.scale * random.normal();
        let motion = [
            -speed * sin + heat * random.normal(),
            speed * cos + heat * random.normal(),
            heat * random.normal(),
        ];
        ([radius * cos, radius * sin, height], motion)
    }

    /// A body of the bulge, moving at random at the local speed.
    fn bulge_body(&self, random: &mut Random) -> ([f32; 3], [f32; 3]) {
        // A Plummer sphere, whose mass within r is (r² / (r² + a²))^(3/2).
        let within = (0.95 * random.unit()).powf(-2.0 / 3.0);
        let radius = self.bulge_scale() / (within - 1.0).sqrt();
        let spread = (self.mass_within(radius) / (3.0 * radius)).sqrt();
        let direction = [random.normal(), random.normal(), random.normal()];
        let length = direction
            .iter()
            .map(|x| x * x)
            .sum::<f32>()
            .sqrt()
            .max(1e-6);
        let motion = [0; 3].map(|_| spread * random.normal());
        (direction.map(|x| radius * x / length), motion)
    }

    fn tilted(&self, [x, y, z]: [f32; 3]) -> [f32; 3] {
        let (sin, cos) = self.tilt.sin_cos();
        [x, cos * y - sin * z, sin * y + cos * z]
    }
}

/// Marsaglia's xorshift generator of 64 bits: the same galaxies in every run.
struct Random(u64);

impl Random {
    /// Uniform in (0, 1].
    fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 40) + 1) as f32 / (1_u64 << 24) as f32
    }

    /// Normal with mean 0 and deviation 1, by the transform of Box and Muller.
    fn normal(&mut self) -> f32 {
        (-2.0 * self.unit().ln()).sqrt() * (TAU * self.unit()).cos()
    }
}
