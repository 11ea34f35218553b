//! Pictures as PNG: 8 bits of red, green and blue.

use png::{BitDepth, ColorType, Encoder};

use super::goods::SIDE;

/// The file of a picture of `SIDE x SIDE` pixels.
pub(super) fn encode(pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, SIDE as u32, SIDE as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.expect("memory takes what is written, and the pixels are as many as the header says");
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_the_pixels() {
        let pixels: Vec<u8> = (0..3 * SIDE * SIDE).map(|n| (n * 7 % 251) as u8).collect();
        let file = encode(&pixels);
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let mut read = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut read).unwrap();
        assert_eq!(
            (info.color_type, info.width as usize, info.height as usize),
            (ColorType::Rgb, SIDE, SIDE)
        );
        assert_eq!(read, pixels);
    }
}
