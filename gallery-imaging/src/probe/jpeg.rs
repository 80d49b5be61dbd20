use std::borrow::Cow;

use gallery_domain::MediaType;
use libjpeg_turbo_rs::Decoder;

use super::super::decode;
use super::{Header, Refusal, check_memory, check_size};

pub(super) fn probe(bytes: &[u8]) -> Result<Header<'_>, Refusal> {
    let decoder = Decoder::new_with_limits(bytes, decode::jpeg_limits())?;
    let frame = decoder.header();
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    check_size(width, height)?;

    let pixels = u64::from(width) * u64::from(height);
    let components = frame.components.len() as u64;
    let fraction = u64::from(decode::jpeg_fraction(width, height));
    // Planes and their copy without padding; a progressive file keeps two bytes for each sample until its last scan.
    let planes = 2 * pixels * components / (fraction * fraction);
    let coefficients = if frame.is_progressive {
        let area = |h: u8, v: u8| u64::from(h) * u64::from(v);
        let max_h = frame.components.iter().map(|c| c.horizontal_sampling).max().unwrap_or(1);
        let max_v = frame.components.iter().map(|c| c.vertical_sampling).max().unwrap_or(1);
        let sampled: u64 = frame.components.iter().map(|c| area(c.horizontal_sampling, c.vertical_sampling)).sum();
        2 * pixels * sampled / area(max_h, max_v).max(1)
    } else {
        0
    };
    check_memory(planes + coefficients)?;

    Ok(Header {
        media_type: MediaType::Jpeg,
        width,
        height,
        exif: decoder.exif_data().map(|exif| Cow::Owned(exif.to_vec())),
        profile: decoder.icc_profile().ok().flatten().map(Cow::Owned),
    })
}

/// Whether Adobe's APP14 segment stands before the picture.
pub(super) fn has_adobe_marker(bytes: &[u8]) -> bool {
    Segments::of(bytes).any(|(marker, data)| marker == APP14 && data.starts_with(b"Adobe"))
}

/// A file that lacks its end with one put where it stops, as C's libjpeg does: then what came before can be decoded.
pub(super) fn mended(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut segments = Segments::of(bytes);
    segments.by_ref().for_each(drop);
    let picture = bytes.len() - segments.rest.len();
    // Within the data of a picture an end marker cannot occur; in what stands before it, the camera's thumbnail has one.
    if segments.rest.is_empty() || segments.rest.windows(2).any(|pair| pair == [0xFF, END_OF_IMAGE]) {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([&bytes[..end_of_whole_segments(bytes, picture)], &[0xFF, END_OF_IMAGE]].concat())
}

/// Where the last segment begins of which the file holds a part only, or else the file's end.
fn end_of_whole_segments(bytes: &[u8], picture: usize) -> usize {
    let mut at = picture;
    while let Some(found) = bytes[at..].windows(2).position(|pair| pair[0] == 0xFF && begins_segment(pair[1])) {
        let marker = at + found;
        let length =
            bytes.get(marker + 2..marker + 4).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])));
        match length.map(|length| marker + 2 + length.max(2)) {
            Some(next) if next <= bytes.len() => at = next,
            _ => return marker,
        }
    }
    bytes.len() - usize::from(bytes.ends_with(&[0xFF]))
}

/// Stuffing, restarts and filling stand in a picture's data.
fn begins_segment(marker: u8) -> bool {
    !matches!(marker, 0x00 | 0xD0..=0xD7 | 0xFF)
}

const APP14: u8 = 0xEE;
const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// Markers and the data of their segments, up to the first scan.
struct Segments<'a> {
    rest: &'a [u8],
}

impl<'a> Segments<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.get(2..).unwrap_or_default() }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // A marker may have more than one 0xFF before it.
        let marker_at = self.rest.iter().position(|&byte| byte != 0xFF)?;
        let (&marker, after) = self.rest[marker_at..].split_first()?;
        if marker_at == 0 || marker == START_OF_SCAN {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?)).max(2);
        let (segment, rest) = after.split_at(length.min(after.len()));
        self.rest = rest;
        Some((marker, segment.get(2..).unwrap_or_default()))
    }
}
