//! `postgres`: tables for PostgreSQL with pgvector.
//!
//! | file | what |
//! |---|---|
//! | `load.sql` | makes the schema and its tables and fills them: `psql -d DATABASE -f load.sql` in this directory |
//! | `items.copy`, `users.copy`, `seen.copy` | the rows in the text format of `COPY` |
//! | `query.sql` | an example: the best items that a user has not met |
//! | `plain.sql` | the same tables for a PostgreSQL without pgvector, with `real[]` and a function for the inner product |
//! | `export.json` | parts, coefficients, weights, model |
//!
//! `place` is the row in the model: of equal scores the item of the smaller place ranks first. `<#>` of pgvector is the negative inner
//! product; without an index every item is compared, which is exact. pgvector stores up to 16,000 values and indexes up to 2,000 of
//! a `vector`.

use super::layout::{EXPORT, Layout};
use super::options::ExportOptions;
use super::report::ExportReport;
use super::seen::of_user;
use super::target::ExportTarget;
use crate::error::RecommendError;
use crate::served::ServedModel;
use equipoise_data::{quoted, write_atomic};
use serde_json::json;
use std::io::{self, Write};
use std::path::Path;

/// Most values of a `vector` that pgvector stores.
const WIDEST: usize = 16_000;
/// Most values of a `vector` that pgvector indexes.
const INDEXED: usize = 2_000;

/// The target.
pub(super) const TARGET: ExportTarget = ExportTarget {
    name: "postgres",
    summary: "rows and SQL for PostgreSQL with pgvector, or with plain arrays",
    takes: &["into"],
    mark: EXPORT,
    write,
    upload: None,
};

fn write(
    _: &Path,
    model: &ServedModel,
    options: &ExportOptions,
    dir: &Path,
    report: &mut ExportReport,
) -> Result<(), RecommendError> {
    let (layout, schema) = (Layout::new(model)?, options.into());
    let ids = model.vocabulary().users().iter().chain(model.vocabulary().items().iter());
    if let Some(id) = ids.into_iter().find(|id| id.contains('\0')) {
        let problem = format!("the id {} holds a zero byte, which no text of PostgreSQL can", quoted(id));
        return Err(RecommendError::field("--to", problem));
    }
    let (users, items) = (model.tables().n_users(), model.tables().n_items());
    rows(&dir.join("users.copy"), users, |user, file| user_row(&layout, user, file))?;
    rows(&dir.join("items.copy"), items, |item, file| item_row(&layout, item, file))?;
    rows(&dir.join("seen.copy"), users, |user, file| {
        of_user(model, user as u32).iter().try_for_each(|item| writeln!(file, "{user}\t{item}"))
    })?;
    if layout.width > WIDEST {
        report.notes.push(format!(
            "No load.sql: pgvector stores at most {WIDEST} values and the model has {}; plain.sql has no such limit.",
            layout.width
        ));
    } else {
        text(&dir.join("load.sql"), &load(schema, &layout))?;
        text(&dir.join("query.sql"), &query(schema))?;
    }
    if layout.width > INDEXED {
        report.notes.push(format!(
            "No index is possible: pgvector indexes at most {INDEXED} values of a vector and the model has {}; every query \
             compares all items.",
            layout.width
        ));
    }
    text(&dir.join("plain.sql"), &plain(schema))?;
    layout.describe(TARGET.name, dir, json!({ "schema": schema }))
}

/// `place`, `id`, `vector`.
fn user_row(layout: &Layout, user: usize, file: &mut dyn Write) -> io::Result<()> {
    let mut vector = Vec::with_capacity(layout.width);
    layout.user(user, &mut vector);
    write!(file, "{user}\t{}\t", escaped(&layout.model.vocabulary().users()[user]))?;
    values(&vector, file)
}

/// `place`, `id`, `title`, `vector`.
fn item_row(layout: &Layout, item: usize, file: &mut dyn Write) -> io::Result<()> {
    let mut vector = Vec::with_capacity(layout.width);
    layout.item(item, &mut vector);
    let title = layout.model.infos().title(item as u32);
    let title = title.map_or_else(|| "\\N".to_owned(), |title| escaped(&title.replace('\0', "")));
    write!(file, "{item}\t{}\t{title}\t", escaped(&layout.model.vocabulary().items()[item]))?;
    values(&vector, file)
}

