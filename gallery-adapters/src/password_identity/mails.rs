//! What the mails say.

use gallery_domain::ports::Mail;
use gallery_domain::{EmailAddress, SecretToken};
use url::{Url, form_urlencoded};

pub(crate) fn confirmation(to: &EmailAddress, code: &str) -> Mail {
    confirmation_with(to, code, "")
}

/// For an address that was signed up twice, with two passwords.
pub(crate) fn confirmation_without_password(to: &EmailAddress, code: &str) -> Mail {
    let hint = "
This address was signed up more than once, with different passwords. So that nobody gets in with a password that is not yours, none of them works. After confirming, choose \"Forgot password\" to set one.
";
    confirmation_with(to, code, hint)
}

fn confirmation_with(to: &EmailAddress, code: &str, hint: &str) -> Mail {
    mail(
        to,
        "Your Gallery confirmation code",
        format!(
            "Hello,

welcome to Gallery! To confirm that this e-mail address is yours, enter this code:

{code}

It works once, and for 10 minutes. If a newer mail came, use the code in that one.
{hint}
If it was not you who signed up, you need not do anything: without the code nobody gets in.
"
        ),
    )
}

pub(crate) fn account_exists(to: &EmailAddress, site: &Url) -> Mail {
    mail(
        to,
        "You already have a Gallery account",
        format!(
            "Hello,

somebody, most likely you, has just tried to sign up to Gallery with this e-mail address. There is an account already, and nothing about it has changed.

You can log in here:

{site}

If you do not remember your password, choose \"Forgot password\" there.

If it was not you, you need not do anything.
"
        ),
    )
}

pub(crate) fn reset_link(to: &EmailAddress, site: &Url, token: &SecretToken) -> Mail {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let link = format!(
        "{}/#/reset?email={}&token={}",
        site.as_str().trim_end_matches('/'),
        encode(to.as_str()),
        encode(token.expose())
    );
    mail(
        to,
        "Set a new Gallery password",
        format!(
            "Hello,

you can set a new password for Gallery here:

{link}

The link works once, and for 30 minutes. Setting a new password logs you out everywhere.

If you did not ask for this, you need not do anything: your password stays as it is.
"
        ),
    )
}

fn mail(to: &EmailAddress, subject: &str, text: String) -> Mail {
    Mail { to: to.clone(), subject: subject.to_owned(), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_stands_on_a_line_of_its_own() {
        let mail = confirmation(&"ada@example.org".parse().unwrap(), "01234567");
        assert_eq!(mail.text.lines().filter(|line| *line == "01234567").count(), 1);
    }

    #[test]
    fn the_link_of_a_reset_is_encoded_and_starts_with_the_configured_site() {
        let site = Url::parse("https://photos.example/our/gallery/").unwrap();
        let token = SecretToken::from_client("a b");
        let mail = reset_link(&"ada+x&token=y@example.org".parse().unwrap(), &site, &token);
        let link = "https://photos.example/our/gallery/#/reset?email=ada%2Bx%26token%3Dy%40example.org&token=a+b";
        assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
    }
}
