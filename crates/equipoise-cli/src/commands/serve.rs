//! `equipoise serve`

use crate::failure::Failure;
use crate::global::Global;
use crate::interrupt::stop_flag;
use crate::print;

use equipoise_serve::{ModelSource, Pictures, ServeOptions, Server};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The name of a model that was given without one.
const UNNAMED: &str = "default";

/// Serve models by HTTP, until Ctrl-C or SIGTERM.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  equipoise serve runs/ckd
  equipoise serve plain=runs/plain ckd=runs/ckd --share ckd=0.2      a fifth of the users get the second model")]
pub struct Args {
    /// Runs or served models; those that are served beside another have a name.
    #[arg(required = true, value_name = "[NAME=]MODEL", value_parser = source)]
    models: Vec<ModelSource>,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Where the pictures of items on the page come from: a folder in which the items' paths lie, or `web` for addresses, which
    /// readers' browsers then load from wherever the items' data say. None is shown if this is left out.
    #[arg(long, value_name = "FOLDER|web", value_parser = Pictures::parse)]
    pictures: Option<Pictures>,
}

fn source(text: &str) -> Result<ModelSource, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\']) => Ok(ModelSource::new(name, PathBuf::from(path))),
        _ => Ok(ModelSource::new(UNNAMED, PathBuf::from(text))),
    }
}

pub fn run(args: &Args, _global: &Global) -> Result<(), Failure> {
    let options = ServeOptions {
        models: args.models.clone(),
        bind: args.bind,
        pictures: args.pictures.clone().unwrap_or_default(),
    };
    let server = Server::bind(&options)?;
    print::say(&format!("listening on http://{}", server.address()));
    Ok(server.run(&stop_flag())?)
}
