//! Whether a licence expression (SPDX, annex D) can be met with a list of allowed licences.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

/// Whether `expression` can be met with licences of `allowed` alone.
///
/// `OR` offers a choice, `AND` asks for both, `WITH` belongs to the licence before it. The old `MIT/Apache-2.0`
/// means `OR`. An expression that cannot be read is an error.
pub(crate) fn can_be_met(expression: &str, allowed: &BTreeSet<String>) -> Result<bool> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut reader = Reader { words: spaced.split_whitespace().collect(), at: 0, allowed };
    match reader.choice() {
        Some(met) if reader.at == reader.words.len() => Ok(met),
        _ => bail!("the licence expression `{expression}` cannot be read"),
    }
}

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
    allowed: &'a BTreeSet<String>,
}

impl Reader<'_> {
    fn choice(&mut self) -> Option<bool> {
        let mut met = self.every()?;
        while self.take("OR") {
            // Both sides are read whatever the first says: the words have to be consumed.
            let other = self.every()?;
            met = met || other;
        }
        Some(met)
    }

    fn every(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            let other = self.one()?;
            met = met && other;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.choice()?;
            return self.take(")").then_some(met);
        }
        let name = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Some(self.allowed.contains(&format!("{name} WITH {exception}")));
        }
        Some(self.allowed.contains(&name))
    }

    fn name(&mut self) -> Option<String> {
        let word = *self.words.get(self.at)?;
        if matches!(word, "OR" | "AND" | "WITH" | "(" | ")") {
            return None;
        }
        self.at += 1;
        Some(word.to_owned())
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> bool {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"];
        can_be_met(expression, &allowed.map(str::to_owned).into()).unwrap()
    }

    #[test]
    fn a_choice_needs_one_allowed_side() {
        assert!(met("MIT"));
        assert!(met("GPL-3.0-only OR MIT"));
        assert!(met("MIT/Apache-2.0"));
        assert!(met("LGPL-2.1-or-later / MIT"));
        assert!(!met("GPL-3.0-only OR AGPL-3.0-only"));
    }

    #[test]
    fn a_conjunction_needs_both_sides() {
        assert!(met("(MIT OR GPL-2.0-only) AND Unicode-3.0"));
        assert!(!met("MIT AND OpenSSL"));
        // AND binds tighter than OR.
        assert!(met("MIT OR Apache-2.0 AND OpenSSL"));
        assert!(!met("(MIT OR Apache-2.0) AND OpenSSL"));
    }

    #[test]
    fn an_exception_is_allowed_by_name_alone() {
        assert!(met("Apache-2.0 WITH LLVM-exception"));
        assert!(!met("Apache-2.0 WITH Something-else"));
        assert!(!met("MIT WITH LLVM-exception"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_a_licence() {
        for expression in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT AND ()"] {
            assert!(can_be_met(expression, &BTreeSet::from(["MIT".to_owned()])).is_err(), "{expression:?}");
        }
    }
}
