//! The module has no source.

impel::shader!(mod shaders);

fn main() {}
