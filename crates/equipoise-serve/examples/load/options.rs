//! What is sent, where to and how often.

use std::path::PathBuf;
use std::time::Duration;

/// What is sent, where to and how often.
pub struct Options {
    pub address: String,
    path: String,
    body: Option<String>,
    headers: Vec<String>,
    /// Users are drawn from 0 to this.
    pub users: u64,
    pub connections: usize,
    pub length: Duration,
    /// Requests a second over all connections; as fast as answers come if absent.
    pub rate: Option<f64>,
    /// An answer that takes longer counts as lost.
    pub timeout: Duration,
    pub acknowledged: Option<PathBuf>,
    pub go_on: bool,
}

impl Options {
    /// Reads the arguments.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            address: "127.0.0.1:8080".into(),
            path: "/".into(),
            body: None,
            headers: Vec::new(),
            users: 1,
            connections: 1,
            length: Duration::from_secs(10),
            rate: None,
            timeout: Duration::from_secs(60),
            acknowledged: None,
            go_on: false,
        };
        while let Some(flag) = arguments.next() {
            if flag == "--go-on" {
                options.go_on = true;
                continue;
            }
            let value = arguments.next().ok_or(format!("{flag}: expected a value"))?;
            options.take(&flag, value)?;
        }
        Ok(options)
    }

    fn take(&mut self, flag: &str, value: String) -> Result<(), String> {
        let number = || value.parse::<f64>().ok().filter(|n| *n > 0.0);
        let number = || number().ok_or(format!("{flag} {value:?}: expected a number above 0"));
        match flag {
            "--address" => self.address = value,
            "--path" => self.path = value,
            "--body" => self.body = Some(value),
            "--header" => self.headers.push(value),
            "--users" => self.users = number()? as u64,
            "--connections" => self.connections = number()? as usize,
            "--seconds" => self.length = Duration::from_secs_f64(number()?),
            "--rate" => self.rate = Some(number()?),
            "--timeout" => self.timeout = Duration::from_secs_f64(number()?),
            "--acknowledged" => self.acknowledged = Some(value.into()),
            _ => return Err(format!("{flag}: no such flag")),
        }
        Ok(())
    }

    /// The bytes of one request.
    pub fn request(&self, n: u64, user: u64) -> String {
        let filled = |text: &str| text.replace("{user}", &user.to_string()).replace("{n}", &n.to_string());
        let headers: String = self.headers.iter().map(|header| format!("{header}\r\n")).collect();
        let (path, host) = (filled(&self.path), &self.address);
        match &self.body {
            None => format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n"),
            Some(body) => {
                let body = filled(body);
                format!(
                    "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
        }
    }
}
