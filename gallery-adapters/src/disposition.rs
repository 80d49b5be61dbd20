//! How a browser is asked to save what it fetches.

/// The value of `Content-Disposition` (RFC 6266): the name in ASCII for old programs, and in full for all others. Without a name the bytes are shown.
pub fn content_disposition(name: Option<&str>) -> String {
    let Some(name) = name else { return "inline".to_owned() };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' })
        .collect();
    let mut full = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            full.push(char::from(byte));
        } else {
            full.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_saved_under_without_breaking_the_header() {
        assert_eq!(content_disposition(None), "inline");
        assert_eq!(
            content_disposition(Some("Été \"1\".jpg")),
            "attachment; filename=\"_t_ _1_.jpg\"; filename*=UTF-8''%C3%89t%C3%A9%20%221%22.jpg"
        );
        let hostile = content_disposition(Some("a\r\nSet-Cookie: b\u{0}"));
        assert!(hostile.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{hostile}");
    }
}
