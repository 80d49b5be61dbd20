//! From the configuration to the ports of a gallery: the only place that asks which adapter it is.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use gallery_domain::ports::{
    BackendFailure, BlobStore, Clock, DirectUpload, IdGenerator, IdentityProvider, Mailer, Repositories,
    SignedBlobGateway,
};
use gallery_domain::services::Ports;

use crate::config::{self, BlobsChoice, GalleryConfig, IdentityChoice, MailChoice, StoreChoice};
use crate::imaging::Imaging;
use crate::password_identity::{IdentityPorts, PasswordIdentity};
use crate::schema::SchemaStatus;
#[cfg(feature = "signed-urls")]
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
    /// The origin that clients send bytes to and fetch them from, where that is another than the gallery's: a page has to be allowed to.
    pub blob_origin: Option<String>,
    /// The store behind the repositories.
    pub store: ConnectedStore,
    identity: ConnectedIdentity,
}

/// What proves who people are, and may have something under way behind answers.
#[derive(Clone, Debug)]
enum ConnectedIdentity {
    Password(Arc<PasswordIdentity>),
    #[cfg(feature = "cognito")]
    Cognito(Arc<crate::cognito::CognitoIdentity>),
}

/// What can be done with a whole store, whichever it is.
#[derive(Clone, Debug)]
pub struct ConnectedStore(Store);

#[derive(Clone, Debug)]
enum Store {
    #[cfg(feature = "sqlite")]
    Sqlite(crate::sqlite::SqliteStore),
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::PostgresStore),
    #[cfg(feature = "dynamodb")]
    DynamoDb(crate::dynamodb::DynamoDbStore),
    #[cfg(feature = "memory")]
    Memory(gallery_domain::memory::MemoryStore),
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

/// Opens what the configuration names. A store in a file gets its schema, or is brought up to date; one on a server has to be so already.
///
/// `blob_url_prefix` is where the program serves signed URLs: [`BLOB_URL_PREFIX`] if the API is at `/api`.
pub async fn connect(config: &GalleryConfig, blob_url_prefix: &str) -> Result<Connected, ConnectError> {
    open(config, blob_url_prefix, Start::Checked).await
}

/// As [`connect`], but asks no server whether it is there and set up, so that it takes no longer than reading the configuration: for a program that starts
/// for a request. What is wrong with a place shows when it is used; `gallery doctor` finds it before.
///
/// Does not know [`Connected::blob_origin`].
pub async fn connect_unasked(config: &GalleryConfig, blob_url_prefix: &str) -> Result<Connected, ConnectError> {
    open(config, blob_url_prefix, Start::Unasked).await
}

/// Whether servers are asked before they are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Checked,
    Unasked,
}

async fn open(config: &GalleryConfig, blob_url_prefix: &str, start: Start) -> Result<Connected, ConnectError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds::default());

    let store = ConnectedStore::open(&config.store).await?;
    if start == Start::Checked {
        store.make_usable().await.map_err(|cause| failed(config::STORE, &config.store, cause))?;
    }
    let repositories = store.repositories();
    let Bytes { blobs, uploads, gateway, origin } = bytes(config, blob_url_prefix, &clock, &ids, start).await?;

    let mailer = mailer(&config.mail, &clock, &ids).await?;
    let identity_ports = IdentityPorts {
        credentials: repositories.credentials.clone(),
        sessions: repositories.sessions.clone(),
        rate_limiter: repositories.rate_limiter.clone(),
        mailer,
        clock: clock.clone(),
        ids: ids.clone(),
    };
    let connected_identity =
        ConnectedIdentity::open(&config.identity, identity_ports, config.public_url(), start).await?;

    tracing::info!(
        store = %config.store,
        blobs = %config.blobs,
        identity = %config.identity,
        mail = %config.mail,
        "the gallery's parts are connected"
    );
    let identity = connected_identity.provider();
    let images = Arc::new(Imaging::default());
    Ok(Connected {
        ports: Ports { repositories, blobs, uploads, identity, images, clock, ids },
        gateway,
        blob_origin: origin,
        store,
        identity: connected_identity,
    })
}

impl Connected {
    /// Waits for what goes on behind answers, such as mails: before the program ends.
    pub async fn settle(&self) {
        match &self.identity {
            ConnectedIdentity::Password(identity) => identity.settle().await,
            #[cfg(feature = "cognito")]
            ConnectedIdentity::Cognito(identity) => identity.settle().await,
        }
    }
}

