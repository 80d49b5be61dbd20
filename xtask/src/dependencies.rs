//! What each crate may reach, and where every dependency comes from and under which licence.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{command, licences, workspace};

/// Asserts every rule, and reports all that are broken at once.
pub(crate) fn check() -> Result<()> {
    let mut faults = Vec::new();
    for rule in RULES {
        let reached = rule.reached_packages()?;
        eprintln!("    {} ({}): {} packages reached", rule.package, rule.features, reached.len());
        faults.extend(rule.faults(&reached));
    }

    let metadata = workspace::metadata()?;
    let policy = Policy::read(&workspace::toml_file("deny.toml")?)?;
    let packages: Vec<_> = workspace::list(&metadata, "packages").collect();
    eprintln!("    licence and source of {} packages", packages.len());
    faults.extend(packages.into_iter().flat_map(|package| policy.faults(package)));

    if faults.is_empty() {
        return Ok(());
    }
    bail!("dependencies break the rules:\n  {}", faults.join("\n  "));
}

/// One statement of `ARCHITECTURE.md` about what a crate may reach through its normal dependencies.
struct Rule {
    package: &'static str,
    features: Features,
    /// Names of packages; one that ends in `*` stands for all that begin with it.
    forbidden: &'static [&'static str],
    because: &'static str,
}

#[derive(Clone, Copy)]
enum Features {
    Default,
    All,
    /// These and no others.
    Only(&'static str),
}

impl std::fmt::Display for Features {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => formatter.write_str("default features"),
            Self::All => formatter.write_str("all features"),
            Self::Only(features) => write!(formatter, "the features {features} alone"),
        }
    }
}

const RULES: &[Rule] = &[
    Rule {
        package: "gallery-domain",
        features: Features::All,
        forbidden: &[
            "async-std",
            "aws-*",
            "axum*",
            "http",
            "hyper*",
            "lambda_*",
            "libsqlite3-sys",
            "reqwest",
            "rusqlite",
            "smol",
            "sqlx*",
            "tokio*",
            "tower*",
        ],
        because: "the domain knows no SDK, SQL, HTTP or runtime",
    },
    Rule {
        package: "gallery-adapters",
        features: Features::All,
        forbidden: &["axum*", "gallery-lambda", "lambda_*", "tower-http", "utoipa*"],
        because: "the adapters are driven: HTTP drives them",
    },
    Rule {
        package: "gallery-imaging",
        features: Features::All,
        forbidden: &["aws-*", "axum*", "gallery-adapters", "hyper*", "sqlx*"],
        because: "a picture knows no store",
    },
    Rule {
        package: "gallery-lambda",
        features: Features::Default,
        forbidden: &["aws-*", "lambda_*", "sqlx-mysql", "sqlx-postgres"],
        because: "a first `cargo run` compiles no AWS SDK, and no store but the embedded one",
    },
    Rule {
        package: "gallery-adapters",
        features: Features::Only("postgres,filesystem,password-identity,imaging,smtp"),
        forbidden: &["libsqlite3-sys", "sqlx-mysql", "sqlx-sqlite"],
        because: "a gallery on PostgreSQL holds no other store",
    },
    Rule {
        package: "gallery-adapters",
        features: Features::Only("postgres,filesystem,password-identity,imaging,smtp"),
        forbidden: &["aws-*"],
        because: "PostgreSQL needs no AWS: its password may come from there with the feature `aws`",
    },
    Rule {
        package: "gallery-adapters",
        features: Features::Only("dynamodb,filesystem,password-identity,imaging,smtp"),
        forbidden: &["libsqlite3-sys", "sqlx*"],
        because: "a gallery on DynamoDB holds no SQL",
    },
    Rule {
        package: "gallery-lambda",
        features: Features::Only("lambda-dynamodb"),
        forbidden: &["clap", "libsqlite3-sys", "lettre", "sqlx*", "utoipa-swagger-ui"],
        because: "what AWS Lambda runs on DynamoDB holds no SQL, and nothing of the program at the console",
    },
    Rule {
        package: "gallery-lambda",
        features: Features::Only("lambda-postgres"),
        forbidden: &[
            "aws-sdk-dynamodb",
            "clap",
            "libsqlite3-sys",
            "lettre",
            "sqlx-mysql",
            "sqlx-sqlite",
            "utoipa-swagger-ui",
        ],
        because: "what AWS Lambda runs on PostgreSQL holds no other store, and nothing of the program at the console",
    },
    Rule {
        package: "gallery-lambda",
        features: Features::All,
        forbidden: &["native-tls", "openssl", "openssl-sys"],
        because: "TLS is rustls alone",
    },
];

impl Rule {
    /// The names that `cargo tree` prints, of every target.
    fn reached_packages(&self) -> Result<BTreeSet<String>> {
        let mut tree = command::cargo(["tree", "--locked", "--edges=normal", "--target=all"]);
        tree.args(["--prefix=none", "--format={p}", "--package", self.package]);
        match self.features {
            Features::Default => &mut tree,
            Features::All => tree.arg("--all-features"),
            Features::Only(features) => tree.args(["--no-default-features", "--features", features]),
        };
        Ok(names_in_tree(&command::output(&mut tree)?))
    }

