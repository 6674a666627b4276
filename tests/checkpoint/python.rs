//! Can Python open a checkpoint? With numpy and the package `safetensors`, where they are installed.

use std::process::Command;

use impel::AnyArray;

use crate::devices;
use crate::folder::Folder;

const SCRIPT: &str = r#"
import json, struct, sys, zlib
try:
    import numpy
    from safetensors import safe_open
except ImportError as error:
    print("skipped:", error)
    sys.exit()
path = sys.argv[1]
with safe_open(path, framework="numpy") as file:
    notes = file.metadata()
    assert notes["step"] == "42", notes
    u, v, mixed = (file.get_tensor(name) for name in ("u", "v", "mixed"))
assert u.dtype == numpy.float32 and u.tolist() == [0.0, 0.5, 1.0], u
assert v.dtype == numpy.int32 and v.tolist() == [[-1, 2], [3, -4]], v
assert mixed.dtype == numpy.uint32 and mixed.shape == (1, 17), mixed
for name, array in (("u", u), ("v", v), ("mixed", mixed)):
    assert zlib.crc32(array.tobytes()) == int(notes["crc32." + name], 16), name
print("read by Python, safetensors and numpy", numpy.__version__)
"#;

#[test]
fn python_reads_arrays_step_and_checksums() {
    let folder = Folder::new();
    let path = folder.file("state.safetensors");
    let rt = devices::cpu_only();
    let u = rt.array_from_vec(vec![0.0_f32, 0.5, 1.0]).unwrap();
    let v = rt.array_from_vec(vec![[-1_i32, 2], [3, -4]]).unwrap();
    let mixed = rt.array_from_vec(vec![[9_u32; 17]]).unwrap();
    let arrays: [(&str, &dyn AnyArray); 3] = [("u", &u), ("v", &v), ("mixed", &mixed)];
    rt.checkpoint(&path, &arrays, 42).unwrap();
    let python = std::env::var_os("IMPEL_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let Ok(output) = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(&path)
        .output()
    else {
        println!("skipped: there is no python3");
        return;
    };
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(
        told.starts_with("read by Python") || told.starts_with("skipped"),
        "{told}"
    );
    print!("{told}");
}
