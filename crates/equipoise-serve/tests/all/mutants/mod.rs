//! Requests that are nearly right: valid ones of every route, changed by chance from a seed.

use serde_json::{Map, Value, json};

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
pub struct Chance(pub u64);

/// A request: method, path, kind of the body, body.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub method: String,
    pub path: String,
    pub kind: String,
    pub body: Vec<u8>,
}

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Valid requests of every route that takes a body, and paths of those that take none.
fn valid() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "POST",
            "/v1/recommend",
            json!({"users": ["u1", "u2"], "n": 5, "offset": 1, "exclude_seen": true, "exclude": ["i1"],
            "restrict": ["i2", "i3", "i4"], "modality_weights": {"image": 0.5, "text": 2}, "diversity": 0.25, "explain": true,
            "unknown": "popularity", "filter": {"and": [{"equals": {"category": "odd"}}, {"not": {"range": {"price": {"min": 3}}}},
            {"or": [{"missing": "title"}, {"any_of": {"price": [1, 2]}}, {"all_of": {"category": ["odd"]}}]}]}}),
        ),
        (
            "POST",
            "/v1/models/a/recommend",
            json!({"history": [["i3", {"id": "i7", "weight": 2}], ["i1"]], "explain": true, "n": 3}),
        ),
        (
            "POST",
            "/v1/recommend",
            json!({"vectors": [vec![0.5; super::shop::WIDTH]], "n": 3, "diversity": 0.5}),
        ),
        ("POST", "/v1/similar", json!({"item": "i3", "n": 4, "modality": "text"})),
        ("POST", "/v1/models/b/similar", json!({"user": "u3", "n": 4})),
        ("POST", "/v1/explain", json!({"user": "u1", "item": "i3", "modality_weights": {"text": 0}})),
        (
            "POST",
            "/v1/models/a/explain",
            json!({"history": ["i1", {"id": "i2", "weight": 0.5}], "item": "i3"}),
        ),
        (
            "POST",
            "/v1/feedback",
            json!({"events": [{"user": "u1", "item": "i5", "kind": "click", "weight": 1.5, "time": 12.5, "id": "e"},
            {"user": "new", "item": "i6", "weight": 0}], "durable": false}),
        ),
        ("GET", "/v1/items/i3", Value::Null),
        ("GET", "/v1/models/a/users/u3", Value::Null),
        ("GET", "/v1/models/b", Value::Null),
        ("GET", "/?user=u1&n=5&weight-image=0.5&basket=i1", Value::Null),
        ("GET", "/page/picture?model=a&item=i3", Value::Null),
    ]
}

/// Values that break what is careless.
fn hostile(chance: &mut Chance) -> Value {
    let texts = [
        "",
        " ",
        "\u{0}",
        "ü",
        "日本語",
        "\u{202e}",
        "a\u{301}",
        "'; DROP TABLE feedback; --",
        "`, expected `",
        "../..",
        "u1",
        "i1",
        "NaN",
        "🦀",
    ];
    match chance.below(16) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!(-1),
        3 => json!(0),
        4 => json!(u64::MAX),
        5 => json!(i64::MIN),
        6 => json!(f64::MAX),
        7 => json!(-f64::MIN_POSITIVE),
        8 => json!(1e-320),
        9 => json!(chance.of(&texts).repeat(1 + chance.below(2000))),
        10 => json!([]),
        11 => json!({}),
        12 => json!(vec!["i1"; chance.below(1500)]),
        13 => (0..chance.below(60))
            .fold(json!("i1"), |inner, k| if k % 2 == 0 { json!([inner]) } else { json!({"not": inner}) }),
        14 => json!({"id": "i1", "weight": chance.of(&[0.0, -1.0, 1e300, 1.0])}),
        _ => json!(chance.of(&texts)),
    }
}

/// Every place of a value, as the keys and positions that lead to it.
fn places(value: &Value, at: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    all.push(at.clone());
    let mut inner = |key: String, value: &Value| {
        at.push(key);
        places(value, at, all);
        at.pop();
    };
    match value {
        Value::Array(values) => values.iter().enumerate().for_each(|(k, v)| inner(k.to_string(), v)),
        Value::Object(map) => map.iter().for_each(|(k, v)| inner(k.clone(), v)),
        _ => {}
    }
}

fn place<'a>(mut value: &'a mut Value, at: &[String]) -> &'a mut Value {
    for key in at {
        value = match value {
            Value::Array(values) => &mut values[key.parse::<usize>().expect("a position")],
            Value::Object(map) => map.get_mut(key).expect("a key"),
            _ => unreachable!("only lists and objects have places"),
        };
    }
    value
}

