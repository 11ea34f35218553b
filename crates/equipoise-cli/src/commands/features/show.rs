//! What an encoding came to, for people and for programs.

use crate::failure::Failure;
use crate::global::Global;
use crate::print;
use equipoise_encode::EncodeReport;
use std::fmt::Write;

/// Broken inputs that are named on the terminal; the file has all.
const NAMED: usize = 5;

/// Says what came out, with those notes whose number is not 0, and the rate with so many digits after the point.
pub fn show(
    report: &EncodeReport,
    notes: &[(usize, &str)],
    digits: usize,
    global: &Global,
) -> Result<(), Failure> {
    if global.json() {
        return print::json(report);
    }
    if report.up_to_date {
        return print::out(&format!("{}: up to date, nothing to do\n", report.name));
    }
    if let Some(part) = report.part {
        return print::out(&format!(
            "{}: part {part} is kept, {} items ({:.1} s, {:.digits$} items/s)\nthe same command without --shard puts the parts together\n",
            report.name, report.rows, report.seconds, report.rate
        ));
    }
    // Of texts, a remark tells the pooling with what said so.
    let pooling = report.pooling.as_ref().filter(|_| report.pooling_from.is_none());
    let pooling = pooling.map(|pooling| format!(", {pooling}")).unwrap_or_default();
    let mut text = format!(
        "{}: {} rows of {} columns from {} ({}{pooling})\n",
        report.name, report.rows, report.width, report.encoder, report.architecture
    );
    for remark in report.remarks() {
        let _ = writeln!(text, "  - {remark}");
    }
    for (count, what) in notes.iter().filter(|(count, _)| *count > 0) {
        let _ = writeln!(text, "  - {count} {what}");
    }
    for broken in report.broken.iter().take(NAMED) {
        let _ = writeln!(text, "      {}: {}", broken.item, broken.reason);
    }
    let _ = writeln!(text, "{:.1} s, {:.digits$} items/s", report.seconds, report.rate);
    print::out(&text)
}
