//! What Rust text runs a kernel on the CPU's lanes?
//!
//! KIR becomes a unit struct that implements `Body` of the lanes crate, generic over the instruction set, without `unsafe` and without
//! closures (which the compiler does not always inline). All that is decided stands in a [`Plan`]: what holds each value, how each branch
//! runs, which sums contract. The printers only write it down:
//!
//! - kernels that cannot tell where workgroups end along x run in [strips] along x of the whole tile;
//! - all others run workgroup by workgroup, a gang being a piece of a row, in [turns](rows) between barriers.

mod atomic;
mod expression;
mod gang;
mod kept;
mod memory;
mod names;
mod plan;
mod pressure;
mod range;
mod rows;
mod stack;
mod strips;
mod text;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::ir::{ArrayId, BufferId, Kernel, Scalar, VarId};
use crate::tree::Tree;
use crate::variance::{DivergentBarrier, Gangs, Variance, check_barriers};
use expression::{Context, rust_type};
pub use plan::{Branch, Contraction, Form, Length, Plan};
use text::Text;

/// How to emit.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Path of the lanes crate in the emitted code, for example `::impel::lanes`.
    pub lanes: &'a str,
    /// Round every product before it is added to, so that results are those of separate operations.
    pub strict: bool,
    /// Gangs to run as one, 1, 2 or 4; estimated if not given.
    pub interleave: Option<usize>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            lanes: "::impel::lanes",
            strict: false,
            interleave: None,
        }
    }
}

/// A kernel as Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuCode {
    /// Name of the unit struct that implements `Body`.
    pub body_type: String,
    /// The items: that struct, its implementation, and the function it calls.
    pub source: String,
}

/// Emits `kernel`, which was lowered from `source`.
///
/// # Errors
/// A barrier that not all invocations of a workgroup reach, or private arrays too large for a stack.
pub fn emit(
    kernel: &Kernel,
    source: &Source,
    options: Options<'_>,
) -> Result<CpuCode, Diagnostics> {
    let tree = Tree::new(kernel);
    let variance = Variance::new(kernel, &tree, plan::gangs(kernel, &tree));
    let divergent = check_barriers(kernel, &tree, &variance);
    if !divergent.is_empty() {
        let found = divergent.iter().map(|barrier| diagnose(source, barrier));
        return Err(Diagnostics(found.collect()));
    }
    let plan = Plan::new(kernel, &tree, &variance, options.interleave);
    let cx = Context {
        kernel,
        tree: &tree,
        variance: &variance,
        plan: &plan,
        lanes: options.lanes,
    };
    let bytes = stack::bytes(cx);
    if bytes > stack::BYTES_MAX {
        let message = format!(
            "`{}` needs {} KiB of stack on the CPU for private arrays and workgroup memory; {} KiB are allowed",
            kernel.name,
            bytes.div_ceil(1024),
            stack::BYTES_MAX / 1024
        );
        let found = source
            .diagnose(stack::place(kernel), message)
            .advise("use smaller arrays, or arrays in a storage buffer");
        return Err(found.into());
    }
    Ok(print(cx, options.strict))
}

fn diagnose(source: &Source, barrier: &DivergentBarrier) -> Diagnostic {
    let mut message = barrier.message().to_owned();
    if barrier.cause != barrier.barrier {
        let line = source.position(barrier.cause).line;
        message = format!("{message} (line {line})");
    }
    source
        .diagnose(barrier.barrier, message)
        .advise(barrier.advice())
}

/// What is decided about `kernel`: the annotated tree and the plan, as text.
pub fn explain(kernel: &Kernel) -> String {
    let tree = Tree::new(kernel);
    let variance = Variance::new(kernel, &tree, plan::gangs(kernel, &tree));
    let plan = Plan::new(kernel, &tree, &variance, None);
    let annotated = crate::variance::Annotated {
        kernel,
        tree: &tree,
        variance: &variance,
    };
    let cx = Context {
        kernel,
        tree: &tree,
        variance: &variance,
        plan: &plan,
        lanes: "",
    };
    let cut = match plan.gangs {
        Gangs::Strips => String::new(),
        Gangs::Rows => rows::cut(cx).to_string(),
    };
    format!("{annotated}{cut}plan: {plan}")
}

