//! Reads a message in plain text, as a mail program would: RFC 5322, 2045 and 2047 as far as the gallery's mails go.

use data_encoding::BASE64;
use gallery_domain::ports::Mail;

pub(crate) fn read(message: &str) -> Mail {
    let message = message.replace("\r\n", "\n");
    let (headers, body) = message.split_once("\n\n").expect("an empty line ends the headers");
    let headers = headers.replace("\n ", " ").replace("\n\t", " ");
    let header = |wanted: &str| {
        let named = |line: &str| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        };
        headers.lines().find_map(named).unwrap_or_else(|| panic!("the header {wanted} is there"))
    };
    let text = match header("Content-Transfer-Encoding").as_str() {
        "7bit" | "8bit" => body.to_owned(),
        "base64" => utf8(decode_base64(&body.split_whitespace().collect::<String>())),
        "quoted-printable" => utf8(decode_quoted(body)),
        other => panic!("text is not encoded by {other}"),
    };
    Mail { to: header("To").parse().expect("an address"), subject: decode_words(&header("Subject")), text }
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("mail is UTF-8")
}

fn decode_base64(text: &str) -> Vec<u8> {
    BASE64.decode(text.as_bytes()).expect("it is base64")
}

/// Such as `Sunset over =?utf-8?b?w4Q=?=`.
fn decode_words(text: &str) -> String {
    let (mut decoded, mut was_encoded) = (Vec::new(), true);
    for word in text.split(' ') {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|word| word.strip_suffix("?="));
        // The space between two encoded words is no part of the text.
        if !(decoded.is_empty() || was_encoded && encoded.is_some()) {
            decoded.push(b' ');
        }
        match encoded {
            Some(encoded) => decoded.extend(decode_base64(encoded)),
            None => decoded.extend(word.as_bytes()),
        }
        was_encoded = encoded.is_some();
    }
    utf8(decoded)
}

fn decode_quoted(text: &str) -> Vec<u8> {
    let text = text.replace("=\n", "");
    let (mut decoded, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        match (first, after) {
            (b'=', [high, low, after @ ..]) => {
                let digits = [*high, *low].map(char::from).map(|digit| digit.to_digit(16).expect("a digit"));
                decoded.push(u8::try_from(digits[0] * 16 + digits[1]).expect("two digits are a byte"));
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}
