//! Mail into a folder, for whoever runs a gallery on their own machine.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gallery_domain::Timestamp;
use gallery_domain::ports::{BackendFailure, Clock, IdGenerator, Mail, Mailer};

use crate::private;

/// Writes each mail into a file of its own, which any mail program opens, and logs which file it is.
///
/// The files sort by time. The newest holds the code or the link that was asked for last; those older than a day are removed when a new one comes.
#[derive(Debug)]
pub struct Outbox {
    folder: Arc<PathBuf>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl Outbox {
    /// Opens the folder, making it if need be.
    pub async fn open(
        folder: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, BackendFailure> {
        let folder = Arc::new(folder.into());
        off_thread("open", {
            let folder = folder.clone();
            move || private::make_folders(&folder)
        })
        .await?;
        Ok(Self { folder, clock, ids })
    }
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &Mail) -> Result<(), BackendFailure> {
        let now = self.clock.now();
        let id = self.ids.new_id(now).simple().to_string();
        let path = self.folder.join(file_name(now, &id));
        let text = message(mail, now, &id);
        off_thread("send", {
            let (folder, path) = (self.folder.clone(), path.clone());
            move || {
                forget_before(&folder, &file_name(now.minus(KEPT_FOR), ""))?;
                write(&folder, &path, &text)
            }
        })
        .await?;
        // Neither address nor text: the log may be read by others than the mail.
        tracing::info!(file = %path.display(), "a mail waits in the outbox: open this file to read it");
        Ok(())
    }
}

const BACKEND: &str = "outbox";

/// How long a mail is kept: longer than anything in it works, and not so long that addresses of accounts that are gone pile up.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// Such as `2024-06-01T12-30-00.123Z-<id>.eml`: by time, and without the colons that some systems refuse.
fn file_name(now: Timestamp, id: &str) -> String {
    format!("{}-{id}.eml", now.to_string().replace(':', "-"))
}

/// RFC 5322, with bare line feeds, as files on this machine have them.
fn message(mail: &Mail, now: Timestamp, id: &str) -> String {
    let mut message = String::new();
    let date = now.to_utc().strftime("%a, %d %b %Y %H:%M:%S +0000");
    for (name, value) in [
        ("From", "Gallery <gallery@localhost>"),
        ("To", mail.to.as_str()),
        ("Subject", &one_line(&mail.subject)),
        ("Date", &date.to_string()),
        ("Message-ID", &format!("<{id}@localhost>")),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
    ] {
        let _ = writeln!(message, "{name}: {value}");
    }
    message.push('\n');
    message.push_str(&mail.text);
    message
}

/// A line break in a header would begin another header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Removes the mails whose names come before this one.
fn forget_before(folder: &Path, first: &str) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let is_old = name.to_str().is_some_and(|name| name.ends_with(".eml") && is_dated(name) && name < first);
        if is_old && let Err(error) = fs::remove_file(entry.path()) {
            // Another process may have removed it first.
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Whether a file's name begins as the outbox names its mails; others are not the outbox's to remove.
fn is_dated(name: &str) -> bool {
    name.get(..11).is_some_and(|start| {
        start.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            _ => byte.is_ascii_digit(),
        })
    })
}

/// Writes a file that appears whole or not at all, and that only its owner may read.
fn write(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    private::make_folders(folder)?;
    let mut file = tempfile::Builder::new().prefix(".").suffix(".partial").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

async fn off_thread(
    operation: &'static str,
    work: impl FnOnce() -> io::Result<()> + Send + 'static,
) -> Result<(), BackendFailure> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|gone| Err(io::Error::other(gone)));
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BackendFailure::transient(
            BACKEND,
            operation,
            format!("the disk is full: make room for the outbox ({})", error.kind()),
        ),
        kind => BackendFailure::permanent(
            BACKEND,
            operation,
            format!("the folder of GALLERY_MAIL cannot be written to ({kind}): give the gallery's user the right, or choose another folder"),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{SystemClock, SystemIds};

    async fn outbox(folder: &Path) -> Outbox {
        Outbox::open(folder, Arc::new(SystemClock), Arc::new(SystemIds::default())).await.unwrap()
    }

    fn mail(text: &str) -> Mail {
        let to = "ada@example.org".parse().unwrap();
        Mail { to, subject: "Your code\r\nBcc: eve@example.org".to_owned(), text: text.to_owned() }
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut files: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        files
    }

    #[tokio::test]
    async fn each_mail_is_a_file_and_the_newest_comes_last() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("data/outbox");
        let outbox = outbox(&folder).await;
        for n in 0..20 {
            outbox.send(&mail(&format!("Grüße\n\n{n:08}\n"))).await.unwrap();
        }
        let files = files(&folder);
        assert_eq!(files.len(), 20);
        for (n, file) in files.iter().enumerate() {
            assert!(file.ends_with(".eml"));
            let text = fs::read_to_string(folder.join(file)).unwrap();
            assert!(text.lines().any(|line| line == format!("{n:08}")), "{text}");
        }
    }

    #[test]
    fn a_mail_is_a_message_that_mail_programs_read_and_no_header_can_be_smuggled_in() {
        let now = Timestamp::from_millis(1_717_245_000_123);
        assert_eq!(file_name(now, "id"), "2024-06-01T12-30-00.123Z-id.eml");
        assert_eq!(
            message(&mail("Hello\n"), now, "id"),
            "From: Gallery <gallery@localhost>\n\
             To: ada@example.org\n\
             Subject: Your code  Bcc: eve@example.org\n\
             Date: Sat, 01 Jun 2024 12:30:00 +0000\n\
             Message-ID: <id@localhost>\n\
             MIME-Version: 1.0\n\
             Content-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n\
             \n\
             Hello\n"
        );
    }

    #[tokio::test]
    async fn mails_are_forgotten_after_a_day_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let (old, young) = (now.minus(KEPT_FOR + KEPT_FOR), now.minus(KEPT_FOR / 2));
        let kept = [file_name(young, "a"), "2001 my notes.eml".to_owned(), "2001-01-01-notes.txt".to_owned()];
        for name in kept.iter().chain([&file_name(old, "a")]) {
            fs::write(folder.path().join(name), b"").unwrap();
        }
        outbox(folder.path()).await.send(&mail("new")).await.unwrap();
        let left = files(folder.path());
        assert_eq!(left.len(), kept.len() + 1, "{left:?}");
        assert!(kept.iter().all(|name| left.contains(name)), "{left:?}");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_is_said_in_words() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("outbox"), b"").unwrap();
        let path = folder.path().join("outbox");
        let opened = Outbox::open(path, Arc::new(SystemClock), Arc::new(SystemIds::default())).await;
        let failure = opened.unwrap_err();
        assert!(!failure.is_transient());
        assert!(failure.source.to_string().contains("GALLERY_MAIL"), "{}", failure.source);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_on_the_machine_reads_the_mail() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("outbox");
        outbox(&folder).await.send(&mail("secret")).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(&files(&folder)[0])), 0o600);
    }
}
