//! What does one entry point do? The kernel IR (KIR): one compute entry point with every call inlined, every vector,
//! matrix and struct taken apart into 32-bit scalars, and control flow kept structured.
//!
//! KIR is what [lowering](crate::lower) makes of naga's IR and what every later pass reads: variance, barrier fission, the
//! access map and emission. Its rules, checked by [`Kernel::verify`]:
//!
//! - A value is made by exactly one [`Stmt::Let`] (or [`Stmt::Atomic`]) and used only after it in the same list of statements or
//!   in lists nested there; its operands are made earlier. A loop's `continuing` and `break_if` also see the values that the top
//!   level of its `body` makes. Constants and builtins need a `Let` as well.
//! - Values are immutable. What changes lives in a variable ([`VarId`], one scalar per invocation), a private array ([`ArrayId`],
//!   dynamically indexed, per invocation) or memory ([`Memory`]).
//! - A `Let` of a pure operation may be moved or repeated; a `Let` of a read ([`Op::ReadVar`], [`Op::ReadArray`],
//!   [`Op::Load`]) happens where it stands.
//! - The only jumps are [`Stmt::Break`] out of an enclosing labelled block or loop, and [`Stmt::Continue`] to the continuing part
//!   of an enclosing loop. `return` is a break out of the outermost block. Nothing follows a jump in its list.
//! - `for` and `while` are a [`Stmt::Loop`] whose body begins with reads and pure values and then
//!   `If { condition: leave, accept: [Break(label)], reject: [] }`; the variable of a `for` is set before the loop and in
//!   `continuing`. After simplification `leave` is the opposite comparison (`i >= n` for `i < n`) where operands are integers,
//!   and `LogicalNot` of the comparison where they are floats.
//! - Memory holds no `bool`: loads and stores have type `f32`, `i32` or `u32`.
//! - Nothing here is racy by itself: all invocations run the same body, each with its own variables and private arrays.

pub(crate) mod build;
mod display;
pub(crate) mod fold;
mod verify;
pub(crate) mod visit;

pub use verify::Malformed;

use naga::Span;

/// Index of a value in [`Kernel::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);
/// Index of a scalar variable in [`Kernel::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);
/// Index of a private array in [`Kernel::arrays`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArrayId(pub u32);
/// Index of a bound buffer in [`Kernel::bindings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);
/// Index of a workgroup variable in [`Kernel::workgroup_vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkgroupVarId(pub u32);
/// Name of a labelled block or loop, unique within a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

/// The scalar types of WGSL that a lane can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// IEEE binary32.
    F32,
    /// 32-bit two's complement integer.
    I32,
    /// 32-bit unsigned integer.
    U32,
    /// Truth value; never in memory. Lowering keeps a `bool` of workgroup memory as the word 0 or 1.
    Bool,
}

/// One compute entry point.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The entry point's name in WGSL.
    pub name: String,
    /// Invocations per workgroup along x, y, z; overrides are resolved.
    pub workgroup_size: [u32; 3],
    /// The bound buffers that the module declares and this entry point uses, ordered by (group, binding).
    pub bindings: Vec<Binding>,
    /// Workgroup variables that this entry point uses.
    pub workgroup_vars: Vec<WorkgroupVar>,
    /// Scalar variables, one instance per invocation.
    pub vars: Vec<Var>,
    /// Dynamically indexed arrays, one instance per invocation.
    pub arrays: Vec<PrivateArray>,
    /// Arena of values.
    pub values: Vec<Value>,
    /// The statements of an invocation: contents of the block [`Kernel::ROOT`].
    pub body: Vec<Stmt>,
}

/// A buffer the host binds.
#[derive(Clone, Debug)]
pub struct Binding {
    /// WGSL name of the variable.
    pub name: String,
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// Address space and access.
    pub space: Space,
    /// Where the variable is declared.
    pub span: Span,
}

/// Address space of a bound buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// `var<uniform>`.
    Uniform,
    /// `var<storage, read>`.
    StorageRead,
    /// `var<storage, read_write>`.
    StorageReadWrite,
}

/// A variable in workgroup memory: `words` 32-bit words with WGSL's layout, zero when a workgroup starts.
#[derive(Clone, Debug)]
pub struct WorkgroupVar {
    /// WGSL name.
    pub name: String,
    /// Size in 32-bit words.
    pub words: u32,
}

/// A mutable scalar of an invocation. Its content before the first [`Stmt::SetVar`] is zero.
#[derive(Clone, Debug)]
pub struct Var {
    /// WGSL name with a suffix for the component, for people who read dumps.
    pub name: String,
    /// Type.
    pub ty: Scalar,
}

/// A dynamically indexed array of an invocation, zero at first; or a constant table. Aggregates are split into one array per
/// scalar leaf.
#[derive(Clone, Debug)]
pub struct PrivateArray {
    /// WGSL name with a suffix for the leaf.
    pub name: String,
    /// Element type.
    pub ty: Scalar,
    /// Number of elements.
    pub len: u32,
    /// The elements of a constant table, one each; no [`Stmt::SetArray`] names such an array.
    pub contents: Option<Vec<Literal>>,
}

