//! How does work reach the queue? Dispatches and copies are recorded into one batch, and batches are submitted whole.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};

use smallvec::SmallVec;

use super::bind::{Argument, sharing};
use super::clock::{Elapsed, Stopwatch};
use super::health::lock;
use super::memory::WORD;
use super::program::{Program, Source, uniform_words};
use super::upload::Upstream;
use super::wait::{Batch, Progress, Ticket};
use super::{Gpu, Timing};
use crate::device::accelerator::Dispatched;
use crate::device::error::DeviceError;
use crate::kernel::{Kernel, Window, dispatch_size, launch_words, window_words};
use crate::machine::GpuFeature;

/// Dispatches in a batch, beyond which it is submitted.
pub(super) const DISPATCHES_MAX: u32 = 64;

/// Uniform data that are looked through for equal ones.
const RECENT_MAX: usize = 8;

/// Words of uniform data in a batch, beyond which it is submitted.
pub(super) const PAGE_WORDS: usize = 64 << 10;

/// A batch in the making. Every batch starts the page of uniform data anew: the queue writes it before the batch's commands and
/// after those of the batch before.
#[derive(Debug)]
pub(super) struct Recorder {
    encoder: Option<wgpu::CommandEncoder>,
    pass: Option<wgpu::ComputePass<'static>>,
    /// Program that the pass is set to.
    program: Option<u64>,
    page: Vec<u32>,
    /// What the page on the device holds already.
    written: Vec<u32>,
    dispatches: u32,
    batch: Arc<Batch>,
    /// The batch before, done at first.
    last: Arc<Batch>,
    pub(super) upstream: Upstream,
    pub(super) stopwatch: Option<Stopwatch>,
    /// Scratch space for keys of bind groups.
    key: Vec<u64>,
    /// Where the uniform data of the dispatch at hand are, in bytes.
    offsets: Vec<u32>,
    /// The latest uniform data on the page: their first words and lengths in words.
    recent: VecDeque<(usize, usize)>,
    /// Bind group and offsets that the pass is set to.
    bound: Option<(wgpu::BindGroup, Vec<u32>)>,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            encoder: None,
            pass: None,
            program: None,
            page: Vec::new(),
            written: Vec::new(),
            dispatches: 0,
            batch: Batch::new(Progress::Recording),
            last: Batch::new(Progress::Done),
            upstream: Upstream::default(),
            stopwatch: None,
            key: Vec::new(),
            offsets: Vec::new(),
            recent: VecDeque::new(),
            bound: None,
        }
    }

    /// The ticket of what is being recorded.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(Arc::clone(&self.batch))
    }

    /// The encoder, outside any pass: for copies.
    pub(super) fn encoder(&mut self, device: &wgpu::Device) -> &mut wgpu::CommandEncoder {
        self.end_pass();
        self.open(device)
    }

    fn open(&mut self, device: &wgpu::Device) -> &mut wgpu::CommandEncoder {
        self.encoder.get_or_insert_with(|| {
            device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
                label: Some("impel"),
            })
        })
    }

    fn end_pass(&mut self) {
        self.pass = None;
        self.program = None;
        self.bound = None;
    }

    /// Puts uniform data on the page, unless they are there already, and notes their offset.
    fn put(&mut self, words: &[u32], size: u32, alignment_words: usize) {
        let length = uniform_words(size) as usize;
        let at = self.find(words, length).unwrap_or_else(|| {
            let at = self.page.len().next_multiple_of(alignment_words);
            self.page.resize(at + length, 0);
            self.page[at..at + words.len()].copy_from_slice(words);
            if self.recent.len() == RECENT_MAX {
                self.recent.pop_front();
            }
            self.recent.push_back((at, length));
            at
        });
        self.offsets.push((at as u64 * WORD) as u32);
    }

    /// Where among the latest uniform data there are `length` words that begin with `words` and go on with zeros.
    fn find(&self, words: &[u32], length: usize) -> Option<usize> {
        let same = |&(at, own): &(usize, usize)| {
            let (start, rest) = self.page[at..at + own].split_at(words.len().min(own));
            own == length && start == words && rest.iter().all(|&word| word == 0)
        };
        let found = self.recent.iter().rev().copied().find(same);
        found.map(|(at, _)| at)
    }

    fn has_work(&self) -> bool {
        self.encoder.is_some()
    }
}

/// A dispatch on its way.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// Done when the dispatch has ended.
    pub(crate) ticket: Ticket,
    elapsed: Option<Elapsed>,
}

impl Dispatch {
    /// Nanoseconds that it took on the device; none before it has ended, or where its time was not asked for or cannot be measured.
    pub(crate) fn elapsed_ns(&self) -> Option<u64> {
        self.elapsed.as_ref().and_then(Elapsed::get)
    }
}

