//! Upload of points to a Qdrant server by its REST API.

use super::options::Upload;
use crate::error::RecommendError;
use equipoise_data::Lines;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use ureq::Agent;

/// Points in a request.
const BATCH: usize = 256;
/// Bytes in a request, of the 32 MiB that Qdrant takes.
const BYTES: usize = 8 << 20;
/// Longest wait for an answer.
const WAIT: Duration = Duration::from_secs(60);
/// Most characters of an answer that a message repeats.
const SHOWN: usize = 200;

/// A collection on a server.
pub(super) struct Collection<'a> {
    agent: Agent,
    url: String,
    to: &'a Upload,
    name: &'a str,
}

impl<'a> Collection<'a> {
    pub(super) fn new(to: &'a Upload, name: &'a str) -> Result<Collection<'a>, RecommendError> {
        let config = Agent::config_builder().timeout_global(Some(WAIT)).http_status_as_error(false).build();
        let url = format!("{}/collections/{name}", to.url.trim_end_matches('/'));
        Ok(Collection { agent: config.into(), url, to, name })
    }

    /// Makes the collection as the file says.
    ///
    /// # Errors
    /// If there is one of that name; if the server cannot be reached or refuses.
    pub(super) fn create(&self, body: &Path) -> Result<(), RecommendError> {
        let text = std::fs::read_to_string(body).map_err(RecommendError::io(body))?;
        let (status, answer) = self.put(&self.url, &text)?;
        match status {
            200..=299 => Ok(()),
            409 => {
                let problem = format!(
                    "the server has a collection {} already; choose another with --into, or delete that one",
                    self.name
                );
                Err(RecommendError::field("--into", problem))
            }
            _ => Err(self.refused(status, &answer)),
        }
    }

    /// Sends every point of the file; their number.
    ///
    /// # Errors
    /// If the server cannot be reached or refuses.
    pub(super) fn fill(&self, points: &Path) -> Result<usize, RecommendError> {
        let (mut lines, mut batch, mut sent) = (Lines::open(points)?, Batch::default(), 0);
        while lines.advance()? {
            batch.add(lines.text());
            if batch.points == BATCH || batch.text.len() > BYTES {
                sent += self.send(&mut batch)?;
            }
        }
        Ok(sent + self.send(&mut batch)?)
    }

    fn send(&self, batch: &mut Batch) -> Result<usize, RecommendError> {
        let Batch { points, text } = std::mem::take(batch);
        if points == 0 {
            return Ok(0);
        }
        let body = format!("{{\"points\":[{text}]}}");
        let (status, answer) = self.put(&format!("{}/points?wait=true", self.url), &body)?;
        match status {
            200..=299 => Ok(points),
            _ => Err(self.refused(status, &answer)),
        }
    }

    /// The status and the text of the answer.
    fn put(&self, url: &str, body: &str) -> Result<(u16, String), RecommendError> {
        let mut request = self.agent.put(url).header("content-type", "application/json");
        if let Some(key) = &self.to.api_key {
            request = request.header("api-key", key);
        }
        let failed = |error: ureq::Error| RecommendError::Upload {
            url: self.to.url.clone(),
            problem: format!("{error}; is the server running there?"),
            refused: false,
        };
        let mut answer = request.send(body).map_err(failed)?;
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        Ok((answer.status().as_u16(), text))
    }

    fn refused(&self, status: u16, answer: &str) -> RecommendError {
        let said = serde_json::from_str::<Value>(answer).ok();
        let said = said.as_ref().and_then(|v| v["status"]["error"].as_str()).unwrap_or(answer);
        let said: String = said.chars().take(SHOWN).collect();
        let key = match (status, self.to.api_key.is_some()) {
            (401 | 403, false) => "; give its key with --api-key-file or QDRANT_API_KEY",
            (401 | 403, true) => "; check the key",
            _ => "",
        };
        RecommendError::Upload {
            url: self.to.url.clone(),
            problem: format!("the server answered {status}: {}{key}", said.trim()),
            refused: (400..500).contains(&status),
        }
    }
}

/// Points with commas between them.
#[derive(Default)]
struct Batch {
    points: usize,
    text: String,
}

impl Batch {
    fn add(&mut self, point: &[u8]) {
        if self.points > 0 {
            self.text.push(',');
        }
        self.text.push_str(&String::from_utf8_lossy(point));
        self.points += 1;
    }
}
