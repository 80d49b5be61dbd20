//! Files put together byte by byte.

use std::io::Cursor;

use exif::experimental::Writer;
use exif::{Field, In, Tag, Value};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture whose corners differ: red, green, blue and yellow, clockwise from the top left, each over a soft slope.
pub(crate) fn four_corners(width: u32, height: u32) -> DynamicImage {
    const EDGE: u32 = 240;
    let picture = RgbImage::from_fn(EDGE, EDGE, |x, y| {
        let slope = ((x + y) / 8) as u8;
        match (x * 2 < EDGE, y * 2 < EDGE) {
            (true, true) => Rgb([250, 20 + slope / 2, 20]),
            (false, true) => Rgb([20, 230, 20 + slope]),
            (false, false) => Rgb([20 + slope, 20, 250]),
            (true, false) => Rgb([240, 240, 20 + slope / 2]),
        }
    });
    DynamicImage::from(picture).resize_exact(width, height, FilterType::Nearest)
}

pub(crate) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).expect("a picture in memory can be written");
    file.into_inner()
}

pub(crate) fn jpeg(picture: &DynamicImage) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 95).encode_image(picture).expect("a picture in memory can be written");
    file
}

/// The JPEG with one more segment behind its start.
pub(crate) fn with_segment(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).expect("a segment holds less than 64 KiB");
    [&jpeg[..2], &[0xFF, marker], &length.to_be_bytes(), data, &jpeg[2..]].concat()
}

pub(crate) fn with_exif(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xE1, &[b"Exif\0\0", block].concat())
}

/// An EXIF block of these fields.
pub(crate) fn exif_block(fields: Vec<(Tag, Value)>) -> Vec<u8> {
    let fields: Vec<Field> =
        fields.into_iter().map(|(tag, value)| Field { tag, ifd_num: In::PRIMARY, value }).collect();
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, false).expect("the fields can be written");
    block.into_inner()
}

pub(crate) fn orientation(value: u16) -> Vec<u8> {
    exif_block(vec![(Tag::Orientation, Value::Short(vec![value]))])
}

pub(crate) fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in chunks {
        file.extend_from_slice(&(data.len() as u32).to_be_bytes());
        let checked = [&name[..], data].concat();
        file.extend_from_slice(&checked);
        file.extend_from_slice(&crc32(&checked).to_be_bytes());
    }
    file
}

pub(crate) fn png_header(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat()
}

/// A PNG's chunks with one more behind the first.
pub(crate) fn with_chunk(file: &[u8], name: &[u8; 4], data: Vec<u8>) -> Vec<u8> {
    const HEADER_END: usize = 8 + 12 + 13;
    let chunk = png(&[(name, data)]);
    [&file[..HEADER_END], &chunk[8..], &file[HEADER_END..]].concat()
}

/// A zlib stream that is the bytes themselves.
pub(crate) fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("one block holds less than 64 KiB");
    let header = [&[0x78, 0x01, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    [header, bytes.to_vec(), adler32(bytes.iter().copied()).to_be_bytes().to_vec()].concat()
}

/// A zlib stream of this many zeros, a 158th as long: one fixed block of a zero and copies of the 258 bytes before.
pub(crate) fn zeros(count: u64) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(0b011, 3);
    bits.push(0b0000_1100, 8);
    let copies = (count - 1) / 258;
    for _ in 0..copies {
        // The longest copy is the code 1100_0101, most significant bit first, of distance 0_0000.
        bits.push(0b1010_0011, 8);
        bits.push(0, 5);
    }
    for _ in 0..(count - 1) % 258 {
        bits.push(0b0000_1100, 8);
    }
    bits.push(0, 7);
    // Of zeros the checksum's low half stays 1 and the high half counts them.
    let checksum = (((count % 65_521) as u32) << 16) | 1;
    [&[0x78, 0x01][..], &bits.finish(), &checksum.to_be_bytes()].concat()
}

pub(crate) fn riff(chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", chunks].concat()
}

pub(crate) fn riff_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let padding = &[0][..data.len() % 2];
    [&name[..], &(data.len() as u32).to_le_bytes(), data, padding].concat()
}

/// A `VP8X` chunk's flags, then a canvas.
pub(crate) fn webp_canvas(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    [vec![flags, 0, 0, 0], side(width), side(height)].concat()
}

/// An `ANMF` chunk's place and size, then the chunks of a picture.
pub(crate) fn webp_frame(width: u32, height: u32, picture: &[u8]) -> Vec<u8> {
    let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    [vec![0; 6], side(width), side(height), vec![100, 0, 0, 0], picture.to_vec()].concat()
}

/// A GIF of this size, each of whose frames is one black pixel.
pub(crate) fn gif(width: u16, height: u16, frames: usize) -> Vec<u8> {
    let size = [width.to_le_bytes(), height.to_le_bytes()].concat();
    let mut file = [b"GIF89a", &size[..], &[0x80, 0, 0], &[0; 6]].concat();
    for _ in 0..frames {
        file.extend_from_slice(&[0x2C, 0, 0, 0, 0, 1, 0, 1, 0]);
        // Two bits a code: clear, colour 0, end.
        file.extend_from_slice(&[0, 2, 2, 0x44, 0x01, 0]);
    }
    file.push(0x3B);
    file
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    /// Least significant bit first.
    fn push(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.push(0, 7);
        self.bytes
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256u32)
        .map(|byte| (0..8).fold(byte, |crc, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 }))
        .collect();
    !bytes.iter().fold(!0, |crc, &byte| table[((crc ^ u32::from(byte)) & 0xFF) as usize] ^ (crc >> 8))
}

fn adler32(bytes: impl Iterator<Item = u8>) -> u32 {
    let (low, high) = bytes.fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    (high << 16) | low
}
