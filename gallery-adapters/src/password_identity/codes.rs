//! The codes that people type, and how they and reset tokens are kept.

use gallery_domain::ports::IdGenerator;
use gallery_domain::{CodePurpose, EmailAddress, Sha256Digest};

/// How many codes there are.
const CODES: u32 = 100_000_000;

/// Eight digits, each code as likely as any other.
pub(crate) fn new_code(ids: &dyn IdGenerator) -> String {
    // Numbers above the last whole multiple would make low codes likelier. Of the 8 numbers in a secret one is nearly always below.
    const FAIR_BELOW: u32 = u32::MAX / CODES * CODES;
    loop {
        let secret = ids.new_secret();
        let (numbers, _) = secret.as_chunks::<4>();
        let fair = numbers.iter().map(|bytes| u32::from_be_bytes(*bytes)).find(|number| *number < FAIR_BELOW);
        if let Some(number) = fair {
            return format!("{:08}", number % CODES);
        }
    }
}

/// A code as a person typed or pasted it, without the blanks and dashes that come along.
pub(crate) fn typed(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect()
}

/// What is kept of a code: worth nothing for another purpose or address.
pub(crate) fn hash(purpose: CodePurpose, address: &EmailAddress, code: &str) -> Sha256Digest {
    Sha256Digest::of(format!("{}\0{address}\0{code}", purpose.as_str()).as_bytes())
}

#[cfg(test)]
mod tests {
    use gallery_domain::Timestamp;

    use super::*;
    use crate::system::SystemIds;

    /// Gives secrets from a list.
    #[derive(Debug)]
    struct Given(std::sync::Mutex<Vec<[u8; 32]>>);

    impl IdGenerator for Given {
        fn new_id(&self, _now: Timestamp) -> uuid::Uuid {
            uuid::Uuid::nil()
        }

        fn new_secret(&self) -> [u8; 32] {
            self.0.lock().unwrap().pop().unwrap()
        }
    }

    #[test]
    fn a_code_has_eight_digits_and_no_number_is_favoured() {
        let mut first_fair = [0xFF; 32];
        first_fair[28..].copy_from_slice(&4_199_999_999_u32.to_be_bytes());
        let mut unfair = [0xFF; 32];
        unfair[..4].copy_from_slice(&4_200_000_000_u32.to_be_bytes());
        let ids = Given(std::sync::Mutex::new(vec![[0; 32], first_fair, unfair]));
        assert_eq!(new_code(&ids), "99999999");
        assert_eq!(new_code(&ids), "00000000");
    }

    #[test]
    fn every_digit_comes_at_every_place_about_as_often() {
        let ids = SystemIds::default();
        let mut counts = [[0_u32; 10]; 8];
        for _ in 0..10_000 {
            for (place, digit) in new_code(&ids).bytes().enumerate() {
                counts[place][usize::from(digit - b'0')] += 1;
            }
        }
        // 1,000 expected with a deviation of 30: ten of those never happen by chance.
        assert!(counts.iter().flatten().all(|count| (700..1300).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_hash_is_bound_to_purpose_and_address() {
        let (ada, eve) = ("ada@example.org".parse().unwrap(), "eve@example.org".parse().unwrap());
        let kept = hash(CodePurpose::ConfirmEmail, &ada, "12345678");
        assert_ne!(kept, hash(CodePurpose::ConfirmEmail, &eve, "12345678"));
        assert_ne!(kept, hash(CodePurpose::ResetPassword, &ada, "12345678"));
        assert_eq!(kept, hash(CodePurpose::ConfirmEmail, &ada, &typed(" 1234-5678\n")));
    }
}
