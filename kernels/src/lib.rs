//! Ready-made kernels for impel.