impl ConnectedIdentity {
    async fn open(
        choice: &IdentityChoice,
        ports: IdentityPorts,
        site: url::Url,
        _start: Start,
    ) -> Result<Self, ConnectError> {
        match choice {
            IdentityChoice::Password => Ok(Self::Password(Arc::new(PasswordIdentity::new(ports, site)))),
            #[cfg(feature = "cognito")]
            IdentityChoice::Cognito(settings) => {
                let config = settings.place.load().await;
                let identity = crate::cognito::CognitoIdentity::new(settings, &config, ports, site);
                if _start == Start::Checked {
                    let faults = identity.check().await.map_err(|cause| failed(config::IDENTITY, choice, cause))?;
                    // All that has to be mended, so that it can be mended at once.
                    if !faults.is_empty() {
                        return Err(failed(config::IDENTITY, choice, faults.join("; ")));
                    }
                }
                Ok(Self::Cognito(Arc::new(identity)))
            }
        }
    }

    fn provider(&self) -> Arc<dyn IdentityProvider> {
        match self {
            Self::Password(identity) => identity.clone(),
            #[cfg(feature = "cognito")]
            Self::Cognito(identity) => identity.clone(),
        }
    }
}

impl ConnectedStore {
    /// Writes what the store holds at this moment into a new SQLite file, also while others change it. `path` must not exist.
    /// Fails for a store that has no file to copy.
    pub async fn snapshot_to(&self, path: &Path) -> Result<(), BackendFailure> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.snapshot(path).await,
            #[cfg(feature = "postgres")]
            Store::Postgres(_) => Err(BackendFailure::permanent(
                "postgres",
                "copying the store",
                format!(
                    "a database on a server is not copied to {}: PostgreSQL's own `pg_dump --format=custom` does it",
                    path.display()
                ),
            )),
            #[cfg(feature = "dynamodb")]
            Store::DynamoDb(_) => Err(BackendFailure::permanent(
                "dynamodb",
                "copying the store",
                format!(
                    "tables of DynamoDB are not copied to {}: its own point-in-time recovery and backups do it",
                    path.display()
                ),
            )),
            #[cfg(feature = "memory")]
            Store::Memory(_) => Err(BackendFailure::permanent(
                "memory",
                "copying the store",
                format!(
                    "a store in memory cannot be copied to {}: choose another with {}",
                    path.display(),
                    config::STORE
                ),
            )),
        }
    }

    /// Which versions of the schema the store has, and which this program knows. Changes nothing.
    pub async fn schema_status(&self) -> Result<SchemaStatus, BackendFailure> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.schema_status().await,
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.schema_status().await,
            #[cfg(feature = "dynamodb")]
            Store::DynamoDb(store) => store.schema_status().await,
            #[cfg(feature = "memory")]
            Store::Memory(_) => Ok(SchemaStatus::default()),
        }
    }

    /// Brings the store's schema up to date, and answers which versions that took. Of several processes that do it at once, one does and the
    /// others wait.
    pub async fn migrate_schema(&self) -> Result<Vec<i64>, BackendFailure> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.migrate().await,
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.migrate().await,
            #[cfg(feature = "dynamodb")]
            Store::DynamoDb(store) => {
                let pending = store.schema_status().await?.pending;
                store.provision(false).await.map(|_| pending)
            }
            #[cfg(feature = "memory")]
            Store::Memory(_) => Ok(Vec::new()),
        }
    }

    /// Makes what the store keeps its things in, where a program may do that: the tables of DynamoDB. Answers in words what was done; or would be, if
    /// it is only `pretended`. What is there already stays as it is.
    ///
    /// # Errors
    ///
    /// The place cannot be reached, its tables are others, or the program may not make any.
    pub async fn provision(&self, _pretended: bool) -> Result<Vec<String>, BackendFailure> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(_) => Ok(Vec::new()),
            #[cfg(feature = "postgres")]
            Store::Postgres(_) => Ok(Vec::new()),
            #[cfg(feature = "dynamodb")]
            Store::DynamoDb(store) => {
                let steps = store.provision(_pretended).await?;
                Ok(steps.iter().map(ToString::to_string).collect())
            }
            #[cfg(feature = "memory")]
            Store::Memory(_) => Ok(Vec::new()),
        }
    }

    /// Waits for what is under way and closes the store.
    pub async fn close(&self) {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.close().await,
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.close().await,
            // Each request is answered before its call is.
            #[cfg(feature = "dynamodb")]
            Store::DynamoDb(_) => {}
            #[cfg(feature = "memory")]
            Store::Memory(_) => {}
        }
    }

    /// Opens the store that was chosen, whatever its schema is like.
    pub async fn open(choice: &StoreChoice) -> Result<Self, ConnectError> {
        Ok(Self(match choice {
            #[cfg(feature = "sqlite")]
            StoreChoice::Sqlite(path) => {
                let opened = crate::sqlite::SqliteStore::connect(path, crate::sqlite::SqliteOptions::default()).await;
                Store::Sqlite(opened.map_err(|cause| failed(config::STORE, choice, cause))?)
            }
            #[cfg(feature = "postgres")]
            StoreChoice::Postgres(settings) => {
                let connect = settings.connect_options().clone();
                let store = crate::postgres::PostgresStore::new(connect, settings.options());
                #[cfg(feature = "aws")]
                let store = {
                    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
                    match crate::aws::password_source(settings, clock.clone()).await {
                        Some(source) => store.with_passwords(crate::database_password::Passwords::new(source, clock)),
                        None => store,
                    }
                };
                Store::Postgres(store)
            }
            #[cfg(feature = "dynamodb")]
            StoreChoice::DynamoDb(settings) => {
                let config = aws_sdk_dynamodb::config::Builder::from(&settings.place().load().await);
                let options = crate::dynamodb::DynamoDbOptions::default();
                Store::DynamoDb(crate::dynamodb::DynamoDbStore::new(config, settings.tables().clone(), options))
            }
            #[cfg(feature = "memory")]
            StoreChoice::Memory => Store::Memory(gallery_domain::memory::MemoryStore::new()),
        }))
    }

    /// A file is this gallery's own: its schema is brought up to date. A server may have several programs that do not start at once, and a role
    /// that may not change the schema: there it is looked at only.
    async fn make_usable(&self) -> Result<(), BackendFailure> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.migrate().await.map(drop),
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.check_schema().await,
            #[cfg(feature = "dynamodb")]
            Store::DynamoDb(store) => store.check_schema().await,
            #[cfg(feature = "memory")]
            Store::Memory(_) => Ok(()),
        }
    }

    fn repositories(&self) -> Repositories {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Store::Sqlite(store) => store.repositories(),
            #[cfg(feature = "postgres")]
            Store::Postgres(store) => store.repositories(),
            #[cfg(feature = "dynamodb")]
            Store::DynamoDb(store) => store.repositories(),
            #[cfg(feature = "memory")]
            Store::Memory(store) => store.repositories(),
        }
    }
}

