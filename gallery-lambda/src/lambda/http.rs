//! Requests of API Gateway and of function URLs, to the router that is the same everywhere.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, OriginalUri};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use lambda_http::aws_lambda_events::encodings::Body as EventBody;
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceExt;
use lambda_http::{Request, RequestExt};

use crate::problem::{Kind, Problem};

/// The most bytes of an answer, as the JSON in which AWS Lambda takes it. The limit is 6 MB; this leaves room for the headers.
const LARGEST_ANSWER: usize = 6_000_000;

/// Answers a request of an HTTP API, a REST API or a function URL. A stage in its path counts as where the router is mounted.
pub async fn answer(router: Router, request: Request) -> Result<Response<EventBody>, Infallible> {
    let response = router.oneshot(plain(request)).await?;
    Ok(within_the_limit(response).await)
}

/// The request as it would come to a server: with its path inside the router, and who sent it.
fn plain(request: Request) -> axum::extract::Request {
    let raw_path = request.raw_http_path().to_owned();
    let context = request.request_context_ref().cloned();
    let (mut parts, body) = request.into_parts();
    if let Some(context) = &context {
        place(&mut parts, context, &raw_path);
        if let Some(address) = source(context) {
            parts.extensions.insert(ConnectInfo(SocketAddr::new(address, 0)));
        }
    }
    let body = match body {
        EventBody::Text(text) => Body::from(text),
        EventBody::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    };
    axum::extract::Request::from_parts(parts, body)
}

/// Takes the stage out of the path. Whoever calls has it in their address, unless a domain of the gallery's own leads to the stage.
fn place(parts: &mut Parts, context: &RequestContext, raw_path: &str) {
    let (stage, outer, domain) = match context {
        RequestContext::ApiGatewayV2(context) => (&context.stage, raw_path, &context.domain_name),
        RequestContext::ApiGatewayV1(context) => {
            (&context.stage, context.path.as_deref().unwrap_or(raw_path), &context.domain_name)
        }
        _ => return,
    };
    let stage = stage.as_deref().filter(|stage| *stage != "$default");
    let mount = stage.map(|stage| format!("/{stage}")).unwrap_or_default();
    // `lambda_http` puts the stage before the path where that does not begin with it and something else.
    let inner = if !mount.is_empty() && raw_path == mount { Some("/") } else { below(parts.uri.path(), &mount) };
    let Some(inner) = inner else { return };
    // API Gateway's own domain leads to a stage by its name only.
    let is_own_domain = domain.as_deref().is_some_and(|domain| domain.contains(".execute-api."));
    let seen = if is_own_domain || below(outer, &mount).is_some() { &*mount } else { "" };
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let (Ok(outer), Ok(inner)) =
        (format!("{seen}{inner}{query}").parse::<Uri>(), format!("{inner}{query}").parse::<Uri>())
    else {
        return;
    };
    parts.extensions.insert(OriginalUri(outer));
    parts.uri = inner;
}

/// What of a path is below another; the other itself is its root.
fn below<'p>(path: &'p str, mount: &str) -> Option<&'p str> {
    match path.strip_prefix(mount)? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    }
}

/// The address that API Gateway saw, which no header can change.
fn source(context: &RequestContext) -> Option<IpAddr> {
    let address = match context {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_deref(),
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.as_deref(),
        _ => None,
    };
    address?.parse().ok()
}

/// An answer that AWS Lambda cannot send becomes a problem that says what to do.
async fn within_the_limit(response: Response) -> Response<EventBody> {
    let (parts, body) = response.into_parts();
    match to_bytes(body, LARGEST_ANSWER).await {
        Ok(bytes) if written(&bytes) <= LARGEST_ANSWER => Response::from_parts(parts, event_body(bytes)),
        Ok(_) | Err(_) => {
            tracing::warn!("an answer was too large to be sent");
            let detail = "The answer is larger than AWS Lambda can send: ask for fewer at a time, with `limit`.";
            let (parts, body) = Problem::new(Kind::TooLarge, detail).into_response().into_parts();
            Response::from_parts(parts, event_body(to_bytes(body, LARGEST_ANSWER).await.unwrap_or_default()))
        }
    }
}

/// Text as it is, and anything else as bytes, which are sent in base64.
fn event_body(bytes: Bytes) -> EventBody {
    match String::from_utf8(bytes.into()) {
        Ok(text) if text.is_empty() => EventBody::Empty,
        Ok(text) => EventBody::Text(text),
        Err(error) => EventBody::Binary(error.into_bytes()),
    }
}

