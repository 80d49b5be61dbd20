//! Decoding photos and making thumbnails.
