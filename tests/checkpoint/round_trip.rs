//! Does everything that can be saved come back as it was?

use bytemuck::{Pod, Zeroable};
use impel::{AnyArray, Array, CheckpointError, Element, Policy, Runtime, Vec3};
use impel_kernels::saxpy::wgsl as saxpy;
use safetensors::{Dtype, SafeTensors};

use crate::devices;
use crate::folder::Folder;

/// An element with members of several types, as `shader!` makes them.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Particle {
    position: [f32; 3],
    kind: u32,
}

fn there_and_back<T: Element + PartialEq + std::fmt::Debug>(rt: &Runtime, elements: &[T]) {
    let folder = Folder::new();
    let path = folder.file("state");
    let array = rt.array_from_slice(elements).unwrap();
    rt.checkpoint(&path, &[("a", &array)], 1).unwrap();
    let saved = rt.restore(&path).unwrap();
    let back: Array<T> = saved.array("a").unwrap();
    assert_eq!(*back.read().unwrap(), *elements);
    let mut other = rt.zeros::<T>(elements.len()).unwrap();
    saved.restore_into("a", &mut other).unwrap();
    assert_eq!(*other.read().unwrap(), *elements);
}

#[test]
fn every_kind_of_element_comes_back_bit_for_bit() {
    let rt = devices::cpu_only();
    there_and_back(
        &rt,
        &[1.5_f32, -0.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0],
    );
    there_and_back(&rt, &[i32::MIN, -1, 0, i32::MAX]);
    there_and_back(&rt, &[0_u32, 1, u32::MAX]);
    there_and_back(&rt, &[1e300_f64, -0.0]);
    there_and_back(&rt, &[i64::MIN, 7]);
    there_and_back(&rt, &[u64::MAX]);
    there_and_back(&rt, &[[1.0_f32, 2.0, 3.0, 4.0]; 5]);
    there_and_back(&rt, &[[7_u32; 17]; 3]);
    there_and_back(&rt, &[[[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]]; 2]);
    there_and_back(&rt, &[Vec3::new([1.0_f32, 2.0, 3.0])]);
    let particle = Particle {
        position: [1.0, 2.0, 3.0],
        kind: 9,
    };
    there_and_back(&rt, &[particle; 3]);
    there_and_back::<f32>(&rt, &[]);
    let many: Vec<u32> = (0..1_000_003)
        .map(|i: u32| i.wrapping_mul(2_654_435_761))
        .collect();
    there_and_back(&rt, &many);
}

#[test]
fn the_file_is_what_another_reader_of_the_format_expects() {
    let folder = Folder::new();
    let path = folder.file("state.safetensors");
    let rt = devices::cpu_only();
    let u = rt.array_from_vec(vec![1.0_f32, 2.0, 3.0]).unwrap();
    let v = rt.array_from_vec(vec![[1_u32, 2], [3, 4]]).unwrap();
    let m = rt.array_from_vec(vec![[[0.5_f32; 4]; 3]; 2]).unwrap();
    let d = rt.array_from_vec(vec![2.5_f64]).unwrap();
    let odd = "quoted \"ü\" \u{1}";
    let arrays: [(&str, &dyn AnyArray); 4] = [("u", &u), (odd, &v), ("m", &m), ("d", &d)];
    rt.checkpoint(&path, &arrays, u64::MAX).unwrap();

    let bytes = std::fs::read(&path).unwrap();
    let read = SafeTensors::deserialize(&bytes).expect("the format's own crate reads it");
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let notes = header.metadata().as_ref().unwrap();
    assert_eq!(notes["step"], u64::MAX.to_string());
    let tensor = |name: &str, dtype: Dtype, shape: &[usize], data: &[u8]| {
        let tensor = read.tensor(name).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (dtype, shape), "{name}");
        assert_eq!(tensor.data(), data, "{name}");
    };
    tensor(
        "u",
        Dtype::F32,
        &[3],
        bytemuck::bytes_of(&[1.0_f32, 2.0, 3.0]),
    );
    tensor(
        odd,
        Dtype::U32,
        &[2, 2],
        bytemuck::bytes_of(&[1_u32, 2, 3, 4]),
    );
    tensor(
        "m",
        Dtype::F32,
        &[2, 3, 4],
        bytemuck::bytes_of(&[0.5_f32; 24]),
    );
    tensor("d", Dtype::F64, &[1], bytemuck::bytes_of(&2.5_f64));
    assert_eq!(
        rt.restore(&path).unwrap().names().collect::<Vec<_>>(),
        ["u", odd, "m", "d"]
    );
}

