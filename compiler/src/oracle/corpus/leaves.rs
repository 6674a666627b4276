//! Which scalars does a buffer hold, and where?

use naga::{ArraySize, Handle, Module, Scalar, TypeInner};

/// What kind of number a scalar in a buffer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// `f32`.
    F32,
    /// `i32` or `atomic<i32>`.
    I32,
    /// `u32` or `atomic<u32>`.
    U32,
}

impl Number {
    fn of(scalar: Scalar) -> Self {
        match scalar {
            Scalar::F32 => Self::F32,
            Scalar::I32 => Self::I32,
            _ => Self::U32,
        }
    }

    /// The number with these bits, in words; floats round-trip.
    pub fn text(self, bits: u32) -> String {
        match self {
            Self::F32 => format!("{:?}", f32::from_bits(bits)),
            Self::I32 => format!("{}", bits as i32),
            Self::U32 => format!("{bits}"),
        }
    }
}

/// A scalar of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Byte offset.
    pub offset: u32,
    /// Its kind.
    pub number: Number,
    /// Names of the struct members on the way to it, joined by dots; arrays, vectors and matrices add nothing.
    pub path: String,
}

impl Leaf {
    /// The scalar's bits in a buffer.
    ///
    /// # Panics
    /// If the buffer ends before it.
    pub fn word(&self, bytes: &[u8]) -> u32 {
        let at = self.offset as usize;
        u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }
}

/// The scalars of a buffer of type `ty`, in order, and its size in bytes, where a runtime-sized array has `count`
/// elements.
pub fn leaves(module: &Module, ty: Handle<naga::Type>, count: u32) -> (Vec<Leaf>, u32) {
    let mut walk = Walk {
        module,
        count,
        found: Vec::new(),
    };
    let size = walk.visit(ty, 0, "");
    (walk.found, size)
}

struct Walk<'m> {
    module: &'m Module,
    count: u32,
    found: Vec<Leaf>,
}

impl Walk<'_> {
    fn push(&mut self, scalar: Scalar, count: u32, at: u32, path: &str) {
        let number = Number::of(scalar);
        self.found.extend((0..count).map(|i| Leaf {
            offset: at + 4 * i,
            number,
            path: path.to_owned(),
        }));
    }

    /// Collects the scalars of a `ty` at `at`, and returns its size.
    fn visit(&mut self, ty: Handle<naga::Type>, at: u32, path: &str) -> u32 {
        match self.module.types[ty].inner {
            TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar) => {
                self.push(scalar, 1, at, path);
                4
            }
            TypeInner::Vector { size, scalar } => {
                self.push(scalar, size as u32, at, path);
                4 * size as u32
            }
            TypeInner::Matrix {
                columns,
                rows,
                scalar,
            } => {
                let stride = 4 * (rows as u32).next_power_of_two();
                for column in 0..columns as u32 {
                    self.push(scalar, rows as u32, at + column * stride, path);
                }
                columns as u32 * stride
            }
            TypeInner::Array { base, size, stride } => {
                let count = if let ArraySize::Constant(count) = size {
                    count.get()
                } else {
                    self.count
                };
                for i in 0..count {
                    self.visit(base, at + i * stride, path);
                }
                count * stride
            }
            TypeInner::Struct { ref members, span } => {
                let mut end = span;
                for member in members {
                    let name = member.name.as_deref().unwrap_or_default();
                    let inner = if path.is_empty() {
                        name.to_owned()
                    } else {
                        format!("{path}.{name}")
                    };
                    let size = self.visit(member.ty, at + member.offset, &inner);
                    if super::super::setup::is_runtime_sized(self.module, member.ty) {
                        end = member.offset + size;
                    }
                }
                end
            }
            _ => 0,
        }
    }
}
