//! The table of packages that hold real photos. A new source is a new row.

/// A released package.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) package: &'static str,
    pub(super) origin: Origin,
    pub(super) holds: &'static str,
    /// As the package states it for these files, as SPDX names where it is one or a few.
    pub(super) licence: &'static str,
    pub(super) picks: &'static [Pick],
}

#[derive(Debug)]
pub(super) enum Origin {
    /// Of whatever release this machine runs; the manifest says which version it was.
    Debian,
    Npm {
        version: &'static str,
    },
    Crate {
        version: &'static str,
    },
}

/// A folder of the package, and which of its pictures to take.
#[derive(Debug)]
pub(super) struct Pick {
    pub(super) kind: Kind,
    pub(super) under: &'static str,
    /// Parts of paths of which one has to occur; none: every file.
    pub(super) only: &'static [&'static str],
    /// Parts of paths that may not occur.
    pub(super) without: &'static [&'static str],
    /// In bytes.
    pub(super) smallest: u64,
}

/// What a file is to a test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Taken with a camera, the whole frame.
    Photograph,
    /// Taken with a camera, with what surrounded the thing made transparent.
    CutOut,
    /// Drawn, rendered or made by a test, whole: it is here for its format, size or orientation.
    Artwork,
    /// The beginning of a camera's file: metadata without a picture, some of it damaged.
    ExifHeader,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Photograph, Self::CutOut, Self::Artwork, Self::ExifHeader];

    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Photograph | Self::CutOut | Self::Artwork => "pictures",
            Self::ExifHeader => "exif-headers",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Photograph => "photograph",
            Self::CutOut => "cut-out",
            Self::Artwork => "artwork",
            Self::ExifHeader => "exif-header",
        }
    }
}

const fn every(kind: Kind, under: &'static str) -> Pick {
    Pick { kind, under, only: &[], without: &[], smallest: 0 }
}

/// Below this size, what wallpaper packages hold are icons and previews.
const NO_PREVIEW: u64 = 40 * 1024;

/// Below this size, what the stamps package holds are drawings.
const NO_DRAWING: u64 = 8 * 1024;

