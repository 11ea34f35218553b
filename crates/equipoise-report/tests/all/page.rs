//! The page is self-contained, well formed, escaped, and never draws what is not a number.

use crate::fixture;
use crate::markup;

use equipoise_report::{
    Audit, AuditEpoch, IdsEpoch, ModalityAudit, PairedErrors, PlainRun, TeacherCurve, html_report,
};
use proptest::prelude::*;

#[test]
fn the_page_asks_for_nothing_outside_itself() {
    let page = html_report(&fixture::three_modalities());
    for word in ["http://", "https://", "src=", "href=", "@import", "<script", "<link"] {
        assert!(!page.contains(word), "{word}");
    }
    // The only url() is the hatching of the page's own drawing.
    assert_eq!(page.matches("url(").count(), page.matches("url(#hatch)").count());
}

#[test]
fn every_modality_and_its_verdict_are_on_the_page() {
    let page = html_report(&fixture::three_modalities());
    for word in ["text", "visual", "acoustic", "under-used", "well used", "noise", "0.0331"] {
        assert!(page.contains(word), "{word}");
    }
}

#[test]
fn names_are_escaped_wherever_they_appear() {
    let mut audit = fixture::three_modalities();
    let hostile = "<img onerror=\"x\">&";
    audit.modalities[0].name = hostile.into();
    audit.run = hostile.into();
    audit.config_toml = "</code></pre><script>alert(1)</script>".into();
    let page = html_report(&audit);
    assert!(page.contains("&lt;img onerror=&quot;x"));
    assert!(!page.contains("<img") && !page.contains("<script"));
    markup::check(&page).expect("the page is well formed");
}

#[test]
fn the_page_is_well_formed_with_much_little_and_nothing() {
    for audit in [fixture::three_modalities(), fixture::bare(), Audit::default()] {
        markup::check(&html_report(&audit)).expect("the page is well formed");
    }
}

#[test]
fn a_missing_history_is_said_and_not_drawn() {
    let page = html_report(&fixture::bare());
    assert!(page.contains("No values were recorded."));
    assert!(!page.contains("<polyline"));
}

#[test]
fn the_ids_have_a_curve_and_a_weight_where_they_are_a_channel() {
    let mut audit = fixture::three_modalities();
    let label = ">IDs<";
    let before = html_report(&audit).matches(label).count();
    for (epoch, record) in audit.history.iter_mut().enumerate() {
        record.ids.channel = (epoch % 2 == 0).then_some(0.1);
    }
    let with_curve = html_report(&audit).matches(label).count();
    assert!(with_curve > before, "the curve of the ids");
    for record in &mut audit.history {
        (record.ids.weight, record.ids.rho) = (Some(0.4), Some(0.2));
    }
    let with_weight = html_report(&audit).matches(label).count();
    assert!(with_weight >= with_curve + 2, "a line of the weight and one of the ratio");
}

#[test]
fn a_single_evaluation_is_drawn_as_a_point() {
    let mut audit = fixture::bare();
    audit.history = vec![AuditEpoch { epoch: 3, validation: Some(0.05), ..AuditEpoch::default() }];
    let page = html_report(&audit);
    assert!(page.contains("<circle") && !page.contains("<polyline"));
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..1.0_f64,
        1 => prop::num::f64::ANY,
        1 => prop::sample::select(vec![0.0, -0.0, 1e308, -1e308, 5e-324, f64::NAN, f64::INFINITY]),
    ]
}

fn pairs() -> impl Strategy<Value = Vec<(String, f64)>> {
    prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), value()), 0..4)
        .prop_map(|raw| raw.into_iter().map(|(n, v)| (n.to_string(), v)).collect())
}

fn epoch() -> impl Strategy<Value = AuditEpoch> {
    let number = prop_oneof![4 => 0..200_usize, 1 => any::<usize>()];
    (number, prop::option::of(value()), pairs(), pairs(), pairs(), pairs()).prop_map(
        |(epoch, validation, channels, weights, rho, effects)| AuditEpoch {
            epoch,
            validation,
            channels,
            clamped: weights.clone(),
            weights,
            rho,
            effects,
            ids: IdsEpoch { channel: validation, weight: validation, rho: validation, effect: validation },
            ..AuditEpoch::default()
        },
    )
}

fn modality(name: &'static str) -> impl Strategy<Value = ModalityAudit> {
    let maybe = || prop::option::of(value());
    (value(), value(), maybe(), maybe(), maybe(), maybe()).prop_map(
        move |(channel, without, teacher, teacher_ids_only, weight, rho)| ModalityAudit {
            name: name.into(),
            width: 8,
            channel,
            without,
            teacher,
            teacher_ids_only,
            weight,
            rho,
            effect: rho,
            missing: None,
            // Any number may stand in a file, and none may break the page.
            errors: PairedErrors { shortfall: weight, content: rho, removal: teacher, ids: None, whole: rho },
        },
    )
}

fn audits() -> impl Strategy<Value = Audit> {
    let maybe = || prop::option::of(value());
    let history = || prop::collection::vec(epoch(), 0..6);
    let modalities = (modality("a"), modality("b"), modality("c"), 0..4_usize);
    let curve = prop::collection::vec((0..100_usize, value()), 0..5);
    let plain = prop::option::of((value(), pairs(), history()));
    (value(), maybe(), maybe(), modalities, history(), curve, plain, 0..5000_usize).prop_map(
        |(whole, ids_only, popularity, (a, b, c, kept), history, curve, plain, users)| Audit {
            evaluated_users: users,
            whole,
            ids_only,
            popularity,
            modalities: [a, b, c].into_iter().take(kept).collect(),
            history,
            teacher_history: vec![TeacherCurve { modality: "a".into(), points: curve }],
            plain: plain.map(|(whole, channels, history)| PlainRun {
                run: "plain".into(),
                whole,
                calibrated: Some(whole),
                error: Some(whole),
                channels,
                history,
            }),
            ..Audit::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn every_coordinate_is_a_number_inside_the_drawing(audit in audits()) {
        let page = html_report(&audit);
        markup::check(&page).map_err(TestCaseError::fail)?;
        for coordinate in markup::coordinates(&page) {
            let parsed: Result<f64, _> = coordinate.trim_end_matches('%').parse();
            let inside = parsed.as_ref().is_ok_and(|v| v.is_finite() && (0.0..=500.0).contains(v));
            prop_assert!(inside, "{coordinate:?}");
        }
        prop_assert!(!equipoise_report::text_report(&audit).contains("NaN"));
    }
}
