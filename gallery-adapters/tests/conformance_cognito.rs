//! Identity by a user pool does what its port promises, over a store in memory and over SQLite; and the pool refuses what it has to.

#![cfg(feature = "cognito")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod aws_servers;
#[path = "aws_servers/cognito.rs"]
mod cognito;
#[path = "aws_servers/mails.rs"]
mod mails;
#[path = "cognito/refusals.rs"]
mod refusals;

use futures_util::FutureExt;
use gallery_domain::conformance::identity_provider::{Identity, Mailed};
use gallery_domain::ports::{Mail, Repositories};

use crate::cognito::World;

async fn identity(store: Repositories) -> Identity {
    let World { identity, mailer, clock, .. } = World::new(store).await;
    let behind = identity.clone();
    Identity {
        provider: identity,
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

    gallery_domain::conformance::identity_provider_suite!(identity(MemoryStore::new().repositories()).await);
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
        Fixture::new(identity(store.repositories()).await).keeping(folder)
    }

    gallery_domain::conformance::identity_provider_suite!(fresh().await);
}