#[test]
fn a_checkpoint_waits_for_launches_and_fetches_from_gpus() {
    let name = "a_checkpoint_waits_for_launches_and_fetches_from_gpus";
    devices::on_each_gpu(name, |rt, gpu| {
        let folder = Folder::new();
        let path = folder.file("state");
        let x = rt.array_from_vec(vec![2.0_f32; 10_000]).unwrap();
        let mut y = rt.zeros::<f32>(10_000).unwrap();
        for _ in 0..10 {
            let params = saxpy::Params {
                alpha: 0.5,
                n: 10_000,
            };
            let (x, y) = (&x, &mut y);
            let launch = saxpy::saxpy { params, x, y }.over(10_000);
            rt.launch(launch.with_policy(Policy::GpuOnly(gpu))).unwrap();
        }
        rt.checkpoint(&path, &[("y", &y)], 10).unwrap();
        let saved = rt.restore(&path).unwrap();
        assert_eq!(saved.step(), 10);
        let y = saved.array::<f32>("y").unwrap();
        assert!(y.read().unwrap().iter().all(|&y| y == 10.0));
    });
}

#[test]
fn what_was_opened_stays_readable_when_a_newer_checkpoint_takes_its_place() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    let mut u = rt.array_from_vec(vec![1_u32; 100]).unwrap();
    rt.checkpoint(&path, &[("u", &u)], 1).unwrap();
    let first = rt.restore(&path).unwrap();
    u.write().unwrap().fill(2);
    rt.checkpoint(&path, &[("u", &u)], 2).unwrap();
    let second = rt.restore(&path).unwrap();
    assert_eq!((first.step(), second.step()), (1, 2));
    assert_eq!(*first.array::<u32>("u").unwrap().read().unwrap(), [1; 100]);
    assert_eq!(*second.array::<u32>("u").unwrap().read().unwrap(), [2; 100]);
    assert_eq!(folder.names(), ["state"], "nothing is left beside it");
}

#[test]
fn what_does_not_fit_is_refused_with_names_and_shapes() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    let u = rt.array_from_vec(vec![[1.0_f32; 4]; 3]).unwrap();
    let error = rt.restore(&path).unwrap_err();
    assert!(matches!(error, CheckpointError::Missing { .. }), "{error}");
    for (names, told) in [
        (["u", "u"], "the array name `u` names two arrays"),
        (["u", ""], "the array name `` must be neither empty"),
        (
            ["__metadata__", "v"],
            "the array name `__metadata__` must be neither",
        ),
    ] {
        let error = rt.checkpoint(&path, &names.map(|name| (name, &u as &dyn AnyArray)), 0);
        assert!(error.unwrap_err().to_string().starts_with(told));
    }
    assert!(folder.names().is_empty(), "nothing was written");

    rt.checkpoint(&path, &[("u", &u)], 0).unwrap();
    let saved = rt.restore(&path).unwrap();
    let told = |error: CheckpointError| {
        let told = error.to_string();
        assert!(told.contains(&path.display().to_string()), "{told}");
        told
    };
    let unknown = told(saved.array::<[f32; 4]>("w").unwrap_err());
    assert!(unknown.contains("has no array `w`; it has: u"), "{unknown}");
    let other = told(saved.array::<f32>("u").unwrap_err());
    assert!(
        other.contains("is F32 [3, 4], but F32 [3] was asked for"),
        "{other}"
    );
    let other = told(saved.array::<[u32; 4]>("u").unwrap_err());
    assert!(
        other.contains("is F32 [3, 4], but U32 [3, 4] was asked for"),
        "{other}"
    );
    let mut longer = rt.zeros::<[f32; 4]>(4).unwrap();
    let other = told(saved.restore_into("u", &mut longer).unwrap_err());
    assert!(
        other.contains("is F32 [3, 4], but F32 [4, 4] was asked for"),
        "{other}"
    );
    assert_eq!(*longer.read().unwrap(), [[0.0; 4]; 4]);
}