/// A blob store, and what makes URLs to it.
struct Bytes {
    blobs: Arc<dyn BlobStore>,
    uploads: Arc<dyn DirectUpload>,
    gateway: Option<Arc<dyn SignedBlobGateway>>,
    origin: Option<String>,
}

async fn bytes(
    config: &GalleryConfig,
    _blob_url_prefix: &str,
    _clock: &Arc<dyn Clock>,
    _ids: &Arc<dyn IdGenerator>,
    _start: Start,
) -> Result<Bytes, ConnectError> {
    let choice = &config.blobs;
    match choice {
        #[cfg(feature = "filesystem")]
        BlobsChoice::Files(folder) => {
            let opened = crate::filesystem::FileBlobs::open(folder, _clock.now()).await;
            let blobs = opened.map_err(|cause| failed(config::BLOBS, choice, cause))?;
            behind_the_gallery(Arc::new(blobs), &config.data, _blob_url_prefix, &**_ids).await
        }
        #[cfg(feature = "s3")]
        BlobsChoice::S3(settings) => {
            let blobs = crate::s3::S3Blobs::new(settings, &settings.place.load().await);
            let mut origin = None;
            if _start == Start::Checked {
                blobs.check().await.map_err(|cause| failed(config::BLOBS, choice, cause))?;
                let found = blobs.origin(_clock.now()).await.map_err(|cause| failed(config::BLOBS, choice, cause))?;
                origin = Some(found);
            }
            let blobs = Arc::new(blobs);
            Ok(Bytes { uploads: blobs.clone(), blobs, gateway: None, origin })
        }
        // Its own URLs are not used: the signed ones are the same over every store without an HTTP endpoint.
        #[cfg(feature = "memory")]
        BlobsChoice::Memory => {
            let blobs = gallery_domain::memory::MemoryBlobs::new(_ids.clone(), "");
            behind_the_gallery(Arc::new(blobs), &config.data, _blob_url_prefix, &**_ids).await
        }
    }
}

/// A blob store without an HTTP endpoint of its own: the gallery serves it by URLs that it signs.
#[cfg(feature = "signed-urls")]
async fn behind_the_gallery(
    blobs: Arc<dyn BlobStore>,
    data: &Path,
    blob_url_prefix: &str,
    ids: &dyn IdGenerator,
) -> Result<Bytes, ConnectError> {
    let key_file = data.join("signing.key");
    let key = SigningKey::load_or_create(&key_file, ids).await;
    let key = key.map_err(|cause| failed(config::DATA, key_file.display(), cause))?;
    let urls = Arc::new(SignedUrls::new(blobs.clone(), key, blob_url_prefix));
    Ok(Bytes { blobs, uploads: urls.clone(), gateway: Some(urls), origin: None })
}

