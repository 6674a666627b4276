//! Do memory operations keep to their buffer, their mask and their order, on every token, at every alignment and at every end?
#![allow(clippy::inline_always)]

mod every_token;

use every_token::{Check, Lanes, Random, on_every_token, samples};
use impel_lanes::{Buffer, Isa, Rmw};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// Words around the buffer, which nothing may touch.
const GUARD: usize = 80;
const GUARDED: u32 = 0xDEAD_BEEF;

/// Memory with a buffer in the middle that holds `word(i)` at `i`.
fn guarded(words: usize) -> Vec<u32> {
    let mut memory = vec![GUARDED; GUARD];
    memory.extend((0..words as u32).map(word));
    memory.resize(words + 2 * GUARD, GUARDED);
    memory
}

fn word(i: u32) -> u32 {
    i.wrapping_mul(0x9E37_79B9) | 1
}

/// Strides with special code, others, and some that go backwards or around the address space.
const STRIDES: [u32; 8] = [0, 1, 2, 3, 4, 5, u32::MAX, 1 << 30];

/// Words of a buffer: several vectors and a bit, none, one, one too few for a vector, just enough.
fn lengths<S: Isa>() -> Vec<u32> {
    let lanes = S::LANES as u32;
    let all = [5 * lanes + 3, 0, 1, lanes - 1, lanes];
    all[..samples(5, 2)].to_vec()
}

/// The addresses that an access at `addr` may begin with: around both ends of the buffer and of the address space.
fn bases(words: u32, lanes: u32) -> Vec<u32> {
    let near = |at: u32| {
        [
            at.wrapping_sub(lanes),
            at.wrapping_sub(3),
            at.wrapping_sub(1),
            at,
            at.wrapping_add(1),
        ]
    };
    let all = [
        near(words),
        near(0),
        near(words / 2),
        near(i32::MAX as u32),
        near(words.wrapping_sub(lanes)),
    ];
    all[..samples(5, 2)].concat()
}

/// All lanes, seeded ones, none, one, every other, the first half, the last.
fn masks<S: Isa>(s: S) -> Vec<S::Mask> {
    let mut random = Random::new(3);
    let seeded =
        u64::from(random.word().cast_unsigned()) << 32 | u64::from(random.word().cast_unsigned());
    let half = S::LANES as u32 / 2;
    let bits = [
        u64::MAX,
        seeded,
        0,
        1,
        0x5555_5555_5555_5555,
        (1 << half) - 1,
        1 << (S::LANES - 1),
    ];
    bits.into_iter()
        .take(samples(7, 2))
        .map(|bits| s.mask_from_bits(bits))
        .collect()
}

/// Loads at `addresses`, held against the rule: the word where it is on and inside, 0 where it is on and outside.
fn expect_loaded<S: Isa>(
    s: S,
    what: &str,
    got: S::I32,
    addresses: &[u32],
    mask: S::Mask,
    words: u32,
) {
    let (got, on) = (i32::unpack(s, got), bool::unpack(s, mask));
    for l in 0..S::LANES {
        if on[l] {
            let expected = if addresses[l] < words {
                word(addresses[l])
            } else {
                0
            };
            assert_eq!(
                got[l].cast_unsigned(),
                expected,
                "{what}: lane {l} reads {:#x}",
                addresses[l]
            );
        }
    }
}

/// Stores at `addresses`, held against a plain loop over the lanes.
fn expect_stored<S: Isa>(
    s: S,
    what: &str,
    memory: &[u32],
    addresses: &[u32],
    mask: S::Mask,
    v: &[i32],
) {
    let (mut expected, on) = (guarded(memory.len() - 2 * GUARD), bool::unpack(s, mask));
    let words = (memory.len() - 2 * GUARD) as u32;
    for l in 0..S::LANES {
        if on[l] && addresses[l] < words {
            expected[GUARD + addresses[l] as usize] = v[l].cast_unsigned();
        }
    }
    assert!(memory == expected, "{what} at {addresses:x?}");
}

fn linear<S: Isa>(addr: u32, stride: u32) -> Vec<u32> {
    (0..S::LANES as u32)
        .map(|l| addr.wrapping_add(l.wrapping_mul(stride)))
        .collect()
}

struct Loads;

