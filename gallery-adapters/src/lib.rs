//! Driven adapters of the photo gallery.
