//! The static web interface, embedded.
