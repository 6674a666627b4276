//! How do KIR's statements become a tree with few jumps?

use super::{Jump, Kind, Needed, Node, NodeId};
use crate::ir::{Kernel, Label, Stmt};

/// The nodes of the kernel's body and their number.
pub(super) fn build(kernel: &Kernel, needed: &Needed) -> (Vec<Node>, u32) {
    let stmts: Vec<&Stmt> = kernel.body.iter().collect();
    let mut body = Builder { needed }.list(&stmts, &[Jump::Break(Kernel::ROOT)]);
    if body.iter().any(|node| jumps_to(node, Kernel::ROOT)) {
        body = vec![Node {
            id: NodeId(0),
            kind: Kind::Block {
                label: Kernel::ROOT,
                body,
            },
        }];
    }
    let mut nodes = 0;
    number(&mut body, &mut nodes);
    (body, nodes)
}

fn number(list: &mut [Node], next: &mut u32) {
    for node in list {
        node.id = NodeId(*next);
        *next += 1;
        match &mut node.kind {
            Kind::If { accept, reject, .. } => {
                number(accept, next);
                number(reject, next);
            }
            Kind::Loop {
                body, continuing, ..
            } => {
                number(body, next);
                number(continuing, next);
            }
            Kind::Block { body, .. } => number(body, next),
            Kind::Leaf(_) | Kind::Jump(_) => {}
        }
    }
}

fn jumps_to(node: &Node, label: Label) -> bool {
    node.any(&mut |inner| matches!(inner.kind, Kind::Jump(jump) if jump.label() == label))
}

/// The jump that `stmt` is.
fn jump(stmt: &Stmt) -> Option<Jump> {
    match stmt {
        Stmt::Break(label) => Some(Jump::Break(*label)),
        Stmt::Continue(label) => Some(Jump::Continue(*label)),
        _ => None,
    }
}

/// The jump at the end of `list`.
fn last_jump(list: &[Stmt]) -> Option<Jump> {
    list.iter().find_map(jump)
}

struct Builder<'a> {
    needed: &'a Needed,
}

impl Builder<'_> {
    /// Builds `stmts`; `falls` are the jumps to where control goes from their end anyway.
    fn list(&self, stmts: &[&Stmt], falls: &[Jump]) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (at, stmt) in stmts.iter().enumerate() {
            let rest = &stmts[at + 1..];
            if let Some(jump) = jump(stmt) {
                if !falls.contains(&jump) {
                    nodes.push(node(Kind::Jump(jump)));
                }
                return nodes;
            }
            if let Stmt::If { accept, reject, .. } = stmt {
                let falls_through =
                    |arm: &[Stmt]| last_jump(arm).is_some_and(|jump| falls.contains(&jump));
                let (in_accept, in_reject) = (falls_through(reject), falls_through(accept));
                if !rest.is_empty() && (in_accept || in_reject) {
                    // If both arms jump, nothing reaches the rest, wherever it stands.
                    self.branch(stmt, rest, !in_reject, falls, &mut nodes);
                    return nodes;
                }
            }
            self.stmt(stmt, if rest.is_empty() { falls } else { &[] }, &mut nodes);
        }
        nodes
    }

    /// An `If` whose accepting arm (else the rejecting one) goes on with `rest`.
    fn branch(
        &self,
        stmt: &Stmt,
        rest: &[&Stmt],
        in_accept: bool,
        falls: &[Jump],
        nodes: &mut Vec<Node>,
    ) {
        let Stmt::If {
            condition,
            accept,
            reject,
            span,
        } = stmt
        else {
            unreachable!("only an If branches")
        };
        let arm = |stmts: &[Stmt], goes_on: bool| {
            let mut list: Vec<&Stmt> = stmts.iter().collect();
            if goes_on {
                list.extend(rest);
            }
            self.list(&list, falls)
        };
        let (accept, reject) = (arm(accept, in_accept), arm(reject, !in_accept));
        push_if(
            nodes,
            Kind::If {
                condition: *condition,
                accept,
                reject,
                span: *span,
            },
        );
    }

    fn stmt(&self, stmt: &Stmt, falls: &[Jump], nodes: &mut Vec<Node>) {
        match stmt {
            Stmt::If { .. } => self.branch(stmt, &[], false, falls, nodes),
            Stmt::Loop {
                label,
                body,
                continuing,
                break_if,
                span,
            } => {
                let body: Vec<&Stmt> = body.iter().collect();
                let continuing: Vec<&Stmt> = continuing.iter().collect();
                nodes.push(node(Kind::Loop {
                    label: *label,
                    body: self.list(&body, &[Jump::Continue(*label)]),
                    continuing: self.list(&continuing, &[]),
                    break_if: *break_if,
                    span: *span,
                }));
            }
            Stmt::Block { label, body } => {
                let stmts: Vec<&Stmt> = body.iter().collect();
                let mut inner = vec![Jump::Break(*label)];
                inner.extend(falls);
                let body = self.list(&stmts, &inner);
                if body.iter().any(|node| jumps_to(node, *label)) {
                    nodes.push(node(Kind::Block {
                        label: *label,
                        body,
                    }));
                } else {
                    nodes.extend(body);
                }
            }
            leaf if self.needed.stmt(leaf) => nodes.push(node(Kind::Leaf(leaf.clone()))),
            _ => {}
        }
    }
}

fn push_if(nodes: &mut Vec<Node>, branch: Kind) {
    if !matches!(&branch, Kind::If { accept, reject, .. } if accept.is_empty() && reject.is_empty())
    {
        nodes.push(node(branch));
    }
}

/// A node whose number is given at the end.
fn node(kind: Kind) -> Node {
    Node {
        id: NodeId(0),
        kind,
    }
}
