//! How does a kernel read as text? Constants and builtins stand where they are used; every other value has a line.

use std::fmt::{self, Display, Formatter, Write};

use super::{
    Address, ArrayId, AtomicOp, Binary, BufferId, Builtin, Extent, Kernel, Label, Literal, Memory,
    Op, Scalar, Space, Stmt, Unary, ValueId, VarId, WorkgroupVarId,
};

impl Display for Kernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.workgroup_size;
        writeln!(f, "kernel {} workgroup_size({x}, {y}, {z})", self.name)?;
        for (index, binding) in self.bindings.iter().enumerate() {
            let (id, name) = (BufferId(index as u32), &binding.name);
            writeln!(
                f,
                "  {id} {name}: {} @group({}) @binding({})",
                binding.space, binding.group, binding.binding
            )?;
        }
        for (index, var) in self.workgroup_vars.iter().enumerate() {
            writeln!(
                f,
                "  {} {}: workgroup, {} words",
                WorkgroupVarId(index as u32),
                var.name,
                var.words
            )?;
        }
        for (index, var) in self.vars.iter().enumerate() {
            writeln!(f, "  {} {}: {}", VarId(index as u32), var.name, var.ty)?;
        }
        for (index, array) in self.arrays.iter().enumerate() {
            write!(
                f,
                "  {} {}: {}[{}]",
                ArrayId(index as u32),
                array.name,
                array.ty,
                array.len
            )?;
            if let Some(contents) = &array.contents {
                write!(f, " =")?;
                contents
                    .iter()
                    .try_for_each(|literal| write!(f, " {literal}"))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "{} {{", Kernel::ROOT)?;
        Printer {
            kernel: self,
            depth: 1,
        }
        .list(f, &self.body)?;
        writeln!(f, "}}")
    }
}

struct Printer<'a> {
    kernel: &'a Kernel,
    depth: usize,
}

impl Printer<'_> {
    fn list(&self, f: &mut Formatter<'_>, list: &[Stmt]) -> fmt::Result {
        list.iter().try_for_each(|stmt| self.stmt(f, stmt))
    }

    fn nested(&self, f: &mut Formatter<'_>, list: &[Stmt]) -> fmt::Result {
        Printer {
            kernel: self.kernel,
            depth: self.depth + 1,
        }
        .list(f, list)
    }

    fn stmt(&self, f: &mut Formatter<'_>, stmt: &Stmt) -> fmt::Result {
        let indent = "  ".repeat(self.depth);
        match stmt {
            Stmt::Let(id) if self.is_inline(*id) => Ok(()),
            Stmt::Let(id) => {
                let value = self.kernel.value(*id);
                writeln!(f, "{indent}{id} = {} {}", value.ty, self.op(&value.op))
            }
            Stmt::SetVar(var, value) => writeln!(f, "{indent}{var} = {}", self.operand(*value)),
            Stmt::SetArray {
                array,
                index,
                value,
            } => {
                writeln!(
                    f,
                    "{indent}{array}[{}] = {}",
                    self.operand(*index),
                    self.operand(*value)
                )
            }
            Stmt::Store { address, value, .. } => {
                writeln!(
                    f,
                    "{indent}store {} = {}",
                    self.address(address),
                    self.operand(*value)
                )
            }
            Stmt::Atomic { .. } => writeln!(f, "{indent}{}", self.atomic(stmt)),
            Stmt::If {
                condition,
                accept,
                reject,
                ..
            } => {
                writeln!(f, "{indent}if {} {{", self.operand(*condition))?;
                self.nested(f, accept)?;
                if !reject.is_empty() {
                    writeln!(f, "{indent}}} else {{")?;
                    self.nested(f, reject)?;
                }
                writeln!(f, "{indent}}}")
            }
            Stmt::Loop { .. } => self.repeat(f, stmt),
            Stmt::Block { label, body } => {
                writeln!(f, "{indent}{label} {{")?;
                self.nested(f, body)?;
                writeln!(f, "{indent}}}")
            }
            Stmt::Break(label) => writeln!(f, "{indent}break {label}"),
            Stmt::Continue(label) => writeln!(f, "{indent}continue {label}"),
            Stmt::Barrier(_) => writeln!(f, "{indent}barrier"),
        }
    }

    fn repeat(&self, f: &mut Formatter<'_>, stmt: &Stmt) -> fmt::Result {
        let Stmt::Loop {
            label,
            body,
            continuing,
            break_if,
            ..
        } = stmt
        else {
            return Ok(());
        };
        let indent = "  ".repeat(self.depth);
        writeln!(f, "{indent}loop {label} {{")?;
        self.nested(f, body)?;
        if !continuing.is_empty() || break_if.is_some() {
            writeln!(f, "{indent}}} continuing {{")?;
            self.nested(f, continuing)?;
        }
        match break_if {
            Some(condition) => writeln!(f, "{indent}}} break if {}", self.operand(*condition)),
            None => writeln!(f, "{indent}}}"),
        }
    }

    fn atomic(&self, stmt: &Stmt) -> String {
        let Stmt::Atomic {
            address,
            op,
            ty,
            value,
            compare,
            result,
            exchanged,
            ..
        } = stmt
        else {
            return String::new();
        };
        let results: Vec<_> = result
            .iter()
            .chain(exchanged)
            .map(ToString::to_string)
            .collect();
        let mut text = results.join(", ");
        if !text.is_empty() {
            text += " = ";
        }
        let _ = write!(text, "{ty} atomic {op} {}", self.address(address));
        for operand in compare.iter().chain(value) {
            let _ = write!(text, ", {}", self.operand(*operand));
        }
        text
    }

    fn is_inline(&self, id: ValueId) -> bool {
        matches!(
            self.kernel.values.get(id.0 as usize).map(|value| &value.op),
            Some(Op::Const(_) | Op::Builtin(_))
        )
    }

    fn operand(&self, id: ValueId) -> String {
        match self.kernel.values.get(id.0 as usize).map(|value| &value.op) {
            Some(Op::Const(literal)) => literal.to_string(),
            Some(Op::Builtin(builtin)) => builtin.to_string(),
            _ => id.to_string(),
        }
    }

    fn op(&self, op: &Op) -> String {
        match op {
            Op::Const(literal) => literal.to_string(),
            Op::Builtin(builtin) => builtin.to_string(),
            Op::Unary(op, a) => format!("{op}{}", self.operand(*a)),
            Op::Binary(op, a, b) => format!("{} {op} {}", self.operand(*a), self.operand(*b)),
            Op::Select {
                condition,
                accept,
                reject,
            } => {
                format!(
                    "select {} ? {} : {}",
                    self.operand(*condition),
                    self.operand(*accept),
                    self.operand(*reject)
                )
            }
            Op::Convert(a) => format!("convert {}", self.operand(*a)),
            Op::Bitcast(a) => format!("bitcast {}", self.operand(*a)),
            Op::Math(function, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(|id| self.operand(*id)).collect();
                format!(
                    "{}({})",
                    snake_case(&format!("{function:?}")),
                    arguments.join(", ")
                )
            }
            Op::ReadVar(var) => var.to_string(),
            Op::ReadArray(array, index) => format!("{array}[{}]", self.operand(*index)),
            Op::Load(address) => format!("load {}", self.address(address)),
            Op::UniformLoad(address) => format!("uniform load {}", self.address(address)),
            Op::ArrayLength {
                buffer,
                offset,
                stride,
            } => format!("array_length {buffer} from {offset} by {stride}"),
            Op::AtomicResult => "atomic result".to_owned(),
        }
    }

    fn address(&self, address: &Address) -> String {
        let mut text = match address.memory {
            Memory::Buffer(id) => format!("{id}["),
            Memory::Workgroup(id) => format!("{id}["),
        };
        let mut separator = "";
        if address.offset != 0 || address.terms.is_empty() {
            let _ = write!(text, "{}", address.offset);
            separator = " + ";
        }
        for term in &address.terms {
            let _ = write!(text, "{separator}{}", self.operand(term.index));
            if term.stride != 1 {
                let _ = write!(text, "*{}", term.stride);
            }
            let _ = match term.extent {
                Extent::Fixed(extent) => write!(text, "<{extent}"),
                Extent::Runtime { offset: 0 } => write!(text, "<len"),
                Extent::Runtime { offset } => write!(text, "<len@{offset}"),
            };
            separator = " + ";
        }
        text + "]"
    }
}

