//! From a file's bytes to samples, at a size that the preview can be made of.

use std::io::Cursor;

use gallery_domain::{DerivedImage, MediaType};
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, Limits, RgbImage, RgbaImage};
use libjpeg_turbo_rs::tj3::{TjHandle, TjParam};
use libjpeg_turbo_rs::{
    ColorSpace, DecodeLimits, DecodeWarning, Decoder, JpegError, PixelFormat, ScalingFactor, Subsampling,
    yuv_plane_height, yuv_plane_width,
};

use super::picture::Plane;
use super::probe::{self, Header, MAX_DECODER_BYTES, MAX_PIXELS, MAX_SCANS, MAX_SIDE};
use super::refusal::Refusal;

/// What a decoder made of a file.
pub(super) enum Decoded {
    /// Y, or Y, Cb and Cr, each as finely sampled as the file has it.
    Planes(Vec<SampledPlane>),
    /// Pixels that may be see-through.
    Pixels(DynamicImage),
    /// Cyan, magenta, yellow and black in the four channels, 255 for full ink.
    Inks(RgbaImage),
}

/// One component of a JPEG.
pub(super) struct SampledPlane {
    pub(super) plane: Plane,
    /// How much of the plane's width shows, in samples; the rest pads it to whole blocks.
    pub(super) width: f64,
    /// How much of the plane's height shows, in samples.
    pub(super) height: f64,
}

/// Decodes a file; the flag says that it held errors that were passed over.
pub(super) fn decode(bytes: &[u8], header: &Header<'_>) -> Result<(Decoded, bool), Refusal> {
    match header.media_type {
        MediaType::Jpeg => decode_jpeg(bytes, header),
        MediaType::Png => {
            let plain = Cursor::new(probe::png_without_metadata(bytes));
            Ok((Decoded::Pixels(pixels_of(PngDecoder::with_limits(plain, limits())?)?), false))
        }
        MediaType::Webp => Ok((Decoded::Pixels(pixels_of(WebPDecoder::new(Cursor::new(bytes))?)?), false)),
        MediaType::Gif => Ok((Decoded::Pixels(pixels_of(GifDecoder::new(Cursor::new(bytes))?)?), false)),
    }
}

/// What the JPEG decoder is held to while it walks a file's markers. Its own estimate of memory is that of a decode at full
/// size, so [`probe`] makes one that knows of [`jpeg_fraction`].
pub(super) fn jpeg_limits() -> DecodeLimits {
    DecodeLimits {
        max_width: MAX_SIDE as usize,
        max_height: MAX_SIDE as usize,
        max_pixels: MAX_PIXELS,
        max_scans: MAX_SCANS,
        max_memory: None,
    }
}

/// A JPEG can be decoded at a half, a quarter or an eighth of its size for less work. This is the smallest of these that
/// still holds every pixel of the preview.
pub(super) fn jpeg_fraction(width: u32, height: u32) -> u32 {
    let wanted = DerivedImage::Preview.long_edge();
    [8, 4, 2].into_iter().find(|fraction| width.max(height).div_ceil(*fraction) >= wanted).unwrap_or(1)
}

fn decode_jpeg(bytes: &[u8], header: &Header<'_>) -> Result<(Decoded, bool), Refusal> {
    let fraction = jpeg_fraction(header.width, header.height);
    let decoder = Decoder::new_with_limits(bytes, jpeg_limits())?;
    let frame = decoder.header();
    if frame.precision != 8 || frame.is_lossless {
        return Err(Refusal::of_rare_kind("a JPEG of more than 8 bits or without loss"));
    }
    let planar = matches!(decoder.jpeg_color_space(), ColorSpace::Grayscale | ColorSpace::YCbCr);
    if planar && frame.components.len() == 3 && decoder.jpeg_subsampling() == Subsampling::Unknown {
        return decode_unusual_planes(decoder);
    }
    if planar {
        match decode_planes(bytes, header, fraction) {
            Ok(planes) => return Ok((Decoded::Planes(planes), false)),
            // Planes of a fraction are only to be had of a file without errors.
            Err(error) => tracing::debug!(%error, "a JPEG is decoded leniently"),
        }
    }
    decode_leniently(decoder, bytes, fraction)
}

