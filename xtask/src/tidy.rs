//! What the files of the repository must be like, where no other tool looks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, workspace};

/// The largest file that may be committed, in bytes. Photos, models and archives come from released packages.
const LARGEST: u64 = 512 * 1024;

/// The stores, whose files are read side by side.
const STORES: [&str; 3] = ["dynamodb", "postgres", "sqlite"];

/// Files of one store that the others have no use for: SQL needs no formats of keys, and says in a statement what is read.
const ALONE: [(&str, &str); 4] = [
    ("dynamodb", "album_places.rs"),
    ("dynamodb", "photo_change.rs"),
    ("dynamodb", "reading.rs"),
    ("dynamodb", "table_keys.rs"),
];

/// What stands for work that is not done, put together here so that this file does not hold it.
const UNFINISHED: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ig", "nore"),
];

/// The ends of names of files in which unfinished work is looked for.
const SOURCES: [&str; 13] = ["css", "html", "js", "json", "md", "mjs", "rs", "sh", "sql", "toml", "ts", "yaml", "yml"];

/// Where each access to a store is described.
const ACCESS_PATTERNS: &str = "migrations/ACCESS_PATTERNS.md";

/// By which plans PostgreSQL answers each of them.
const PLANS: &str = "docs/postgres-plans.md";

/// Reads everything that an owner has, by whichever plan.
const WITHOUT_PLAN: &str = "audit";

/// The ports that a store implements.
const PORTS: &str = "gallery-domain/src/ports/";

/// Asserts every rule, and reports all that are broken at once.
pub(crate) fn check() -> Result<()> {
    let root = workspace::root();
    let mut listing = Command::new("git");
    listing.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&root);
    let listing = command::output(&mut listing)?;
    // A file that is deleted but not yet committed as such is still listed.
    let files: Vec<&str> = listing.split('\0').filter(|file| !file.is_empty() && root.join(file).is_file()).collect();
    if files.is_empty() {
        bail!("git lists no files in {}", root.display());
    }

    let mut faults = Vec::new();
    for &file in &files {
        faults.extend(file_faults(&root, file)?);
    }
    faults.extend(uneven_stores(&files));
    faults.extend(undescribed_methods(&root, &files)?);
    faults.extend(unplanned_methods(
        &fs::read_to_string(root.join(ACCESS_PATTERNS))?,
        &fs::read_to_string(root.join(PLANS)).with_context(|| format!("cannot read {PLANS}"))?,
    ));
    faults.extend(unused_dependencies(
        &workspace::toml_file("Cargo.toml")?,
        &workspace::declared_dependencies(&workspace::metadata()?),
    )?);

    eprintln!("    {} files", files.len());
    if faults.is_empty() {
        return Ok(());
    }
    bail!("the repository is not tidy:\n  {}", faults.join("\n  "));
}

fn file_faults(root: &Path, file: &str) -> Result<Vec<String>> {
    if file.split('/').any(|folder| folder == "vendor") {
        return Ok(Vec::new());
    }
    let path = root.join(file);
    let mut faults = Vec::new();
    let size = path.metadata().with_context(|| format!("cannot look at {file}"))?.len();
    if size > LARGEST && file != "Cargo.lock" {
        faults.push(format!("{file} has {size} bytes, more than {LARGEST}"));
    }
    let is_source = file.rsplit_once('.').is_some_and(|(_, end)| SOURCES.contains(&end));
    if is_source {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {file} as UTF-8"))?;
        faults.extend(unfinished_lines(&text).map(|(line, word)| format!("{file}:{line}: holds `{word}`")));
    }
    Ok(faults)
}

/// The lines, counted from one, that hold a mark of unfinished work as a word of its own.
fn unfinished_lines(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let mark = UNFINISHED.into_iter().find(|mark| {
            let is_letter = |c: char| c.is_alphanumeric() || c == '_';
            line.match_indices(mark).any(|(at, _)| {
                let goes_on_before = line[..at].ends_with(is_letter);
                let goes_on_after = mark.ends_with(is_letter) && line[at + mark.len()..].starts_with(is_letter);
                !goes_on_before && !goes_on_after
            })
        });
        mark.map(|mark| (number, mark))
    })
}

