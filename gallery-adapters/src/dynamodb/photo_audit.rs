//! Recounts what is derived from photos.
