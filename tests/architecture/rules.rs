//! What are the rules? Tables to adjust when the architecture changes, together with ARCHITECTURE.md.

/// Crates that the rules are about, with their root files.
pub(crate) const CRATES: &[(&str, &str)] = &[
    ("impel", "src/lib.rs"),
    ("impel-lanes", "lanes/src/lib.rs"),
    ("impel-compiler", "compiler/src/lib.rs"),
    ("impel-macros", "macros/src/lib.rs"),
    ("impel-kernels", "kernels/src/lib.rs"),
    ("impel-cli", "cli/src/main.rs"),
];

/// Most lines of a file.
pub(crate) const LINES_MAX: usize = 800;

/// Where the compiler's golden texts are.
pub(crate) const GENERATED: &str = "tests/shaders/rust";

/// Modules of `impel`, and the others that each may name. `lib.rs` may name all of them.
pub(crate) const MAY_KNOW: &[(&str, &[&str])] = &[
    ("lanes", &[]),
    ("machine", &["lanes"]),
    ("region", &["machine"]),
    ("kernel", &["region", "lanes"]),
    ("cost", &["kernel", "lanes", "machine", "region"]),
    ("plan", &["region", "kernel", "machine", "cost", "lanes"]),
    ("transfer", &["region", "machine", "cost", "plan"]),
    ("graph", &["region"]),
    (
        "simulate",
        &[
            "cost", "lanes", "machine", "plan", "region", "timing", "transfer",
        ],
    ),
    ("timing", &["cost"]),
    ("durability", &["graph", "region"]),
    ("vec3", &[]),
    ("sync", &[]),
    ("pending", &["error", "execute", "graph"]),
    (
        "recording",
        &[
            "array", "error", "execute", "graph", "launch", "pending", "region",
        ],
    ),
    ("trace", &["cost", "lanes", "machine", "region", "transfer"]),
    ("error", &["machine", "kernel"]),
    (
        "device",
        &[
            "kernel", "region", "machine", "trace", "timing", "cost", "error", "lanes", "sync",
        ],
    ),
    ("store", &["cost", "error", "plan", "trace"]),
    (
        "checkpoint",
        &["array", "error", "runtime", "store", "trace", "vec3"],
    ),
    (
        "array",
        &[
            "device", "error", "execute", "graph", "machine", "region", "trace", "transfer",
        ],
    ),
    (
        "launch",
        &["array", "error", "graph", "kernel", "plan", "region"],
    ),
    (
        "execute",
        &[
            "array",
            "cost",
            "device",
            "durability",
            "error",
            "graph",
            "kernel",
            "lanes",
            "launch",
            "machine",
            "plan",
            "region",
            "store",
            "sync",
            "trace",
            "transfer",
        ],
    ),
    (
        "runtime",
        &[
            "array",
            "cost",
            "device",
            "error",
            "execute",
            "kernel",
            "lanes",
            "launch",
            "machine",
            "pending",
            "plan",
            "recording",
            "store",
            "trace",
            "transfer",
            "durability",
        ],
    ),
];

/// Names that may not be used in some places.
pub(crate) struct Ban {
    /// Paths; whatever is in them is meant, too. `name!` is a macro and `.name` a method.
    pub(crate) names: &'static [&'static str],
    /// Files and folders where they are banned…
    pub(crate) within: &'static [&'static str],
    /// …but for these, each with its reason.
    pub(crate) except: &'static [(&'static str, &'static str)],
    /// The rule.
    pub(crate) because: &'static str,
}

/// All libraries.
const LIBRARIES: &[&str] = &[
    "src",
    "lanes/src",
    "compiler/src",
    "macros/src",
    "kernels/src",
];

/// What decides: same input, same output, byte for byte.
const PURE: &[&str] = &[
    "src/region",
    "src/kernel",
    "src/cost",
    "src/plan",
    "src/transfer",
    "src/simulate",
    "src/timing",
    "src/graph.rs",
    "src/graph",
    "src/trace/event.rs",
    "src/trace/reach.rs",
    "src/trace/text.rs",
    "src/trace/verify",
    "compiler/src",
];

