//! Features of the pictures of a data set, from your own program.
//!
//! ```text
//! cargo run --release --example images -- DATA PICTURES MODEL [OUT]
//! ```

use equipoise_encode::{EncodeProgress, ImageRequest, encode_images};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, images, model, out @ ..] = &arguments[..] else {
        return Err("usage: images DATA PICTURES MODEL [OUT]".into());
    };
    let request = ImageRequest {
        data: data.into(),
        images: images.into(),
        model: model.clone(),
        out: out.first().map(Into::into),
        overwrite: true,
        ..ImageRequest::default()
    };
    let report = encode_images(&request, &mut |progress: &EncodeProgress| {
        eprintln!("{} of {}", progress.done, progress.total)
    })?;
    for broken in &report.broken {
        println!("{}: {}", broken.item, broken.reason);
    }
    println!("{} rows of {} columns, {:.1} items/s", report.rows, report.width, report.rate);
    Ok(())
}
