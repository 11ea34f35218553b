//! What `/metrics` says, in the text format of Prometheus.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Bounds of the histograms of time, in seconds.
const SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Bounds of the histogram of requests that are scored together.
const BATCHES: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

/// A route and how it was answered.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Answered {
    /// The pattern of the route, `none` where there is none.
    pub(crate) route: String,
    /// The status.
    pub(crate) status: u16,
}

/// A route.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfRoute {
    /// Its pattern.
    pub(crate) route: String,
}

/// A model.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfModel {
    /// Its name.
    pub(crate) model: String,
}

/// A model and its version.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfVersion {
    /// Its name.
    pub(crate) model: String,
    /// Its version.
    pub(crate) version: String,
}

/// A model and how its reload ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct Reloaded {
    /// Its name.
    pub(crate) model: String,
    /// How it ended.
    pub(crate) outcome: Outcome,
}

/// How a reload ended.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelValue)]
pub(crate) enum Outcome {
    /// Another version answers.
    Reloaded,
    /// The model could not be used, and the one before goes on.
    Refused,
}

/// A queue.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfQueue {
    /// `short` or `long`.
    pub(crate) queue: &'static str,
}

/// All numbers.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<Answered, Counter>,
    pub(crate) seconds: Family<OfRoute, Histogram>,
    pub(crate) lists: Family<OfModel, Counter>,
    pub(crate) fallbacks: Family<OfModel, Counter>,
    pub(crate) batches: Histogram,
    pub(crate) queued: Family<OfQueue, Gauge>,
    pub(crate) refused: Counter,
    pub(crate) panics: Counter,
    pub(crate) reloads: Family<Reloaded, Counter>,
    pub(crate) versions: Family<OfVersion, Gauge>,
    pub(crate) connections: Gauge,
    pub(crate) events: Counter,
    pub(crate) flushes: Counter,
    pub(crate) flush_faults: Counter,
    pub(crate) lines_dropped: Counter,
    resident: Gauge,
    anonymous: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut registry = Registry::with_prefix("equipoise");
        let seconds = || Histogram::new(SECONDS);
        let metrics = Metrics {
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            lists: Family::default(),
            fallbacks: Family::default(),
            batches: Histogram::new(BATCHES),
            queued: Family::default(),
            refused: Counter::default(),
            panics: Counter::default(),
            reloads: Family::default(),
            versions: Family::default(),
            connections: Gauge::default(),
            events: Counter::default(),
            flushes: Counter::default(),
            flush_faults: Counter::default(),
            lines_dropped: Counter::default(),
            resident: Gauge::default(),
            anonymous: Gauge::default(),
            registry: Registry::default(),
        };
        let r = &mut registry;
        r.register("http_requests", "Requests by route and status", metrics.requests.clone());
        r.register_with_unit(
            "http_request",
            "Time to answer, by route",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        r.register("lists", "Lists that were made, by model", metrics.lists.clone());
        r.register(
            "fallbacks",
            "Lists of the most popular items instead of a model's",
            metrics.fallbacks.clone(),
        );
        r.register("batch_requests", "Requests that were scored together", metrics.batches.clone());
        r.register("queued_requests", "Requests that wait to be scored", metrics.queued.clone());
        r.register("refused_requests", "Requests refused because a queue was full", metrics.refused.clone());
        r.register("panics", "Faults of the program that ended a request", metrics.panics.clone());
        r.register("reloads", "Reloads by model and outcome", metrics.reloads.clone());
        r.register("model_version", "1 for the version of a model that answers", metrics.versions.clone());
        r.register("connections", "Open connections", metrics.connections.clone());
        r.register("feedback_events", "Events of feedback that were taken", metrics.events.clone());
        r.register("feedback_flushes", "Flushes of feedback to the disk", metrics.flushes.clone());
        r.register(
            "feedback_flush_faults",
            "Flushes that failed, and are tried again",
            metrics.flush_faults.clone(),
        );
        r.register(
            "log_lines_dropped",
            "Lines of the log that nobody read in time",
            metrics.lines_dropped.clone(),
        );
        r.register_with_unit(
            "resident_memory",
            "Memory in use, mapped files included",
            Unit::Bytes,
            metrics.resident.clone(),
        );
        r.register_with_unit(
            "anonymous_memory",
            "Memory in use without mapped files",
            Unit::Bytes,
            metrics.anonymous.clone(),
        );
        Metrics { registry, ..metrics }
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        let (resident, anonymous) = memory();
        self.resident.set(resident);
        self.anonymous.set(anonymous);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a text takes what is written to it");
        text
    }
}

/// Resident and anonymous bytes of this process, where Linux says them; 0 elsewhere.
fn memory() -> (i64, i64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<i64>().ok()).unwrap_or(0)
    };
    (kilobytes("VmRSS:") * 1024, kilobytes("RssAnon:") * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_number_with_its_labels() {
        let metrics = Metrics::new();
        metrics.requests.get_or_create(&Answered { route: "/v1/recommend".into(), status: 200 }).inc();
        metrics.seconds.get_or_create(&OfRoute { route: "/v1/recommend".into() }).observe(0.0015);
        let text = metrics.text();
        for line in [
            r#"equipoise_http_requests_total{route="/v1/recommend",status="200"} 1"#,
            r#"equipoise_http_request_seconds_bucket{le="0.002",route="/v1/recommend"} 1"#,
            "# TYPE equipoise_resident_memory_bytes gauge",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let resident = text.lines().find_map(|line| line.strip_prefix("equipoise_resident_memory_bytes "));
        assert!(!cfg!(target_os = "linux") || resident.is_some_and(|v| v.parse::<i64>().unwrap() > 1 << 20));
    }
}
