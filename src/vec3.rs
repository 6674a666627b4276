//! How does `vec3` lie in an array? Three components and a word of padding, as WGSL has it.

use bytemuck::{Pod, Zeroable};

/// Element of a WGSL `array<vec3<T>>` in a buffer: 16 bytes, of which the last 4 are padding.
///
/// ```
/// let v = impel::Vec3::new([1.0_f32, 2.0, 3.0]);
/// assert_eq!((v.components, size_of_val(&v)), ([1.0, 2.0, 3.0], 16));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Vec3<T> {
    /// x, y, z.
    pub components: [T; 3],
    padding: u32,
}

impl<T> Vec3<T> {
    /// A vector with its padding filled.
    pub const fn new(components: [T; 3]) -> Self {
        Self {
            components,
            padding: 0,
        }
    }
}

impl<T> From<[T; 3]> for Vec3<T> {
    fn from(components: [T; 3]) -> Self {
        Self::new(components)
    }
}

macro_rules! elements {
    ($($ty:ty),*) => { $(
        // SAFETY: three words and a word of padding that is a field: all bit patterns are valid, and zero is.
        unsafe impl Zeroable for Vec3<$ty> {}
        // SAFETY: as above; `repr(C)` with four fields of 4 bytes has no padding of its own.
        unsafe impl Pod for Vec3<$ty> {}
    )* };
}
elements!(f32, i32, u32);
