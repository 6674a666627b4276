//! The path is not in quotes.

impel::shader!(mod shaders = shaders/saxpy.wgsl);

fn main() {}
