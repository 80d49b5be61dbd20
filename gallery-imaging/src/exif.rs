//! What the camera wrote, as far as it makes sense.

use std::borrow::Cow;

use exif::{Exif, In, Rational, Reader, Tag, Value};
use gallery_domain::{ExifSummary, Position, TakenAt};
use jiff::civil::DateTime;

/// Characters kept of a name.
const MAX_NAME_CHARS: usize = 100;
/// The first photograph was taken in 1826 or 1827; clocks that were never set show stranger years.
const YEARS: std::ops::RangeInclusive<i16> = 1826..=2199;

/// What a camera's EXIF block says.
#[derive(Debug, Default)]
pub(super) struct Camera {
    pub(super) orientation: Orientation,
    pub(super) summary: ExifSummary,
}

/// How the stored picture is to be turned and mirrored: EXIF's 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Orientation {
    /// 1 to 8.
    pub(super) fn as_exif(self) -> u8 {
        self.0
    }

    /// Width and height of the upright picture.
    pub(super) fn size_of(self, stored_width: u32, stored_height: u32) -> (u32, u32) {
        if self.0 >= 5 { (stored_height, stored_width) } else { (stored_width, stored_height) }
    }
}

impl Default for Orientation {
    fn default() -> Self {
        Self(1)
    }
}

/// Reads a block, as far as it can be read.
pub(super) fn read(block: &[u8]) -> Camera {
    // Some programs put the marker of the JPEG segment before the blocks of other formats too.
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    let read = Reader::new().continue_on_error(true).read_raw(block.to_vec());
    let Ok(exif) = read.or_else(|error| error.distill_partial_result(|_| {})) else {
        return Camera::default();
    };
    let block = Block(exif);
    let summary = ExifSummary {
        taken_at: block.taken_at(),
        make: block.name(Tag::Make),
        model: block.name(Tag::Model),
        lens: block.name(Tag::LensModel),
        exposure_seconds: block.quantity(Tag::ExposureTime, 86_400.0),
        f_number: block.quantity(Tag::FNumber, 512.0),
        iso: block.iso(),
        focal_length_mm: block.quantity(Tag::FocalLength, 20_000.0),
        position: block.position(),
    };
    let orientation = block.number(Tag::Orientation).and_then(|number| u8::try_from(number).ok());
    Camera {
        orientation: orientation.filter(|turn| (1..=8).contains(turn)).map(Orientation).unwrap_or_default(),
        summary,
    }
}

struct Block(Exif);

impl Block {
    fn value(&self, tag: Tag) -> Option<&Value> {
        self.0.get_field(tag, In::PRIMARY).map(|field| &field.value)
    }

    fn number(&self, tag: Tag) -> Option<u32> {
        self.value(tag)?.get_uint(0)
    }

    fn text(&self, tag: Tag) -> Option<&[u8]> {
        match self.value(tag)? {
            Value::Ascii(strings) => strings.first().map(Vec::as_slice),
            _ => None,
        }
    }

    fn rationals(&self, tag: Tag) -> &[Rational] {
        match self.value(tag) {
            Some(Value::Rational(values)) => values,
            _ => &[],
        }
    }

    /// More than nothing, and at most `most`.
    fn quantity(&self, tag: Tag, most: f64) -> Option<f64> {
        self.rationals(tag).first().and_then(finite).filter(|quantity| *quantity > 0.0 && *quantity <= most)
    }

    fn name(&self, tag: Tag) -> Option<String> {
        let bytes = self.text(tag)?;
        // The standard says ASCII; cameras write UTF-8 and Latin-1.
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        };
        let shown: String = text.chars().filter(|character| !is_invisible(*character)).collect();
        let name: String = shown.trim().chars().take(MAX_NAME_CHARS).collect();
        // Lenses that tell nothing of themselves are called "----".
        name.chars().any(char::is_alphanumeric).then(|| name.trim_end().to_owned())
    }

    fn iso(&self) -> Option<u32> {
        // The first has 16 bits only: its greatest value sends the reader on to the others.
        let tags = [
            Tag::PhotographicSensitivity,
            Tag::ISOSpeed,
            Tag::RecommendedExposureIndex,
            Tag::StandardOutputSensitivity,
        ];
        tags.into_iter()
            .filter_map(|tag| self.number(tag))
            .find(|iso| (1..=10_000_000).contains(iso) && *iso != u32::from(u16::MAX))
    }

    fn taken_at(&self) -> Option<TakenAt> {
        let clocks = [
            (Tag::DateTimeOriginal, Tag::SubSecTimeOriginal, Tag::OffsetTimeOriginal),
            (Tag::DateTimeDigitized, Tag::SubSecTimeDigitized, Tag::OffsetTimeDigitized),
        ];
        clocks.into_iter().find_map(|(time, fraction, offset)| {
            let local = self.local_time(time, fraction)?;
            let offset = self.text(offset).and_then(|text| std::str::from_utf8(text).ok()).map(str::trim);
            // The domain knows how an offset is written; one that makes no sense is left out.
            offset.and_then(|offset| format!("{local}{offset}").parse().ok()).or_else(|| TakenAt::new(local, None).ok())
        })
    }

    fn local_time(&self, time: Tag, fraction: Tag) -> Option<DateTime> {
        let time = exif::DateTime::from_ascii(self.text(time)?).ok()?;
        // Digits after the decimal point: "5" is half a second.
        let digits = self.text(fraction).and_then(|text| std::str::from_utf8(text).ok()).map_or("", str::trim);
        let is_fraction = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        let millis = if is_fraction { format!("{digits:0<3}")[..3].parse().unwrap_or(0) } else { 0 };
        let part = |number: u8| i8::try_from(number).ok();
        DateTime::new(
            i16::try_from(time.year).ok().filter(|year| YEARS.contains(year))?,
            part(time.month)?,
            part(time.day)?,
            part(time.hour)?,
            part(time.minute)?,
            part(time.second)?,
            millis * 1_000_000,
        )
        .ok()
    }

    fn position(&self) -> Option<Position> {
        let latitude = self.degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, b'S', 90.0)?;
        let longitude = self.degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, b'W', 180.0)?;
        if latitude == 0.0 && longitude == 0.0 {
            // What receivers write that have not found out where they are.
            return None;
        }
        let below_sea = self.number(Tag::GPSAltitudeRef) == Some(1);
        let altitude_m = self.rationals(Tag::GPSAltitude).first().and_then(finite);
        let altitude_m = altitude_m.map(|metres| if below_sea { -metres } else { metres });
        Some(Position { latitude, longitude, altitude_m: altitude_m.filter(|m| (-12_000.0..=100_000.0).contains(m)) })
    }

    /// Degrees, minutes and seconds, of which the last two may be missing.
    fn degrees(&self, tag: Tag, reference: Tag, negative: u8, most: f64) -> Option<f64> {
        let parts: Vec<f64> = self.rationals(tag).iter().take(3).map(finite).collect::<Option<_>>()?;
        let (degrees, rest) = parts.split_first()?;
        let degrees = rest.iter().zip([60.0, 3600.0]).fold(*degrees, |sum, (part, share)| sum + part / share);
        let is_negative = self.text(reference)?.first()?.eq_ignore_ascii_case(&negative);
        (degrees <= most).then_some(if is_negative { -degrees } else { degrees })
    }
}

/// `None` for a division by nothing.
fn finite(rational: &Rational) -> Option<f64> {
    Some(rational.to_f64()).filter(|value| value.is_finite())
}

/// Control characters, and those that turn the direction of the text around them.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}
