//! The gallery of a data folder, opened by the adapters that the environment chooses.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use gallery_adapters::config::GalleryConfig;
use gallery_adapters::connect::{BLOB_URL_PREFIX, Connected, connect};
use gallery_domain::services::{Gallery, Policy, Ports};
use gallery_domain::{Actor, EmailAddress, PageRequest, PageSize, UserStatus};

use super::console::explain;
use super::replacement;

/// An open gallery. [`close`](Self::close) it, so that nothing that goes on behind it is cut off.
pub(super) struct Opened {
    pub(super) gallery: Gallery,
    pub(super) connected: Connected,
    pub(super) config: GalleryConfig,
    _use: File,
}

impl Opened {
    /// Opens the gallery that the environment describes, and makes it if there is none.
    pub(super) async fn open(config: GalleryConfig) -> anyhow::Result<Self> {
        make_private_folder(&config.data)?;
        let in_use = lock_for_use(&config.data)?;
        let connected = connect(&config, BLOB_URL_PREFIX).await?;
        let gallery = Gallery::new(connected.ports.clone(), Policy::default());
        Ok(Self { gallery, connected, config, _use: in_use })
    }

    /// Opens the gallery of a data folder; makes none where there is none.
    pub(super) async fn existing(data: &Path) -> anyhow::Result<Self> {
        Self::open(configure_existing(data)?).await
    }

    pub(super) fn ports(&self) -> &Ports {
        &self.connected.ports
    }

    /// Acts for the account of this address, or for the only account there is.
    pub(super) async fn actor(&self, user: Option<&EmailAddress>) -> anyhow::Result<Actor> {
        let email = match user {
            Some(email) => email.clone(),
            None => self.only_account().await?,
        };
        let accounts = &self.gallery.accounts;
        let nobody = || anyhow!("there is no account {}: see `gallery user list`", email.as_str());
        accounts.act_for(&email).await.map_err(|error| match error {
            gallery_domain::GalleryError::NotFound(_) => nobody(),
            other => explain(other),
        })
    }

    async fn only_account(&self) -> anyhow::Result<EmailAddress> {
        let mut only = None;
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let users = self.gallery.accounts.list(page).await.map_err(explain)?;
            for user in users.items.into_iter().filter(|user| user.status == UserStatus::Active) {
                if only.replace(user.email).is_some() {
                    bail!("there are several accounts: say whose photos these are with --user EMAIL");
                }
            }
            match users.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => break,
            }
        }
        only.ok_or_else(|| {
            anyhow!("there is no account yet: make one with `gallery user create EMAIL --name NAME`, or sign up on the gallery's page")
        })
    }

    /// Waits for what goes on behind answers, and closes the store.
    pub(super) async fn close(self) {
        self.connected.settle().await;
        self.connected.store.close().await;
    }
}

/// The configuration of this process's environment, with the data folder of the command line.
pub(super) fn configure(data: &Path) -> anyhow::Result<GalleryConfig> {
    configure_with(data, None)
}

/// The same where there is a gallery already.
pub(super) fn configure_existing(data: &Path) -> anyhow::Result<GalleryConfig> {
    let config = configure(data)?;
    if config.store.file().is_some_and(|file| !file.exists()) && !replacement::was_cut_off(data) {
        bail!(
            "there is no gallery in {}: name its folder with --data, or begin one with `gallery serve` or `gallery user create`",
            data.display()
        );
    }
    Ok(config)
}

/// As [`configure`], for a server that is reached at an address, unless the environment names another.
pub(super) fn configure_at(data: &Path, address: &str) -> anyhow::Result<GalleryConfig> {
    configure_with(data, Some(address))
}

/// The configuration of a gallery all of which is in one folder, whatever the environment says.
pub(super) fn configure_copy(folder: &Path) -> anyhow::Result<GalleryConfig> {
    let folder = unicode(folder)?;
    Ok(GalleryConfig::from_lookup(|name| (name == "GALLERY_DATA").then(|| folder.to_owned()))?)
}

fn unicode(folder: &Path) -> anyhow::Result<&str> {
    folder
        .to_str()
        .ok_or_else(|| anyhow!("the folder {} has a name that is not UTF-8: choose another", folder.display()))
}

fn configure_with(data: &Path, address: Option<&str>) -> anyhow::Result<GalleryConfig> {
    let folder = unicode(data)?;
    let lookup = |name: &str| match name {
        "GALLERY_DATA" => Some(folder.to_owned()),
        "GALLERY_PUBLIC_URL" => {
            let public = std::env::var(name).ok().filter(|url| !url.trim().is_empty());
            public.or_else(|| address.map(str::to_owned))
        }
        _ => std::env::var(name).ok(),
    };
    Ok(GalleryConfig::from_lookup(lookup)?)
}

/// Makes a folder that only its owner may look into, if it is absent.
pub(super) fn make_private_folder(folder: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).with_context(|| {
        format!("cannot make the gallery's folder {}: mend the cause, or choose another with --data", folder.display())
    })
}

/// Holds the data folder in use, so that nobody restores another gallery over it meanwhile. Many may use it at once.
pub(super) fn lock_for_use(data: &Path) -> anyhow::Result<File> {
    let lock = open_lock(data)?;
    // Whoever restores holds the lock: if nobody does, that was cut off when only the last step was left.
    if replacement::was_cut_off(data) && lock.try_lock().is_ok() {
        replacement::finish(data).context("cannot finish a restore that was cut off")?;
        lock.unlock()?;
    }
    match lock.try_lock_shared() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("a backup is being restored into {}: wait until that is done", data.display())
        }
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock the data folder"),
    }
}

/// Holds the data folder alone: as long as this is open no other process uses it.
pub(super) fn lock_alone(data: &Path) -> anyhow::Result<File> {
    let lock = open_lock(data)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("a gallery is using {}: stop it first", data.display())
        }
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock the data folder"),
    }
}

/// The name of the file in the data folder by which processes tell that they use it.
pub(super) const LOCK_FILE: &str = "lock";

fn open_lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join(LOCK_FILE);
    File::options().create(true).truncate(false).write(true).open(&path).with_context(|| {
        format!(
            "cannot write to the gallery's folder {}: mend the cause, or choose another with --data",
            data.display()
        )
    })
}
