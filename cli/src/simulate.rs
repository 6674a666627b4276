//! What would a recorded program do elsewhere? The program from its trace, a machine from its file, and the run in virtual time.

pub(crate) mod machine;
pub(crate) mod on;
pub(crate) mod own;
pub(crate) mod program;
pub(crate) mod run;
mod tell;
