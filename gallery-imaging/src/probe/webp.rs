use std::borrow::Cow;

use gallery_domain::MediaType;

use super::{Header, Refusal, check_frames, check_memory, check_size};

pub(super) fn probe(bytes: &[u8]) -> Result<Header<'_>, Refusal> {
    let mut canvas = None;
    let mut largest_frame = 0;
    let mut frames = 0;
    let (mut exif, mut profile) = (None, None);
    for (name, data) in Chunks(bytes.get(12..).unwrap_or_default()) {
        match name {
            b"VP8X" => canvas = canvas.or(extended_size(data)),
            b"VP8 " | b"VP8L" => {
                let size = bitstream_size(name, data).ok_or_else(Refusal::damaged)?;
                check_size(size.0, size.1)?;
                canvas = canvas.or(Some(size));
                largest_frame = largest_frame.max(pixels(size));
            }
            b"ANMF" => {
                frames += 1;
                check_frames(frames)?;
                // The decoder believes the picture in the frame, which may be larger than the frame says.
                for (name, data) in Chunks(data.get(16..).unwrap_or_default()) {
                    if let Some(size) = bitstream_size(name, data) {
                        check_size(size.0, size.1)?;
                        largest_frame = largest_frame.max(pixels(size));
                    }
                }
            }
            b"EXIF" if exif.is_none() => exif = Some(Cow::Borrowed(data)),
            b"ICCP" if profile.is_none() => profile = Some(Cow::Borrowed(data)),
            _ => {}
        }
    }
    let (width, height) = canvas.ok_or_else(Refusal::damaged)?;
    check_size(width, height)?;
    // The canvas in RGBA, and for the frame the planes of colours and those of an alpha channel packed by itself.
    check_memory(4 * pixels((width, height)) + 6 * largest_frame)?;
    Ok(Header { media_type: MediaType::Webp, width, height, exif, profile })
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Of a `VP8X` chunk: flags, then width and height less one in 24 bits each.
fn extended_size(data: &[u8]) -> Option<(u32, u32)> {
    let &[_, _, _, _, w0, w1, w2, h0, h1, h2, ..] = data else { return None };
    Some((u32::from_le_bytes([w0, w1, w2, 0]) + 1, u32::from_le_bytes([h0, h1, h2, 0]) + 1))
}

fn bitstream_size(name: &[u8; 4], data: &[u8]) -> Option<(u32, u32)> {
    match (name, data) {
        // RFC 6386, 9.1: a frame tag, a start code, then 14 bits for each side.
        (b"VP8 ", &[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..]) => {
            Some((u32::from(u16::from_le_bytes([w0, w1]) & 0x3FFF), u32::from(u16::from_le_bytes([h0, h1]) & 0x3FFF)))
        }
        // RFC 9649, 3.4: a signature, then 14 bits for each side less one.
        (b"VP8L", &[0x2F, b0, b1, b2, b3, ..]) => {
            let bits = u32::from_le_bytes([b0, b1, b2, b3]);
            Some(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
        }
        _ => None,
    }
}

/// The chunks of a RIFF list. The last one may be cut short.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, after) = self.0.split_first_chunk()?;
        let (length, data) = after.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let padded = length.saturating_add(length & 1);
        self.0 = data.get(padded..).unwrap_or_default();
        Some((name, &data[..length.min(data.len())]))
    }
}
