use std::time::Instant;

use proptest::prelude::*;

use super::*;

const TRACE: &str = "AfR7uWcN1eKq_Zs84TgXo2M";
const OTHER: &str = "AXsgnV2Cm3ZMGF3dF_cfYIn";
const BUSINESS: &str = "2210758843906172";

fn traces(of: &[&str]) -> Ids {
    Ids { traces: of.iter().map(|&trace| trace.to_owned()).collect(), ..Ids::default() }
}

fn digits(of: &[&str]) -> Ids {
    Ids { digits: of.iter().map(|&id| id.to_owned()).collect(), ..Ids::default() }
}

fn numbers(of: &[i64]) -> Ids {
    Ids { numbers: of.iter().copied().map(RequestNumber).collect(), ..Ids::default() }
}

#[test]
fn our_numbers_metas_digits_and_trace_ids_are_told_apart() {
    for (text, ids) in [
        ("LB-1001", numbers(&[1001])),
        ("lb1001", numbers(&[1001])),
        ("1001", Ids { digits: vec!["1001".into()], ..numbers(&[1001]) }),
        ("738201946655120", Ids { digits: vec!["738201946655120".into()], ..numbers(&[738_201_946_655_120]) }),
        ("7382 0194 6655 120", Ids { digits: vec!["738201946655120".into()], ..numbers(&[738_201_946_655_120]) }),
        ("99999999999999999999", digits(&["99999999999999999999"])),
        (TRACE, traces(&[TRACE])),
        ("BLBz/WZt8dN+=", traces(&["BLBz/WZt8dN+="])),
        ("6f1c1b5e-2a4d-4f5c-9a51-6d1f0e8f3b11", traces(&["6f1c1b5e-2a4d-4f5c-9a51-6d1f0e8f3b11"])),
        // Too long for an id of Meta's, so perhaps one of those that name a call.
        ("123456789012345678901", traces(&["123456789012345678901"])),
    ] {
        assert_eq!(read(text), Typed { shape: Shape::Id, ids, name: Some(text.into()) }, "{text}");
    }
}

#[test]
fn one_word_may_be_a_trace_id_or_a_name() {
    for word in ["Aangan", "EJplcsCHuLu", "Studio54", "3M"] {
        assert_eq!(read(word), Typed { shape: Shape::Id, ids: traces(&[word]), name: Some(word.into()) }, "{word}");
    }
}

#[test]
fn what_was_copied_along_does_not_matter() {
    for text in
        [" LB-1001\n", "\"LB-1001\",", "“LB-1001”", "\u{feff}LB-1001\u{200b}", "`LB-1001`;", "\u{200f}LB-1001\u{200e}"]
    {
        assert_eq!(read(text).ids, numbers(&[1001]), "{text:?}");
    }
    assert_eq!(read(&format!("\t'{TRACE}' ")).ids, traces(&[TRACE]));
    assert_eq!(read("\u{2068}1284923862322270\u{2069}").ids.digits, ["1284923862322270"]);
}

#[test]
fn ids_in_a_row_are_each_looked_for() {
    let typed = read(&format!("LB-1001 {TRACE}, {BUSINESS}\n{TRACE}"));
    assert_eq!(typed.shape, Shape::Ids);
    assert_eq!(typed.ids, Ids { traces: vec![TRACE.into()], digits: vec![BUSINESS.into()], ..numbers(&[1001]) });
}

#[test]
fn ids_and_phone_numbers_in_a_short_text_may_stand_in_a_name() {
    for (text, shape) in
        [("Loja 5511987654321", Shape::Text), ("360 720", Shape::Ids), ("Supermercado24h 7", Shape::Ids)]
    {
        let typed = read(text);
        assert_eq!((typed.shape, typed.name.as_deref()), (shape, Some(text)));
        assert!(!typed.ids.is_empty(), "{text}");
    }
    assert_eq!(read(&"5511987654321 ".repeat(50)).name, None, "nobody is called so");
}

#[test]
fn a_name_is_a_name_in_any_script() {
    for name in ["Casa Ipê", "متجر الهدايا", "東京 商店", "Book & Co 24", "🦊 Fox", "7-Eleven 24h", "Studio 54"]
    {
        assert_eq!(read(name), Typed { shape: Shape::Name, ids: Ids::default(), name: Some(name.into()) }, "{name}");
    }
}

