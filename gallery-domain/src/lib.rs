//! A photo gallery's entities, ports and services.
