//! One connection: sends a request, reads an answer, connects again where the server closed it after an answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What became of a request.
pub enum Outcome {
    /// The status of an answer that came whole.
    Answered(u16),
    /// Why no whole answer came.
    Lost(String),
}

/// One connection.
pub struct Client<'a> {
    address: &'a str,
    timeout: Duration,
    stream: Option<BufReader<TcpStream>>,
    body: Vec<u8>,
}

/// What the head of an answer says.
struct Head {
    status: u16,
    /// Bytes of the body; until the end if it is not said.
    length: Option<usize>,
    closes: bool,
}

impl<'a> Client<'a> {
    pub fn new(address: &'a str, timeout: Duration) -> Client<'a> {
        Client { address, timeout, stream: None, body: Vec::new() }
    }

    /// Sends a request and waits for its answer. Nothing is sent twice: a server that closes a connection with a request on it has
    /// lost that request.
    pub fn ask(&mut self, request: &str) -> Outcome {
        match self.try_ask(request) {
            Ok(status) => Outcome::Answered(status),
            Err(reason) => {
                self.stream = None;
                // A server that is not there is not asked as fast as a connection is refused.
                std::thread::sleep(Duration::from_millis(5));
                Outcome::Lost(reason)
            }
        }
    }

    /// The status, or why there is none.
    fn try_ask(&mut self, request: &str) -> Result<u16, String> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => empty.insert(connect(self.address, self.timeout).map_err(|e| format!("connect: {e}"))?),
        };
        stream.get_mut().write_all(request.as_bytes()).map_err(|e| format!("send: {e}"))?;
        let head = head(stream)?;
        self.body.clear();
        let read = match head.length {
            Some(length) => {
                self.body.resize(length, 0);
                stream.read_exact(&mut self.body)
            }
            None => stream.read_to_end(&mut self.body).map(drop),
        };
        read.map_err(|e| format!("body: {e}"))?;
        if head.closes || head.length.is_none() {
            self.stream = None;
        }
        Ok(head.status)
    }
}

fn connect(address: &str, timeout: Duration) -> std::io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(timeout))?;
    Ok(BufReader::new(stream))
}

fn head(stream: &mut BufReader<TcpStream>) -> Result<Head, String> {
    let mut line = String::new();
    if stream.read_line(&mut line).map_err(|e| format!("head: {e}"))? == 0 {
        return Err("closed before an answer".into());
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(format!("no HTTP: {line:?}"))?;
    let mut head = Head { status, length: None, closes: line.starts_with("HTTP/1.0") };
    loop {
        line.clear();
        stream.read_line(&mut line).map_err(|e| format!("head: {e}"))?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => head.length = value.trim().parse().ok(),
            "connection" => head.closes |= value.trim().eq_ignore_ascii_case("close"),
            "transfer-encoding" => {
                return Err("an answer in chunks, which this client does not read".into());
            }
            _ => {}
        }
    }
    Ok(head)
}