async fn mailer(
    choice: &MailChoice,
    _clock: &Arc<dyn Clock>,
    _ids: &Arc<dyn IdGenerator>,
) -> Result<Arc<dyn Mailer>, ConnectError> {
    match choice {
        #[cfg(feature = "outbox")]
        MailChoice::Outbox(folder) => {
            let opened = crate::mail::Outbox::open(folder, _clock.clone(), _ids.clone()).await;
            Ok(Arc::new(opened.map_err(|cause| failed(config::MAIL, choice, cause))?))
        }
        #[cfg(feature = "smtp")]
        MailChoice::Smtp(settings) => {
            let prepared = crate::mail::Smtp::new(settings.clone(), _clock.clone(), _ids.clone());
            Ok(Arc::new(prepared.map_err(|cause| failed(config::MAIL, choice, cause))?))
        }
        #[cfg(feature = "ses")]
        MailChoice::Ses(settings) => Ok(Arc::new(crate::mail::Ses::new(settings, &settings.place.load().await))),
    }
}

pub(crate) fn failed(
    variable: &'static str,
    part: impl std::fmt::Display,
    cause: impl Into<Box<dyn Error + Send + Sync>>,
) -> ConnectError {
    ConnectError { variable, part: part.to_string(), source: cause.into() }
}

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests {
    use gallery_domain::ports::{BlobInfo, SignedRequest, byte_stream};
    use gallery_domain::services::{Gallery, Policy, SignUp};
    use gallery_domain::{MediaType, PageRequest, PageSize, Password, PersonName, Sha256Digest};

    use super::*;

    fn config(data: &std::path::Path) -> GalleryConfig {
        let data = data.to_str().unwrap().to_owned();
        GalleryConfig::from_lookup(|name| (name == config::DATA).then(|| data.clone())).unwrap()
    }

    async fn connected(config: &GalleryConfig) -> Result<Connected, ConnectError> {
        connect(config, BLOB_URL_PREFIX).await
    }

    async fn create_ada(connected: &Connected) {
        let sign_up = SignUp {
            email: "ada@example.org".parse().unwrap(),
            password: Password::parse("correct horse battery").unwrap(),
            name: PersonName::parse("Ada").unwrap(),
        };
        let gallery = Gallery::new(connected.ports.clone(), Policy::default());
        gallery.accounts.create_confirmed(&sign_up).await.unwrap();
    }

    async fn addresses(connected: &Connected) -> Vec<String> {
        let users = connected.ports.repositories.users.all(PageRequest::first(PageSize::MAX)).await.unwrap();
        users.items.into_iter().map(|user| user.email.to_string()).collect()
    }

    #[tokio::test]
    async fn a_copy_of_the_store_opens_as_a_gallery_with_the_same_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let live = connected(&config(&folder.path().join("live"))).await.unwrap();
        create_ada(&live).await;
        let copied = folder.path().join("copy");
        std::fs::create_dir(&copied).unwrap();
        live.store.snapshot_to(&copied.join("gallery.db")).await.unwrap();

        let copy = connected(&config(&copied)).await.unwrap();
        assert_eq!(addresses(&copy).await, ["ada@example.org"]);
        for gallery in [live, copy] {
            gallery.settle().await;
            gallery.store.close().await;
            assert!(gallery.ports.repositories.work.next_due().await.is_err(), "a closed store answers nothing");
        }
    }

    #[cfg(feature = "memory")]
    #[tokio::test]
    async fn a_store_in_memory_keeps_accounts_until_it_is_dropped_and_cannot_be_copied() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        (config.store, config.blobs) = (StoreChoice::Memory, BlobsChoice::Memory);
        let first = connected(&config).await.unwrap();
        create_ada(&first).await;
        assert_eq!(addresses(&first).await, ["ada@example.org"]);
        let copy = folder.path().join("copy.db");
        let refused = first.store.snapshot_to(&copy).await.unwrap_err();
        assert!(refused.source().is_some_and(|why| why.to_string().contains("choose another with GALLERY_STORE")));
        assert!(!copy.exists());

        let second = connected(&config).await.unwrap();
        assert_eq!(addresses(&second).await, [""; 0]);
    }

    #[tokio::test]
    async fn an_upload_url_from_before_a_restart_is_good_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder.path().join("data"));
        let before = connected(&config).await.unwrap();
        let key = "incoming/a/b".parse().unwrap();
        let info = BlobInfo { content_type: MediaType::Jpeg, bytes: 1, sha256: Sha256Digest::of(b"x") };
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
        for (file, variable) in [
            ("gallery.db", config::STORE),
            ("blobs", config::BLOBS),
            ("outbox", config::MAIL),
            ("signing.key", config::DATA),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), b"neither a database nor a folder nor a key").unwrap();
            let error = connected(&config(folder.path())).await.unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(error.to_string().ends_with(&format!("choose another place with {variable}")), "{error}");
            assert!(error.source().is_some());
        }
    }
}
