//! Made-up reviews and items as objects.

use equipoise_data::Stream;
use serde_json::{Map, Value, json};

use super::config::RawAmazonConfig;
use crate::amazon::Release;

const WORDS: [&str; 24] = [
    "the",
    "and",
    "it",
    "cup",
    "is",
    "very",
    "soft",
    "for",
    "my",
    "baby",
    "don't",
    "use",
    "\"great\"",
    "café",
    "easy",
    "to",
    "clean",
    "but",
    "small",
    "5\u{2033}",
    "love",
    "this,",
    "a\\b",
    "really.",
];

fn words(least: u32, more: u32, rng: &mut Stream) -> String {
    let count = least + rng.below(more + 1);
    let words: Vec<&str> = (0..count).map(|_| WORDS[rng.below(WORDS.len() as u32) as usize]).collect();
    words.join(" ")
}

/// `width` digits to base 36 that look random and are different for different numbers.
fn code(number: usize, width: u32) -> String {
    let modulus = 36u64.pow(width);
    // A factor prime to 36 permutes the residues.
    let mut mixed = (number as u64 * 2_654_435_761 + 97) % modulus;
    let mut digits = vec![0u8; width as usize];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(mixed % 36) as usize];
        mixed /= 36;
    }
    digits.into_iter().map(char::from).collect()
}

/// Raw id of an item, 10 characters.
pub(super) fn asin(item: usize) -> String {
    format!("B00{}", code(item, 7))
}

/// A line of a reviews file.
pub(super) fn review(release: Release, user: usize, item: usize, rng: &mut Stream) -> Value {
    let (text, title) = (words(15, 130, rng), words(1, 6, rng));
    let rating = f64::from(1 + rng.below(5));
    let seconds = 1_000_000_000 + rng.below(400_000_000);
    let user = format!("A{}", code(user, 12));
    match release {
        Release::Amazon2014 => json!({
            "reviewerID": user, "asin": asin(item), "reviewerName": words(1, 1, rng),
            "helpful": [rng.below(9), 9], "reviewText": text, "overall": rating, "summary": title,
            "unixReviewTime": seconds, "reviewTime": "02 28, 2014",
        }),
        Release::Amazon2018 => json!({
            "overall": rating, "verified": true, "reviewTime": "02 28, 2014", "reviewerID": user, "asin": asin(item),
            "style": { "Size:": words(1, 1, rng) }, "reviewerName": words(1, 1, rng), "reviewText": text,
            "summary": title, "unixReviewTime": seconds,
        }),
        Release::Amazon2023 => json!({
            "rating": rating, "title": title, "text": text, "images": [], "asin": asin(item),
            "parent_asin": asin(item), "user_id": user, "timestamp": u64::from(seconds) * 1000,
            "helpful_vote": rng.below(9), "verified_purchase": true,
        }),
    }
}

/// A line of a metadata file. Every item has a title and categories, most have more.
pub(super) fn meta(config: &RawAmazonConfig, item: usize, rng: &mut Stream) -> Value {
    match config.release {
        Release::Amazon2014 => meta_2014(config, item, rng),
        Release::Amazon2018 => json!({
            "category": path(rng), "tech1": "", "description": [words(20, 100, rng)], "title": words(3, 12, rng),
            "also_buy": [], "brand": words(1, 1, rng), "feature": [words(3, 9, rng)], "rank": [], "also_view": [],
            "main_cat": "Made Up", "price": "", "asin": asin(item), "imageURL": [],
        }),
        Release::Amazon2023 => json!({
            "main_category": "Made Up", "title": words(3, 12, rng), "average_rating": 4.5,
            "rating_number": rng.below(900), "features": [words(3, 9, rng)],
            "description": [words(20, 100, rng), words(5, 20, rng)], "price": Value::Null, "images": [],
            "videos": [], "store": words(1, 1, rng), "categories": path(rng),
            "details": { "Brand": words(1, 1, rng) }, "parent_asin": asin(item), "bought_together": Value::Null,
        }),
    }
}

fn path(rng: &mut Stream) -> Vec<String> {
    vec!["Made Up".into(), format!("Department {}", rng.below(6)), format!("Shelf {}", rng.below(9))]
}

fn meta_2014(config: &RawAmazonConfig, item: usize, rng: &mut Stream) -> Value {
    let mut object = Map::new();
    object.insert("asin".into(), json!(asin(item)));
    if rng.below(10) > 0 {
        let text = words(20, 120, rng).replacen("cup", "cup\n\n", 1);
        object.insert("description".into(), json!(text));
    }
    object.insert("title".into(), json!(words(3, 12, rng)));
    object.insert("price".into(), json!(f64::from(rng.below(10_000)) / 100.0));
    object.insert("salesRank".into(), json!({ "Made Up": rng.below(1_000_000) }));
    object.insert("imUrl".into(), json!(format!("http://example.org/{}.jpg", asin(item))));
    let other = |rng: &mut Stream| asin(rng.below(config.catalogue as u32) as usize);
    let bought: Vec<String> = (0..rng.below(60)).map(|_| other(rng)).collect();
    object.insert("related".into(), json!({ "also_bought": bought, "also_viewed": [other(rng)] }));
    if rng.below(2) > 0 {
        object.insert("brand".into(), json!(words(1, 1, rng)));
    }
    object.insert("categories".into(), json!([path(rng), path(rng)]));
    Value::Object(object)
}