fn print(cx: Context<'_>, strict: bool) -> CpuCode {
    let body_type = names::body_type(&cx.kernel.name);
    let function = format!("{}_tile", names::snake(&cx.kernel.name));
    let lanes = cx.lanes;
    let mut text = Text::default();
    text.line(format!(
        "/// The kernel `{}` for any instruction set.",
        cx.kernel.name
    ));
    text.line("#[derive(Clone, Copy, Debug)]");
    text.line(format!("pub struct {body_type};"));
    text.line("");
    text.open(format!("impl {lanes}::Body for {body_type}"));
    text.line(format!("const LANES_MAX: usize = {};", cx.plan.lanes_max));
    text.line("");
    text.line("#[inline(always)]");
    text.open(format!(
        "fn run<S: {lanes}::Isa>(&self, s: S, launch: &{lanes}::Launch<'_>, tile: {lanes}::Tile)"
    ));
    let mut token = "s".to_owned();
    if strict {
        token = format!("{lanes}::Strict::new({token})");
    }
    if cx.plan.interleave > 1 {
        token = format!("{lanes}::X::<_, {}>::new({token})", cx.plan.interleave);
    }
    text.line(format!("{function}({token}, launch, tile);"));
    text.close();
    text.close();
    text.line("");
    text.line("#[inline(always)]");
    text.line("#[allow(unused, clippy::all, clippy::pedantic)]");
    text.open(format!(
        "fn {function}<S: {lanes}::Isa>(s: S, launch: &{lanes}::Launch<'_>, tile: {lanes}::Tile)"
    ));
    text.line("let lanes = S::LANES as u32;");
    text.line("let groups = launch.num_workgroups;");
    memory(cx, &mut text);
    match cx.plan.gangs {
        Gangs::Strips => strips::print(cx, &mut text),
        Gangs::Rows => rows::print(cx, &mut text),
    }
    text.close();
    CpuCode {
        body_type,
        source: text.finish(),
    }
}

/// Names for buffers, uniforms, lengths and constant tables.
fn memory(cx: Context<'_>, text: &mut Text) {
    for at in 0..cx.kernel.bindings.len() as u32 {
        text.line(format!(
            "let {} = launch.buffers[{at}];",
            names::buffer(cx.kernel, BufferId(at))
        ));
    }
    for (name, buffer, word, ty) in &cx.plan.hoisted {
        let buffer = names::buffer(cx.kernel, *buffer);
        let ty = if *ty == Scalar::Bool {
            "u32"
        } else {
            rust_type(*ty)
        };
        text.line(format!("let {name} = {buffer}.load_{ty}({word}u32);"));
    }
    for length in &cx.plan.lengths {
        let (buffer, offset, stride) = *length;
        let words = format!("{}.words()", names::buffer(cx.kernel, buffer));
        let words = if offset == 0 {
            words
        } else {
            format!("{words}.saturating_sub({offset}u32)")
        };
        let count = if stride == 1 {
            words
        } else {
            format!("{words} / {stride}u32")
        };
        text.line(format!(
            "let {} = {count};",
            names::length(cx.kernel, *length)
        ));
    }
    for (at, array) in cx.kernel.arrays.iter().enumerate() {
        let (Some(contents), true) = (&array.contents, cx.tree.needed.arrays[at]) else {
            continue;
        };
        let words: Vec<String> = contents
            .iter()
            .map(|literal| format!("{}", memory::table_word(*literal)))
            .collect();
        let name = names::array(cx.kernel, ArrayId(at as u32));
        text.line(format!("let mut {name} = [{}u32];", words.join("u32, ")));
        text.line(format!(
            "let {name} = {}::Buffer::exclusive(&mut {name});",
            cx.lanes
        ));
    }
}

/// The variables that are needed.
fn needed_vars(cx: Context<'_>) -> Vec<VarId> {
    (0..cx.kernel.vars.len() as u32)
        .map(VarId)
        .filter(|var| cx.tree.needed.vars[var.0 as usize])
        .collect()
}

/// The private arrays that are needed and not constant.
fn needed_arrays(cx: Context<'_>) -> Vec<ArrayId> {
    let arrays = (0..cx.kernel.arrays.len() as u32).map(ArrayId);
    arrays
        .filter(|id| {
            cx.tree.needed.arrays[id.0 as usize]
                && cx.kernel.arrays[id.0 as usize].contents.is_none()
        })
        .collect()
}
