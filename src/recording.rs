//! What is repeated? Launches that are recorded once, as one step, and replayed any number of times.

use std::any::Any;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::RangeBounds;
use std::sync::Arc;

use crate::array::{Array, ArrayCore, Element, ErasedArray, View, ViewMut, WriteGuard};
use crate::error::{ArrayError, GraphError, LaunchError};
use crate::execute::{Prepared, Program, Shared};
use crate::graph::Renaming;
use crate::launch::{Bound, Launch, LaunchBody, ReadArgument, WriteArgument};
use crate::pending::Pending;
use crate::region::Span;

/// Most steps after which swapped names have to mean their own storages again: each of them is prepared when the graph is made.
const PERIOD_MAX: usize = 64;

/// Launches that were recorded once, to be replayed: the step of a simulation. [`Runtime::graph`](crate::Runtime::graph) makes it.
///
/// It borrows its arrays while it lives, so that no guard of the host can meet a replay; [`array`](Self::array) and
/// [`write`](Self::write) are the way to them between replays. Afterwards each array is what its name meant last.
///
/// ```
/// impel::shader!(mod jacobi = "shaders/jacobi.wgsl");
///
/// let rt = impel::Runtime::new()?;
/// let (width, height) = (64, 48);
/// let mut now = rt.array_from_vec(vec![1.0_f32; width * height])?;
/// let mut next = rt.zeros::<f32>(width * height)?;
/// let params = jacobi::Params { width: width as u32, height: height as u32, relaxation: 1.0 };
///
/// let mut step = rt.graph(|g| {
///     let now = g.array("now", &mut now)?;
///     let mut next = g.array("next", &mut next)?;
///     g.launch(jacobi::jacobi { params, src: &now, dst: &mut next }.over([width, height]))?;
///     g.swap("now", "next")
/// })?;
/// step.replay(99).wait()?;
/// assert_eq!(step.array::<f32>("now")?.read_range(0..1)?[0], 1.0);
/// step.replay(1);
/// drop(step);
/// assert_eq!(now.read()?[0], 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Graph<'a> {
    shared: &'a Shared,
    arrays: Vec<Named<'a>>,
    /// What the names mean at the start of each step of a period.
    phases: Vec<Renaming>,
    /// Which of them comes next.
    phase: usize,
    program: Arc<Program>,
}

/// Records the launches of a [`Graph`].
pub struct Recorder<'a> {
    shared: &'a Shared,
    arrays: Vec<Named<'a>>,
    /// What the names mean after the swaps so far.
    renaming: Renaming,
    launches: Vec<Recorded>,
}

/// An array of a graph that is being recorded: an argument of launches, wherever `&Array` and `&mut Array` are.
#[derive(Debug)]
pub struct GraphArray<T: Element> {
    core: Arc<ArrayCore>,
    element: PhantomData<fn() -> T>,
}

/// An array of a graph that is being recorded, and is only read.
#[derive(Debug)]
pub struct GraphInput<T: Element> {
    core: Arc<ArrayCore>,
    element: PhantomData<fn() -> T>,
}

/// How far [`Graph::replay_until`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Steps that were replayed.
    pub steps: usize,
    /// Whether the condition held after the last of them.
    pub reached: bool,
}

/// An array under a name.
struct Named<'a> {
    name: String,
    /// What the name means at the start of the first step.
    storage: Arc<ArrayCore>,
    handle: Handle<'a>,
}

