//! Made-up files in exactly the formats of the Amazon releases, of any size, to try and to measure imports with.
//!
//! Sizes are met exactly: every user and every item has at least five reviews and none has two of one item, so that
//! the 5-core is the whole. Contents mean nothing.

mod config;
mod graph;
mod objects;
mod repr;

use std::io::Write;
use std::path::{Path, PathBuf};

use equipoise_data::{DataError, Seed, Stream, write_atomic};
use equipoise_jobs::Place;
use flate2::{Compression, write::GzEncoder};

use crate::amazon::{IMAGE_WIDTH, Release};
use crate::output::data_error;
pub use config::RawAmazonConfig;
#[cfg(test)]
pub(crate) use repr::repr;

/// The files written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RawAmazonFiles {
    /// Reviews.
    pub reviews: PathBuf,
    /// Metadata.
    pub meta: PathBuf,
    /// Image features, if asked for.
    pub image_features: Option<PathBuf>,
}

/// Writes made-up reviews, metadata and image features into `dir`.
///
/// # Errors
/// [`DataError::Setting`] for a size out of range, [`DataError::Io`] if a file cannot be written, [`DataError::Held`] if
/// another program is writing there.
pub fn write_amazon(dir: &Path, config: &RawAmazonConfig) -> Result<RawAmazonFiles, DataError> {
    config.check()?;
    let _place = Place::claim(dir).map_err(|fault| data_error(dir, &fault))?;
    let seed = Seed(config.seed);
    let ending = match config.release {
        Release::Amazon2014 | Release::Amazon2018 => "json",
        Release::Amazon2023 => "jsonl",
    };
    let gz = if config.gzip { ".gz" } else { "" };
    let files = RawAmazonFiles {
        reviews: dir.join(format!("reviews_Made_Up_5.{ending}{gz}")),
        meta: dir.join(format!("meta_Made_Up.{ending}{gz}")),
        image_features: (config.images > 0).then(|| dir.join("image_features_Made_Up.b")),
    };
    write_lines(&files.reviews, config.gzip, |out| {
        let mut rng = seed.stream("made-up/reviews");
        graph::reviews(config).into_iter().try_for_each(|(user, item)| {
            writeln!(out, "{}", objects::review(config.release, user, item, &mut rng))
        })
    })?;
    write_lines(&files.meta, config.gzip, |out| {
        let mut rng = seed.stream("made-up/meta");
        by_id(config.catalogue).try_for_each(|item| {
            let object = objects::meta(config, item, &mut rng);
            match config.release {
                Release::Amazon2014 => writeln!(out, "{}", repr::repr(&object)),
                Release::Amazon2018 | Release::Amazon2023 => writeln!(out, "{object}"),
            }
        })
    })?;
    if let Some(file) = &files.image_features {
        write_lines(file, false, |out| images(config, out))?;
    }
    Ok(files)
}

fn write_lines(
    file: &Path,
    gzip: bool,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), DataError> {
    let written = write_atomic(file, |out| {
        if !gzip {
            return write(out);
        }
        let mut encoder = GzEncoder::new(out, Compression::fast());
        write(&mut encoder)?;
        encoder.finish().map(|_| ())
    });
    written.map_err(DataError::io(file))
}

/// Indices of the catalogue by raw id, as the published files are sorted.
fn by_id(catalogue: usize) -> impl Iterator<Item = usize> {
    let mut order: Vec<usize> = (0..catalogue).collect();
    order.sort_by_cached_key(|&item| objects::asin(item));
    order.into_iter()
}

/// Records of the items that have one, in the order of their ids: mostly zeros, as behind a rectifier.
fn images(config: &RawAmazonConfig, out: &mut dyn Write) -> std::io::Result<()> {
    use rand::Rng;
    let mut rng: Stream = Seed(config.seed).stream("made-up/images");
    let reviewed = config.items - config.without_image;
    let has = |item: usize| {
        item < reviewed || (config.items..config.items + config.images - reviewed).contains(&item)
    };
    let mut record = vec![0u8; 4 * IMAGE_WIDTH];
    for item in by_id(config.catalogue).filter(|&item| has(item)) {
        rng.fill_bytes(&mut record);
        for bytes in record.as_chunks_mut::<4>().0 {
            let draw = u32::from_le_bytes(*bytes);
            let value = if draw.is_multiple_of(4) { (draw >> 8) as f32 / 4e6 } else { 0.0 };
            *bytes = value.to_le_bytes();
        }
        out.write_all(objects::asin(item).as_bytes())?;
        out.write_all(&record)?;
    }
    Ok(())
}
