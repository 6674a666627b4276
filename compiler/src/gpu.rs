//! What does a GPU run? The kernel's module as WGSL, with an entry point that runs any part of a launch.
//!
//! The original entry point becomes a plain function. A new one reads from a small uniform buffer which part this dispatch is, and
//! calls it with the ids that the invocation has in the whole launch. All bindings move to group 0, in the order of
//! [`Kernel::bindings`](crate::ir::Kernel::bindings), with the launch description behind them:
//!
//! ```wgsl
//! struct ImpelLaunch {
//!     first: vec3<u32>,          // first workgroup of the part
//!     extent: vec3<u32>,         // workgroups of the part
//!     num_workgroups: vec3<u32>, // workgroups of the whole launch
//! }
//! ```
//!
//! A dispatch has the shape of the part. Parts longer than a device's limit of a dimension are run by a second entry point, in a
//! dispatch of any shape with at least as many workgroups: they are counted through, which takes divisions, and those past the end
//! do nothing.
//!
//! A second text does the same where only a range of each runtime-sized array is bound. Its launch description goes on with
//!
//! ```wgsl
//!     windows: array<vec4<u32>, N>, // by such array: first bound element, number of elements of the whole array
//! ```

mod layout;
mod window;

use naga::compact::{KeepUnused, compact};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Binding, BuiltIn, FunctionArgument, Module, ResourceBinding, TypeInner};

use crate::front::Front;
use crate::stack::on_big_stack;

/// WGSL for GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuModule {
    /// The module.
    pub wgsl: String,
    /// Name of its entry point for dispatches in the shape of the part.
    pub entry: String,
    /// Name of its entry point for dispatches of another shape.
    pub folded: String,
    /// Binding of the launch description, in group 0.
    pub launch_binding: u32,
    /// The module for arrays that are bound in part; none if no binding is a runtime-sized array.
    pub windowed: Option<String>,
}

/// Rewrites the entry point with this index.
///
/// # Panics
/// If there is no such entry point, or the rewritten module is invalid, which would be a mistake here.
pub fn gpu_module(front: &Front, entry_point: usize) -> GpuModule {
    on_big_stack(|| rewrite(front, entry_point))
}

fn rewrite(front: &Front, entry_point: usize) -> GpuModule {
    let prefix = unused_prefix(&front.source.text);
    let mut module = front.module.clone();
    let kept = module.entry_points.swap_remove(entry_point);
    module.entry_points = vec![kept];
    compact(&mut module, KeepUnused::No);
    let launch_binding = renumber_bindings(&mut module);

    let entry = module.entry_points.pop().expect("one entry point was kept");
    let mut function = entry.function;
    let arguments = function.arguments.clone();
    function.name = Some(format!("{prefix}kernel"));
    function
        .arguments
        .iter_mut()
        .for_each(|argument| argument.binding = None);
    module.functions.append(function, naga::Span::default());

    let info = validate(&module);
    let text =
        naga::back::wgsl::write_string(&module, &info, naga::back::wgsl::WriterFlags::empty());
    let written = layout::with_sizes(&text.expect("a valid module can be written"), &module);
    let (name, types) = signature(&written, &format!("{prefix}kernel"));
    let values: Vec<String> = arguments
        .iter()
        .zip(&types)
        .map(|(argument, ty)| argument_value(&module, argument, ty, entry.workgroup_size))
        .collect();
    let part = PartEntry {
        launch_binding,
        size: entry.workgroup_size,
        opening: opening(&module),
        call: format!("{name}({})", values.join(", ")),
        name: format!("{prefix}part"),
        folded: format!("{prefix}folded_part"),
        prefix,
    };
    let finished = |mut wgsl: String, windows: usize| {
        part.append_to(&mut wgsl, windows);
        let rewritten = naga::front::wgsl::parse_str(&wgsl)
            .unwrap_or_else(|error| panic!("rewritten WGSL parses: {error}\n{wgsl}"));
        validate(&rewritten);
        assert_same_buffers(&module, &rewritten);
        wgsl
    };
    let windows = window::count(&module);
    let windowed = (windows > 0)
        .then(|| window::with_windows(&written, &module, &format!("{}launch", part.prefix)))
        .flatten()
        .map(|wgsl| finished(wgsl, windows));
    GpuModule {
        wgsl: finished(written, 0),
        windowed,
        launch_binding,
        entry: part.name,
        folded: part.folded,
    }
}

/// A beginning for names that occurs nowhere in the text.
fn unused_prefix(text: &str) -> String {
    let mut prefix = "impel_".to_owned();
    while text.contains(&prefix) {
        prefix.insert(prefix.len() - 1, 'l');
    }
    prefix
}

