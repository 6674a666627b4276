//! How does a kernel run that knows its workgroup? Workgroup by workgroup; between barriers every gang, a piece of a row, takes its turn.

use std::collections::HashSet;

use super::expression::{Context, rust_type, zero};
use super::gang::Gang;
use super::plan::Form;
use super::text::Text;
use super::{kept, names, plan};
use crate::fission::{Fission, Step, Turn, Values};
use crate::ir::{Stmt, ValueId, WorkgroupVarId};
use crate::tree::{Jump, Kind, Node};

/// The kernel of `cx` cut at its barriers.
pub(super) fn cut(cx: Context<'_>) -> Fission<'_> {
    let at_hand = |id: ValueId| {
        matches!(
            cx.plan.of(id),
            Form::Absent | Form::Literal | Form::Hoisted(_)
        )
    };
    let operands = |id: ValueId| {
        if *cx.plan.of(id) == Form::Absent {
            Vec::new()
        } else {
            plan::emitted_operands(cx.kernel, cx.plan, id)
        }
    };
    Fission::new(
        cx.kernel,
        cx.tree,
        cx.variance,
        Values {
            at_hand: &at_hand,
            operands: &operands,
        },
    )
}

/// Most gangs that a workgroup is cut into.
pub(super) fn gangs(cx: Context<'_>) -> u32 {
    let [x, y, z] = cx.kernel.workgroup_size;
    let lanes = match cx.plan.lanes_max {
        1 => 1,
        _ => 8 * cx.plan.interleave as u32,
    };
    x.div_ceil(lanes) * y * z
}

/// Prints the loops over the tile and the workgroup.
pub(super) fn print(cx: Context<'_>, text: &mut Text) {
    let fission = cut(cx);
    for (axis, name) in [(2, "wz"), (1, "wy"), (0, "wx")] {
        text.open(format!("for {name} in tile.lo[{axis}]..tile.hi[{axis}]"));
    }
    let mut rows = Rows {
        cx,
        fission: &fission,
        text: std::mem::take(text),
        deferred: HashSet::new(),
    };
    rows.declare();
    rows.list(&fission.steps);
    *text = rows.text;
    for _ in 0..3 {
        text.close();
    }
}

struct Rows<'a> {
    cx: Context<'a>,
    fission: &'a Fission<'a>,
    text: Text,
    /// Values of the workgroup declared before the statement that computes them.
    deferred: HashSet<ValueId>,
}

impl<'a> Rows<'a> {
    /// Workgroup memory, variables of the workgroup, and what is kept per gang.
    fn declare(&mut self) {
        let (cx, gangs) = (self.cx, gangs(self.cx));
        for (at, var) in cx.kernel.workgroup_vars.iter().enumerate() {
            let name = names::workgroup(cx.kernel, WorkgroupVarId(at as u32));
            self.text
                .line(format!("let mut {name} = [0u32; {}];", var.words));
            self.text.line(format!(
                "let {name} = {}::Buffer::exclusive(&mut {name});",
                cx.lanes
            ));
        }
        for var in &self.fission.workgroup_vars {
            let ty = cx.kernel.vars[var.0 as usize].ty;
            self.text.line(format!(
                "let mut {}: {} = {};",
                names::var(cx.kernel, *var),
                rust_type(ty),
                zero(ty)
            ));
        }
        kept::declare(cx, self.fission, gangs, &mut self.text);
        let gang = Gang::new(cx, Text::default(), "entry");
        for array in &self.fission.kept_arrays {
            let name = names::array(cx.kernel, *array);
            self.text.line(format!(
                "let mut {name} = [{}; {gangs}];",
                gang.array_zeros(*array)
            ));
        }
    }

