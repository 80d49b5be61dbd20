use gallery_domain::MediaType;

use super::{Header, Refusal, check_frames, check_memory, check_size};

pub(super) fn probe(bytes: &[u8]) -> Result<Header<'_>, Refusal> {
    let mut blocks = Blocks(bytes.get(6..).unwrap_or_default());
    let screen: [u8; 7] = blocks.take().ok_or_else(Refusal::damaged)?;
    let (width, height) = (side(&screen, 0), side(&screen, 2));
    check_size(width, height)?;
    blocks.skip_palette(screen[4]);

    // Counted without unpacking any: the gallery shows the first frame only, but keeps and serves the whole file.
    let mut frames = 0;
    while let Some(frame) = blocks.next_frame() {
        frames += 1;
        check_frames(frames)?;
        let (frame_width, frame_height) = (side(&frame, 4), side(&frame, 6));
        if frames == 1 {
            check_size(frame_width, frame_height)?;
            let pixels = |width, height| u64::from(width) * u64::from(height);
            check_memory(4 * (pixels(width, height) + pixels(frame_width, frame_height)))?;
        }
    }
    if frames == 0 {
        return Err(Refusal::damaged());
    }
    Ok(Header { media_type: MediaType::Gif, width, height, exif: None, profile: None })
}

fn side(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

struct Blocks<'a>(&'a [u8]);

impl Blocks<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn skip(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    /// The colours that a screen or frame brings along: 2 to 256 of three bytes.
    fn skip_palette(&mut self, flags: u8) {
        if flags & 0x80 != 0 {
            self.skip(3 << ((flags & 7) + 1));
        }
    }

    /// Data comes in runs of up to 255 bytes, each after its length; an empty one ends it.
    fn skip_data(&mut self) {
        while let Some([length]) = self.take()
            && length > 0
        {
            self.skip(usize::from(length));
        }
    }

    /// Position, size and flags of the next frame, having gone past its data.
    fn next_frame(&mut self) -> Option<[u8; 9]> {
        loop {
            match self.take()? {
                // An extension: its label, then data.
                [0x21] => {
                    self.skip(1);
                    self.skip_data();
                }
                [0x2C] => {
                    let frame: [u8; 9] = self.take()?;
                    self.skip_palette(frame[8]);
                    self.skip(1);
                    self.skip_data();
                    return Some(frame);
                }
                // The end, or what should not be there: the decoder will tell.
                _ => return None,
            }
        }
    }
}
