//! What is to be computed, over what? Kernel arguments, grids and launches: what a user hands to
//! [`Runtime::launch`](crate::Runtime::launch).

use std::marker::PhantomData;
use std::sync::Arc;

use crate::array::{Array, ArrayCore, Element, View, ViewMut};
use crate::error::LaunchError;
use crate::graph::Access;
use crate::kernel::{Kernel, Space};
use crate::plan::{Objective, Policy};
use crate::region::Span;

/// The arguments of one kernel: a struct that [`shader!`](crate::shader) makes, with a field for each binding.
pub trait Arguments: Sized {
    /// The kernel they belong to.
    fn kernel() -> &'static Kernel;

    /// Hands the arguments over, in the order of the kernel's bindings.
    fn bind(self, binder: &mut Binder);
}

/// How far a grid reaches along x, y, z: a number, `[nx, ny]`, `[nx, ny, nz]`, of `u32` or `usize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent(pub(crate) [u64; 3]);

/// A length as 64 bits, which hold every `usize`.
trait Wide: Copy {
    fn wide(self) -> u64;
}

impl Wide for u32 {
    fn wide(self) -> u64 {
        u64::from(self)
    }
}

impl Wide for usize {
    fn wide(self) -> u64 {
        self as u64
    }
}

macro_rules! extents {
    ($($ty:ty),*) => { $(
        impl From<$ty> for Extent {
            fn from(x: $ty) -> Self {
                Self([x.wide(), 1, 1])
            }
        }
        impl From<[$ty; 1]> for Extent {
            fn from([x]: [$ty; 1]) -> Self {
                Self([x.wide(), 1, 1])
            }
        }
        impl From<[$ty; 2]> for Extent {
            fn from([x, y]: [$ty; 2]) -> Self {
                Self([x.wide(), y.wide(), 1])
            }
        }
        impl From<[$ty; 3]> for Extent {
            fn from(extents: [$ty; 3]) -> Self {
                Self(extents.map(Wide::wide))
            }
        }
    )* };
}
extents!(u32, usize);

impl From<i32> for Extent {
    /// A negative number is an empty grid, which a launch refuses.
    fn from(x: i32) -> Self {
        Self([u64::try_from(x).unwrap_or(0), 1, 1])
    }
}

/// What `read` bindings of element type `T` take: `&Array<T>` or a [`View<T>`](View).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a `read` binding with elements of type `{T}`",
    label = "expected `&Array<{T}>` or `View<{T}>`",
    note = "pass `&array`; the element type follows from the WGSL declaration"
)]
pub trait ReadArgument<T: Element> {
    #[doc(hidden)]
    fn core(&self) -> (&Arc<ArrayCore>, Span);
}

/// What `read_write` bindings of element type `T` take: `&mut Array<T>` or a [`ViewMut<T>`](ViewMut).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a `read_write` binding with elements of type `{T}`",
    label = "expected `&mut Array<{T}>` or `ViewMut<{T}>`",
    note = "the kernel writes this binding: pass `&mut array`; the element type follows from the WGSL declaration"
)]
pub trait WriteArgument<T: Element> {
    #[doc(hidden)]
    fn core(&self) -> (&Arc<ArrayCore>, Span);
}

impl<T: Element> ReadArgument<T> for &Array<T> {
    fn core(&self) -> (&Arc<ArrayCore>, Span) {
        (self.core_ref(), self.span())
    }
}

impl<T: Element> ReadArgument<T> for View<'_, T> {
    fn core(&self) -> (&Arc<ArrayCore>, Span) {
        (self.core_ref(), self.span())
    }
}

impl<T: Element> WriteArgument<T> for &mut Array<T> {
    fn core(&self) -> (&Arc<ArrayCore>, Span) {
        (self.core_ref(), self.span())
    }
}

impl<T: Element> WriteArgument<T> for ViewMut<'_, T> {
    fn core(&self) -> (&Arc<ArrayCore>, Span) {
        (self.core_ref(), self.span())
    }
}

/// Collects the arguments of a launch; generated code calls it once per binding, in order.
#[derive(Debug, Default)]
pub struct Binder {
    uniforms: Vec<u32>,
    bound: Vec<Bound>,
}

/// One bound argument.
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    /// Words `start..end` of the launch's uniform words.
    Uniform { start: usize, end: usize },
    /// A range of an array.
    Storage(Slot),
}

/// A range of an array, bound to a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) core: Arc<ArrayCore>,
    pub(crate) span: Span,
    pub(crate) write: bool,
}

