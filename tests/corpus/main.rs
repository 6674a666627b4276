//! Do shaders of the corpus compute what the oracle computes when the runtime runs them: on each instruction set, on each GPU, and
//! cut at random over all devices?
//!
//! The compiler's test `generated` compares the emitted code alone, and the unit tests of `device::gpu` the modules for GPUs alone; this is
//! what a user gets: `shader!`, the runtime, and plans that cut.

#[path = "../devices/mod.rs"]
mod devices;

mod run;

use impel::kernel::Kernel;

/// A shader of `tests/shaders/in`, compiled as a user would.
struct Shader {
    name: &'static str,
    source: &'static str,
    kernel: &'static Kernel,
}

macro_rules! shaders {
    ($($name:ident = $path:tt $({ $($option:tt)* })?;)*) => {
        $(impel::shader!(mod $name = $path $(, $($option)*)?);)*

        const SHADERS: &[Shader] = &[$(Shader {
            name: stringify!($name),
            source: include_str!(concat!("../shaders/in/", stringify!($name), ".wgsl")),
            kernel: &$name::MAIN_KERNEL,
        }),*];
    };
}

shaders! {
    access_in_place = "tests/shaders/in/access_in_place.wgsl";
    access_patterns = "tests/shaders/in/access_patterns.wgsl";
    arith_f32 = "tests/shaders/in/arith_f32.wgsl";
    arith_i32 = "tests/shaders/in/arith_i32.wgsl";
    arith_int_vectors = "tests/shaders/in/arith_int_vectors.wgsl";
    arith_rem_f32 = "tests/shaders/in/arith_rem_f32.wgsl";
    arith_u32 = "tests/shaders/in/arith_u32.wgsl";
    array_copy = "tests/shaders/in/array_copy.wgsl";
    array_length_tail = "tests/shaders/in/array_length_tail.wgsl";
    array_of_arrays = "tests/shaders/in/array_of_arrays.wgsl";
    atomics_and_min = "tests/shaders/in/atomics_and_min.wgsl";
    atomics_compare_exchange = "tests/shaders/in/atomics_compare_exchange.wgsl";
    atomics_own_slot = "tests/shaders/in/atomics_own_slot.wgsl";
    atomics_results = "tests/shaders/in/atomics_results.wgsl";
    atomics_storage = "tests/shaders/in/atomics_storage.wgsl";
    atomics_struct = "tests/shaders/in/atomics_struct.wgsl";
    atomics_workgroup = "tests/shaders/in/atomics_workgroup.wgsl";
    barrier_early_exit = "tests/shaders/in/barrier_early_exit.wgsl";
    barrier_in_function = "tests/shaders/in/barrier_in_function.wgsl";
    barrier_live_values = "tests/shaders/in/barrier_live_values.wgsl";
    barrier_nested_loops = "tests/shaders/in/barrier_nested_loops.wgsl";
    barrier_odd_sizes = "tests/shaders/in/barrier_odd_sizes.wgsl";
    barrier_reduction = "tests/shaders/in/barrier_reduction.wgsl";
    barrier_scan = "tests/shaders/in/barrier_scan.wgsl";
    barrier_storage = "tests/shaders/in/barrier_storage.wgsl";
    barrier_transpose = "tests/shaders/in/barrier_transpose.wgsl";
    barrier_uniform_flow = "tests/shaders/in/barrier_uniform_flow.wgsl";
    bitcasts = "tests/shaders/in/bitcasts.wgsl";
    bits_count = "tests/shaders/in/bits_count.wgsl";
    bits_fields = "tests/shaders/in/bits_fields.wgsl";
    bitwise = "tests/shaders/in/bitwise.wgsl";
    black_scholes = "tests/shaders/in/black_scholes.wgsl";
    bool_values = "tests/shaders/in/bool_values.wgsl";
    compare_scalar = "tests/shaders/in/compare_scalar.wgsl";
    compare_vector = "tests/shaders/in/compare_vector.wgsl";
    compound_assignment = "tests/shaders/in/compound_assignment.wgsl";
    const_array_dynamic = "tests/shaders/in/const_array_dynamic.wgsl";
    const_expressions = "tests/shaders/in/const_expressions.wgsl";
    convert_saturating = "tests/shaders/in/convert_saturating.wgsl";
    convert_scalar = "tests/shaders/in/convert_scalar.wgsl";
    convert_vector = "tests/shaders/in/convert_vector.wgsl";
    early_return_function = "tests/shaders/in/early_return_function.wgsl";
    float_specials = "tests/shaders/in/float_specials.wgsl";
    for_nested = "tests/shaders/in/for_nested.wgsl";
    function_calls = "tests/shaders/in/function_calls.wgsl";
    grid_2d = "tests/shaders/in/grid_2d.wgsl";
    grid_3d = "tests/shaders/in/grid_3d.wgsl";
    grid_stride = "tests/shaders/in/grid_stride.wgsl";
    guarded_operations = "tests/shaders/in/guarded_operations.wgsl";
    ids_1 = "tests/shaders/in/ids_1.wgsl";
    ids_3x5x2 = "tests/shaders/in/ids_3x5x2.wgsl";
    ids_4x4x4 = "tests/shaders/in/ids_4x4x4.wgsl";
    ids_64 = "tests/shaders/in/ids_64.wgsl";
    ids_7 = "tests/shaders/in/ids_7.wgsl";
    ids_8x8 = "tests/shaders/in/ids_8x8.wgsl";
    if_else = "tests/shaders/in/if_else.wgsl";
    integer_hash = "tests/shaders/in/integer_hash.wgsl";
    large_private_array = "tests/shaders/in/large_private_array.wgsl";
    logic_short_circuit = "tests/shaders/in/logic_short_circuit.wgsl";
    loop_continuing = "tests/shaders/in/loop_continuing.wgsl";
    loop_exits = "tests/shaders/in/loop_exits.wgsl";
    loop_return = "tests/shaders/in/loop_return.wgsl";
    loop_triangular = "tests/shaders/in/loop_triangular.wgsl";
    loop_uniform_and_varying = "tests/shaders/in/loop_uniform_and_varying.wgsl";
    mandelbrot = "tests/shaders/in/mandelbrot.wgsl" { strict };
    many_buffers = "tests/shaders/in/many_buffers.wgsl";
    mat_index = "tests/shaders/in/mat_index.wgsl";
    mat_multiply = "tests/shaders/in/mat_multiply.wgsl";
    mat_storage = "tests/shaders/in/mat_storage.wgsl";
    mat_transpose = "tests/shaders/in/mat_transpose.wgsl";
    mat_uniform = "tests/shaders/in/mat_uniform.wgsl";
    math_exp_log = "tests/shaders/in/math_exp_log.wgsl";
    math_geometry = "tests/shaders/in/math_geometry.wgsl";
    math_hyperbolic = "tests/shaders/in/math_hyperbolic.wgsl";
    math_limits = "tests/shaders/in/math_limits.wgsl";
    math_mix = "tests/shaders/in/math_mix.wgsl";
    math_roots = "tests/shaders/in/math_roots.wgsl";
    math_rounding = "tests/shaders/in/math_rounding.wgsl";
    math_trig = "tests/shaders/in/math_trig.wgsl";
    matmul_tiled = "tests/shaders/in/matmul_tiled.wgsl";
    nbody = "tests/shaders/in/nbody.wgsl";
    oob_read = "tests/shaders/in/oob_read.wgsl";
    oob_write = "tests/shaders/in/oob_write.wgsl";
    override_default = "tests/shaders/in/override_default.wgsl" { overrides { groups_of = 20.0, scale = 2.5, negate = 1.0 } };
    phony_and_empty = "tests/shaders/in/phony_and_empty.wgsl";
    pointer_aliases = "tests/shaders/in/pointer_aliases.wgsl";
    pointer_parameters = "tests/shaders/in/pointer_parameters.wgsl";
    pointers_through_calls = "tests/shaders/in/pointers_through_calls.wgsl";
    private_array_dynamic = "tests/shaders/in/private_array_dynamic.wgsl";
    private_globals = "tests/shaders/in/private_globals.wgsl";
    return_nested = "tests/shaders/in/return_nested.wgsl";
    saxpy = "tests/shaders/in/saxpy.wgsl";
    shadowing = "tests/shaders/in/shadowing.wgsl";
    shifts = "tests/shaders/in/shifts.wgsl";
    state_machine = "tests/shaders/in/state_machine.wgsl";
    struct_storage_array = "tests/shaders/in/struct_storage_array.wgsl";
    struct_uniform = "tests/shaders/in/struct_uniform.wgsl";
    struct_value = "tests/shaders/in/struct_value.wgsl";
    structs_in_private_arrays = "tests/shaders/in/structs_in_private_arrays.wgsl";
    switch_basic = "tests/shaders/in/switch_basic.wgsl";
    switch_in_loop = "tests/shaders/in/switch_in_loop.wgsl";
    switch_nested = "tests/shaders/in/switch_nested.wgsl";
    uniform_plain = "tests/shaders/in/uniform_plain.wgsl";
    vec3_padding = "tests/shaders/in/vec3_padding.wgsl";
    vec_component_write = "tests/shaders/in/vec_component_write.wgsl";
    vec_construct = "tests/shaders/in/vec_construct.wgsl";
    vec_dynamic_index = "tests/shaders/in/vec_dynamic_index.wgsl";
    while_loops = "tests/shaders/in/while_loops.wgsl";
    workgroup_struct = "tests/shaders/in/workgroup_struct.wgsl";
    workgroup_uniform_load = "tests/shaders/in/workgroup_uniform_load.wgsl";
    workgroup_zero_init = "tests/shaders/in/workgroup_zero_init.wgsl";
}

#[test]
fn every_shader_of_the_corpus_is_here() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shaders/in");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("a file").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    let listed: Vec<&str> = SHADERS.iter().map(|shader| shader.name).collect();
    assert_eq!(listed, files);
}

#[test]
fn shaders_agree_with_the_oracle_on_every_instruction_set() {
    run::on_cpu(&run::samples(SHADERS));
}

#[test]
fn shaders_agree_with_the_oracle_on_gpus_and_cut_at_random() {
    run::on_gpus(
        "shaders_agree_with_the_oracle_on_gpus_and_cut_at_random",
        &run::samples(SHADERS),
    );
}
