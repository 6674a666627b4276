//! What does the body of a kernel look like once its jumps are as simple as they can be? KIR's statements as a tree of numbered
//! nodes, for the passes towards the CPU.
//!
//! - A value that nobody needs and an assignment that nobody reads are gone.
//! - A jump to where control goes anyway is gone; what follows a conditional jump forwards moves into the branch that does not jump, so
//!   that guards (`if (i >= n) { return; }`) and early returns of inlined functions become plain branches.
//! - A block that nobody leaves early is dissolved into its surroundings.

mod build;
mod needed;

use naga::Span;

use crate::ir::{Kernel, Label, Stmt, ValueId};
pub use needed::{Needed, operands};

/// Number of a [`Node`], in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A statement with its number.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its number, which the results of passes are indexed by.
    pub id: NodeId,
    /// The statement.
    pub kind: Kind,
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A statement of KIR without control flow: a `Let`, `SetVar`, `SetArray`, `Store`, `Atomic` or `Barrier`.
    Leaf(Stmt),
    /// Two-way branch.
    If {
        /// A `bool`.
        condition: ValueId,
        /// Where true.
        accept: Vec<Node>,
        /// Where false.
        reject: Vec<Node>,
        /// The WGSL statement.
        span: Span,
    },
    /// `body`, `continuing`, leave if `break_if`, for ever.
    Loop {
        /// Target of jumps.
        label: Label,
        /// The body.
        body: Vec<Node>,
        /// What runs after the body, also after a continue.
        continuing: Vec<Node>,
        /// Evaluated at the end of `continuing`.
        break_if: Option<ValueId>,
        /// The WGSL statement.
        span: Span,
    },
    /// Statements that some jump leaves early.
    Block {
        /// Target of jumps.
        label: Label,
        /// The statements.
        body: Vec<Node>,
    },
    /// A jump.
    Jump(Jump),
}

/// A jump out of nested statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Jump {
    /// To the end of a block or loop.
    Break(Label),
    /// To the continuing part of a loop.
    Continue(Label),
}

impl Jump {
    /// The block or loop that is the target.
    pub fn label(self) -> Label {
        match self {
            Jump::Break(label) | Jump::Continue(label) => label,
        }
    }
}

/// The body of a kernel.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The statements of an invocation.
    pub body: Vec<Node>,
    /// Number of nodes; ids are less.
    pub nodes: u32,
    /// Which values are evaluated and how often they are used.
    pub needed: Needed,
}

impl Tree {
    /// Simplifies the jumps of `kernel`.
    pub fn new(kernel: &Kernel) -> Tree {
        let needed = Needed::new(kernel);
        let (body, nodes) = build::build(kernel, &needed);
        Tree {
            body,
            nodes,
            needed,
        }
    }
}

impl Node {
    /// The lists of nested statements.
    pub fn children(&self) -> [&[Node]; 2] {
        match &self.kind {
            Kind::If { accept, reject, .. } => [accept, reject],
            Kind::Loop {
                body, continuing, ..
            } => [body, continuing],
            Kind::Block { body, .. } => [body, &[]],
            Kind::Leaf(_) | Kind::Jump(_) => [&[], &[]],
        }
    }

    /// Calls `visit` for this node and all nested ones, in the order of the text.
    pub fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        for list in self.children() {
            for node in list {
                node.visit(visit);
            }
        }
    }

    /// Is `found` true of this node or of a nested one?
    pub fn any(&self, found: &mut impl FnMut(&Node) -> bool) -> bool {
        found(self)
            || self
                .children()
                .into_iter()
                .flatten()
                .any(|node| node.any(found))
    }
}
