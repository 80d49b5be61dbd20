//! Looks at each part that a configuration names, and says what is wrong; and sets up what the gallery can set up itself.

use std::error::Error;

#[cfg(feature = "filesystem")]
use gallery_domain::ports::Clock;
use gallery_domain::ports::{BackendFailure, BlobError, BlobStore};

use crate::config::{self, BlobsChoice, GalleryConfig, IdentityChoice, MailChoice};
use crate::connect::{ConnectError, ConnectedStore};
#[cfg(any(feature = "filesystem", feature = "outbox", feature = "smtp"))]
use crate::system::SystemClock;

/// A part of a gallery, and how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The environment variable that chose it.
    pub variable: &'static str,
    /// What it is, without secrets.
    pub part: String,
    /// What is wrong, with what to do about it; nothing if all is well.
    pub faults: Vec<String>,
}

/// Looks at every part, whatever is wrong with another. Writes nothing that stays; a folder that is missing is made.
pub async fn examine(config: &GalleryConfig) -> Vec<Finding> {
    let found = |variable, part: String, faults| Finding { variable, part, faults };
    vec![
        found(config::STORE, config.store.to_string(), store(config).await),
        found(config::BLOBS, config.blobs.to_string(), blobs(config).await),
        found(config::IDENTITY, config.identity.to_string(), identity(&config.identity).await),
        found(config::MAIL, config.mail.to_string(), mail(&config.mail).await),
    ]
}

/// Makes and sets up what the configuration names and the gallery can make itself: tables, a bucket. Answers in words what was done; or would be, if it is
/// only `pretended`. What is there already stays as it is.
///
/// # Errors
///
/// A part refuses or is out of reach; says what to mend. What was done until then is done.
pub async fn provision(config: &GalleryConfig, pretended: bool) -> Result<Vec<String>, ConnectError> {
    let store = ConnectedStore::open(&config.store).await?;
    let done = store.provision(pretended).await;
    store.close().await;
    let mut steps = done.map_err(|cause| crate::connect::failed(config::STORE, &config.store, cause))?;
    steps.extend(provision_blobs(config, pretended).await?);
    Ok(steps)
}

async fn provision_blobs(config: &GalleryConfig, _pretended: bool) -> Result<Vec<String>, ConnectError> {
    match &config.blobs {
        #[cfg(feature = "s3")]
        BlobsChoice::S3(settings) => {
            let blobs = crate::s3::S3Blobs::new(settings, &settings.place.load().await);
            let done = blobs.provision(&[origin(config)], _pretended).await;
            done.map_err(|cause| crate::connect::failed(config::BLOBS, &config.blobs, cause))
        }
        #[cfg(any(feature = "filesystem", feature = "memory"))]
        _ => Ok(Vec::new()),
    }
}

async fn store(config: &GalleryConfig) -> Vec<String> {
    let store = match ConnectedStore::open(&config.store).await {
        Ok(store) => store,
        Err(error) => return vec![in_words(&error)],
    };
    let faults = match store.schema_status().await {
        Err(failure) => vec![in_words(&failure)],
        Ok(status) if !status.unknown.is_empty() => {
            vec!["its schema is of a newer program: use that one".to_owned()]
        }
        // A file gets its schema when it is opened to be used.
        Ok(status) if !status.pending.is_empty() && config.store.file().is_none() => {
            vec![
                "its schema is missing or older than this program: let `gallery migrate-schema` bring it up to date"
                    .to_owned(),
            ]
        }
        Ok(_) => Vec::new(),
    };
    store.close().await;
    faults
}

