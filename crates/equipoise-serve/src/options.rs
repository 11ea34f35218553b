//! How a server is set up.

use crate::page::Pictures;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// How a server is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeOptions {
    /// The models, the first of which answers what names no model and no user.
    pub models: Vec<ModelSource>,
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where the pictures of items on the page may come from.
    pub pictures: Pictures,
}

/// A model that is served under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSource {
    /// The name in paths and answers: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// A run, or a served model.
    pub path: PathBuf,
    /// Its share of the requests that name no model; shares are compared with one another, they need not add up to 1.
    pub share: f64,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        ServeOptions { models: Vec::new(), bind, pictures: Pictures::default() }
    }
}

impl ModelSource {
    /// A model with a share of 1.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> ModelSource {
        ModelSource { name: name.into(), path: path.into(), share: 1.0 }
    }
}
