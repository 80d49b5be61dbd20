//! Mail: over SMTP or Amazon SES, or into a folder for galleries that run on one machine.

#[cfg(feature = "outbox")]
mod outbox;
#[cfg(feature = "ses")]
mod ses;
#[cfg(feature = "smtp")]
mod smtp;

#[cfg(feature = "outbox")]
pub use self::outbox::Outbox;
#[cfg(feature = "ses")]
pub use self::ses::{Ses, SesSettings};
#[cfg(feature = "smtp")]
pub use self::smtp::{Smtp, SmtpSettings};
