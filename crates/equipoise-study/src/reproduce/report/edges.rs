//! Searches that ended where their lists end: a wider list might hold a better value.

use super::super::choice::BestPoint;
use super::super::paper::Paper;
use super::super::results::DataBlock;
use super::sheet::{backbone, dataset};

/// A sentence that names them; `None` if nothing was searched.
pub(super) fn edges(paper: &Paper, blocks: &[DataBlock]) -> Option<String> {
    let (mut searched, mut list) = (false, Vec::new());
    for row in blocks.iter().flat_map(|b| &b.rows) {
        let Ok(chosen) = &row.settled.chosen else { continue };
        searched |= !chosen.found.tried.is_empty();
        let cell = &row.settled.cell;
        let names = [backbone(paper, &cell.backbone), paper.method_title(&cell.method)].join(" ");
        let of = format!("{} {names}", dataset(paper, &cell.dataset));
        list.extend(
            at_an_end(&chosen.found).into_iter().map(|(key, value)| format!("{of}: {key} = {value}")),
        );
    }
    searched.then(|| {
        if list.is_empty() {
            "No search ended on the edge of its list.".into()
        } else {
            format!("Searches that ended on the edge of their lists: {}.", list.join("; "))
        }
    })
}

/// The numbers of the best point that are the smallest or the largest that were tried of several. 0 is no edge: nothing is below it.
fn at_an_end(found: &BestPoint) -> Vec<(&str, f64)> {
    let keys = found.point.settings().iter().map(|(key, _)| key.as_str());
    let at_end = |key: &str| {
        let best = found.point.number(key)?;
        let tried: Vec<f64> = found.tried.iter().filter_map(|tried| tried.point.number(key)).collect();
        let is_end = tried.iter().all(|&v| v >= best) || tried.iter().all(|&v| v <= best);
        (best != 0.0 && is_end && tried.iter().any(|&v| v != best)).then_some(best)
    };
    keys.filter_map(|key| Some((key, at_end(key)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::choice::Tried;
    use super::*;
    use crate::search::Point;

    fn point(lr: f64, kd: f64) -> Point {
        let of = |key: &str, value| (key.to_owned(), toml::Value::Float(value));
        Point::new(vec![of("train.lr", lr), of("balance.ckd.lambda_kd", kd)])
    }

    fn found(best: (f64, f64), tried: &[(f64, f64)]) -> BestPoint {
        let tried = tried.iter().map(|&(lr, kd)| Tried { point: point(lr, kd), result: Ok(0.0) });
        BestPoint { point: point(best.0, best.1), value: Some(0.0), tried: tried.collect() }
    }

    #[test]
    fn the_ends_of_lists_are_edges_and_values_between_and_zero_are_not() {
        let tried = [(0.1, 0.0), (0.2, 0.0), (0.3, 0.0), (0.2, 1.0), (0.2, 2.0)];
        assert_eq!(at_an_end(&found((0.2, 1.0), &tried)), []);
        assert_eq!(at_an_end(&found((0.2, 0.0), &tried)), []);
        assert_eq!(
            at_an_end(&found((0.3, 2.0), &tried)),
            [("train.lr", 0.3), ("balance.ckd.lambda_kd", 2.0)]
        );
        // A list of one value has no edge.
        assert_eq!(at_an_end(&found((0.1, 1.0), &[(0.1, 0.5), (0.1, 1.0), (0.1, 2.0)])), []);
    }
}
