//! The static web interface, embedded into the program that serves it.
//!
//! `www/` is plain files: what is embedded here is what can be uploaded to a bucket as it stands. [`respond`] serves them:
//!
//! - the page itself and `config.json` are asked for anew each time (`no-cache`, with an `ETag`),
//! - all the page refers to lies under a prefix that names its contents (`/_<hash>/…`) and may be kept for good.

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// What the page may do: only what comes from its own origin, no inline code, no markup made from strings. The bytes of photos may be
/// [elsewhere](respond).
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";

#[derive(RustEmbed)]
#[folder = "www/"]
struct Files;

/// Names the contents of all files together: any change makes another.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    for name in names {
        if let Some(file) = Files::get(&name) {
            hash.update(name.as_bytes());
            hash.update(file.metadata.sha256_hash());
        }
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..8])
});

/// Answers a request for the site. The path is the request's whole path: the site stands at the root of its origin. `blobs_at` is the origin that
/// photos are uploaded to and fetched from, if that is another, such as a bucket's.
pub fn respond<B>(request: &Request<B>, blobs_at: Option<&str>) -> Response<Bytes> {
    let mut response = answer(request);
    if let Some(origin) = blobs_at
        && let Ok(policy) = HeaderValue::from_str(&policy_with(origin))
    {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The policy of a page whose images come from, and go to, another origin too.
fn policy_with(origin: &str) -> String {
    CONTENT_SECURITY_POLICY
        .replace("img-src 'self'", &format!("img-src 'self' {origin}"))
        .replace("connect-src 'self'", &format!("connect-src 'self' {origin}"))
}

fn answer<B>(request: &Request<B>) -> Response<Bytes> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "The site can only be read.\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/');
    let prefix = format!("_{}/", *VERSION);
    let (name, immutable) = match path.strip_prefix(&prefix) {
        Some(name) => (name, true),
        None => (if path.is_empty() { "index.html" } else { path }, false),
    };
    let Some(file) = Files::get(name) else { return not_found() };
    let body = if name == "index.html" { page(&file.data, &prefix) } else { to_bytes(file.data) };
    let tag = format!("\"{}\"", data_encoding::HEXLOWER.encode(&Sha256::digest(&body)[..16]));
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().any(|value| value.as_bytes() == tag.as_bytes());
    let mut response = Response::new(if known { Bytes::new() } else { body });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let caching = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    secure(response)
}

/// The page, with its own references led to the prefix.
fn page(html: &[u8], prefix: &str) -> Bytes {
    String::from_utf8_lossy(html).replace("=\"./", &format!("=\"./{prefix}")).into()
}

fn to_bytes(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => data.into(),
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn not_found() -> Response<Bytes> {
    plain(StatusCode::NOT_FOUND, "There is no such page. The gallery is at /\n")
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    secure(response)
}

fn secure(mut response: Response<Bytes>) -> Response<Bytes> {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Response<Bytes> {
        respond(&Request::get(path).body(()).unwrap(), None)
    }

    fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
        response.headers()[name].to_str().unwrap()
    }

    /// Every `="./…"` in the page, without the `./`.
    fn references(page: &str) -> Vec<String> {
        page.split("=\"./").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn photos_may_be_at_another_origin_and_nothing_else_may() {
        let origin = "https://my-photos.s3.eu-central-1.amazonaws.com";
        let response = respond(&Request::get("/").body(()).unwrap(), Some(origin));
        let policy = header(&response, "content-security-policy");
        assert!(
            policy.contains(&format!("img-src 'self' {origin} data: blob:; connect-src 'self' {origin};")),
            "{policy}"
        );
        assert_eq!(policy.matches(origin).count(), 2, "{policy}");
        assert!(policy.contains("script-src 'self';"), "{policy}");
    }

    #[test]
    fn the_page_is_asked_for_anew_and_all_it_refers_to_may_be_kept() {
        let page = get("/");
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(header(&page, "cache-control"), "no-cache");
        let references = references(std::str::from_utf8(page.body()).unwrap());
        assert!(references.len() >= 3);
        for reference in references {
            let file = get(&format!("/{reference}"));
            assert_eq!(file.status(), StatusCode::OK, "{reference}");
            assert_eq!(header(&file, "cache-control"), "public, max-age=31536000, immutable");
        }
    }

    #[test]
    fn what_modules_import_is_there_under_the_same_prefix() {
        for name in Files::iter().filter(|name| name.ends_with(".js")) {
            let path = format!("/_{}/{name}", *VERSION);
            let source = get(&path);
            for line in std::str::from_utf8(source.body()).unwrap().lines() {
                let Some((_, import)) = line.split_once(" from \"") else { continue };
                let import = import.trim_end_matches("\";");
                let mut folder: Vec<_> = path.split('/').collect();
                folder.pop();
                for step in import.split('/') {
                    match step {
                        "." => {}
                        ".." => drop(folder.pop()),
                        step => folder.push(step),
                    }
                }
                assert_eq!(get(&folder.join("/")).status(), StatusCode::OK, "{name} imports {import}");
            }
        }
    }

    #[test]
    fn a_page_that_is_known_is_not_sent_again() {
        let first = get("/");
        let again = respond(&Request::get("/").header("if-none-match", header(&first, "etag")).body(()).unwrap(), None);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(again.body().is_empty());
    }

    #[test]
    fn every_answer_carries_the_policy() {
        for path in ["/", "/config.json", "/nowhere", "/../Cargo.toml"] {
            let response = get(path);
            assert_eq!(header(&response, "content-security-policy"), CONTENT_SECURITY_POLICY, "{path}");
            assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        }
    }

    #[test]
    fn what_is_not_there_says_where_to_go() {
        let response = get("/nowhere");
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(std::str::from_utf8(response.body()).unwrap().contains("at /"));
    }

    #[test]
    fn the_site_can_only_be_read() {
        let response = respond(&Request::post("/").body(()).unwrap(), None);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&response, "allow"), "GET, HEAD");
        assert_eq!(respond(&Request::head("/").body(()).unwrap(), None).status(), StatusCode::OK);
    }
}
