//! Mail over SMTP.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use gallery_domain::ports::{BackendFailure, Clock, IdGenerator, Mail, Mailer, Retry};
use gallery_domain::{EmailAddress, InvalidValue, Timestamp};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Hands mails to a mail server.
#[derive(Debug)]
pub struct Smtp {
    settings: SmtpSettings,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl Smtp {
    /// Prepares to send; the server is first spoken to with the first mail.
    pub fn new(
        settings: SmtpSettings,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, BackendFailure> {
        let tls = match settings.tls {
            TlsMode::None => Tls::None,
            TlsMode::StartTls => Tls::Required(tls_parameters(&settings.host)?),
            TlsMode::Wrapped => Tls::Wrapper(tls_parameters(&settings.host)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .timeout(Some(TIMEOUT))
            .tls(tls);
        if let Some((user, password)) = &settings.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), settings, clock, ids })
    }

    fn message(&self, mail: &Mail) -> Result<Message, BackendFailure> {
        let now = self.clock.now();
        let id = self.ids.new_id(now).simple();
        let from = &self.settings.from;
        let domain = from.as_str().rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let built = Message::builder()
            .from(Mailbox::new(Some("Gallery".to_owned()), address(from)?))
            .to(Mailbox::new(None, address(&mail.to)?))
            .subject(&mail.subject)
            .date(system_time(now))
            .message_id(Some(format!("<{id}@{domain}>")))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone());
        built.map_err(|error| BackendFailure::permanent(BACKEND, SEND, error))
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, mail: &Mail) -> Result<(), BackendFailure> {
        let message = self.message(mail)?;
        match tokio::time::timeout(DEADLINE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(late) => Err(later("the mail server did not answer in time", late)),
        }
    }
}

/// Which mail server, how, and from whom: `smtp://user:password@host:port?tls=starttls&from=gallery@example.org`.
///
/// - `smtp://` asks for TLS on a plain connection (STARTTLS, port 587) and sends nothing without it; `?tls=none` never does (port 25).
///   `smtps://` begins with TLS (port 465).
/// - User and password are percent-encoded, and never sent without TLS other than to this machine.
/// - `from` is the sender's address.
#[derive(Clone)]
pub struct SmtpSettings {
    host: String,
    port: u16,
    tls: TlsMode,
    credentials: Option<(String, SecretString)>,
    from: EmailAddress,
}

impl FromStr for SmtpSettings {
    type Err = InvalidValue;

    /// No error repeats the text: it may hold a password.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url = Url::parse(text).map_err(|_| {
            invalid("is not a URL such as smtp://user:password@mail.example.org?from=gallery@example.org")
        })?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| invalid("names no mail server"))?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(invalid(
                "has something behind the mail server's name: in a user name or password, write `/` as %2F, `#` as %23, `?` as %3F and `@` as %40",
            ));
        }
        let (mut tls, mut from) = (None, None);
        for (name, value) in url.query_pairs() {
            let place = match &*name {
                "tls" => &mut tls,
                "from" => &mut from,
                _ => return Err(invalid(format!("has the unknown parameter `{name}`: there are `tls` and `from`"))),
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(invalid(format!("has the parameter `{name}` twice")));
            }
        }
        let tls = TlsMode::choose(url.scheme(), tls.as_deref())?;
        let from = from.ok_or_else(|| invalid("says no sender: add ?from=gallery@example.org"))?;
        let from = from.parse().map_err(|_| invalid("has a `from` that is not an e-mail address"))?;
        let settings = Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(tls.usual_port()),
            tls,
            credentials: credentials(&url)?,
            from,
        };
        if settings.credentials.is_some() && tls == TlsMode::None && !settings.is_local() {
            return Err(invalid("would send the password without TLS: use smtp:// without tls=none, or smtps://"));
        }
        Ok(settings)
    }
}

/// Shows no password.
impl fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("with_password", &self.credentials.is_some())
            .field("from", &self.from)
            .finish()
    }
}

/// Server and port.
impl fmt::Display for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl SmtpSettings {
    fn is_local(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

const BACKEND: &str = "smtp";
const SEND: &str = "send";
/// For each thing that the server is asked.
const TIMEOUT: Duration = Duration::from_secs(10);
/// For a whole mail.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TlsMode {
    None,
    StartTls,
    Wrapped,
}

impl TlsMode {
    fn choose(scheme: &str, tls: Option<&str>) -> Result<Self, InvalidValue> {
        match (scheme, tls) {
            ("smtps", None | Some("required")) => Ok(Self::Wrapped),
            ("smtps", _) => Err(invalid("has a `tls` that does not go with smtps://: leave it out")),
            ("smtp", None | Some("starttls" | "required")) => Ok(Self::StartTls),
            ("smtp", Some("none")) => Ok(Self::None),
            ("smtp", _) => Err(invalid("has an unknown `tls`: there are `starttls`, `required` and `none`")),
            _ => Err(invalid("does not start with smtp:// or smtps://")),
        }
    }

