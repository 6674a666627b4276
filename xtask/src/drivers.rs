//! Which Vulkan drivers can the tests use? Finds Mesa's lavapipe and Chromium's `SwiftShader`, two GPUs made of software, and
//! installs them where that is possible.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{self, Failure};
use crate::root;

/// Folders in which the Vulkan loader looks for drivers.
const DRIVER_FOLDERS: [&str; 3] = [
    "/usr/share/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
];

/// Where browsers keep `SwiftShader`'s description.
const SWIFTSHADER: [&str; 4] = [
    "/usr/lib/chromium/vk_swiftshader_icd.json",
    "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
    "/opt/google/chrome/vk_swiftshader_icd.json",
    "/usr/lib64/chromium-browser/vk_swiftshader_icd.json",
];

/// Where the Vulkan loader lies, for one architecture or another.
const LOADER_FOLDERS: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
];

/// The Vulkan drivers of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drivers {
    /// Whether programs find a Vulkan loader.
    pub(crate) loader: bool,
    /// Mesa's software driver.
    pub(crate) lavapipe: Option<PathBuf>,
    /// Chromium's software driver.
    pub(crate) swiftshader: Option<PathBuf>,
    /// Drivers of real GPUs, where there is a real GPU.
    pub(crate) hardware: Vec<PathBuf>,
}

impl Drivers {
    /// The drivers that are there now.
    pub(crate) fn find() -> Drivers {
        let described: Vec<PathBuf> = DRIVER_FOLDERS
            .iter()
            .flat_map(|folder| descriptions(folder))
            .collect();
        let (software, others): (Vec<_>, Vec<_>) =
            described.into_iter().partition(|path| is_lavapipe(path));
        Drivers {
            loader: LOADER_FOLDERS
                .iter()
                .any(|folder| Path::new(folder).join("libvulkan.so.1").exists()),
            lavapipe: software.into_iter().next(),
            swiftshader: SWIFTSHADER
                .iter()
                .map(PathBuf::from)
                .find(|path| path.exists()),
            hardware: if has_gpu() { others } else { Vec::new() },
        }
    }

    /// Whether both software GPUs can be used.
    pub(crate) fn are_complete(&self) -> bool {
        self.loader && self.lavapipe.is_some() && self.swiftshader.is_some()
    }

    /// The value of `VK_DRIVER_FILES` that shows programs these drivers and no others; `None` if there are none.
    pub(crate) fn files(&self) -> Option<String> {
        let files: Vec<String> = self
            .lavapipe
            .iter()
            .chain(&self.swiftshader)
            .chain(&self.hardware)
            .map(|path| path.display().to_string())
            .collect();
        (self.loader && !files.is_empty()).then(|| files.join(":"))
    }

    /// In words: what is missing, and what cannot be tested for it. Empty if nothing is.
    pub(crate) fn missing(&self) -> String {
        let mut lines = Vec::new();
        if !self.loader {
            lines.push(
                "no Vulkan loader (libvulkan.so.1; Debian package libvulkan1): no GPU test can run",
            );
        }
        if self.lavapipe.is_none() {
            lines.push("no lavapipe (Debian package mesa-vulkan-drivers): tests on a software GPU are skipped");
        }
        if self.swiftshader.is_none() {
            lines.push("no SwiftShader (comes with Debian package chromium): tests on two GPUs are skipped");
        }
        lines.join("; ")
    }
}

/// The driver descriptions in a folder, sorted by name.
fn descriptions(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    paths
}

/// Whether a driver description is lavapipe's.
fn is_lavapipe(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd"))
}

/// Whether the kernel shows a GPU.
fn has_gpu() -> bool {
    Path::new("/dev/nvidia0").exists() || Path::new("/dev/dri/renderD128").exists()
}

/// Whether packages can be installed without asking anybody: as root on Debian or one of its descendants.
pub(crate) fn can_install() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let root = command::capture(&mut command::program("id", Path::new("/"), &["-u"]));
    is_debian(&release) && root.is_ok_and(|id| id.trim() == "0")
}

/// Whether an os-release file describes Debian or a descendant of it.
fn is_debian(release: &str) -> bool {
    release
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ID=")
                .or_else(|| line.strip_prefix("ID_LIKE="))
        })
        .flat_map(|value| value.trim_matches('"').split_whitespace())
        .any(|id| id == "debian" || id == "ubuntu")
}

/// Installs what is missing. A package that cannot be installed does not keep the others from it; the first failure is
/// returned.
pub(crate) fn install(drivers: &Drivers) -> Result<(), Failure> {
    apt_get(&["update"])?;
    let mesa = if drivers.loader && drivers.lavapipe.is_some() {
        Ok(())
    } else {
        apt_get(&[
            "install",
            "-y",
            "--no-install-recommends",
            "libvulkan1",
            "mesa-vulkan-drivers",
        ])
    };
    let chromium = if drivers.swiftshader.is_some() {
        Ok(())
    } else {
        apt_get(&["install", "-y", "--no-install-recommends", "chromium"])
    };
    mesa.and(chromium)
}

/// Runs apt-get without questions; a download that fails is tried again.
fn apt_get(arguments: &[&str]) -> Result<(), Failure> {
    let arguments = [&["-q", "-o", "Acquire::Retries=3"], arguments].concat();
    let mut apt_get = command::program("apt-get", &root(), &arguments);
    command::show(apt_get.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// What the caller has set `VK_DRIVER_FILES` to, which is respected.
pub(crate) fn given_files() -> Option<String> {
    env::var("VK_DRIVER_FILES")
        .ok()
        .filter(|files| !files.is_empty())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Drivers, is_debian, is_lavapipe};

    #[test]
    fn debian_and_its_descendants_are_recognised() {
        assert!(is_debian("NAME=x\nID=debian\nVERSION_ID=\"12\"\n"));
        assert!(is_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
        assert!(!is_debian(
            "ID=fedora\nID_LIKE=\"rhel\"\nPRETTY_NAME=\"not debian\"\n"
        ));
    }

    #[test]
    fn what_is_missing_is_said_and_what_is_there_is_shown_to_programs() {
        let none = Drivers::default();
        assert_eq!(none.files(), None);
        assert!(none.missing().contains("libvulkan1") && none.missing().contains("chromium"));
        let both = Drivers {
            loader: true,
            lavapipe: Some(PathBuf::from("/a/lvp_icd.json")),
            swiftshader: Some(PathBuf::from("/b/vk_swiftshader_icd.json")),
            hardware: Vec::new(),
        };
        assert!(both.are_complete() && both.missing().is_empty());
        assert_eq!(
            both.files().as_deref(),
            Some("/a/lvp_icd.json:/b/vk_swiftshader_icd.json")
        );
        assert_eq!(
            Drivers {
                loader: false,
                ..both
            }
            .files(),
            None
        );
    }

    #[test]
    fn lavapipe_is_known_by_the_name_of_its_description() {
        assert!(is_lavapipe(&PathBuf::from(
            "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"
        )));
        assert!(!is_lavapipe(&PathBuf::from(
            "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json"
        )));
    }
}
