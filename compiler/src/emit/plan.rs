//! What does each value and statement become? All decisions of emission, as a value; what prints them decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::{pressure, stack};
use crate::ir::{
    Address, ArrayId, Binary, BufferId, Extent, Kernel, Memory, Op, Scalar, Space, Stmt, ValueId,
};
use crate::tree::{Kind, Node, NodeId, Tree, operands};
use crate::variance::{Divergence, Gangs, Shape, Variance, constant_bits};

/// What holds a value in the emitted code.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Nothing: nobody needs it, or its only user computes it on the way.
    Absent,
    /// A literal wherever it is used.
    Literal,
    /// A scalar read from a uniform buffer at the start of the entry, by this name.
    Hoisted(String),
    /// A scalar.
    Scalar,
    /// A scalar, the content of lane 0; each further lane adds this.
    Linear(u32),
    /// One number in each lane.
    Vector,
}

/// How a branch runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// All lanes go the same way: a Rust `if`.
    Uniform,
    /// Both arms run for all lanes; assignments select.
    Select,
    /// Each arm runs, if any lane takes it, under a mask.
    Mask,
}

/// A product that its only user, a sum, computes on the way: `±(a * b) ± c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contraction {
    /// First factor.
    pub a: ValueId,
    /// Second factor.
    pub b: ValueId,
    /// The other summand.
    pub c: ValueId,
    /// Is the product subtracted?
    pub minus_product: bool,
    /// Is the other summand subtracted?
    pub minus_c: bool,
}

/// A runtime-sized array whose length is computed once: buffer, words before it, words per element.
pub type Length = (BufferId, u32, u32);

/// All decisions for one kernel.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Strips of the grid or rows of workgroups.
    pub gangs: Gangs,
    /// Per value.
    pub forms: Vec<Form>,
    /// Per private array: is an element one number per lane?
    pub vector_arrays: Vec<bool>,
    /// Per branch.
    pub branches: BTreeMap<NodeId, Branch>,
    /// Sums that contain a product.
    pub contractions: HashMap<ValueId, Contraction>,
    /// Scalars read from uniform buffers at the start: name, buffer, address, type.
    pub hoisted: Vec<(String, BufferId, u32, Scalar)>,
    /// Lengths of runtime-sized arrays.
    pub lengths: BTreeSet<Length>,
    /// Most lanes of the token that the entry asks for, before interleaving.
    pub lanes_max: usize,
    /// Gangs run as one.
    pub interleave: usize,
}

/// Work in a branch up to which running both arms is cheaper than looking whether any lane takes them.
const SELECT_COST_MAX: u32 = 10;

impl Plan {
    /// Decides for `tree`; `interleave` overrides the estimate.
    pub fn new(
        kernel: &Kernel,
        tree: &Tree,
        variance: &Variance,
        interleave: Option<usize>,
    ) -> Plan {
        let mut plan = Plan {
            gangs: variance.gangs,
            forms: vec![Form::Absent; kernel.values.len()],
            vector_arrays: Vec::new(),
            branches: BTreeMap::new(),
            contractions: HashMap::new(),
            hoisted: Vec::new(),
            lengths: BTreeSet::new(),
            lanes_max: 16,
            interleave: 1,
        };
        for at in 0..kernel.values.len() {
            plan.forms[at] = plan.form(kernel, tree, variance, ValueId(at as u32));
        }
        let varying = |at| variance.array(ArrayId(at)) == Shape::Varying;
        plan.vector_arrays = (0..kernel.arrays.len() as u32).map(varying).collect();
        plan.contract(kernel, tree);
        for node in &tree.body {
            node.visit(&mut |node| plan.node(kernel, variance, node));
        }
        let wanted = interleave.unwrap_or_else(|| pressure::interleave(kernel, tree, &plan));
        let wanted = stack::interleave(kernel, &plan.vector_arrays, wanted);
        (plan.lanes_max, plan.interleave) = lanes(kernel, variance.gangs, wanted);
        plan
    }