pub(crate) const BANS: &[Ban] = &[
    Ban {
        names: &[".read_into", ".drop_memory"],
        within: &["src"],
        except: &[
            ("src/region", "it defines them, and tests them"),
            ("src/transfer", "it notes copies and what parts wrote"),
            ("src/array/placement.rs", "it notes the loss of a device"),
        ],
        because: "only transfer says which copies are valid",
    },
    Ban {
        names: &[
            "std::fs",
            "std::io",
            "std::net",
            "std::os",
            "std::env",
            "std::process",
            "std::time",
            "std::thread",
            "std::cell",
            "std::sync::Mutex",
            "std::sync::RwLock",
            "std::sync::Condvar",
            "std::sync::Barrier",
            "std::sync::Once",
            "std::sync::OnceLock",
            "std::sync::LazyLock",
            "std::sync::atomic",
            "std::sync::mpsc",
            "rayon",
            "wgpu",
            "pollster",
            "print!",
            "println!",
            "eprint!",
            "eprintln!",
            "dbg!",
            "thread_local!",
        ],
        within: PURE,
        except: &[(
            "compiler/src/stack.rs",
            "naga's parser recurses: it runs on a stack of known size, and the result does not depend on it",
        )],
        because: "pure code has no IO, clock, thread or interior mutability",
    },
    Ban {
        names: &["std::collections::HashMap", "std::collections::HashSet"],
        within: &[
            "src/region",
            "src/kernel",
            "src/cost",
            "src/plan",
            "src/transfer",
            "src/graph.rs",
            "src/graph",
        ],
        except: &[],
        because: "the order of a hash table differs from run to run; pure code of the runtime uses BTreeMap",
    },
    Ban {
        names: &["naga"],
        within: &["src", "lanes/src", "macros/src", "kernels/src"],
        except: &[],
        because: "only the compiler knows naga",
    },
    Ban {
        names: &["tracing"],
        within: LIBRARIES,
        except: &[("src/trace", "it tells what happens")],
        because: "only src/trace tells others what happens",
    },
    Ban {
        names: &["rayon", "wgpu", "pollster"],
        within: LIBRARIES,
        except: &[("src/device", "it carries parts out")],
        because: "only src/device knows what carries a part out",
    },
    Ban {
        names: &[
            "std::time::Instant",
            "std::time::SystemTime",
            "std::time::UNIX_EPOCH",
        ],
        within: LIBRARIES,
        except: &[("src/device", "it measures")],
        because: "only src/device reads a clock",
    },
    Ban {
        names: &["std::fs"],
        within: LIBRARIES,
        except: &[
            ("src/store", "it keeps things on disk"),
            (
                "src/device/cpu/discover.rs",
                "it reads /sys and /proc, where Linux describes the machine",
            ),
            (
                "src/device/energy/rapl.rs",
                "it reads /sys/class/powercap, where Linux shows energy counters",
            ),
            ("macros/src/lib.rs", "it reads the shader"),
        ],
        because: "only src/store touches files",
    },
    Ban {
        names: &["std::env"],
        within: LIBRARIES,
        except: &[
            ("src/device/environment.rs", "it reads the IMPEL_ variables"),
            ("src/device/cpu/discover.rs", "it names the architecture"),
            ("src/store", "it finds the user's cache directory"),
            ("macros/src/lib.rs", "it finds the crate's folder"),
        ],
        because: "the environment is read in one place",
    },
    Ban {
        names: &["std::thread"],
        within: LIBRARIES,
        except: &[
            ("src/device", "it carries parts out"),
            ("src/execute", "it waits"),
            ("src/runtime.rs", "it starts and joins the executors"),
            (
                "src/store/costs.rs",
                "it pauses between two attempts at a lock that other processes hold for milliseconds",
            ),
            ("compiler/src/stack.rs", "see above"),
        ],
        because: "threads belong to the devices and to the executor",
    },
    Ban {
        names: &["std::process", "std::net"],
        within: LIBRARIES,
        except: &[(
            "src/store",
            "the name of a temporary file holds the process id",
        )],
        because: "a library starts no programs and opens no connections",
    },
];

/// Where `unsafe` may stand, and why.
pub(crate) const UNSAFE_ALLOWED: &[(&str, &str)] = &[
    (
        "lanes/src",
        "vector instructions, and memory with its bounds checked",
    ),
    ("src/device", "host memory lent to workers; lent devices"),
    (
        "src/vec3.rs",
        "promises that a vector with its padding is plain data, which a derive cannot see through a type parameter",
    ),
];
