//! Accounts and sessions.

use gallery_domain::{EmailAddress, InvalidField, InvalidValue, Password, PersonName, SessionId, services};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::request::{Fields, Parse};

/// What a person says on signing up.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignUp {
    /// Where the code is mailed to.
    #[schema(value_type = String, required, example = "ada@example.org")]
    email: Option<String>,
    /// At least 15 characters.
    #[schema(value_type = String, required, format = Password)]
    password: Option<String>,
    /// What to call the person: at most 100 characters.
    #[schema(value_type = String, required, example = "Ada")]
    name: Option<String>,
}

impl Parse for SignUp {
    type Parsed = services::SignUp;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let email = email(&mut fields, self.email);
        let password = password(&mut fields, "/password", self.password);
        let name = fields.required("/name", self.name, |name| PersonName::parse(&name));
        let parsed = email.zip(password).zip(name);
        fields.finish(parsed.map(|((email, password), name)| services::SignUp { email, password, name }))
    }
}

/// The code that was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConfirmEmail {
    /// The address that it was mailed to.
    #[schema(value_type = String, required)]
    email: Option<String>,
    /// The 8 digits.
    #[schema(value_type = String, required, example = "12345678")]
    code: Option<String>,
}

impl Parse for ConfirmEmail {
    type Parsed = (EmailAddress, String);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let email = email(&mut fields, self.email);
        let code = fields.required("/code", self.code, |code| secret(code, "is not a code of 8 digits"));
        fields.finish(email.zip(code))
    }
}

/// An address that something is mailed to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MailTo {
    /// The address of the account.
    #[schema(value_type = String, required)]
    email: Option<String>,
}

impl Parse for MailTo {
    type Parsed = EmailAddress;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let email = email(&mut fields, self.email);
        fields.finish(email)
    }
}

/// Opens a session.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogIn {
    /// The address of the account.
    #[schema(value_type = String, required)]
    email: Option<String>,
    /// Its password.
    #[schema(value_type = String, required, format = Password)]
    password: Option<String>,
    /// For browsers: the token comes as a cookie that no script can read, and not in the body.
    #[serde(default)]
    cookie: bool,
}

/// A [`LogIn`] whose fields are in order.
pub(crate) struct ParsedLogIn {
    pub(crate) email: EmailAddress,
    pub(crate) password: Password,
    pub(crate) cookie: bool,
}

impl Parse for LogIn {
    type Parsed = ParsedLogIn;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let email = email(&mut fields, self.email);
        let password = password(&mut fields, "/password", self.password);
        let parsed = email.zip(password);
        fields.finish(parsed.map(|(email, password)| ParsedLogIn { email, password, cookie: self.cookie }))
    }
}

/// Sets a new password with what was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// The address of the account.
    #[schema(value_type = String, required)]
    email: Option<String>,
    /// The token out of the link that was mailed.
    #[schema(value_type = String, required)]
    token: Option<String>,
    /// The new password: at least 15 characters.
    #[schema(value_type = String, required, format = Password)]
    password: Option<String>,
}

impl Parse for ResetPassword {
    type Parsed = (EmailAddress, String, Password);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let email = email(&mut fields, self.email);
        let token = fields.required("/token", self.token, |token| secret(token, "is not the token of a link"));
        let password = password(&mut fields, "/password", self.password);
        let parsed = email.zip(token).zip(password);
        fields.finish(parsed.map(|((email, token), password)| (email, token, password)))
    }
}

/// Changes to an account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountPatch {
    /// What to call the person: at most 100 characters.
    #[schema(value_type = String, required)]
    name: Option<String>,
}

impl Parse for AccountPatch {
    type Parsed = PersonName;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let name = fields.required("/name", self.name, |name| PersonName::parse(&name));
        fields.finish(name)
    }
}

/// A new password in place of the old one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password until now.
    #[schema(value_type = String, required, format = Password)]
    old_password: Option<String>,
    /// The new one: at least 15 characters.
    #[schema(value_type = String, required, format = Password)]
    new_password: Option<String>,
}

