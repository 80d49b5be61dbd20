//! Web origins, as they are configured.

use url::Url;

/// Origins that are separated by commas; the error says which is none.
pub(crate) fn origins(list: &str) -> Result<Vec<String>, String> {
    list.split(',').map(str::trim).filter(|text| !text.is_empty()).map(origin).collect()
}

/// An origin as browsers send it: lower case, without the port that its scheme has anyway, and without a slash at the end.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let expected = "expected a scheme and a host, such as https://photos.example.org";
    if text.contains('*') {
        return Err(format!("`{text}` may be many origins, and each has to be named: {expected}"));
    }
    let url = Url::parse(text).map_err(|_| format!("`{text}` is no origin: {expected}"))?;
    let origin = url.origin().ascii_serialization();
    // Whatever has more than an origin is longer than it.
    if !matches!(url.scheme(), "http" | "https") || url.as_str().trim_end_matches('/') != origin {
        return Err(format!("`{text}` is no origin: {expected}, and nothing behind it"));
    }
    Ok(origin)
}
