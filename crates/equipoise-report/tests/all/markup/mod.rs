//! A checker for the markup that the page uses: tags nest, attributes are quoted and unique.
#![allow(dead_code)] // each test file uses its part

use std::collections::HashSet;

/// Elements that have no end tag.
const VOID: [&str; 1] = ["meta"];
const COORDINATES: [&str; 10] = ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"];

/// A start tag and its attributes.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

/// Says where the first tag is that does not nest, or whose attributes are not well formed.
pub fn check(page: &str) -> Result<(), String> {
    let mut open = Vec::new();
    for raw in tags(page) {
        if raw.starts_with('!') {
            continue;
        }
        if let Some(name) = raw.strip_prefix('/') {
            let expected = open.pop();
            if expected != Some(name) {
                return Err(format!("</{name}> closes {expected:?}"));
            }
            continue;
        }
        let tag = parse(raw)?;
        if !VOID.contains(&tag.name) {
            open.push(tag.name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("left open: {open:?}")) }
}

/// Every coordinate and length of the drawings, as written.
pub fn coordinates(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for raw in tags(page).filter(|raw| !raw.starts_with(['!', '/'])) {
        let tag = parse(raw).expect("the page was checked");
        for (key, value) in tag.attributes {
            if key == "points" {
                found.extend(value.split([' ', ',']).map(String::from));
            } else if COORDINATES.contains(&key) {
                found.push(value.to_string());
            }
        }
    }
    found
}

fn tags(page: &str) -> impl Iterator<Item = &str> {
    // The style sheet is not markup, and uses no '<'.
    page.split('<').skip(1).map(|rest| {
        let end = rest.find('>').unwrap_or(rest.len());
        &rest[..end]
    })
}

fn parse(raw: &str) -> Result<Tag<'_>, String> {
    let (name, mut rest) = raw.split_once(' ').unwrap_or((raw, ""));
    let mut attributes = Vec::new();
    let mut seen = HashSet::new();
    while !rest.trim().is_empty() {
        let (key, after) = rest.split_once("=\"").ok_or(format!("unquoted in <{raw}>"))?;
        let (value, after) = after.split_once('"').ok_or(format!("unclosed in <{raw}>"))?;
        let key = key.trim();
        if !seen.insert(key) {
            return Err(format!("{key} twice in <{raw}>"));
        }
        attributes.push((key, value));
        rest = after;
    }
    Ok(Tag { name, attributes })
}

#[test]
fn the_checker_itself_rejects_what_is_broken() {
    for broken in ["<p>", "<p><b></p></b>", "<p a=\"1\" a=\"2\"></p>", "<p a=1></p>"] {
        assert!(check(broken).is_err(), "{broken}");
    }
    assert!(check("<p a=\"1\"><meta b=\"2\">x</p>").is_ok());
}
