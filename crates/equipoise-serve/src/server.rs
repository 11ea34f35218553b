//! Listens and answers until it is asked to stop.

use crate::app::App;
use crate::error::ServeError;
use crate::options::ServeOptions;
use crate::router::router;
use equipoise_jobs::StopFlag;
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

    /// Answers until `stop` is raised, and then what is under way.
    ///
    /// # Errors
    /// What the system does not grant.
    pub fn run(self, stop: &StopFlag) -> Result<(), ServeError> {
        let failed = |what| move |source| ServeError::System { what, source };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(failed("cannot start threads"))?;
        let _attended = stop.attend();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(self.listener);
            let listener = listener.map_err(failed("cannot listen"))?;
            let raised = {
                let stop = stop.clone();
                async move {
                    while !stop.is_raised() {
                        tokio::time::sleep(LOOK).await;
                    }
                }
            };
            let served = axum::serve(listener, router(self.app)).with_graceful_shutdown(raised).await;
            served.map_err(failed("cannot listen"))
        })
    }
}
