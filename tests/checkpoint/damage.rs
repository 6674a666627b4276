//! Is every damaged file refused, with its path, and never restored as something else?

use std::fs;
use std::path::Path;

use impel::{CheckpointError, Runtime};
use proptest::prelude::*;

use crate::devices;
use crate::folder::Folder;

/// A small checkpoint's bytes.
fn saved(rt: &Runtime, path: &Path) -> Vec<u8> {
    let u = rt
        .array_from_vec((0..24).map(|i| i as f32).collect())
        .unwrap();
    let v = rt.array_from_vec(vec![[1_u32, 2, 3]; 4]).unwrap();
    let empty = rt.zeros::<i32>(0).unwrap();
    let arrays: [(&str, &dyn impel::AnyArray); 3] = [("u", &u), ("empty", &empty), ("v", &v)];
    rt.checkpoint(path, &arrays, 1234).unwrap();
    fs::read(path).unwrap()
}

/// Refused, by name, as damaged or foreign.
fn check_refused(rt: &Runtime, path: &Path, bytes: &[u8], how: &str) {
    fs::write(path, bytes).unwrap();
    let error = match rt.restore(path) {
        Err(error) => error,
        Ok(saved) => panic!("{how}: step {} was restored", saved.step()),
    };
    let named = match &error {
        CheckpointError::Damaged { path, .. } | CheckpointError::Foreign { path, .. } => path,
        other => panic!("{how}: {other}"),
    };
    assert_eq!(named, path);
    assert!(error.to_string().contains(&path.display().to_string()));
}

#[test]
fn every_flipped_bit_is_found() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    let bytes = saved(&rt, &path);
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        check_refused(&rt, &path, &flipped, &format!("bit {bit}"));
    }
}

#[test]
fn every_truncation_and_every_appended_byte_is_found() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    let mut bytes = saved(&rt, &path);
    for len in 0..bytes.len() {
        check_refused(&rt, &path, &bytes[..len], &format!("{len} bytes"));
    }
    bytes.push(0);
    check_refused(&rt, &path, &bytes, "one byte more");
}

#[test]
fn files_of_other_programs_are_foreign() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    let words: Vec<u8> = [1.0_f32, 2.0]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], &words);
    let theirs = safetensors::serialize([("u", view.unwrap())], None).unwrap();
    check_refused(&rt, &path, &theirs, "a safetensors file without checksums");
    check_refused(
        &rt,
        &path,
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}",
        "a npy file",
    );
    let huge = [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat();
    check_refused(&rt, &path, &huge, "a header of 2^64 bytes");
    check_refused(&rt, &path, &[0xff; 4096], "ones");
    check_refused(&rt, &path, &[0; 4096], "zeros");
}

#[test]
fn a_file_that_changes_after_it_was_opened_is_refused_and_leaves_arrays_alone() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    let bytes = saved(&rt, &path);
    let opened = rt.restore(&path).unwrap();
    let mut u = rt.zeros::<f32>(24).unwrap();

    let mut flipped = bytes.clone();
    let word_of_u = flipped.len() - 4 * 12 - 4 * 3;
    flipped[word_of_u] ^= 1;
    fs::write(&path, &flipped).unwrap();
    let error = opened.restore_into("u", &mut u).unwrap_err();
    assert!(matches!(error, CheckpointError::Damaged { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("array `u` does not match its checksum"),
        "{error}"
    );
    assert_eq!(
        opened.array::<[u32; 3]>("v").unwrap().to_vec().unwrap(),
        [[1, 2, 3]; 4]
    );

    fs::write(&path, &bytes[..word_of_u]).unwrap();
    let error = opened.restore_into("u", &mut u).unwrap_err();
    assert!(
        error.to_string().contains("ends inside of array `u`"),
        "{error}"
    );
    assert_eq!(*u.read().unwrap(), [0.0; 24]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed),
        ..ProptestConfig::default()
    })]

    #[test]
    fn bytes_overwritten_at_random_are_found(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        kept in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let folder = Folder::new();
        let path = folder.file("state");
        let rt = devices::cpu_only();
        let bytes = saved(&rt, &path);
        let mut damaged = bytes.clone();
        for (at, byte) in edits {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        if cut {
            damaged.truncate(kept.index(damaged.len()));
        }
        if damaged != bytes {
            check_refused(&rt, &path, &damaged, "random edits");
        }
    }
}