impl Gpu {
    /// Records the workgroups of `part`, folded where there are more than a dimension takes. Where there are `windows`, only these
    /// ranges of the arrays are bound.
    ///
    /// # Errors
    ///
    /// The module is invalid, the arguments do not fit the kernel, the tile is empty or beyond the device's limits, or the device
    /// is lost.
    pub(crate) fn dispatch_part(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
        windows: &[Window],
        part: Dispatched,
    ) -> Result<Dispatch, DeviceError> {
        let tile = part.tile;
        let most = self.about.limits.workgroups_per_dimension_max;
        let Some(workgroups) = dispatch_size(tile, most) else {
            return Err(DeviceError::Limit {
                device: self.health.device.clone(),
                what: "the number of workgroups of a part",
                wanted: (0..3)
                    .map(|axis| u64::from(tile.hi[axis] - tile.lo[axis]))
                    .fold(1, u64::saturating_mul),
                limit: u64::from(most).pow(3).min(u64::from(u32::MAX)),
            });
        };
        let launch = launch_words(tile, part.num_workgroups);
        let entry = kernel.gpu.entry_for(tile, workgroups);
        if windows.is_empty() {
            let source = Source::of_kernel(kernel).entering(entry);
            return self.record(source, arguments, &launch, workgroups, part.timing);
        }
        let source = Source::of_windowed_kernel(kernel).ok_or_else(|| {
            let what = format!("a dispatch of kernel `{}`", kernel.name);
            self.health.invalid(what, "its arrays are bound whole")
        })?;
        let source = source.entering(entry);
        let mut words: SmallVec<[u32; 64]> = SmallVec::from_slice(&launch);
        words.extend(window_words(windows));
        self.record(source, arguments, &words, workgroups, part.timing)
    }