    const fn usual_port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Wrapped => 465,
        }
    }
}

/// What went wrong, in words that hold no address: a server's own words often do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Trouble(String);

fn invalid(reason: impl Into<String>) -> InvalidValue {
    InvalidValue::new(reason)
}

fn credentials(url: &Url) -> Result<Option<(String, SecretString)>, InvalidValue> {
    let decode = |text: &str| {
        // A `+` is a `+` here, and not a space as in a query.
        let text = text.replace('+', "%2B");
        let decoded = url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
        decoded.unwrap_or_default()
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", _) | (_, None) => Err(invalid("needs both a user and a password, or neither")),
        (user, Some(password)) => Ok(Some((decode(user), decode(password).into()))),
    }
}

fn tls_parameters(host: &str) -> Result<TlsParameters, BackendFailure> {
    TlsParameters::new(host.to_owned()).map_err(|error| BackendFailure::permanent(BACKEND, "prepare", error))
}

fn address(address: &EmailAddress) -> Result<Address, BackendFailure> {
    let parsed = address.as_str().parse();
    // The cause would repeat nothing of the address, and says nothing more either.
    parsed
        .map_err(|_| BackendFailure::permanent(BACKEND, SEND, Trouble("SMTP cannot carry this kind of address".into())))
}

fn system_time(moment: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(moment.as_millis()).unwrap_or(0))
}

fn failure(error: &SmtpError) -> BackendFailure {
    if let Some(code) = error.status() {
        let trouble = Trouble(format!("the mail server answered {code}"));
        return if error.is_permanent() {
            BackendFailure::permanent(BACKEND, SEND, trouble)
        } else {
            later("", trouble)
        };
    }
    if error.is_tls() {
        let advice =
            "no safe connection to the mail server: check its name and certificate, and the `tls` of GALLERY_MAIL";
        return BackendFailure::permanent(BACKEND, SEND, Trouble(advice.into()));
    }
    if error.is_client() {
        let advice =
            "the mail server offers no TLS, no log-in that the gallery knows, or does not take this kind of address";
        return BackendFailure::permanent(BACKEND, SEND, Trouble(advice.into()));
    }
    later("the mail server is out of reach or does not speak SMTP", "connection failed")
}