    /// What holds the value.
    pub fn form(&self, kernel: &Kernel, tree: &Tree, variance: &Variance, id: ValueId) -> Form {
        let value = kernel.value(id);
        if !tree.needed.value(id) {
            return Form::Absent;
        }
        match &value.op {
            Op::Const(_) => return Form::Literal,
            Op::Load(address) => {
                if let Some(word) = uniform_word(kernel, address) {
                    return Form::Hoisted(hoisted_name(kernel, address.memory, word, value.ty));
                }
            }
            _ => {}
        }
        match variance.value(id) {
            Shape::Workgroup | Shape::Gang => Form::Scalar,
            Shape::Linear(stride) => Form::Linear(stride),
            Shape::Varying => Form::Vector,
        }
    }

    /// The form of the value.
    pub fn of(&self, id: ValueId) -> &Form {
        &self.forms[id.0 as usize]
    }

    /// Is the value one number per lane, or a mask?
    pub fn is_vector(&self, id: ValueId) -> bool {
        matches!(self.of(id), Form::Vector)
    }

    /// Is the value one scalar for all lanes?
    pub fn is_scalar(&self, id: ValueId) -> bool {
        !matches!(self.of(id), Form::Vector | Form::Linear(_))
    }

    /// Is an element of the private array one number per lane?
    pub fn array_is_vector(&self, id: ArrayId) -> bool {
        self.vector_arrays[id.0 as usize]
    }

    /// Lets sums compute the products in them, where all users of a product are such sums.
    fn contract(&mut self, kernel: &Kernel, tree: &Tree) {
        let users = summed_products(kernel, tree);
        for at in (0..kernel.values.len()).rev() {
            let id = ValueId(at as u32);
            let Op::Binary(Binary::Multiply, a, b) = kernel.values[at].op else {
                continue;
            };
            let Some(sums) = users.get(&id) else { continue };
            let fits = |sum: &ValueId| {
                self.of(*sum) == self.of(id) && !self.contractions.contains_key(sum)
            };
            if sums.len() != tree.needed.uses[at] as usize || !sums.iter().all(fits) {
                continue;
            }
            for sum in sums {
                let Op::Binary(op, x, y) = kernel.value(*sum).op else {
                    continue;
                };
                let minus = op == Binary::Subtract;
                let contraction = if y == id {
                    Contraction {
                        a,
                        b,
                        c: x,
                        minus_product: minus,
                        minus_c: false,
                    }
                } else {
                    Contraction {
                        a,
                        b,
                        c: y,
                        minus_product: false,
                        minus_c: minus,
                    }
                };
                self.contractions.insert(*sum, contraction);
            }
            self.forms[at] = Form::Absent;
        }
    }

    fn node(&mut self, kernel: &Kernel, variance: &Variance, node: &Node) {
        match &node.kind {
            Kind::Leaf(Stmt::Let(id)) => match &kernel.value(*id).op {
                Op::Load(address) | Op::UniformLoad(address) => self.address(kernel, *id, address),
                Op::ArrayLength {
                    buffer,
                    offset,
                    stride,
                } => {
                    self.lengths.insert((*buffer, *offset, *stride));
                }
                _ => {}
            },
            Kind::Leaf(Stmt::Store { address, .. } | Stmt::Atomic { address, .. }) => {
                self.lengths_of(address);
            }
            Kind::If { accept, reject, .. } => {
                let branch = if variance.spread(node.id).exit < Divergence::Gang {
                    Branch::Uniform
                } else if self
                    .cost(kernel, accept)
                    .saturating_add(self.cost(kernel, reject))
                    <= SELECT_COST_MAX
                {
                    Branch::Select
                } else {
                    Branch::Mask
                };
                self.branches.insert(node.id, branch);
            }
            _ => {}
        }
    }

