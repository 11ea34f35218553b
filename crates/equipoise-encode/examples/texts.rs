//! Features of the texts of a data set, from your own program.
//!
//! ```text
//! cargo run --release --example texts -- DATA [MODEL [NAME]]
//! ```

use equipoise_encode::{EncodeProgress, TextRequest, encode_texts};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let data = arguments.next().ok_or("usage: texts DATA [MODEL [NAME]]")?;
    let model = arguments.next().unwrap_or_else(|| "builtin".into());
    let name = arguments.next().unwrap_or_else(|| "text".into());
    let request = TextRequest { data: data.into(), model, name, ..TextRequest::default() };
    let mut quarter = 0;
    let report = encode_texts(&request, &mut |progress: &EncodeProgress| {
        if 4 * progress.done >= quarter * progress.total {
            eprintln!("{} of {}", progress.done, progress.total);
            quarter += 1;
        }
    })?;
    println!("{} rows of {} columns, {:.0} items/s", report.rows, report.width, report.rate);
    Ok(())
}
