//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::InvalidValue;

/// An e-mail address in the form by which it is unique: composed (NFKC), lower case, without a display name.
///
/// `Debug` shows only the domain, so that logs hold no address.
///
/// ```
/// # use gallery_domain::EmailAddress;
/// let address: EmailAddress = " Ada@Example.org ".parse()?;
/// assert_eq!(address.as_str(), "ada@example.org");
/// # Ok::<(), gallery_domain::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidValue::new("is not an e-mail address: expected one such as ada@example.org");
        if text.len() > 1024 {
            return Err(InvalidValue::new("is longer than 254 bytes"));
        }
        let text: String = text.trim().nfkc().collect();
        // Composed once more, as a letter in lower case may compose with its mark where its capital did not: J and a caron.
        let text: String = text.to_lowercase().nfkc().collect();
        if text.len() > 254 {
            return Err(InvalidValue::new("is longer than 254 bytes"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(invalid());
        }
        let options = email_address::Options::default().without_display_text().without_domain_literal();
        email_address::EmailAddress::parse_with_options(&text, options).map_err(|_| invalid())?;
        Ok(Self(text))
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = self.0.rsplit_once('@').map_or("", |(_, domain)| domain);
        write!(f, "EmailAddress(…@{domain})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_spellings_of_one_address_are_equal() {
        let plain: EmailAddress = "jose@example.org".parse().unwrap();
        assert_eq!("  JOSE@EXAMPLE.ORG".parse(), Ok(plain));
        let composed: EmailAddress = "jos\u{e9}@example.org".parse().unwrap();
        assert_eq!("jose\u{301}@example.org".parse(), Ok(composed));
        let caron: EmailAddress = "\u{1f0}@example.org".parse().unwrap();
        assert_eq!("J\u{30c}@example.org".parse(), Ok(caron));
    }

    #[test]
    fn every_capital_is_read_back_as_it_was_written() {
        let changes = |c: &char| !c.to_lowercase().eq([*c]) || !std::iter::once(*c).nfkc().eq([*c]);
        for c in ('\0'..=char::MAX).filter(changes) {
            if let Ok(address) = format!("{c}\u{30c}@{c}.example.org").parse::<EmailAddress>() {
                assert_eq!(address.to_string().parse(), Ok(address), "U+{:04X}", u32::from(c));
            }
        }
    }

    proptest! {
        #[test]
        fn an_address_is_read_back_as_it_was_written(
            local in "[\\p{L}\\p{M}]{1,12}", domain in "[\\p{L}\\p{M}a-z]{1,12}", more in any::<String>()
        ) {
            for text in [format!("{local}@{domain}.org"), format!("{more}@{domain}.org"), more] {
                if let Ok(address) = text.parse::<EmailAddress>() {
                    prop_assert_eq!(address.to_string().parse(), Ok(address));
                }
            }
        }
    }
}