/// Stores whose folder lacks a file that another store's folder has.
fn uneven_stores(files: &[&str]) -> Vec<String> {
    let mut stores: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        let inside = file.strip_prefix("gallery-adapters/src/").and_then(|path| path.split_once('/'));
        if let Some((store, name)) = inside
            && STORES.contains(&store)
            && !ALONE.contains(&(store, name))
        {
            stores.entry(store).or_default().insert(name);
        }
    }
    let every: BTreeSet<&str> = stores.values().flatten().copied().collect();
    stores
        .iter()
        .flat_map(|(store, names)| every.difference(names).map(move |name| (store, name)))
        .map(|(store, name)| {
            format!("gallery-adapters/src/{store}/{name} is missing: the stores have the same files, to be read side by side")
        })
        .collect()
}

/// Methods of the repository ports that [`ACCESS_PATTERNS`] has no row for, and rows for which there is no method.
fn undescribed_methods(root: &Path, files: &[&str]) -> Result<Vec<String>> {
    let is_repository =
        |name: &str| name.ends_with("_repository.rs") || ["rate_limiter.rs", "work_queue.rs"].contains(&name);
    let ports = files.iter().filter(|file| file.strip_prefix(PORTS).is_some_and(is_repository));
    let read = |file: &str| fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"));

    let mut methods = BTreeSet::new();
    for port in ports {
        methods.extend(methods_of_port(&read(port)?));
    }
    let rows = rows_of_ports(&read(ACCESS_PATTERNS)?);
    let without_row = methods.difference(&rows).map(|(port, method)| {
        format!("{ACCESS_PATTERNS} has no row `{method}` below `## {port}`: say what asks for it and what it costs")
    });
    let without_method = rows.difference(&methods).map(|(port, method)| {
        format!("{ACCESS_PATTERNS} has a row `{method}` below `## {port}`, which has no such method")
    });
    Ok(without_row.chain(without_method).collect())
}

/// Rows of the access patterns that have no plan, and plans that have no row.
fn unplanned_methods(access_patterns: &str, plans: &str) -> Vec<String> {
    let mut rows = rows_of_ports(access_patterns);
    rows.retain(|(_, method)| method != WITHOUT_PLAN);
    let plans = entries_of_ports(plans, "### `");
    let fault = |what: &str, (port, method): &(String, String)| {
        format!("{PLANS} {what} `{method}` below `## {port}`: write it anew with `cargo xtask bench postgres --plans`")
    };
    let missing = rows.difference(&plans).map(|method| fault("has no plan of", method));
    let needless = plans.difference(&rows).map(|method| fault("has a plan of an unknown", method));
    missing.chain(needless).collect()
}

/// The trait of a port's file and each of its methods.
fn methods_of_port(source: &str) -> BTreeSet<(String, String)> {
    let name =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let mut port = String::new();
    let mut methods = BTreeSet::new();
    for line in source.lines().map(str::trim_start) {
        if let Some(rest) = line.strip_prefix("pub trait ") {
            port = name(rest);
        } else if let Some(rest) = line.strip_prefix("async fn ") {
            methods.insert((port.clone(), name(rest)));
        }
    }
    methods
}

/// The headings of the second level and what each row of the tables below them begins with, in backticks.
fn rows_of_ports(page: &str) -> BTreeSet<(String, String)> {
    entries_of_ports(page, "| `")
}

/// The headings of the second level and what stands below them behind this beginning of a line, up to a backtick.
fn entries_of_ports(page: &str, beginning: &str) -> BTreeSet<(String, String)> {
    let mut port = "";
    let mut rows = BTreeSet::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            port = heading.trim();
        } else if let Some((method, _)) = line.strip_prefix(beginning).and_then(|rest| rest.split_once('`')) {
            rows.insert((port.to_owned(), method.to_owned()));
        }
    }
    rows
}

