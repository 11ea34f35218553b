//! Writes a served model: a directory that needs nothing else.

use crate::error::RecommendError;
use crate::files::{FOLD_IN, ITEMS, NEW_ITEMS, SERVING, TABLES, VOCABULARY};
use crate::fold_in::LinearMap;
use crate::items::ItemInfos;
use crate::manifest::{HalfChange, Manifest, hash};
use crate::new_items::{NewItemMaps, read_maps, write_maps};
use crate::output::Output;
use crate::served::ServedModel;
use crate::settings::{ServingSettings, write_map};
use equipoise_data::Vocabulary;
use equipoise_jobs::Place;
use equipoise_train::{FinalTables, TablePrecision};
use std::path::Path;

/// Everything that makes up a served model.
pub(crate) struct Contents {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) tables: FinalTables,
    pub(crate) precision: TablePrecision,
    pub(crate) infos: ItemInfos,
    /// With its name.
    pub(crate) settings: ServingSettings,
    pub(crate) map: Option<LinearMap>,
    pub(crate) new_items: Option<NewItemMaps>,
    /// What rounding to float16 changed, if the tables are rounded now.
    pub(crate) half: Option<HalfChange>,
}

impl Contents {
    /// Writes all files into an empty directory, the manifest last. The result is the version of the model as it will be read.
    ///
    /// # Errors
    /// A value that float16 cannot hold; file system faults.
    pub(crate) fn write(&self, dir: &Path) -> Result<String, RecommendError> {
        let tables = dir.join(TABLES);
        self.tables.write_as(&tables, self.precision)?;
        self.vocabulary.write(&dir.join(VOCABULARY))?;
        if !self.infos.is_empty() {
            self.infos.write(&dir.join(ITEMS), &self.vocabulary)?;
        }
        self.settings.write(&dir.join(SERVING))?;
        if let Some(map) = &self.map {
            write_map(&dir.join(FOLD_IN), map)?;
        }
        if let Some(maps) = &self.new_items {
            let of = hash(&tables)?.unwrap_or_default();
            write_maps(&dir.join(NEW_ITEMS), maps, &of)?;
        }
        // Read back: of what was written, and not of what should have been.
        let written = FinalTables::read(&tables)?;
        let name = self.settings.name.as_deref().unwrap_or_default();
        Manifest::of(dir, name, &written, self.half.clone())?.write(dir)?;
        Ok(self.settings.key(&written))
    }
}

/// Writes a served model again in its place, with other settings and, where given, other knowledge of items; everything at once.
///
/// # Errors
/// If what new items need is damaged; file system faults. The place is then as it was.
pub(crate) fn rewrite(
    place: Place,
    model: &ServedModel,
    manifest: Manifest,
    infos: Option<&ItemInfos>,
    settings: ServingSettings,
    map: Option<LinearMap>,
) -> Result<(), RecommendError> {
    let new_items = read_maps(&place.dir().join(NEW_ITEMS))?.map(|(maps, _)| maps);
    let contents = Contents {
        vocabulary: model.vocabulary().clone(),
        tables: model.tables().clone(),
        precision: model.tables().precision(),
        infos: infos.unwrap_or(model.infos()).clone(),
        settings: ServingSettings { name: Some(manifest.name), ..settings },
        map,
        new_items,
        half: manifest.half,
    };
    let output = Output::of(place)?;
    contents.write(output.dir())?;
    output.finish()
}
