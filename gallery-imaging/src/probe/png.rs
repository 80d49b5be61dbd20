use std::borrow::Cow;
use std::io::Cursor;

use gallery_domain::MediaType;
use image::codecs::png::PngDecoder;
use image::{ImageDecoder, Limits};

use super::{Header, MAX_PROFILE_BYTES, Refusal, check_memory, check_size};

const SIGNATURE_BYTES: usize = 8;

pub(super) fn probe(bytes: &[u8]) -> Result<Header<'_>, Refusal> {
    let mut chunks = Chunks::of(bytes);
    let Some(Chunk { name: b"IHDR", data: &[w0, w1, w2, w3, h0, h1, h2, h3, depth, colour, ..], .. }) = chunks.next()
    else {
        return Err(Refusal::damaged());
    };
    let (width, height) = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
    check_size(width, height)?;
    // As decoded, with the alpha that a tRNS chunk may add.
    let channels = if colour & 2 == 0 && colour != 3 { 2 } else { 4 };
    check_memory(u64::from(width) * u64::from(height) * channels * if depth == 16 { 2 } else { 1 })?;

    let (mut exif, mut profile) = (None, None);
    for chunk in chunks {
        match chunk.name {
            b"eXIf" if exif.is_none() => exif = Some(Cow::Borrowed(chunk.data)),
            b"iCCP" if profile.is_none() => profile = unpacked_profile(bytes, &chunk).map(Cow::Owned),
            _ => {}
        }
    }
    Ok(Header { media_type: MediaType::Png, width, height, exif, profile })
}

/// The file without its ancillary chunks but for transparency: what they unpack to is bounded by nothing, and the decoder
/// unpacks some of them before it tells so much as the size.
pub(super) fn without_metadata(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    plain.extend_from_slice(&bytes[..SIGNATURE_BYTES]);
    for chunk in Chunks::of(bytes) {
        let is_critical = chunk.name[0].is_ascii_uppercase();
        if is_critical || chunk.name == b"tRNS" {
            plain.extend_from_slice(chunk.whole);
        }
    }
    plain
}

/// Unpacks the colour profile under a limit of its own, by showing the decoder a file of nothing else.
fn unpacked_profile(bytes: &[u8], profile: &Chunk<'_>) -> Option<Vec<u8>> {
    if profile.data.len() > MAX_PROFILE_BYTES {
        return None;
    }
    let header = Chunks::of(bytes).next()?;
    // The decoder reads as far as the first image data, and wants a palette before that where one is due.
    let rest = Chunks::of(bytes).filter(|chunk| chunk.name == b"PLTE").take(1);
    let data = Chunks::of(bytes).find(|chunk| chunk.name == b"IDAT")?;
    let mut file = bytes[..SIGNATURE_BYTES].to_vec();
    file.extend_from_slice(header.whole);
    file.extend_from_slice(profile.whole);
    rest.for_each(|chunk| file.extend_from_slice(chunk.whole));
    file.extend_from_slice(&data.whole[..SIGNATURE_BYTES]);

    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_PROFILE_BYTES as u64);
    PngDecoder::with_limits(Cursor::new(file), limits).ok()?.icc_profile().ok().flatten()
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    data: &'a [u8],
    /// Length, name, data and checksum, as far as the file goes.
    whole: &'a [u8],
}

/// The chunks up to and with `IEND`, or to the end of a file that stops early.
struct Chunks<'a> {
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.get(SIGNATURE_BYTES..).unwrap_or_default() }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let (length, after) = self.rest.split_first_chunk()?;
        let (name, data) = after.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (whole, rest) = self.rest.split_at(length.saturating_add(12).min(self.rest.len()));
        self.rest = if name == b"IEND" { &[] } else { rest };
        Some(Chunk { name, data: &data[..length.min(data.len())], whole })
    }
}
