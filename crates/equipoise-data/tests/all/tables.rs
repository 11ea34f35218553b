//! What rows of tables mean: moments, ratings, and that every row is accounted for.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use equipoise_data::formats::write_npy;
use equipoise_data::{Features, LoadOptions, Loaded, SplitRule, check, load};
use proptest::prelude::*;

/// Writes `interactions.csv` and features of the items 0 to 9 into `dir`.
fn put(dir: &Path, text: &str) -> PathBuf {
    fs::write(dir.join("interactions.csv"), text).expect("write");
    let list: String = (0..10).map(|item| format!("{item}\t{item}\n")).collect();
    fs::write(dir.join("item_list.txt"), list).expect("write");
    let features = Features::new(10, 1, (0..10u8).map(f32::from).collect()).expect("finite");
    write_npy(&dir.join("text_feat.npy"), &features).expect("write");
    dir.to_owned()
}

fn by_time() -> LoadOptions {
    LoadOptions { split: Some(SplitRule::LeaveOneOut), ..LoadOptions::default() }
}

fn test_items(loaded: &Loaded) -> Vec<String> {
    let items = loaded.data.vocabulary.items();
    loaded.test.open().pairs().map(|(_, item)| items[item as usize].to_owned()).collect()
}

/// That of items 1, 2 and 3, at these times of a column, 2 is held out.
fn assert_second_is_latest(dir: &Path, column: &str, times: [&str; 3]) {
    let [a, b, c] = times;
    let path = put(dir, &format!("user,item,{column}\nu,1,{a}\nu,2,{b}\nu,3,{c}\n"));
    let loaded = load(&path, &by_time()).unwrap_or_else(|error| panic!("{times:?}: {error}"));
    assert_eq!(test_items(&loaded), ["2"], "{times:?}");
}

#[test]
fn leave_one_out_takes_the_latest_whatever_moments_are_written_in() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for times in [
        ["1600000000.25", "1600000000.75", "1600000000.5"],
        ["-3", "-1", "-2"],
        ["1.6e9", "1.60000000009e9", "1600000000.01"],
        ["1600000000123", "1600000000125", "1600000000124"],
        ["1600000000123456789", "1600000000123456791", "1600000000123456790"],
        ["2020-02-01", "2020-02-03", "2020-02-02"],
        ["2020-02-01T10:00:00Z", "2020-02-01T09:00:00-03:00", "2020-02-01T12:00:00+01:00"],
        ["2020-02-01 10:00:00.001", "2020-02-01 10:00:00.003", "2020-02-01 10:00:00.002"],
    ] {
        assert_second_is_latest(dir.path(), "timestamp", times);
    }
}

#[test]
fn columns_called_dates_are_times() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, times) in [
        ("date", ["2020-02-01", "2020-02-03", "2020-02-02"]),
        ("Created At", ["\"Feb 1, 2020\"", "\"Feb 3, 2020\"", "\"Feb 2, 2020\""]),
        ("event_time", ["1 Feb 2020 10:00", "1 Feb 2020 12:00", "1 Feb 2020 11:00"]),
        ("datetime", ["2020-02-01 10:00:00", "2020-02-01 12:00:00", "2020-02-01 11:00:00"]),
    ] {
        assert_second_is_latest(dir.path(), name, times);
    }
    // The name that says it most plainly wins.
    let both = put(dir.path(), "user,item,date,timestamp\nu,1,1,3\nu,2,2,1\nu,3,3,2\n");
    assert_eq!(test_items(&load(&both, &by_time()).expect("sound")), ["1"]);
    let open = check(&put(dir.path(), "user,item,date\nu,1,01/02/2020\nu,2,02/02/2020\n"), &by_time());
    assert!(open.to_string().contains("--timestamp-column"), "{open}");
}

