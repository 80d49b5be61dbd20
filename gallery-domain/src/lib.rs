//! A photo gallery's entities, ports and services.

pub mod terms;