/// `InverseSqrt` as `inverse_sqrt`.
fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for (index, character) in name.char_indices() {
        if index > 0 && character.is_uppercase() {
            text.push('_');
        }
        text.extend(character.to_lowercase());
    }
    text
}

macro_rules! display_ids {
    ($($id:ty, $prefix:literal;)*) => { $(
        impl Display for $id {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )* };
}

display_ids! {
    ValueId, "%";
    VarId, "v";
    ArrayId, "a";
    BufferId, "b";
    WorkgroupVarId, "w";
}

impl Display for Label {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if *self == Kernel::ROOT {
            f.write_str("root")
        } else {
            write!(f, "l{}", self.0)
        }
    }
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Scalar::F32 => "f32",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
            Scalar::Bool => "bool",
        })
    }
}

impl Display for Space {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Space::Uniform => "uniform",
            Space::StorageRead => "storage read",
            Space::StorageReadWrite => "storage read_write",
        })
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::F32(value) => write!(f, "{value:?}f"),
            Literal::I32(value) => write!(f, "{value}i"),
            Literal::U32(value) => write!(f, "{value}u"),
            Literal::Bool(value) => write!(f, "{value}"),
        }
    }
}

impl Display for Builtin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, axis) = match self {
            Builtin::GlobalId(axis) => ("global_id", axis),
            Builtin::LocalId(axis) => ("local_id", axis),
            Builtin::LocalIndex => return f.write_str("local_index"),
            Builtin::WorkgroupId(axis) => ("workgroup_id", axis),
            Builtin::NumWorkgroups(axis) => ("num_workgroups", axis),
        };
        write!(f, "{name}.{}", ["x", "y", "z"][*axis as usize])
    }
}

impl Display for Unary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Unary::Negate => "-",
            Unary::LogicalNot => "!",
            Unary::BitwiseNot => "~",
        })
    }
}

impl Display for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Modulo => "%",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::LessEqual => "<=",
            Binary::Greater => ">",
            Binary::GreaterEqual => ">=",
            Binary::And => "&",
            Binary::Or => "|",
            Binary::ExclusiveOr => "^",
            Binary::ShiftLeft => "<<",
            Binary::ShiftRight => ">>",
        })
    }
}

impl Display for AtomicOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&snake_case(&format!("{self:?}")))
    }
}
