//! The module has no name.

impel::shader!(mod = "shaders/saxpy.wgsl");

fn main() {}