pub(super) const SOURCES: &[Source] = &[
    Source {
        package: "exif",
        origin: Origin::Npm { version: "0.6.0" },
        holds: "originals of a Sony α6000 with 24 MP and a Xiaomi with 13 MP, mirrored and turned ones",
        licence: "MIT",
        picks: &[
            Pick { kind: Kind::Photograph, under: "test", only: &[".jpg"], without: &["lens_info"], smallest: 0 },
            Pick { kind: Kind::ExifHeader, under: "test", only: &["lens_info.jpg"], without: &[], smallest: 0 },
        ],
    },
    Source {
        package: "webp",
        origin: Origin::Crate { version: "0.3.1" },
        holds: "9 MP from a DJI, without chroma subsampling",
        licence: "MIT OR Apache-2.0",
        picks: &[every(Kind::Photograph, "assets")],
    },
    Source {
        package: "lomiri-wallpapers-16.04",
        origin: Origin::Debian,
        holds: "photos of 8 to 20 MP, some with the camera's EXIF",
        licence: "CC0-1.0, CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0",
        picks: &[Pick { kind: Kind::Photograph, under: "usr/share", only: &[], without: &[], smallest: NO_PREVIEW }],
    },
    Source {
        package: "lomiri-wallpapers-20.04",
        origin: Origin::Debian,
        holds: "photos of 8 to 20 MP",
        licence: "CC0-1.0, CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0",
        picks: &[Pick { kind: Kind::Photograph, under: "usr/share", only: &[], without: &[], smallest: NO_PREVIEW }],
    },
    Source {
        package: "mate-backgrounds",
        origin: Origin::Debian,
        holds: "nature, and a Sony RX100M4's 18 MP as a progressive JPEG",
        licence: "GPL-2.0-or-later, CC-BY-SA-4.0",
        picks: &[
            every(Kind::Photograph, "usr/share/backgrounds/mate/nature"),
            Pick {
                kind: Kind::Photograph,
                under: "usr/share/backgrounds/mate/abstract",
                only: &["Elephants"],
                without: &[],
                smallest: NO_PREVIEW,
            },
        ],
    },
    Source {
        package: "lxqt-themes",
        origin: Origin::Debian,
        holds: "landscapes and flowers, most as PNG of up to 6 MP",
        licence: "LGPL-2.1-or-later, CC-BY-SA-3.0",
        picks: &[Pick {
            kind: Kind::Photograph,
            under: "usr/share/lxqt/wallpapers",
            only: &[
                "after-the-rain",
                "appleflower",
                "beam",
                "Butterfly",
                "butterfly",
                "cloud",
                "drop",
                "flowers",
                "fog",
                "this-is-not-windows",
                "Valendas",
            ],
            without: &[],
            smallest: NO_PREVIEW,
        }],
    },
    Source {
        package: "plasma-workspace-wallpapers",
        origin: Origin::Debian,
        holds: "photos of 4 MP, and PNG of 15 MP",
        licence: "GPL-2.0-or-later",
        picks: &[
            Pick {
                kind: Kind::Photograph,
                under: "usr/share/wallpapers",
                only: &[
                    "BytheWater/",
                    "ColdRipple/",
                    "ColorfulCups/",
                    "DarkestHour/",
                    "EveningGlow/",
                    "FallenLeaf/",
                    "Grey/",
                    "Kite/",
                    "OneStandsOut/",
                    "Path/",
                    "summer_1am/",
                ],
                without: &["screenshot"],
                smallest: NO_PREVIEW,
            },
            Pick {
                kind: Kind::Artwork,
                under: "usr/share/wallpapers",
                only: &["5120x2880.png"],
                without: &[],
                smallest: NO_PREVIEW,
            },
        ],
    },
    Source {
        package: "python3-skimage",
        origin: Origin::Debian,
        holds: "the known pictures of image processing, colour and grey",
        licence: "BSD-3-Clause",
        picks: &[Pick {
            kind: Kind::Photograph,
            under: "usr/lib/python3/dist-packages/skimage/data",
            only: &[
                "astronaut",
                "brick",
                "camera",
                "chelsea",
                "coffee",
                "coins",
                "grass",
                "gravel",
                "hubble",
                "ihc",
                "moon",
                "motorcycle",
                "retina",
                "rocket",
            ],
            without: &[],
            smallest: 0,
        }],
    },
    Source {
        package: "palapeli-data",
        origin: Origin::Debian,
        holds: "the photos of a jigsaw puzzle",
        licence: "GPL-2.0-or-later, CC0-1.0, GFDL-1.2-or-later",
        picks: &[every(Kind::Photograph, "usr/share/palapeli/collection")],
    },
    Source {
        package: "opencv-doc",
        origin: Origin::Debian,
        holds: "photos from the examples, among them a camera's calibration series",
        licence: "Apache-2.0, BSD-3-Clause",
        picks: &[
            Pick {
                kind: Kind::Photograph,
                under: "usr/share/doc/opencv-doc/examples/data",
                only: &[".jpg"],
                without: &["Blender", "HappyFish", "Logo", "ellipses", "messi", "pca_test", "starry_night"],
                smallest: 0,
            },
            Pick {
                kind: Kind::Photograph,
                under: "usr/share/doc/opencv-doc/examples/text",
                only: &["scenetext0"],
                without: &[],
                smallest: 0,
            },
        ],
    },
    Source {
        package: "tuxpaint-stamps-default",
        origin: Origin::Debian,
        holds: "photographed animals, plants and things, cut out: PNG with transparency",
        licence: "GPL-2.0-only",
        picks: &[
            Pick {
                kind: Kind::CutOut,
                under: "usr/share/tuxpaint/stamps/animals",
                only: &[".png"],
                without: &["cartoon", "mirror", "bee.png", "hedgehog"],
                smallest: NO_DRAWING,
            },
            Pick {
                kind: Kind::CutOut,
                under: "usr/share/tuxpaint/stamps/food",
                only: &[".png"],
                without: &["cartoon", "mirror", "pizza"],
                smallest: NO_DRAWING,
            },
            Pick {
                kind: Kind::CutOut,
                under: "usr/share/tuxpaint/stamps/plants",
                only: &[".png"],
                without: &["cartoon", "mirror"],
                smallest: NO_DRAWING,
            },
            Pick {
                kind: Kind::CutOut,
                under: "usr/share/tuxpaint/stamps/household",
                only: &[".png"],
                without: &["cartoon", "mirror", "glass"],
                smallest: NO_DRAWING,
            },
            Pick {
                kind: Kind::CutOut,
                under: "usr/share/tuxpaint/stamps/hobbies",
                only: &[".png"],
                without: &["cartoon", "mirror"],
                smallest: NO_DRAWING,
            },
            Pick {
                kind: Kind::CutOut,
                under: "usr/share/tuxpaint/stamps/vehicles",
                only: &[".png"],
                without: &["cartoon", "mirror"],
                smallest: NO_DRAWING,
            },
        ],
    },
    Source {
        package: "golang-github-rwcarlsen-goexif-dev",
        origin: Origin::Debian,
        holds: "the EXIF headers of many cameras, three of them damaged",
        licence: "BSD-2-Clause",
        picks: &[
            Pick {
                kind: Kind::Photograph,
                under: "usr/share/gocode/src/github.com/rwcarlsen/goexif/exif",
                only: &["sample1.jpg"],
                without: &[],
                smallest: 0,
            },
            every(Kind::ExifHeader, "usr/share/gocode/src/github.com/rwcarlsen/goexif/exif/samples"),
            every(Kind::ExifHeader, "usr/share/gocode/src/github.com/rwcarlsen/goexif/exif/corrupt"),
        ],
    },
    Source {
        package: "golang-github-disintegration-imaging-dev",
        origin: Origin::Debian,
        holds: "all eight orientations, and none",
        licence: "MIT",
        picks: &[
            Pick {
                kind: Kind::Artwork,
                under: "usr/share/gocode/src/github.com/disintegration/imaging/testdata",
                only: &["orientation_"],
                without: &[],
                smallest: 0,
            },
            Pick {
                kind: Kind::Photograph,
                under: "usr/share/gocode/src/github.com/disintegration/imaging/testdata",
                only: &["branches", "flowers.png"],
                without: &[],
                smallest: 0,
            },
        ],
    },
    Source {
        package: "libjxl-testdata",
        origin: Origin::Debian,
        holds: "one photo in every chroma subsampling, wide gamuts, 16 bits a channel",
        licence: "BSD-3-Clause, Apache-2.0, CC0-1.0",
        picks: &[
            every(Kind::Photograph, "usr/share/libjxl-testdata/external/wesaturate/500px"),
            Pick {
                kind: Kind::Photograph,
                under: "usr/share/libjxl-testdata/jxl/flower",
                only: &[".jpg", ".png"],
                // The scans of these are laid out as no camera does it.
                without: &["interleaved"],
                smallest: 0,
            },
            every(Kind::Artwork, "usr/share/libjxl-testdata/external/wide-gamut-tests"),
        ],
    },
    Source {
        package: "gnome-backgrounds",
        origin: Origin::Debian,
        holds: "WebP of 4096 × 4096",
        licence: "CC-BY-SA-3.0",
        picks: &[Pick {
            kind: Kind::Artwork,
            under: "usr/share/backgrounds/gnome",
            only: &[".webp"],
            without: &[],
            smallest: NO_PREVIEW,
        }],
    },
];