async fn blobs(config: &GalleryConfig) -> Vec<String> {
    match &config.blobs {
        #[cfg(feature = "filesystem")]
        BlobsChoice::Files(folder) => match crate::filesystem::FileBlobs::open(folder, SystemClock.now()).await {
            Ok(blobs) => can_write(&blobs).await,
            Err(failure) => vec![in_words(&failure)],
        },
        #[cfg(feature = "s3")]
        BlobsChoice::S3(settings) => {
            let blobs = crate::s3::S3Blobs::new(settings, &settings.place.load().await);
            if let Err(failure) = blobs.check().await {
                return vec![in_words(&failure)];
            }
            let mut faults = can_write(&blobs).await;
            match blobs.provision(&[origin(config)], true).await {
                Ok(steps) => faults.extend(steps.iter().map(|step| format!("`gallery provision` has yet to {step}"))),
                Err(failure) => faults.push(in_words(&failure)),
            }
            faults
        }
        #[cfg(feature = "memory")]
        BlobsChoice::Memory => Vec::new(),
    }
}

async fn can_write(blobs: &dyn BlobStore) -> Vec<String> {
    match blobs.try_writing().await {
        Ok(()) => Vec::new(),
        Err(BlobError::Backend(failure)) => vec![in_words(&failure)],
        Err(error) => vec![in_words(&error)],
    }
}

async fn identity(choice: &IdentityChoice) -> Vec<String> {
    match choice {
        IdentityChoice::Password => Vec::new(),
        #[cfg(feature = "cognito")]
        IdentityChoice::Cognito(settings) => {
            let asked = crate::cognito::faults(settings, &settings.place.load().await).await;
            asked.unwrap_or_else(|failure| vec![in_words(&failure)])
        }
    }
}

async fn mail(choice: &MailChoice) -> Vec<String> {
    let checked: Result<(), BackendFailure> = match choice {
        #[cfg(feature = "outbox")]
        MailChoice::Outbox(folder) => {
            let ids = std::sync::Arc::new(crate::system::SystemIds::default());
            crate::mail::Outbox::open(folder, std::sync::Arc::new(SystemClock), ids).await.map(drop)
        }
        #[cfg(feature = "smtp")]
        MailChoice::Smtp(settings) => {
            let ids = std::sync::Arc::new(crate::system::SystemIds::default());
            crate::mail::Smtp::new(settings.clone(), std::sync::Arc::new(SystemClock), ids).map(drop)
        }
        #[cfg(feature = "ses")]
        MailChoice::Ses(settings) => crate::mail::Ses::new(settings, &settings.place.load().await).check().await,
    };
    checked.err().map(|failure| in_words(&failure)).into_iter().collect()
}

/// The pages that may send bytes to a bucket.
#[cfg(feature = "s3")]
fn origin(config: &GalleryConfig) -> String {
    config.public_url().origin().ascii_serialization()
}

/// An error and its causes, in a line.
fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests {
    use super::*;

    async fn found(folder: &std::path::Path) -> Vec<Finding> {
        let data = folder.to_str().unwrap().to_owned();
        let config = GalleryConfig::from_lookup(|name| (name == config::DATA).then(|| data.clone())).unwrap();
        examine(&config).await
    }

    #[tokio::test]
    async fn each_part_is_looked_at_whatever_is_wrong_with_another() {
        let folder = tempfile::tempdir().unwrap();
        let well = found(folder.path()).await;
        let variables: Vec<_> = well.iter().map(|finding| finding.variable).collect();
        assert_eq!(variables, [config::STORE, config::BLOBS, config::IDENTITY, config::MAIL]);
        assert!(well.iter().all(|finding| finding.faults.is_empty()), "{well:?}");

        let folder = tempfile::tempdir().unwrap();
        for file in ["blobs", "outbox"] {
            std::fs::write(folder.path().join(file), "no folder").unwrap();
        }
        let found = found(folder.path()).await;
        let faulty: Vec<_> = found.iter().filter(|finding| !finding.faults.is_empty()).map(|it| it.variable).collect();
        assert_eq!(faulty, [config::BLOBS, config::MAIL]);
        assert!(found[1].faults[0].contains("there is a file where the folder of the blobs should be"), "{found:?}");
    }
}
