//! The mails that a MiniStack was handed.

#![allow(dead_code, reason = "not every test needs all of it")]

use gallery_domain::ports::Mail;
use serde_json::Value;

use crate::aws_servers::Server;

/// Lets anybody at example.org send and receive.
#[cfg(feature = "ses")]
pub(crate) async fn verified_domain(server: &Server) {
    let client = aws_sdk_sesv2::Client::new(&server.config().await);
    // Whoever comes second finds it there.
    let _ = client.create_email_identity().email_identity("example.org").send().await;
}

/// Whoever sends from an address.
#[cfg(feature = "ses")]
pub(crate) async fn mailer_of(server: &Server, from: &str) -> gallery_adapters::mail::Ses {
    let settings = format!("ses:?from={from}").parse().expect("the settings are right");
    gallery_adapters::mail::Ses::new(&settings, &server.config().await)
}

/// What was sent from an address, oldest first.
pub(crate) fn sent_from(server: &Server, from: &str) -> Vec<Mail> {
    let from = format!("<{from}>");
    all(server).into_iter().filter(|(source, _)| source.contains(&from)).map(|(_, mail)| mail).collect()
}

/// Every mail with its sender, oldest first.
pub(crate) fn all(server: &Server) -> Vec<(String, Mail)> {
    let url = server.endpoint.join("/_ministack/ses/messages").expect("a URL");
    // The suite asks where nothing waits.
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { reqwest::get(url).await?.json::<Value>().await })
    });
    let answer = asking.join().expect("the thread ends").expect("the server answers");
    let messages =
        answer["messages"].as_object().into_iter().flatten().flat_map(|(_, of_account)| of_account.as_array());
    let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
    messages
        .flatten()
        .map(|message| {
            let to = message["To"][0].as_str().expect("a recipient").parse().expect("an address");
            let mail = Mail { to, subject: text(message, "Subject"), text: text(message, "BodyText") };
            (text(message, "Source"), mail)
        })
        .collect()
}
