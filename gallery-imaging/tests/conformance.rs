//! What the port of image processors promises, kept by this one.

use std::sync::Arc;

use gallery_domain::ports::ImageProcessor;
use gallery_imaging::Imaging;

gallery_domain::conformance::image_processor_suite!(Arc::new(Imaging::new()) as Arc<dyn ImageProcessor>);
