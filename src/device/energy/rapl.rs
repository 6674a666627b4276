//! How much energy has the processor drawn? The counters of its packages, as Linux shows them under `/sys/class/powercap`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where Linux shows the counters.
pub(super) const POWERCAP: &str = "/sys/class/powercap";

/// The counters of all packages.
#[derive(Debug)]
pub(super) struct Rapl {
    zones: Vec<Zone>,
}

/// The counter of one package: microjoules that begin again at zero after `range_uj`.
#[derive(Debug)]
struct Zone {
    counter: PathBuf,
    range_uj: u64,
    last_uj: u64,
    drawn_uj: u64,
}

impl Rapl {
    /// Opens the counters under `root`; energy is counted from here on.
    ///
    /// # Errors
    /// Says which file is missing or cannot be read, and what to do.
    pub(super) fn open(root: &Path) -> Result<Self, String> {
        let entries = fs::read_dir(root).map_err(|error| {
            format!(
                "there is no energy counter of the processor: {} cannot be read ({error})",
                root.display()
            )
        })?;
        let mut folders: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|folder| is_package(folder))
            .collect();
        folders.sort();
        if folders.is_empty() {
            return Err(format!(
                "there is no energy counter of the processor: {} lists no package; virtual machines seldom have one",
                root.display()
            ));
        }
        let zones = folders.iter().map(|folder| Zone::open(folder));
        Ok(Self {
            zones: zones.collect::<Result<_, _>>()?,
        })
    }

    /// Joules drawn since the counters were opened. A counter may begin again once between two calls: at 100 W some of them do so
    /// after less than an hour.
    ///
    /// # Errors
    /// Says which file cannot be read any more.
    pub(super) fn joules(&mut self) -> Result<f64, String> {
        let mut drawn_uj = 0;
        for zone in &mut self.zones {
            zone.update()?;
            drawn_uj += zone.drawn_uj;
        }
        Ok(drawn_uj as f64 / 1e6)
    }
}

/// Whether a folder is the zone of a whole package, not of a part of it or of the whole board.
fn is_package(folder: &Path) -> bool {
    let name = fs::read_to_string(folder.join("name"));
    name.is_ok_and(|name| name.trim().starts_with("package-"))
}

impl Zone {
    fn open(folder: &Path) -> Result<Self, String> {
        let counter = folder.join("energy_uj");
        let last_uj = number(&counter)?;
        Ok(Self {
            range_uj: number(&folder.join("max_energy_range_uj"))?,
            counter,
            last_uj,
            drawn_uj: 0,
        })
    }

    fn update(&mut self) -> Result<(), String> {
        let now_uj = number(&self.counter)?;
        let drawn_uj = now_uj.checked_sub(self.last_uj);
        // A smaller number than before: it has begun again.
        self.drawn_uj += drawn_uj.unwrap_or(self.range_uj.saturating_sub(self.last_uj) + now_uj);
        self.last_uj = now_uj;
        Ok(())
    }
}

fn number(path: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(path).map_err(|error| {
        let advice = if error.kind() == io::ErrorKind::PermissionDenied {
            "; ask an administrator for `chmod a+r` on it"
        } else {
            ""
        };
        format!("{} cannot be read ({error}){advice}", path.display())
    })?;
    text.trim()
        .parse()
        .map_err(|_| format!("{} holds no number: `{}`", path.display(), text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of counters as Linux shows them, removed at the end.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let root =
                std::env::temp_dir().join(format!("impel-powercap-{name}-{}", std::process::id()));
            fs::create_dir_all(&root).unwrap();
            Self(root)
        }

        fn zone(&self, folder: &str, name: &str, energy_uj: u64, range_uj: u64) {
            let folder = self.0.join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("name"), format!("{name}\n")).unwrap();
            fs::write(folder.join("energy_uj"), format!("{energy_uj}\n")).unwrap();
            fs::write(folder.join("max_energy_range_uj"), format!("{range_uj}\n")).unwrap();
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn packages_are_added_up_and_parts_of_them_left_out() {
        let tree = Tree::new("packages");
        let count = |package_0: u64, package_1: u64| {
            tree.zone("intel-rapl:0", "package-0", package_0, 1_000_000_000);
            tree.zone("intel-rapl:1", "package-1", package_1, 1_000_000_000);
        };
        count(5_000_000, 7_000_000);
        tree.zone("intel-rapl:0:0", "core", 3_000_000, 1_000_000_000);
        tree.zone("intel-rapl:2", "psys", 50_000_000, 1_000_000_000);
        let mut rapl = Rapl::open(&tree.0).unwrap();
        assert_eq!(rapl.joules(), Ok(0.0));
        count(6_500_000, 9_000_000);
        assert_eq!(rapl.joules(), Ok(3.5));
        assert_eq!(rapl.joules(), Ok(3.5));
    }

    #[test]
    fn a_counter_that_begins_again_loses_nothing() {
        let tree = Tree::new("wrap");
        let range_uj = 262_143_328_850;
        tree.zone("intel-rapl:0", "package-0", range_uj - 1_000_000, range_uj);
        let mut rapl = Rapl::open(&tree.0).unwrap();
        tree.zone("intel-rapl:0", "package-0", 2_000_000, range_uj);
        assert_eq!(rapl.joules(), Ok(3.0));
        tree.zone("intel-rapl:0", "package-0", 1_000_000, range_uj);
        let whole_turn = (range_uj - 1_000_000) as f64 / 1e6;
        assert_eq!(rapl.joules(), Ok(3.0 + whole_turn));
    }

    #[test]
    fn what_is_missing_is_named() {
        let tree = Tree::new("missing");
        let none = Rapl::open(&tree.0).unwrap_err();
        assert!(none.contains("lists no package"), "{none}");
        let absent = Rapl::open(&tree.0.join("absent")).unwrap_err();
        assert!(absent.contains("absent cannot be read"), "{absent}");
        tree.zone("intel-rapl:0", "package-0", 0, 1_000_000);
        let counter = tree.0.join("intel-rapl:0/energy_uj");
        fs::write(&counter, "many\n").unwrap();
        let nonsense = Rapl::open(&tree.0).unwrap_err();
        assert!(
            nonsense.ends_with("energy_uj holds no number: `many`"),
            "{nonsense}"
        );
        fs::remove_file(&counter).unwrap();
        let gone = Rapl::open(&tree.0).unwrap_err();
        assert!(gone.contains("energy_uj cannot be read"), "{gone}");
    }
}
