//! `qdrant`: points for Qdrant, and their upload.
//!
//! | file | what |
//! |---|---|
//! | `collection.json` | the body of `PUT /collections/<name>` |
//! | `points.jsonl` | one point a line, as `PUT /collections/<name>/points` and the clients take them |
//! | `queries.jsonl` | one user a line: `user` (raw id), `vector`, and `seen`, the ids of points that a list leaves out |
//! | `export.json` | parts, coefficients, weights, model |
//!
//! Qdrant takes whole numbers and UUIDs as ids of points: the id of an item's point is its row in the model, and the raw id stands in the
//! payload as `item`, beside its title and attributes. Distance is `Dot`, so that the score of a point is the score of the model. The
//! vector has all parts side by side: any weighting of the modalities is a query whose parts are multiplied with other coefficients.
//! With named vectors a point also has one vector for each part, by which items are compared in one modality.

use super::layout::{EXPORT, Layout};
use super::options::{ExportOptions, Upload};
use super::report::ExportReport;
use super::seen::of_user;
use super::target::ExportTarget;
use crate::error::RecommendError;
use crate::served::ServedModel;
use equipoise_data::write_atomic;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;

/// Name of the vector of all parts where vectors are named.
const ALL: &str = "all";
/// Most values of a vector that Qdrant stores.
const WIDEST: usize = 65_536;

/// The target.
pub(super) const TARGET: ExportTarget = ExportTarget {
    name: "qdrant",
    summary: "points and queries for Qdrant as JSON lines; uploaded with --url",
    takes: &["named-vectors", "into", "url"],
    mark: EXPORT,
    write,
    upload: Some(upload),
};

/// Names of the files.
pub(super) const POINTS: &str = "points.jsonl";
const QUERIES: &str = "queries.jsonl";
pub(super) const COLLECTION: &str = "collection.json";

fn write(
    _: &Path,
    model: &ServedModel,
    options: &ExportOptions,
    dir: &Path,
    _: &mut ExportReport,
) -> Result<(), RecommendError> {
    let layout = Layout::new(model)?;
    if layout.width > WIDEST {
        let problem =
            format!("Qdrant stores vectors of at most {WIDEST} values, the model has {}", layout.width);
        return Err(RecommendError::field("--to", problem));
    }
    let vectors = if options.named_vectors {
        let parts = layout.parts.iter().map(|part| (part.name.clone(), params(part.width)));
        Value::Object([(ALL.to_owned(), params(layout.width))].into_iter().chain(parts).collect())
    } else {
        params(layout.width)
    };
    lines(&dir.join(COLLECTION), [json!({ "vectors": vectors })].into_iter())?;
    lines(
        &dir.join(POINTS),
        (0..model.tables().n_items()).map(|item| point(&layout, item, options.named_vectors)),
    )?;
    lines(&dir.join(QUERIES), (0..model.tables().n_users()).map(|user| query(&layout, user)))?;
    let using = options.named_vectors.then_some(ALL);
    layout.describe(
        TARGET.name,
        dir,
        json!({ "distance": "Dot", "collection": options.into(), "using": using }),
    )
}

fn params(width: usize) -> Value {
    json!({ "size": width, "distance": "Dot" })
}

fn point(layout: &Layout, item: usize, named: bool) -> Value {
    let mut vector = Vec::with_capacity(layout.width);
    layout.item(item, &mut vector);
    let vector = if named {
        let parts = layout.parts.iter().map(|part| (part.name.clone(), json!(layout.item_part(part, item))));
        Value::Object([(ALL.to_owned(), json!(vector))].into_iter().chain(parts).collect())
    } else {
        json!(vector)
    };
    let known = layout.model.infos().of(item as u32).map(|info| info.attributes.clone()).unwrap_or_default();
    let id = ("item".to_owned(), Value::from(layout.model.vocabulary().items()[item].to_owned()));
    // The raw id goes last: an attribute of the same name must not hide it.
    let payload: Map<String, Value> = known.into_iter().chain([id]).collect();
    json!({ "id": item, "vector": vector, "payload": payload })
}

fn query(layout: &Layout, user: usize) -> Value {
    let mut vector = Vec::with_capacity(layout.width);
    layout.user(user, &mut vector);
    let seen = of_user(layout.model, user as u32);
    json!({ "user": &layout.model.vocabulary().users()[user], "vector": vector, "seen": seen })
}

fn lines(path: &Path, values: impl Iterator<Item = Value>) -> Result<(), RecommendError> {
    let written = write_atomic(path, |file| {
        for value in values {
            serde_json::to_writer(&mut *file, &value)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    });
    written.map_err(RecommendError::io(path))
}

#[cfg(feature = "upload")]
fn upload(
    dir: &Path,
    options: &ExportOptions,
    to: &Upload,
    report: &mut ExportReport,
) -> Result<(), RecommendError> {
    let place = super::upload::Collection::new(to, options.into())?;
    place.create(&dir.join(COLLECTION))?;
    report.uploaded = Some(place.fill(&dir.join(POINTS))?);
    Ok(())
}

#[cfg(not(feature = "upload"))]
fn upload(_: &Path, _: &ExportOptions, _: &Upload, _: &mut ExportReport) -> Result<(), RecommendError> {
    Err(RecommendError::field("--url", "this program was built without the feature `upload`"))
}
