//! The services over the memory adapters: how they behave, and what becomes of them when anything under them fails.

mod world;

mod accounts;
mod album_order;
mod albums;
mod faults;
mod ingest;
mod integrity;
mod photos;
mod races;
mod readiness;