/// A value: an operation, its type, and the WGSL it came from.
#[derive(Clone, Debug)]
pub struct Value {
    /// How it is computed.
    pub op: Op,
    /// Its type.
    pub ty: Scalar,
    /// The WGSL expression.
    pub span: Span,
}

/// A constant. Two are equal if their bits are, so that a NaN equals itself and 0 differs from -0.
#[derive(Clone, Copy, Debug)]
pub enum Literal {
    /// `f32`
    F32(f32),
    /// `i32`
    I32(i32),
    /// `u32`
    U32(u32),
    /// `bool`
    Bool(bool),
}

impl Literal {
    /// The type.
    pub fn ty(self) -> Scalar {
        match self {
            Literal::F32(_) => Scalar::F32,
            Literal::I32(_) => Scalar::I32,
            Literal::U32(_) => Scalar::U32,
            Literal::Bool(_) => Scalar::Bool,
        }
    }

    /// The 32 bits; a `bool` is 0 or 1.
    pub fn bits(self) -> u32 {
        match self {
            Literal::F32(value) => value.to_bits(),
            Literal::I32(value) => value as u32,
            Literal::U32(value) => value,
            Literal::Bool(value) => u32::from(value),
        }
    }

    /// The constant of type `ty` with these bits.
    pub fn from_bits(ty: Scalar, bits: u32) -> Literal {
        match ty {
            Scalar::F32 => Literal::F32(f32::from_bits(bits)),
            Scalar::I32 => Literal::I32(bits as i32),
            Scalar::U32 => Literal::U32(bits),
            Scalar::Bool => Literal::Bool(bits != 0),
        }
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Literal) -> bool {
        (self.ty(), self.bits()) == (other.ty(), other.bits())
    }
}

impl Eq for Literal {}

impl std::hash::Hash for Literal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.ty(), self.bits()).hash(state);
    }
}

/// Builtin inputs; the `u8` is the axis, 0 for x, 1 for y, 2 for z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// `global_invocation_id`
    GlobalId(u8),
    /// `local_invocation_id`
    LocalId(u8),
    /// `local_invocation_index`
    LocalIndex,
    /// `workgroup_id`
    WorkgroupId(u8),
    /// `num_workgroups`, of the whole launch
    NumWorkgroups(u8),
}

/// How a value is computed. Operand types are those of WGSL after its own conversions; both operands of a [`Op::Binary`] have
/// the same type, except that the right one of a shift is always `u32`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A constant.
    Const(Literal),
    /// A builtin input; type `u32`.
    Builtin(Builtin),
    /// One operand.
    Unary(Unary, ValueId),
    /// Two operands.
    Binary(Binary, ValueId, ValueId),
    /// `accept` where `condition`, else `reject`; all three are evaluated.
    Select {
        /// A `bool`.
        condition: ValueId,
        /// Result where true.
        accept: ValueId,
        /// Result where false.
        reject: ValueId,
    },
    /// WGSL value conversion to [`Value::ty`]: saturating from float to integer (NaN becomes 0), `bool` as 0 or 1, and x != 0 to
    /// `bool`.
    Convert(ValueId),
    /// Same 32 bits as [`Value::ty`].
    Bitcast(ValueId),
    /// A numeric builtin function on scalars.
    Math(Math, Vec<ValueId>),
    /// Content of a variable here and now.
    ReadVar(VarId),
    /// Element of a private array here and now; 0 if the index, a `u32`, is out of bounds.
    ReadArray(ArrayId, ValueId),
    /// A word of memory here and now, reinterpreted as [`Value::ty`]; 0 if out of bounds.
    Load(Address),
    /// A load from workgroup memory directly after a barrier, known to be the same for the whole workgroup
    /// (`workgroupUniformLoad`).
    UniformLoad(Address),
    /// `arrayLength` of the runtime-sized array that starts `offset` words into the buffer with `stride` words per element.
    ArrayLength {
        /// Which buffer.
        buffer: BufferId,
        /// Words before the array.
        offset: u32,
        /// Words per element.
        stride: u32,
    },
    /// Result of the [`Stmt::Atomic`] that names this value; its `Let` is that statement.
    AtomicResult,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// `-x` (wrapping for `i32`)
    Negate,
    /// `!x` on `bool`
    LogicalNot,
    /// `~x` on integers
    BitwiseNot,
}

/// Operators with two operands. Division, remainder and shifts are WGSL's defined ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    /// Integers: x / 0 = x, `i32::MIN / -1 = i32::MIN`.
    Divide,
    /// Integers: x % 0 = 0, `i32::MIN % -1 = 0`; floats: `x - y * trunc(x / y)`.
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// On integers, or on `bool` (both sides evaluated).
    And,
    /// On integers, or on `bool` (both sides evaluated).
    Or,
    ExclusiveOr,
    /// Shift count modulo 32.
    ShiftLeft,
    /// Arithmetic for `i32`, logical for `u32`; shift count modulo 32.
    ShiftRight,
}