#[test]
fn the_column_says_whether_the_day_or_the_month_comes_first() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for times in [
        ["1/2/2020", "1/3/2020", "31/1/2020"],
        ["1/31/2020 11:05:58 PM", "2/1/2020 12:30:00 AM", "1/30/2020 11:00:00 PM"],
        ["01.02.2020 08:26", "01.03.2020 08:26", "31.01.2020 23:59"],
    ] {
        assert_second_is_latest(dir.path(), "InvoiceDate", times);
    }
    let file = put(dir.path(), "user,item,date\nu,1,1/2/2020\nu,2,1/3/2020\nu,3,31/1/2020\n");
    let notes = load(&file, &by_time()).expect("sound").data.notes.join(" ");
    assert!(notes.contains("dates have the day first, as \"31/1/2020\" shows"), "{notes}");
    let both = put(dir.path(), "user,item,date\nu,1,1/31/2020\nu,2,31/1/2020\nu,3,1/1/2020\n");
    let message = load(&both, &by_time()).expect_err("both").to_string();
    assert!(message.contains("line 2") && message.contains("write the column in one way"), "{message}");
    let rows = [("1", "1/2/2020"), ("2", "1/3/2020"), ("3", "31/1/2020")];
    let rows =
        rows.map(|(item, date)| format!("{{\"user\": \"u\", \"item\": {item}, \"date\": \"{date}\"}}\n"));
    let (held_out, notes) = objects("a.jsonl", &rows.concat(), &by_time()).expect("sound");
    assert!(held_out == ["2"] && notes.join(" ").contains("day first"), "{held_out:?} {notes:?}");
}

/// Held-out items of a table in JSON, and what its check notes.
fn objects(name: &str, text: &str, options: &LoadOptions) -> Result<(Vec<String>, Vec<String>), String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::remove_file(put(dir.path(), "").join("interactions.csv")).expect("removed");
    let file = dir.path().join(name);
    fs::write(&file, text).expect("write");
    let loaded = load(&file, options).map_err(|error| error.to_string())?;
    Ok((test_items(&loaded), check(&file, options).notes))
}

#[test]
fn rows_may_be_json_objects_in_lines_or_in_an_array() {
    let lines = [
        r#"{"stars": 5, "user_id": "u", "item_id": 1, "date": "2020-02-01", "text": "a, \"b\""}"#,
        r#"{"user_id": "u", "item_id": 2, "stars": 4.0, "date": "2020-02-03"}"#,
        r#"{"user_id": "u", "item_id": 3, "date": "2020-02-02", "stars": "4"}"#,
        r#"{"user_id": "u", "item_id": 4.0, "date": "2020-02-09", "stars": 1}"#,
        r#"{"user_id": "u", "item_id": "5", "date": "2020-02-09", "stars": NaN}"#,
    ];
    let options = LoadOptions { min_rating: Some(3.0), ..by_time() };
    let array = format!("[{}]", lines.join(",\n"));
    for (name, text) in
        [("a.jsonl", lines.join("\n")), ("a.json", array), ("a.ndjson", lines.join("\r\n\r\n"))]
    {
        let (held_out, notes) = objects(name, &text, &options).expect(name);
        assert_eq!(held_out, ["2"], "{name}");
        for says in [
            "users from \"user_id\", items from \"item_id\", ratings from \"stars\", timestamps from \"date\"",
            "not read: \"text\"",
            "1 values NaN or Infinity count as missing",
            "rated below 3",
            "without a rating",
        ] {
            assert!(notes.iter().any(|note| note.contains(says)), "{name}: {says}: {notes:?}");
        }
    }
}

