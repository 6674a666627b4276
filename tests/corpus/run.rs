//! How is a shader of the corpus run by the runtime and compared? With the inputs and tolerances of its header.

use impel::kernel::Space;
use impel::lanes::Level;
use impel::launch::WordArgument;
use impel::{Array, DeviceId, Launch, Policy, Runtime};
use impel_compiler::front::{Front, Options, parse};
use impel_compiler::oracle::corpus::Case;
use impel_compiler::oracle::{Bound, Oracle};

use crate::{Shader, devices};

/// A shader, what it is given, and what must come out.
pub(crate) struct Sample {
    shader: &'static Shader,
    case: Case,
    front: Front,
    bindings: Vec<Bound>,
    given: Vec<Vec<u8>>,
    expected: Vec<Vec<u8>>,
}

/// Asks the oracle.
pub(crate) fn samples(shaders: &'static [Shader]) -> Vec<Sample> {
    shaders.iter().map(sample).collect()
}

fn sample(shader: &'static Shader) -> Sample {
    let case = Case::parse(shader.name, shader.source).expect("the header is readable");
    let options = Options {
        overrides: case.overrides.clone(),
        ..Options::default()
    };
    let front = parse(shader.source, shader.name, &options).expect("it was compiled before");
    let oracle = Oracle::new(&front.module, &front.info, "main").expect("the oracle knows it");
    let bindings = oracle.bindings().to_vec();
    let given = case.buffers(&front.module, &bindings);
    let mut expected = given.clone();
    oracle
        .run(case.dispatch, &mut expected)
        .expect("the oracle runs it");
    drop(oracle);
    Sample {
        shader,
        case,
        front,
        bindings,
        given,
        expected,
    }
}

/// On each instruction set of this machine.
pub(crate) fn on_cpu(samples: &[Sample]) {
    for level in Level::available() {
        let rt = devices::builder().gpus(false).isa(level).build().unwrap();
        for sample in samples {
            sample.check(&rt, Policy::Auto, &level.to_string());
        }
    }
}

/// On each GPU alone, and in halves and thirds over all devices, in every order of size.
pub(crate) fn on_gpus(test: &str, samples: &[Sample]) {
    devices::with_gpus(test, 1, |rt, gpus| {
        let everything: Vec<DeviceId> = [DeviceId::CPU].iter().chain(gpus).copied().collect();
        for sample in samples.iter().filter(|sample| sample.is_for_gpus()) {
            for &gpu in gpus {
                sample.check(&rt, Policy::GpuOnly(gpu), &devices::name(&rt, gpu));
            }
            for largest in 0..=everything.len() {
                let share = |at: usize| if at == largest { 2.0 } else { 1.0 };
                let shares = everything.iter().enumerate();
                let shares = shares.map(|(at, device)| (*device, share(at))).collect();
                let place = format!("{shares:?}");
                sample.check(&rt, Policy::Split(shares), &place);
            }
        }
    });
}

impl Sample {
    /// Whether WGSL leaves GPUs no choice.
    fn is_for_gpus(&self) -> bool {
        self.case.cpu_only.is_none() && self.case.strict_only.is_none()
    }

    /// Runs it and compares what it wrote.
    fn check(&self, rt: &Runtime, policy: Policy, place: &str) {
        let name = self.shader.name;
        let got = self.launch(rt, policy);
        let verdict = self
            .case
            .compare(&self.front.module, &self.bindings, &self.expected, &got);
        if let Err(mismatch) = verdict {
            panic!("{name} on {place}: {mismatch}");
        }
    }

    fn launch(&self, rt: &Runtime, policy: Policy) -> Vec<Vec<u8>> {
        let kernel = self.shader.kernel;
        let words: Vec<Vec<u32>> = self.given.iter().map(|bytes| words_of(bytes)).collect();
        let mut arrays: Vec<Array<u32>> = words
            .iter()
            .map(|words| rt.array_from_slice(words).expect("there is memory"))
            .collect();
        let arguments: Vec<WordArgument<'_>> = kernel
            .bindings
            .iter()
            .zip(arrays.iter_mut().zip(&words))
            .map(|(binding, (array, words))| match binding.space {
                Space::Uniform => WordArgument::Uniform(words),
                Space::StorageRead => WordArgument::Read(array),
                Space::StorageReadWrite => WordArgument::Write(array),
            })
            .collect();
        let launch = Launch::of_words(kernel, arguments, self.case.dispatch)
            .unwrap_or_else(|error| panic!("{error}"))
            .with_policy(policy);
        let pending = rt.launch(launch).unwrap_or_else(|error| panic!("{error}"));
        pending.wait().unwrap_or_else(|error| panic!("{error}"));
        let bytes = |array: Array<u32>| {
            let words = array.into_vec().expect("it was computed");
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        arrays.into_iter().map(bytes).collect()
    }
}

fn words_of(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.as_chunks::<4>().0;
    words.iter().map(|word| u32::from_le_bytes(*word)).collect()
}