/// Numeric builtin functions on scalars. Vector functions (`dot`, `cross`, `length`, `normalize`, `distance`, `mix` on vectors, …)
/// are taken apart by lowering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Math {
    Abs,
    Sign,
    Min,
    Max,
    /// `min(max(x, low), high)`
    Clamp,
    Floor,
    Ceil,
    /// Ties to even.
    Round,
    Trunc,
    /// `x - floor(x)`
    Fract,
    Sqrt,
    InverseSqrt,
    Exp,
    Exp2,
    Log,
    Log2,
    Pow,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Sinh,
    Cosh,
    Tanh,
    /// `a * b + c` with one rounding or two.
    Fma,
    CountOneBits,
    CountLeadingZeros,
    CountTrailingZeros,
    ReverseBits,
    FirstLeadingBit,
    FirstTrailingBit,
    ExtractBits,
    InsertBits,
}

/// A block of memory that an address points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// A bound buffer.
    Buffer(BufferId),
    /// A workgroup variable.
    Workgroup(WorkgroupVarId),
}

/// A word address: `offset + Σ index·stride` words from the start of `memory`, valid only while every `index < extent`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Where.
    pub memory: Memory,
    /// Constant part, in words.
    pub offset: u32,
    /// Indices, outermost first.
    pub terms: Vec<Term>,
}

/// One indexing step of an [`Address`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// The index, `u32` or `i32` (a negative one is out of bounds).
    pub index: ValueId,
    /// Words per step.
    pub stride: u32,
    /// Bound of the index.
    pub extent: Extent,
}

/// Number of elements of an indexed array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// A fixed-size array, vector or matrix.
    Fixed(u32),
    /// A runtime-sized array that starts this many words into the buffer; its length follows from the buffer's.
    Runtime {
        /// Words before the array.
        offset: u32,
    },
}

/// Atomic read-modify-write operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum AtomicOp {
    Load,
    Store,
    Add,
    Subtract,
    And,
    Or,
    ExclusiveOr,
    Min,
    Max,
    Exchange,
    /// `atomicCompareExchangeWeak`; never fails spuriously here.
    CompareExchange,
}

/// A statement. Spans are for diagnostics.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// Computes a value here.
    Let(ValueId),
    /// Assigns a variable.
    SetVar(VarId, ValueId),
    /// Assigns an element of a private array; dropped if out of bounds.
    SetArray {
        /// The array.
        array: ArrayId,
        /// Element, a `u32`.
        index: ValueId,
        /// New content.
        value: ValueId,
    },
    /// Writes a word; dropped if out of bounds.
    Store {
        /// Where.
        address: Address,
        /// What.
        value: ValueId,
        /// The WGSL statement.
        span: Span,
    },
    /// An atomic operation on `i32` or `u32`.
    Atomic {
        /// Where.
        address: Address,
        /// Which operation.
        op: AtomicOp,
        /// `i32` or `u32`: type of the atomic object.
        ty: Scalar,
        /// Operand; none for [`AtomicOp::Load`].
        value: Option<ValueId>,
        /// Expected old content, for [`AtomicOp::CompareExchange`].
        compare: Option<ValueId>,
        /// The old content, an [`Op::AtomicResult`] value, if anybody reads it. 0 if out of bounds.
        result: Option<ValueId>,
        /// For [`AtomicOp::CompareExchange`]: `bool` [`Op::AtomicResult`] value, whether the exchange took place.
        exchanged: Option<ValueId>,
        /// The WGSL statement.
        span: Span,
    },
    /// Two-way branch.
    If {
        /// A `bool`.
        condition: ValueId,
        /// Where true.
        accept: Vec<Stmt>,
        /// Where false.
        reject: Vec<Stmt>,
        /// The WGSL statement.
        span: Span,
    },
    /// A loop: `body`, then `continuing`, then leave if `break_if`, for ever.
    Loop {
        /// Target of [`Stmt::Break`] and [`Stmt::Continue`].
        label: Label,
        /// The body.
        body: Vec<Stmt>,
        /// Runs for every invocation that finished or continued the body. Sees values of the body only if the body cannot `continue`
        /// past them.
        continuing: Vec<Stmt>,
        /// Evaluated at the end of `continuing`.
        break_if: Option<ValueId>,
        /// The WGSL statement.
        span: Span,
    },
    /// Statements that can be left early.
    Block {
        /// Target of [`Stmt::Break`].
        label: Label,
        /// The statements.
        body: Vec<Stmt>,
    },
    /// Leaves a block or loop.
    Break(Label),
    /// Goes on with the continuing part of a loop.
    Continue(Label),
    /// `workgroupBarrier`, `storageBarrier`, or the barriers of `workgroupUniformLoad`: all invocations of the workgroup arrive
    /// here, and memory operations before it happen before those after it.
    Barrier(Span),
}

impl Kernel {
    /// Label of the outermost block; breaking out of it ends the invocation.
    pub const ROOT: Label = Label(0);

    /// The value behind `id`.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }
}
