//! JPEG, baseline and progressive.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::Picture;
use super::fault::PictureFault;
use super::orientation::{orientation, upright};
use super::pixels::{check_size, colours};

/// Decodes a JPEG. Small faults within the data are passed over, as other decoders do; a file that ends within its
/// picture is refused.
///
/// # Errors
/// See [`PictureFault`].
pub(super) fn decode(bytes: &[u8], max_pixels: u64) -> Result<Picture, PictureFault> {
    if is_cut_off(bytes) {
        return Err(PictureFault::CutOff("JPEG"));
    }
    let options = DecoderOptions::default().set_strict_mode(false);
    let options = options.set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(fault)?;
    let (width, height) = decoder.dimensions().ok_or(PictureFault::NoPixels)?;
    check_size(width, height, max_pixels)?;
    let (space, samples) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, 1),
        _ => (ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let pixels = decoder.decode().map_err(fault)?;
    if pixels.len() != samples * width * height {
        return Err(PictureFault::broken("JPEG")(&"channels that cannot be read as grey or RGB"));
    }
    let exif = decoder.exif().map_or(1, |exif| orientation(exif));
    Ok(upright(Picture::new(width, height, colours(pixels, samples)), exif))
}

/// Whether the data of the picture begin, but nowhere end: there is a start of scan and no end of image after it.
///
/// Within the data of a scan, `FF` is followed by 0 or a restart marker alone, so that what is found is the end.
fn is_cut_off(bytes: &[u8]) -> bool {
    match first_scan(bytes) {
        Scan::At(start) => !bytes[start..].windows(2).any(|pair| pair == [0xFF, 0xD9]),
        Scan::PastTheEnd => true,
        Scan::Unclear => false,
    }
}

enum Scan {
    At(usize),
    PastTheEnd,
    /// The headers are not a chain of segments; the decoder will say what is wrong.
    Unclear,
}

/// Where the first scan starts: segments are `FF`, a marker, and a length of two bytes that counts itself.
fn first_scan(bytes: &[u8]) -> Scan {
    let mut at = 2;
    while let Some(&[first, marker]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk()) {
        match (first, marker) {
            (0xFF, 0xFF) => at += 1,
            (0xFF, 0xDA) => return Scan::At(at),
            (0xFF, 0x01 | 0xD0..=0xD7) => at += 2,
            (0xFF, 0x02..) => match bytes.get(at + 2..at + 4).and_then(|pair| pair.first_chunk()) {
                Some(&length) => at += 2 + usize::from(u16::from_be_bytes(length)).max(2),
                None => return Scan::PastTheEnd,
            },
            _ => return Scan::Unclear,
        }
    }
    Scan::PastTheEnd
}

fn fault(error: DecodeErrors) -> PictureFault {
    PictureFault::broken("JPEG")(&format!("{error:?}"))
}
