//! Mail arrives as it was sent, in the outbox folder and at a mail server.

#![cfg(any(feature = "outbox", feature = "smtp"))]

#[path = "mail/message.rs"]
mod message;

#[cfg(feature = "outbox")]
mod in_the_outbox {
    use std::fs;
    use std::sync::Arc;

    use gallery_adapters::mail;
    use gallery_adapters::system::{SystemClock, SystemIds};
    use gallery_domain::conformance::Fixture;
    use gallery_domain::conformance::mailer::Outbox;

    use super::message;

    /// An empty folder, and whoever opens its files.
    async fn folder() -> Fixture<Outbox> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().to_owned();
        let mailer = mail::Outbox::open(&path, Arc::new(SystemClock), Arc::new(SystemIds::default())).await;
        let arrived = move || {
            let files = fs::read_dir(&path).expect("the folder is there").map(|entry| entry.expect("a file").path());
            files.map(|file| message::read(&fs::read_to_string(file).expect("a mail is text"))).collect()
        };
        let mailer = Arc::new(mailer.expect("the folder can be used"));
        Fixture::new(Outbox { mailer, arrived: Box::new(arrived) }).keeping(folder)
    }

    gallery_domain::conformance::mailer_suite!(folder().await);
}

#[cfg(feature = "smtp")]
mod at_a_mail_server {
    use std::sync::{Arc, Mutex};

    use gallery_adapters::mail::Smtp;
    use gallery_adapters::system::{SystemClock, SystemIds};
    use gallery_domain::conformance::mailer::Outbox;
    use gallery_domain::ports::Mail;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::message;

    /// A mail server on this machine, for as many connections as come.
    async fn server() -> Outbox {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = mails.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, kept.clone()));
            }
        });
        let settings = format!("smtp://127.0.0.1:{port}?tls=none&from=gallery@example.org");
        let settings = settings.parse().expect("the settings are right");
        let mailer = Smtp::new(settings, Arc::new(SystemClock), Arc::new(SystemIds::default()));
        Outbox {
            mailer: Arc::new(mailer.expect("nothing is spoken to yet")),
            arrived: Box::new(move || mails.lock().expect("nobody panics").clone()),
        }
    }

    async fn serve(stream: TcpStream, mails: Arc<Mutex<Vec<Mail>>>) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 test\r\n").await?;
        let mut data: Option<String> = None;
        while let Some(line) = lines.next_line().await? {
            let reply = match &mut data {
                Some(text) if line == "." => {
                    mails.lock().expect("nobody panics").push(message::read(text));
                    data = None;
                    "250 kept"
                }
                Some(text) => {
                    // RFC 5321, section 4.5.2: a dot at the beginning was doubled.
                    text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    text.push('\n');
                    continue;
                }
                None if line.starts_with("EHLO") => "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8",
                None if line == "DATA" => {
                    data = Some(String::new());
                    "354 go on"
                }
                None => "250 fine",
            };
            writer.write_all(format!("{reply}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    gallery_domain::conformance::mailer_suite!(server().await);
}