impl Binder {
    /// Binds the words of a uniform buffer, in WGSL's layout.
    pub fn uniform(&mut self, words: &[u32]) {
        let start = self.uniforms.len();
        self.uniforms.extend_from_slice(words);
        self.bound.push(Bound::Uniform {
            start,
            end: self.uniforms.len(),
        });
    }

    /// Binds an array that the kernel reads.
    pub fn read<T: Element>(&mut self, argument: &impl ReadArgument<T>) {
        let (core, span) = argument.core();
        self.bound.push(Bound::Storage(Slot {
            core: Arc::clone(core),
            span,
            write: false,
        }));
    }

    /// Binds an array that the kernel writes.
    pub fn write<T: Element>(&mut self, argument: &impl WriteArgument<T>) {
        let (core, span) = argument.core();
        self.bound.push(Bound::Storage(Slot {
            core: Arc::clone(core),
            span,
            write: true,
        }));
    }
}

/// An argument of [`Launch::of_words`].
#[derive(Debug)]
pub enum WordArgument<'a> {
    /// The words of a uniform buffer, in WGSL's layout.
    Uniform(&'a [u32]),
    /// An array behind a `read` binding.
    Read(&'a Array<u32>),
    /// An array behind a `read_write` binding.
    Write(&'a mut Array<u32>),
}

impl WordArgument<'_> {
    fn space(&self) -> Space {
        match self {
            WordArgument::Uniform(_) => Space::Uniform,
            WordArgument::Read(_) => Space::StorageRead,
            WordArgument::Write(_) => Space::StorageReadWrite,
        }
    }
}

/// A kernel with its arguments and its grid: what [`Runtime::launch`](crate::Runtime::launch) runs and
/// [`Runtime::explain`](crate::Runtime::explain) explains.
///
/// It borrows the arguments until it is launched; afterwards the runtime keeps alive what it needs.
#[derive(Debug)]
#[must_use = "a launch does nothing until it is given to `Runtime::launch`"]
pub struct Launch<'a> {
    pub(crate) body: LaunchBody,
    borrowed: PhantomData<&'a mut ()>,
}

/// What is left of a launch when its borrows end.
#[derive(Clone, Debug)]
pub(crate) struct LaunchBody {
    pub(crate) kernel: &'static Kernel,
    pub(crate) uniforms: Vec<u32>,
    pub(crate) bound: Vec<Bound>,
    /// As asked for; [`LaunchBody::check`] makes sure that it fits.
    pub(crate) grid: [u64; 3],
    pub(crate) policy: Option<Policy>,
    pub(crate) objective: Option<Objective>,
    /// Whether the host is known to read the results next.
    pub(crate) results_home: bool,
}

