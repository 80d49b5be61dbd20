//! Owners with very many photos on PostgreSQL, the pages that they look at, and the plans by which the server answers.

#![allow(dead_code, reason = "not everybody who includes this needs all of it")]

pub(crate) mod filling;
pub(crate) mod pages;
pub(crate) mod plans;
