//! What all routes share.

use crate::error::ServeError;
use crate::models::{Models, Served};
use crate::options::ServeOptions;
use crate::page::Pictures;
use crate::problem::Problem;
use equipoise_recommend::{Answer, RecommendRequest};
use std::sync::{Arc, RwLock};

/// What all routes share. Cloning is cheap.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    models: RwLock<Arc<Models>>,
    pictures: Pictures,
}

impl App {
    /// Opens the models.
    ///
    /// # Errors
    /// Settings or models that cannot be used.
    pub fn new(options: &ServeOptions) -> Result<App, ServeError> {
        let models = RwLock::new(Arc::new(Models::open(&options.models)?));
        Ok(App { inner: Arc::new(Inner { models, pictures: options.pictures.clone() }) })
    }

    /// Where the pictures of items on the page may come from.
    pub(crate) fn pictures(&self) -> &Pictures {
        &self.inner.pictures
    }

    /// The models at this moment. Who holds them goes on with them when others take their place.
    pub fn models(&self) -> Arc<Models> {
        self.inner.models.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Answers a request by one model.
    ///
    /// # Errors
    /// What cannot be used of the request.
    pub async fn recommend(
        &self,
        served: &Arc<Served>,
        request: RecommendRequest,
    ) -> Result<Answer, Problem> {
        let served = served.clone();
        let work = tokio::task::spawn_blocking(move || {
            let mut answer = served.model.answer(&request)?;
            answer.model.name.clone_from(&served.source.name);
            Ok(answer)
        });
        work.await.map_err(|_| Problem::fault())?
    }
}
