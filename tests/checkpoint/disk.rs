//! What happens when the disk refuses? The error names file, cause and remedy, and the checkpoint before it is still there.

use std::path::{Path, PathBuf};
use std::process::Command;

use impel::{CheckpointError, Runtime};

use crate::devices;
use crate::folder::Folder;

/// Set in child processes: the file to write, and the number of elements.
const CHILD: &str = "IMPEL_TEST_SAVE";

fn save(rt: &Runtime, path: &Path, elements: usize, step: u64) -> Result<(), CheckpointError> {
    let u = rt.array_from_vec(vec![step as u32; elements]).unwrap();
    rt.checkpoint(path, &[("u", &u)], step)
}

/// The step, if the checkpoint is whole.
fn intact(rt: &Runtime, path: &Path) -> u64 {
    let saved = rt.restore(path).expect("the checkpoint before is intact");
    let u = saved.array::<u32>("u").unwrap();
    assert!(
        u.read()
            .unwrap()
            .iter()
            .all(|&word| u64::from(word) == saved.step())
    );
    saved.step()
}

#[test]
fn a_folder_that_is_not_there_and_a_path_that_is_a_folder_are_refused() {
    let folder = Folder::new();
    let rt = devices::cpu_only();
    let told = |path: &Path| save(&rt, path, 1, 1).unwrap_err().to_string();
    let absent = told(&folder.file("absent/state"));
    assert!(absent.contains("make its folder first"), "{absent}");
    assert!(told(folder.path()).contains("it is a folder; add a file name"));
    assert!(told(Path::new("/")).contains("it names no file"));
    std::fs::write(folder.file("plain"), "").unwrap();
    let inside = told(&folder.file("plain/state"));
    assert!(inside.contains("make its folder first"), "{inside}");
    let error = rt.restore(folder.path()).unwrap_err();
    assert!(matches!(error, CheckpointError::Read { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_keeps_pointing_at_the_file_that_it_names() {
    let (here, there) = (Folder::new(), Folder::new());
    let rt = devices::cpu_only();
    save(&rt, &there.file("real"), 10, 1).unwrap();
    std::os::unix::fs::symlink(there.file("real"), here.file("link")).unwrap();
    save(&rt, &here.file("link"), 10, 2).unwrap();
    assert!(here.file("link").is_symlink());
    assert_eq!(intact(&rt, &there.file("real")), 2);
}

#[test]
fn a_child_saves_where_it_is_told() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let rt = devices::cpu_only();
    match save(&rt, &PathBuf::from(path), 1 << 20, 2) {
        Ok(()) => println!("saved"),
        Err(error) => println!("refused: {error}"),
    }
}

/// What a child process says that saves 4 MiB to `path`; `prepare` may take rights from it.
fn child(path: &Path, prepare: impl FnOnce(&mut Command)) -> String {
    let exe = std::env::current_exe().expect("the test knows where it is");
    // A limit on file sizes is a signal unless it is ignored.
    let script = r#"trap '' XFSZ; [ -z "$BLOCKS" ] || ulimit -f $BLOCKS; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .arg(exe)
        .args([
            "--exact",
            "disk::a_child_saves_where_it_is_told",
            "--nocapture",
        ])
        .env(CHILD, path);
    prepare(&mut command);
    let output = command.output().expect("the child starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[cfg(unix)]
#[test]
fn a_limit_on_file_sizes_leaves_the_checkpoint_before_it_intact() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    save(&rt, &path, 1000, 1).unwrap();
    let told = child(&path, |command| {
        command.env("BLOCKS", "100");
    });
    assert!(
        told.contains("refused: cannot write the checkpoint"),
        "{told}"
    );
    assert!(told.contains("raise the limit on file sizes"), "{told}");
    assert_eq!(intact(&rt, &path), 1);
    assert_eq!(folder.names(), ["state"], "nothing is left beside it");
}

/// Takes a file system away again.
#[cfg(target_os = "linux")]
struct Mounted<'a>(&'a Path);

#[cfg(target_os = "linux")]
impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0).status());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_checkpoint_before_it_intact() {
    let folder = Folder::new();
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path());
    if !mount.output().is_ok_and(|output| output.status.success()) {
        println!("skipped: a small disk can be mounted by root only");
        return;
    }
    let _mounted = Mounted(folder.path());
    let path = folder.file("state");
    let rt = devices::cpu_only();
    save(&rt, &path, 1000, 1).unwrap();
    let told = save(&rt, &path, 1 << 20, 2).unwrap_err().to_string();
    assert!(told.contains(&path.display().to_string()), "{told}");
    assert!(
        told.contains("it needs 4194304 bytes beside the checkpoint"),
        "{told}"
    );
    assert_eq!(intact(&rt, &path), 1);
    assert_eq!(folder.names(), ["state"], "nothing is left beside it");
    save(&rt, &path, 2000, 3).unwrap();
    assert_eq!(intact(&rt, &path), 3);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_leaves_the_checkpoint_before_it_intact() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    /// The user `nobody`.
    const NOBODY: u32 = 65534;

    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    save(&rt, &path, 1000, 1).unwrap();
    let mode = |bits| std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(bits));
    mode(0o555).unwrap();
    let root = folder.path().metadata().unwrap().uid() == 0;
    let told = child(&path, |command| {
        if root {
            // Permissions do not bind root.
            command.uid(NOBODY).gid(NOBODY);
        }
    });
    mode(0o755).unwrap();
    assert!(
        told.contains("refused: cannot write the checkpoint"),
        "{told}"
    );
    assert!(
        told.contains("choose a folder that can be written"),
        "{told}"
    );
    assert_eq!(intact(&rt, &path), 1);
}

#[test]
fn what_a_killed_process_left_behind_is_removed_and_what_others_write_is_not() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    let left = ".state.4000000000.7.unfinished";
    let other = ".other.4000000000.7.unfinished";
    let kept = [other, ".state.backup.unfinished", ".state.1.2.txt"];
    for name in kept.iter().chain([&left]) {
        std::fs::write(folder.file(name), "half a checkpoint").unwrap();
    }
    let being_written = ".state.4000000000.8.unfinished";
    let file = std::fs::File::create(folder.file(being_written)).unwrap();
    file.lock().unwrap();
    save(&rt, &path, 10, 1).unwrap();
    let mut expected = [kept.as_slice(), &[being_written, "state"]].concat();
    expected.sort_unstable();
    assert_eq!(folder.names(), expected);
}

#[test]
fn many_threads_that_save_to_one_path_leave_one_whole_checkpoint() {
    let folder = Folder::new();
    let path = folder.file("state");
    let rt = devices::cpu_only();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (rt, path) = (&rt, &path);
            scope.spawn(move || {
                for step in 0..20 {
                    save(rt, path, 1000, thread * 100 + step).unwrap();
                    assert!(intact(rt, path) < 400);
                }
            });
        }
    });
    assert_eq!(intact(&rt, &path) % 100, 19);
    assert_eq!(folder.names(), ["state"]);
}
