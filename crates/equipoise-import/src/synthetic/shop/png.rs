//! Pictures as PNG (ISO/IEC 15948): 8 bits of red, green and blue, rows unfiltered.

use std::io::Write;

use flate2::{Compression, Crc, write::ZlibEncoder};

use super::goods::SIDE;

/// The file of a picture of `SIDE x SIDE` pixels.
pub(super) fn encode(pixels: &[u8]) -> Vec<u8> {
    let side = (SIDE as u32).to_be_bytes();
    // 8 bits a channel, colour type 2 (red, green, blue), then the only compression and filter methods; no interlacing.
    let header = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks_exact(3 * SIDE) {
        rows.write_all(&[0]).and_then(|()| rows.write_all(row)).expect("memory takes what is written");
    }
    let rows = rows.finish().expect("memory takes what is written");
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    [(b"IHDR", &header[..]), (b"IDAT", &rows), (b"IEND", &[])].into_iter().for_each(|(name, data)| {
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(name);
        file.extend(data);
        let mut sum = Crc::new();
        sum.update(name);
        sum.update(data);
        file.extend(sum.sum().to_be_bytes());
    });
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn chunks_follow_the_standard_and_hold_the_pixels() {
        let pixels: Vec<u8> = (0..3 * SIDE * SIDE).map(|n| (n * 7 % 251) as u8).collect();
        let file = encode(&pixels);
        assert_eq!(file[8..16], *b"\0\0\0\x0dIHDR");
        // The end chunk is the same in every file: its sum is known from the standard.
        assert!(file.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"));
        let start = 8 + 12 + 13;
        let size = u32::from_be_bytes(file[start..start + 4].try_into().expect("4 bytes")) as usize;
        assert_eq!(file[start + 4..start + 8], *b"IDAT");
        let mut rows = Vec::new();
        let data = &file[start + 8..start + 8 + size];
        flate2::read::ZlibDecoder::new(data).read_to_end(&mut rows).expect("zlib");
        let read: Vec<u8> = rows.chunks_exact(3 * SIDE + 1).flat_map(|row| row[1..].to_vec()).collect();
        assert_eq!(read, pixels);
    }
}
