//! What can go wrong when the oracle is asked to run a kernel?

use naga::Span;

/// Why the oracle refused a module or stopped a run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The module has no compute entry point of this name.
    #[error("no compute entry point named `{0}`")]
    NoEntryPoint(String),
    /// The kernel uses something that the oracle does not interpret.
    #[error("the oracle does not interpret {construct}")]
    Unsupported {
        /// The construct in words, such as "`textureLoad`".
        construct: String,
        /// Where it stands in the WGSL source; empty where naga does not say.
        span: Span,
    },
    /// `run` was given another number of buffers than the entry point uses.
    #[error("the entry point uses {expected} bound buffers, but {given} were given")]
    BufferCount {
        /// Buffers in [`Oracle::bindings`](super::Oracle::bindings).
        expected: usize,
        /// Buffers given.
        given: usize,
    },
    /// A buffer is shorter than the fixed part of its type, or no whole number of 32-bit words.
    #[error(
        "buffer `{name}` needs at least {needed} bytes and whole 4-byte words, but has {given} bytes"
    )]
    BufferSize {
        /// The WGSL variable.
        name: String,
        /// Bytes of the type without its runtime-sized tail.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
    /// The invocations of a workgroup did not all arrive at the same barrier.
    #[error(
        "invocations 0 and {invocation} of workgroup {workgroup:?} stopped at different places: a barrier is in divergent control flow"
    )]
    DivergentBarrier {
        /// The workgroup's id.
        workgroup: [u32; 3],
        /// `local_invocation_index` of the first invocation that stopped elsewhere than invocation 0.
        invocation: u32,
        /// The barrier at which one of the two waits.
        span: Span,
    },
    /// `workgroupUniformLoad` was called with different pointers in one workgroup.
    #[error(
        "invocations 0 and {invocation} of workgroup {workgroup:?} pass different pointers to `workgroupUniformLoad`"
    )]
    DivergentUniformLoad {
        /// The workgroup's id.
        workgroup: [u32; 3],
        /// `local_invocation_index` of the first invocation whose pointer differs from invocation 0's.
        invocation: u32,
        /// The call.
        span: Span,
    },
    /// An invocation went round loops more often than the limit: it probably never ends.
    #[error("an invocation went round its loops more than {limit} times")]
    LoopLimit {
        /// The limit, see [`Oracle::loop_limit`](super::Oracle::loop_limit).
        limit: u64,
    },
    /// The module breaks a promise of naga's validator: it was not validated.
    #[error("malformed module: {0}")]
    Malformed(String),
}

impl OracleError {
    pub(super) fn unsupported(construct: impl Into<String>) -> Self {
        Self::Unsupported {
            construct: construct.into(),
            span: Span::UNDEFINED,
        }
    }

    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    /// Adds the place to an error that does not have one yet.
    #[must_use]
    pub(super) fn at(self, place: Span) -> Self {
        match self {
            Self::Unsupported { construct, span } if !span.is_defined() => Self::Unsupported {
                construct,
                span: place,
            },
            other => other,
        }
    }
}