fn decode_planes(bytes: &[u8], header: &Header<'_>, fraction: u32) -> Result<Vec<SampledPlane>, JpegError> {
    let mut handle = TjHandle::new();
    handle.set_scaling_factor(1, fraction)?;
    handle.set(TjParam::ScanLimit, MAX_SCANS as i32)?;
    let (planes, width, height, subsampling) = handle.decompress_to_yuv_planes(bytes)?;
    let planes = planes.into_iter().enumerate().map(|(component, samples)| {
        let stored = (
            yuv_plane_width(component, width, subsampling) as u32,
            yuv_plane_height(component, height, subsampling) as u32,
        );
        let (across, down) = if component == 0 { (1, 1) } else { ratio(subsampling) };
        let shown = |side: u32, ratio: u32, stored: u32| {
            (f64::from(side) / f64::from(fraction) / f64::from(ratio)).min(f64::from(stored))
        };
        SampledPlane {
            plane: Plane { width: stored.0, height: stored.1, samples },
            width: shown(header.width, across, stored.0),
            height: shown(header.height, down, stored.1),
        }
    });
    Ok(planes.collect())
}

/// Colours sampled in no usual way, perhaps more finely than brightness: legal, rare, and to be had at full size only.
fn decode_unusual_planes(decoder: Decoder<'_>) -> Result<(Decoded, bool), Refusal> {
    let components = decoder.header().components.clone();
    let across = components.iter().map(|component| component.horizontal_sampling).max().unwrap_or(1);
    let down = components.iter().map(|component| component.vertical_sampling).max().unwrap_or(1);
    let (raw, warnings) = decoder.with_lenient(true).decode_raw_with_warnings()?;
    let sizes = raw.plane_widths.iter().zip(&raw.plane_heights);
    let planes = raw.planes.into_iter().zip(sizes).zip(&components).map(|((samples, (&width, &height)), component)| {
        let shown = |side: usize, sampling: u8, most: u8| side as f64 * f64::from(sampling) / f64::from(most);
        SampledPlane {
            plane: Plane { width: width as u32, height: height as u32, samples },
            width: shown(raw.width, component.horizontal_sampling, across),
            height: shown(raw.height, component.vertical_sampling, down),
        }
    });
    Ok((Decoded::Planes(planes.collect()), warnings.iter().any(is_error)))
}

/// How many pixels share one sample of colour, across and down.
fn ratio(subsampling: Subsampling) -> (u32, u32) {
    let (across, down) = subsampling.sampling_factors();
    (u32::from(across), u32::from(down))
}

/// Goes on after errors, with grey where nothing can be read, and takes every colour space.
fn decode_leniently(decoder: Decoder<'_>, bytes: &[u8], fraction: u32) -> Result<(Decoded, bool), Refusal> {
    let inks = matches!(decoder.jpeg_color_space(), ColorSpace::Cmyk | ColorSpace::Ycck);
    let image = decoder
        .with_scale(ScalingFactor::try_new(1, fraction)?)
        .with_lenient(true)
        .with_output_format(if inks { PixelFormat::Cmyk } else { PixelFormat::Rgb })
        .decode_image()?;
    let errors = image.warnings.iter().any(is_error);
    let (width, height, mut samples) = (image.width as u32, image.height as u32, image.data);
    let decoded = if inks {
        if probe::jpeg_has_adobe_marker(bytes) {
            // Adobe's programs store the paper that is left bare rather than the ink.
            samples.iter_mut().for_each(|sample| *sample = !*sample);
        }
        RgbaImage::from_raw(width, height, samples).map(Decoded::Inks)
    } else {
        RgbImage::from_raw(width, height, samples).map(|pixels| Decoded::Pixels(pixels.into()))
    };
    Ok((decoded.ok_or_else(Refusal::damaged)?, errors))
}

/// Stray bytes between segments take nothing from the picture.
fn is_error(warning: &DecodeWarning) -> bool {
    !matches!(warning, DecodeWarning::ExtraneousData { .. })
}

fn pixels_of(mut decoder: impl ImageDecoder) -> Result<DynamicImage, Refusal> {
    decoder.set_limits(limits())?;
    Ok(DynamicImage::from_decoder(decoder)?)
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    limits
}
