//! What a file's headers say, and whether decoding it is within the limits: nothing here allocates or works more than the
//! file is long, whatever the headers claim.

mod gif;
mod jpeg;
mod png;
mod webp;

use std::borrow::Cow;

use gallery_domain::MediaType;

use super::refusal::Refusal;

/// Pixels on the longer side.
pub(super) const MAX_SIDE: u32 = 20_000;
/// Pixels in all.
pub(super) const MAX_PIXELS: u64 = 100_000_000;
/// Bytes that the decoder and what it hands over may take, as estimated from the header.
pub(super) const MAX_DECODER_BYTES: u64 = 512 << 20;
/// Scans of a JPEG: ordinary progressive ones have about ten, and each may visit every block of the picture.
pub(super) const MAX_SCANS: usize = 100;
/// Frames of an animation.
const MAX_FRAMES: usize = 1_000;
/// Bytes of an EXIF block. In a JPEG it cannot pass 64 KiB.
const MAX_EXIF_BYTES: usize = 256 << 10;
/// Bytes of a colour profile. Those of printing presses take up to about 2 MB.
pub(super) const MAX_PROFILE_BYTES: usize = 4 << 20;

/// What a file's headers say.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) media_type: MediaType,
    /// Pixels as stored, before orientation.
    pub(super) width: u32,
    /// Pixels as stored, before orientation.
    pub(super) height: u32,
    /// The TIFF structure that cameras write.
    pub(super) exif: Option<Cow<'a, [u8]>>,
    /// The ICC profile of the colours.
    pub(super) profile: Option<Cow<'a, [u8]>>,
}

/// Reads the headers of a file, and refuses what is no photo or beyond the limits.
pub(super) fn probe(bytes: &[u8]) -> Result<Header<'_>, Refusal> {
    let Some(media_type) = MediaType::of_magic_bytes(bytes) else {
        return Err(Refusal::not_a_photo(what_it_is_instead(bytes)));
    };
    let mut header = match media_type {
        MediaType::Jpeg => jpeg::probe(bytes),
        MediaType::Png => png::probe(bytes),
        MediaType::Webp => webp::probe(bytes),
        MediaType::Gif => gif::probe(bytes),
    }?;
    header.exif = header.exif.filter(|exif| exif.len() <= MAX_EXIF_BYTES);
    header.profile = header.profile.filter(|profile| profile.len() <= MAX_PROFILE_BYTES);
    Ok(header)
}

/// The file, or a copy with an end where it lacks its own.
pub(super) fn mended(bytes: &[u8]) -> Cow<'_, [u8]> {
    match MediaType::of_magic_bytes(bytes) {
        Some(MediaType::Jpeg) => jpeg::mended(bytes),
        _ => Cow::Borrowed(bytes),
    }
}

/// The chunks of a PNG that its picture is made of, without those that tell about it.
pub(super) fn png_without_metadata(bytes: &[u8]) -> Vec<u8> {
    png::without_metadata(bytes)
}

/// Whether a JPEG's inks are stored the way of Adobe's programs.
pub(super) fn jpeg_has_adobe_marker(bytes: &[u8]) -> bool {
    jpeg::has_adobe_marker(bytes)
}

fn check_size(width: u32, height: u32) -> Result<(), Refusal> {
    if width == 0 || height == 0 {
        return Err(Refusal::damaged());
    }
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Refusal::too_large(format!(
            "This picture has {width} × {height} pixels. The gallery takes up to {} megapixels and {MAX_SIDE} pixels a \
             side: make it smaller in a photo program, then upload it again.",
            MAX_PIXELS / 1_000_000
        )));
    }
    Ok(())
}

fn check_memory(decoder_bytes: u64) -> Result<(), Refusal> {
    if decoder_bytes > MAX_DECODER_BYTES {
        return Err(Refusal::too_large(
            "This picture takes too much memory to open. Make it smaller, or save it as an ordinary JPEG, in a photo \
             program, then upload it again.",
        ));
    }
    Ok(())
}

fn check_frames(frames: usize) -> Result<(), Refusal> {
    if frames > MAX_FRAMES {
        return Err(Refusal::too_large(format!(
            "This animation has more than {MAX_FRAMES} pictures. Shorten it, or save its first picture as a JPEG."
        )));
    }
    Ok(())
}

/// A sentence for somebody who took this file for a photo.
fn what_it_is_instead(bytes: &[u8]) -> &'static str {
    let start = &bytes[..bytes.len().min(1024)];
    let text = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if bytes.is_empty() {
        return "This file is empty. Copy it from the camera or phone again, then upload it.";
    }
    if start.get(4..8) == Some(b"ftyp") {
        return match start.get(8..12) {
            Some(b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" | b"avif" | b"avis") => {
                "This is a HEIC or AVIF picture, which the gallery does not take yet. Export it as JPEG, or set the \
                 phone's camera to save its pictures in the most compatible format."
            }
            _ => "This is a video. The gallery takes photos only: JPEG, PNG, WebP and GIF.",
        };
    }
    if start.starts_with(b"II*\0") || start.starts_with(b"MM\0*") || start.starts_with(b"FUJIFILM") {
        return "This is a TIFF or a camera's raw file. Export it as JPEG in a photo program, then upload that.";
    }
    if start.starts_with(b"%PDF") {
        return "This is a PDF document. Export the picture in it as JPEG or PNG, then upload that.";
    }
    if text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg")) {
        return "This is an SVG drawing, which the gallery does not take. Export it as PNG, then upload that.";
    }
    if text.starts_with('<') {
        return "This is a web page, not a picture. Save the picture itself: open it on its own, then save it.";
    }
    if !start.contains(&0) && std::str::from_utf8(start).is_ok() {
        return "This is a text file, whatever its name says. Upload a JPEG, PNG, WebP or GIF picture.";
    }
    "This is not a picture that the gallery can read. Upload a JPEG, PNG, WebP or GIF picture."
}
