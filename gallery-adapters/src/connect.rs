//! From the configuration to the ports of a gallery: the only place that asks which adapter it is.

use std::error::Error;
use std::sync::Arc;

use gallery_domain::ports::{
    BlobStore, Clock, DirectUpload, IdGenerator, IdentityProvider, ImageProcessor, Mailer, Repositories,
    SignedBlobGateway,
};
use gallery_domain::services::Ports;

use crate::config::{self, BlobsChoice, GalleryConfig, IdentityChoice, MailChoice};
use crate::filesystem::FileBlobs;
use crate::password_identity::{IdentityPorts, PasswordIdentity};
use crate::signed_urls::{SignedUrls, SigningKey};
use crate::system::{SystemClock, SystemIds};

/// Under which path the router passes requests to the [gateway](Connected::gateway), unless it says otherwise.
pub const BLOB_URL_PREFIX: &str = "/api/blobs";

/// The ports of a gallery, and what the program around it needs beside them.
#[derive(Clone, Debug)]
pub struct Connected {
    /// For [`Gallery::new`](gallery_domain::services::Gallery::new).
    pub ports: Ports,
    /// Serves signed URLs, where the blob store has no HTTP endpoint of its own.
    pub gateway: Option<Arc<dyn SignedBlobGateway>>,
    password_identity: Option<Arc<PasswordIdentity>>,
}

impl Connected {
    /// Waits for what goes on behind answers, such as mails: before the program ends.
    pub async fn settle(&self) {
        if let Some(identity) = &self.password_identity {
            identity.settle().await;
        }
    }
}

/// Why a part of the gallery could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{part} cannot be used: mend the cause, or choose another place with {variable}")]
pub struct ConnectError {
    /// The environment variable that chose this part.
    pub variable: &'static str,
    part: String,
    source: Box<dyn Error + Send + Sync>,
}

/// Opens what the configuration names, over a store and an image processor that are at hand already.
///
/// `blob_url_prefix` is where the program serves signed URLs: [`BLOB_URL_PREFIX`] if the API is at `/api`.
pub async fn connect_with(
    config: &GalleryConfig,
    repositories: Repositories,
    images: Arc<dyn ImageProcessor>,
    blob_url_prefix: &str,
) -> Result<Connected, ConnectError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds::default());

    let blobs: Arc<dyn BlobStore> = match &config.blobs {
        BlobsChoice::Files(folder) => {
            let opened = FileBlobs::open(folder, clock.now()).await;
            Arc::new(opened.map_err(|cause| failed(config::BLOBS, &config.blobs, cause))?)
        }
    };
    let key_file = config.data.join("signing.key");
    let key = SigningKey::load_or_create(&key_file, &*ids).await;
    let key = key.map_err(|cause| failed(config::DATA, key_file.display(), cause))?;
    let urls = Arc::new(SignedUrls::new(blobs.clone(), key, blob_url_prefix));

    let mailer = mailer(&config.mail, &clock, &ids).await?;
    let password_identity = match config.identity {
        IdentityChoice::Password => Arc::new(PasswordIdentity::new(
            IdentityPorts {
                credentials: repositories.credentials.clone(),
                sessions: repositories.sessions.clone(),
                rate_limiter: repositories.rate_limiter.clone(),
                mailer,
                clock: clock.clone(),
                ids: ids.clone(),
            },
            config.public_url(),
        )),
    };

    tracing::info!(
        blobs = %config.blobs,
        identity = %config.identity,
        mail = %config.mail,
        "the gallery's parts are connected"
    );
    let identity: Arc<dyn IdentityProvider> = password_identity.clone();
    let uploads: Arc<dyn DirectUpload> = urls.clone();
    Ok(Connected {
        ports: Ports { repositories, blobs, uploads, identity, images, clock, ids },
        gateway: Some(urls),
        password_identity: Some(password_identity),
    })
}