    fn address(&mut self, kernel: &Kernel, id: ValueId, address: &Address) {
        match self.of(id) {
            Form::Absent => {}
            Form::Hoisted(name) => {
                let Memory::Buffer(buffer) = address.memory else {
                    return;
                };
                let word = uniform_word(kernel, address).unwrap_or(u32::MAX);
                let hoisted = (name.clone(), buffer, word, kernel.value(id).ty);
                if !self.hoisted.contains(&hoisted) {
                    self.hoisted.push(hoisted);
                }
            }
            _ => self.lengths_of(address),
        }
    }

    fn lengths_of(&mut self, address: &Address) {
        for (at, term) in address.terms.iter().enumerate() {
            if let (Extent::Runtime { offset }, Memory::Buffer(buffer), false) =
                (term.extent, address.memory, exact(address, at))
            {
                self.lengths.insert((buffer, offset, term.stride));
            }
        }
    }

    /// Work of running `list` for all lanes; more than any bound if it cannot.
    fn cost(&self, kernel: &Kernel, list: &[Node]) -> u32 {
        list.iter()
            .map(|node| self.node_cost(kernel, node))
            .fold(0, u32::saturating_add)
    }

    fn node_cost(&self, kernel: &Kernel, node: &Node) -> u32 {
        match &node.kind {
            Kind::Leaf(Stmt::Let(id)) => self.value_cost(kernel, *id),
            Kind::Leaf(Stmt::SetVar(..)) => 1,
            Kind::If { accept, reject, .. } => 2u32
                .saturating_add(self.cost(kernel, accept))
                .saturating_add(self.cost(kernel, reject)),
            _ => u32::MAX,
        }
    }

    fn value_cost(&self, kernel: &Kernel, id: ValueId) -> u32 {
        let scalar = match self.of(id) {
            Form::Absent | Form::Literal | Form::Hoisted(_) => return 0,
            Form::Scalar | Form::Linear(_) => true,
            Form::Vector => false,
        };
        match &kernel.value(id).op {
            Op::ReadVar(_)
            | Op::Convert(_)
            | Op::Bitcast(_)
            | Op::Builtin(_)
            | Op::ArrayLength { .. } => u32::from(!scalar),
            Op::Load(address) => {
                let varying = address.terms.iter().any(|term| self.is_vector(term.index));
                if varying { 100 } else { 3 }
            }
            Op::Binary(Binary::Divide | Binary::Modulo, ..) => 12,
            Op::Unary(..) | Op::Binary(..) | Op::Select { .. } => 1,
            Op::Math(function, _) => pressure::math_cost(*function),
            _ => 100,
        }
    }
}

/// The needed `f32` sums and differences that each value is one side of.
fn summed_products(kernel: &Kernel, tree: &Tree) -> HashMap<ValueId, Vec<ValueId>> {
    let mut users: HashMap<ValueId, Vec<ValueId>> = HashMap::new();
    for (at, value) in kernel.values.iter().enumerate() {
        let id = ValueId(at as u32);
        if let Op::Binary(Binary::Add | Binary::Subtract, x, y) = value.op
            && value.ty == Scalar::F32
            && tree.needed.value(id)
            && x != y
        {
            users.entry(x).or_default().push(id);
            users.entry(y).or_default().push(id);
        }
    }
    users
}

/// Is the check of index `at` of `address` the same as the buffer's own?
pub(super) fn exact(address: &Address, at: usize) -> bool {
    let term = &address.terms[at];
    address.terms.len() == 1
        && address.offset == 0
        && term.stride == 1
        && term.extent == Extent::Runtime { offset: 0 }
}