/// Moves all bindings to group 0, in order; the number behind the last.
fn renumber_bindings(module: &mut Module) -> u32 {
    let mut bound: Vec<_> = module
        .global_variables
        .iter()
        .filter_map(|(handle, variable)| Some((variable.binding?, handle)))
        .collect();
    bound.sort_by_key(|(place, _)| (place.group, place.binding));
    for (number, (_, handle)) in (0..).zip(&bound) {
        let variable = module.global_variables.get_mut(*handle);
        debug_assert!(
            matches!(
                variable.space,
                AddressSpace::Uniform | AddressSpace::Storage { .. }
            ),
            "only buffers are bound"
        );
        variable.binding = Some(ResourceBinding {
            group: 0,
            binding: number,
        });
    }
    bound.len() as u32
}

/// Checks that every buffer of `original` is laid out the same in `rewritten`.
fn assert_same_buffers(original: &Module, rewritten: &Module) {
    for (_, buffer) in original.global_variables.iter() {
        let Some(place) = buffer.binding else {
            continue;
        };
        let same = rewritten.global_variables.iter().any(|(_, other)| {
            other.binding == Some(place)
                && layout::same_layout((original, buffer.ty), (rewritten, other.ty))
        });
        assert!(same, "binding {} changed its layout", place.binding);
    }
}

fn validate(module: &Module) -> ModuleInfo {
    // As in the front: impel's own variance pass decides where barriers may stand.
    let flags = ValidationFlags::all() - ValidationFlags::CONTROL_FLOW_UNIFORMITY;
    Validator::new(flags, Capabilities::empty())
        .validate(module)
        .unwrap_or_else(|error| panic!("rewritten modules are valid: {error:?}"))
}

/// The name under which a function was written, and the types of its parameters.
fn signature(wgsl: &str, name: &str) -> (String, Vec<String>) {
    let start = wgsl
        .find(&format!("fn {name}"))
        .expect("the function was written")
        + "fn ".len();
    let (written, rest) = wgsl[start..]
        .split_once('(')
        .expect("a function has parameters in parentheses");
    let parameters = rest
        .split_once(')')
        .map_or("", |(parameters, _)| parameters);
    let types = parameters
        .split(',')
        .filter_map(|parameter| Some(parameter.split_once(':')?.1.trim().to_owned()));
    (written.to_owned(), types.collect())
}

/// What the wrapper passes for a parameter.
fn argument_value(
    module: &Module,
    argument: &FunctionArgument,
    ty: &str,
    size: [u32; 3],
) -> String {
    if let Some(binding) = &argument.binding {
        return builtin_value(binding, size);
    }
    let TypeInner::Struct { members, .. } = &module.types[argument.ty].inner else {
        unreachable!("a parameter of an entry point is a builtin or a struct of builtins")
    };
    let values: Vec<String> = members
        .iter()
        .map(|member| {
            builtin_value(
                member
                    .binding
                    .as_ref()
                    .expect("members of such structs are builtins"),
                size,
            )
        })
        .collect();
    format!("{ty}({})", values.join(", "))
}

/// An expression, in terms of the wrapper's names, for a builtin of the whole launch.
fn builtin_value(binding: &Binding, [x, y, z]: [u32; 3]) -> String {
    match binding {
        Binding::BuiltIn(BuiltIn::GlobalInvocationId) => {
            format!("workgroup * vec3<u32>({x}u, {y}u, {z}u) + local")
        }
        Binding::BuiltIn(BuiltIn::WorkGroupId) => "workgroup".to_owned(),
        Binding::BuiltIn(BuiltIn::LocalInvocationId) => "local".to_owned(),
        Binding::BuiltIn(BuiltIn::LocalInvocationIndex) => "local_index".to_owned(),
        Binding::BuiltIn(BuiltIn::NumWorkGroups) => "launch.num_workgroups".to_owned(),
        other => unreachable!("{other:?} was refused before"),
    }
}

/// What the new entry point begins with. `SwiftShader` zeroes workgroup memory whenever a subgroup begins, so that one that begins
/// late would wipe what others wrote: with a barrier all have begun.
fn opening(module: &Module) -> &'static str {
    let shares =
        |(_, variable): (_, &naga::GlobalVariable)| variable.space == AddressSpace::WorkGroup;
    if module.global_variables.iter().any(shares) {
        "workgroupBarrier();\n    "
    } else {
        ""
    }
}

/// The new entry points.
struct PartEntry {
    prefix: String,
    name: String,
    folded: String,
    launch_binding: u32,
    size: [u32; 3],
    opening: &'static str,
    call: String,
}

