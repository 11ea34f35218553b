//! `POST /v1/recommend`

use crate::app::App;
use crate::body::Body;
use crate::models::{Models, Served};
use crate::problem::Problem;
use crate::routes::path::{Parts, model_of, parts};
use axum::Json;
use axum::extract::State;
use equipoise_recommend::{Answer, List, RecommendRequest};
use std::sync::Arc;
use std::time::Instant;

/// Lists for users, baskets or vectors. Where several models share the traffic, each user is answered by the model that the
/// user's id leads to, always the same, and each list names it; baskets and vectors are answered by the first model.
#[utoipa::path(post, path = "/v1/recommend", tag = "lists", request_body = RecommendRequest, responses(
    (status = 200, description = "The lists, in the order of the request", body = Answer), crate::openapi::Refusals))]
pub(crate) async fn any(
    State(app): State<App>,
    Body(request): Body<RecommendRequest>,
) -> Result<Json<Answer>, Problem> {
    let models = app.models();
    if models.sharing() < 2 || request.users.is_empty() {
        let served = request.users.first().map_or(models.first(), |user| models.of_user(user)).clone();
        return Ok(Json(app.recommend(&served, request).await?));
    }
    crate::limits::recommend(&request)?;
    Ok(Json(shared(&app, &models, request).await?))
}

/// Lists of one model.
#[utoipa::path(post, path = "/v1/models/{name}/recommend", tag = "lists", params(("name" = String, Path, description = "Name of the model")),
    request_body = RecommendRequest, responses((status = 200, description = "The lists, in the order of the request", body = Answer),
    crate::openapi::Refusals))]
pub(crate) async fn named(
    State(app): State<App>,
    path: Parts<String>,
    Body(request): Body<RecommendRequest>,
) -> Result<Json<Answer>, Problem> {
    let served = model_of(&app, &parts(path)?)?;
    Ok(Json(app.recommend(&served, request).await?))
}

/// The users of one model, with their places in the request.
struct Share {
    served: Arc<Served>,
    places: Vec<usize>,
}

fn shares(models: &Models, users: &[String]) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for (place, user) in users.iter().enumerate() {
        let served = models.of_user(user);
        match shares.iter_mut().find(|share| Arc::ptr_eq(&share.served, served)) {
            Some(share) => share.places.push(place),
            None => shares.push(Share { served: served.clone(), places: vec![place] }),
        }
    }
    shares
}

/// Asks each model for its users, and puts their lists together again.
async fn shared(app: &App, models: &Models, request: RecommendRequest) -> Result<Answer, Problem> {
    let start = Instant::now();
    let mixed = !request.history.is_empty() || !request.vectors.is_empty();
    if mixed {
        // The request is refused as one model refuses it.
        return app.recommend(models.first(), request).await;
    }
    let mut lists: Vec<Option<List>> = vec![None; request.users.len()];
    let mut first = None;
    for share in shares(models, &request.users) {
        let users = share.places.iter().map(|&place| request.users[place].clone()).collect();
        let own = RecommendRequest { users, ..request.clone() };
        let answer =
            app.recommend(&share.served, own).await.map_err(|problem| placed(problem, &share.places))?;
        for (mut list, &place) in answer.lists.into_iter().zip(&share.places) {
            list.model = Some(share.served.source.name.clone());
            lists[place] = Some(list);
        }
        first.get_or_insert(answer.model);
    }
    let lists = lists.into_iter().map(|list| list.expect("every user has a model")).collect();
    let model = first.expect("there is a user");
    Ok(Answer { lists, model, took_ms: start.elapsed().as_secs_f64() * 1e3 })
}

/// A problem of a model's own request, with the place in the request of all.
fn placed(mut problem: Problem, places: &[usize]) -> Problem {
    let inner = problem
        .field
        .as_deref()
        .and_then(|field| field.strip_prefix("users[")?.strip_suffix(']')?.parse::<usize>().ok());
    if let Some(&place) = inner.and_then(|inner| places.get(inner)) {
        problem.field = Some(format!("users[{place}]"));
    }
    problem
}
