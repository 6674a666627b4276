//! Which words does a launch need and write, and what does it compute? Kernels of every kind of access, and the same said once more in
//! plain Rust, which knows nothing of access maps.

use impel::cost::Source;
use impel::lanes::Tile;
use impel::plan::{Part, Plan, SplitVerdict};
use impel::{Array, DeviceId, Launch, Policy, Runtime};
use proptest::prelude::*;

/// Words of an array.
pub(crate) const WORDS: usize = 96;
/// Words of a workgroup.
const ROW: usize = 4;
/// Workgroups of a launch.
const ROWS: usize = WORDS / ROW;

impel::shader!(mod wgsl, wgsl = r"
const WORDS: u32 = 96u;
@group(0) @binding(0) var<storage, read> src: array<u32>;
@group(0) @binding(1) var<storage, read> other: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;
@group(0) @binding(3) var<storage, read_write> bins: array<atomic<u32>, 4>;

@compute @workgroup_size(4)
fn write(@builtin(global_invocation_id) id: vec3<u32>) {
    dst[id.x] = src[id.x] * 3u + 1u;
}

@compute @workgroup_size(4)
fn update(@builtin(global_invocation_id) id: vec3<u32>) {
    dst[id.x] = dst[id.x] * 5u + src[id.x];
}

@compute @workgroup_size(4)
fn halo(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= 5u && i < WORDS - 5u {
        dst[i] = src[i - 5u] + src[i] * 2u + src[i + 5u];
    }
}

@compute @workgroup_size(4)
fn whole(@builtin(global_invocation_id) id: vec3<u32>) {
    var sum = 0u;
    for (var k = 0u; k < WORDS; k++) {
        sum = sum * 3u + src[k];
    }
    dst[id.x] = sum + id.x;
}

@compute @workgroup_size(4)
fn sparse(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) row: vec3<u32>) {
    dst[id.x] = src[row.x * 4u] + id.x;
}

@compute @workgroup_size(4)
fn some(@builtin(global_invocation_id) id: vec3<u32>) {
    if (src[id.x] & 64u) != 0u {
        dst[id.x] = src[id.x] + 7u;
    }
}

@compute @workgroup_size(4)
fn three(@builtin(global_invocation_id) id: vec3<u32>) {
    dst[id.x] = dst[id.x] + src[id.x] * other[WORDS - 1u - id.x];
}

@compute @workgroup_size(4)
fn count(@builtin(global_invocation_id) id: vec3<u32>) {
    atomicAdd(&bins[src[id.x] & 3u], 1u);
}
");

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Write,
    Update,
    Halo,
    Whole,
    Sparse,
    Some,
    Three,
    Count,
}

/// A device's share of a launch, in workgroups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) device: u8,
    lo: usize,
    hi: usize,
}

/// A launch, with its cuts and the device behind each.
#[derive(Clone, Debug)]
pub(crate) struct Launched {
    kind: Kind,
    src: usize,
    other: usize,
    dst: usize,
    pub(crate) parts: Vec<Share>,
}

/// How a part uses a word.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Use {
    pub(crate) needed: bool,
    /// It may be written: nobody else's copy counts any more.
    pub(crate) written: bool,
    /// In main memory instead of the device's own: what several devices combine.
    pub(crate) at_home: bool,
}

/// A launch on a machine with so many GPUs.
pub(crate) fn any_launch(gpus: u8) -> impl Strategy<Value = Launched> {
    let kinds = [
        Kind::Write,
        Kind::Update,
        Kind::Halo,
        Kind::Whole,
        Kind::Sparse,
        Kind::Some,
        Kind::Three,
        Kind::Count,
    ];
    let kind = proptest::sample::select(kinds.to_vec());
    let arrays = Just([0, 1, 2]).prop_shuffle();
    let devices = Just((0..=gpus).collect::<Vec<u8>>()).prop_shuffle();
    let cuts = proptest::collection::vec(0..=ROWS, usize::from(gpus));
    (kind, arrays, devices, cuts).prop_map(|(kind, [src, other, dst], devices, mut cuts)| {
        cuts.extend([0, ROWS]);
        cuts.sort_unstable();
        let shares = devices.iter().zip(cuts.windows(2));
        let parts = shares
            .filter(|(_, ends)| ends[0] < ends[1])
            .map(|(device, ends)| Share {
                device: *device,
                lo: ends[0],
                hi: ends[1],
            });
        Launched {
            kind,
            src,
            other,
            dst,
            parts: parts.collect(),
        }
    })
}

