//! `POST /v1/feedback`

use crate::app::App;
use crate::body::Body;
use crate::feedback::FeedbackRequest;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// What was taken.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// Number of events that were taken.
    taken: usize,
    /// Number of events that were left out because one of the same id had been taken before.
    repeated: usize,
    /// Whether they are on the disk.
    durable: bool,
}

/// Keeps what users did. Lists heed it at once: what a user has met is left out, and moves the user's row.
#[utoipa::path(post, path = "/v1/feedback", tag = "feedback", request_body = FeedbackRequest, responses(
    (status = 200, description = "The events were taken", body = Taken), crate::openapi::Refusals))]
pub(crate) async fn take(
    State(app): State<App>,
    Body(request): Body<FeedbackRequest>,
) -> Result<Json<Taken>, Problem> {
    let Some(store) = app.store() else {
        return Err(Problem::missing(
            "feedback",
            "the server keeps no feedback; start it with --feedback FILE",
        ));
    };
    request.check()?;
    let (given, durable) = (request.events.len(), request.durable);
    let taken = store.take(request.events, durable).await?;
    app.metrics().events.inc_by(taken as u64);
    Ok(Json(Taken { taken, repeated: given - taken, durable }))
}
