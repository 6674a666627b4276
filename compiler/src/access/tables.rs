//! What does the runtime get? An access map as flat tables: every expression once, operands before users, so that a launch
//! evaluates each in one pass. Row for row the constants of `impel::kernel::access`.

mod build;
mod rust;

/// An access map as tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// Launch-uniform expressions.
    pub uniforms: Vec<UniformRow>,
    /// Variables beyond the nine builtin ids.
    pub ranges: Vec<RangeRow>,
    /// Guards.
    pub constraints: Vec<ConstraintRow>,
    /// Places: line, column, snippet.
    pub sites: Vec<(u32, u32, String)>,
    /// One row per storage binding.
    pub buffers: Vec<BufferRow>,
    /// Whether a launch may be split.
    pub split: SplitRow,
    /// Loops.
    pub loops: Vec<TripsRow>,
    /// Operation counts.
    pub counts: Vec<CountsRow>,
}

/// A launch-uniform expression; operands are indices of earlier rows.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum UniformRow {
    Const(i64),
    Word {
        binding: u16,
        word: u32,
        signed: bool,
    },
    ArrayLength {
        binding: u16,
        offset: u32,
        stride: u32,
    },
    NumWorkgroups(u8),
    Add(u16, u16),
    Multiply(u16, u16),
    Function(super::Function, u16, u16),
    Fits {
        value: u16,
        signed: bool,
    },
}

/// `base + Σ coefficient · variable`.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineRow {
    /// A uniform.
    pub base: u16,
    /// The rest.
    pub terms: Vec<TermRow>,
}

/// `coefficient · variable`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TermRow {
    /// A variable.
    pub variable: u16,
    /// A uniform.
    pub coefficient: u16,
}

/// A variable that is no builtin id.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum RangeRow {
    Counter,
    CounterTo {
        distance: AffineRow,
        step: u16,
        checks: Vec<CheckRow>,
    },
    Sum(AffineRow),
    Min {
        a: AffineRow,
        b: AffineRow,
        signed: bool,
    },
    Max {
        a: AffineRow,
        b: AffineRow,
        signed: bool,
    },
    Either(AffineRow, AffineRow),
    Quotient {
        value: AffineRow,
        divisor: u16,
        signed: bool,
    },
    Remainder {
        value: AffineRow,
        divisor: u16,
        signed: bool,
    },
    Within {
        low: u16,
        high: u16,
    },
}

/// `coefficient · variable + base >= 0`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstraintRow {
    /// A variable.
    pub variable: u16,
    /// A uniform.
    pub coefficient: u16,
    /// A uniform.
    pub base: u16,
    /// What must not wrap around.
    pub checks: Vec<CheckRow>,
}

/// A value that must fit its type.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckRow {
    /// The value.
    pub value: AffineRow,
    /// `i32`, or else `u32`.
    pub signed: bool,
}

/// How one storage binding is touched.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferRow {
    /// Index into the kernel's bindings.
    pub binding: u16,
    /// What is read.
    pub reads: Vec<PatternRow>,
    /// What is written.
    pub writes: Vec<PatternRow>,
    /// How private copies are combined.
    pub combine: Option<super::Combine>,
}

/// Words that one place touches.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternRow {
    /// Which; `Err` is the whole buffer and why.
    pub reach: Result<WordsRow, String>,
    /// A site.
    pub site: u16,
}

/// Words at an affine address.
#[derive(Clone, Debug, PartialEq)]
pub struct WordsRow {
    /// First word.
    pub address: AffineRow,
    /// Number of words.
    pub width: u32,
    /// All variables that matter, ascending.
    pub variables: Vec<u16>,
    /// Guards, ordered by variable.
    pub constraints: Vec<u16>,
    /// The whole buffer is touched if one fails.
    pub checks: Vec<CheckRow>,
    /// Whether all combinations take place.
    pub exact: bool,
}

/// Whether a launch may be split; if not, why, and at which site.
pub type SplitRow = Result<(), (String, u16)>;

/// How often a loop goes round.
#[derive(Clone, Debug, PartialEq)]
pub enum TripsRow {
    /// As long as a counter stays below a limit.
    Counted {
        /// First value.
        first: AffineRow,
        /// Exclusive end.
        limit: AffineRow,
        /// A uniform.
        step: u16,
    },
    /// Nobody knows before it runs.
    Unknown,
}

/// Operations of a stretch of code.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct CountsRow {
    pub loops: Vec<u16>,
    pub flops: u32,
    pub int_ops: u32,
    pub special: u32,
    pub bytes_read: u32,
    pub bytes_written: u32,
}
