//! The digest of several folders is what it always was: the expected tables were made by the script that it replaced.

use equipoise_study::reproduce::digest;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digest").join(name)
}

fn expected(name: &str) -> String {
    std::fs::read_to_string(folder(name)).unwrap()
}

#[test]
fn tables_of_several_folders_stand_side_by_side() {
    let folders = [folder("paper"), folder("more")];
    assert_eq!(digest(&folders, None).unwrap(), expected("expected.md"));
    assert_eq!(digest(&folders, Some(&folder("costs"))).unwrap(), expected("expected-costs.md"));
}

#[test]
fn a_folder_without_tables_is_empty_and_a_file_without_a_column_is_named() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(digest(&[dir.path().to_owned()], None).unwrap(), "");
    std::fs::write(dir.path().join("table1.csv"), "backbone,method,quantity\nvbpr,none,recall@20\n").unwrap();
    let error = digest(&[dir.path().to_owned()], None).unwrap_err();
    assert!(error.contains("table1.csv") && error.contains("`mean`"), "{error}");
}

#[test]
fn data_sets_have_tables_of_their_own_and_a_cell_that_two_folders_have_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(folder("paper").join("table1.csv")).unwrap();
    std::fs::write(dir.path().join("table1.csv"), text.replace(",baby,", ",sports,")).unwrap();
    let both = digest(&[folder("paper"), dir.path().to_owned()], None).unwrap();
    let alone = digest(&[folder("paper")], None).unwrap();
    let table = |text: &str, title: &str| {
        let (_, after) = text.split_once(title).unwrap_or_else(|| panic!("{title}: {text}"));
        after.split("###").next().unwrap().trim().to_owned()
    };
    for title in ["### Plain and balanced (baby)", "### Plain and balanced (sports)"] {
        assert_eq!(table(&both, title), table(&alone, "### Plain and balanced"));
    }
    let error = digest(&[folder("paper"), folder("paper")], None).unwrap_err();
    assert!(error.contains("another folder has baby vbpr none recall@20 as well; give one"), "{error}");
}
