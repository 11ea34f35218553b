//! Listens and answers until it is asked to stop.

use crate::app::App;
use crate::connections::serve;
use crate::error::ServeError;
use crate::options::ServeOptions;
use crate::reload::{warm, watch};
use equipoise_jobs::StopFlag;
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Time between two looks at the flag.
const LOOK: Duration = Duration::from_millis(50);

/// A server that listens.
pub struct Server {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens the models and listens.
    ///
    /// # Errors
    /// Settings or models that cannot be used, an address that cannot be listened to.
    pub fn bind(options: &ServeOptions) -> Result<Server, ServeError> {
        let app = App::new(options)?;
        let refused = |source| ServeError::Bind { address: options.bind, source };
        let listener = TcpListener::bind(options.bind).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Server { app, listener, address })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its routes share.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Answers until `stop` is raised, and then what is under way. Feedback that was taken is on the disk when it returns.
    ///
    /// # Errors
    /// What the system does not grant; a model that cannot answer requests of its own users.
    pub fn run(self, stop: &StopFlag) -> Result<(), ServeError> {
        let failed = |what| move |source| ServeError::System { what, source };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(failed("cannot start threads"))?;
        let _attended = stop.attend();
        let app = self.app;
        let failure = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener);
            let listener = listener.map_err(failed("cannot listen"))?;
            app.log().event("info", "listening", json!({"address": self.address.to_string()}));
            if let Some(every) = app.options().watch {
                tokio::spawn(watch(app.clone(), every));
            }
            let mut failure = None;
            serve(app.clone(), listener, async { failure = stopped(&app, stop).await }).await;
            Ok::<Option<ServeError>, ServeError>(failure)
        })?;
        // What takes longer than the grace is not waited for.
        runtime.shutdown_timeout(Duration::from_secs(1));
        app.close();
        app.log().event("info", "stopped", json!({}));
        failure.map_or(Ok(()), Err)
    }
}

/// Returns when the flag is raised, or with why a model cannot answer.
async fn stopped(app: &App, stop: &StopFlag) -> Option<ServeError> {
    let raised = async {
        while !stop.is_raised() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        () = raised => None,
        error = failing(app) => Some(error),
    }
}

/// Has every model answer requests of its own users. Returns only if one cannot.
async fn failing(app: &App) -> ServeError {
    let models = app.models();
    let warmed = tokio::task::spawn_blocking(move || models.all().iter().try_for_each(|served| warm(served)));
    // A panic was told where it happened; requests will show whether the model answers.
    match warmed.await {
        Ok(Err(error)) => error,
        _ => {
            app.set_ready();
            std::future::pending().await
        }
    }
}
