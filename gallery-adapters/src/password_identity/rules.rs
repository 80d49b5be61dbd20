//! Which passwords are accepted: NIST SP 800-63B-4, section 3.1.1.2. Length and a list of bad ones, and no rule on kinds of characters.

use gallery_domain::{EmailAddress, InvalidValue, Password};

const SHORTEST: usize = 15;
const LONGEST: usize = 99;
/// A password that takes fewer guesses is refused. Every one of the 30,000 commonest passwords takes fewer, and so do repetitions, rows of
/// keys, and few words or dates in a row.
const FEWEST_GUESSES: u64 = 100_000_000;
/// Words that whoever attacks this very program would try first.
const PRODUCT_WORDS: [&str; 10] =
    ["photogallery", "gallery", "galleries", "gallerie", "photos", "photo", "pictures", "picture", "albums", "album"];
/// How many letters and digits have to stand beside what the e-mail address and the product's words give.
const FEWEST_OWN_CHARACTERS: usize = 8;

/// Refuses a password with the reason. It is normalised already; a character is a Unicode code point.
pub(crate) fn check(password: &Password, email: &EmailAddress) -> Result<(), InvalidValue> {
    let password = password.expose();
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(InvalidValue::new(format!(
            "has {length} characters and needs at least {SHORTEST}: a sentence or four words make a good one"
        )));
    }
    if length > LONGEST {
        return Err(InvalidValue::new(format!("is longer than {LONGEST} characters")));
    }
    let words = words_to_avoid(email);
    if is_built_from(password, &words) {
        return Err(InvalidValue::new(
            "is little more than your e-mail address or words such as photo and gallery: add words that have nothing to do with them",
        ));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if zxcvbn::zxcvbn(password, &words).guesses() < FEWEST_GUESSES {
        return Err(InvalidValue::new(
            "is a common password or easy to guess from one: take four words or more that have nothing to do with each other",
        ));
    }
    Ok(())
}

/// The e-mail address, its parts, and the product's words; longest first, so that none hides in a longer one.
fn words_to_avoid(email: &EmailAddress) -> Vec<String> {
    let address = email.as_str();
    let parts = address.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() >= 3);
    let joined: String = email.local_part().chars().filter(|c| c.is_alphanumeric()).collect();
    let mut words: Vec<String> = parts.chain(PRODUCT_WORDS).map(str::to_owned).collect();
    words.push(address.to_owned());
    words.extend((joined.chars().count() >= 3).then_some(joined));
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

fn is_built_from(password: &str, words: &[String]) -> bool {
    let whole = password.to_lowercase();
    let rest = words.iter().fold(whole.clone(), |rest, word| rest.replace(word.as_str(), " "));
    rest != whole && rest.chars().filter(|c| c.is_alphanumeric()).count() < FEWEST_OWN_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        let email = "ada.lovelace@byron-family.example".parse().unwrap();
        check(&Password::parse(text).unwrap(), &email).err().map(|refused| refused.reason().to_owned())
    }

    #[test]
    fn length_is_counted_in_characters_after_normalising() {
        assert!(refusal("vorhin lila Ei").unwrap().starts_with("has 14 characters"));
        assert_eq!(refusal("vorhin lila Eis"), None);
        assert!(refusal(&"ë".repeat(14)).unwrap().starts_with("has 14 characters"));
        assert!(refusal("e\u{308}u\u{308}o\u{308}a\u{308}i\u{308}e\u{301}u\u{301}").unwrap().starts_with("has 7"));
        let long: String = "zebra quilt orbit lemon ".chars().cycle().take(99).collect();
        assert_eq!(refusal(&long), None);
        assert!(refusal(&format!("{long}x")).unwrap().contains("longer than 99"));
    }

    #[test]
    fn scripts_and_symbols_of_all_kinds_are_welcome() {
        for text in [
            "correct horse battery staple",
            "дождь стучит по крыше",
            "ねこがやねでねむっているよるのゆめ",
            "🦀🐙🦑🐡🐠🐟🐬🐳🐋🦈🦭🐊🐅🐆🦓",
        ] {
            assert_eq!(refusal(text), None, "{text}");
        }
    }

    #[test]
    fn common_passwords_and_plays_on_them_are_refused() {
        for text in [
            "passwordpassword",
            "password12345678",
            "1234567890123456",
            "123456789012345",
            "qwertyuiopasdfgh",
            "iloveyouiloveyou",
            "aaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "P@ssw0rdP@ssw0rd",
            "drowssapdrowssap",
            "letmeinletmeinletmein",
            "111111111111111111",
            "abcabcabcabcabcabc",
        ] {
            assert!(refusal(text).is_some_and(|reason| reason.contains("common")), "{text}: {:?}", refusal(text));
        }
    }

    #[test]
    fn the_address_and_the_products_words_do_not_make_a_password() {
        for text in [
            "ada.lovelace@byron-family.example",
            "Ada.Lovelace@Byron-Family.EXAMPLE!",
            "adalovelace2024",
            "AdaLovelace-Byron",
            "my photo gallery",
            "photo gallery 2024",
            "gallerygallery1234",
            "photosphotosphotos",
        ] {
            assert!(
                refusal(text).is_some_and(|reason| reason.contains("e-mail address")),
                "{text}: {:?}",
                refusal(text)
            );
        }
        assert_eq!(refusal("gallery of seven quiet walruses"), None);
    }
}
