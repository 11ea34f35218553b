//! Turning a picture the right way up: the orientation of Exif (CIPA DC-008, tag 0x0112).

use super::Picture;

const ORIENTATION: u16 = 0x0112;

/// The orientation, 1 to 8, that Exif data state; 1 (upright) where they state none or cannot be understood.
///
/// The data are those of a TIFF file: byte order, 42, offset of the first directory; a directory is a count and as
/// many entries of 12 bytes: tag, type, count, value.
pub(super) fn orientation(exif: &[u8]) -> u8 {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    first_directory(exif).and_then(|(little, entries)| stated(little, entries)).unwrap_or(1)
}

fn first_directory(exif: &[u8]) -> Option<(bool, &[u8])> {
    let little = match exif.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let start: [u8; 4] = *exif.get(4..8)?.first_chunk()?;
    let start = if little { u32::from_le_bytes(start) } else { u32::from_be_bytes(start) };
    let directory = exif.get(start as usize..)?;
    let entries = usize::from(number(little, directory)?);
    let directory = &directory[2..];
    Some((little, &directory[..directory.len().min(12 * entries)]))
}

fn stated(little: bool, entries: &[u8]) -> Option<u8> {
    let entry =
        entries.as_chunks::<12>().0.iter().find(|entry| number(little, *entry) == Some(ORIENTATION))?;
    let value = number(little, &entry[8..])?;
    u8::try_from(value).ok().filter(|value| (1..=8).contains(value))
}

fn number(little: bool, bytes: &[u8]) -> Option<u16> {
    let pair = *bytes.first_chunk()?;
    Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
}

/// The picture turned upright.
///
/// | orientation | what is done |
/// |---|---|
/// | 1 | nothing |
/// | 2, 4 | mirrored left to right, top to bottom |
/// | 3 | turned by 180 degrees |
/// | 5, 7 | transposed along the main, the other diagonal |
/// | 6, 8 | turned by 90 degrees clockwise, counterclockwise |
pub(super) fn upright(picture: Picture, orientation: u8) -> Picture {
    if orientation == 1 {
        return picture;
    }
    let (width, height) = (picture.width, picture.height);
    let turned = orientation >= 5;
    let (new_width, new_height) = if turned { (height, width) } else { (width, height) };
    let (mirror_x, mirror_y) = match orientation {
        2 | 8 => (true, false),
        3 | 7 => (true, true),
        4 | 6 => (false, true),
        _ => (false, false),
    };
    let mut rgb = Vec::with_capacity(picture.rgb.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (x, y) = if turned { (y, x) } else { (x, y) };
            let x = if mirror_x { width - 1 - x } else { x };
            let y = if mirror_y { height - 1 - y } else { y };
            let at = 3 * (y * width + x);
            rgb.extend_from_slice(&picture.rgb[at..at + 3]);
        }
    }
    Picture::new(new_width, new_height, rgb)
}
