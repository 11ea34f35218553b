//! What each modality shows of an item.

use equipoise_data::{Features, Seed};

use super::normal::normal;
use super::world::{LATENT, World, dot};

/// A modality as a linear view of the first latent factors, with noise.
pub(super) struct Recipe {
    pub(super) name: &'static str,
    strength: &'static str,
    width: usize,
    /// Number of latent factors that it shows.
    shows: usize,
    /// Standard deviation of the noise on each value; the signal has about 1.
    noise: f64,
}

/// The three modalities.
pub(super) const RECIPES: [Recipe; 3] = [
    Recipe { name: "text", strength: "strong", width: 64, shows: LATENT, noise: 0.1 },
    Recipe { name: "image", strength: "weak", width: 96, shows: 6, noise: 1.0 },
    Recipe { name: "audio", strength: "noise", width: 48, shows: 0, noise: 1.0 },
];

impl Recipe {
    /// Features of all items: `map * factors[..shows] / sqrt(shows) + noise`.
    pub(super) fn features(&self, world: &World, seed: u64) -> Features {
        let mut rng = Seed(seed).stream(&format!("demo/{}/map", self.name));
        let map: Vec<f64> = (0..self.width * self.shows).map(|_| normal(&mut rng)).collect();
        let scale = (self.shows.max(1) as f64).sqrt();
        let mut rng = Seed(seed).stream(&format!("demo/{}/noise", self.name));
        let mut values = Vec::with_capacity(world.items.len() * self.width);
        for item in &world.items {
            for column in 0..self.width {
                let row = &map[column * self.shows..(column + 1) * self.shows];
                let signal = dot(row, &item[..self.shows]) / scale;
                values.push((signal + self.noise * normal(&mut rng)) as f32);
            }
        }
        Features::new(world.items.len(), self.width, values).expect("sums of bounded numbers")
    }

    /// Its table in `demo.toml`.
    pub(super) fn describe(&self) -> String {
        let Recipe { name, strength, width, shows, noise } = self;
        format!(
            "\n[[modality]]\nname = \"{name}\"\nstrength = \"{strength}\"\nwidth = {width}\n\
             shows_latent_dimensions = {shows}\nnoise = {noise:?}\n"
        )
    }
}
