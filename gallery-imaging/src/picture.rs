//! A derived picture: planes at 4:2:0, as JPEG wants them, or one of grey.

use gallery_domain::ThumbHash;
use image::metadata::Orientation as ImageOrientation;
use image::{DynamicImage, GrayImage};
use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress_raw, yuv};

use super::exif::Orientation;
use super::refusal::Refusal;
use super::resize::{fitted, resized_plane};

/// The usual trade of bytes for looks.
const JPEG_QUALITY: u8 = 80;
/// A ThumbHash keeps at most seven waves across, which this many pixels show.
const PLACEHOLDER_EDGE: u32 = 32;

/// Samples of one kind, row by row without padding.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) samples: Vec<u8>,
}

/// A derived picture: Y alone, or Y with Cb and Cr of half the width and height, rounded up.
#[derive(Debug)]
pub(super) struct Picture {
    planes: Vec<Plane>,
}

impl Picture {
    /// One plane of Y, or three of Y, Cb and Cr at 4:2:0.
    pub(super) fn of_planes(planes: Vec<Plane>) -> Self {
        Self { planes }
    }

    /// Three bytes a pixel.
    pub(super) fn of_rgb(width: u32, height: u32, rgb: &[u8]) -> Result<Self, Refusal> {
        let (columns, rows) = (width as usize, height as usize);
        let planes = yuv::encode_yuv_planes(rgb, columns, rows, PixelFormat::Rgb, Subsampling::S444)?;
        let planes = planes.into_iter().enumerate().map(|(component, samples)| {
            let plane = Plane { width, height, samples };
            if component == 0 {
                return Ok(plane);
            }
            let half = (width.div_ceil(2), height.div_ceil(2));
            resized_plane(&plane, f64::from(width), f64::from(height), half)
        });
        Ok(Self { planes: planes.collect::<Result<_, Refusal>>()? })
    }

    /// The brightness of each pixel.
    pub(super) fn luma(&self) -> &[u8] {
        &self.planes[0].samples
    }

    /// Three bytes a pixel.
    pub(super) fn to_rgb(&self) -> Result<Vec<u8>, Refusal> {
        self.to_pixels(PixelFormat::Rgb)
    }

    /// Whether next to nothing but the grey is to be seen that a decoder puts where it can read nothing.
    pub(super) fn is_blank(&self) -> bool {
        const FILLING: u8 = 128;
        let seen = self.luma().iter().filter(|sample| sample.abs_diff(FILLING) > 2).count();
        seen < self.luma().len().div_ceil(100)
    }

    /// Turned and mirrored as the camera was held.
    pub(super) fn upright(self, orientation: Orientation) -> Self {
        let turn = ImageOrientation::from_exif(orientation.as_exif()).unwrap_or(ImageOrientation::NoTransforms);
        if turn == ImageOrientation::NoTransforms {
            return self;
        }
        let planes = self.planes.into_iter().map(|plane| {
            let mut image: DynamicImage = GrayImage::from_raw(plane.width, plane.height, plane.samples)
                .expect("a plane has a sample for each of its places")
                .into();
            image.apply_orientation(turn);
            Plane { width: image.width(), height: image.height(), samples: image.into_bytes() }
        });
        Self { planes: planes.collect() }
    }

    /// A picture that fits into a square of `long_edge` pixels; never larger than this one.
    pub(super) fn fitted_into(&self, long_edge: u32) -> Result<Self, Refusal> {
        let (width, height) = fitted(self.planes[0].width, self.planes[0].height, long_edge);
        let planes = self.planes.iter().enumerate().map(|(component, plane)| {
            let size = if component == 0 { (width, height) } else { (width.div_ceil(2), height.div_ceil(2)) };
            resized_plane(plane, f64::from(plane.width), f64::from(plane.height), size)
        });
        Ok(Self { planes: planes.collect::<Result<_, Refusal>>()? })
    }

    /// A baseline JPEG without any metadata.
    pub(super) fn to_jpeg(&self) -> Result<Vec<u8>, Refusal> {
        let luma = &self.planes[0];
        let samples: Vec<&[u8]> = self.planes.iter().map(|plane| plane.samples.as_slice()).collect();
        let widths: Vec<usize> = self.planes.iter().map(|plane| plane.width as usize).collect();
        let heights: Vec<usize> = self.planes.iter().map(|plane| plane.height as usize).collect();
        let subsampling = if self.planes.len() == 1 { Subsampling::S444 } else { Subsampling::S420 };
        let (width, height) = (luma.width as usize, luma.height as usize);
        Ok(compress_raw(&samples, &widths, &heights, width, height, JPEG_QUALITY, subsampling)?)
    }

    /// What to show while the picture loads.
    pub(super) fn placeholder(&self) -> Result<ThumbHash, Refusal> {
        let tiny = self.fitted_into(PLACEHOLDER_EDGE)?;
        let rgba = tiny.to_pixels(PixelFormat::Rgba)?;
        let (width, height) = (tiny.planes[0].width as usize, tiny.planes[0].height as usize);
        Ok(ThumbHash::from_bytes(thumbhash::rgba_to_thumb_hash(width, height, &rgba)))
    }

    fn to_pixels(&self, format: PixelFormat) -> Result<Vec<u8>, Refusal> {
        let (width, height) = (self.planes[0].width, self.planes[0].height);
        let full = self.planes.iter().map(|plane| {
            // Colours are brought to full size here, more smoothly than the codec would.
            resized_plane(plane, f64::from(plane.width), f64::from(plane.height), (width, height))
        });
        let full: Vec<Plane> = full.collect::<Result<_, Refusal>>()?;
        let samples: Vec<&[u8]> = full.iter().map(|plane| plane.samples.as_slice()).collect();
        Ok(yuv::decode_yuv_planes(&samples, width as usize, height as usize, Subsampling::S444, format)?)
    }
}
