//! Other versions of models while requests go on.
//!
//! A new version is opened and warmed beside the old one, and put in its place when it has answered requests of real rows. One that
//! cannot be used is refused, and the old one goes on.

use crate::app::App;
use crate::error::ServeError;
use crate::metrics::{Outcome, Reloaded};
use crate::models::Served;
use crate::stamp::Stamp;
use equipoise_recommend::{BasketItem, RecommendRequest, SimilarRequest};
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// Users that a model is warmed with.
const WARMED: usize = 8;

/// What became of a model that was to be loaded again.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ReloadReport {
    /// Name of the model.
    pub(crate) name: String,
    /// Its version now.
    pub(crate) version: String,
    /// Whether that is another one than before.
    pub(crate) changed: bool,
    /// Why the new one was refused, in which case the old one goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
}

/// Has a model answer requests of its own users, of a stranger, and for similar items.
///
/// # Errors
/// If it cannot.
pub(crate) fn warm(served: &Served) -> Result<(), ServeError> {
    let model = &served.model;
    let (users, items) = (model.vocabulary().users(), model.vocabulary().items());
    let step = users.len().div_ceil(WARMED).max(1);
    let some: Vec<String> = users.iter().step_by(step).map(str::to_owned).collect();
    let basket = items.first().map(|id| vec![BasketItem::Id(id.to_owned())]);
    let requests = [
        RecommendRequest { users: some, ..RecommendRequest::default() },
        RecommendRequest {
            history: basket.into_iter().collect(),
            explain: true,
            ..RecommendRequest::default()
        },
    ];
    for request in requests.iter().filter(|request| !request.users.is_empty() || !request.history.is_empty())
    {
        model.answer(request)?;
    }
    if let Some(item) = items.first() {
        model.similar(&SimilarRequest { item: Some(item.to_owned()), ..SimilarRequest::default() })?;
    }
    // Rankings read rows of their own; of the tables only single rows are read from here on, but for similar items.
    model.tables().release();
    Ok(())
}

/// Loads a model again.
pub(crate) async fn reload(app: &App, name: &str) -> Option<ReloadReport> {
    let _one_at_a_time = app.changing().lock().await;
    let models = app.models();
    let old = models.get(name)?.clone();
    let source = old.source.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let new = Served::open(&source)?;
        warm(&new)?;
        Ok::<Served, ServeError>(new)
    });
    let (outcome, report) = match opened.await {
        Ok(Ok(new)) => {
            let new = Arc::new(new);
            app.put(&new);
            let version = new.model.name().version.clone();
            let changed = version != old.model.name().version;
            (Outcome::Reloaded, ReloadReport { name: name.to_owned(), version, changed, refused: None })
        }
        refused => {
            let reason = match refused {
                Ok(Err(error)) => error.to_string(),
                // The panic was told where it happened.
                _ => "a fault of the program".to_owned(),
            };
            let version = old.model.name().version.clone();
            let refused = Some(reason.chars().take(600).collect());
            (Outcome::Refused, ReloadReport { name: name.to_owned(), version, changed: false, refused })
        }
    };
    app.metrics().reloads.get_or_create(&Reloaded { model: name.to_owned(), outcome }).inc();
    let level = if report.refused.is_some() { "error" } else { "info" };
    app.log().event(level, "reload", json!(report));
    Some(report)
}

/// Loads models again when their files have changed and lie still for one look, for ever.
pub(crate) async fn watch(app: App, every: Duration) {
    let mut tried: HashMap<String, Stamp> = HashMap::new();
    let mut last: HashMap<String, Stamp> = HashMap::new();
    loop {
        tokio::time::sleep(every).await;
        for served in app.models().all() {
            let (name, path) = (served.source.name.clone(), served.source.path.clone());
            let Ok(now) = tokio::task::spawn_blocking(move || Stamp::of(&path)).await else { continue };
            let settled = last.insert(name.clone(), now.clone()) == Some(now.clone());
            if now == served.stamp || !settled || tried.get(&name) == Some(&now) {
                continue;
            }
            // What was refused is not tried again until it changes.
            tried.insert(name.clone(), now);
            reload(&app, &name).await;
        }
    }
}
