//! From decoded samples to the preview, in sRGB and as planes.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{
    FilterType, IntoImageView, IntoImageViewMut, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer,
};
use gallery_domain::DerivedImage;
use image::{DynamicImage, RgbImage, RgbaImage};

use super::colour::{Samples, ToSrgb};
use super::decode::{Decoded, SampledPlane};
use super::picture::{Picture, Plane};
use super::probe::Header;
use super::refusal::Refusal;

/// The preview of a decoded photo, not yet upright.
pub(super) fn to_preview(decoded: Decoded, header: &Header<'_>) -> Result<Picture, Refusal> {
    let (width, height) = fitted(header.width, header.height, DerivedImage::Preview.long_edge());
    let to_srgb = |samples| header.profile.as_deref().and_then(|profile| ToSrgb::of(profile, samples));
    match decoded {
        Decoded::Planes(planes) => {
            let samples = if planes.len() == 1 { Samples::Grey } else { Samples::Rgb };
            let preview = preview_of_planes(&planes, width, height)?;
            match to_srgb(samples) {
                None => Ok(preview),
                Some(conversion) => {
                    let pixels = if samples == Samples::Grey { preview.luma().to_vec() } else { preview.to_rgb()? };
                    Picture::of_rgb(width, height, &conversion.convert(&pixels).unwrap_or(pixels))
                }
            }
        }
        Decoded::Pixels(pixels) => {
            let is_grey = !pixels.color().has_color();
            let rgb = preview_of_pixels(pixels, width, height)?;
            let converted = if is_grey {
                let grey: Vec<u8> = rgb.as_raw().iter().step_by(3).copied().collect();
                to_srgb(Samples::Grey).and_then(|conversion| conversion.convert(&grey))
            } else {
                to_srgb(Samples::Rgb).and_then(|conversion| conversion.convert(rgb.as_raw()))
            };
            Picture::of_rgb(width, height, &converted.unwrap_or_else(|| rgb.into_raw()))
        }
        Decoded::Inks(inks) => {
            let mut smaller: DynamicImage = RgbaImage::new(width, height).into();
            resample(&DynamicImage::from(inks), &mut smaller, None)?;
            let inks = smaller.as_bytes();
            let rgb = to_srgb(Samples::Cmyk)
                .and_then(|conversion| conversion.convert(inks))
                .unwrap_or_else(|| inks.chunks_exact(4).flat_map(light_of_inks).collect());
            Picture::of_rgb(width, height, &rgb)
        }
    }
}

/// The size that fits into a square of `long_edge` pixels, never larger than it was nor less than one pixel.
pub(super) fn fitted(width: u32, height: u32, long_edge: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= long_edge {
        return (width, height);
    }
    let scaled = |side: u32| {
        let rounded = (u64::from(side) * u64::from(long_edge) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(rounded).unwrap_or(long_edge).max(1)
    };
    (scaled(width), scaled(height))
}

/// The part of a plane that starts at its first sample and is `width` by `height` samples large, in another size.
pub(super) fn resized_plane(
    plane: &Plane,
    width: f64,
    height: f64,
    (new_width, new_height): (u32, u32),
) -> Result<Plane, Refusal> {
    let source =
        ImageRef::new(plane.width, plane.height, &plane.samples, PixelType::U8).map_err(|_| Refusal::damaged())?;
    let mut resized = Image::new(new_width, new_height, PixelType::U8);
    resample(&source, &mut resized, Some((width, height)))?;
    Ok(Plane { width: new_width, height: new_height, samples: resized.into_vec() })
}

fn preview_of_planes(planes: &[SampledPlane], width: u32, height: u32) -> Result<Picture, Refusal> {
    let resized = planes.iter().enumerate().map(|(component, sampled)| {
        if component == 0 {
            return resized_plane(&sampled.plane, sampled.width, sampled.height, (width, height));
        }
        // Where the preview's side is odd, its last sample of colour reaches half a pixel beyond the picture.
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let reach = |shown: f64, half: u32, side: u32, stored: u32| {
            (shown * f64::from(half * 2) / f64::from(side)).min(f64::from(stored))
        };
        let shown_width = reach(sampled.width, half_width, width, sampled.plane.width);
        let shown_height = reach(sampled.height, half_height, height, sampled.plane.height);
        resized_plane(&sampled.plane, shown_width, shown_height, (half_width, half_height))
    });
    Ok(Picture::of_planes(resized.collect::<Result<_, _>>()?))
}

/// What shows through is white, as on a page.
fn preview_of_pixels(mut pixels: DynamicImage, width: u32, height: u32) -> Result<RgbImage, Refusal> {
    let see_through = pixels.color().has_alpha();
    if see_through {
        // In place, for these may be hundreds of megabytes.
        MulDiv::new().multiply_alpha_inplace(&mut pixels).map_err(|_| Refusal::damaged())?;
    }
    let mut smaller = DynamicImage::new(width, height, pixels.color());
    resample(&pixels, &mut smaller, None)?;
    if !see_through {
        return Ok(smaller.into_rgb8());
    }
    let mut rgb = RgbImage::new(width, height);
    for (onto, from) in rgb.as_mut().chunks_exact_mut(3).zip(smaller.into_rgba8().as_raw().chunks_exact(4)) {
        let white = 255 - from[3];
        onto.iter_mut().zip(from).for_each(|(onto, &light)| *onto = light.saturating_add(white));
    }
    Ok(rgb)
}

/// For want of a profile: each ink takes its share of the light.
fn light_of_inks(inks: &[u8]) -> [u8; 3] {
    let bare = |ink: u8| u32::from(255 - ink);
    [0, 1, 2].map(|channel| ((bare(inks[channel]) * bare(inks[3]) + 127) / 255) as u8)
}

/// Lanczos3, in the channels as they are.
fn resample(
    source: &impl IntoImageView,
    target: &mut impl IntoImageViewMut,
    part: Option<(f64, f64)>,
) -> Result<(), Refusal> {
    let mut options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
    if let Some((width, height)) = part {
        options = options.crop(0.0, 0.0, width, height);
    }
    Resizer::new().resize(source, target, &options).map_err(|error| {
        tracing::error!(%error, "a decoded picture cannot be resized");
        Refusal::damaged()
    })
}
