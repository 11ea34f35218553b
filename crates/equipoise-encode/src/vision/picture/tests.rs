//! Decoding against Pillow, and against files that no decoder should trust.

use proptest::prelude::*;

use super::decode::decode;
use super::fault::PictureFault;
use super::{MAX_PIXELS, Picture, open};
use crate::golden::{bytes, golden, number};

struct Case {
    name: String,
    file: Vec<u8>,
    expected: Picture,
    exact: bool,
}

fn cases() -> Vec<Case> {
    let content = golden("pictures.json");
    let case = |value: &serde_json::Value| Case {
        name: value["name"].as_str().expect("a name").to_owned(),
        file: bytes(&value["file"]),
        expected: Picture::new(number(&value["width"]), number(&value["height"]), bytes(&value["rgb"])),
        exact: value["exact"] == true,
    };
    content["files"].as_array().expect("files").iter().map(case).collect()
}

/// Largest and mean difference of the bytes.
fn difference(a: &Picture, b: &Picture) -> (u8, f64) {
    let each = a.rgb.iter().zip(&b.rgb).map(|(a, b)| a.abs_diff(*b));
    let sum: u32 = each.clone().map(u32::from).sum();
    (each.max().unwrap_or(0), f64::from(sum) / a.rgb.len() as f64)
}

#[test]
fn every_kind_of_file_decodes_as_pillow_has_it() {
    for Case { name, file, expected, exact } in cases() {
        let found = decode(&file, MAX_PIXELS).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!((found.width, found.height), (expected.width, expected.height), "{name}");
        let (largest, mean) = difference(&found, &expected);
        println!("{name}: differs by at most {largest}, {mean:.3} on average");
        if exact {
            assert_eq!(largest, 0, "{name}");
        } else {
            assert!(largest <= LOSSY.0 && mean <= LOSSY.1, "{name}: {largest}, {mean}");
        }
    }
}

/// How far decoders of lossy formats may be apart: at most, and on average.
const LOSSY: (u8, f64) = (3, 0.5);

#[test]
fn a_file_that_ends_too_soon_is_no_picture() {
    // Of an animation the first frame is enough.
    for Case { name, file, .. } in cases().into_iter().filter(|case| case.name != "animated.webp") {
        for tenths in 0..10 {
            let part = &file[..file.len() * tenths / 10];
            assert!(decode(part, MAX_PIXELS).is_err(), "{name}: {tenths} tenths of it");
        }
    }
    let jpeg = cases().into_iter().find(|case| case.name == "progressive.jpg").expect("there").file;
    let cut = decode(&jpeg[..jpeg.len() - 40], MAX_PIXELS);
    assert_eq!(cut, Err(PictureFault::CutOff("JPEG")));
}

#[test]
fn what_is_no_picture_says_why() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(open(&dir.path().join("none.png")), Err(PictureFault::NoFile));
    assert!(matches!(open(dir.path()), Err(PictureFault::Unreadable(_))));
    assert_eq!(decode(b"", MAX_PIXELS), Err(PictureFault::Empty));
    let tiff = decode(b"II*\0 rest", MAX_PIXELS).expect_err("not read").to_string();
    assert_eq!(tiff, "neither JPEG, PNG, GIF nor WebP: begins with \"II*\\x00 res\"; convert it");
}