impl Check for Loads {
    fn check<S: Isa>(&self, s: S, token: &str) {
        for words in lengths::<S>() {
            let mut memory = guarded(words as usize);
            let buf = Buffer::exclusive(&mut memory[GUARD..GUARD + words as usize]);
            for addr in bases(words, S::LANES as u32) {
                for mask in masks(s) {
                    let what = format!("{token}: linear load of {words} words");
                    expect_loaded(
                        s,
                        &what,
                        s.load_linear_i32(buf, addr, mask),
                        &linear::<S>(addr, 1),
                        mask,
                        words,
                    );
                    let floats = s.f32_bits(s.load_linear_f32(buf, addr, mask));
                    expect_loaded(s, &what, floats, &linear::<S>(addr, 1), mask, words);
                    for stride in STRIDES {
                        let what = format!("{token}: load of {words} words, stride {stride}");
                        let got = s.load_strided_i32(buf, addr, stride, mask);
                        expect_loaded(s, &what, got, &linear::<S>(addr, stride), mask, words);
                        let got = s.f32_bits(s.load_strided_f32(buf, addr, stride, mask));
                        expect_loaded(s, &what, got, &linear::<S>(addr, stride), mask, words);
                    }
                }
            }
        }
    }
}

#[test]
fn loads_give_the_word_inside_and_zero_outside() {
    on_every_token(&Loads);
}

struct Stores;

impl Check for Stores {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let values: Vec<i32> = (0..S::LANES as i32).map(|l| -1 - l).collect();
        let v = i32::pack(s, &values);
        for words in lengths::<S>() {
            for addr in bases(words, S::LANES as u32) {
                for (m, mask) in masks(s).into_iter().enumerate() {
                    for stride in STRIDES {
                        let mut memory = guarded(words as usize);
                        let buf = Buffer::exclusive(&mut memory[GUARD..GUARD + words as usize]);
                        match (stride, m % 2) {
                            (1, 0) => s.store_linear_i32(buf, addr, mask, v),
                            (1, _) => s.store_linear_f32(buf, addr, mask, s.f32_from_bits(v)),
                            (_, 0) => s.store_strided_i32(buf, addr, stride, mask, v),
                            _ => s.store_strided_f32(buf, addr, stride, mask, s.f32_from_bits(v)),
                        }
                        let what = format!("{token}: store to {words} words, stride {stride}");
                        expect_stored(s, &what, &memory, &linear::<S>(addr, stride), mask, &values);
                    }
                }
            }
        }
    }
}

#[test]
fn stores_write_the_lanes_that_are_on_and_inside_and_nothing_else() {
    on_every_token(&Stores);
}

/// Addresses that a gather may have: inside, just outside, far outside, and the same one several times.
fn scattered<S: Isa>(random: &mut Random, words: u32) -> Vec<u32> {
    let mut any = || random.word().cast_unsigned();
    (0..S::LANES)
        .map(|_| match any() % 8 {
            0 => any(),
            1 => words,
            2 => u32::MAX,
            3 => 1 << 31,
            4 | 5 => any() % 3,
            _ => any() % words.max(1),
        })
        .collect()
}

struct GatherScatter;

impl Check for GatherScatter {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let mut random = Random::new(5);
        let values: Vec<i32> = (0..S::LANES as i32).map(|l| -1 - l).collect();
        for turn in 0..samples(200, 8) {
            let words = [0, 1, 2, 100][turn % 4];
            let addresses = scattered::<S>(&mut random, words);
            let signed: Vec<i32> = addresses.iter().map(|a| a.cast_signed()).collect();
            let addr = i32::pack(s, &signed);
            for mask in masks(s) {
                let mut memory = guarded(words as usize);
                let buf = Buffer::exclusive(&mut memory[GUARD..GUARD + words as usize]);
                let what = format!("{token}: gather from {words} words");
                expect_loaded(
                    s,
                    &what,
                    s.gather_i32(buf, addr, mask),
                    &addresses,
                    mask,
                    words,
                );
                expect_loaded(
                    s,
                    &what,
                    s.f32_bits(s.gather_f32(buf, addr, mask)),
                    &addresses,
                    mask,
                    words,
                );
                let v = i32::pack(s, &values);
                if turn % 2 == 0 {
                    s.scatter_i32(buf, addr, mask, v);
                } else {
                    s.scatter_f32(buf, addr, mask, s.f32_from_bits(v));
                }
                expect_stored(
                    s,
                    &format!("{token}: scatter"),
                    &memory,
                    &addresses,
                    mask,
                    &values,
                );
            }
        }
    }
}

#[test]
fn gathers_and_scatters_keep_to_the_buffer_and_the_highest_lane_wins() {
    on_every_token(&GatherScatter);
}

struct PrivateArrays;

