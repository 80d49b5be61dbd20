//! Built-in passwords.
