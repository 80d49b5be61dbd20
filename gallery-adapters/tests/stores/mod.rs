//! What the tests of several stores share.

#![allow(dead_code, reason = "not every test needs all of it")]

pub(crate) mod every_method;
pub(crate) mod searches;
pub(crate) mod statements;
pub(crate) mod stored;
