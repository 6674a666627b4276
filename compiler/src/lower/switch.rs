//! What does a switch do? It becomes a labelled block with a chain of two-way branches, the default last.

use naga::{Block, Expression, Handle, Span, SwitchCase, SwitchValue};

use super::call::{Frame, Jumps};
use super::{Lowered, Lowering};
use crate::ir::{Binary, Literal, Stmt, ValueId};

/// A body and the selectors that lead to it.
struct Group<'a> {
    values: Vec<Literal>,
    is_default: bool,
    body: &'a Block,
}

impl<'a> Lowering<'a> {
    pub(super) fn switch(
        &mut self,
        frame: &mut Frame<'a>,
        selector: Handle<Expression>,
        cases: &'a [SwitchCase],
        span: Span,
    ) -> Lowered<()> {
        let selector = self.scalar(frame, selector)?;
        let groups = groups(cases);
        if groups.iter().any(Option::is_none) {
            return self.refuse(
                span,
                "a case that falls through into the next is not supported",
            );
        }
        let mut groups: Vec<_> = groups.into_iter().flatten().collect();
        // No value of another case leads to the default, so it can be tried last wherever it stands.
        groups.sort_by_key(|group| group.is_default);
        let label = self.builder.label();
        frame.jumps.push(Jumps {
            break_to: label,
            continue_to: None,
        });
        self.builder.begin();
        let conditions: Vec<_> = groups
            .iter()
            .map(|group| self.any_of(selector, &group.values))
            .collect();
        self.chain(frame, &groups, &conditions, span)?;
        let body = self.builder.end();
        frame.jumps.pop();
        self.builder.push(Stmt::Block { label, body });
        Ok(())
    }

    fn any_of(&mut self, selector: ValueId, values: &[Literal]) -> ValueId {
        let mut any = self.builder.constant(Literal::Bool(false));
        for value in values {
            let value = self.builder.constant(*value);
            let equal = self.builder.binary(Binary::Equal, selector, value);
            any = self.builder.binary(Binary::Or, any, equal);
        }
        any
    }

    fn chain(
        &mut self,
        frame: &mut Frame<'a>,
        groups: &[Group<'a>],
        conditions: &[ValueId],
        span: Span,
    ) -> Lowered<()> {
        let Some((group, rest)) = groups.split_first() else {
            return Ok(());
        };
        if group.is_default {
            return self.block(frame, group.body);
        }
        let accept = self.nested(frame, group.body)?;
        self.builder.begin();
        self.chain(frame, rest, &conditions[1..], span)?;
        let reject = self.builder.end();
        self.builder.push(Stmt::If {
            condition: conditions[0],
            accept,
            reject,
            span,
        });
        Ok(())
    }
}

/// Cases that share a body, together; none for one that falls through with a body of its own.
fn groups(cases: &[SwitchCase]) -> Vec<Option<Group<'_>>> {
    let mut groups = Vec::new();
    let (mut values, mut is_default) = (Vec::new(), false);
    for case in cases {
        match case.value {
            SwitchValue::I32(value) => values.push(Literal::I32(value)),
            SwitchValue::U32(value) => values.push(Literal::U32(value)),
            SwitchValue::Default => is_default = true,
        }
        if case.fall_through {
            if !case.body.is_empty() {
                groups.push(None);
            }
            continue;
        }
        groups.push(Some(Group {
            values: std::mem::take(&mut values),
            is_default,
            body: &case.body,
        }));
        is_default = false;
    }
    groups
}