#[test]
fn the_trace_id_is_found_in_whatever_holds_an_error() {
    for (shape, text) in [
        (Shape::GraphError, format!(r#"{{"error":{{"message":"(#200) No","code":200,"fbtrace_id":"{TRACE}"}}}}"#)),
        (Shape::GraphError, format!("{{\n  \"error\": {{\n    \"fbtrace_id\" : \"{TRACE}\"\n")),
        (Shape::GraphError, format!(r#""{{\"error\":{{\"code\":200,\"fbtrace_id\":\"{TRACE}\"}}}}""#)),
        (Shape::GraphError, format!("{{'error': {{'code': 200, 'fbtrace_id': '{TRACE}'}}}}")),
        (Shape::GraphError, format!("[error] => Array ( [fbtrace_id] => {TRACE} )")),
        (Shape::GraphError, format!(r#"[{{"body": {{"error": {{"FBTRACE_ID": "{TRACE}"}}}}}}]"#)),
        (Shape::Text, format!("Meta refused the call: No (code 200, HTTP 403, fbtrace_id {TRACE}).")),
        (Shape::Text, format!("10:21:09 WARN graph trace={TRACE} status=403 took=340ms")),
        (Shape::Curl, format!("HTTP/1.1 403\r\nX-FB-Request-Id: {TRACE}\r\ncontent-length: 2")),
        (Shape::Curl, format!("* Connected to graph.facebook.com\n< HTTP/2 403\n< x-fb-trace-id: {TRACE}\n")),
    ] {
        let typed = read(&text);
        assert_eq!((typed.shape, typed.ids.traces.as_slice()), (shape, [TRACE.to_owned()].as_slice()), "{text}");
        assert_eq!((typed.ids.numbers.len(), typed.name), (0, None), "{text}");
    }
}

#[test]
fn a_slash_that_json_escaped_is_a_slash() {
    assert_eq!(read(r#"{"error":{"fbtrace_id":"BLBz\/WZt8dN"}}"#).ids, traces(&["BLBz/WZt8dN"]));
}

#[test]
fn ids_of_every_kind_are_found_inside_a_text() {
    let curl = format!(
        "curl -X POST 'https://graph.facebook.com/v25.0/{BUSINESS}/onboard_partners_to_mm_lite?solution_id=77' \
         -H 'Authorization: Bearer EAAGm0PX4ZCpsBAKZCxyz1234567890' < HTTP/2 200 < x-fb-request-id: {OTHER} \
         {{\"request_id\":\"738201946655120\"}} # LB-1001, waba_980198427651188, seen at 1744823932, {TRACE}"
    );
    let typed = read(&curl);
    assert_eq!(typed.shape, Shape::Curl);
    assert_eq!(typed.ids.traces, [OTHER]);
    assert_eq!(typed.ids.numbers, [RequestNumber(1001)]);
    assert_eq!(typed.ids.digits, [BUSINESS, "738201946655120", "980198427651188", "1744823932"]);
    assert_eq!(typed.ids.lookalikes, [TRACE]);
}

#[test]
fn a_trace_id_is_found_where_its_line_break_was_lost() {
    let ids = read(&format!("INFO fbtrace_id={TRACE}2026-11-24T10:21:09 INFO next")).ids;
    assert_eq!(ids.lookalikes, [TRACE]);
}

#[test]
fn several_errors_give_several_ids_each_once_and_not_too_many() {
    let two = r#"[{"fbtrace_id":"A1"},{"fbtrace_id":"B2"},{"fbtrace_id":"A1"}]"#;
    assert_eq!(read(two).ids, traces(&["A1", "B2"]));
    let many = (0..100).map(|number| format!("fbtrace_id: A{number}\n")).collect::<Vec<_>>().concat();
    let ids = read(&many).ids;
    assert_eq!((ids.traces.len(), ids.more), (50, true));
}

#[test]
fn an_error_without_a_trace_id_is_known_for_an_error() {
    for text in
        [r#"{"error":{"code":200}}"#, r#"{"error":{"code":200,"fbtrace_id":""}}"#, r#"{"error":{"fbtrace_id":null}}"#]
    {
        assert_eq!(read(text), Typed { shape: Shape::GraphError, ids: Ids::default(), name: None }, "{text}");
    }
    assert_eq!(read("{}").shape, Shape::Answer);
}

#[test]
fn nothing_is_read_into_nothing() {
    let (nested, dashes) = ("[".repeat(10_240), "-".repeat(10_240));
    for text in ["", " \n\t", "\"\"", "\0", "…", "🦊\0", "??", &nested, &dashes, "the trace of it"] {
        assert!(read(text).ids.is_empty(), "{text:.30?}");
    }
    assert_eq!(read("   "), Typed::default());
    assert!(read("\0\0").is_empty());
    assert!(read(&"A".repeat(10_240)).is_empty());
}

#[test]
fn a_short_text_is_kept_whole_but_for_its_tokens_and_a_long_one_by_its_ids() {
    let error = format!(r#"{{"error":{{"fbtrace_id":"{TRACE}"}}}}"#);
    assert_eq!(query_of(&error), (error.clone(), None));
    let command = "curl -H 'Authorization: Bearer EAAGm0PX4ZCpsBAKZCxyz1234567890' https://graph.facebook.com/v25.0/me";
    assert!(!query_of(command).0.contains("EAAG"), "{command}");
    let long = format!("{}{error} LB-1001", "nothing to see here\n".repeat(1_000));
    let query_of = |text: &str| {
        let (query, pasted) = query_of(text);
        (query, pasted.map(|pasted| pasted.shape))
    };
    let (query, shape) = query_of(&long);
    assert_eq!((query.as_str(), shape), (format!("LB-1001 {TRACE}").as_str(), Some(Shape::GraphError)));
    let typed = read_query(&query, shape);
    assert_eq!((typed.shape, &typed.ids), (Shape::GraphError, &read(&long).ids));
    let (query, shape) = query_of(&"fbtrace_id: AnEvenOdderTraceId\n".repeat(1_000));
    assert_eq!(
        read_query(&query, shape).ids.traces,
        ["AnEvenOdderTraceId"],
        "what was found once is found in the address"
    );
    let (query, shape) = query_of(&"no ids ".repeat(1_000));
    assert!(query.len() < 80 && read_query(&query, shape).is_empty(), "{query}");
}

#[test]
fn a_megabyte_is_read_in_time_that_grows_with_its_length_only() {
    let hostile = [
        "fbtrace_id ",
        "fbtrace_id",
        "fbtrace_id\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
        "trace=",
        "A",
        "1",
        "1 ",
        "\\/",
        "LB-",
        "{\"error\":",
        " ",
        "é",
        "-",
    ];
    for part in hostile {
        let of = |length: usize| part.repeat(length / part.len());
        let took = |text: &str| {
            let began = Instant::now();
            std::hint::black_box(read(text));
            std::hint::black_box(query_of(text));
            began.elapsed()
        };
        let (small, large) = (of(1 << 16), of(1 << 20));
        let (small, large) = (took(&small).max(took(&small)), took(&large).min(took(&large)));
        // Sixteen times the length; a square would take 256 times as long. The constant forgives a busy machine.
        let allowed = small * 64 + std::time::Duration::from_millis(100);
        assert!(large <= allowed, "{part:?}: {small:?} for 64 KiB, {large:?} for 1 MiB");
    }
}

proptest! {
    #[test]
    fn anything_may_come_and_what_is_found_stood_there(text in "\\PC{0,400}|[\\x00-\\x7f]{0,400}") {
        let typed = read(&text);
        for id in typed.ids.digits.iter().chain(&typed.ids.lookalikes) {
            let bare: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '\u{a0}')).collect();
            prop_assert!(text.contains(id.as_str()) || bare.contains(id.as_str()));
        }
        for trace in &typed.ids.traces {
            prop_assert!(text.replace("\\/", "/").contains(trace.as_str()));
        }
        prop_assert!(typed.ids.traces.len() <= 5 && typed.ids.digits.len() <= 20);
    }

    #[test]
    fn an_id_is_found_whatever_stands_around_it(before in "[^\\x00a-zA-Z0-9_/+=.-]{0,60}", after in "[^a-zA-Z0-9_/+=.\\\\-]{0,60}") {
        let text = format!("{before} \"fbtrace_id\":\"{TRACE}\" {after}");
        prop_assert_eq!(read(&text).ids.traces, [TRACE]);
    }
}

#[test]
fn the_address_of_many_ids_is_short_enough_to_be_led_to() {
    let many: String = (0..60).fold(String::new(), |text, at| {
        format!("{text}fbtrace_id: A{}{at:03} LB-{at} {:016} x/+=\n", "z".repeat(120), 1_000_000_000_000_000_u64 + at)
    });
    let (query, pasted) = query_of(&many);
    assert!(pasted.is_some_and(|pasted| pasted.more), "{query}");
    assert!(
        (2_000..=LONGEST_QUERY).contains(&byte_serialize(query.as_bytes()).map(str::len).sum::<usize>()),
        "{query}"
    );
}