/// How an array was borrowed.
enum Handle<'a> {
    Input(&'a (dyn ErasedArray + Send + Sync)),
    Array(&'a mut (dyn ErasedArray + Send + Sync)),
}

/// A launch, and the number of the storage behind each of its slots.
struct Recorded {
    body: LaunchBody,
    storages: Vec<usize>,
}

impl Named<'_> {
    fn handle(&self) -> &(dyn ErasedArray + Send + Sync) {
        match &self.handle {
            Handle::Input(array) => *array,
            Handle::Array(array) => &**array,
        }
    }
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            arrays: Vec::new(),
            renaming: Renaming::none(0),
            launches: Vec::new(),
        }
    }

    /// Names an array that launches may read and write, and borrows it for as long as the graph lives.
    ///
    /// # Errors
    /// [`GraphError::NameTaken`].
    pub fn array<T: Element>(
        &mut self,
        name: &str,
        array: &'a mut Array<T>,
    ) -> Result<GraphArray<T>, GraphError> {
        let core = Arc::clone(array.core_ref());
        self.add(name, &core, Handle::Array(array))?;
        let element = PhantomData;
        Ok(GraphArray { core, element })
    }

    /// Names an array that launches only read. Others may read it, too, while the graph lives.
    ///
    /// # Errors
    /// [`GraphError::NameTaken`].
    pub fn input<T: Element>(
        &mut self,
        name: &str,
        array: &'a Array<T>,
    ) -> Result<GraphInput<T>, GraphError> {
        let core = Arc::clone(array.core_ref());
        self.add(name, &core, Handle::Input(array))?;
        let element = PhantomData;
        Ok(GraphInput { core, element })
    }

    fn add(
        &mut self,
        name: &str,
        core: &Arc<ArrayCore>,
        handle: Handle<'a>,
    ) -> Result<(), GraphError> {
        if self.arrays.iter().any(|known| known.name == name) {
            return Err(GraphError::NameTaken {
                name: name.to_owned(),
            });
        }
        self.renaming.add();
        self.arrays.push(Named {
            name: name.to_owned(),
            storage: Arc::clone(core),
            handle,
        });
        Ok(())
    }

    /// Records a launch behind those before. As outside of graphs, it waits in each replay for the launches whose results it uses or
    /// overwrites, and overlaps with the others.
    ///
    /// # Errors
    /// [`GraphError::Launch`] for what [`Runtime::launch`](crate::Runtime::launch) would refuse, [`GraphError::Unnamed`] for an array
    /// that has no name.
    pub fn launch(&mut self, launch: Launch<'_>) -> Result<(), GraphError> {
        let mut body = launch.body;
        // Refused here, where the launch is recorded, and not when the step is complete.
        self.shared.prepare(body.clone())?;
        let mut storages = Vec::new();
        for (bound, binding) in body.bound.iter_mut().zip(body.kernel.bindings) {
            let Bound::Storage(slot) = bound else {
                continue;
            };
            let known = |named: &Named<'_>| named.storage.id() == slot.core.id();
            let Some(name) = self.arrays.iter().position(known) else {
                return Err(GraphError::Unnamed {
                    kernel: body.kernel.name,
                    binding: binding.name,
                });
            };
            let storage = self.renaming.storage(name);
            slot.core = Arc::clone(&self.arrays[storage].storage);
            storages.push(storage);
        }
        self.launches.push(Recorded { body, storages });
        Ok(())
    }

    /// From here on, two names mean each other's storage: no element moves. At the end of a step it is what ping-pong needs.
    ///
    /// # Errors
    /// [`GraphError::NoArray`] if a name is not known, [`GraphError::Swap`] if the arrays differ in their type or length or are inputs.
    pub fn swap(&mut self, first: &str, second: &str) -> Result<(), GraphError> {
        let (a, b) = (
            position(&self.arrays, first)?,
            position(&self.arrays, second)?,
        );
        let refused = |reason| {
            let (first, second) = (first.to_owned(), second.to_owned());
            Err(GraphError::Swap {
                first,
                second,
                reason,
            })
        };
        let (left, right) = (self.arrays[a].handle(), self.arrays[b].handle());
        if left.type_id() != right.type_id() {
            return refused("their elements are of different types");
        }
        if left.core().words() != right.core().words() {
            return refused("they have different lengths");
        }
        let writable = |named: &Named<'_>| matches!(named.handle, Handle::Array(_));
        if !writable(&self.arrays[a]) || !writable(&self.arrays[b]) {
            return refused("an input stays where it is; name it with `Recorder::array`");
        }
        self.renaming.swap(a, b);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Graph<'a>, GraphError> {
        let period = self
            .renaming
            .period(PERIOD_MAX)
            .ok_or(GraphError::Period { most: PERIOD_MAX })?;
        let phases = self.renaming.phases(period);
        let in_phase = |phase: &Renaming| {
            let launches = self.launches.iter();
            launches
                .map(|launch| self.shared.prepare(launch.in_phase(phase, &self.arrays)))
                .collect()
        };
        let launches: Result<Vec<Vec<Prepared>>, LaunchError> =
            phases.iter().map(in_phase).collect();
        let program = Program::new(launches?);
        Ok(Graph {
            shared: self.shared,
            program: Arc::new(program),
            arrays: self.arrays,
            phases,
            phase: 0,
        })
    }
}

impl Recorded {
    /// The launch as it is in a step at whose start the names have these meanings.
    fn in_phase(&self, phase: &Renaming, arrays: &[Named<'_>]) -> LaunchBody {
        let mut body = self.body.clone();
        let mut storages = self.storages.iter();
        for bound in &mut body.bound {
            if let Bound::Storage(slot) = bound {
                let storage = *storages.next().expect("a storage for every slot");
                slot.core = Arc::clone(&arrays[phase.storage(storage)].storage);
            }
        }
        body
    }
}

impl<'a> Graph<'a> {
    /// Starts `steps` replays behind the launches that they depend on, and returns at once.
    ///
    /// The first launch that fails ends the replay: then everything that the graph writes counts as not written, and the error comes
    /// from [`Pending::wait`] and from reading those arrays.
    pub fn replay(&mut self, steps: usize) -> Pending<'a> {
        let started = self.shared.replay(&self.program, self.phase, steps);
        self.phase = (self.phase + steps % self.phases.len()) % self.phases.len();
        let meaning = &self.phases[self.phase];
        let storages: Vec<Arc<ArrayCore>> = (0..self.arrays.len())
            .map(|name| Arc::clone(&self.arrays[meaning.storage(name)].storage))
            .collect();
        for (named, storage) in self.arrays.iter_mut().zip(storages) {
            if let Handle::Array(array) = &mut named.handle {
                array.set_core(storage);
            }
        }
        Pending::new(self.shared, started)
    }

