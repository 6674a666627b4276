//! `impel costs`: what has been learned of kernels and devices, and what should be forgotten?

use std::ffi::OsString;
use std::path::Path;

use impel::CostStore;
use impel::cost::Costs;

use super::{Asked, Verb, Word, read, unknown};
use crate::{Failure, table};

pub(super) const VERB: Verb = Verb {
    name: "costs",
    summary: "shows, exports, imports or forgets what was learned",
    help: "usage: impel costs [show]
       impel costs export FILE
       impel costs import FILE
       impel costs forget all | NAME | KEY

What earlier launches taught: how long kernels take on which device, and what
devices can do at best. `export` writes it to a file, `import` adds such a file
to what is known here, and `forget` removes a kernel or a device, by its name or
by its key of 16 hexadecimal digits, or everything. Other programs may run
meanwhile: what they learn is kept.
",
    run,
};

/// What to do with the costs.
#[derive(Debug)]
enum Deed {
    Show,
    Export(OsString),
    Import(OsString),
    Forget(String),
}

fn run(arguments: &mut lexopt::Parser) -> Result<(), Failure> {
    let mut words = Vec::new();
    let asked = read(&VERB, arguments, |word, _| {
        Ok(match word {
            Word::Value(value) => {
                words.push(value);
                true
            }
            Word::Option(_) => false,
        })
    })?;
    if asked == Asked::Help {
        return Ok(());
    }
    let store = CostStore::in_user_cache();
    match deed(words)? {
        Deed::Show => show(&store),
        Deed::Export(file) => {
            let text = store.load().to_text();
            std::fs::write(&file, text).map_err(|error| at(&file, &error))
        }
        Deed::Import(file) => import(&store, &file),
        Deed::Forget(what) => forget(&store, &what),
    }
}

fn deed(words: Vec<OsString>) -> Result<Deed, Failure> {
    let mut words = words.into_iter();
    let (first, second) = (words.next(), words.next());
    let deed = match (first.as_ref().and_then(|word| word.to_str()), second) {
        (None, None) if first.is_none() => Deed::Show,
        (Some("show"), None) => Deed::Show,
        (Some("export"), Some(file)) => Deed::Export(file),
        (Some("import"), Some(file)) => Deed::Import(file),
        (Some("forget"), Some(what)) => Deed::Forget(what.to_string_lossy().into_owned()),
        (Some("export" | "import"), None) => {
            return Err(Failure::Usage("a file is missing".to_owned()));
        }
        (Some("forget"), None) => {
            return Err(Failure::Usage(
                "what should be forgotten? `impel costs` lists what there is".to_owned(),
            ));
        }
        (_, second) => {
            let word = second.or(first).unwrap_or_default();
            return Err(unknown(&VERB, &word.to_string_lossy()));
        }
    };
    match words.next() {
        None => Ok(deed),
        Some(more) => Err(unknown(&VERB, &more.to_string_lossy())),
    }
}

fn show(store: &CostStore) -> Result<(), Failure> {
    let path = store
        .path()
        .ok_or_else(|| Failure::Failed("there is no cache directory".to_owned()))?;
    let costs = store.load();
    let text = if costs == Costs::default() {
        "nothing has been learned yet\n".to_owned()
    } else {
        costs.to_string()
    };
    table::say(&format!("{}\n{text}", path.display()));
    Ok(())
}

fn import(store: &CostStore, file: &OsString) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| at(file, &error))?;
    let costs: Costs = text.parse().map_err(|error| at(file, &error))?;
    let news = costs.into_news();
    store
        .update(|known| known.absorb_news(&news))
        .map_err(Failure::of)
}

/// Forgets what has this name or key.
fn forget(store: &CostStore, what: &str) -> Result<(), Failure> {
    if what == "all" {
        return store
            .update(|known| *known = Costs::default())
            .map_err(Failure::of);
    }
    let mut found = false;
    let forgotten = store.update(|known| {
        let is_meant = |key: u64, name: &str| name == what || format!("{key:016x}") == what;
        let kernels: Vec<_> = known
            .kernels()
            .filter(|(key, name)| is_meant(key.0, name))
            .map(|(key, _)| key)
            .collect();
        let devices: Vec<_> = known
            .devices()
            .filter(|(key, name)| is_meant(key.0, name))
            .map(|(key, _)| key)
            .collect();
        found = !kernels.is_empty() || !devices.is_empty();
        for key in kernels {
            known.forget_kernel(key);
        }
        for key in devices {
            known.forget_device(key);
        }
    });
    forgotten.map_err(Failure::of)?;
    if found {
        Ok(())
    } else {
        Err(Failure::Failed(format!(
            "no kernel and no device is called `{what}`; `impel costs` lists them"
        )))
    }
}

/// A failure that names the file.
fn at(file: &OsString, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("{}: {error}", Path::new(file).display()))
}