/// Entries of `[workspace.dependencies]` that no crate of the workspace declares.
fn unused_dependencies(manifest: &toml::Table, declared: &BTreeSet<&str>) -> Result<Vec<String>> {
    let entries = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .context("Cargo.toml has no [workspace.dependencies]")?;
    let unused = entries.keys().filter(|name| !declared.contains(name.as_str()));
    Ok(unused.map(|name| format!("Cargo.toml: no crate uses the workspace's dependency `{name}`")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str) -> Vec<usize> {
        unfinished_lines(text).map(|(line, _)| line).collect()
    }

    #[test]
    fn marks_of_unfinished_work_are_found_by_line() {
        for mark in UNFINISHED {
            assert_eq!(marks(&format!("fine\n    // {mark}: later\n")), [2], "{mark}");
        }
    }

    #[test]
    fn a_longer_word_around_a_mark_is_not_the_mark() {
        assert_eq!(marks(concat!("MAS", "TO", "DON")), [0; 0]);
        assert_eq!(marks(concat!("TO", "DOS and my_", "todo", "!()")), [0; 0]);
        assert_eq!(marks("todo = \"warn\""), [0; 0]);
    }

    #[test]
    fn a_large_file_is_reported_and_a_vendored_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("vendor")).unwrap();
        for name in ["large.bin", "vendor/large.bin", "Cargo.lock"] {
            fs::write(folder.path().join(name), vec![b'x'; 512 * 1024 + 1]).unwrap();
        }
        fs::write(folder.path().join("fits.bin"), vec![b'x'; 512 * 1024]).unwrap();

        assert_eq!(file_faults(folder.path(), "large.bin").unwrap().len(), 1);
        for name in ["vendor/large.bin", "Cargo.lock", "fits.bin"] {
            assert_eq!(file_faults(folder.path(), name).unwrap(), [""; 0], "{name}");
        }
    }

    #[test]
    fn a_source_that_holds_a_mark_is_reported_and_a_picture_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.rs", "a.png"] {
            fs::write(folder.path().join(name), UNFINISHED[0]).unwrap();
        }
        assert_eq!(file_faults(folder.path(), "a.rs").unwrap().len(), 1);
        assert_eq!(file_faults(folder.path(), "a.png").unwrap().len(), 0);
    }

    #[test]
    fn stores_that_exist_have_the_same_files() {
        let sqlite = ["gallery-adapters/src/sqlite/photos.rs", "gallery-adapters/src/sqlite/users.rs"];
        assert_eq!(uneven_stores(&sqlite), [""; 0]);

        let with_postgres =
            [&sqlite[..], &["gallery-adapters/src/postgres/photos.rs", "gallery-adapters/src/mail/smtp.rs"]].concat();
        let faults = uneven_stores(&with_postgres);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("gallery-adapters/src/postgres/users.rs"), "{faults:?}");
    }

    #[test]
    fn a_method_without_a_row_and_a_row_without_a_method_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let files = ["photo_repository.rs", "work_queue.rs", "mailer.rs"].map(|name| format!("{PORTS}{name}"));
        let files = files.each_ref().map(String::as_str);
        write(
            files[0],
            "pub trait PhotoRepository: Debug {\n    async fn find(&self);\n    async fn all(\n        &self);\n}\n",
        );
        write(files[1], "pub trait WorkQueue {\n    async fn claim(&self);\n}\n");
        write(files[2], "pub trait Mailer {\n    async fn send(&self);\n}\n");
        let rows = |photos: [&str; 2], work: &str| {
            let [first, second] = photos;
            let table = "| method | statements |\n|---|---|";
            let page = format!(
                "## PhotoRepository\n{table}\n| `{first}` | 1 |\n| `{second}` | 1 |\n## WorkQueue\n{table}\n| `{work}` | 1 |\n"
            );
            write(ACCESS_PATTERNS, &page);
            undescribed_methods(folder.path(), &files).unwrap()
        };

        assert_eq!(rows(["find", "all"], "claim"), [""; 0]);
        let faults = rows(["find", "find_all"], "claim");
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("no row `all` below `## PhotoRepository`"), "{faults:?}");
        assert!(faults[1].contains("a row `find_all` below `## PhotoRepository`"), "{faults:?}");
        assert_eq!(rows(["find", "claim"], "all").len(), 4, "a row counts below its own port only");
    }

    #[test]
    fn a_dependency_that_no_crate_declares_is_unused() {
        let manifest = "[workspace.dependencies]\nserde = \"1\"\nlibc = { version = \"0.2\" }\n".parse().unwrap();
        let faults = unused_dependencies(&manifest, &BTreeSet::from(["serde"])).unwrap();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("`libc`"));
    }

    #[test]
    fn a_method_without_a_plan_and_a_plan_without_a_method_are_named() {
        let rows = "## PhotoRepository\n| `find` | x |\n| `all` | x |\n| `audit` | x |\n";
        let plans = "## PhotoRepository\n### `find`\n### `find`\n### `gone`\n";
        let faults = unplanned_methods(rows, plans);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("has no plan of `all` below `## PhotoRepository`"), "{faults:?}");
        assert!(faults[1].contains("unknown `gone`"), "{faults:?}");
    }
}
