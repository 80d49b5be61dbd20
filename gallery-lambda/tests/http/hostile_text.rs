//! Text that was made to do harm: it comes back as it was sent, or is refused, and never becomes anything but text.

use axum::http::header;
use serde_json::json;

use crate::harness::{Call, Harness, PASSWORD, announcement, jpeg};

/// 200 and more strings, each a known way to break out of HTML, SQL, paths, headers, templates, shells, logs or Unicode.
fn strings() -> Vec<String> {
    let plain = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "<svg/onload=alert(1)>",
        "</title><script>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&lt;b&gt;",
        "&#0;",
        "<iframe src=//evil>",
        "';--",
        "' OR '1'='1",
        "\" OR \"\"=\"",
        "1; DROP TABLE photo;--",
        "Robert'); DROP TABLE students;--",
        "%",
        "_",
        "%_%",
        "\\",
        "\\'",
        "''",
        "`id`",
        "$(id)",
        "${7*7}",
        "{{7*7}}",
        "#{7*7}",
        "<%= 7*7 %>",
        "${jndi:ldap://evil/a}",
        "%s%s%s%n",
        "%x",
        "..",
        "...",
        "~",
        "~root",
        "NUL",
        "CON",
        "aux.jpg",
        ".htaccess",
        "-rf",
        "--help",
        "|",
        ";",
        "&&",
        "*",
        "?",
        "[a-z]",
        "{a,b}",
        "file:",
        "http:",
        "data:text/html,hi",
        "null",
        "undefined",
        "NaN",
        "true",
        "0",
        "-1",
        "1e309",
        "[]",
        "{}",
        "\"",
        "'",
        "=1+1",
        "@SUM(A1)",
        "+1",
        "-1+1",
        "=cmd|' '!A0",
        "Set-Cookie: a=b",
        "Content-Length: 0",
        "filename*=UTF-8''x",
        "\"; filename=\"evil.exe",
        "a;b=c",
        "a,b",
        "OR",
        "AND",
        "NOT",
        "NEAR",
        "tag:",
        "is:favourite",
        "in:x",
        "before:",
        "-",
        "- -",
        "\"\"",
        "*:*",
        "a AND (b",
        "a\"b\"c",
        "fts5(",
        "MATCH",
        "o<owner>",
        "#",
        "##tag",
        "é",
        "e\u{301}",
        "ﬁ",
        "Å",
        "ẛ̣",
        "İ",
        "ı",
        "ß",
        "ẞ",
        "Σς",
        "日本語",
        "한국어",
        "हिन्दी",
        "العربية",
        "עברית",
        "ไทย",
        "Ελληνικά",
        "Кириллица",
        "👩‍👩‍👧‍👦",
        "🏳️‍🌈",
        "🇳🇴",
        "👍🏽",
        "𝕳𝖊𝖑𝖑𝖔",
        "Ｆｕｌｌ",
        "½",
        "\u{202e}gpj.exe",
        "\u{200b}",
        "a\u{200d}b",
        "\u{feff}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{e000}",
        "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤",
        "\u{2028}",
        "\u{2029}",
        "\u{a0}",
        "\u{3000}",
        "\u{1d173}",
        "ʇxǝʇ",
        "｡･ﾟ",
        "\u{61c}",
        "\u{2066}a\u{2069}",
        "\0",
        "a\0b",
        "\u{1}",
        "\u{7}",
        "\u{8}",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "a\r\nSet-Cookie: x=y",
        "\u{1b}[31mred",
        "\u{7f}",
        "\u{85}",
        "\u{9b}31m",
    ];
    let mut strings: Vec<String> = plain.iter().map(|text| (*text).to_owned()).collect();
    strings.extend(
        ["../", "/etc/passwd", "..\\", "C:\\", "//evil", "a/b", "\\\\host\\share", "./", "/", "....//"]
            .map(str::to_owned),
    );
    strings.extend(
        (0..20).map(|number| format!("{}{}", "a".repeat(number * 13), char::from_u32(0x300 + number as u32).unwrap())),
    );
    strings.extend([199, 200, 201, 255, 256, 4_999, 5_000, 5_001].map(|length| "é".repeat(length)));
    strings.extend((1..=20).map(|number| char::from_u32(number).unwrap().to_string() + "x"));
    strings
}

