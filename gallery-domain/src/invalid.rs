//! What a value object says when it refuses a value.

use std::fmt;

/// Why a value was refused: a phrase that follows the name of the field, such as "is longer than 200 characters".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    reason: String,
}

impl InvalidValue {
    /// A refusal with its reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// The reason, to be shown after the field's name.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Names the field the value stood in.
    pub fn in_field(self, field: impl Into<String>) -> InvalidField {
        InvalidField { field: field.into(), reason: self.reason }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for InvalidValue {}

/// A refused value and the field of the request it stood in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// A JSON pointer into the request's body such as `/tags/3`, or the name of a query parameter.
    pub field: String,
    /// Why, as in [`InvalidValue`].
    pub reason: String,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.reason)
    }
}

/// Text of at most `limit` characters, composed (NFC), without control characters other than those in `allowed`.
pub(crate) fn parse_text(text: &str, limit: usize, allowed: &[char]) -> Result<String, InvalidValue> {
    use unicode_normalization::UnicodeNormalization;

    if let Some(control) = text.chars().find(|c| c.is_control() && !allowed.contains(c)) {
        return Err(InvalidValue::new(format!("holds the control character U+{:04X}: remove it", u32::from(control))));
    }
    // Checked before normalising too, so that a hostile text is never expanded.
    let too_long = || InvalidValue::new(format!("is longer than {limit} characters"));
    if text.chars().nth(limit * 4).is_some() {
        return Err(too_long());
    }
    let text: String = text.trim().nfc().collect();
    if text.chars().nth(limit).is_some() {
        return Err(too_long());
    }
    Ok(text)
}
