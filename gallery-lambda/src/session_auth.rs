//! Who acts: bearer tokens and session cookies.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use gallery_domain::{Actor, GalleryError, SecretToken, Session, UserId};
use url::{Host, Origin, Url};

use crate::problem::{Kind, Problem};
use crate::request::is_json;
use crate::{HttpSettings, Shared};

/// Somebody with a live session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authenticated(pub(crate) Actor);

/// Where the access log learns who acted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Who(pub(crate) Arc<OnceLock<UserId>>);

impl FromRequestParts<Shared> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let token = match bearer(&parts.headers)? {
            Some(token) => token,
            None => {
                let token = cookie(&parts.headers, &app.settings).ok_or(GalleryError::Unauthenticated)?;
                if !parts.method.is_safe() {
                    check_same_origin(&parts.headers, &app.settings)?;
                    check_not_a_form(&parts.method, &parts.headers)?;
                }
                token
            }
        };
        let actor = app.gallery.accounts.authenticate(&token).await?;
        if let Some(who) = parts.extensions.get::<Who>() {
            let _ = who.0.set(actor.user());
        }
        Ok(Self(actor))
    }
}

/// The cookie that holds a session's token, for the browser to keep as long as the session can last.
pub(crate) fn session_cookie(settings: &HttpSettings, token: &SecretToken) -> HeaderValue {
    let value = format!("{}; Max-Age={}", base_cookie(settings, token.expose()), Session::ABSOLUTE.as_secs());
    let mut value = HeaderValue::from_str(&value).expect("a token is URL-safe base64");
    value.set_sensitive(true);
    value
}

/// Has the browser forget the session's cookie.
pub(crate) fn forget_cookie(settings: &HttpSettings) -> HeaderValue {
    let value = format!("{}; Max-Age=0", base_cookie(settings, ""));
    HeaderValue::from_str(&value).expect("a cookie without a token is visible ASCII")
}

/// Refuses what a page of another origin has a browser send: it would act with its reader's cookie.
///
/// A browser's own word is believed first; one that gives none sends at least `Origin` with whatever changes something.
pub(crate) fn check_same_origin(headers: &HeaderMap, settings: &HttpSettings) -> Result<(), Problem> {
    let refused = || {
        let detail = "A page of another origin cannot act for you here: use the gallery's own page, or a bearer token.";
        Problem::new(Kind::Forbidden, detail)
    };
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if matches!(site, Some(b"cross-site" | b"same-site")) {
        return Err(refused());
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().map_err(|_| refused())?;
    let own = match &settings.public_url {
        Some(url) => is_same_origin(origin, url),
        None => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            host.is_some() && host == authority
        }
    };
    if own { Ok(()) } else { Err(refused()) }
}

const SECURE_COOKIE: &str = "__Host-session";
const PLAIN_COOKIE: &str = "session";

fn cookie_name(settings: &HttpSettings) -> &'static str {
    if settings.secure_cookies { SECURE_COOKIE } else { PLAIN_COOKIE }
}

fn base_cookie(settings: &HttpSettings, value: &str) -> String {
    let secure = if settings.secure_cookies { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(settings))
}

/// The token of an `Authorization` header. With such a header no cookie counts, whatever the header holds.
fn bearer(headers: &HeaderMap) -> Result<Option<SecretToken>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) => Ok(Some(SecretToken::from_client(token.trim()))),
        None => Err(GalleryError::Unauthenticated.into()),
    }
}

fn cookie(headers: &HeaderMap, settings: &HttpSettings) -> Option<SecretToken> {
    let name = cookie_name(settings);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, token)| SecretToken::from_client(token))
}

/// A form of another origin can send anything but this type without asking first.
fn check_not_a_form(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    // A page can neither send these without asking first.
    let asks_first = matches!(*method, Method::PUT | Method::PATCH | Method::DELETE);
    if is_json(headers) || (asks_first && !headers.contains_key(header::CONTENT_TYPE)) {
        return Ok(());
    }
    let detail = "A change with a session cookie has to come as application/json: send that as its Content-Type.";
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

/// Whether an origin is that of a URL. The names of this machine's own loopback are one.
fn is_same_origin(origin: &str, url: &str) -> bool {
    fn parts(text: &str) -> Option<(String, Host, u16)> {
        let Origin::Tuple(scheme, host, port) = Url::parse(text).ok()?.origin() else { return None };
        let is_loopback = match &host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => *address == Ipv4Addr::LOCALHOST,
            Host::Ipv6(address) => *address == Ipv6Addr::LOCALHOST,
        };
        Some((scheme, if is_loopback { Host::Ipv4(Ipv4Addr::LOCALHOST) } else { host }, port))
    }
    let origin = parts(origin);
    origin.is_some() && origin == parts(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_has_many_names_and_other_hosts_one() {
        assert!(is_same_origin("http://localhost:8080", "http://127.0.0.1:8080/"));
        assert!(is_same_origin("http://[::1]", "http://localhost:80/app?x#y"));
        assert!(is_same_origin("https://photos.example.org", "https://Photos.example.org:443/app"));
        assert!(is_same_origin("https://xn--bcher-kva.example", "https://bücher.example"));
        for origin in [
            "http://localhost:8081",
            "https://localhost:8080",
            "http://localhost.example.org:8080",
            "null",
            "",
            "data:,",
        ] {
            assert!(!is_same_origin(origin, "http://127.0.0.1:8080"), "{origin}");
        }
    }
}