/// `[1,2]` and the end of the line: the shortest decimals that give the same float32 again.
fn values(vector: &[f32], file: &mut dyn Write) -> io::Result<()> {
    file.write_all(b"[")?;
    for (k, value) in vector.iter().enumerate() {
        let comma = if k > 0 { "," } else { "" };
        write!(file, "{comma}{value}")?;
    }
    file.write_all(b"]\n")
}

/// A text as `COPY` reads it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn rows(
    path: &Path,
    n: usize,
    row: impl Fn(usize, &mut dyn Write) -> io::Result<()>,
) -> Result<(), RecommendError> {
    write_atomic(path, |file| (0..n).try_for_each(|k| row(k, file))).map_err(RecommendError::io(path))
}

fn text(path: &Path, text: &str) -> Result<(), RecommendError> {
    write_atomic(path, |file| file.write_all(text.as_bytes())).map_err(RecommendError::io(path))
}

fn tables(schema: &str, vector: &str) -> String {
    format!(
        "CREATE SCHEMA {schema};
CREATE TABLE {schema}.items (place integer PRIMARY KEY, id text NOT NULL UNIQUE, title text, embedding {vector} NOT NULL);
CREATE TABLE {schema}.users (place integer PRIMARY KEY, id text NOT NULL UNIQUE, embedding {vector} NOT NULL);
CREATE TABLE {schema}.seen (user_place integer NOT NULL, item_place integer NOT NULL, PRIMARY KEY (user_place, item_place));
"
    )
}

fn load(schema: &str, layout: &Layout) -> String {
    let index = if layout.width <= INDEXED {
        format!(
            "-- Without an index every item is compared, which is exact. For millions of items, approximately:\n\
             -- CREATE INDEX ON {schema}.items USING hnsw (embedding vector_ip_ops);\n"
        )
    } else {
        format!("-- pgvector has no index for vectors of more than {INDEXED} values.\n")
    };
    format!(
        "-- psql -v ON_ERROR_STOP=1 -d DATABASE -f load.sql, in this directory. Everything is loaded, or nothing.
-- To load another version: DROP SCHEMA {schema} CASCADE; first.
BEGIN;
CREATE EXTENSION IF NOT EXISTS vector;
{}\\copy {schema}.items FROM 'items.copy'
\\copy {schema}.users FROM 'users.copy'
\\copy {schema}.seen FROM 'seen.copy'
{index}COMMIT;
ANALYZE {schema}.items, {schema}.users, {schema}.seen;
",
        tables(schema, &format!("vector({})", layout.width))
    )
}

fn query(schema: &str) -> String {
    format!(
        "-- psql -d DATABASE -v user=ID -v n=10 -f query.sql: the best items that a user has not met.
SELECT i.id, i.title, -(i.embedding <#> u.embedding) AS score
FROM {schema}.users u CROSS JOIN {schema}.items i
WHERE u.id = :'user'
  AND NOT EXISTS (SELECT FROM {schema}.seen s WHERE s.user_place = u.place AND s.item_place = i.place)
ORDER BY i.embedding <#> u.embedding, i.place
LIMIT :n;
"
    )
}

/// Without pgvector: `real[]`, whose text has other brackets.
fn plain(schema: &str) -> String {
    let from = |table: &str, columns: &str, into: &str| {
        format!(
            "CREATE TEMPORARY TABLE raw ({columns}) ON COMMIT DROP;
\\copy raw FROM '{table}.copy'
INSERT INTO {schema}.{table} SELECT {into}, translate(embedding, '[]', '{{}}')::real[] FROM raw;
DROP TABLE raw;
"
        )
    };
    format!(
        "-- For a PostgreSQL without pgvector: psql -v ON_ERROR_STOP=1 -d DATABASE -f plain.sql, in this directory.
-- {schema}.score(user embedding, item embedding) takes the place of -(item <#> user). Sums are in double precision.
BEGIN;
{}{}{}\\copy {schema}.seen FROM 'seen.copy'
CREATE FUNCTION {schema}.score(a real[], b real[]) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT sum(x::double precision * y::double precision) FROM unnest(a, b) AS pairs(x, y) $$;
COMMIT;
ANALYZE {schema}.items, {schema}.users, {schema}.seen;
",
        tables(schema, "real[]"),
        from("items", "place integer, id text, title text, embedding text", "place, id, title"),
        from("users", "place integer, id text, embedding text", "place, id"),
    )
}
