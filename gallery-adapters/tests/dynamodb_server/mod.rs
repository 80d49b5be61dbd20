//! Tables of a test's own, on the server that `GALLERY_TEST_DYNAMODB` names.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::hash::{BuildHasher, Hasher, RandomState};

use gallery_adapters::dynamodb::sdk::config::{BehaviorVersion, Builder, Credentials, Region};
use gallery_adapters::dynamodb::sdk::{Client, Config};
use gallery_adapters::dynamodb::{DynamoDbOptions, DynamoDbStore, TableNames};

/// Where the server is: a URL such as `http://127.0.0.1:8000`.
pub(crate) const SERVER: &str = "GALLERY_TEST_DYNAMODB";

/// The credentials that the server is asked with. It looks at none.
pub(crate) const KEY: [&str; 2] = ["gallery", "no secret"];

/// Two tables, which are dropped at the end of their test, also if that fails.
pub(crate) struct Tables {
    names: TableNames,
}

impl Tables {
    /// Tables as they are defined.
    pub(crate) async fn provisioned() -> Self {
        let tables = Self::named();
        tables.store().provision(false).await.expect("the tables can be made");
        tables
    }

    /// Names of tables that nobody made.
    pub(crate) fn named() -> Self {
        let number = RandomState::new().build_hasher().finish();
        Self { names: TableNames::beside(format!("test{number:016x}")) }
    }

    /// What they are called.
    pub(crate) fn names(&self) -> &TableNames {
        &self.names
    }

    /// What `GALLERY_STORE` has to say for them.
    pub(crate) fn url(&self) -> String {
        format!("dynamodb://{}?region=eu-central-1&endpoint={}", self.names.photos, server())
    }

    /// A store in them, with a client of its own.
    pub(crate) fn store(&self) -> DynamoDbStore {
        DynamoDbStore::new(config(), self.names.clone(), DynamoDbOptions::default())
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        let names = self.names.clone();
        // The test's own runtime may be the one that is going down.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let client = client();
                for name in [names.photos, names.index] {
                    // Not every test has made them.
                    let _ = client.delete_table().table_name(name).send().await;
                }
            });
        });
        let dropped = dropping.join();
        assert!(
            dropped.is_ok() || std::thread::panicking(),
            "the tables of {} could not be dropped",
            self.names.photos
        );
    }
}

/// How to reach the server.
pub(crate) fn config() -> Builder {
    let url = server();
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new(KEY[0], KEY[1], None, None, "tests"))
}

/// A client past any store, for what the ports cannot do.
pub(crate) fn client() -> Client {
    Client::from_conf(config().build())
}

/// The server's URL.
pub(crate) fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} does not name a DynamoDB server: run `cargo xtask test`, which starts one, or `cargo xtask dynamodb`")
    })
}
