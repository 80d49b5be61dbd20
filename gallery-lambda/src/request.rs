//! What requests are read with: bodies, queries and headers become the domain's values or a problem that names every refused field.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, OriginalUri, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use gallery_domain::{
    AlbumId, Client, ClientLabel, InvalidField, InvalidValue, PageRequest, PageSize, PhotoId, SessionId,
};
use serde::de::DeserializeOwned;

use crate::Shared;
use crate::cursor::{List, Place};
use crate::problem::{Kind, Problem};

/// A request's JSON, or its query, that becomes one of the domain's values.
pub(crate) trait Parse: DeserializeOwned {
    /// What it becomes.
    type Parsed: Send;

    /// Parses every field; the error names all that are refused.
    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>>;

    /// What is answered when fields are refused.
    fn refusal(fields: Vec<InvalidField>) -> Problem {
        Problem::invalid(fields)
    }
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Json<T: Parse>(pub(crate) T::Parsed);

/// A query.
#[derive(Debug)]
pub(crate) struct Parameters<T: Parse>(pub(crate) T::Parsed);

/// The identifier in a path. One that cannot be read belongs to nothing: it is as absent as any other.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

/// The path under which the router is mounted, such as `/api`; empty at the root of its origin.
#[derive(Debug)]
pub(crate) struct Mount(pub(crate) String);

/// Who asks, before anybody knows who they are.
#[derive(Debug)]
pub(crate) struct Visitor(pub(crate) Client);

/// The `Idempotency-Key` of a request that makes something.
#[derive(Debug)]
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

/// Collects the fields that are refused.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<InvalidField>);

impl Fields {
    /// The value, or a note of why not.
    pub(crate) fn take<T>(&mut self, field: impl Into<String>, parsed: Result<T, InvalidValue>) -> Option<T> {
        parsed.map_err(|invalid| self.refuse(invalid.in_field(field))).ok()
    }

    /// The value of a field that has to be there.
    pub(crate) fn required<V, T>(
        &mut self,
        field: &str,
        value: Option<V>,
        parse: impl FnOnce(V) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        let parsed = value.ok_or_else(|| InvalidValue::new("is missing")).and_then(parse);
        self.take(field, parsed)
    }

    /// The value of a field that may be left out; the inner `None` stands for that.
    pub(crate) fn optional<V, T>(
        &mut self,
        field: &str,
        value: Option<V>,
        parse: impl FnOnce(V) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        value.and_then(|value| self.take(field, parse(value)))
    }

    /// At least 1 and at most 100 values of a list.
    pub(crate) fn list<T>(
        &mut self,
        field: &str,
        values: Option<Vec<String>>,
        parse: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Option<Vec<T>> {
        let values = self.required(field, values, |values| match values.len() {
            0 => Err(InvalidValue::new("is empty: name at least one")),
            1..=100 => Ok(values),
            _ => Err(InvalidValue::new("holds more than 100: send them in parts")),
        })?;
        let parsed: Vec<_> = values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| self.take(format!("{field}/{index}"), parse(value)))
            .collect();
        (parsed.len() == values.len()).then_some(parsed)
    }

    /// Notes a refused field.
    pub(crate) fn refuse(&mut self, field: InvalidField) {
        self.0.push(field);
    }

    /// What was parsed, if nothing was refused.
    pub(crate) fn finish<T>(self, parsed: Option<T>) -> Result<T, Vec<InvalidField>> {
        match parsed {
            Some(parsed) if self.0.is_empty() => Ok(parsed),
            _ => Err(self.0),
        }
    }
}

/// Which page is wanted, as it was asked for; a cursor can be read only when it is known whose list it is of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paging {
    size: PageSize,
    after: Option<String>,
    after_field: &'static str,
}

impl Paging {
    /// Parses a size and keeps a cursor.
    pub(crate) fn parse(fields: &mut Fields, limit: Option<String>, after: Option<String>) -> Self {
        Self { size: Self::parse_size(fields, limit), after, after_field: "after" }
    }

    /// Parses a size.
    pub(crate) fn parse_size(fields: &mut Fields, limit: Option<String>) -> PageSize {
        let size = fields.optional("limit", limit, |text| match text.parse() {
            Ok(size) => PageSize::new(size),
            Err(_) => Err(InvalidValue::new("is not between 1 and 100")),
        });
        size.unwrap_or_default()
    }

    /// The same out of a body.
    pub(crate) fn parse_body(fields: &mut Fields, limit: Option<u32>, after: Option<String>) -> Self {
        let size = fields.optional("/limit", limit, PageSize::new);
        Self { size: size.unwrap_or_default(), after, after_field: "/after" }
    }

    /// The page of a list.
    pub(crate) fn of<P: Place>(&self, list: &List) -> Result<PageRequest<P>, Problem> {
        let place = self.after.as_deref().map(|cursor| list.place(cursor)).transpose();
        let after = place.map_err(|invalid| Problem::invalid([invalid.in_field(self.after_field)]))?;
        Ok(PageRequest { size: self.size, after })
    }
}

/// Whether the body is said to be JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The most bytes of a JSON body.
const LARGEST_JSON: usize = 1 << 20;
/// How long a JSON body may take to come.
const BODY_TIME: Duration = Duration::from_secs(30);

impl<T: Parse> FromRequest<Shared> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _app: &Shared) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "The body has to be JSON: send it with the Content-Type application/json.";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        let bytes = match tokio::time::timeout(BODY_TIME, read_body(request.into_body())).await {
            Ok(read) => read?,
            Err(_) => return Err(Problem::new(Kind::TooSlow, "The body came too slowly: send the request again.")),
        };
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value: T = serde_path_to_error::deserialize(&mut json).map_err(refusal)?;
        json.end().map_err(|error| malformed(&error))?;
        value.parse().map(Self).map_err(T::refusal)
    }
}

