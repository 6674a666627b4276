//! The analysis as text: the tree, each line with what is known of it.

use std::fmt;

use super::{Divergence, Variance};
use crate::ir::{Address, Kernel, Memory, Op, Stmt};
use crate::tree::{Jump, Kind, Node, Tree};

/// Displays a tree with the shapes of its values and the divergence of its statements.
#[derive(Clone, Copy, Debug)]
pub struct Annotated<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Its tree.
    pub tree: &'a Tree,
    /// What is known of it.
    pub variance: &'a Variance,
}

impl fmt::Display for Annotated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "kernel {} in {:?}",
            self.kernel.name, self.variance.gangs
        )?;
        for (at, var) in self.kernel.vars.iter().enumerate() {
            if self.tree.needed.vars[at] {
                writeln!(f, "  var x{at} {}: {}", var.name, self.variance.vars[at])?;
            }
        }
        for (at, array) in self.kernel.arrays.iter().enumerate() {
            if self.tree.needed.arrays[at] {
                writeln!(
                    f,
                    "  array a{at} {}: {}",
                    array.name, self.variance.arrays[at]
                )?;
            }
        }
        self.list(f, &self.tree.body, 1)
    }
}

impl Annotated<'_> {
    fn list(&self, f: &mut fmt::Formatter<'_>, list: &[Node], depth: usize) -> fmt::Result {
        list.iter().try_for_each(|node| self.node(f, node, depth))
    }

    fn node(&self, f: &mut fmt::Formatter<'_>, node: &Node, depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth);
        let spread = self.variance.spread(node.id);
        match &node.kind {
            Kind::Leaf(stmt) => {
                write!(f, "{indent}")?;
                self.leaf(f, stmt)?;
                let blend = if spread.exit == Divergence::Gang {
                    " (blend)"
                } else {
                    ""
                };
                writeln!(f, "{blend}")
            }
            Kind::If {
                condition,
                accept,
                reject,
                ..
            } => {
                writeln!(f, "{indent}if v{} ({})", condition.0, spread.exit)?;
                self.list(f, accept, depth + 1)?;
                if !reject.is_empty() {
                    writeln!(f, "{indent}else")?;
                    self.list(f, reject, depth + 1)?;
                }
                Ok(())
            }
            Kind::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => {
                write!(f, "{indent}loop l{} ({}", label.0, spread.exit)?;
                if spread.next > Divergence::None {
                    write!(f, ", continue {}", spread.next)?;
                }
                writeln!(f, ")")?;
                self.list(f, body, depth + 1)?;
                if !continuing.is_empty() || break_if.is_some() {
                    writeln!(f, "{indent}continuing")?;
                    self.list(f, continuing, depth + 1)?;
                }
                if let Some(condition) = break_if {
                    writeln!(f, "{indent}  break if v{}", condition.0)?;
                }
                Ok(())
            }
            Kind::Block { label, body } => {
                writeln!(f, "{indent}block l{} ({})", label.0, spread.exit)?;
                self.list(f, body, depth + 1)
            }
            Kind::Jump(jump) => {
                let verb = if matches!(jump, Jump::Break(_)) {
                    "break"
                } else {
                    "continue"
                };
                writeln!(f, "{indent}{verb} l{} ({})", jump.label().0, spread.exit)
            }
        }
    }

    fn leaf(&self, f: &mut fmt::Formatter<'_>, stmt: &Stmt) -> fmt::Result {
        match stmt {
            Stmt::Let(id) => {
                let value = self.kernel.value(*id);
                write!(f, "v{}: {:?} = ", id.0, value.ty)?;
                self.op(f, &value.op)?;
                write!(f, " -- {}", self.variance.value(*id))
            }
            Stmt::SetVar(var, value) => write!(f, "x{} = v{}", var.0, value.0),
            Stmt::SetArray {
                array,
                index,
                value,
            } => write!(f, "a{}[v{}] = v{}", array.0, index.0, value.0),
            Stmt::Store { address, value, .. } => {
                self.address(f, address)?;
                write!(f, " = v{}", value.0)
            }
            Stmt::Atomic {
                address, op, value, ..
            } => {
                write!(f, "atomic {op:?} ")?;
                self.address(f, address)?;
                value.map_or(Ok(()), |value| write!(f, ", v{}", value.0))
            }
            Stmt::Barrier(_) => write!(f, "barrier"),
            _ => unreachable!("a leaf has no control flow"),
        }
    }

    fn op(&self, f: &mut fmt::Formatter<'_>, op: &Op) -> fmt::Result {
        match op {
            Op::Const(literal) => write!(f, "{literal:?}"),
            Op::Builtin(builtin) => write!(f, "{builtin:?}"),
            Op::Unary(op, a) => write!(f, "{op:?} v{}", a.0),
            Op::Binary(op, a, b) => write!(f, "{op:?} v{} v{}", a.0, b.0),
            Op::Select {
                condition,
                accept,
                reject,
            } => write!(f, "Select v{} v{} v{}", condition.0, accept.0, reject.0),
            Op::Convert(a) => write!(f, "Convert v{}", a.0),
            Op::Bitcast(a) => write!(f, "Bitcast v{}", a.0),
            Op::Math(op, arguments) => {
                write!(f, "{op:?}")?;
                arguments.iter().try_for_each(|a| write!(f, " v{}", a.0))
            }
            Op::ReadVar(var) => write!(f, "x{}", var.0),
            Op::ReadArray(array, index) => write!(f, "a{}[v{}]", array.0, index.0),
            Op::Load(address) => self.address(f, address),
            Op::UniformLoad(address) => {
                write!(f, "uniform ")?;
                self.address(f, address)
            }
            Op::ArrayLength { buffer, .. } => write!(
                f,
                "arrayLength {}",
                self.kernel.bindings[buffer.0 as usize].name
            ),
            Op::AtomicResult => write!(f, "atomic result"),
        }
    }

    fn address(&self, f: &mut fmt::Formatter<'_>, address: &Address) -> fmt::Result {
        let name = match address.memory {
            Memory::Buffer(buffer) => &self.kernel.bindings[buffer.0 as usize].name,
            Memory::Workgroup(var) => &self.kernel.workgroup_vars[var.0 as usize].name,
        };
        write!(f, "{name}[{}", address.offset)?;
        for term in &address.terms {
            write!(f, " + v{}*{}", term.index.0, term.stride)?;
        }
        write!(f, "]")
    }
}
