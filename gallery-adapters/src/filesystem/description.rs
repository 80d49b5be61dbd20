//! The 64 bytes at the end of each file that describe the bytes before them.
//!
//! | bytes | hold |
//! |---|---|
//! | 0–7 | `GALBLOB1` |
//! | 8–15 | how many bytes come before, big-endian |
//! | 16–47 | their SHA-256 |
//! | 48–63 | the media type, padded with spaces |

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use gallery_domain::Sha256Digest;
use gallery_domain::ports::BlobInfo;

const LENGTH: usize = 64;
const MAGIC: &[u8; 8] = b"GALBLOB1";

pub(super) fn encode(info: &BlobInfo) -> [u8; LENGTH] {
    let mut encoded = [b' '; LENGTH];
    encoded[..8].copy_from_slice(MAGIC);
    encoded[8..16].copy_from_slice(&info.bytes.to_be_bytes());
    encoded[16..48].copy_from_slice(info.sha256.as_bytes());
    let content_type = info.content_type.as_str().as_bytes();
    encoded[48..48 + content_type.len()].copy_from_slice(content_type);
    encoded
}

/// Reads the description at the end of a file; none if the file is damaged.
pub(super) fn read(file: &mut File) -> io::Result<Option<BlobInfo>> {
    let Some(bytes) = file.metadata()?.len().checked_sub(LENGTH as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(bytes))?;
    let mut encoded = [0; LENGTH];
    file.read_exact(&mut encoded)?;
    Ok(decode(&encoded).filter(|info| info.bytes == bytes))
}

fn decode(encoded: &[u8; LENGTH]) -> Option<BlobInfo> {
    let (magic, rest) = encoded.split_first_chunk::<8>()?;
    let (bytes, rest) = rest.split_first_chunk::<8>()?;
    let (sha256, content_type) = rest.split_first_chunk::<32>()?;
    let content_type = std::str::from_utf8(content_type).ok()?.trim_end().parse().ok()?;
    (magic == MAGIC).then(|| BlobInfo {
        content_type,
        bytes: u64::from_be_bytes(*bytes),
        sha256: Sha256Digest::from_bytes(*sha256),
    })
}

#[cfg(test)]
mod tests {
    use gallery_domain::MediaType;

    use super::*;

    #[test]
    fn every_type_survives_being_written_and_read() {
        for content_type in MediaType::ALL {
            let info = BlobInfo { content_type, bytes: u64::MAX / 3, sha256: Sha256Digest::of(b"x") };
            assert_eq!(decode(&encode(&info)), Some(info));
        }
    }
}
