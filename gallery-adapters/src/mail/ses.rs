//! Mail over Amazon SES.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use gallery_domain::ports::{BackendFailure, Mail, Mailer};
use gallery_domain::{EmailAddress, InvalidValue};
use url::Url;

use crate::aws::AwsPlace;
use crate::aws::failure::Asking;

/// Hands mails to SES.
#[derive(Clone)]
pub struct Ses {
    client: Client,
    from: EmailAddress,
}

impl Ses {
    /// Prepares to send with the credentials and the region of `config`; SES is first spoken to by [`check`](Self::check) or with the first mail.
    pub fn new(settings: &SesSettings, config: &SdkConfig) -> Self {
        Self { client: Client::new(config), from: settings.from.clone() }
    }

    /// Looks whether the account may send mail.
    ///
    /// # Errors
    ///
    /// Says what to mend: credentials that are missing, wrong or lack a permission, sending that was paused, a service that is out of reach.
    pub async fn check(&self) -> Result<(), BackendFailure> {
        let account = self.client.get_account().send().await;
        let account = account.map_err(|error| {
            ASKING.failure("check", &error, |code| {
                (code == "AccessDeniedException").then(|| needs("ses:GetAccount, which `gallery doctor` asks with"))
            })
        })?;
        if account.sending_enabled() {
            Ok(())
        } else {
            let paused = "sending is paused for this AWS account: see the SES console for the reason";
            Err(BackendFailure::permanent(ASKING.backend, "check", paused))
        }
    }
}

/// Shows the sender.
impl fmt::Debug for Ses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ses").field("from", &self.from).finish_non_exhaustive()
    }
}

#[async_trait]
impl Mailer for Ses {
    async fn send(&self, mail: &Mail) -> Result<(), BackendFailure> {
        let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let invalid = |error| BackendFailure::permanent(ASKING.backend, SEND, error);
        let subject = content(&mail.subject).map_err(invalid)?;
        let text = Body::builder().text(content(&mail.text).map_err(invalid)?).build();
        self.client
            .send_email()
            .from_email_address(format!("Gallery <{}>", self.from))
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(EmailContent::builder().simple(Message::builder().subject(subject).body(text).build()).build())
            .send()
            .await
            .map(drop)
            .map_err(|error| failure(&error))
    }
}

/// From whom, and by which SES: `ses:?from=gallery@example.org&region=eu-central-1`, and an `endpoint` where it is not that of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SesSettings {
    /// The sender, whose address or domain is verified with SES.
    pub from: EmailAddress,
    /// Where SES is.
    pub place: AwsPlace,
}

impl FromStr for SesSettings {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "ses" && url.path().is_empty() && !url.has_host());
        let url = url.ok_or_else(|| invalid("is not of the form ses:?from=gallery@example.org&region=eu-central-1"))?;
        let mut from = None;
        let place = AwsPlace::from_query(&url, |name, value| {
            if name != "from" {
                let known = "there are `from`, `region` and `endpoint`";
                return Err(invalid(format!("has the unknown parameter `{name}`: {known}")));
            }
            let address = value.parse().map_err(|_| invalid("has a `from` that is not an e-mail address"))?;
            from = Some(address);
            Ok(())
        })?;
        let from = from.ok_or_else(|| invalid("says no sender: add ?from=gallery@example.org"))?;
        Ok(Self { from, place })
    }
}

/// The service and where it is.
impl fmt::Display for SesSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ses:{}", self.place)
    }
}

const ASKING: Asking = Asking { backend: "ses", variable: crate::config::MAIL };
const SEND: &str = "send";

fn failure(error: &SdkError<SendEmailError>) -> BackendFailure {
    ASKING.failure(SEND, error, |code| {
        let words = match code {
            // Its words name the address.
            "MessageRejected" => {
                "SES refuses the mail: verify the sender's address or domain, and ask for production access, or else the recipient's too"
            }
            "MailFromDomainNotVerifiedException" => "the domain that mail is sent from is not verified with SES",
            "AccountSuspendedException" | "SendingPausedException" => {
                "sending is paused for this AWS account: see the SES console for the reason"
            }
            "NotFoundException" => "SES does not know the sender: verify its address or domain in this region",
            "BadRequestException" => "SES does not take this kind of address or mail",
            "AccessDeniedException" => return Some(needs("ses:SendEmail on the sender's identity")),
            _ => return None,
        };
        Some(words.to_owned())
    })
}

fn needs(permission: &str) -> String {
    format!("the credentials lack the permission {permission}")
}

fn invalid(reason: impl Into<String>) -> InvalidValue {
    InvalidValue::new(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_and_a_place_are_read() {
        let settings: SesSettings = "ses:?from=gallery@example.org&region=eu-central-1".parse().unwrap();
        assert_eq!(settings.from.as_str(), "gallery@example.org");
        assert_eq!(settings.to_string(), "ses:?region=eu-central-1");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("ses:", "says no sender"),
            ("ses:?from=nobody", "not an e-mail address"),
            ("ses://mail?from=gallery@example.org", "is not of the form"),
            ("ses:somewhere?from=gallery@example.org", "is not of the form"),
            ("ses:?from=gallery@example.org&password=hunter2", "unknown parameter `password`"),
        ] {
            let said = text.parse::<SesSettings>().unwrap_err();
            assert!(said.reason().contains(part) && !said.reason().contains("hunter2"), "{text}: {said}");
        }
    }
}
