//! Driving adapters of the photo gallery.
