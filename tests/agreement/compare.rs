//! How is a problem run everywhere and compared? The oracle's words against those of each instruction set, device and split.

use std::sync::Arc;

use impel::kernel::Space;
use impel::lanes::Level;
use impel::launch::WordArgument;
use impel::{Array, DeviceId, Launch, LaunchError, Policy, Runtime};
use impel_compiler::front::{Options, parse};
use impel_compiler::oracle::Oracle;

use crate::devices;
use crate::problems::Problem;
use crate::random::Random;

/// Whether words are right: given the problem, the oracle's words and the device's, an objection.
pub(crate) type Judge<'a> = &'a dyn Fn(&Problem, &[Vec<u32>], &[Vec<u32>]) -> Result<(), String>;

/// The same words.
pub(crate) fn exactly(_: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Result<(), String> {
    for (binding, (expected, got)) in expected.iter().zip(got).enumerate() {
        if let Some(at) = (0..expected.len()).find(|&at| expected[at] != got[at]) {
            return Err(format!(
                "binding {binding}, word {at}: {} expected, {} found",
                expected[at], got[at]
            ));
        }
    }
    Ok(())
}

/// An objection to the words of a problem's bindings, if there is one.
type Verdict<'a> = Box<dyn Fn(&[Vec<u32>]) -> Result<(), String> + 'a>;

/// A problem, and what says whether the words of its bindings are right.
struct Case<'a> {
    problem: &'a Problem,
    judge: Verdict<'a>,
}

/// Compares everywhere: each instruction set, each GPU, random splits over all devices.
pub(crate) fn agree(test: &str, problems: &[Problem], judge: Judge<'_>) {
    let cases: Vec<Case<'_>> = problems
        .iter()
        .map(|problem| whole(problem, judge))
        .collect();
    on_cpu(&cases);
    on_gpus(test, &cases);
}

/// Compares on each instruction set.
pub(crate) fn agree_on_cpu(problems: &[Problem], judge: Judge<'_>) {
    let cases: Vec<Case<'_>> = problems
        .iter()
        .map(|problem| whole(problem, judge))
        .collect();
    on_cpu(&cases);
}

/// As [`agree`], where the oracle runs only some workgroups along x, and only the words that they write are compared with it.
pub(crate) fn agree_in_samples(test: &str, problem: &Problem, judge: Judge<'_>) {
    let cases = [in_samples(problem, judge)];
    on_cpu(&cases);
    on_gpus(test, &cases);
}

fn whole<'a>(problem: &'a Problem, judge: Judge<'a>) -> Case<'a> {
    let expected = oracle(problem);
    Case {
        problem,
        judge: Box::new(move |got| judge(problem, &expected, got)),
    }
}

fn in_samples<'a>(problem: &'a Problem, judge: Judge<'a>) -> Case<'a> {
    let groups = problem.grid[0];
    let mut random = Random(7);
    let mut samples = vec![0, 1, groups / 2, groups - 2, groups - 1];
    samples.extend((0..60).map(|_| (random.next() % u64::from(groups)) as u32));
    samples.sort_unstable();
    samples.dedup();
    let expected = oracle_at(problem, &samples);
    let size = problem.kernel.workgroup_size[0] as usize;
    let last = problem.words.len() - 1;
    let judge = move |got: &[Vec<u32>]| {
        // Where no sample is, the expected words stand for what was got: it must only have been written.
        let mut seen = expected.clone();
        for &group in &samples {
            let lo = group as usize * size;
            let hi = (lo + size).min(got[last].len());
            seen[last][lo..hi].copy_from_slice(&got[last][lo..hi]);
        }
        judge(problem, &expected, &seen)?;
        let before = &problem.words[last];
        let untouched = (0..before.len()).find(|&at| got[last][at] == before[at]);
        untouched.map_or(Ok(()), |at| Err(format!("word {at} was not written")))
    };
    Case {
        problem,
        judge: Box::new(judge),
    }
}

