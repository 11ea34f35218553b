//! Writes the page of a made-up audit and prints its terminal report.
//!
//! ```text
//! cargo run -p equipoise-report --example sample_report -- report.html
//! ```

#[path = "../tests/all/fixture/mod.rs"]
mod fixture;

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "report.html".into());
    let audit = fixture::three_modalities();
    std::fs::write(&path, equipoise_report::html_report(&audit))?;
    print!("{}", equipoise_report::text_report(&audit));
    println!("\n{path}");
    Ok(())
}