impl PartEntry {
    /// Appends the launch description, for so many windows, and the entry points.
    fn append_to(&self, wgsl: &mut String, windows: usize) {
        let Self {
            prefix,
            name,
            folded,
            launch_binding,
            size: [x, y, z],
            opening,
            call,
        } = self;
        let windows = if windows == 0 {
            String::new()
        } else {
            format!("\n    windows: array<vec4<u32>, {windows}>,")
        };
        let entry = format!(
            "
struct {prefix}Launch {{
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,{windows}
}}

@group(0) @binding({launch_binding}) var<uniform> {prefix}launch: {prefix}Launch;

@compute @workgroup_size({x}, {y}, {z})
fn {name}(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {{
    {opening}let launch = {prefix}launch;
    let workgroup = launch.first + dispatched;
    {call};
}}

@compute @workgroup_size({x}, {y}, {z})
fn {folded}(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(num_workgroups) dispatch: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {{
    {opening}let launch = {prefix}launch;
    let extent = launch.extent;
    let index = dispatched.x + dispatch.x * (dispatched.y + dispatch.y * dispatched.z);
    if (index < extent.x * extent.y * extent.z) {{
        let row = index / extent.x;
        let workgroup = launch.first + vec3<u32>(index % extent.x, row % extent.y, row / extent.y);
        {call};
    }}
}}
"
        );
        wgsl.push_str(&entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::{Options, parse};
    use crate::oracle::Oracle;

    fn rewritten(text: &str) -> GpuModule {
        gpu_module(&parse(text, "test.wgsl", &Options::default()).unwrap(), 0)
    }

    /// Every invocation writes all of its ids.
    const IDS: &str = "
        struct Ids { @builtin(global_invocation_id) gid: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32> }
        @group(1) @binding(3) var<storage, read_write> out: array<vec4<u32>>;
        @group(0) @binding(7) var<uniform> width: u32;
        @compute @workgroup_size(4, 2)
        fn main(ids: Ids, @builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) index: u32) {
            let at = ids.gid.y * width + ids.gid.x;
            out[at] = vec4<u32>(at, wid.x + 100u * wid.y, ids.groups.x + 100u * ids.groups.y, index);
        }";

    #[test]
    fn parts_in_any_shape_of_dispatch_make_up_the_launch() {
        let original = parse(IDS, "ids.wgsl", &Options::default()).unwrap();
        let oracle = Oracle::new(&original.module, &original.info, "main").unwrap();
        let width = 20_u32.to_le_bytes().to_vec();
        let mut expected = [width.clone(), vec![0; 16 * 20 * 6]];
        oracle.run([5, 3, 1], &mut expected).unwrap();

        let module = rewritten(IDS);
        let part = parse(&module.wgsl, "part.wgsl", &Options::default()).unwrap();
        let mut buffers = vec![width, vec![0; 16 * 20 * 6]];
        // Columns 0 and 1 in their own shape, columns 2 to 4 folded into a dispatch of 2 x 5 with one workgroup too many.
        for (first, extent, dispatch) in [
            ([0, 0, 0], [2, 3, 1], [2, 3, 1]),
            ([2, 0, 0], [3, 3, 1], [2, 5, 1]),
        ] {
            let launch = [first, extent, [5, 3, 1]].map(|[x, y, z]: [u32; 3]| [x, y, z, 0]);
            buffers.push(
                launch
                    .as_flattened()
                    .iter()
                    .flat_map(|word| word.to_le_bytes())
                    .collect(),
            );
            let entry = if dispatch == extent {
                &module.entry
            } else {
                &module.folded
            };
            let oracle = Oracle::new(&part.module, &part.info, entry).unwrap();
            oracle.run(dispatch, &mut buffers).unwrap();
            buffers.pop();
        }
        assert_eq!(buffers[1], expected[1]);
    }

    #[test]
    fn bindings_keep_their_order_and_only_used_ones_stay() {
        let module = rewritten(
            "@group(0) @binding(0) var<storage> unused: array<f32>;
             @group(2) @binding(1) var<storage, read_write> b: array<f32>;
             @group(0) @binding(9) var<uniform> impel_launch: f32;
             @compute @workgroup_size(1) fn main() { b[0] = impel_launch; }",
        );
        assert_eq!(module.launch_binding, 2);
        assert!(!module.wgsl.contains("unused"), "{}", module.wgsl);
        assert!(
            module
                .wgsl
                .contains("@group(0) @binding(0) \nvar<uniform> impel_launch: f32;"),
            "{}",
            module.wgsl
        );
        assert!(
            module
                .wgsl
                .contains("@group(0) @binding(1) \nvar<storage, read_write> b"),
            "{}",
            module.wgsl
        );
    }

    #[test]
    fn barriers_stay_valid() {
        let module = rewritten(
            "var<workgroup> w: array<u32, 64>;
             @group(0) @binding(0) var<storage, read_write> out: array<u32>;
             @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) g: vec3<u32>) {
                 w[i] = i;
                 workgroupBarrier();
                 out[g.x * 64u + i] = w[63u - i];
             }",
        );
        assert!(module.wgsl.contains("workgroupBarrier"));
    }
}