fn on_cpu(cases: &[Case<'_>]) {
    for level in Level::available() {
        let rt = devices::builder().gpus(false).isa(level).build().unwrap();
        for case in cases {
            case.check(&rt, Policy::Auto, &level.to_string());
        }
    }
}

fn on_gpus(test: &str, cases: &[Case<'_>]) {
    devices::with_gpus(test, 1, |rt, gpus| {
        let everything: Vec<DeviceId> = [DeviceId::CPU].iter().chain(gpus).copied().collect();
        for (seed, case) in (0..).zip(cases) {
            for &gpu in gpus {
                case.check(&rt, Policy::GpuOnly(gpu), &devices::name(&rt, gpu));
            }
            let mut random = Random(seed);
            for _ in 0..if devices::long() { 20 } else { 3 } {
                let shares = random.shares(&everything);
                let place = format!("{shares:?}");
                case.check(&rt, Policy::Split(shares), &place);
            }
            case.check(&rt, Policy::Auto, "the planner's choice");
        }
    });
}

impl Case<'_> {
    fn check(&self, rt: &Runtime, policy: Policy, place: &str) {
        let Problem { kernel, grid, .. } = self.problem;
        let got = launch(rt, self.problem, policy)
            .unwrap_or_else(|error| panic!("{} over {grid:?} on {place}: {error}", kernel.name));
        if let Err(objection) = (self.judge)(&got) {
            panic!("{} over {grid:?} on {place}: {objection}", kernel.name);
        }
    }
}

/// Runs a problem, and returns the words of all bindings.
pub(crate) fn launch(
    rt: &Runtime,
    problem: &Problem,
    policy: Policy,
) -> Result<Vec<Vec<u32>>, Arc<LaunchError>> {
    let spaces: Vec<Space> = problem
        .kernel
        .bindings
        .iter()
        .map(|binding| binding.space)
        .collect();
    let mut arrays: Vec<Option<Array<u32>>> = spaces
        .iter()
        .zip(&problem.words)
        .map(|(space, words)| {
            let array = || rt.array_from_slice(words).expect("there is memory");
            (*space != Space::Uniform).then(array)
        })
        .collect();
    let arguments: Vec<WordArgument<'_>> = spaces
        .iter()
        .zip(arrays.iter_mut().zip(&problem.words))
        .map(|(space, (array, words))| match (space, array) {
            (Space::StorageRead, Some(array)) => WordArgument::Read(array),
            (Space::StorageReadWrite, Some(array)) => WordArgument::Write(array),
            _ => WordArgument::Uniform(words),
        })
        .collect();
    let launch = Launch::of_words(problem.kernel, arguments, problem.grid)?;
    rt.launch(launch.with_policy(policy))?.wait()?;
    let words = arrays.into_iter().zip(&problem.words);
    Ok(words
        .map(|(array, words)| {
            array.map_or_else(
                || words.clone(),
                |array| array.into_vec().expect("it was computed"),
            )
        })
        .collect())
}

/// What the oracle makes of a problem.
fn oracle(problem: &Problem) -> Vec<Vec<u32>> {
    interpret(problem, |oracle, bytes| oracle.run(problem.grid, bytes))
}

/// What the oracle makes of some workgroups along x, each named once.
fn oracle_at(problem: &Problem, groups: &[u32]) -> Vec<Vec<u32>> {
    interpret(problem, |oracle, bytes| {
        groups
            .iter()
            .try_for_each(|&at| oracle.run_tile(problem.grid, [at, 0, 0], [at + 1, 1, 1], bytes))
    })
}

fn interpret(
    problem: &Problem,
    run: impl FnOnce(&Oracle<'_>, &mut [Vec<u8>]) -> Result<(), impel_compiler::oracle::OracleError>,
) -> Vec<Vec<u32>> {
    let Problem {
        kernel,
        source,
        words,
        ..
    } = problem;
    let front = parse(source, kernel.path, &Options::default()).expect("it was compiled before");
    let oracle = Oracle::new(&front.module, &front.info, kernel.name).expect("the oracle knows it");
    let mut bytes: Vec<Vec<u8>> = words
        .iter()
        .map(|words| words.iter().flat_map(|word| word.to_le_bytes()).collect())
        .collect();
    run(&oracle, &mut bytes).expect("the oracle runs it");
    let words_of = |bytes: &Vec<u8>| {
        let words = bytes.as_chunks::<4>().0;
        words.iter().map(|word| u32::from_le_bytes(*word)).collect()
    };
    bytes.iter().map(words_of).collect()
}
