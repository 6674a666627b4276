//! impel's compiler: WGSL to SIMD Rust, access maps and GPU modules.
