//! Kernels for the tests, in the form that the compiler gives to GPU modules.

use crate::kernel::access::{AccessMap, Split, Work};
use crate::kernel::{Binding, GpuModule, Kernel, Space};
use crate::lanes::{Launch, Level, Tile};

/// What every kernel begins with: its launch description and the place of a workgroup in the launch.
macro_rules! module {
    ($bindings:literal, $launch:literal, $body:literal) => {
        concat!(
            "struct Part { first: vec3<u32>, extent: vec3<u32>, num_workgroups: vec3<u32> }\n",
            $bindings,
            "@group(0) @binding(",
            $launch,
            ") var<uniform> part: Part;\n",
            "@compute @workgroup_size(64)\n",
            "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,\n",
            "        @builtin(local_invocation_index) local: u32) {\n",
            "    let at = group.x + groups.x * (group.y + groups.y * group.z);\n",
            "    if (at >= part.extent.x * part.extent.y * part.extent.z) { return; }\n",
            "    let i = (part.first.x + at) * 64u + local;\n",
            $body,
            "}\n"
        )
    };
}

fn not_on_a_cpu(_: Level, _: &Launch<'_>, _: Tile) {
    unreachable!("these kernels are for GPUs")
}

const fn array(name: &'static str, binding: u32, space: Space) -> Binding {
    Binding {
        name,
        group: 0,
        binding,
        space,
        fixed_words: 0,
        stride_words: 1,
    }
}

pub(super) const fn kernel(
    name: &'static str,
    bindings: &'static [Binding],
    wgsl: &'static str,
) -> Kernel {
    Kernel {
        name,
        path: "a test",
        fingerprint: 0,
        workgroup_size: [64, 1, 1],
        bindings,
        access: AccessMap {
            uniforms: &[],
            ranges: &[],
            constraints: &[],
            sites: &[],
            buffers: &[],
            split: Split::WhereDisjoint,
            work: Work {
                loops: &[],
                counts: &[],
            },
        },
        cpu: not_on_a_cpu,
        gpu: GpuModule {
            wgsl,
            entry: "main",
            folded: "main",
            launch_binding: bindings.len() as u32,
            windowed: None,
        },
    }
}

/// `y[i] = y[i] * factor + x[i]`, wrapping, for all i below the length of `y`.
pub(super) static STEP: Kernel = kernel(
    "step",
    &[
        Binding {
            name: "factor",
            group: 0,
            binding: 0,
            space: Space::Uniform,
            fixed_words: 1,
            stride_words: 0,
        },
        array("x", 1, Space::StorageRead),
        array("y", 2, Space::StorageReadWrite),
    ],
    module!(
        "@group(0) @binding(0) var<uniform> factor: u32;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
",
        "3",
        "    if (i < arrayLength(&y)) { y[i] = y[i] * factor + x[i]; }\n"
    ),
);

/// `seen[workgroup] += 1` for each invocation, and the number of workgroups of the whole launch in `seen[last]`.
pub(super) static COUNT: Kernel = kernel(
    "count",
    &[array("seen", 0, Space::StorageReadWrite)],
    module!(
        "@group(0) @binding(0) var<storage, read_write> seen: array<atomic<u32>>;
",
        "1",
        "    atomicAdd(&seen[i / 64u], 1u);
    atomicMax(&seen[arrayLength(&seen) - 1u], part.num_workgroups.x);\n"
    ),
);

/// Keeps every invocation busy for `rounds` dependent steps, and leaves the first one's result in `y[0]`.
pub(super) static SPIN: Kernel = kernel(
    "spin",
    &[
        Binding {
            name: "rounds",
            group: 0,
            binding: 0,
            space: Space::Uniform,
            fixed_words: 1,
            stride_words: 0,
        },
        array("y", 1, Space::StorageReadWrite),
    ],
    module!(
        "@group(0) @binding(0) var<uniform> rounds: u32;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
",
        "2",
        "    var x = y[0] + i;
    for (var k = 0u; k < rounds; k++) { x = (x ^ (x >> 3u)) * 1664525u + 1013904223u; }
    if (i == 0u || x == 12345u) { y[0] = x; }\n"
    ),
);

/// Not WGSL at all.
pub(super) static BROKEN: Kernel = kernel(
    "broken",
    &[array("x", 0, Space::StorageRead)],
    "fn main() { let x = ; }",
);

/// Binds less than it uses.
pub(super) static MISBOUND: Kernel = kernel(
    "misbound",
    &[array("x", 0, Space::StorageRead)],
    module!(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n",
        "1",
        "    x[i] = 1u;\n"
    ),
);
