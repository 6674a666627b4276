//! Which scalars is a type made of, in which order, and where do they lie in memory?

use naga::proc::TypeResolution;
use naga::{ArraySize, Handle, Module, ScalarKind, Type, TypeInner, VectorSize};

use crate::ir::Scalar;

/// Bytes of a word.
const WORD_BYTES: u32 = 4;

/// The KIR type of a scalar that the front end let through.
pub(super) fn scalar(scalar: naga::Scalar) -> Scalar {
    match scalar.kind {
        ScalarKind::Float | ScalarKind::AbstractFloat => Scalar::F32,
        ScalarKind::Sint | ScalarKind::AbstractInt => Scalar::I32,
        ScalarKind::Uint => Scalar::U32,
        ScalarKind::Bool => Scalar::Bool,
    }
}

/// The parts that a type has directly.
#[derive(Clone, Debug)]
pub(super) enum Parts {
    /// None: it is a scalar itself.
    Scalar(Scalar),
    /// An atomic integer.
    Atomic(Scalar),
    /// `count` parts of one type, `stride` words apart in memory. An array, a vector or a matrix of columns.
    Repeated {
        part: TypeResolution,
        count: u32,
        stride: u32,
        is_array: bool,
    },
    /// A runtime-sized array.
    Runtime { part: TypeResolution, stride: u32 },
    /// Members, each with its offset in words and its name.
    Members(Vec<(TypeResolution, u32, String)>),
    /// Nothing that lowering can hold in scalars.
    Opaque,
}

pub(super) fn parts(inner: &TypeInner) -> Parts {
    match inner {
        TypeInner::Scalar(kind) => Parts::Scalar(scalar(*kind)),
        TypeInner::Atomic(kind) => Parts::Atomic(scalar(*kind)),
        TypeInner::Vector { size, scalar } => Parts::Repeated {
            part: TypeResolution::Value(TypeInner::Scalar(*scalar)),
            count: *size as u32,
            stride: 1,
            is_array: false,
        },
        TypeInner::Matrix {
            columns,
            rows,
            scalar,
        } => Parts::Repeated {
            part: TypeResolution::Value(TypeInner::Vector {
                size: *rows,
                scalar: *scalar,
            }),
            count: *columns as u32,
            stride: if *rows == VectorSize::Bi { 2 } else { 4 },
            is_array: false,
        },
        TypeInner::Array {
            base,
            size: ArraySize::Constant(count),
            stride,
        } => Parts::Repeated {
            part: TypeResolution::Handle(*base),
            count: count.get(),
            stride: stride / WORD_BYTES,
            is_array: true,
        },
        TypeInner::Array { base, stride, .. } => Parts::Runtime {
            part: TypeResolution::Handle(*base),
            stride: stride / WORD_BYTES,
        },
        TypeInner::Struct { members, .. } => Parts::Members(
            members
                .iter()
                .enumerate()
                .map(|(index, member)| {
                    let name = member
                        .name
                        .clone()
                        .unwrap_or_else(|| format!("member{index}"));
                    (
                        TypeResolution::Handle(member.ty),
                        member.offset / WORD_BYTES,
                        name,
                    )
                })
                .collect(),
        ),
        _ => Parts::Opaque,
    }
}

/// Number of scalars in a value of the type, elements of arrays counted one by one.
pub(super) fn scalar_count(module: &Module, inner: &TypeInner) -> u32 {
    match parts(inner) {
        Parts::Scalar(_) | Parts::Atomic(_) => 1,
        Parts::Repeated { part, count, .. } => {
            scalar_count(module, part.inner_with(&module.types)).saturating_mul(count)
        }
        Parts::Members(members) => members
            .iter()
            .map(|(part, ..)| scalar_count(module, part.inner_with(&module.types)))
            .fold(0, u32::saturating_add),
        Parts::Runtime { .. } | Parts::Opaque => 0,
    }
}

/// Types of the scalars in a value of the type, in order.
pub(super) fn scalars(module: &Module, inner: &TypeInner) -> Vec<Scalar> {
    match parts(inner) {
        Parts::Scalar(scalar) | Parts::Atomic(scalar) => vec![scalar],
        Parts::Repeated { part, count, .. } => {
            let one = scalars(module, part.inner_with(&module.types));
            one.repeat(count as usize)
        }
        Parts::Members(members) => members
            .iter()
            .flat_map(|(part, ..)| scalars(module, part.inner_with(&module.types)))
            .collect(),
        Parts::Runtime { .. } | Parts::Opaque => Vec::new(),
    }
}

/// A scalar of a variable, in which the elements of arrays count as one.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) ty: Scalar,
    /// Lengths of the arrays around it, outermost first.
    pub(super) dims: Vec<u32>,
    /// What to append to the variable's name.
    pub(super) suffix: String,
}

/// The scalars of a variable of the type, in which the elements of arrays count as one.
pub(super) fn leaves(module: &Module, inner: &TypeInner) -> Vec<Leaf> {
    match parts(inner) {
        Parts::Scalar(ty) | Parts::Atomic(ty) => vec![Leaf {
            ty,
            dims: Vec::new(),
            suffix: String::new(),
        }],
        Parts::Repeated {
            part,
            count,
            is_array: true,
            ..
        } => {
            let mut inside = leaves(module, part.inner_with(&module.types));
            for leaf in &mut inside {
                leaf.dims.insert(0, count);
            }
            inside
        }
        Parts::Repeated { part, count, .. } => {
            let inside = leaves(module, part.inner_with(&module.types));
            let is_vector = matches!(part.inner_with(&module.types), TypeInner::Scalar(_));
            (0..count as usize)
                .flat_map(|index| {
                    let step = if is_vector {
                        format!(".{}", ["x", "y", "z", "w"][index])
                    } else {
                        format!("[{index}]")
                    };
                    inside.iter().map(move |leaf| leaf.below(&step))
                })
                .collect()
        }
        Parts::Members(members) => members
            .iter()
            .flat_map(|(part, _, name)| {
                let step = format!(".{name}");
                leaves(module, part.inner_with(&module.types))
                    .into_iter()
                    .map(move |leaf| leaf.below(&step))
            })
            .collect(),
        Parts::Runtime { .. } | Parts::Opaque => Vec::new(),
    }
}

impl Leaf {
    fn below(&self, step: &str) -> Leaf {
        Leaf {
            suffix: format!("{step}{}", self.suffix),
            ..self.clone()
        }
    }
}

/// The type behind a pointer.
pub(super) fn pointee(inner: &TypeInner) -> Option<TypeResolution> {
    match inner {
        TypeInner::Pointer { base, .. } => Some(TypeResolution::Handle(*base)),
        TypeInner::ValuePointer {
            size: Some(size),
            scalar,
            ..
        } => Some(TypeResolution::Value(TypeInner::Vector {
            size: *size,
            scalar: *scalar,
        })),
        TypeInner::ValuePointer {
            size: None, scalar, ..
        } => Some(TypeResolution::Value(TypeInner::Scalar(*scalar))),
        _ => None,
    }
}

/// Number of words that a variable of the type takes.
pub(super) fn words(layouter: &naga::proc::Layouter, ty: Handle<Type>) -> u32 {
    layouter[ty].size.div_ceil(WORD_BYTES)
}
