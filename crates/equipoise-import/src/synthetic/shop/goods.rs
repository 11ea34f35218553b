//! What the shop sells.

use equipoise_data::Stream;

/// Kinds of goods: the noun of the title, and the shape on the picture.
pub(super) const KINDS: [&str; 24] = [
    "chair", "table", "lamp", "shelf", "rug", "cushion", "kettle", "teapot", "mug", "bowl", "plate", "pan",
    "jacket", "scarf", "gloves", "hat", "boots", "belt", "kite", "ball", "puzzle", "robot", "drum", "flute",
];

/// Colours that pictures show: red, green and blue, 0 to 255.
pub(super) const COLOURS: [[u8; 3]; 8] = [
    [200, 40, 40],
    [40, 160, 60],
    [40, 70, 200],
    [230, 190, 40],
    [140, 60, 170],
    [40, 180, 190],
    [240, 130, 40],
    [70, 70, 80],
];

const QUALITIES: [&str; 10] =
    ["sturdy", "light", "classic", "handmade", "folding", "small", "large", "soft", "modern", "simple"];
const MATERIALS: [&str; 10] =
    ["oak", "steel", "linen", "wool", "glass", "cotton", "bamboo", "leather", "ceramic", "paper"];

/// Width and height of a picture.
pub(super) const SIDE: usize = 32;

/// One item.
pub(super) struct Good {
    pub(super) kind: usize,
    pub(super) colour: usize,
    /// Empty for one item in fifty.
    pub(super) title: String,
    /// False for one item in fifty.
    pub(super) pictured: bool,
    /// Relative.
    pub(super) popularity: f64,
}

/// So many items.
pub(super) fn stock(items: usize, rng: &mut Stream) -> Vec<Good> {
    (0..items).map(|n| good(n, rng)).collect()
}

fn good(n: usize, rng: &mut Stream) -> Good {
    let word = |words: &[&'static str], rng: &mut Stream| words[rng.below(words.len() as u32) as usize];
    let kind = rng.below(KINDS.len() as u32) as usize;
    let colour = rng.below(COLOURS.len() as u32) as usize;
    let (quality, material) = (word(&QUALITIES, rng), word(&MATERIALS, rng));
    let title = format!("{quality} {material} {}", KINDS[kind]);
    let share = rng.unit();
    Good {
        kind,
        colour,
        title: if n % 50 == 49 { String::new() } else { title },
        pictured: n % 50 != 24,
        popularity: 0.2 + share * share,
    }
}

impl Good {
    /// A shape of the item's colour on a light ground, a little noise on both: rows of red, green, blue.
    pub(super) fn pixels(&self, rng: &mut Stream) -> Vec<u8> {
        let shade: [i32; 3] = COLOURS[self.colour].map(|c| i32::from(c) + rng.below(31) as i32 - 15);
        let mut pixels = Vec::with_capacity(3 * SIDE * SIDE);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let base = if self.covers(x, y) { shade } else { [235; 3] };
                let noise = rng.below(13) as i32 - 6;
                pixels.extend(base.map(|c| (c + noise).clamp(0, 255) as u8));
            }
        }
        pixels
    }

    /// Whether the shape covers a pixel: one of six shapes, so that four kinds share each.
    fn covers(&self, x: usize, y: usize) -> bool {
        let centred = |v: usize| (2 * v + 1).abs_diff(SIDE);
        let (across, down) = (centred(x), centred(y));
        match self.kind % 6 {
            0 => across < 22 && down < 22,
            1 => across * across + down * down < 24 * 24,
            2 => across + down < 26,
            3 => across < 8 || down < 8,
            4 => across < 26 && down < 12,
            _ => across < 12 && down < 26,
        }
    }
}
