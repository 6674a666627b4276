//! Which expressions and statements does the oracle interpret, and which expressions are constant?

use naga::{Block, Expression, Handle, MathFunction, Statement};

use super::error::OracleError;

/// Refuses what the interpreter does not know, by its WGSL name.
pub(super) fn expression(expression: &Expression) -> Result<(), OracleError> {
    let construct = match expression {
        Expression::ImageSample { .. } => "`textureSample`",
        Expression::ImageLoad { .. } => "`textureLoad`",
        Expression::ImageQuery { .. } => "`textureDimensions`",
        Expression::Derivative { .. } => "derivatives",
        Expression::RayQueryVertexPositions { .. }
        | Expression::RayQueryProceedResult
        | Expression::RayQueryGetIntersection { .. } => "ray queries",
        Expression::SubgroupBallotResult | Expression::SubgroupOperationResult { .. } => {
            "subgroup operations"
        }
        Expression::CooperativeLoad { .. } | Expression::CooperativeMultiplyAdd { .. } => {
            "cooperative matrices"
        }
        Expression::Override(_) => "an unresolved override",
        Expression::Math { fun, .. } => return math(*fun),
        _ => return Ok(()),
    };
    Err(OracleError::unsupported(construct))
}

fn math(fun: MathFunction) -> Result<(), OracleError> {
    let name = match fun {
        MathFunction::Outer => "`outer`",
        MathFunction::Inverse => "`inverse`",
        MathFunction::QuantizeToF16 => "`quantizeToF16`",
        MathFunction::Pack2x16float => "`pack2x16float`",
        MathFunction::Unpack2x16float => "`unpack2x16float`",
        _ => return Ok(()),
    };
    Err(OracleError::unsupported(name))
}

/// Refuses every statement below `block` that the interpreter does not know, by its WGSL name.
pub(super) fn block(block: &Block) -> Result<(), OracleError> {
    for (statement, span) in block.span_iter() {
        nested(statement).into_iter().try_for_each(self::block)?;
        if let Some(construct) = refused(statement) {
            return Err(OracleError::unsupported(construct).at(*span));
        }
    }
    Ok(())
}

/// The blocks inside a statement.
fn nested(statement: &Statement) -> Vec<&Block> {
    match statement {
        Statement::Block(block) => vec![block],
        Statement::If { accept, reject, .. } => vec![accept, reject],
        Statement::Switch { cases, .. } => cases.iter().map(|case| &case.body).collect(),
        Statement::Loop {
            body, continuing, ..
        } => vec![body, continuing],
        _ => Vec::new(),
    }
}

fn refused(statement: &Statement) -> Option<&'static str> {
    match statement {
        Statement::Kill => Some("`discard`"),
        Statement::ImageStore { .. } => Some("`textureStore`"),
        Statement::ImageAtomic { .. } => Some("atomic operations on textures"),
        Statement::RayQuery { .. } | Statement::RayPipelineFunction(_) => Some("ray queries"),
        Statement::SubgroupBallot { .. }
        | Statement::SubgroupGather { .. }
        | Statement::SubgroupCollectiveOperation { .. } => Some("subgroup operations"),
        Statement::ControlBarrier(barrier) if barrier.contains(naga::Barrier::SUB_GROUP) => {
            Some("`subgroupBarrier`")
        }
        Statement::CooperativeStore { .. } => Some("cooperative matrices"),
        _ => None,
    }
}

/// The functions that the statements below `block` call.
pub(super) fn callees(block: &Block) -> Vec<Handle<naga::Function>> {
    let mut found = Vec::new();
    for statement in block {
        if let Statement::Call { function, .. } = statement {
            found.push(*function);
        }
        for inner in nested(statement) {
            found.extend(callees(inner));
        }
    }
    found
}

/// Whether the expression's value depends on nothing that runs; `known` says it of the expressions before it.
pub(super) fn is_constant(expression: &Expression, known: &[bool]) -> bool {
    let is_known = |handle: &Handle<Expression>| known[handle.index()];
    match expression {
        Expression::Literal(_) | Expression::Constant(_) | Expression::ZeroValue(_) => true,
        Expression::Compose { components, .. } => components.iter().all(is_known),
        Expression::Access { base, index } => is_known(base) && is_known(index),
        Expression::AccessIndex { base: one, .. }
        | Expression::Splat { value: one, .. }
        | Expression::Swizzle { vector: one, .. }
        | Expression::Unary { expr: one, .. }
        | Expression::Relational { argument: one, .. }
        | Expression::As { expr: one, .. } => is_known(one),
        Expression::Binary { left, right, .. } => is_known(left) && is_known(right),
        Expression::Select {
            condition,
            accept,
            reject,
        } => is_known(condition) && is_known(accept) && is_known(reject),
        Expression::Math {
            arg,
            arg1,
            arg2,
            arg3,
            ..
        } => is_known(arg) && [arg1, arg2, arg3].into_iter().flatten().all(is_known),
        _ => false,
    }
}