    /// As [`dispatch_part`](Self::dispatch_part), with all arrays bound whole.
    #[cfg(test)]
    pub(crate) fn dispatch(
        &self,
        kernel: &'static Kernel,
        arguments: &[Argument<'_>],
        num_workgroups: [u32; 3],
        tile: crate::lanes::Tile,
        timing: Timing,
    ) -> Result<Dispatch, DeviceError> {
        let part = Dispatched {
            num_workgroups,
            tile,
            timing,
        };
        self.dispatch_part(kernel, arguments, &[], part)
    }

    /// Records one dispatch of `workgroups` workgroups; `launch` is the content of the uniform buffer behind the bindings.
    pub(super) fn record(
        &self,
        source: Source,
        arguments: &[Argument<'_>],
        launch: &[u32],
        workgroups: [u32; 3],
        timing: Timing,
    ) -> Result<Dispatch, DeviceError> {
        self.health.check()?;
        let most = self.about.limits.workgroups_per_dimension_max;
        if let Some(&wanted) = workgroups.iter().find(|count| !(1..=most).contains(*count)) {
            return Err(DeviceError::Limit {
                device: self.health.device.clone(),
                what: "the number of workgroups along one dimension",
                wanted: wanted.into(),
                limit: most.into(),
            });
        }
        let source = source.shared(sharing(source.bindings, arguments));
        let program = self.programs.get(&self.device, &self.health, source)?;
        let mut recorder = lock(&self.recorder);
        let words_max = uniform_page_words(&source, self.uniform_alignment_words);
        if recorder.page.len() + words_max > PAGE_WORDS {
            // A failure of the batch before is told by its tickets; here only a lost device matters.
            self.flush_locked(&mut recorder)
                .or_else(|_| self.health.check().map(|()| recorder.ticket()))?;
        }
        let mut key = std::mem::take(&mut recorder.key);
        let group = self.groups.get(
            &self.device,
            &self.health,
            &self.page,
            &program,
            arguments,
            &mut key,
        );
        recorder.key = key;
        let group = group?;
        self.put_uniforms(&mut recorder, &source, arguments, launch)?;
        let elapsed = self.set_pass(&mut recorder, timing)?;
        encode(&mut recorder, &program, &group, workgroups);
        let ticket = recorder.ticket();
        if timing == Timing::Measured {
            recorder.end_pass();
        }
        if recorder.dispatches >= DISPATCHES_MAX {
            self.flush_locked(&mut recorder)?;
        }
        Ok(Dispatch { ticket, elapsed })
    }

    fn put_uniforms(
        &self,
        recorder: &mut Recorder,
        source: &Source,
        arguments: &[Argument<'_>],
        launch: &[u32],
    ) -> Result<(), DeviceError> {
        let alignment = self.uniform_alignment_words;
        recorder.offsets.clear();
        for (argument, binding) in arguments.iter().zip(source.bindings) {
            if let Argument::Uniform(words) = argument {
                if words.len() > uniform_words(binding.fixed_words) as usize {
                    let detail = format!(
                        "`{}` is given {} words, and has {}",
                        binding.name,
                        words.len(),
                        binding.fixed_words
                    );
                    return Err(self
                        .health
                        .invalid(format!("a dispatch of kernel `{}`", source.name), detail));
                }
                recorder.put(words, binding.fixed_words, alignment);
            }
        }
        recorder.put(launch, source.launch_words, alignment);
        Ok(())
    }

    /// Opens a compute pass: a new one for a dispatch whose time is wanted, the running one otherwise.
    fn set_pass(
        &self,
        recorder: &mut Recorder,
        timing: Timing,
    ) -> Result<Option<Elapsed>, DeviceError> {
        let clocked = timing == Timing::Measured && self.about.has(GpuFeature::Timestamps);
        if !clocked && recorder.pass.is_some() {
            return Ok(None);
        }
        recorder.end_pass();
        let elapsed = if clocked {
            let stopwatch = match recorder.stopwatch.take() {
                Some(stopwatch) => stopwatch,
                None => self.clocks.take(&self.device, &self.health)?,
            };
            Some(recorder.stopwatch.insert(stopwatch).start())
        } else {
            None
        };
        recorder.open(&self.device);
        let writes = elapsed
            .as_ref()
            .and(recorder.stopwatch.as_ref())
            .map(Stopwatch::writes);
        let descriptor = wgpu::ComputePassDescriptor {
            label: None,
            timestamp_writes: writes,
        };
        if let Some(encoder) = recorder.encoder.as_mut() {
            recorder.pass = Some(encoder.begin_compute_pass(&descriptor).forget_lifetime());
        }
        Ok(elapsed)
    }

    /// Submits what has been recorded. Returns the ticket of all work so far.
    ///
    /// # Errors
    ///
    /// The batch is invalid, or the device is lost. The work of the batch is not done then, and its tickets fail too.
    pub(crate) fn flush(&self) -> Result<Ticket, DeviceError> {
        let mut recorder = lock(&self.recorder);
        self.flush_locked(&mut recorder)
    }

    pub(super) fn flush_locked(
        &self,
        recorder: &mut MutexGuard<'_, Recorder>,
    ) -> Result<Ticket, DeviceError> {
        if !recorder.has_work() {
            self.health.check()?;
            return Ok(Ticket(Arc::clone(&recorder.last)));
        }
        let ticket = recorder.ticket();
        // Repeated launches say the same again, and a write costs as much as a small submission.
        let is_news = !recorder.written.starts_with(&recorder.page);
        let outcome = self.submit(recorder, is_news);
        let recorder = &mut **recorder;
        if is_news {
            std::mem::swap(&mut recorder.page, &mut recorder.written);
        }
        if outcome.is_err() {
            recorder.written.clear();
        }
        recorder.page.clear();
        recorder.recent.clear();
        recorder.dispatches = 0;
        recorder.last = std::mem::replace(&mut recorder.batch, Batch::new(Progress::Recording));
        match outcome {
            Ok(()) => Ok(ticket),
            Err(error) => {
                ticket.0.set(Progress::Failed(error.clone()));
                // What waits for no ticket would take its words for done.
                self.health
                    .lose(format!("it refused recorded work: {error}"));
                Err(error)
            }
        }
    }

    fn submit(&self, recorder: &mut Recorder, is_news: bool) -> Result<(), DeviceError> {
        recorder.end_pass();
        let encoder = recorder.encoder.take();
        let stopwatch = recorder.stopwatch.take();
        let spent = recorder.upstream.take_spent();
        let batch = &recorder.batch;
        let page = &recorder.page;
        self.health
            .guarded(&self.device, "a batch of recorded work", || {
                let Some(mut encoder) = encoder else { return };
                if let Some(stopwatch) = stopwatch {
                    stopwatch.stop(&mut encoder, &self.clocks);
                }
                let commands = encoder.finish();
                for chunk in &spent {
                    chunk.unmap();
                }
                if is_news {
                    let bytes = bytemuck::cast_slice(page);
                    self.queue.write_buffer(&self.page, 0, bytes);
                }
                let index = self.health.submitting(|| self.queue.submit([commands]));
                batch.set(Progress::Submitted(index));
                for chunk in &spent {
                    self.chunks.recycle(chunk);
                }
                let batch = Arc::clone(batch);
                self.queue
                    .on_submitted_work_done(move || batch.set(Progress::Done));
            })
    }
}

fn encode(
    recorder: &mut Recorder,
    program: &Program,
    group: &wgpu::BindGroup,
    workgroups: [u32; 3],
) {
    let Recorder {
        pass: Some(pass),
        program: current,
        offsets,
        bound,
        dispatches,
        ..
    } = recorder
    else {
        return;
    };
    if *current != Some(program.id) {
        pass.set_pipeline(&program.pipeline);
        *current = Some(program.id);
    }
    // Some drivers copy the whole group for the sake of its offsets.
    if !matches!(bound, Some((own, at)) if own == group && at == offsets) {
        pass.set_bind_group(0, group, offsets);
        *bound = Some((group.clone(), offsets.clone()));
    }
    pass.dispatch_workgroups(workgroups[0], workgroups[1], workgroups[2]);
    *dispatches += 1;
}

/// The most that the uniform data of one dispatch takes on the page.
fn uniform_page_words(source: &Source, alignment_words: usize) -> usize {
    let own = source
        .bindings
        .iter()
        .map(|binding| uniform_words(binding.fixed_words) as usize);
    own.chain([uniform_words(source.launch_words) as usize])
        .map(|words| words + alignment_words)
        .sum()
}