impl<T: Parse> FromRequestParts<Shared> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &Shared) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::try_from_uri(&parts.uri).map_err(|error| {
            // Every parameter is taken as text, so these two are all that can be wrong.
            let text = error.body_text();
            let refused = MISPLACED.iter().find_map(|(said, _)| misplaced(&text[text.find(said)?..], "parameter"));
            Problem::invalid(refused.map(|(name, reason)| reason.in_field(name)))
        })?;
        value.parse().map(Self).map_err(T::refusal)
    }
}

/// What an identifier is of, as a person calls it.
pub(crate) trait Identifies {
    /// Such as `photo`.
    const WHAT: &'static str;
}

impl Identifies for PhotoId {
    const WHAT: &'static str = "photo";
}

impl Identifies for AlbumId {
    const WHAT: &'static str = "album";
}

impl Identifies for SessionId {
    const WHAT: &'static str = "session";
}

impl<T: Identifies + std::str::FromStr + Send> FromRequestParts<Shared> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, app).await;
        let id = text.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(|| Problem::not_found(T::WHAT))
    }
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Self::Rejection> {
        let forwarded = || {
            let mut values = parts.headers.get_all("x-forwarded-for").iter();
            // The proxy that is trusted appends the address it sees; what stands before came from whoever asks.
            values.next_back().and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
        };
        let peer = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let address = if app.settings.trust_forwarded_for { forwarded().or_else(peer) } else { peer() };
        // Where nobody can tell, everybody counts as one: that is slow under attack, but never without a limit.
        let origin = address.map_or_else(|| "unknown".to_owned(), network_prefix);
        let agent = parts.headers.get(header::USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Ok(Self(Client { origin: Some(origin), label: ClientLabel::new(&agent.unwrap_or_default()) }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Mount {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let asked = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |OriginalUri(uri)| uri.path());
        // The mount itself is asked for without a slash, and is `/` to the router.
        let mount = asked.strip_suffix(parts.uri.path()).unwrap_or(asked);
        Ok(Self(mount.to_owned()))
    }
}

impl FromRequestParts<Shared> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &Shared) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len()) && values.next().is_none());
        match key {
            Some(key) => Ok(Self(Some(key.to_owned()))),
            None => {
                let reason = "is not one key of 1 to 255 visible ASCII characters";
                Err(Problem::invalid([InvalidValue::new(reason).in_field("Idempotency-Key")]))
            }
        }
    }
}

/// The network that attempts are counted by: an IPv4 /24 or an IPv6 /56. People on one machine share one.
fn network_prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let prefix = std::net::Ipv6Addr::from_bits(address.to_bits() >> 72 << 72);
            format!("{prefix}/56")
        }
    }
}

async fn read_body(body: Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Kind::TooLarge, "The body is larger than 1 MiB: send less at a time.");
    let mut stream = body.into_data_stream();
    let mut collected = Vec::new();
    while let Some(chunk) = stream.next().await {
        let interrupted = "The body stopped coming before its end: send the request again.";
        let chunk = chunk.map_err(|_| Problem::new(Kind::MalformedBody, interrupted))?;
        if collected.len() + chunk.len() > LARGEST_JSON {
            return Err(too_large());
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.into())
}

/// Why JSON does not have the shape of the request. The message of the parser is not passed on, as it may quote a password.
fn refusal(error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    use serde_path_to_error::Segment;

    let pointer: String = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { variant } => Some(format!("/{}", escape(variant))),
            Segment::Unknown => None,
        })
        .collect();
    let inner = error.inner();
    if !inner.is_data() {
        return malformed(inner);
    }
    let message = inner.to_string();
    let within = |name: &str| match pointer.ends_with(&format!("/{}", escape(name))) {
        true => pointer.clone(),
        false => format!("{pointer}/{}", escape(name)),
    };
    let field = if let Some((name, reason)) = misplaced(&message, "field") {
        reason.in_field(within(name))
    } else if let Some((_, expected)) = message.rsplit_once(", expected ") {
        let expected = expected.split(" at line ").next().unwrap_or_default();
        InvalidValue::new(format!("is of the wrong kind: expected {expected}")).in_field(pointer)
    } else {
        InvalidValue::new("is of the wrong kind").in_field(pointer)
    };
    Problem::invalid([field])
}

fn malformed(error: &serde_json::Error) -> Problem {
    let detail = format!("The body is not JSON: look at line {}, column {}.", error.line(), error.column());
    Problem::new(Kind::MalformedBody, detail)
}

/// How serde begins to say of a field that it does not belong there, and what to say of it.
const MISPLACED: [(&str, &str); 2] = [
    ("unknown field `", "is not a {} of this request: leave it out"),
    ("duplicate field `", "is there twice: send it once"),
];

/// The field or parameter that a message begins with because it is unknown or there twice, and why it is refused. Only the beginning counts: what
/// follows may quote a value.
fn misplaced<'a>(message: &'a str, what: &str) -> Option<(&'a str, InvalidValue)> {
    MISPLACED.iter().find_map(|(said, reason)| {
        let (name, _) = message.strip_prefix(said)?.split_once('`')?;
        Some((name, InvalidValue::new(reason.replace("{}", what))))
    })
}

/// Escapes a name for a JSON pointer (RFC 6901).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_count_as_one_origin() {
        let prefix = |address: &str| network_prefix(address.parse().unwrap());
        assert_eq!(prefix("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(prefix("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(prefix("2001:db8:1:2ff:3::1"), "2001:db8:1:200::/56");
    }
}
