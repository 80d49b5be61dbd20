//! Moments, local times of photos, and months of the timeline.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// A moment in milliseconds since 1970-01-01T00:00:00Z, between the years 0001 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// 9999-12-30T22:00:00Z, the last second that the date library can tell, less its milliseconds.
    pub const MAX: Self = Self(253_402_207_200_000);

    /// The moment `millis` milliseconds after the epoch, held within [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Milliseconds since the epoch; negative before 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment and `duration` more.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This moment less `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// The time from `earlier` to here, zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The civil date and time in UTC.
    pub fn to_utc(self) -> DateTime {
        Offset::UTC.to_datetime(self.to_jiff())
    }

    /// The moment at which a clock in UTC shows `time`.
    pub fn from_utc(time: DateTime) -> Self {
        Offset::UTC.to_timestamp(time).map(|moment| Self::from_millis(moment.as_millisecond())).unwrap_or(Self::MAX)
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).expect("the range is narrower than the date library's")
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

impl FromStr for Timestamp {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        jiff::Timestamp::from_str(text)
            .map(|moment| Self::from_millis(moment.as_millisecond()))
            .map_err(|_| InvalidValue::new("is not a moment: expected RFC 3339 such as 2024-06-01T12:30:00Z"))
    }
}

/// When a photo was taken: what the camera's clock showed, and its offset from UTC where the camera knew it.
///
/// Written as RFC 3339 without an offset where that is unknown: `2024-06-01T12:30:00` or `2024-06-01T12:30:00+02:00`.
///
/// ```
/// # use gallery_domain::TakenAt;
/// let taken: TakenAt = "2024-06-01T12:30:00+02:00".parse()?;
/// assert_eq!(taken.to_string(), "2024-06-01T12:30:00+02:00");
/// assert_eq!(taken.timeline_instant().to_string(), "2024-06-01T12:30:00.000Z");
/// # Ok::<(), gallery_domain::InvalidValue>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TakenAt {
    local: DateTime,
    offset: Option<Offset>,
}

impl TakenAt {
    /// The time that the camera's clock showed, kept to the millisecond.
    pub fn new(local: DateTime, offset: Option<Offset>) -> Result<Self, InvalidValue> {
        if local.year() < 1 || local.year() > 9998 {
            return Err(InvalidValue::new("lies outside the years 0001 to 9998"));
        }
        let local = local
            .with()
            .subsec_nanosecond(i32::from(local.millisecond()) * 1_000_000)
            .build()
            .expect("fewer digits of a valid time are valid");
        Ok(Self { local, offset })
    }

    /// What the camera's clock showed.
    pub fn local(&self) -> DateTime {
        self.local
    }

    /// The camera's offset from UTC, if known.
    pub fn offset(&self) -> Option<Offset> {
        self.offset
    }

    /// Where the photo stands in the timeline: its local time read as if it were UTC.
    ///
    /// So the order of the timeline, its days and its months agree with what the camera's calendar showed, wherever in
    /// the world that was; ordering by the true instant would put photos of one local day into two months.
    pub fn timeline_instant(&self) -> Timestamp {
        Timestamp::from_utc(self.local)
    }
}

impl fmt::Display for TakenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local)?;
        if let Some(offset) = self.offset {
            let minutes = offset.seconds() / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)?;
        }
        Ok(())
    }
}

impl FromStr for TakenAt {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || {
            InvalidValue::new(
                "is not a local time: expected 2024-06-01T12:30:00, with an offset such as +02:00 if it is known",
            )
        };
        // The offset begins at the first sign after the date, which has signs of its own.
        let time = text.find(['T', 't', ' ']).ok_or_else(invalid)?;
        let (local, offset) = match text[time..].find(['+', '-', 'Z', 'z']) {
            Some(sign) => (&text[..time + sign], Some(&text[time + sign..])),
            None => (text, None),
        };
        // The date library would pass over what else may follow a time, such as the name of a zone.
        if !local[time + 1..].bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.')) {
            return Err(invalid());
        }
        let local: DateTime = local.parse().map_err(|_| invalid())?;
        let offset = offset.map(|offset| parse_offset(offset).ok_or_else(invalid)).transpose()?;
        Self::new(local, offset)
    }
}

impl Serialize for TakenAt {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TakenAt {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `Z`, or a sign, hours and minutes of at most 18 hours.
fn parse_offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    if [hours, minutes].iter().any(|part| part.len() != 2 || !part.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 18 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// A month of the timeline, written `2024-06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a place in the timeline lies in.
    pub fn of(timeline_instant: Timestamp) -> Self {
        let date = timeline_instant.to_utc().date();
        Self { year: date.year(), month: date.month() }
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        Date::constant(self.year, self.month, 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidValue::new("is not a month: expected one such as 2024-06");
        let (year, month) = text.split_once('-').ok_or_else(invalid)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(invalid());
        }
        let date = Date::new(year.parse().map_err(|_| invalid())?, month.parse().map_err(|_| invalid())?, 1)
            .map_err(|_| invalid())?;
        Ok(Self { year: date.year(), month: date.month() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_keeps_its_offset_and_its_milliseconds() {
        for text in [
            "2024-06-01T12:30:00",
            "2024-06-01T12:30:00.25",
            "2024-06-01T12:30:00+05:45",
            "1931-02-03T04:05:06-03:30",
            "2024-06-01T12:30:00.007+00:00",
        ] {
            assert_eq!(text.parse::<TakenAt>().expect(text).to_string(), text);
        }
        assert_eq!("2024-06-01T12:30:00Z".parse::<TakenAt>().unwrap().offset(), Some(Offset::UTC));
    }

    #[test]
    fn a_time_without_seconds_keeps_its_offset() {
        for (text, written) in [
            ("2024-06-01T12:30+02:00", "2024-06-01T12:30:00+02:00"),
            ("2024-06-01 12:30-03:30", "2024-06-01T12:30:00-03:30"),
            ("2024-06-01T12:30Z", "2024-06-01T12:30:00+00:00"),
            ("2024-06-01T12:30", "2024-06-01T12:30:00"),
        ] {
            assert_eq!(text.parse::<TakenAt>().expect(text).to_string(), written);
        }
    }

    #[test]
    fn what_is_no_local_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2024-13-01T00:00:00",
            "2024-06-01T12:30:00+2",
            "2024-06-01T12:30:00+99:00",
            "2024-06-01T12:30:00++2:00",
            "2024-06-01T12:30:00[Europe/Paris]",
            "2024-06-01T12:30:00+02:00[Europe/Paris]",
            "2024-06-01T12:30+",
            "2024-06-01",
            "0000-01-01T00:00:00",
        ] {
            assert!(text.parse::<TakenAt>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_ends_of_time_can_be_shown_and_saturate() {
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.plus(Duration::from_secs(1)), Timestamp::MAX);
        assert!(Timestamp::MAX.to_string().starts_with("9999-12-30"));
        let last: TakenAt = "9998-12-31T23:59:59".parse().unwrap();
        assert_eq!(last.timeline_instant().to_utc(), last.local());
    }

    #[test]
    fn a_month_is_that_of_the_local_calendar() {
        let new_year: TakenAt = "2024-01-01T00:10:00+13:00".parse().unwrap();
        assert_eq!(Month::of(new_year.timeline_instant()).to_string(), "2024-01");
        assert_eq!("2024-01".parse::<Month>().unwrap().first_day(), Date::constant(2024, 1, 1));
        assert!("2024-1".parse::<Month>().is_err());
        assert!("2024-13".parse::<Month>().is_err());
    }
}