#[test]
fn json_rows_that_are_wrong_are_named_with_their_line() {
    let sound = "{\"user\": 1, \"item\": 2}\n";
    for (row, says) in [
        (r#"{"user": 1, "item": null}"#, "line 2: \"item\" is null; write the item's id as a text"),
        (r#"{"user": {"$oid": "a"}, "item": 1}"#, "\"user\" is no text and no number"),
        (r#"{"item": 1}"#, "no \"user\"; give the user's id"),
        (r#"{"user": 1.5, "item": 1}"#, "a number that is not whole"),
        (r#"{"user": 123456789012345678901, "item": 1}"#, "more digits than are kept"),
        (r#"{"user": 1, "item": 1, "time": [1]}"#, "\"time\" is no text and no number"),
        (r#"{"user": 1, "item": 1, "rating": "good"}"#, "rating \"good\", expected a finite number"),
        (r#"{"user": 1, "item": 1"#, "one JSON object over several lines?"),
        (r#"[1, 2]"#, "expected one JSON object per line"),
    ] {
        let error = objects("a.jsonl", &format!("{sound}{row}\n"), &by_time()).expect_err(row);
        assert!(error.contains(says) && error.contains("line 2"), "{row}: {error}");
    }
    let mut told = by_time();
    told.columns.header = false;
    assert!(objects("a.jsonl", sound, &told).expect_err("no header line").contains("leave --separator"));
}

#[test]
fn moments_that_do_not_say_which_item_is_the_last_are_counted() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = "user,item,timestamp\na,1,2020-02-01\na,2,2020-02-02\na,3,2020-02-02\nb,1,1999-01-01\nb,2,1999-01-02\nb,3,1999-01-03\n";
    let report = check(&put(dir.path(), text), &by_time());
    assert!(report.notes.iter().any(|n| n.contains("1 of 2 users have items of one moment")), "{report}");
    let clear = text.replace("a,3,2020-02-02", "a,3,2020-02-03");
    let report = check(&put(dir.path(), &clear), &by_time());
    assert!(!report.notes.iter().any(|n| n.contains("of one moment")), "{report}");
}

#[test]
fn moments_that_are_open_or_of_two_kinds_are_refused_with_their_line() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (second, says) in [
        ("01/02/2020", "day first, or the month"),
        ("1600000000", "in one way"),
        ("2020-02-01T10:00:00Z", "with a zone"),
        ("later", "--timestamp-column"),
    ] {
        let text = format!("user,item,timestamp\nu,1,2020-02-01\nu,2,{second}\nu,3,2020-02-03\n");
        let message = load(&put(dir.path(), &text), &by_time()).expect_err(second).to_string();
        assert!(message.contains("line 3") && message.contains(says), "{message}");
    }
}

#[test]
fn ratings_that_are_no_numbers_are_refused_and_absent_ones_are_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = LoadOptions { min_rating: Some(4.0), ..by_time() };
    for (rating, says) in [("5 stars", "\"5 stars\""), ("inf", "finite"), ("4,5", "expected 4 columns")] {
        let text = format!("user,item,rating,timestamp\nu,1,5,1\nu,2,{rating},2\n");
        let message = load(&put(dir.path(), &text), &options).expect_err(rating).to_string();
        assert!(message.contains("line 3") && message.contains(says), "{message}");
    }
    for absent in ["", "NaN", "null", "NA", " "] {
        let text = format!("user,item,rating,timestamp\nu,1,5,1\nu,2,{absent},2\nu,3,4,3\nu,4,5,4\n");
        let path = put(dir.path(), &text);
        let report = check(&path, &options);
        assert!(report.faults.is_empty(), "{report}");
        assert_eq!(
            report.rows.to_string(),
            "4 read = 3 kept + 0 merged with an equal one + 1 left out (without a rating)"
        );
        assert!(report.notes.iter().any(|n| n.contains("1 rows out, without a rating")), "{report}");
        assert!(
            check(&path, &by_time()).notes.iter().any(|n| n.contains("1 of 4 rows are without a rating"))
        );
    }
}

#[test]
fn what_is_not_read_of_a_table_or_read_in_another_way_is_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = "user,item,rating,clicked,\"date, local\"\n a,1,5,1,x\na ,2,1,0,y\nb, 1,2,0,z\n";
    let path = put(dir.path(), text);
    let options = LoadOptions { split: Some(SplitRule::Ratio), ..LoadOptions::default() };
    let notes = check(&path, &options).notes.join("\n");
    for says in [
        "not read: \"clicked\", \"date, local\"",
        "every rating from 1 to 5 counts as an interaction; --min-rating",
        "ids of 3 rows have blanks around them",
    ] {
        assert!(notes.contains(says), "{says}: {notes}");
    }
    assert_eq!(check(&path, &options).users, 2);
    let least = check(&path, &LoadOptions { min_rating: Some(2.0), ..options.clone() }).notes.join("\n");
    assert!(least.contains("left 1 rows out") && !least.contains("every rating"), "{least}");
    let plain = check(&put(dir.path(), "user,item,rating\na,1,5\na,2,5\nb,1,5\n"), &options).notes.join("\n");
    assert!(
        !plain.contains("not read") && !plain.contains("every rating") && !plain.contains("blanks"),
        "{plain}"
    );
}

#[test]
fn an_id_that_is_a_word_for_none_is_kept_and_said() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = put(dir.path(), "user,item,timestamp\nnan,1,1\nnan,2,2\nnan,3,3\n");
    let report = check(&path, &by_time());
    assert!(report.faults.is_empty() && report.rows.kept == 3, "{report}");
    assert!(report.notes.iter().any(|n| n.contains("user id \"nan\"")), "{report}");
}

#[test]
fn users_with_every_item_are_found() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let rows: String = (0..10).map(|item| format!("all,{item},{item}\n")).collect();
    let path = put(dir.path(), &format!("user,item,timestamp\n{rows}one,1,1\n"));
    let report = check(&path, &by_time());
    assert_eq!((report.users_with_every_item, report.users_without_candidates), (1, 0), "{report}");
    assert!(report.notes.iter().any(|n| n.contains("every item of the catalogue")), "{report}");
    fs::write(dir.path().join("interactions.csv"), "user,item,timestamp\na,1,1\na,2,2\na,3,3\n")
        .expect("write");
    assert_eq!(check(&path, &by_time()).users_with_every_item, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_kept_merged_or_left_out_and_nothing_else(
        rows in prop::collection::vec((0u32..4, 0u32..10, prop::option::of(1u32..6), 0u32..50), 1..60),
        least in prop::option::of(1u32..6),
        rule in prop::sample::select(vec![None, Some(SplitRule::LeaveOneOut), Some(SplitRule::Ratio)]),
        headers in 0usize..3,
    ) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let cell = |rating: &Option<u32>| rating.map_or(String::new(), |r| r.to_string());
        // Without a rule the rows say their split, in which a pair may come twice.
        let label = |item: u32| ["train", "validation", "test"][item as usize % 3];
        let mut text = String::from(if rule.is_some() { "user,item,rating,time\n" } else { "user,item,rating,time,split\n" });
        // Parts that were joined each bring their header.
        text = text.repeat(1 + headers);
        for (user, item, rating, time) in &rows {
            let split = if rule.is_some() { String::new() } else { format!(",{}", label(*item)) };
            text += &format!("u{user},{item},{},{time}{split}\n", cell(rating));
        }
        let options = LoadOptions { split: rule, min_rating: least.map(f64::from), ..LoadOptions::default() };
        let report = check(&put(dir.path(), &text), &options);
        let passes = |row: &&(u32, u32, Option<u32>, u32)| match (least, row.2) {
            (Some(least), Some(rating)) => rating >= least,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let kept: HashSet<(u32, u32)> = rows.iter().filter(passes).map(|row| (row.0, row.1)).collect();
        let passing = rows.iter().filter(passes).count();
        prop_assert_eq!(report.rows.read, rows.len() + headers, "{}", &report);
        prop_assert_eq!(report.rows.kept, kept.len());
        prop_assert_eq!(report.rows.merged, passing - kept.len());
        prop_assert_eq!(report.rows.left_out.values().sum::<usize>(), rows.len() - passing + headers);
        prop_assert_eq!(report.rows.left_out.get("a repeated header").copied().unwrap_or(0), headers);
        prop_assert!(report.rows.is_whole());
        prop_assert_eq!(report.interactions, kept.len());
    }
}