impl Parse for PasswordChange {
    type Parsed = (Password, Password);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let old = password(&mut fields, "/oldPassword", self.old_password);
        let new = password(&mut fields, "/newPassword", self.new_password);
        fields.finish(old.zip(new))
    }
}

/// Cancels an account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cancellation {
    /// The password, once more: everything is erased.
    #[schema(value_type = String, required, format = Password)]
    password: Option<String>,
}

impl Parse for Cancellation {
    type Parsed = Password;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let password = password(&mut fields, "/password", self.password);
        fields.finish(password)
    }
}

/// A session that was just opened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoggedIn {
    /// The session's identity; not a secret.
    session_id: String,
    /// To be sent as `Authorization: Bearer …`; left out where a cookie was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// When the session ends if it is not used before (RFC 3339).
    expires_at: String,
}

impl LoggedIn {
    pub(crate) fn new(log_in: &gallery_domain::ports::LogIn, in_cookie: bool) -> Self {
        Self {
            session_id: log_in.session.id.to_string(),
            token: (!in_cookie).then(|| log_in.token.expose().to_owned()),
            expires_at: log_in.session.expires_at().to_string(),
        }
    }
}

/// A place where somebody is logged in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// Its identity.
    id: String,
    /// What logged in, as it called itself.
    client: String,
    /// When (RFC 3339).
    created_at: String,
    /// When it was last used, to within an hour (RFC 3339).
    last_seen_at: String,
    /// When it ends if it is not used before (RFC 3339).
    expires_at: String,
    /// Whether this very request came in it.
    current: bool,
}

impl Session {
    pub(crate) fn new(session: &gallery_domain::Session, current: Option<SessionId>) -> Self {
        Self {
            id: session.id.to_string(),
            client: session.client.as_str().to_owned(),
            created_at: session.created_at.to_string(),
            last_seen_at: session.last_seen_at.to_string(),
            expires_at: session.expires_at().to_string(),
            current: current == Some(session.id),
        }
    }
}

/// An account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    /// Its identity.
    id: String,
    /// Its e-mail address: shown to its owner only.
    email: String,
    /// What to call the person.
    name: String,
    /// When the person signed up (RFC 3339).
    created_at: String,
    /// What it holds.
    usage: Amounts,
    /// The most that it may hold.
    quota: Amounts,
    /// Counts the changes: the number in the ETag.
    revision: u64,
}

/// How much an account holds or may hold.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Amounts {
    /// Bytes of originals.
    bytes: u64,
    /// Photos in any state, those in the trash included.
    photos: u64,
    /// Uploads begun and not finished.
    pending_uploads: u64,
}

impl From<&services::Account> for Account {
    fn from(account: &services::Account) -> Self {
        let (user, usage) = (&account.user, &account.usage);
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            name: user.name.as_str().to_owned(),
            created_at: user.created_at.to_string(),
            usage: Amounts { bytes: usage.bytes, photos: usage.photos, pending_uploads: usage.pending_uploads },
            quota: Amounts {
                bytes: user.quota.bytes,
                photos: user.quota.photos,
                pending_uploads: user.quota.pending_uploads,
            },
            revision: user.revision.get(),
        }
    }
}

fn email(fields: &mut Fields, email: Option<String>) -> Option<EmailAddress> {
    fields.required("/email", email, |email| email.parse())
}

fn password(fields: &mut Fields, field: &str, password: Option<String>) -> Option<Password> {
    fields.required(field, password, |password| Password::parse(&password))
}

/// A code or token as it came, but not one so long that handling it would be work.
fn secret(text: String, otherwise: &str) -> Result<String, InvalidValue> {
    let text = text.trim();
    if text.is_empty() || text.len() > 256 { Err(InvalidValue::new(otherwise)) } else { Ok(text.to_owned()) }
}
