//! What is read of what is typed, and that terms survive being written down.

use proptest::prelude::*;

use super::*;

fn term(key: Option<Key>, excluded: bool, values: &[&str]) -> Term {
    Term { key, excluded, values: values.iter().map(|value| (*value).to_owned()).collect() }
}

#[test]
fn terms_are_read_as_they_are_typed() {
    let (is, code, by) = (Some(Key::Is), Some(Key::Code), Some(Key::By));
    for (text, terms) in [
        ("", vec![]),
        ("  \t\n ", vec![]),
        ("is:failed", vec![term(is, false, &["failed"])]),
        ("IS:failed", vec![term(is, false, &["failed"])]),
        ("-is:failed", vec![term(is, true, &["failed"])]),
        ("code:100,200", vec![term(code, false, &["100", "200"])]),
        ("code:100,,200,", vec![term(code, false, &["100", "200"])]),
        ("by:\"Ana Moreira\",me", vec![term(by, false, &["Ana Moreira", "me"])]),
        ("by:“Ana Moreira”", vec![term(by, false, &["Ana Moreira"])]),
        ("by:\"say \"\"no\"\"\"", vec![term(by, false, &["say \"no\""])]),
        ("member:ana", vec![term(by, false, &["ana"])]),
        ("age:>7d", vec![term(Some(Key::Age), false, &[">7d"])]),
        ("since:2026-11-20T10:00Z", vec![term(Some(Key::Since), false, &["2026-11-20T10:00Z"])]),
        ("1745093316208854", vec![term(None, false, &["1745093316208854"])]),
        ("AXsg-9", vec![term(None, false, &["AXsg-9"])]),
        ("-banyan", vec![term(None, true, &["banyan"])]),
        ("-", vec![term(None, false, &["-"])]),
        ("Acme, Inc", vec![term(None, false, &["Acme,"]), term(None, false, &["Inc"])]),
        ("\"Acme, Inc: 5\"\" pipes\"", vec![term(None, false, &["Acme, Inc: 5\" pipes"])]),
        ("5\"", vec![term(None, false, &["5\""])]),
        ("{\"error\":1}", vec![term(None, false, &["{\"error\":1}"])]),
        ("é:x", vec![term(None, false, &["é:x"])]),
        ("is:failed\u{a0}code:1", vec![term(is, false, &["failed"]), term(code, false, &["1"])]),
        ("a\0b", vec![term(None, false, &["a\u{FFFD}b"])]),
    ] {
        let read = read(text);
        assert_eq!(read.terms, terms, "{text:?}");
        assert_eq!(read.problems, [], "{text:?}");
    }
}

#[test]
fn what_cant_be_read_is_said_and_the_rest_is_read() {
    for (text, words, meant) in [
        ("stat:failed is:open", "There is no filter “stat:”.", Some("state:failed")),
        ("-cod:100,200 is:open", "There is no filter “cod:”.", Some("-code:100,200")),
        ("https://example.com is:open", "There is no filter “https:”.", None),
        ("is:open by:\"Ana Moreira", "A quotation mark is opened and not closed: \"Ana Moreira.", None),
        ("is:open \"casa ipê", "A quotation mark is opened and not closed: \"casa ipê.", None),
        ("is:open code:", "“code:” needs a value, such as code:200.", None),
        ("code:,,\"\" is:open", "“code:” needs a value, such as code:200.", None),
    ] {
        let read = read(text);
        assert_eq!(read.terms, [term(Some(Key::Is), false, &["open"])], "{text:?}");
        let [problem] = read.problems.as_slice() else { panic!("{text:?}: {:?}", read.problems) };
        assert_eq!((problem.words().as_str(), problem.meant().as_deref()), (words, meant), "{text:?}");
    }
}

#[test]
fn more_than_anybody_types_is_refused_kindly() {
    let read = read(&"code:1 ".repeat(500));
    assert_eq!(read.terms.len(), MOST_TERMS);
    assert_eq!(read.problems, [Problem::TooManyTerms { given: 500 }]);
    assert_eq!(read.problems[0].words(), "These are 500 terms. The first 50 are used.");
    let read = super::read(&format!("code:{} is:open code:7,8", "1,".repeat(99)));
    assert_eq!(read.terms.iter().map(|term| term.values.len()).collect::<Vec<_>>(), [99, 1]);
    assert_eq!(read.problems, [Problem::TooManyValues { given: 102 }]);
    assert_eq!(read.problems[0].words(), "These are 102 values. The first 100 are used.");
    let read = super::read(&"x".repeat(100_000));
    assert_eq!((read.terms.len(), read.problems.as_slice()), (1, [Problem::TooLong].as_slice()));
    assert_eq!(read.terms[0].values[0].chars().count(), LONGEST);
}

#[test]
fn a_term_is_taken_away_or_set_and_the_others_stay() {
    let terms = read("is:failed \"casa ipê\" code:100,200 -by:me");
    assert_eq!(terms.to_string(), "is:failed \"casa ipê\" code:100,200 -by:me");
    assert_eq!(terms.without(1), "is:failed code:100,200 -by:me");
    assert_eq!(
        terms.with(&[Key::Is, Key::State], Some(&Term::of(Key::Is, "open"))),
        "\"casa ipê\" code:100,200 -by:me is:open"
    );
    assert_eq!(terms.with(&[Key::Is], None), "\"casa ipê\" code:100,200 -by:me");
}

fn any_term() -> impl Strategy<Value = Term> {
    let key = proptest::option::of(proptest::sample::select(Key::ALL));
    let values = proptest::collection::vec("\\PC{1,12}|[-a-z:,\"“” ]{1,8}", 1..4);
    (key, any::<bool>(), values).prop_map(|(key, excluded, mut values)| {
        if key.is_none() {
            values.truncate(1);
        }
        Term { key, excluded, values }
    })
}

proptest! {
    #[test]
    fn terms_survive_being_written_down(terms in proptest::collection::vec(any_term(), 0..6)) {
        let written = Terms { terms, problems: Vec::new() };
        prop_assert_eq!(read(&written.to_string()), written);
    }

    #[test]
    fn anything_at_all_is_read_and_read_the_same_once_written(text in "\\PC{0,80}|[-a-z:,\"“” ]{0,40}") {
        let once = read(&text);
        let again = read(&once.to_string());
        prop_assert_eq!(again.terms, once.terms);
        prop_assert_eq!(again.problems, []);
    }
}
