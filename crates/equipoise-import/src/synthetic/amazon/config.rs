//! Sizes of synthetic Amazon files.

use equipoise_data::DataError;

use crate::amazon::Release;

/// Sizes of made-up files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAmazonConfig {
    /// Users, at least 20.
    pub users: usize,
    /// Items, at least 20.
    pub items: usize,
    /// Reviews: at least 5 for each user and each item, at most a quarter of users times items.
    pub reviews: usize,
    /// Items in the metadata, those with reviews among them.
    pub catalogue: usize,
    /// Records of image features, of reviewed items first; 0 for no such file. The last
    /// [`without_image`](Self::without_image) of the reviewed items have none.
    pub images: usize,
    /// Reviewed items without image features.
    pub without_image: usize,
    /// Which release.
    pub release: Release,
    /// Compress reviews and metadata.
    pub gzip: bool,
    /// Seed from which everything follows.
    pub seed: u64,
}

impl Default for RawAmazonConfig {
    /// 200 users, 100 items, 1,200 reviews, 150 items in the catalogue, 5 of the reviewed ones without image.
    fn default() -> Self {
        RawAmazonConfig {
            users: 200,
            items: 100,
            reviews: 1_200,
            catalogue: 150,
            images: 120,
            without_image: 5,
            release: Release::Amazon2014,
            gzip: true,
            seed: 7,
        }
    }
}

impl RawAmazonConfig {
    /// Checks every range.
    pub(super) fn check(&self) -> Result<(), DataError> {
        let most = self.users.saturating_mul(self.items) / 4;
        let least = 5 * self.users.max(self.items);
        let imaged = self.items.saturating_sub(self.without_image);
        let rest = self.catalogue.saturating_sub(self.items);
        let rules = [
            ("users", self.users, 20, 1 << 24),
            ("items", self.items, 20, 1 << 24),
            ("reviews", self.reviews, least, most.min(1 << 30)),
            ("catalogue", self.catalogue, self.items, 1 << 26),
            ("without_image", self.without_image, 0, self.items - 1),
            ("images", self.images, if self.images == 0 { 0 } else { imaged }, imaged + rest),
        ];
        match rules.iter().find(|(_, found, low, high)| !(low..=high).contains(&found)) {
            Some(&(field, found, low, high)) => Err(DataError::Setting {
                field,
                found: found.to_string(),
                expected: format!("{low} to {high}"),
            }),
            None => Ok(()),
        }
    }
}