/// A failure that is worth another try, though not at once: mail servers put off whoever hurries.
fn later(what: &str, cause: impl fmt::Display) -> BackendFailure {
    let trouble = if what.is_empty() { cause.to_string() } else { format!("{what} ({cause})") };
    BackendFailure {
        retry: Retry::After(Duration::from_secs(30)),
        ..BackendFailure::transient(BACKEND, SEND, Trouble(trouble))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::system::{SystemClock, SystemIds};

    /// A mail server for one connection: answers each command by `answer`, and gives back all that it was told.
    async fn server(answer: impl Fn(&str) -> &'static str + Send + 'static) -> (u16, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            let mut told = Vec::new();
            writer.write_all(b"220 test\r\n").await.unwrap();
            let mut in_data = false;
            while let Ok(Some(line)) = lines.next_line().await {
                told.push(line.clone());
                if in_data && line != "." {
                    continue;
                }
                let reply = answer(&line);
                in_data = reply.starts_with("354");
                writer.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
                if line == "QUIT" {
                    break;
                }
            }
            told
        });
        (port, served)
    }

    /// What a mail server without TLS says when all is well.
    fn agreeable(line: &str) -> &'static str {
        match line.split(' ').next() {
            Some("EHLO") => "250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            Some("AUTH") => "235 welcome",
            Some("DATA") => "354 go on",
            Some("QUIT") => "221 bye",
            _ => "250 fine",
        }
    }

    fn smtp(url: &str) -> Smtp {
        Smtp::new(url.parse().unwrap(), Arc::new(SystemClock), Arc::new(SystemIds::default())).unwrap()
    }

    fn mail() -> Mail {
        let text = "Your code:\n\n12345678\n".to_owned();
        Mail { to: "ada@example.org".parse().unwrap(), subject: "Your code\r\nBcc: eve@example.org".to_owned(), text }
    }

    fn refusal(url: &str) -> String {
        url.parse::<SmtpSettings>().unwrap_err().reason().to_owned()
    }

    #[tokio::test]
    async fn a_mail_reaches_the_server_with_its_text_and_sender() {
        let (port, served) = server(agreeable).await;
        let smtp = smtp(&format!("smtp://us%40er:p%2Bw+d@127.0.0.1:{port}?tls=none&from=gallery@example.org"));
        smtp.send(&mail()).await.unwrap();
        let told = served.await.unwrap();
        let has = |wanted: &str| assert!(told.iter().any(|line| line == wanted), "{wanted}: {told:#?}");
        has(&format!("AUTH PLAIN {}", data_encoding::BASE64.encode(b"\0us@er\0p+w+d")));
        assert!(told.iter().any(|line| line.starts_with("MAIL FROM:<gallery@example.org>")), "{told:#?}");
        assert!(told.iter().any(|line| line.starts_with("RCPT TO:<ada@example.org>")), "{told:#?}");
        has("From: Gallery <gallery@example.org>");
        has("To: ada@example.org");
        has("Content-Type: text/plain; charset=utf-8");
        has("12345678");
        assert!(!told.iter().any(|line| line.starts_with("Bcc:")), "no header is smuggled in: {told:#?}");
        assert!(told.iter().any(|line| line.starts_with("Message-ID: <") && line.ends_with("@example.org>")));
    }

    #[tokio::test]
    async fn what_the_server_refuses_for_good_is_not_tried_again_and_its_words_are_not_repeated() {
        let (port, served) = server(|line| match line.split(':').next() {
            Some("RCPT TO") => "550 no such user: ada@example.org",
            _ => agreeable(line),
        })
        .await;
        let failure = smtp(&format!("smtp://127.0.0.1:{port}?tls=none&from=g@example.org")).send(&mail()).await;
        let failure = failure.unwrap_err();
        assert!(!failure.is_transient());
        assert_eq!(failure.source.to_string(), "the mail server answered 550");
        assert!(!format!("{failure:?}").contains("ada"));
        served.await.unwrap();
    }

    #[tokio::test]
    async fn what_the_server_puts_off_is_worth_another_try() {
        let (port, served) = server(|line| if line == "DATA" { "451 greylisted" } else { agreeable(line) }).await;
        let failure = smtp(&format!("smtp://127.0.0.1:{port}?tls=none&from=g@example.org")).send(&mail()).await;
        assert!(failure.unwrap_err().is_transient());
        served.await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_worth_another_try() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let failure = smtp(&format!("smtp://127.0.0.1:{port}?tls=none&from=g@example.org")).send(&mail()).await;
        assert!(failure.unwrap_err().is_transient());
    }

    #[tokio::test]
    async fn without_the_tls_that_was_asked_for_nothing_is_sent() {
        let (port, served) = server(agreeable).await;
        let url = format!("smtp://user:secret@127.0.0.1:{port}?from=g@example.org");
        let failure = smtp(&url).send(&mail()).await.unwrap_err();
        assert!(!failure.is_transient(), "{failure:?}");
        let told = served.await.unwrap();
        assert!(told.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{told:#?}");
    }

    #[test]
    fn ports_follow_from_the_kind_of_tls() {
        for (url, host, port, tls) in [
            ("smtp://mail.example.org?from=g@example.org", "mail.example.org", 587, TlsMode::StartTls),
            ("smtp://mail.example.org/?tls=required&from=g@example.org", "mail.example.org", 587, TlsMode::StartTls),
            (
                "smtp://mail.example.org:2525?tls=starttls&from=g@example.org",
                "mail.example.org",
                2525,
                TlsMode::StartTls,
            ),
            ("smtp://[::1]?tls=none&from=g@example.org", "::1", 25, TlsMode::None),
            ("smtps://u:p@mail.example.org?from=g@example.org", "mail.example.org", 465, TlsMode::Wrapped),
        ] {
            let settings: SmtpSettings = url.parse().unwrap();
            assert_eq!((settings.host.as_str(), settings.port, settings.tls), (host, port, tls), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_repeating_it() {
        for (url, part) in [
            ("mail.example.org", "is not a URL"),
            ("smtp://?from=g@example.org", "names no mail server"),
            ("smtp://user:secret@mail.example.org", "says no sender"),
            ("smtp://user:secret@mail.example.org?from=g", "not an e-mail address"),
            ("smtp://user:secret@mail.example.org?from=g@example.org&x=1", "unknown parameter `x`"),
            ("smtp://user:secret@mail.example.org?tls=maybe&from=g@example.org", "unknown `tls`"),
            ("smtps://user:secret@mail.example.org?tls=none&from=g@example.org", "does not go with"),
            ("smtp://user:secret@mail.example.org?tls=none&from=g@example.org", "without TLS"),
            ("smtp://:secret@mail.example.org?from=g@example.org", "both a user and a password"),
            ("smtp://user:secret@mail.example.org?from=g@example.org&from=h@example.org", "twice"),
            ("smtp://user:se#cret@mail.example.org?from=g@example.org", ""),
        ] {
            let reason = refusal(url);
            assert!(reason.contains(part), "{url}: {reason}");
            assert!(!reason.contains("secret") && !reason.contains("cret@"), "{reason}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let settings: SmtpSettings = "smtp://user:secret@mail.example.org?from=g@example.org".parse().unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
        let smtp = Smtp::new(settings, Arc::new(SystemClock), Arc::new(SystemIds::default())).unwrap();
        assert!(!format!("{smtp:?}").contains("secret"), "{smtp:?}");
    }
}