impl Launched {
    /// How a part uses a word of an array.
    pub(crate) fn usage(&self, part: &Share, array: usize, word: usize) -> Use {
        let ids = part.lo * ROW..part.hi * ROW;
        let inner = |i: usize| ids.contains(&i) && (5..WORDS - 5).contains(&i);
        let own = ids.contains(&word);
        let reads = array == self.src
            && match self.kind {
                Kind::Halo => inner(word) || inner(word + 5) || word >= 5 && inner(word - 5),
                Kind::Whole => true,
                // Access maps name ranges: from the first word that is read to the last.
                Kind::Sparse => ids.start <= word && word <= ids.end - ROW,
                _ => own,
            };
        let reads_other =
            array == self.other && self.kind == Kind::Three && ids.contains(&(WORDS - 1 - word));
        let is_dst = array == self.dst;
        let (updated, written) = match self.kind {
            Kind::Write | Kind::Whole | Kind::Sparse => (false, own),
            Kind::Halo => (false, inner(word)),
            Kind::Update | Kind::Some | Kind::Three => (own, own),
            Kind::Count => (word < 4, word < 4),
        };
        Use {
            needed: reads || reads_other || is_dst && updated,
            written: is_dst && written,
            at_home: is_dst && self.kind == Kind::Count && self.parts.len() > 1,
        }
    }

    /// Words of private copies that GPUs send home.
    pub(crate) fn gathered_words(&self) -> u64 {
        if self.kind != Kind::Count || self.parts.len() == 1 {
            return 0;
        }
        4 * self.parts.iter().filter(|part| part.device > 0).count() as u64
    }

    /// Runs it with exactly these cuts.
    pub(crate) fn launch(&self, rt: &Runtime, arrays: &mut [Array<u32>; 3]) {
        let [mut src, mut other, mut dst] = [None, None, None];
        for (at, array) in arrays.iter_mut().enumerate() {
            let place = if at == self.src {
                &mut src
            } else if at == self.other {
                &mut other
            } else {
                &mut dst
            };
            *place = Some(array);
        }
        let (src, dst) = (&*src.unwrap(), dst.unwrap());
        let rows = ROWS as u32;
        let launch: Launch<'_> = match self.kind {
            Kind::Write => wgsl::write { src, dst }.workgroups(rows),
            Kind::Update => wgsl::update { src, dst }.workgroups(rows),
            Kind::Halo => wgsl::halo { src, dst }.workgroups(rows),
            Kind::Whole => wgsl::whole { src, dst }.workgroups(rows),
            Kind::Sparse => wgsl::sparse { src, dst }.workgroups(rows),
            Kind::Some => wgsl::some { src, dst }.workgroups(rows),
            Kind::Three => {
                let other = &*other.unwrap();
                wgsl::three { src, other, dst }.workgroups(rows)
            }
            Kind::Count => {
                let bins = dst.view_mut(0..4).unwrap();
                wgsl::count { src, bins }.workgroups(rows)
            }
        };
        rt.launch(launch.with_policy(Policy::Fixed(self.plan())))
            .unwrap();
    }

    fn plan(&self) -> Plan {
        let part = |share: &Share| Part {
            device: DeviceId(share.device),
            tile: Tile {
                lo: [share.lo as u32, 0, 0],
                hi: [share.hi as u32, 1, 1],
            },
            predicted_ns: 0.0,
            transfer_ns: 0.0,
            bytes_in: 0,
            bytes_out: 0,
            source: Source::Prior,
        };
        Plan {
            grid: [ROWS as u32, 1, 1],
            axis: Some(0),
            parts: self.parts.iter().map(part).collect(),
            rejected: Vec::new(),
            split: SplitVerdict::Policy,
        }
    }

    /// What it makes of the arrays.
    pub(crate) fn compute(&self, arrays: &mut [Vec<u32>; 3]) {
        let (src, other) = (arrays[self.src].clone(), arrays[self.other].clone());
        let dst = &mut arrays[self.dst];
        let whole = src
            .iter()
            .fold(0_u32, |sum, word| sum.wrapping_mul(3).wrapping_add(*word));
        for i in 0..WORDS {
            let id = i as u32;
            match self.kind {
                Kind::Write => dst[i] = src[i].wrapping_mul(3).wrapping_add(1),
                Kind::Update => dst[i] = dst[i].wrapping_mul(5).wrapping_add(src[i]),
                Kind::Halo if (5..WORDS - 5).contains(&i) => {
                    let sum = src[i - 5].wrapping_add(src[i].wrapping_mul(2));
                    dst[i] = sum.wrapping_add(src[i + 5]);
                }
                Kind::Some if src[i] & 64 != 0 => dst[i] = src[i].wrapping_add(7),
                Kind::Halo | Kind::Some => {}
                Kind::Whole => dst[i] = whole.wrapping_add(id),
                Kind::Sparse => dst[i] = src[i / ROW * ROW].wrapping_add(id),
                Kind::Three => {
                    let product = src[i].wrapping_mul(other[WORDS - 1 - i]);
                    dst[i] = dst[i].wrapping_add(product);
                }
                Kind::Count => {
                    let bin = (src[i] & 3) as usize;
                    dst[bin] = dst[bin].wrapping_add(1);
                }
            }
        }
    }
}
