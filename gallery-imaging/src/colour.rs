//! Colours into sRGB, the one space that every screen and browser agrees on.

use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};

/// What the samples of a picture stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// One of brightness.
    Grey,
    /// Three of light.
    Rgb,
    /// Four of ink, 255 for full ink.
    Cmyk,
}

impl Samples {
    fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }
}

/// Brings samples from the space of a colour profile into sRGB.
pub(super) struct ToSrgb {
    samples: Samples,
    transform: Arc<Transform8BitExecutor>,
}

impl ToSrgb {
    /// `None` where the profile is sRGB in all but name, is for other samples, or cannot be read: then the samples are best
    /// left as they are.
    pub(super) fn of(profile: &[u8], samples: Samples) -> Option<Self> {
        let source = ColorProfile::new_from_slice(profile).ok()?;
        let (space, layout) = match samples {
            Samples::Grey => (DataColorSpace::Gray, Layout::Gray),
            Samples::Rgb => (DataColorSpace::Rgb, Layout::Rgb),
            Samples::Cmyk => (DataColorSpace::Cmyk, Layout::Rgba),
        };
        if source.color_space != space {
            return None;
        }
        let transform = source
            .create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, TransformOptions::default())
            .ok()?;
        let conversion = Self { samples, transform };
        (samples == Samples::Cmyk || conversion.changes_colours()).then_some(conversion)
    }

    /// The colours as RGB.
    pub(super) fn convert(&self, pixels: &[u8]) -> Option<Vec<u8>> {
        let mut converted = vec![0; pixels.len() / self.samples.channels() * 3];
        self.transform.transform(pixels, &mut converted).ok()?;
        Some(converted)
    }

    /// Profiles of sRGB come from many makers under many names, so this asks what they do to a grid of colours.
    fn changes_colours(&self) -> bool {
        const STEPS: [u8; 6] = [0, 51, 102, 153, 204, 255];
        const BARELY_VISIBLE: u8 = 2;
        let (grid, unchanged): (Vec<u8>, Vec<u8>) = if self.samples == Samples::Grey {
            (STEPS.to_vec(), STEPS.iter().flat_map(|&step| [step; 3]).collect())
        } else {
            let colours = STEPS.iter().flat_map(|&r| STEPS.iter().flat_map(move |&g| STEPS.map(|b| [r, g, b])));
            let grid: Vec<u8> = colours.flatten().collect();
            (grid.clone(), grid)
        };
        self.convert(&grid)
            .is_some_and(|changed| changed.iter().zip(unchanged).any(|(&is, was)| is.abs_diff(was) > BARELY_VISIBLE))
    }
}
