//! Upload to a Qdrant server, against one that checks what it gets.
#![cfg(feature = "upload")]

use crate::common;

use common::Trained;
use equipoise_recommend::{ExportOptions, ExportReport, RecommendError, TARGETS, Upload, export};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// A request as the server saw it.
struct Seen {
    line: String,
    key: Option<String>,
    body: Value,
}

/// A server that answers each request with the next status and ends after the last.
struct Server {
    url: String,
    seen: JoinHandle<Vec<Seen>>,
}

impl Server {
    fn answering(statuses: &[u16]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let statuses = statuses.to_vec();
        let seen = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while seen.len() < statuses.len() {
                let (stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream);
                while seen.len() < statuses.len() {
                    let Some(request) = request(&mut reader) else { break };
                    let status = statuses[seen.len()];
                    seen.push(request);
                    let body = match status {
                        200 => r#"{"result":true,"status":"ok"}"#.to_owned(),
                        _ => format!(r#"{{"status":{{"error":"told {status}"}}}}"#),
                    };
                    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                    reader.get_mut().write_all((head + &body).as_bytes()).unwrap();
                }
            }
            seen
        });
        Server { url, seen }
    }
}

fn request(reader: &mut BufReader<std::net::TcpStream>) -> Option<Seen> {
    let (mut line, mut length, mut key, mut chunked) = (String::new(), 0, None, false);
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "transfer-encoding" => chunked = true,
            "api-key" => key = Some(value.to_owned()),
            _ => {}
        }
    }
    assert!(!chunked, "a body of known length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some(Seen { line: line.trim().to_owned(), key, body: serde_json::from_slice(&body).unwrap() })
}

fn upload(trained: &Trained, url: &str, key: Option<&str>) -> Result<ExportReport, RecommendError> {
    let target = TARGETS.iter().find(|target| target.name == "qdrant").unwrap();
    let upload = Some(Upload { url: url.to_owned(), api_key: key.map(str::to_owned) });
    let options =
        ExportOptions { into: Some("shop".into()), upload, overwrite: true, ..ExportOptions::default() };
    export(&trained.run(), target, &trained.dir.path().join("points"), &options)
}

#[test]
fn a_collection_is_made_and_every_point_arrives_once() {
    let trained = Trained::new("vbpr");
    let server = Server::answering(&[200, 200]);
    let report = upload(&trained, &format!("{}/", server.url), Some("secret")).unwrap();
    let items = trained.model.tables().n_items();
    assert_eq!(report.uploaded, Some(items));
    let seen = server.seen.join().unwrap();
    assert_eq!(seen[0].line, "PUT /collections/shop HTTP/1.1");
    assert_eq!(seen[0].body["vectors"]["distance"], "Dot");
    assert_eq!(seen[1].line, "PUT /collections/shop/points?wait=true HTTP/1.1");
    assert!(seen.iter().all(|request| request.key.as_deref() == Some("secret")));
    let points = seen[1].body["points"].as_array().unwrap();
    let ids: Vec<u64> = points.iter().map(|point| point["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..items as u64).collect::<Vec<_>>());
    let width = seen[0].body["vectors"]["size"].as_u64().unwrap() as usize;
    assert!(points.iter().all(|point| point["vector"].as_array().unwrap().len() == width));
}

#[test]
fn what_the_server_says_is_passed_on() {
    let trained = Trained::new("vbpr");
    for (statuses, key, input, says) in [
        (&[409][..], None, true, "--into"),
        (&[401], None, true, "QDRANT_API_KEY"),
        (&[403], Some("wrong"), true, "check the key"),
        (&[200, 400], None, true, "told 400"),
        (&[200, 503], None, false, "told 503"),
    ] {
        let server = Server::answering(statuses);
        let error = upload(&trained, &server.url, key).unwrap_err();
        assert!(error.to_string().contains(says) && error.is_input() == input, "{error}");
        assert!(!error.to_string().contains("wrong"), "the key is repeated: {error}");
        server.seen.join().unwrap();
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = upload(&trained, &format!("http://{closed}"), None).unwrap_err();
    assert!(!error.is_input() && error.to_string().contains("running"), "{error}");
}