/// A PNG, a JPEG, a WebP and a GIF whose headers claim `width` by `height` pixels and that have none.
fn claims(width: u16, height: u16) -> [Vec<u8>; 4] {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(u32::from(width).to_be_bytes());
    png.extend(u32::from(height).to_be_bytes());
    png.extend([8, 2, 0, 0, 0]);
    let check = crc(&png[12..]);
    png.extend(check.to_be_bytes());
    png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xaeB`\x82");
    let mut jpeg = b"\xff\xd8\xff\xc0\0\x11\x08".to_vec();
    jpeg.extend(height.to_be_bytes());
    jpeg.extend(width.to_be_bytes());
    jpeg.extend(b"\x03\x01\x11\0\x02\x11\0\x03\x11\0\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0\xff\xd9");
    let mut webp = b"RIFF\x12\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a".to_vec();
    webp.extend((width & 0x3FFF).to_le_bytes());
    webp.extend((height & 0x3FFF).to_le_bytes());
    [png, jpeg, webp, gif(width, height, (0, 0, width, height), &[])]
}

/// A GIF of four colours (black, red, green, blue) with a frame of these codes of 3 bits: 4 begins, 5 ends, 0 to 3 are
/// colours. (Left, top, width, height) is the frame's place.
fn gif(width: u16, height: u16, frame: (u16, u16, u16, u16), codes: &[u8]) -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    file.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    file.extend([0x81, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, b',']);
    let (left, top, across, down) = frame;
    file.extend([left, top, across, down].iter().flat_map(|v| v.to_le_bytes()));
    let bits = codes.iter().rev().fold(0u64, |bits, &code| bits << 3 | u64::from(code));
    let bytes = &bits.to_le_bytes()[..(3 * codes.len()).div_ceil(8)];
    file.extend([0, 2, bytes.len() as u8]);
    file.extend(bytes);
    file.extend([0, b';']);
    file
}

#[test]
fn of_a_gif_the_first_frame_lies_on_the_first_colour() {
    // After each pixel the table is begun anew, so that codes stay 3 bits long.
    let file = gif(3, 2, (1, 0, 2, 2), &[4, 1, 4, 2, 4, 3, 4, 1, 5]);
    let (black, red, green, blue) = ([0; 3], [255, 0, 0], [0, 255, 0], [0, 0, 255]);
    let expected = [black, red, green, black, blue, red].concat();
    assert_eq!(decode(&file, MAX_PIXELS), Ok(Picture::new(3, 2, expected)));
    for length in 0..file.len() - 1 {
        assert!(decode(&file[..length], MAX_PIXELS).is_err(), "{length} bytes of it");
    }
    let outside = gif(3, 2, (2, 0, 2, 2), &[4, 1, 4, 2, 4, 3, 4, 1, 5]);
    assert!(matches!(decode(&outside, MAX_PIXELS), Err(PictureFault::Broken { format: "GIF", .. })));
}

/// The check sum of a chunk, bit by bit (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    let step = |c: u32| if c & 1 == 1 { 0xEDB8_8320 ^ c >> 1 } else { c >> 1 };
    !bytes.iter().fold(u32::MAX, |c, &byte| (0..8).fold(c ^ u32::from(byte), |c, _| step(c)))
}

#[test]
fn a_picture_that_claims_too_many_pixels_is_refused_before_they_are_made() {
    for file in claims(16_000, 15_000) {
        let refused = PictureFault::TooManyPixels { width: 16_000, height: 15_000, limit: MAX_PIXELS };
        assert_eq!(decode(&file, MAX_PIXELS), Err(refused));
    }
    for file in claims(0, 7).into_iter().chain(claims(9, 0)) {
        assert!(decode(&file, MAX_PIXELS).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever becomes of the bytes, there is a whole picture of the admitted size, or a fault.
    #[test]
    fn broken_bytes_never_give_half_a_picture(
        which in 0..32usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        inserted in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let cases = cases();
        let mut file = match cases.get(which) {
            Some(case) => case.file.clone(),
            None => gif(3, 2, (1, 0, 2, 2), &[4, 1, 4, 2, 4, 3, 4, 1, 5]),
        };
        for (place, byte) in &changes {
            let place = place.index(file.len());
            file[place] = *byte;
        }
        if !inserted.is_empty() {
            let cut = cut.index(file.len());
            file.splice(cut..cut, inserted);
        }
        if let Ok(picture) = decode(&file, 1_000_000) {
            prop_assert!(picture.width > 0 && picture.height > 0);
            prop_assert!(picture.width * picture.height <= 1_000_000);
            prop_assert_eq!(picture.rgb.len(), 3 * picture.width * picture.height);
        }
    }
}
