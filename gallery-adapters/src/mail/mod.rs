//! Mail: over SMTP, or into a folder for galleries that run on one machine.

#[cfg(feature = "outbox")]
mod outbox;
#[cfg(feature = "smtp")]
mod smtp;

#[cfg(feature = "outbox")]
pub use self::outbox::Outbox;
#[cfg(feature = "smtp")]
pub use self::smtp::{Smtp, SmtpSettings};
