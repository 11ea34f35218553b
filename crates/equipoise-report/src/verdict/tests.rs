//! One test per rule, on numbers chosen to meet that rule and no earlier one.

use super::*;
use crate::ModalityAudit;

const MANY: usize = 20_000;

/// A modality that is well used: every test changes what it is about.
fn modality() -> ModalityAudit {
    ModalityAudit {
        name: "visual".into(),
        width: 64,
        channel: 0.080,
        without: 0.060,
        teacher: Some(0.080),
        teacher_ids_only: Some(0.040),
        ..ModalityAudit::default()
    }
}

fn audit(users: usize, modality: ModalityAudit) -> Audit {
    Audit {
        metric: "recall@20".into(),
        evaluated_users: users,
        whole: 0.100,
        ids_only: Some(0.040),
        modalities: vec![modality],
        ..Audit::default()
    }
}

fn judged(users: usize, change: impl FnOnce(&mut ModalityAudit)) -> ModalityVerdict {
    let mut m = modality();
    change(&mut m);
    verdicts(&audit(users, m)).remove(0)
}

#[test]
fn a_channel_that_reaches_its_teacher_and_is_missed_is_balanced() {
    let v = judged(MANY, |_| {});
    assert_eq!(v.verdict, Verdict::Balanced);
    assert_eq!(v.ratio, Some(1.0));
    assert!(v.sentence.contains("loses 40 % without it"), "{}", v.sentence);
}

#[test]
fn a_channel_far_behind_a_teacher_with_signal_is_under_used() {
    let v = judged(MANY, |m| m.channel = 0.049);
    assert_eq!(v.verdict, Verdict::UnderUsed);
    assert!(
        v.sentence.contains("reaches 61 % of what its teacher shows is there (0.0490 of 0.0800)"),
        "{}",
        v.sentence
    );
}

#[test]
fn what_balancing_changed_is_said_beside_the_verdict() {
    let mut beside = audit(MANY, modality());
    let channels = vec![("visual".into(), 0.049)];
    beside.plain = Some(crate::PlainRun { channels, ..crate::PlainRun::default() });
    let sentence = verdicts(&beside).remove(0).sentence;
    assert!(
        sentence.ends_with("Trained without balancing it reached 61 % of that teacher (0.0490)."),
        "{sentence}"
    );
}

#[test]
fn a_channel_a_little_ahead_has_reached_its_teacher() {
    let v = judged(2_000, |m| {
        (m.channel, m.teacher, m.teacher_ids_only) = (0.370, Some(0.351), Some(0.05));
        m.without = 0.01;
    });
    assert_eq!(v.verdict, Verdict::Balanced, "{}", v.sentence);
}

#[test]
fn a_channel_far_ahead_exceeds_its_teacher() {
    let v = judged(MANY, |m| m.channel = 0.095);
    assert_eq!(v.verdict, Verdict::ExceedsTeacher);
}

#[test]
fn content_that_helps_neither_teacher_nor_whole_is_noise() {
    // The channel is far behind the teacher: what is missing is the IDs' doing, not the content's.
    let v = judged(MANY, |m| {
        m.teacher_ids_only = Some(0.079);
        m.channel = 0.05;
        m.without = 0.0995;
    });
    assert_eq!(v.verdict, Verdict::Noise);
    assert!(v.sentence.contains("behaves like noise"), "{}", v.sentence);
    assert!(v.sentence.contains("nothing measurable"), "{}", v.sentence);
}

#[test]
fn content_that_harms_its_teacher_is_noise_and_said_to_harm_the_whole() {
    let v = judged(MANY, |m| {
        m.teacher_ids_only = Some(0.09);
        m.without = 0.12;
    });
    assert_eq!(v.verdict, Verdict::Noise);
    assert!(v.sentence.contains("better without it"), "{}", v.sentence);
}

#[test]
fn content_silent_alone_but_missed_by_the_whole_counts_only_in_company() {
    let v = judged(MANY, |m| m.teacher_ids_only = Some(0.079));
    assert_eq!(v.verdict, Verdict::OnlyTogether);
}

#[test]
fn noise_is_recognised_without_the_teachers_own_ids() {
    let noise = |m: &mut ModalityAudit| {
        m.teacher_ids_only = None;
        (m.teacher, m.channel, m.without) = (Some(0.0405), 0.0402, 0.0998);
    };
    assert_eq!(judged(MANY, noise).verdict, Verdict::Noise);
    let signal = |m: &mut ModalityAudit| m.teacher_ids_only = None;
    assert_eq!(judged(MANY, signal).verdict, Verdict::Balanced);
}

#[test]
fn a_channel_as_good_as_its_teacher_that_nobody_misses_is_redundant() {
    let v = judged(MANY, |m| m.without = 0.0995);
    assert_eq!(v.verdict, Verdict::Redundant);
}

#[test]
fn the_same_gap_is_judged_on_many_users_and_not_on_few() {
    let behind = |m: &mut ModalityAudit| m.channel = 0.070;
    assert_eq!(judged(MANY, behind).verdict, Verdict::UnderUsed);
    // A strong signal, so that only the gap is in doubt.
    let few = judged(300, |m| {
        m.teacher_ids_only = Some(0.01);
        m.channel = 0.070;
    });
    assert_eq!(few.verdict, Verdict::Inconclusive);
    assert!(few.sentence.contains("300 users"), "{}", few.sentence);
}