    /// Replays until a condition holds for the content of an array, but at most `most` steps: the condition is computed by the devices,
    /// as a flag or a residual, and looked at after every `every` steps. Waits.
    ///
    /// # Errors
    /// As [`array`](Self::array), and [`GraphError::Failed`] if a launch failed.
    pub fn replay_until<T: Element>(
        &mut self,
        name: &str,
        every: usize,
        most: usize,
        mut condition: impl FnMut(&[T]) -> bool,
    ) -> Result<Replayed, GraphError> {
        self.array::<T>(name)?;
        let mut steps = 0;
        let mut reached = false;
        while !reached && steps < most {
            let more = every.max(1).min(most - steps);
            let pending = self.replay(more);
            steps += more;
            let content = self.array::<T>(name)?.read();
            reached = content.as_deref().is_ok_and(&mut condition);
            if reached || steps == most || content.is_err() {
                pending.wait().map_err(GraphError::Failed)?;
                content?;
            }
        }
        Ok(Replayed { steps, reached })
    }

    /// What a name means now, to be read between replays or by other launches.
    ///
    /// # Errors
    /// [`GraphError::NoArray`] if there is no such name, [`GraphError::Element`] if its elements are of another type.
    pub fn array<T: Element>(&self, name: &str) -> Result<&Array<T>, GraphError> {
        let named = &self.arrays[position(&self.arrays, name)?];
        let array: &dyn Any = named.handle();
        array
            .downcast_ref()
            .ok_or_else(|| GraphError::element::<T>(name))
    }

    /// Elements of what a name means now, to be changed in place between replays.
    ///
    /// # Errors
    /// As [`array`](Self::array), [`GraphError::Input`] for an array that was named as an input, and errors of
    /// [`Array::write_range`].
    pub fn write<T: Element>(
        &mut self,
        name: &str,
        range: impl RangeBounds<usize>,
    ) -> Result<WriteGuard<'_, T>, GraphError> {
        let at = position(&self.arrays, name)?;
        let Handle::Array(array) = &mut self.arrays[at].handle else {
            return Err(GraphError::Input {
                name: name.to_owned(),
            });
        };
        let array: &mut dyn Any = &mut **array;
        let array = array
            .downcast_mut::<Array<T>>()
            .ok_or_else(|| GraphError::element::<T>(name))?;
        Ok(array.write_range(range)?)
    }

    /// Number of launches of one step.
    pub fn launches(&self) -> usize {
        self.program.launches()
    }
}

fn position(arrays: &[Named<'_>], name: &str) -> Result<usize, GraphError> {
    let found = arrays.iter().position(|named| named.name == name);
    found.ok_or_else(|| GraphError::NoArray {
        name: name.to_owned(),
        known: arrays.iter().map(|named| named.name.clone()).collect(),
    })
}

impl<T: Element> GraphArray<T> {
    /// A part of the array as an argument of a kernel.
    ///
    /// # Errors
    /// [`ArrayError::Range`] if the range leaves the array.
    pub fn view(&self, range: impl RangeBounds<usize>) -> Result<View<'_, T>, ArrayError> {
        View::of(&self.core, range)
    }

    /// A part of the array as an argument that a kernel writes.
    ///
    /// # Errors
    /// [`ArrayError::Range`] if the range leaves the array.
    pub fn view_mut(
        &mut self,
        range: impl RangeBounds<usize>,
    ) -> Result<ViewMut<'_, T>, ArrayError> {
        ViewMut::of(&self.core, range)
    }
}

impl<T: Element> GraphInput<T> {
    /// A part of the array as an argument of a kernel.
    ///
    /// # Errors
    /// [`ArrayError::Range`] if the range leaves the array.
    pub fn view(&self, range: impl RangeBounds<usize>) -> Result<View<'_, T>, ArrayError> {
        View::of(&self.core, range)
    }
}

fn whole(core: &Arc<ArrayCore>) -> (&Arc<ArrayCore>, Span) {
    (core, Span::new(0, core.words()))
}

impl<T: Element> ReadArgument<T> for &GraphArray<T> {
    fn core(&self) -> (&Arc<ArrayCore>, Span) {
        whole(&self.core)
    }
}

impl<T: Element> ReadArgument<T> for &GraphInput<T> {
    fn core(&self) -> (&Arc<ArrayCore>, Span) {
        whole(&self.core)
    }
}

impl<T: Element> WriteArgument<T> for &mut GraphArray<T> {
    fn core(&self) -> (&Arc<ArrayCore>, Span) {
        whole(&self.core)
    }
}

impl Debug for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} words)", self.name, self.storage.words())
    }
}

impl Debug for Graph<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph")
            .field("arrays", &self.arrays)
            .field("launches", &self.launches())
            .field("period", &self.phases.len())
            .finish_non_exhaustive()
    }
}

impl Debug for Recorder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("arrays", &self.arrays)
            .field("launches", &self.launches.len())
            .finish_non_exhaustive()
    }
}

impl From<LaunchError> for GraphError {
    fn from(error: LaunchError) -> Self {
        Self::Launch(error)
    }
}

impl From<ArrayError> for GraphError {
    fn from(error: ArrayError) -> Self {
        Self::Array(error)
    }
}