impl<'a> Launch<'a> {
    /// At least this many invocations along x, y, z: workgroups are started whole, so that a kernel whose grid is no multiple of its
    /// workgroup size needs a guard such as `if (id.x >= n) { return; }`, as everywhere in WGSL. Structs of arguments have a
    /// method of the same name that calls this.
    pub fn over<A: Arguments + 'a>(arguments: A, invocations: impl Into<Extent>) -> Self {
        let Extent(wanted) = invocations.into();
        let size = A::kernel().workgroup_size;
        let workgroups = [0, 1, 2].map(|axis| wanted[axis].div_ceil(u64::from(size[axis])));
        Self::new(arguments, workgroups)
    }

    /// This many workgroups along x, y, z. Structs of arguments have a method of the same name that calls this.
    pub fn workgroups<A: Arguments + 'a>(arguments: A, workgroups: impl Into<Extent>) -> Self {
        Self::new(arguments, workgroups.into().0)
    }

    fn new<A: Arguments>(arguments: A, grid: [u64; 3]) -> Self {
        let kernel = A::kernel();
        let mut binder = Binder::default();
        arguments.bind(&mut binder);
        assert_eq!(
            binder.bound.len(),
            kernel.bindings.len(),
            "generated code binds every binding"
        );
        let Binder { uniforms, bound } = binder;
        let body = LaunchBody {
            kernel,
            uniforms,
            bound,
            grid,
            policy: None,
            objective: None,
            results_home: false,
        };
        Self {
            body,
            borrowed: PhantomData,
        }
    }

    /// A launch of any kernel on arrays of plain words, for programs that learn which kernel it is only when they run. Typed
    /// launchers are to be preferred where there are any.
    ///
    /// # Errors
    /// [`LaunchError::Arguments`] if the arguments do not match the kernel's bindings in number and kind.
    pub fn of_words(
        kernel: &'static Kernel,
        arguments: impl IntoIterator<Item = WordArgument<'a>>,
        workgroups: impl Into<Extent>,
    ) -> Result<Self, LaunchError> {
        let mut binder = Binder::default();
        let mut kinds = Vec::new();
        for argument in arguments {
            kinds.push(argument.space());
            match argument {
                WordArgument::Uniform(words) => binder.uniform(words),
                WordArgument::Read(array) => binder.read(&array),
                WordArgument::Write(array) => binder.write(&array),
            }
        }
        let wanted: Vec<Space> = kernel
            .bindings
            .iter()
            .map(|binding| binding.space)
            .collect();
        if kinds != wanted {
            return Err(LaunchError::Arguments {
                kernel: kernel.name,
                wanted,
                given: kinds,
            });
        }
        let Binder { uniforms, bound } = binder;
        let body = LaunchBody {
            kernel,
            uniforms,
            bound,
            grid: workgroups.into().0,
            policy: None,
            objective: None,
            results_home: false,
        };
        Ok(Self {
            body,
            borrowed: PhantomData,
        })
    }

    /// Overrides the runtime's [`Policy`] for this launch.
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.body.policy = Some(policy);
        self
    }

    /// Overrides the runtime's [`Objective`] for this launch.
    pub fn with_objective(mut self, objective: Objective) -> Self {
        self.body.objective = Some(objective);
        self
    }

    /// Says that the host reads the results before any other launch uses them: they come home while the launch is at work, as far as its
    /// devices can copy beside their work, and its plan counts the way home. A thread that waits for the results says the same.
    pub fn with_results_home(mut self) -> Self {
        self.body.results_home = true;
        self
    }

    /// The kernel.
    pub fn kernel(&self) -> &'static Kernel {
        self.body.kernel
    }
}

impl LaunchBody {
    /// The grid in workgroups.
    pub(crate) fn num_workgroups(&self) -> [u32; 3] {
        self.grid
            .map(|extent| u32::try_from(extent).expect("the grid was checked"))
    }

    /// The bound arrays, in the order of the kernel's storage bindings.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.bound.iter().filter_map(|bound| match bound {
            Bound::Storage(slot) => Some(slot),
            Bound::Uniform { .. } => None,
        })
    }

    /// The ranges that the launch may use.
    pub(crate) fn accesses(&self) -> Vec<Access> {
        self.slots()
            .map(|slot| Access {
                array: slot.core.id(),
                span: slot.span,
                write: slot.write,
            })
            .collect()
    }

    /// Refuses what cannot run: a grid that is empty or too large, an array that is too short or another runtime's.
    pub(crate) fn check(&self, runtime: u64) -> Result<(), LaunchError> {
        let kernel = self.kernel.name;
        if self.grid.contains(&0) {
            let grid = self
                .grid
                .map(|extent| extent.min(u64::from(u32::MAX)) as u32);
            return Err(LaunchError::EmptyGrid { kernel, grid });
        }
        for (axis, name) in ['x', 'y', 'z'].into_iter().enumerate() {
            let invocations =
                self.grid[axis].saturating_mul(u64::from(self.kernel.workgroup_size[axis]));
            if invocations > u64::from(u32::MAX) {
                return Err(LaunchError::GridTooLarge {
                    kernel,
                    axis: name,
                    invocations,
                });
            }
        }
        for (bound, binding) in self.bound.iter().zip(self.kernel.bindings) {
            let Bound::Storage(slot) = bound else {
                continue;
            };
            if slot.core.runtime_id() != runtime {
                return Err(LaunchError::ForeignArray {
                    kernel,
                    binding: binding.name,
                });
            }
            debug_assert_eq!(
                slot.write,
                binding.space == Space::StorageReadWrite,
                "generated code knows the access"
            );
            let words = slot.span.hi - slot.span.lo;
            let (needed_words, needed) = if binding.stride_words == 0 {
                (
                    u64::from(binding.fixed_words),
                    "its WGSL type has a fixed size",
                )
            } else {
                let least = u64::from(binding.fixed_words) + u64::from(binding.stride_words);
                (least, "a runtime-sized array has at least one element")
            };
            if words < needed_words {
                return Err(LaunchError::TooShort {
                    kernel,
                    binding: binding.name,
                    needed_words,
                    needed,
                    words,
                });
            }
        }
        Ok(())
    }
}
