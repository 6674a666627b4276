//! Does the corpus use every construct that it is there to test?

use std::collections::BTreeSet;

use impel_compiler::front::{Options, parse};
use naga::{Arena, AtomicFunction, Block, Expression, Module, Statement};

use crate::corpus::cases;

/// Names of everything that the corpus uses in the IR: constants folded by the front end do not count.
fn used() -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for case in cases() {
        let options = Options {
            overrides: case.overrides.clone(),
            ..Options::default()
        };
        let front =
            parse(&case.source, &case.name, &options).unwrap_or_else(|error| panic!("{error}"));
        collect(&front.module, &mut used);
    }
    used
}

fn collect(module: &Module, used: &mut BTreeSet<String>) {
    for (_, variable) in module.global_variables.iter() {
        used.insert(variant(&variable.space));
    }
    for (_, ty) in module.types.iter() {
        used.insert(variant(&ty.inner));
    }
    for entry in &module.entry_points {
        for argument in &entry.function.arguments {
            used.extend(
                argument
                    .binding
                    .as_ref()
                    .map(|binding| format!("{binding:?}")),
            );
        }
    }
    let functions = module.functions.iter().map(|(_, function)| function);
    for function in functions.chain(module.entry_points.iter().map(|entry| &entry.function)) {
        expressions(&function.expressions, used);
        statements(&function.body, used);
    }
}

fn expressions(all: &Arena<Expression>, used: &mut BTreeSet<String>) {
    for (_, expression) in all.iter() {
        used.insert(match expression {
            Expression::Math { fun, .. } => format!("{fun:?}"),
            Expression::Relational { fun, .. } => format!("{fun:?}"),
            Expression::Unary { op, .. } => format!("{op:?}"),
            Expression::Binary { op, .. } => format!("{op:?}"),
            Expression::As { kind, convert, .. } => {
                format!(
                    "{} {kind:?}",
                    if convert.is_some() {
                        "convert"
                    } else {
                        "bitcast"
                    }
                )
            }
            other => variant(other),
        });
    }
}

fn statements(block: &Block, used: &mut BTreeSet<String>) {
    for statement in block {
        match statement {
            Statement::Block(block) => statements(block, used),
            Statement::If { accept, reject, .. } => {
                statements(accept, used);
                statements(reject, used);
            }
            Statement::Switch { cases, .. } => {
                for case in cases {
                    used.insert(
                        if case.fall_through {
                            "fall through"
                        } else {
                            "case"
                        }
                        .to_owned(),
                    );
                    statements(&case.body, used);
                }
            }
            Statement::Loop {
                body,
                continuing,
                break_if,
            } => {
                used.extend(break_if.map(|_| "break if".to_owned()));
                statements(body, used);
                statements(continuing, used);
            }
            Statement::Atomic { fun, .. } => {
                used.insert(atomic(*fun));
            }
            Statement::ControlBarrier(barrier) => {
                used.insert(format!("{barrier:?}"));
            }
            _ => {}
        }
        used.insert(variant(statement));
    }
}

fn atomic(fun: AtomicFunction) -> String {
    match fun {
        AtomicFunction::Exchange { compare: Some(_) } => "atomic CompareExchange".to_owned(),
        other => format!("atomic {}", variant(&other)),
    }
}

/// The first word of a value's debug text: the name of its variant.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split(|character: char| !character.is_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_owned()
}

const BUILT_INS: &str = "Abs Sign Min Max Clamp Saturate Floor Ceil Round Trunc Fract Step Mix SmoothStep Sqrt InverseSqrt \
    Exp Exp2 Log Log2 Pow Sin Cos Tan Asin Acos Atan Atan2 Sinh Cosh Tanh Fma Dot Cross Length Distance Normalize \
    CountOneBits CountLeadingZeros CountTrailingZeros ReverseBits FirstLeadingBit FirstTrailingBit ExtractBits \
    InsertBits Transpose All Any Select ArrayLength";
const OPERATORS: &str = "Negate LogicalNot BitwiseNot Add Subtract Multiply Divide Modulo Equal NotEqual Less LessEqual \
    Greater GreaterEqual And InclusiveOr ExclusiveOr ShiftLeft ShiftRight";
const EXPRESSIONS: &str = "Access AccessIndex Compose Splat Swizzle Load Constant ZeroValue CallResult AtomicResult \
    WorkGroupUniformLoadResult FunctionArgument";
const STATEMENTS: &str =
    "If Switch Loop Break Continue Return Store Atomic Call WorkGroupUniformLoad case";
const SPACES_AND_TYPES: &str =
    "Private WorkGroup Uniform Storage Scalar Vector Matrix Atomic Array Struct Pointer";
const PHRASES: &[&str] = &[
    "break if",
    "fall through",
    "Barrier(STORAGE)",
    "Barrier(WORK_GROUP)",
    "convert Sint",
    "convert Uint",
    "convert Float",
    "convert Bool",
    "bitcast Sint",
    "bitcast Uint",
    "bitcast Float",
    "atomic Add",
    "atomic Subtract",
    "atomic And",
    "atomic InclusiveOr",
    "atomic ExclusiveOr",
    "atomic Min",
    "atomic Max",
    "atomic Exchange",
    "atomic CompareExchange",
    "BuiltIn(GlobalInvocationId)",
    "BuiltIn(LocalInvocationId)",
    "BuiltIn(LocalInvocationIndex)",
    "BuiltIn(WorkGroupId)",
    "BuiltIn(NumWorkGroups)",
];

#[test]
fn the_corpus_uses_every_supported_construct() {
    let used = used();
    let words = [
        BUILT_INS,
        OPERATORS,
        EXPRESSIONS,
        STATEMENTS,
        SPACES_AND_TYPES,
    ]
    .into_iter()
    .flat_map(str::split_whitespace);
    let missing: Vec<&str> = words
        .chain(PHRASES.iter().copied())
        .filter(|construct| !used.contains(*construct))
        .collect();
    assert!(
        missing.is_empty(),
        "no shader in tests/shaders/in uses {missing:?}"
    );
}
