use super::*;
use proptest::prelude::*;
use serde_json::json;

fn read(text: &str) -> Result<Value, LineFault> {
    Literals::new(text.as_bytes())?.only()
}

#[test]
fn literals_mean_what_python_says() {
    // Right-hand sides are what Python 3 evaluates the left-hand sides to.
    let cases = [
        (r"None", json!(null)),
        (r"[True, False]", json!([true, false])),
        (r"{}", json!({})),
        (r"{'a': 1, 'b': [2.5, -3, 1e-3], 'a': 4}", json!({"a": 4, "b": [2.5, -3, 1e-3]})),
        (r#"["it's", 'say "x"', 'it\'s', "\"" ]"#, json!(["it's", "say \"x\"", "it's", "\""])),
        (r"u'caf\xe9'", json!("café")),
        (r"U'\u20ac\U0001f600'", json!("€😀")),
        (r"'\n\t\\\101\0end'", json!("\n\t\\A\0end")),
        (r"'a\d\/'", json!(r"a\d\/")),
        (r"(1,)", json!([1])),
        (r"(1)", json!(1)),
        (r"()", json!([])),
        (r" [ 1 , 2 , ] ", json!([1, 2])),
        (r"12L", json!(12)),
        (r"[.5, 5., +7]", json!([0.5, 5.0, 7])),
        (r"9223372036854775808", json!(9223372036854775808.0)),
        (r"'ünïcode'", json!("ünïcode")),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_literal_is_refused_with_its_byte() {
    let cases = [
        ("", 1, "expected a string"),
        ("{'a' 1}", 6, "expected ':'"),
        ("{'a': nan}", 7, "expected a string"),
        ("[1 2]", 4, "expected ']'"),
        ("{1: 2}", 2, "a quoted key"),
        ("{'a'}", 5, "expected ':'"),
        ("'a' 'b'", 5, "the end of the line"),
        ("b'a'", 1, "expected a string"),
        ("__import__('os')", 1, "expected a string"),
        ("[1, 007]", 5, "a whole or decimal number"),
        ("[0x1f]", 2, "a whole or decimal number"),
        ("1_000", 1, "a whole or decimal number"),
        ("1e999", 1, "within range"),
        ("1.5L", 1, "a whole or decimal number"),
        ("--1", 1, "a whole or decimal number"),
        ("'abc", 1, "never closed"),
        (r"'abc\'", 1, "never closed"),
        (r"'a\x4'", 3, "2 hexadecimal digits"),
        (r"'\N{DASH}'", 2, "by number"),
        (r"'\U00110000'", 2, "up to"),
        (r"'é' x", 6, "the end of the line"),
    ];
    for (text, byte, problem) in cases {
        let fault = read(text).expect_err(text);
        assert_eq!(fault.byte, Some(byte), "{text}: {}", fault.problem);
        assert!(fault.problem.contains(problem), "{text}: {}", fault.problem);
    }
    let fault = Literals::new(b"'a\xff'").err().expect("not UTF-8");
    assert_eq!(fault.byte, Some(3));
}

#[test]
fn halves_of_surrogate_pairs_are_joined_or_replaced_and_counted() {
    for (text, expected, replaced) in [
        (r"'\ud83d\ude00'", "😀", 0),
        (r"'\ud83d'", "\u{fffd}", 1),
        (r"'\ude00x'", "\u{fffd}x", 1),
        (r"'\ud83d\ud83d\ude00'", "\u{fffd}😀", 1),
        (r"'\ud83dx\ude00'", "\u{fffd}x\u{fffd}", 2),
    ] {
        let mut literals = Literals::new(text.as_bytes()).expect("UTF-8");
        assert_eq!(literals.only(), Ok(json!(expected)), "{text}");
        assert_eq!(literals.replaced, replaced, "{text}");
    }
}

#[test]
fn deep_brackets_end_in_an_error_and_not_in_a_full_stack() {
    let deep = "[".repeat(1_000_000);
    assert!(read(&deep).expect_err("too deep").problem.contains("levels"));
}

/// Any value that a literal can have.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        (-1e12f64..1e12).prop_map(|x| json!(x)),
        any::<String>().prop_map(|s| json!(s)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_repr_writes_is_read_back(value in values()) {
        let text = crate::synthetic::amazon::repr(&value);
        prop_assert_eq!(read(&text), Ok(value), "{}", text);
    }

    #[test]
    fn skipping_finds_the_same_faults_as_reading(value in values(), at in any::<prop::sample::Index>(), to: char) {
        // One character changed.
        let mut text: Vec<char> = format!("{{'k': {}}}", crate::synthetic::amazon::repr(&value)).chars().collect();
        let at = at.index(text.len());
        text[at] = to;
        let text: String = text.into_iter().collect();
        let run = |keep: bool| Literals::new(text.as_bytes())?.dict(|_| keep, |_, _| {});
        prop_assert_eq!(run(true), run(false), "{}", text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(mut literals) = Literals::new(&bytes) {
            let _ = literals.only();
        }
    }

    #[test]
    fn no_likely_characters_make_it_panic(text in r#"[\[\](){}:,'"\\uxULN0-9eE.+\- aé]{0,60}"#) {
        if let Err(fault) = read(&text) {
            prop_assert!(fault.byte.expect("a place") <= text.len() + 1);
        }
    }
}