#[test]
fn few_users_never_call_a_modality_noise() {
    let v = judged(50, |m| {
        m.teacher_ids_only = Some(0.079);
        m.without = 0.100;
    });
    assert_eq!(v.verdict, Verdict::Inconclusive);
}

#[test]
fn without_a_teacher_the_gap_is_unknown_and_the_way_to_one_is_named() {
    let v = judged(MANY, |m| (m.teacher, m.teacher_ids_only) = (None, None));
    assert_eq!(v.verdict, Verdict::NoTeacher);
    assert_eq!((v.ratio, v.gap), (None, None));
    assert!(v.sentence.contains("equipoise train --balance ckd"));
    assert!(v.sentence.contains("+100 % against the IDs alone"), "{}", v.sentence);
}

#[test]
fn zero_and_unmeasured_values_are_never_judged() {
    for change in
        [|m: &mut ModalityAudit| m.teacher = Some(0.0), |m: &mut ModalityAudit| m.channel = f64::NAN]
    {
        let v = judged(MANY, change);
        assert_eq!(v.verdict, Verdict::Inconclusive);
        assert!(v.sentence.starts_with("Nothing can be said"), "{}", v.sentence);
    }
    assert_eq!(judged(0, |_| {}).verdict, Verdict::Inconclusive);
    let mut nothing = audit(MANY, modality());
    nothing.whole = 0.0;
    nothing.modalities[0].channel = 0.0;
    assert_eq!(verdicts(&nothing)[0].verdict, Verdict::Inconclusive);
}

#[test]
fn the_standard_error_is_that_of_hit_or_miss() {
    assert!((standard_error(0.5, 100) - 0.05).abs() < 1e-12);
    assert_eq!(standard_error(0.0, 100), 0.0);
    assert_eq!(standard_error(0.1, 0), f64::INFINITY);
}

/// Published channel and teacher values of VBPR on two data sets: the text channel of the first is behind by 7 %, the visual
/// channel of the second by 39 %. The first shows only where the users' values are at hand and agree.
#[test]
fn published_gaps_are_called_under_used_where_the_users_show_them() {
    let judged = |channel, teacher, users, shortfall| {
        judged(users, |m| {
            (m.channel, m.teacher) = (channel, Some(teacher));
            m.teacher_ids_only = Some(0.02);
            m.errors.shortfall = shortfall;
        })
        .verdict
    };
    assert_eq!(judged(0.0442, 0.0476, 19_445, Some(0.0012)), Verdict::UnderUsed);
    assert_eq!(judged(0.0442, 0.0476, 19_445, Some(0.0018)), Verdict::Inconclusive);
    assert_eq!(judged(0.0442, 0.0476, 19_445, None), Verdict::Inconclusive);
    assert_eq!(judged(0.0210, 0.0342, 35_598, None), Verdict::UnderUsed);
}

/// Users whose results are opposed: the error of the difference is larger than either mean's.
#[test]
fn paired_errors_decide_where_they_are_known() {
    let of = |change: &dyn Fn(&mut ModalityAudit)| judged(MANY, change).sentence;
    let removal = |error| move |m: &mut ModalityAudit| (m.without, m.errors.removal) = (0.096, error);
    assert!(of(&removal(None)).contains("loses nothing measurable"));
    assert!(of(&removal(Some(0.0005))).contains("loses 4.0 % without it"), "{}", of(&removal(Some(0.0005))));
    let content = |error| {
        move |m: &mut ModalityAudit| {
            (m.teacher_ids_only, m.errors.content, m.without) = (Some(0.074), error, 0.0995);
        }
    };
    assert_eq!(judged(MANY, content(Some(0.001))).verdict, Verdict::Redundant);
    assert_eq!(judged(MANY, content(Some(0.004))).verdict, Verdict::Noise);
    assert_eq!(judged(MANY, content(Some(f64::NAN))).verdict, judged(MANY, content(None)).verdict);
}

#[test]
fn a_modality_that_the_whole_is_better_without_or_does_not_miss_is_not_well_used() {
    let harms = judged(MANY, |m| m.without = 0.13);
    assert_eq!(harms.verdict, Verdict::Harms);
    assert!(
        harms.sentence.contains("better without it") && harms.sentence.contains("costs more"),
        "{}",
        harms.sentence
    );
    // 3 % are lost without it, which these users cannot show.
    let unsure = judged(MANY, |m| (m.without, m.errors.removal) = (0.097, Some(0.002)));
    assert_eq!(unsure.verdict, Verdict::Inconclusive);
    assert!(unsure.sentence.contains("does not show"), "{}", unsure.sentence);
    let missed = judged(MANY, |m| (m.without, m.errors.removal) = (0.097, Some(0.001)));
    assert_eq!(missed.verdict, Verdict::Balanced);
}

#[test]
fn without_the_users_values_both_variances_count() {
    let one = standard_error(0.1, MANY);
    assert!((tolerance(0.1, 0.1, MANY, None) - 2.0 * one * 2f64.sqrt()).abs() < 1e-12);
    assert_eq!(tolerance(0.1, 0.1, MANY, Some(0.25)), 0.5);
}
