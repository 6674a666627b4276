//! What does a kernel leave in its buffers? One invocation after another, each until the next barrier.

use impel_compiler::ir::{
    Address, AtomicOp, Builtin, Extent, Kernel, Memory, Op, Scalar, Stmt, ValueId,
};

use super::linear::{Step, steps};
use super::scalar;

/// Steps that one invocation may take between two barriers.
const STEPS_MAX: u32 = 10_000_000;

/// Runs the whole grid. `buffers` are words, in the order of the kernel's bindings.
pub(crate) fn run(
    kernel: &Kernel,
    num_workgroups: [u32; 3],
    buffers: &mut [Vec<u32>],
) -> Result<(), String> {
    let steps = steps(kernel);
    for z in 0..num_workgroups[2] {
        for y in 0..num_workgroups[1] {
            for x in 0..num_workgroups[0] {
                run_workgroup(kernel, &steps, [[x, y, z], num_workgroups], buffers)?;
            }
        }
    }
    Ok(())
}

fn run_workgroup(
    kernel: &Kernel,
    steps: &[Step<'_>],
    [workgroup, num_workgroups]: [[u32; 3]; 2],
    buffers: &mut [Vec<u32>],
) -> Result<(), String> {
    let size = kernel.workgroup_size;
    let shared = kernel
        .workgroup_vars
        .iter()
        .map(|var| vec![0; var.words as usize])
        .collect();
    let mut memory = Words { buffers, shared };
    let mut invocations: Vec<_> = (0..size.iter().product::<u32>())
        .map(|index| {
            let local = [
                index % size[0],
                index / size[0] % size[1],
                index / size[0] / size[1],
            ];
            Invocation::new(
                kernel,
                Place {
                    workgroup,
                    num_workgroups,
                    local,
                    index,
                },
            )
        })
        .collect();
    loop {
        let mut stops = Vec::new();
        for invocation in &mut invocations {
            stops.push(invocation.run(kernel, steps, &mut memory)?);
        }
        if stops.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err("the invocations of a workgroup stop at different barriers".to_owned());
        }
        if stops[0].is_none() {
            return Ok(());
        }
    }
}

/// Where an invocation stands in the grid.
#[derive(Clone, Copy)]
struct Place {
    workgroup: [u32; 3],
    num_workgroups: [u32; 3],
    local: [u32; 3],
    index: u32,
}

struct Words<'a> {
    buffers: &'a mut [Vec<u32>],
    shared: Vec<Vec<u32>>,
}

impl Words<'_> {
    fn of(&mut self, memory: Memory) -> &mut Vec<u32> {
        match memory {
            Memory::Buffer(id) => &mut self.buffers[id.0 as usize],
            Memory::Workgroup(id) => &mut self.shared[id.0 as usize],
        }
    }
}

struct Invocation {
    place: Place,
    at: usize,
    values: Vec<Option<u32>>,
    vars: Vec<u32>,
    arrays: Vec<Vec<u32>>,
}

impl Invocation {
    fn new(kernel: &Kernel, place: Place) -> Invocation {
        let arrays = kernel.arrays.iter().map(|array| match &array.contents {
            Some(contents) => contents.iter().map(|literal| literal.bits()).collect(),
            None => vec![0; array.len as usize],
        });
        Invocation {
            place,
            at: 0,
            values: vec![None; kernel.values.len()],
            vars: vec![0; kernel.vars.len()],
            arrays: arrays.collect(),
        }
    }