    fn faults(&self, reached: &BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        if !reached.contains(self.package) {
            // A rule about a crate that the tree does not show would hold for ever.
            faults.push(format!("`cargo tree` shows no {}", self.package));
        }
        let forbidden = reached.iter().filter(|name| self.forbids(name));
        faults.extend(forbidden.map(|name| {
            let Self { package, features, because, .. } = self;
            format!(
                "{package} with {features} reaches {name}, but {because} (see `cargo tree -p {package} -e normal -i {name}`)"
            )
        }));
        faults
    }

    fn forbids(&self, name: &str) -> bool {
        self.forbidden.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == *pattern,
        })
    }
}

/// The first word of each line of `cargo tree --prefix=none --format={p}`.
fn names_in_tree(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The two lists of `deny.toml` that need no network to check.
struct Policy {
    licences: BTreeSet<String>,
    registries: BTreeSet<String>,
}

impl Policy {
    fn read(deny: &toml::Table) -> Result<Self> {
        Ok(Self {
            licences: strings(deny, "licenses", "allow")?,
            registries: strings(deny, "sources", "allow-registry")?,
        })
    }

    fn faults(&self, package: &Value) -> Vec<String> {
        let label = format!(
            "{} {}",
            package["name"].as_str().unwrap_or("(no name)"),
            package["version"].as_str().unwrap_or("(no version)")
        );
        let mut faults = Vec::new();
        match package["license"].as_str().map(|expression| licences::can_be_met(expression, &self.licences)) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => {
                faults.push(format!("{label} is under {}, which deny.toml does not allow", package["license"]))
            }
            Some(Err(error)) => faults.push(format!("{label}: {error}")),
            None => faults.push(format!("{label} states no licence")),
        }
        // A crate of the workspace has no source.
        if let Some(source) = package["source"].as_str() {
            let known = source.strip_prefix("registry+").is_some_and(|url| self.registries.contains(url));
            if !known {
                faults.push(format!("{label} comes from {source}, which deny.toml does not allow"));
            }
        }
        faults
    }
}

fn strings(document: &toml::Table, section: &str, key: &str) -> Result<BTreeSet<String>> {
    let items = document
        .get(section)
        .and_then(|section| section.get(key))
        .and_then(toml::Value::as_array)
        .with_context(|| format!("deny.toml has no list `{key}` in [{section}]"))?;
    items
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .with_context(|| format!("`{key}` in [{section}] of deny.toml holds something that is not a string"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn domain_rule() -> &'static Rule {
        &RULES[0]
    }

    fn reached(names: &[&str]) -> BTreeSet<String> {
        names.iter().copied().map(str::to_owned).collect()
    }

    #[test]
    fn the_tree_is_read_by_its_first_words() {
        let tree = "gallery-domain v0.1.0 (/somewhere)\nserde v1.0.229\nserde_derive v1.0.229 (proc-macro)\nserde v1.0.229 (*)\n\n";
        assert_eq!(names_in_tree(tree), reached(&["gallery-domain", "serde", "serde_derive"]));
    }

    #[test]
    fn a_forbidden_package_is_named_with_the_reason() {
        let faults = domain_rule().faults(&reached(&["gallery-domain", "serde", "sqlx-core", "tokio"]));
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("sqlx-core") && faults[0].contains("knows no SDK"), "{faults:?}");
        assert!(faults[1].contains("tokio"), "{faults:?}");
    }

    #[test]
    fn a_name_without_a_star_forbids_itself_alone() {
        assert!(domain_rule().forbids("http"));
        assert!(!domain_rule().forbids("httpdate"));
    }

    #[test]
    fn a_rule_about_a_crate_that_is_gone_does_not_hold() {
        assert_eq!(domain_rule().faults(&reached(&["serde"])).len(), 1);
    }

    #[test]
    fn every_rule_is_about_a_crate_of_the_workspace() {
        let metadata = workspace::metadata().unwrap();
        let crates: Vec<_> = workspace::list(&metadata, "packages")
            .filter(|package| package["source"].is_null())
            .filter_map(|package| package["name"].as_str())
            .collect();
        for rule in RULES {
            assert!(crates.contains(&rule.package), "{}", rule.package);
        }
    }

    #[test]
    fn a_package_needs_an_allowed_licence_and_an_allowed_source() {
        let policy = Policy::read(&workspace::toml_file("deny.toml").unwrap()).unwrap();
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        let package = |license: Value, source: Value| json!({"name": "x", "version": "1.0.0", "license": license, "source": source});
        let faults = |license: Value, source: Value| policy.faults(&package(license, source));

        assert!(faults(json!("MIT OR GPL-3.0-only"), json!(registry)).is_empty());
        assert!(faults(json!("MIT"), Value::Null).is_empty());
        assert!(faults(json!("AGPL-3.0-only"), json!(registry))[0].contains("does not allow"));
        assert!(faults(Value::Null, json!(registry))[0].contains("states no licence"));
        assert!(faults(json!("MIT"), json!("git+https://example.org/x"))[0].contains("comes from"));
    }
}