/// How many bytes a text takes in JSON; what is not text is sent in base64, which takes less than the worst text does.
fn written(bytes: &Bytes) -> usize {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    bytes.iter().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::routing::get;
    use serde_json::{Value, json};

    use super::*;
    use crate::request::Mount;

    /// What a router sees of a request: its mount, its path and query, and who sent it.
    async fn seen(event: Value) -> String {
        let request = lambda_http::request::from_str(&event.to_string()).unwrap();
        let echo = async |Mount(mount): Mount, ConnectInfo(from): ConnectInfo<SocketAddr>, uri: Uri| {
            format!("{mount} {uri} {}", from.ip())
        };
        let router = Router::new().fallback(get(echo));
        let response = answer(router, request).await.unwrap();
        let EventBody::Text(text) = response.into_body() else { panic!() };
        text
    }

    /// An event of an HTTP API, or of a function URL, which has the stage `$default`.
    fn http_api(stage: &str, path: &str) -> Value {
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "q=a%20b&x=1",
            "headers": {"host": "id.execute-api.eu-central-1.amazonaws.com", "x-forwarded-for": "203.0.113.9, 192.0.2.1"},
            "requestContext": {
                "accountId": "1", "apiId": "id", "stage": stage, "requestId": "r", "routeKey": "$default", "timeEpoch": 1,
                "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7", "userAgent": "it"},
            },
            "isBase64Encoded": false,
        })
    }

    fn rest_api(stage: &str, path: &str, outer: &str) -> Value {
        json!({
            "resource": "/{proxy+}", "path": path, "httpMethod": "GET",
            "headers": {"Host": "photos.example.org"}, "multiValueHeaders": {"Host": ["photos.example.org"]},
            "queryStringParameters": {"q": "a b"}, "multiValueQueryStringParameters": {"q": ["a b"]},
            "pathParameters": null, "stageVariables": null, "body": null, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "1", "apiId": "id", "stage": stage, "path": outer, "httpMethod": "GET", "requestId": "r",
                "resourceId": "x", "resourcePath": "/{proxy+}", "identity": {"sourceIp": "198.51.100.7"},
            },
        })
    }

    #[tokio::test]
    async fn a_stage_is_where_the_router_is_mounted() {
        assert_eq!(seen(http_api("dev", "/dev/photos")).await, "/dev /photos?q=a%20b&x=1 198.51.100.7");
        assert_eq!(seen(http_api("dev", "/dev")).await, "/dev /?q=a%20b&x=1 198.51.100.7");
        assert_eq!(seen(http_api("$default", "/photos")).await, " /photos?q=a%20b&x=1 198.51.100.7");
        // A domain of the gallery's own that leads to the stage.
        assert_eq!(seen(http_api("dev", "/photos")).await, " /photos?q=a%20b&x=1 198.51.100.7");
        let mut own = http_api("dev", "/photos");
        own["requestContext"]["domainName"] = json!("id.execute-api.eu-central-1.amazonaws.com");
        assert_eq!(seen(own).await, "/dev /photos?q=a%20b&x=1 198.51.100.7");
        assert_eq!(seen(http_api("dev", "/developers")).await, " /developers?q=a%20b&x=1 198.51.100.7");
    }

    #[tokio::test]
    async fn a_rest_api_is_the_same() {
        assert_eq!(seen(rest_api("dev", "/photos", "/dev/photos")).await, "/dev /photos?q=a+b 198.51.100.7");
        assert_eq!(seen(rest_api("dev", "/photos", "/photos")).await, " /photos?q=a+b 198.51.100.7");
    }

    #[tokio::test]
    async fn an_answer_that_lambda_cannot_send_says_what_to_do() {
        for (text, fits) in
            [("a".repeat(5_999_000), true), ("a".repeat(6_000_001), false), ("\"".repeat(3_100_000), false)]
        {
            let length = text.len();
            let request = lambda_http::request::from_str(&http_api("dev", "/dev/x").to_string()).unwrap();
            let router = Router::new().route("/x", get(async move || text));
            let response = answer(router, request).await.unwrap();
            let status = response.status();
            let EventBody::Text(body) = response.into_body() else { panic!() };
            assert_eq!(status, if fits { StatusCode::OK } else { StatusCode::PAYLOAD_TOO_LARGE });
            if fits {
                assert_eq!(body.len(), length);
            } else {
                assert!(body.contains("ask for fewer at a time"));
            }
        }
    }
}
