//! What the API is: its OpenAPI document, and a page to browse it that needs no other host.

#[cfg(feature = "docs-page")]
mod page;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder, Server, Tag,
};
use utoipa::{PartialSchema, ToSchema};

use crate::Shared;
use crate::problem::{FieldProblem, Problem};

/// The document without its calls.
pub(super) fn introduction() -> OpenApi {
    let mut components = Components::new();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let cookie = |name| SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(name)));
    components.add_security_scheme("bearer", bearer);
    components.add_security_scheme("cookie", cookie("__Host-session"));
    components.add_security_scheme("plainCookie", cookie("session"));
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(FieldProblem::name().into_owned(), FieldProblem::schema());
    let anyone_of = ["bearer", "cookie", "plainCookie"].map(|name| SecurityRequirement::new(name, [""; 0]));
    let tags = [
        ("accounts", "Signing up, logging in, cancelling"),
        ("photos", "Adding, listing, changing and deleting photos"),
        ("albums", "Photos in an order of one's own"),
        ("search", "Finding photos"),
        ("bytes", "Uploads and images under signed URLs, where the gallery keeps the bytes itself"),
        ("health", "For whoever runs the gallery"),
    ];
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Photo gallery").description(Some(DESCRIPTION)).version("0"))
        // The document's own folder, wherever the router is mounted.
        .servers(Some([Server::new(".")]))
        .components(Some(components))
        .security(Some(anyone_of))
        .tags(Some(tags.map(|(name, description)| {
            let mut tag = Tag::new(name);
            tag.description = Some(description.to_owned());
            tag
        })))
        .build()
}

/// The document with its version, and with the problems that follow from what each call takes.
pub(crate) fn complete(mut document: OpenApi, version: &str) -> OpenApi {
    document.info.version = version.to_owned();
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        let has_id = path.contains('{');
        for operation in operations(&mut item) {
            add_problems(operation, has_id);
        }
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
    document
}

/// Where the document and the page to browse it are served.
pub(crate) fn pages(version: String) -> Router<Shared> {
    // Made for whoever asks first: a program that starts for a request need not wait for it.
    let json = Arc::new(LazyLock::new(move || Bytes::from(crate::openapi(&version).to_json().unwrap_or_default())));
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], (**json).clone()) };
    let routes = Router::new().route("/openapi.json", get(document));
    #[cfg(feature = "docs-page")]
    let routes = page::add_to(routes);
    routes
}

const DESCRIPTION: &str = "A photo gallery. Errors are RFC 9457 problems: `type` tells their kind to programs, `detail` tells people what to do, \
and `errors` names each refused field by a JSON pointer into the body, or by the name of the query parameter or header. \
Lists answer `items` and `next`; send `next` as `after` for the page that follows, and only `next: null` ends a list. \
A change with `If-Match` is refused with 412 when the thing was changed since it was read.";

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch].into_iter().flatten()
}

/// Every call can end in these, by what it takes: said here once.
fn add_problems(operation: &mut Operation, has_id: bool) {
    let public = operation.security.is_some();
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    let parameters: Vec<_> = parameters.collect();
    let header = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
    let has_query = parameters.iter().any(|parameter| parameter.parameter_in == ParameterIn::Query);
    let has_body = operation.request_body.is_some();
    let (conditional, claims, mails) = (header("If-Match"), header("Idempotency-Key"), public && has_body);
    let rows = [
        (has_body || has_query || conditional || claims, "400", "Values that are not accepted: `errors` names them"),
        (
            !public || operation.operation_id.as_deref() == Some("login"),
            "401",
            "Log in first, or with the right password",
        ),
        (has_body || !public, "403", "A page of another origin, or a URL whose signature does not fit"),
        (has_id || has_query || has_body && !public, "404", "There is no such thing, or it is somebody else's"),
        (has_body, "408", "The body came too slowly"),
        (!public && (has_body || conditional), "409", "It contradicts what is there"),
        (conditional || !public && has_body, "412", "It was changed since it was read"),
        (has_body, "413", "The body is too large, or the account is full"),
        (has_body || !public, "415", "The body is not application/json"),
        (mails || !public, "429", "Too many attempts: wait as long as `Retry-After` says"),
        (true, "500", "Something is wrong inside the gallery"),
        (true, "503", "Not possible right now: try again when `Retry-After` says"),
    ];
    for (applies, status, description) in rows {
        if !applies || operation.responses.responses.contains_key(status) {
            continue;
        }
        let content = Content::new(Some(Ref::from_schema_name(Problem::name())));
        let response =
            ResponseBuilder::new().description(description).content("application/problem+json", content).build();
        operation.responses.responses.insert(status.to_owned(), response.into());
    }
}
