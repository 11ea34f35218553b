//! The headline and the terminal report, word for word.

use crate::fixture;

use equipoise_recommend::{CalibratedFusion, HeldOutFusion, Weaker};
use equipoise_report::{Audit, MissingAudit, headline, html_report, text_report};

#[test]
fn report_of_three_modalities_with_teachers() {
    insta::assert_snapshot!(text_report(&fixture::three_modalities()));
}

#[test]
fn report_without_teachers_or_references() {
    insta::assert_snapshot!(text_report(&fixture::bare()));
}

#[test]
fn report_of_one_modality() {
    let mut audit = fixture::three_modalities();
    audit.modalities.truncate(1);
    audit.modalities[0].without = 0.0248;
    insta::assert_snapshot!(text_report(&audit));
}

#[test]
fn report_of_nothing() {
    insta::assert_snapshot!(text_report(&Audit::default()));
}

#[test]
fn every_line_fits_a_terminal_of_100_columns() {
    for audit in [fixture::three_modalities(), fixture::bare()] {
        for line in text_report(&audit).lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn headline_praises_only_when_every_modality_pulls() {
    let mut audit = fixture::three_modalities();
    audit.modalities.truncate(2);
    audit.modalities[1].channel = 0.0440;
    assert_eq!(
        headline(&audit),
        "Every modality pulls its weight: text reaches 99 % and visual reaches 99 % of their teachers. \
         Against training without balancing, recall@20 rises from 0.0493 to 0.0621 (+26 %)."
    );
}

/// The whole model and its channels, `text` better than the whole beyond noise or not.
fn fused(beyond_noise: bool, calibrated: bool) -> Audit {
    let weaker = Weaker { channel: "text".into(), value: 0.0640, users: 19_445, p_value: 0.004 };
    let weighted = CalibratedFusion {
        weights: [("text".to_owned(), 1.5), ("visual".to_owned(), 0.0)].into(),
        chosen_by: "recall@20".into(),
        validation_whole: 0.0600,
        validation: 0.0655,
        value: 0.0648,
    };
    let fusion = HeldOutFusion {
        metric: "recall@20".into(),
        users: 19_445,
        whole: 0.0621,
        channels: [("text".to_owned(), 0.0640), ("ids".to_owned(), 0.05)].into(),
        weaker_than: beyond_noise.then_some(weaker),
        calibrated: calibrated.then_some(weighted),
    };
    Audit { fusion: Some(fusion), ..fixture::three_modalities() }
}

#[test]
fn a_whole_that_is_worse_than_a_channel_is_said_first_with_what_calibration_makes_of_it() {
    let first = "The whole is worse than its text channel alone (recall@20 0.0621 against 0.0640, paired over 19445 \
                 users, p < 0.01): 1 + 1 < 2.";
    let plain = headline(&fused(true, false));
    assert!(
        plain.starts_with(&format!("{first} `equipoise calibrate` chooses weights on validation.")),
        "{plain}"
    );
    let calibrated = headline(&fused(true, true));
    let second = "With the weights that validation chose (text 1.5 and visual 0; recall@20 there 0.0655 instead of 0.0600) \
                  recall@20 on test is 0.0648, measured once.";
    assert!(calibrated.starts_with(&format!("{first} {second}")), "{calibrated}");
    let text = text_report(&fused(true, true));
    assert!(text.contains("calibrated weights"), "{text}");
    // Within noise nothing is claimed, but the weights are told further down.
    let noise = fused(false, true);
    assert!(!headline(&noise).contains("1 + 1 < 2"));
    assert!(text_report(&noise).contains("measured once") && html_report(&noise).contains("measured once"));
    // Weights of 1 are those of training: there is nothing to measure again.
    let mut same = fused(false, true);
    let weighted =
        same.fusion.as_mut().and_then(|fusion| fusion.calibrated.as_mut()).expect("it was calibrated");
    weighted.weights.values_mut().for_each(|weight| *weight = 1.0);
    let text = text_report(&same).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("no weights of modalities") && !text.contains("measured once"), "{text}");
}

#[test]
fn what_weights_alone_make_of_the_plain_model_is_said_beside_the_gain() {
    let plain = |value: f64| {
        let mut plain = fused(false, true);
        let found = plain.fusion.as_mut().and_then(|fusion| fusion.calibrated.as_mut());
        found.expect("it was calibrated").value = value;
        plain
    };
    let said = "from 0.0493 to 0.0621 (+26 %). The plain model with weights of its modalities that validation chose after training \
                has 0.0590";
    let alone = fixture::three_modalities().beside(&plain(0.0590));
    assert!(headline(&alone).ends_with(&format!("{said}.")), "{}", headline(&alone));
    let rows = text_report(&alone).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(rows.contains("without balancing, calibrated 0.0590 whole model +5.3 %"), "{rows}");
    assert!(html_report(&alone).contains("without balancing, calibrated"));
    // The balanced model has weights of its own.
    let both = fused(false, true).beside(&plain(0.0590));
    let own = format!("{said}; with its own the balanced model has 0.0648.");
    assert!(headline(&both).ends_with(&own), "{}", headline(&both));
    // Weights that change nothing, and a plain model without weights, add no sentence.
    for same in [plain(0.0493), fused(false, false)] {
        let headline = headline(&fixture::three_modalities().beside(&same));
        assert!(headline.ends_with("(+26 %)."), "{headline}");
    }
}

#[test]
fn without_the_values_of_users_only_a_large_difference_is_called_one() {
    let mut audit = fixture::three_modalities();
    audit.modalities[0].channel = audit.whole + 0.0005;
    assert!(!headline(&audit).contains("1 + 1 < 2"));
    audit.modalities[0].channel = audit.whole * 1.3;
    assert!(
        headline(&audit).starts_with("The whole is worse than its text channel alone"),
        "{}",
        headline(&audit)
    );
}

#[test]
fn headline_warns_of_a_model_that_popularity_beats() {
    let mut audit = fixture::three_modalities();
    audit.popularity = Some(0.0620);
    assert!(headline(&audit).contains("does not measurably beat recommending by popularity"));
}

#[test]
fn headline_claims_no_gain_that_the_users_cannot_show() {
    let mut audit = fixture::three_modalities();
    audit.plain.as_mut().expect("the fixture has a plain run").whole = 0.0615;
    assert!(headline(&audit).ends_with("from 0.0615 to 0.0621: no measurable difference."));
}

#[test]
fn control_characters_of_names_do_not_reach_the_terminal() {
    let mut audit = fixture::three_modalities();
    audit.modalities[0].name = "te\u{1b}[2Jxt".into();
    audit.run = "a\rb".into();
    let text = text_report(&audit);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn an_audit_read_back_from_json_gives_the_same_reports() {
    let audit = fixture::three_modalities();
    let json = serde_json::to_string(&audit).expect("plain numbers and names serialise");
    let back: Audit = serde_json::from_str(&json).expect("what was written reads back");
    assert!(text_report(&back) == text_report(&audit), "the text differs");
    assert!(html_report(&back) == html_report(&audit), "the page differs");
}

#[test]
fn a_command_is_never_broken_over_two_lines() {
    let text = text_report(&fixture::bare());
    let whole = text.matches("`equipoise train --balance ckd`").count();
    assert_eq!(whole, 4, "{text}");
}

#[test]
fn items_that_lack_a_modality_are_reported_only_where_there_are_any() {
    let mut audit = fixture::three_modalities();
    let (text, page) = (text_report(&audit), html_report(&audit));
    assert!(!text.contains("missing") && !page.contains("items that lack it"), "{text}");
    let missing = MissingAudit { items: 180, metric: "recall@20".into(), has: Some(0.0631), lacks: None };
    audit.modalities[1].missing = Some(missing);
    let (text, page) = (text_report(&audit), html_report(&audit));
    let flat = text.replace('\n', " ");
    let named = format!("{} is missing for 180 of", audit.modalities[1].name);
    assert!(flat.contains(&named) && flat.contains("recall@20 is 0.0631 over"), "{text}");
    assert!(flat.contains("not measured over those that lack it"), "{text}");
    assert!(page.contains("items that lack it") && page.contains("180"));
}