async fn mailer(
    choice: &MailChoice,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
) -> Result<Arc<dyn Mailer>, ConnectError> {
    match choice {
        #[cfg(feature = "outbox")]
        MailChoice::Outbox(folder) => {
            let opened = crate::mail::Outbox::open(folder, clock.clone(), ids.clone()).await;
            Ok(Arc::new(opened.map_err(|cause| failed(config::MAIL, choice, cause))?))
        }
        #[cfg(feature = "smtp")]
        MailChoice::Smtp(settings) => {
            let prepared = crate::mail::Smtp::new(settings.clone(), clock.clone(), ids.clone());
            Ok(Arc::new(prepared.map_err(|cause| failed(config::MAIL, choice, cause))?))
        }
    }
}

fn failed(
    variable: &'static str,
    part: impl std::fmt::Display,
    cause: impl Into<Box<dyn Error + Send + Sync>>,
) -> ConnectError {
    ConnectError { variable, part: part.to_string(), source: cause.into() }
}

#[cfg(test)]
#[cfg(feature = "outbox")]
mod tests {
    use gallery_domain::ports::{
        MockAlbumRepository, MockCredentialRepository, MockIdempotencyRepository, MockImageProcessor,
        MockPhotoRepository, MockRateLimiter, MockSessionRepository, MockUserRepository, MockWorkQueue, SignedRequest,
        byte_stream,
    };

    use super::*;

    fn repositories() -> Repositories {
        Repositories {
            photos: Arc::new(MockPhotoRepository::new()),
            albums: Arc::new(MockAlbumRepository::new()),
            users: Arc::new(MockUserRepository::new()),
            credentials: Arc::new(MockCredentialRepository::new()),
            sessions: Arc::new(MockSessionRepository::new()),
            idempotency: Arc::new(MockIdempotencyRepository::new()),
            rate_limiter: Arc::new(MockRateLimiter::new()),
            work: Arc::new(MockWorkQueue::new()),
        }
    }

    fn config(data: &std::path::Path) -> GalleryConfig {
        let data = data.to_str().unwrap().to_owned();
        GalleryConfig::from_lookup(|name| (name == config::DATA).then(|| data.clone())).unwrap()
    }

    async fn connected(config: &GalleryConfig) -> Result<Connected, ConnectError> {
        connect_with(config, repositories(), Arc::new(MockImageProcessor::new()), BLOB_URL_PREFIX).await
    }

    #[tokio::test]
    async fn an_upload_url_from_before_a_restart_is_good_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder.path().join("data"));
        let before = connected(&config).await.unwrap();
        let key = "incoming/a/b".parse().unwrap();
        let info = gallery_domain::ports::BlobInfo {
            content_type: gallery_domain::MediaType::Jpeg,
            bytes: 1,
            sha256: gallery_domain::Sha256Digest::of(b"x"),
        };
        let now = before.ports.clock.now();
        let end = now.plus(std::time::Duration::from_secs(300));
        let ticket = before.ports.uploads.upload_ticket(&key, &info, now, end).await.unwrap();
        before.settle().await;

        let after = connected(&config).await.unwrap();
        let (path, query) = ticket.url.split_once('?').unwrap();
        let request = SignedRequest {
            key: path.strip_prefix("/api/blobs/").unwrap().to_owned(),
            query: query.to_owned(),
            headers: ticket.headers.clone(),
        };
        assert_eq!(after.gateway.unwrap().upload(request, byte_stream("x"), now).await.unwrap(), key);
        assert_eq!(after.ports.blobs.head(&key).await.unwrap(), Some(info));
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_named_with_its_variable_and_its_cause() {
        for (file, variable) in [("blobs", config::BLOBS), ("outbox", config::MAIL)] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), b"").unwrap();
            let error = connected(&config(folder.path())).await.unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(error.to_string().ends_with(&format!("choose another place with {variable}")), "{error}");
            assert!(error.source().is_some());
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("signing.key"), b"short").unwrap();
        assert_eq!(connected(&config(folder.path())).await.unwrap_err().variable, config::DATA);
    }
}
