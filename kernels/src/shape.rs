//! Do these arrays fit together? The error of all kernels, and the checks behind it.

use std::sync::Arc;

use impel::{Array, ArrayError, Element, LaunchError};

/// Why a kernel of this crate was not launched.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// An array has the wrong length.
    #[error("{kernel}: `{array}` has {len} elements, but must have {wanted} ({why})")]
    Length {
        /// The kernel.
        kernel: &'static str,
        /// The argument.
        array: &'static str,
        /// Its length.
        len: usize,
        /// The length that fits.
        wanted: usize,
        /// Where that number comes from.
        why: &'static str,
    },
    /// A size does not fit WGSL's 32-bit integers.
    #[error("{kernel}: `{name}` = {value} does not fit 32 bits")]
    TooLarge {
        /// The kernel.
        kernel: &'static str,
        /// The size.
        name: &'static str,
        /// Its value.
        value: usize,
    },
    /// The launch was refused or failed.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The launch failed after it had been queued.
    #[error(transparent)]
    Failed(#[from] Arc<LaunchError>),
    /// An array could not be made or read.
    #[error(transparent)]
    Array(#[from] ArrayError),
}

/// Requires `array` to have `wanted` elements.
pub(crate) fn length<T: Element>(
    kernel: &'static str,
    array: (&'static str, &Array<T>),
    wanted: usize,
    why: &'static str,
) -> Result<(), KernelError> {
    let (array, len) = (array.0, array.1.len());
    if len == wanted {
        Ok(())
    } else {
        Err(KernelError::Length {
            kernel,
            array,
            len,
            wanted,
            why,
        })
    }
}

/// Requires a size to fit 32 bits.
pub(crate) fn size(
    kernel: &'static str,
    name: &'static str,
    value: usize,
) -> Result<u32, KernelError> {
    u32::try_from(value).map_err(|_| KernelError::TooLarge {
        kernel,
        name,
        value,
    })
}