impl Check for PrivateArrays {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let mut random = Random::new(9);
        for len in [0, 1, 7] {
            let mut lanes: Vec<Vec<i32>> = (0..len)
                .map(|_| (0..S::LANES).map(|_| random.word()).collect())
                .collect();
            let mut integers: Vec<S::I32> =
                lanes.iter().map(|element| i32::pack(s, element)).collect();
            let mut floats: Vec<S::F32> = integers
                .iter()
                .map(|element| s.f32_from_bits(*element))
                .collect();
            for _ in 0..samples(20, 2) {
                let index: Vec<i32> = (0..S::LANES).map(|_| random.word() % (len + 2)).collect();
                let value: Vec<i32> = (0..S::LANES).map(|_| random.word()).collect();
                let (i, v) = (i32::pack(s, &index), i32::pack(s, &value));
                for mask in masks(s) {
                    let on = bool::unpack(s, mask);
                    let got = i32::unpack(s, s.array_load_i32(&integers, i, mask));
                    let same = i32::unpack(s, s.f32_bits(s.array_load_f32(&floats, i, mask)));
                    for l in (0..S::LANES).filter(|l| on[*l]) {
                        let expected = lanes.get(index[l] as usize).map_or(0, |element| element[l]);
                        assert_eq!(
                            (got[l], same[l]),
                            (expected, expected),
                            "{token}: element {} of {len}",
                            index[l]
                        );
                    }
                    s.array_store_i32(&mut integers, i, mask, v);
                    s.array_store_f32(&mut floats, i, mask, s.f32_from_bits(v));
                    for l in (0..S::LANES).filter(|l| on[*l]) {
                        if let Some(element) = lanes.get_mut(index[l] as usize) {
                            element[l] = value[l];
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn private_arrays_are_indexed_lane_by_lane() {
    on_every_token(&PrivateArrays);
}

/// What an operation leaves behind.
fn result_of(op: Rmw, old: u32, v: u32) -> u32 {
    match op {
        Rmw::Add => old.wrapping_add(v),
        Rmw::Sub => old.wrapping_sub(v),
        Rmw::MinI32 => old.cast_signed().min(v.cast_signed()).cast_unsigned(),
        Rmw::MaxI32 => old.cast_signed().max(v.cast_signed()).cast_unsigned(),
        Rmw::MinU32 => old.min(v),
        Rmw::MaxU32 => old.max(v),
        Rmw::And => old & v,
        Rmw::Or => old | v,
        Rmw::Xor => old ^ v,
        Rmw::Exchange => v,
    }
}

const OPERATIONS: [Rmw; 10] = [
    Rmw::Add,
    Rmw::Sub,
    Rmw::MinI32,
    Rmw::MaxI32,
    Rmw::MinU32,
    Rmw::MaxU32,
    Rmw::And,
    Rmw::Or,
    Rmw::Xor,
    Rmw::Exchange,
];

struct Atomics;

impl Check for Atomics {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let mut random = Random::new(13);
        for turn in 0..40 {
            let op = OPERATIONS[turn % OPERATIONS.len()];
            let addresses = scattered::<S>(&mut random, 6);
            let signed: Vec<i32> = addresses.iter().map(|a| a.cast_signed()).collect();
            let values: Vec<i32> = (0..S::LANES).map(|_| random.word()).collect();
            let (addr, v) = (i32::pack(s, &signed), i32::pack(s, &values));
            for mask in masks(s) {
                let mut memory: Vec<u32> = (0..6).map(word).collect();
                let mut expected = memory.clone();
                // SAFETY: the memory is used through this buffer only, while it lives.
                let shared = unsafe { Buffer::from_raw(memory.as_mut_ptr(), 6) };
                let buf = if turn < 20 {
                    shared
                } else {
                    // SAFETY: as above, and there is one thread.
                    unsafe { shared.private() }
                };
                let old = i32::unpack(s, s.atomic_rmw(buf, op, addr, mask, v));
                for (l, on) in bool::unpack(s, mask).into_iter().enumerate() {
                    let mut before = 0;
                    if let Some(word) = expected.get_mut(addresses[l] as usize).filter(|_| on) {
                        before = *word;
                        *word = result_of(op, before, values[l].cast_unsigned());
                    }
                    assert_eq!(
                        old[l].cast_unsigned(),
                        before,
                        "{token}: {op:?} in lane {l}"
                    );
                }
                assert_eq!(memory, expected, "{token}: {op:?}");
            }
        }
    }
}

struct SameOperand;

impl Check for SameOperand {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let mut random = Random::new(14);
        for turn in 0..40 {
            let op = OPERATIONS[turn % OPERATIONS.len()];
            let addresses = scattered::<S>(&mut random, 6);
            let signed: Vec<i32> = addresses.iter().map(|a| a.cast_signed()).collect();
            let (addr, v) = (i32::pack(s, &signed), random.word());
            for mask in masks(s) {
                let mut each: Vec<u32> = (0..6).map(word).collect();
                let mut expected = each.clone();
                s.prefetch_linear(Buffer::exclusive(&mut each), u32::MAX);
                s.atomic_each(
                    Buffer::exclusive(&mut each),
                    op,
                    addr,
                    mask,
                    v.cast_unsigned(),
                );
                let operands = s.i32_splat(v);
                let _ = s.atomic_rmw(Buffer::exclusive(&mut expected), op, addr, mask, operands);
                assert_eq!(each, expected, "{token}: {op:?}");
            }
        }
    }
}

#[test]
fn an_operand_that_all_lanes_share_acts_as_one_in_each() {
    on_every_token(&SameOperand);
}

#[test]
fn atomics_act_in_the_order_of_the_lanes() {
    on_every_token(&Atomics);
}

struct CompareExchange;

impl Check for CompareExchange {
    fn check<S: Isa>(&self, s: S, token: &str) {
        // Every lane expects what the lane below leaves behind; lane 1 expects something else.
        for private in [false, true] {
            let mut memory = [100u32];
            // SAFETY: the memory is used through this buffer only, while it lives.
            let shared = unsafe { Buffer::from_raw(memory.as_mut_ptr(), 1) };
            let buf = if private {
                // SAFETY: as above, and there is one thread.
                unsafe { shared.private() }
            } else {
                shared
            };
            let compare = s.i32_add(s.i32_iota(), s.i32_splat(100));
            let next = s.i32_add(compare, s.i32_splat(1));
            let last = s.mask_from_bits(1 << (S::LANES - 1));
            let address = s.i32_select(last, s.i32_splat(7), s.i32_splat(0));
            let (old, done) =
                s.atomic_compare_exchange(buf, address, s.mask_splat(true), compare, next);
            let (old, done) = (i32::unpack(s, old), bool::unpack(s, done));
            for l in 0..S::LANES - 1 {
                assert_eq!((old[l], done[l]), (100 + l as i32, true), "{token}");
            }
            assert_eq!(
                (old[S::LANES - 1], done[S::LANES - 1]),
                (0, false),
                "{token}: outside"
            );
            let (old, done) =
                s.atomic_compare_exchange(buf, s.i32_splat(0), s.first_lanes(1), compare, next);
            let left = 100 + S::LANES as i32 - 1;
            let exchanged = S::LANES == 1;
            assert_eq!(
                (s.i32_lane(old, 0), s.mask_bits(done) & 1 == 1),
                (left, exchanged),
                "{token}"
            );
        }
    }
}

#[test]
fn compare_exchange_replaces_what_it_expects() {
    on_every_token(&CompareExchange);
}

#[test]
fn scalar_accesses_keep_to_the_buffer() {
    let mut memory = guarded(3);
    let buf = Buffer::exclusive(&mut memory[GUARD..GUARD + 3]);
    assert!(buf.is_private());
    assert_eq!(buf.words(), 3);
    buf.store_f32(0, 1.5);
    buf.store_i32(1, -2);
    buf.store_u32(2, 7);
    for outside in [3, 4, 1 << 31, u32::MAX] {
        buf.store_u32(outside, 9);
        assert_eq!((buf.load_u32(outside), buf.load_i32(outside)), (0, 0));
        assert_eq!(buf.load_f32(outside).to_bits(), 0);
        assert_eq!(buf.atomic_add_u32(outside, 1), 0);
        assert_eq!(buf.atomic_compare_exchange_u32(outside, 0, 1), (0, false));
    }
    assert_eq!(
        (buf.load_f32(0).to_bits(), buf.load_i32(1), buf.load_u32(2)),
        (1.5f32.to_bits(), -2, 7)
    );
    assert_eq!((buf.atomic_max_i32(1, 5), buf.atomic_load_i32(1)), (-2, 5));
    buf.atomic_store_i32(1, -9);
    assert_eq!(
        (buf.atomic_min_u32(1, 4), buf.load_u32(1)),
        (-9i32 as u32, 4)
    );
    assert!(
        memory[..GUARD]
            .iter()
            .chain(&memory[GUARD + 3..])
            .all(|word| *word == GUARDED)
    );
}

#[test]
fn shared_atomics_count_what_all_threads_do() {
    let mut memory = [0u32, u32::MAX];
    let base = AtomicPtr::new(memory.as_mut_ptr());
    let (base, rounds) = (&base, samples(1000, 20) as i32);
    std::thread::scope(|scope| {
        for t in 0..4 {
            scope.spawn(move || {
                // SAFETY: the words outlive the scope, and all threads use them atomically.
                let buf = unsafe { Buffer::from_raw(base.load(Relaxed), 2) };
                for i in 0..rounds {
                    buf.atomic_add_u32(0, 1);
                    buf.atomic_min_i32(1, -(t * rounds + i));
                }
            });
        }
    });
    assert_eq!(memory, [4 * rounds, 1 - 4 * rounds].map(i32::cast_unsigned));
}
