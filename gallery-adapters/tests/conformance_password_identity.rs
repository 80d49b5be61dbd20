//! The built-in identity does what its port promises, over a store in memory and over SQLite.

#![cfg(feature = "password-identity")]

use std::sync::Arc;

use futures_util::FutureExt;
use gallery_adapters::password_identity::{IdentityPorts, PasswordIdentity};
use gallery_adapters::system::SystemIds;
use gallery_domain::conformance::fixtures::Things;
use gallery_domain::conformance::identity_provider::{Identity, Mailed};
use gallery_domain::memory::{ManualClock, MemoryMailer};
use gallery_domain::ports::{Mail, Repositories};

const SITE: &str = "https://photos.example";

fn identity(store: Repositories) -> Identity {
    let clock = Arc::new(ManualClock::new(Things::new().at(0)));
    let mailer = Arc::new(MemoryMailer::new());
    let ports = IdentityPorts {
        credentials: store.credentials,
        sessions: store.sessions,
        rate_limiter: store.rate_limiter,
        mailer: mailer.clone(),
        clock: clock.clone(),
        ids: Arc::new(SystemIds::default()),
    };
    let provider = Arc::new(PasswordIdentity::new(ports, SITE.parse().expect("a URL")));
    let behind = provider.clone();
    Identity {
        provider,
        mailed: Box::new(move |address| {
            let (mailer, behind) = (mailer.clone(), behind.clone());
            async move {
                behind.settle().await;
                mailer.sent().iter().filter(|mail| mail.to == address).map(brought_by).collect()
            }
            .boxed()
        }),
        pass: Box::new(move |time| clock.advance(time)),
    }
}

/// What a person takes out of a mail.
fn brought_by(mail: &Mail) -> Mailed {
    for line in mail.text.lines() {
        if let Some((_, token)) = line.split_once("&token=") {
            return Mailed::Link(token.to_owned());
        }
        if line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit()) {
            return Mailed::Code(line.to_owned());
        }
    }
    Mailed::Notice
}

mod over_memory {
    use gallery_domain::memory::MemoryStore;

    use super::*;

    gallery_domain::conformance::identity_provider_suite!(identity(MemoryStore::new().repositories()));
}

#[cfg(feature = "sqlite")]
mod over_sqlite {
    use gallery_adapters::sqlite::{SqliteOptions, SqliteStore};
    use gallery_domain::conformance::Fixture;

    use super::*;

    /// Over an empty store, and the folder that it is in.
    async fn fresh() -> Fixture<Identity> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let store = SqliteStore::connect(&folder.path().join("gallery.db"), SqliteOptions::default())
            .await
            .expect("the file can be made");
        store.migrate().await.expect("the schema can be made");
        Fixture::new(identity(store.repositories())).keeping(folder)
    }

    gallery_domain::conformance::identity_provider_suite!(fresh().await);
}