    fn list(&mut self, steps: &'a [Step<'a>]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &'a Step<'a>) {
        match step {
            Step::Once(node) => self.once(node),
            Step::Turn(turn) => self.turn(turn),
            Step::Barrier => self.text.line("// All gangs have come here."),
            Step::If {
                condition,
                accept,
                reject,
            } => {
                let condition = self.condition(*condition);
                if accept.is_empty() {
                    self.text.open(format!("if !{condition}"));
                } else {
                    self.text.open(format!("if {condition}"));
                    self.list(accept);
                    if !reject.is_empty() {
                        self.text.or_else();
                    }
                }
                self.list(reject);
                self.text.close();
            }
            Step::Loop {
                label,
                body,
                continuing,
                break_if,
            } => {
                self.text.open(format!("'l{}: loop", label.0));
                let whole = continues(body, *label);
                if whole {
                    self.defer(body);
                    self.text.open(format!("'c{}:", label.0));
                }
                self.list(body);
                if whole {
                    self.text.close();
                }
                self.list(continuing);
                if let Some(condition) = break_if {
                    let condition = self.condition(*condition);
                    self.text
                        .line(format!("if {condition} {{ break 'l{}; }}", label.0));
                }
                self.text.close();
            }
            Step::Block { label, body } => {
                self.text.open(format!("'l{}:", label.0));
                self.list(body);
                self.text.close();
            }
            Step::Jump(Jump::Break(label)) => self.text.line(format!("break 'l{};", label.0)),
            Step::Jump(Jump::Continue(label)) => self.text.line(format!("break 'c{};", label.0)),
        }
    }

    /// Declares the values of the workgroup that `body` makes, for whoever comes after it.
    fn defer(&mut self, body: &[Step<'_>]) {
        for step in body {
            if let Step::Once(Node {
                kind: Kind::Leaf(Stmt::Let(id)),
                ..
            }) = step
                && matches!(self.cx.plan.of(*id), Form::Scalar)
            {
                self.text.line(format!("let {};", names::value(*id)));
                self.deferred.insert(*id);
            }
        }
    }

    /// A condition at workgroup level; what a turn made is the same in every gang, so also in the first.
    fn condition(&self, id: ValueId) -> String {
        if self.fission.kept_values.contains(&id) {
            kept::value_of_first(id)
        } else {
            self.cx.scalar(id)
        }
    }

    fn once(&mut self, node: &Node) {
        let Kind::Leaf(stmt) = &node.kind else {
            unreachable!("what runs once is a leaf")
        };
        let mut gang = Gang::new(self.cx, std::mem::take(&mut self.text), "entry");
        gang.deferred.clone_from(&self.deferred);
        match stmt {
            Stmt::Let(id) => gang.compute(*id),
            Stmt::SetVar(var, value) => {
                let line = format!(
                    "{} = {};",
                    names::var(self.cx.kernel, *var),
                    self.cx.scalar(*value)
                );
                gang.text.line(line);
            }
            _ => unreachable!("{stmt:?} does not run once"),
        }
        self.text = gang.text;
    }

    fn turn(&mut self, turn: &'a Turn<'a>) {
        let size = self.cx.kernel.workgroup_size;
        self.text.line("let mut g = 0usize;");
        let mut opened = 1;
        for (axis, name) in [(2, "lz"), (1, "ly")] {
            if size[axis] > 1 {
                self.text
                    .open(format!("for {name} in 0..{}u32", size[axis]));
                opened += 1;
            }
        }
        self.text.line("let mut lx = 0u32;");
        self.text.open(format!("while lx < {}u32", size[0]));
        let whole = size[0].is_multiple_of(8 * self.cx.plan.interleave as u32)
            || self.cx.plan.lanes_max == 1;
        let entry = if whole {
            "s.mask_splat(true)".to_owned()
        } else {
            format!("s.first_lanes({}u32 - lx)", size[0])
        };
        self.text.line(format!("let mut entry = {entry};"));
        self.body(turn);
        self.text.line("lx += lanes;");
        self.text.line("g += 1;");
        for _ in 0..opened {
            self.text.close();
        }
    }

    fn body(&mut self, turn: &'a Turn<'a>) {
        let cx = self.cx;
        let mut gang = Gang::new(cx, std::mem::take(&mut self.text), "entry");
        gang.outer.clone_from(&self.fission.labels);
        for array in &self.fission.kept_arrays {
            gang.array_places
                .insert(*array, format!("{}[g]", names::array(cx.kernel, *array)));
        }
        for var in &turn.own_vars {
            gang.declare_var(*var);
        }
        for array in &turn.own_arrays {
            let line = format!(
                "let mut {} = {};",
                names::array(cx.kernel, *array),
                gang.array_zeros(*array)
            );
            gang.text.line(line);
        }
        for (var, transfer) in &turn.vars {
            if transfer.fetch {
                gang.text.line(format!(
                    "let mut {} = {};",
                    names::var(cx.kernel, *var),
                    kept::var(cx, *var)
                ));
            } else {
                gang.declare_var(*var);
            }
        }
        for id in &turn.fetch {
            gang.text
                .line(format!("let {} = {};", names::value(*id), kept::value(*id)));
        }
        for id in &turn.recompute {
            gang.compute(*id);
        }
        let leaves = turn.nodes.iter().any(|node| {
            node.any(&mut |node| matches!(node.kind, Kind::Jump(jump) if self.fission.labels.contains(&jump.label())))
        });
        if leaves {
            gang.text.open("'turn:");
        }
        gang.run(&turn.nodes);
        for id in &turn.keep {
            gang.text
                .line(format!("{} = {};", kept::value(*id), names::value(*id)));
        }
        if leaves {
            gang.text.close();
        }
        for (var, transfer) in &turn.vars {
            if transfer.keep {
                gang.text.line(format!(
                    "{} = {};",
                    kept::var(cx, *var),
                    names::var(cx.kernel, *var)
                ));
            }
        }
        self.text = gang.text;
    }
}

/// Does the whole workgroup continue the loop somewhere in `steps`?
fn continues(steps: &[Step<'_>], label: crate::ir::Label) -> bool {
    steps.iter().any(|step| match step {
        Step::Jump(jump) => *jump == Jump::Continue(label),
        Step::If { accept, reject, .. } => continues(accept, label) || continues(reject, label),
        Step::Loop {
            body, continuing, ..
        } => continues(body, label) || continues(continuing, label),
        Step::Block { body, .. } => continues(body, label),
        Step::Once(_) | Step::Turn(_) | Step::Barrier => false,
    })
}
