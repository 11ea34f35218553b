//! Takes connections and answers them, until it is asked to stop.

use crate::app::App;
use crate::patient::Patient;
use crate::router::router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Time before another connection is taken after the system granted none.
const PAUSE: Duration = Duration::from_millis(50);
/// Most bytes of the head of a request.
const HEAD: usize = 64 << 10;

/// Answers until `stop` is done, and then what is under way, as long as the options grant.
pub(crate) async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) {
    let routes = router(app.clone());
    let places = Arc::new(Semaphore::new(app.options().connections));
    let shutdown = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.expect("the semaphore is never closed"),
            () = &mut stop => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, or a client that has gone.
                app.log().event("error", "accept", json!({"reason": error.to_string()}));
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let answering = shutdown.watch(connection(&app, &routes, stream));
        let gauge = app.metrics().connections.clone();
        gauge.inc();
        tokio::spawn(async move {
            // A client that breaks off is no fault of the server.
            let _ = answering.await;
            gauge.dec();
            drop(place);
        });
    }
    drop(listener);
    let grace = app.options().grace;
    if tokio::time::timeout(grace, shutdown.shutdown()).await.is_err() {
        app.log().event("warn", "grace", json!({"reason": "requests were cut off that took longer"}));
    }
}

type Connection =
    hyper::server::conn::http1::Connection<TokioIo<Patient<TcpStream>>, TowerToHyperService<axum::Router>>;

fn connection(app: &App, routes: &axum::Router, stream: TcpStream) -> Connection {
    // Answers are small and whole: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let options = app.options();
    let io = TokioIo::new(Patient::new(stream, options.read_timeout));
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.read_timeout)
        .max_buf_size(HEAD)
        .serve_connection(io, TowerToHyperService::new(routes.clone()))
}