#[tokio::test]
async fn hostile_text_is_only_ever_text() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let strings = strings();
    assert!(strings.len() >= 200, "{}", strings.len());
    let (mut kept, mut refused) = (0, 0);
    let photo = ada.upload(&jpeg("base"), json!({})).await;
    let path = format!("/photos/{}", photo["id"].as_str().unwrap());
    for (number, text) in strings.iter().enumerate() {
        for (field, value) in [("title", json!(text)), ("description", json!(text)), ("tags", json!([text]))] {
            let answer = ada.send(Call::patch(&path).json(json!({ field: value }))).await;
            if answer.status == 200 {
                kept += 1;
                let shown = ada.get(&path).await.ok()[field].clone();
                assert_eq!(shown, answer.json()[field], "{text:?}");
                if text.chars().all(|c| c.is_ascii_graphic()) && !text.starts_with('#') {
                    assert_eq!(shown, value, "{text:?}");
                }
            } else {
                refused += 1;
                let fields = answer.refused(400);
                assert!(fields.iter().all(|pointer| pointer.starts_with(&format!("/{field}"))), "{text:?}: {fields:?}");
            }
            assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
        let search = ada.send(Call::post("/search").json(json!({"query": text}))).await;
        assert!([200, 400].contains(&search.status.as_u16()), "{text:?}: {search:?}");

        let bytes = jpeg(&format!("file {number}"));
        let announce = Call::post("/photos").json(announcement(&bytes, json!({"fileName": text})));
        let added = ada.send(announce).await;
        if added.status == 400 {
            assert_eq!(added.refused(400), ["/fileName"], "{text:?}");
            continue;
        }
        let added = added.with(axum::http::StatusCode::CREATED);
        harness.send(Call::ticket(&added["upload"], &bytes)).await.with_status(axum::http::StatusCode::NO_CONTENT);
        let photo = ada.settled(added["photo"]["id"].as_str().unwrap()).await;
        let original = harness.send(Call::get(photo["urls"]["original"].as_str().unwrap())).await;
        assert_eq!(original.status, 200, "{text:?}");
        let disposition = original.header(header::CONTENT_DISPOSITION);
        assert_eq!(disposition.matches('"').count(), 2, "{disposition}");
        assert_eq!(disposition.split(';').count(), 3 + disposition.split('"').nth(1).unwrap().matches(';').count());
        assert!(!original.headers.contains_key(header::SET_COOKIE));
    }
    assert!(kept >= 300 && refused >= 100, "{kept} kept, {refused} refused");
}

#[tokio::test]
async fn hostile_text_is_only_text_in_albums_names_and_sessions_too() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let album = format!("/albums/{}", ada.album("base").await["id"].as_str().unwrap());
    let (mut kept, mut refused) = (0, 0);
    for text in strings() {
        for (path, field) in [(&*album, "title"), (&album, "description"), ("/account", "name")] {
            let answer = ada.send(Call::patch(path).json(json!({ field: text }))).await;
            if answer.status == 200 {
                kept += 1;
                let shown = ada.get(path).await.ok()[field].clone();
                assert_eq!(shown, answer.json()[field], "{text:?}");
                if text.chars().all(|c| c.is_ascii_graphic()) {
                    assert_eq!(shown, json!(text), "{field}");
                }
            } else {
                refused += 1;
                assert_eq!(answer.refused(400), [format!("/{field}")], "{text:?}");
            }
        }
        let Ok(agent) = axum::http::HeaderValue::from_bytes(text.as_bytes()) else { continue };
        let log_in = Call::post("/login").json(json!({"email": ada.email, "password": PASSWORD}));
        // So many log-ins at once would have to wait.
        harness.advance(3);
        let opened = harness.send(log_in.header_value("user-agent", agent)).await.ok();
        let sessions = ada.get("/sessions").await;
        assert_eq!(sessions.header(header::CONTENT_TYPE), "application/json");
        let sessions = sessions.ok();
        let session = sessions["items"].as_array().unwrap().iter().find(|session| session["id"] == opened["sessionId"]);
        let session = session.unwrap();
        let client = session["client"].as_str().unwrap();
        assert!(!client.chars().any(char::is_control), "{client:?}");
        if text.len() <= 100 && text.trim() == text && text.chars().all(|c| c.is_ascii_graphic()) {
            assert_eq!(client, text);
        }
        let end = Call::delete(&format!("/sessions/{}", session["id"].as_str().unwrap()));
        ada.send(end).await.with_status(axum::http::StatusCode::NO_CONTENT);
    }
    assert!(kept >= 400 && refused >= 100, "{kept} kept, {refused} refused");
}

#[tokio::test]
async fn hostile_headers_and_queries_never_break_the_server() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    for text in strings() {
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for path in [
            format!("/photos/{encoded}"),
            format!("/albums/{encoded}"),
            format!("/photos?after={encoded}"),
            format!("/photos?limit={encoded}"),
            format!("/photos?{encoded}=1"),
            format!("/search?q={encoded}"),
            format!("/tags?prefix={encoded}"),
            format!("/blobs/{encoded}?{encoded}"),
            format!("/docs/{encoded}"),
        ] {
            let answer = ada.get(&path).await;
            assert!(!answer.status.is_server_error(), "{path}: {answer:?}");
        }
        if axum::http::HeaderValue::from_str(&text).is_err() {
            continue;
        }
        for name in
            ["authorization", "cookie", "user-agent", "origin", "range", "if-range", "x-forwarded-for", "accept"]
        {
            let answer = harness.send(Call::get("/account").header(name, &text)).await;
            assert!(answer.status.is_client_error(), "{name}: {text:?}");
        }
        for name in ["if-match", "idempotency-key", "content-type"] {
            let call = Call::post("/albums").json(json!({"title": "a"})).header(name, &text);
            assert!(!ada.send(call).await.status.is_server_error(), "{name}: {text:?}");
        }
    }
}