    /// Runs to the next barrier, whose step it returns, or to the end.
    fn run(
        &mut self,
        kernel: &Kernel,
        steps: &[Step<'_>],
        memory: &mut Words<'_>,
    ) -> Result<Option<usize>, String> {
        for _ in 0..STEPS_MAX {
            let Some(step) = steps.get(self.at) else {
                return Ok(None);
            };
            let at = self.at;
            self.at += 1;
            match step {
                Step::Plain(Stmt::Barrier(_)) => return Ok(Some(at)),
                Step::Plain(stmt) => self.stmt(kernel, stmt, memory),
                Step::Jump(target) => self.at = *target,
                Step::JumpUnless(condition, wanted, target) => {
                    if (self.value(*condition) != 0) != *wanted {
                        self.at = *target;
                    }
                }
            }
        }
        Err("an invocation does not end".to_owned())
    }

    fn value(&self, id: ValueId) -> u32 {
        self.values[id.0 as usize].unwrap_or_else(|| panic!("{id} is used before it is made"))
    }

    fn stmt(&mut self, kernel: &Kernel, stmt: &Stmt, memory: &mut Words<'_>) {
        match stmt {
            Stmt::Let(id) => {
                let value = kernel.value(*id);
                self.values[id.0 as usize] = Some(self.op(kernel, &value.op, value.ty, memory));
            }
            Stmt::SetVar(var, value) => self.vars[var.0 as usize] = self.value(*value),
            Stmt::SetArray {
                array,
                index,
                value,
            } => {
                let (index, value) = (self.value(*index) as usize, self.value(*value));
                if let Some(element) = self.arrays[array.0 as usize].get_mut(index) {
                    *element = value;
                }
            }
            Stmt::Store { address, value, .. } => {
                let value = self.value(*value);
                if let Some(word) = self.word(kernel, address, memory) {
                    *word = value;
                }
            }
            Stmt::Atomic { .. } => self.atomic(kernel, stmt, memory),
            other => unreachable!("{other:?} is no plain step"),
        }
    }

    /// The word at an address; none if it is out of bounds.
    fn word<'m>(
        &self,
        kernel: &Kernel,
        address: &Address,
        memory: &'m mut Words<'_>,
    ) -> Option<&'m mut u32> {
        let words = memory.of(address.memory);
        let mut at = u64::from(address.offset);
        for term in &address.terms {
            let index = self.value(term.index);
            let extent = match term.extent {
                Extent::Fixed(extent) => extent,
                Extent::Runtime { offset } => {
                    (words.len() as u32).saturating_sub(offset) / term.stride
                }
            };
            if index >= extent {
                return None;
            }
            at += u64::from(index) * u64::from(term.stride);
        }
        let _ = kernel;
        words.get_mut(usize::try_from(at).ok()?)
    }

    fn op(&self, kernel: &Kernel, op: &Op, ty: Scalar, memory: &mut Words<'_>) -> u32 {
        match op {
            Op::Const(literal) => literal.bits(),
            Op::Builtin(builtin) => self.builtin(kernel, *builtin),
            Op::Unary(op, a) => scalar::unary(*op, ty, self.value(*a)),
            Op::Binary(op, a, b) => {
                scalar::binary(*op, kernel.value(*a).ty, self.value(*a), self.value(*b))
            }
            Op::Select {
                condition,
                accept,
                reject,
            } => {
                let (accept, reject) = (self.value(*accept), self.value(*reject));
                if self.value(*condition) != 0 {
                    accept
                } else {
                    reject
                }
            }
            Op::Convert(a) => scalar::convert(kernel.value(*a).ty, ty, self.value(*a)),
            Op::Bitcast(a) => self.value(*a),
            Op::Math(function, arguments) => {
                let arguments: Vec<_> = arguments.iter().map(|id| self.value(*id)).collect();
                scalar::math(*function, ty, &arguments)
            }
            Op::ReadVar(var) => self.vars[var.0 as usize],
            Op::ReadArray(array, index) => self.arrays[array.0 as usize]
                .get(self.value(*index) as usize)
                .copied()
                .unwrap_or(0),
            Op::Load(address) | Op::UniformLoad(address) => {
                self.word(kernel, address, memory).map_or(0, |word| *word)
            }
            Op::ArrayLength {
                buffer,
                offset,
                stride,
            } => {
                let words = memory.buffers[buffer.0 as usize].len() as u32;
                words.saturating_sub(*offset) / stride
            }
            Op::AtomicResult => unreachable!("an atomic's result has no let"),
        }
    }

    fn builtin(&self, kernel: &Kernel, builtin: Builtin) -> u32 {
        let Place {
            workgroup,
            num_workgroups,
            local,
            index,
        } = self.place;
        match builtin {
            Builtin::GlobalId(axis) => {
                let axis = axis as usize;
                workgroup[axis] * kernel.workgroup_size[axis] + local[axis]
            }
            Builtin::LocalId(axis) => local[axis as usize],
            Builtin::LocalIndex => index,
            Builtin::WorkgroupId(axis) => workgroup[axis as usize],
            Builtin::NumWorkgroups(axis) => num_workgroups[axis as usize],
        }
    }

    fn atomic(&mut self, kernel: &Kernel, stmt: &Stmt, memory: &mut Words<'_>) {
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
            return;
        };
        let operand = value.map_or(0, |id| self.value(id));
        let compare = compare.map(|id| self.value(id));
        let signed = *ty == Scalar::I32;
        let (mut old, mut took_place) = (0, false);
        if let Some(word) = self.word(kernel, address, memory) {
            old = *word;
            took_place = compare.is_none_or(|compare| compare == old);
            let operand_is_less = if signed {
                (operand as i32) < old as i32
            } else {
                operand < old
            };
            *word = match op {
                AtomicOp::Load => old,
                AtomicOp::Store | AtomicOp::Exchange => operand,
                AtomicOp::Add => old.wrapping_add(operand),
                AtomicOp::Subtract => old.wrapping_sub(operand),
                AtomicOp::And => old & operand,
                AtomicOp::Or => old | operand,
                AtomicOp::ExclusiveOr => old ^ operand,
                AtomicOp::Min => {
                    if operand_is_less {
                        operand
                    } else {
                        old
                    }
                }
                AtomicOp::Max => {
                    if operand_is_less {
                        old
                    } else {
                        operand
                    }
                }
                AtomicOp::CompareExchange => {
                    if took_place {
                        operand
                    } else {
                        old
                    }
                }
            };
        }
        if let Some(id) = result {
            self.values[id.0 as usize] = Some(old);
        }
        if let Some(id) = exchanged {
            self.values[id.0 as usize] = Some(u32::from(took_place));
        }
    }
}
