//! A shader that can be analysed and run by the oracle, and launches of it.

use std::path::{Path, PathBuf};

use impel::kernel::{AccessMap, Bound, Environment, Resolved};
use impel::lanes::Tile;
use impel::region::Footprint;
use impel_compiler::access::analyse;
use impel_compiler::front::{Front, Options, parse};
use impel_compiler::lower::lower;
use impel_compiler::oracle::corpus::Case;
use impel_compiler::oracle::{Oracle, OracleError, Touched};
use impel_compiler::simplify::simplify;

use naga::AddressSpace;

use crate::leak;

/// A shader with one entry point.
pub(crate) struct Shader {
    pub(crate) name: String,
    pub(crate) case: Case,
    pub(crate) front: Front,
    /// Of the kernel as it is compiled.
    pub(crate) map: AccessMap,
    /// The same as Rust.
    pub(crate) rust: String,
    /// Of the kernel before simplification, which drops loads of components that nobody uses.
    pub(crate) literal_map: AccessMap,
    /// Words next to used ones that simplification may leave unread; none if it may be any.
    pub(crate) unused_words_max: Option<u64>,
}

/// Words of a `mat4x4` but one.
const UNUSED_COMPONENTS_MAX: u64 = 15;

/// Contents of the bound buffers and the grid.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) num_workgroups: [u32; 3],
    pub(crate) buffers: Vec<Vec<u8>>,
}

/// All WGSL files of a folder of the repository.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "wgsl"))
        .collect();
    files.sort();
    files
}

impl Shader {
    pub(crate) fn read(path: &Path) -> Self {
        let source = std::fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        Self::new(&name, &source)
    }

    pub(crate) fn new(name: &str, source: &str) -> Self {
        let case = Case::parse(name, source).unwrap_or_else(|_| {
            Case::parse(name, "").expect("a shader without directives is a case")
        });
        let options = Options {
            overrides: case.overrides.clone(),
            ..Options::default()
        };
        let front = parse(source, name, &options).unwrap_or_else(|found| panic!("{found}"));
        let kernel = lower(&front, 0).unwrap_or_else(|found| panic!("{found}"));
        let tables = analyse(&simplify(&kernel), &front.source).tables();
        let literal = analyse(&kernel, &front.source).tables();
        Self {
            literal_map: leak::access_map(&literal),
            unused_words_max: Some(UNUSED_COMPONENTS_MAX),
            name: name.to_owned(),
            case,
            map: leak::access_map(&tables),
            rust: tables.to_rust("impel::kernel::access"),
            front,
        }
    }

    pub(crate) fn oracle(&self) -> Oracle<'_> {
        let entry = &self.front.module.entry_points[0].name;
        Oracle::new(&self.front.module, &self.front.info, entry)
            .unwrap()
            .loop_limit(1 << 16)
    }

    /// The launch that the shader's header describes.
    pub(crate) fn launch(&self) -> Launch {
        let oracle = self.oracle();
        Launch {
            num_workgroups: self.case.dispatch,
            buffers: self.case.buffers(&self.front.module, oracle.bindings()),
        }
    }

    /// The words that a tile of a launch really touches, one entry per binding.
    pub(crate) fn touched(&self, launch: &Launch, tile: Tile) -> Result<Vec<Touched>, OracleError> {
        let mut buffers = launch.buffers.clone();
        self.oracle()
            .run_recorded(launch.num_workgroups, tile.lo, tile.hi, &mut buffers)
    }

    /// `map`, one of this shader's, as it is for a launch.
    pub(crate) fn resolve<'m>(&self, map: &'m AccessMap, launch: &Launch) -> Resolved<'m> {
        let oracle = self.oracle();
        let uniforms: Vec<Vec<u32>> = launch.buffers.iter().map(|bytes| words(bytes)).collect();
        let bindings: Vec<Bound<'_>> = oracle
            .bindings()
            .iter()
            .zip(&uniforms)
            .map(|(bound, words)| match bound.space {
                AddressSpace::Uniform => Bound::Uniform(words),
                _ => Bound::Array(words.len() as u64),
            })
            .collect();
        map.resolve(&Environment {
            bindings: &bindings,
            num_workgroups: launch.num_workgroups,
            workgroup_size: oracle.workgroup_size(),
        })
    }

    pub(crate) fn footprint(&self, map: &AccessMap, launch: &Launch, tile: Tile) -> Footprint {
        self.resolve(map, launch).footprint(tile)
    }
}

/// The words of a buffer.
pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}
