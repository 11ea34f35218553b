//! What all routes share.

use crate::error::ServeError;
use crate::feedback::Store;
use crate::log::Log;
use crate::metrics::{Metrics, OfVersion};
use crate::models::{Models, Served};
use crate::options::ServeOptions;
use crate::page::Pictures;
use crate::problem::Problem;
use crate::scoring::Scoring;
use crate::token::Tokens;
use equipoise_recommend::{Answer, Feedback, RecommendRequest};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// What all routes share. Cloning is cheap.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    options: ServeOptions,
    models: RwLock<Arc<Models>>,
    /// Held by whoever puts another model in place of one.
    changing: Mutex<()>,
    ready: AtomicBool,
    scoring: Scoring,
    store: Option<Store>,
    tokens: Option<Tokens>,
    metrics: Arc<Metrics>,
    log: Log,
}

impl App {
    /// Opens the models and the file of feedback, and starts the threads that score.
    ///
    /// # Errors
    /// Settings, models or files that cannot be used; threads that the system does not grant.
    pub fn new(options: &ServeOptions) -> Result<App, ServeError> {
        options.check()?;
        let tokens = options.token_file.as_deref().map(Tokens::read).transpose()?;
        let models = Models::open(&options.models)?;
        let metrics = Arc::new(Metrics::new());
        let open = |path: &std::path::PathBuf| Store::open(path, options.flush_every, metrics.clone());
        let store = options.feedback.as_ref().map(open).transpose()?;
        let feedback: Arc<dyn Feedback + Send + Sync> = match &store {
            Some(store) => store.met().clone(),
            None => Arc::new(()),
        };
        let scoring = Scoring::new(options.threads, options.queue, feedback, metrics.clone());
        let scoring = scoring
            .map_err(|source| ServeError::System { what: "cannot start threads that score", source })?;
        let log = Log::new(options.log, metrics.lines_dropped.clone());
        models.all().iter().for_each(|served| set_version(&metrics, served, 1));
        let inner = Inner {
            options: options.clone(),
            models: RwLock::new(Arc::new(models)),
            changing: Mutex::new(()),
            ready: AtomicBool::new(false),
            scoring,
            store,
            tokens,
            metrics,
            log,
        };
        Ok(App { inner: Arc::new(inner) })
    }

    /// How the server is set up.
    pub(crate) fn options(&self) -> &ServeOptions {
        &self.inner.options
    }

    /// Where the pictures of items on the page may come from.
    pub(crate) fn pictures(&self) -> &Pictures {
        &self.inner.options.pictures
    }

    /// The models at this moment. Who holds them goes on with them when others take their place.
    pub fn models(&self) -> Arc<Models> {
        self.inner.models.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a model in place of the one of its name. Requests under way end with the old one.
    pub(crate) fn put(&self, new: &Arc<Served>) {
        let mut models = self.inner.models.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = models.get(&new.source.name) {
            set_version(&self.inner.metrics, old, 0);
        }
        set_version(&self.inner.metrics, new, 1);
        *models = Arc::new(models.with(new));
    }

    /// Held by whoever puts another model in place of one.
    pub(crate) fn changing(&self) -> &Mutex<()> {
        &self.inner.changing
    }

    /// Whether the models have answered requests of real rows.
    pub fn is_ready(&self) -> bool {
        self.inner.ready.load(Ordering::SeqCst)
    }

    /// Says that they have.
    pub(crate) fn set_ready(&self) {
        self.inner.ready.store(true, Ordering::SeqCst);
    }

    /// Where feedback is kept, if it is.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.inner.store.as_ref()
    }

    /// The tokens that are let in, if not everyone is.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.inner.tokens.as_ref()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(crate) fn log(&self) -> &Log {
        &self.inner.log
    }

    /// Answers a request by one model, together with others that wait.
    ///
    /// # Errors
    /// What cannot be used of the request; a full queue, or an answer that takes too long.
    pub async fn recommend(
        &self,
        served: &Arc<Served>,
        request: RecommendRequest,
    ) -> Result<Answer, Problem> {
        crate::limits::recommend(&request)?;
        let answer = self.inner.scoring.recommend(served, request);
        timeout(self.options().timeout, answer).await.unwrap_or_else(|_| Err(Problem::late()))
    }

    /// Has other work done that scores, with what users have met since training.
    ///
    /// # Errors
    /// What the work says; a full queue, or work that takes too long.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Feedback) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        let work = self.inner.scoring.work(move || match app.store() {
            Some(store) => work(&**store.met()),
            None => work(&()),
        });
        timeout(self.options().timeout, work).await.unwrap_or_else(|_| Err(Problem::late()))
    }

    /// Writes what waits to be written. Nothing is taken afterwards.
    pub(crate) fn close(&self) {
        self.inner.store.iter().for_each(Store::close);
    }
}

fn set_version(metrics: &Metrics, served: &Served, value: i64) {
    let name = served.name();
    let label = OfVersion { model: name.name, version: name.version };
    match value {
        0 => {
            metrics.versions.remove(&label);
        }
        _ => {
            metrics.versions.get_or_create(&label).set(value);
        }
    }
}