/// Changes the meaning: a value replaced, a field renamed, dropped, added or taken twice.
fn change_value(body: &mut Value, chance: &mut Chance) {
    let mut all = Vec::new();
    places(body, &mut Vec::new(), &mut all);
    let at = chance.of(&all);
    let new = hostile(chance);
    let found = place(body, &at);
    match (chance.below(5), found) {
        (0, Value::Object(map)) if !map.is_empty() => rename(map, chance),
        (1, Value::Object(map)) if !map.is_empty() => {
            let key = chance.of(&map.keys().cloned().collect::<Vec<_>>());
            map.remove(&key);
        }
        (2, Value::Object(map)) => {
            let fields = ["users", "history", "vectors", "item", "user", "n", "filter", "extra", "", "\u{0}"];
            map.insert(chance.of(&fields).to_owned(), new);
        }
        (3, Value::Array(values)) if !values.is_empty() => {
            let one = chance.of(values);
            values.extend(vec![one; chance.below(1200)]);
        }
        (4, Value::Array(values)) => values.push(new),
        (_, found) => *found = new,
    }
}

fn rename(map: &mut Map<String, Value>, chance: &mut Chance) {
    let key = chance.of(&map.keys().cloned().collect::<Vec<_>>());
    let value = map.remove(&key).expect("it was just there");
    let mut letters: Vec<char> = key.chars().collect();
    match chance.below(4) {
        0 => letters.push('s'),
        1 if letters.len() > 1 => letters.swap(0, 1),
        2 => letters = key.to_uppercase().chars().collect(),
        _ => {
            letters =
                chance.of(&["`", "x", "ünïcode", "a.b[0]"]).repeat(1 + chance.below(400)).chars().collect()
        }
    }
    map.insert(letters.into_iter().collect(), value);
}

/// Changes the bytes: flipped, cut, put in, taken twice.
pub fn change_bytes(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let tokens: [&[u8]; 16] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b",",
        b":",
        b"NaN",
        b"1e999",
        b"-",
        b"\xff\xfe",
        b"\\ud800",
        b"\\u0000",
        b"null",
        b"00",
        b"\xef\xbb\xbf",
    ];
    for _ in 0..=chance.below(3) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.splice(at..at, chance.of(&tokens).iter().copied())),
            3 => {
                let end = (at + chance.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + chance.below(200)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, again));
            }
            _ => {
                let deep = chance.of(&[b"[".as_slice(), b"{\"not\":"]).repeat(chance.below(300));
                drop(bytes.splice(at..at, deep));
            }
        }
    }
}

/// Changes a path, so that it stays one that a client can send.
fn change_path(path: &mut String, chance: &mut Chance) {
    let tokens = [
        "%00",
        "%ff",
        "%2F",
        "..",
        "//",
        "?",
        "&n=x",
        "&n=99999999999999999999",
        "&user=%F0%9F%A6%80",
        "&offset=-1",
        "%",
        "=",
        "&weight-image=NaN",
        "+",
    ];
    let cut: Vec<usize> = path.char_indices().map(|(k, _)| k).skip(1).collect();
    let at = chance.of(&cut);
    match chance.below(3) {
        0 => path.insert_str(at, chance.of(&tokens)),
        1 => path.truncate(at),
        _ => path.insert_str(at, &"x".repeat(chance.below(3000))),
    }
}

impl Mutant {
    /// A request that was changed in at least one way.
    pub fn new(chance: &mut Chance) -> Mutant {
        let (method, path, mut value) = chance.of(&valid());
        let mut mutant = Mutant {
            method: method.into(),
            path: path.into(),
            kind: "application/json".into(),
            body: Vec::new(),
        };
        let way = chance.below(10);
        if way < 6 && !value.is_null() {
            (0..=chance.below(3)).for_each(|_| change_value(&mut value, chance));
        }
        if method == "POST" {
            mutant.body = value.to_string().into_bytes();
        }
        if (6..9).contains(&way) && method == "POST" {
            change_bytes(&mut mutant.body, chance);
        }
        if way == 9 || method == "GET" {
            change_path(&mut mutant.path, chance);
        }
        if chance.below(40) == 0 {
            mutant.method = chance.of(&["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]).into();
        }
        if chance.below(40) == 0 {
            mutant.kind =
                chance.of(&["", "text/plain", "application/json; charset=latin1", "application/xml"]).into();
        }
        mutant
    }
}
