//! Where do passes run that recurse with the nesting of the WGSL text? On a stack that does not depend on the caller's.

/// naga's parser and validator have large frames in debug builds.
const STACK_BYTES: usize = 64 << 20;

/// Runs `work` on a stack of its own and returns its result; a panic passes through.
///
/// # Panics
/// If the system cannot start a thread.
pub(crate) fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .expect("the system can start a thread")
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
