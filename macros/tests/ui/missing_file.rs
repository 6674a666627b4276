//! The file is not there.

impel::shader!(mod shaders = "shaders/sapxy.wgsl");

fn main() {}