/// The word of a uniform buffer that `address` always is; `u32::MAX`, which no buffer holds, if it is out of bounds.
fn uniform_word(kernel: &Kernel, address: &Address) -> Option<u32> {
    let Memory::Buffer(buffer) = address.memory else {
        return None;
    };
    if kernel.bindings[buffer.0 as usize].space != Space::Uniform {
        return None;
    }
    let mut word = u64::from(address.offset);
    for term in &address.terms {
        let index = constant_bits(kernel, term.index)?;
        let Extent::Fixed(extent) = term.extent else {
            return None;
        };
        if index >= extent {
            return Some(u32::MAX);
        }
        word += u64::from(index) * u64::from(term.stride);
    }
    u32::try_from(word).ok()
}

fn hoisted_name(kernel: &Kernel, memory: Memory, word: u32, ty: Scalar) -> String {
    let Memory::Buffer(buffer) = memory else {
        unreachable!("only buffers are hoisted")
    };
    let name = super::names::snake(&kernel.bindings[buffer.0 as usize].name);
    let suffix = match ty {
        Scalar::F32 => "f",
        Scalar::I32 => "i",
        Scalar::U32 => "u",
        Scalar::Bool => "b",
    };
    if word == u32::MAX {
        format!("{name}_outside_{suffix}")
    } else {
        format!("{name}_{word}{suffix}")
    }
}

/// Must gangs be pieces of one workgroup's rows?
pub(super) fn gangs(kernel: &Kernel, tree: &Tree) -> Gangs {
    let by_workgroup = |id: &ValueId| {
        let op = &kernel.value(*id).op;
        let uses = |address: &Address| matches!(address.memory, Memory::Workgroup(_));
        tree.needed.value(*id)
            && match op {
                Op::Builtin(builtin) => !Gangs::strips_tell(kernel, *builtin),
                Op::Load(address) | Op::UniformLoad(address) => uses(address),
                _ => false,
            }
    };
    let rows = tree.body.iter().any(|node| {
        node.any(&mut |node| match &node.kind {
            Kind::Leaf(Stmt::Let(id)) => by_workgroup(id),
            Kind::Leaf(Stmt::Barrier(_)) => true,
            Kind::Leaf(Stmt::Store { address, .. } | Stmt::Atomic { address, .. }) => {
                matches!(address.memory, Memory::Workgroup(_))
            }
            _ => false,
        })
    });
    if rows { Gangs::Rows } else { Gangs::Strips }
}

/// Lanes of the token and gangs per token, so that rows of workgroups are whole gangs where possible.
fn lanes(kernel: &Kernel, gangs: Gangs, wanted: usize) -> (usize, usize) {
    if gangs == Gangs::Strips {
        return (16, wanted);
    }
    let row = kernel.workgroup_size[0];
    if row == 1 {
        return (1, 1);
    }
    let whole = 1usize << row.trailing_zeros();
    // Rows that are no whole number of gangs are masked anyway.
    let lanes = match whole {
        8.. => whole.min(16),
        _ if row > 8 => 16,
        _ => 8,
    };
    (lanes, (whole / lanes).clamp(1, wanted))
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?}, {} lanes x {}",
            self.gangs, self.lanes_max, self.interleave
        )?;
        for (name, buffer, word, ty) in &self.hoisted {
            writeln!(f, "  {name}: {ty:?} = buffer {} word {word}", buffer.0)?;
        }
        for (at, form) in self.forms.iter().enumerate() {
            if !matches!(form, Form::Absent | Form::Literal) {
                writeln!(f, "  v{at}: {form:?}")?;
            }
        }
        for (node, branch) in &self.branches {
            writeln!(f, "  branch n{}: {branch:?}", node.0)?;
        }
        Ok(())
    }
}

/// Operands of the value as it is emitted: those of the contraction if it is one.
pub(super) fn emitted_operands(kernel: &Kernel, plan: &Plan, id: ValueId) -> Vec<ValueId> {
    match plan.contractions.get(&id) {
        Some(sum) => vec![sum.a, sum.b, sum.c],
        None => operands(&kernel.value(id).op),
    }
}
