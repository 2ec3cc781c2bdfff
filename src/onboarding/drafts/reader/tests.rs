//! What the reader makes of lists, and that it makes the same of them in whichever pieces they come.

use std::fmt::Write as _;

use proptest::{collection::vec, prelude::*};

use super::*;

fn read_in_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Row>, Result<(), Refusal>) {
    let (mut reader, mut rows) = (Reader::default(), Vec::new());
    for piece in pieces {
        if let Err(refusal) = reader.feed(piece, &mut rows) {
            return (rows, Err(refusal));
        }
    }
    let end = reader.finish(&mut rows);
    (rows, end)
}

fn read(list: impl AsRef<[u8]>) -> (Vec<Row>, Result<(), Refusal>) {
    read_in_pieces([list.as_ref()])
}

/// Lines and what was read in them.
fn ids(list: impl AsRef<[u8]>) -> Vec<(u32, Result<String, Unreadable>)> {
    let (rows, end) = read(list);
    assert_eq!(end, Ok(()), "{rows:?}");
    rows.into_iter().map(|row| (row.line, row.id)).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "compared with what is read")]
fn id(digits: &str) -> Result<String, Unreadable> {
    Ok(digits.to_owned())
}

const ONE: &str = "1745093316208854";
const TWO: &str = "1093847266510937";

#[test]
fn the_same_list_is_read_from_every_way_of_writing_it() {
    for list in [
        format!("{ONE}\n{TWO}\n"),
        format!("{ONE}\r\n{TWO}"),
        format!("{ONE}\r{TWO}\r"),
        format!("\u{FEFF}business_id,name\r\n{ONE},A\r\n{TWO},\"B, C\"\r\n"),
        format!("Name;Business ID\n\"A;\nB\";{ONE}\nC;{TWO}\n"),
        format!("waba_id\tname\n{ONE}\tA\n{TWO}\tB\n"),
        format!("name,id\n\"say \"\"hi\"\"\",\"{ONE}\"\n,={}{TWO}{}\n", '"', '"'),
        format!("'{ONE},x\n'{TWO},y\n"),
        format!("{ONE}, {TWO}"),
    ] {
        let found: Vec<_> = ids(&list).into_iter().map(|(_, id)| id).collect();
        assert_eq!(found, [id(ONE), id(TWO)], "{list:?}");
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    let list = format!("\n\nname,business_id\n\n\"two\nlines\",{ONE}\r\n,,\n   ,\nx,{TWO}\n\ny,\n");
    assert_eq!(ids(list), [(5, id(ONE)), (9, id(TWO)), (11, Err(Unreadable::Empty))]);
}

#[test]
fn each_row_says_what_is_wrong_with_it() {
    let list =
        format!("business_id;solution_id\n{ONE};19702253086745\nOakhaven;\n1,02E+15;x\n2.2E+15\n{ONE}{ONE};\n;5\n");
    let (rows, end) = read(list);
    assert_eq!(end, Ok(()));
    let told: Vec<_> = rows.iter().map(|row| (row.line, row.given.as_str(), row.id.clone().err())).collect();
    let long = format!("{ONE}{ONE}");
    assert_eq!(
        told,
        [
            (2, ONE, None),
            (3, "Oakhaven", Some(Unreadable::NotDigits)),
            (4, "1,02E+15", Some(Unreadable::Rounded)),
            (5, "2.2E+15", Some(Unreadable::Rounded)),
            (6, long.as_str(), Some(Unreadable::TooLong)),
            (7, "", Some(Unreadable::Empty)),
        ]
    );
    let solutions: Vec<_> = rows.into_iter().map(|row| row.solution).collect();
    let some = |text: &str, id| Some((text.to_owned(), id));
    assert_eq!(
        solutions,
        [
            some("19702253086745", id("19702253086745")),
            None,
            some("x", Err(Unreadable::NotDigits)),
            None,
            None,
            some("5", id("5")),
        ]
    );
}

#[test]
fn a_rounded_number_with_a_comma_stays_one() {
    assert_eq!(ids(format!("1,02E+15\n{ONE}\n")), [(1, Err(Unreadable::Rounded)), (2, id(ONE))]);
    assert_eq!(ids("1,02E+15\n"), [(1, Err(Unreadable::Rounded))]);
    assert_eq!(ids(format!("name,business_id\nA,\"1,02E+15\"\nB,{ONE}\n"))[0], (2, Err(Unreadable::Rounded)));
}

#[test]
fn odd_bytes_beside_the_ids_are_replaced() {
    let list = [b"name,business_id\nCaf\xE9,".as_slice(), ONE.as_bytes(), b"\n\xFF\xFE\x80,", TWO.as_bytes()].concat();
    assert_eq!(ids(&list), [(2, id(ONE)), (3, id(TWO))]);
    let (rows, _) = read(b"business_id,x\n\xE9t\xE9,1\n1745093316208854,2\n");
    assert_eq!(rows[0].given, "\u{FFFD}t\u{FFFD}");
}

#[test]
fn what_is_no_list_is_refused_and_told_why() {
    let names = "Aangan Textiles\nIkat Home Living\n".to_owned();
    let utf16: Vec<u8> = format!("{ONE}\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (list, refusal) in [
        (Vec::new(), Refusal::Empty),
        (b" \r\n\t\n".to_vec(), Refusal::Empty),
        (b"\xEF\xBB\xBF".to_vec(), Refusal::Empty),
        (b"business_id\r\n".to_vec(), Refusal::Empty),
        (b"PK\x03\x04rest".to_vec(), Refusal::Workbook),
        (b"\xD0\xCF\x11\xE0rest".to_vec(), Refusal::Workbook),
        ([b"\xFF\xFE".as_slice(), &utf16].concat(), Refusal::Utf16),
        (utf16, Refusal::Utf16),
        (b"\x7FELF\x02\x01\x01\0\0\0\0\0\0".to_vec(), Refusal::Binary),
        (format!("{ONE}\n\0").into_bytes(), Refusal::Binary),
        (names.into_bytes(), Refusal::NoIds),
        (format!("business_id,name\n{ONE},a\n{TWO},\"oops\n{ONE},b\n").into_bytes(), Refusal::OpenQuote(3)),
    ] {
        assert_eq!(read(&list).1, Err(refusal), "{:?}", String::from_utf8_lossy(&list));
    }
    let far = [format!("{ONE}\n").repeat(10_000).as_bytes(), b"\0"].concat();
    assert_eq!(read(far).1, Err(Refusal::Binary), "also where nobody looked at first");
}

#[test]
fn every_refusal_is_read_back_and_says_what_helps() {
    for refusal in [
        Refusal::Empty,
        Refusal::Binary,
        Refusal::Workbook,
        Refusal::Utf16,
        Refusal::TooLarge,
        Refusal::TooManyRows,
        Refusal::NoIds,
        Refusal::OpenQuote(12),
    ] {
        assert_eq!(Refusal::from_code(refusal.code(), Some("12")), Some(refusal));
        assert!(refusal.words().ends_with('.') && refusal.words().contains(". "), "{}", refusal.words());
    }
    assert_eq!(Refusal::from_code("nonsense", None), None);
}

#[test]
fn a_hundred_thousand_rows_are_taken_and_one_more_is_not() {
    let most = usize::try_from(MOST_ROWS).unwrap();
    let (rows, end) = read(format!("{ONE}\n").repeat(most));
    assert_eq!((rows.len(), end), (most, Ok(())));
    let (_, end) = read(format!("{ONE}\n").repeat(most + 1));
    assert_eq!(end, Err(Refusal::TooManyRows));
}

#[test]
fn ten_megabytes_are_taken_and_one_byte_more_is_not() {
    let largest = usize::try_from(LARGEST).unwrap();
    let mut list = format!("business_id,note\n{ONE},").into_bytes();
    list.resize(largest, b'x');
    assert_eq!(ids(&list), [(2, id(ONE))]);
    list.push(b'\n');
    assert_eq!(read(&list).1, Err(Refusal::TooLarge));
}

#[test]
fn only_the_beginning_is_held() {
    let mut reader = Reader::default();
    let mut rows = Vec::new();
    reader.feed(format!("note,business_id\nx,{ONE}\n").as_bytes(), &mut rows).unwrap();
    for _ in 0..100 {
        reader.feed(&b"x".repeat(64 * 1024), &mut rows).unwrap();
        let body = reader.body.as_ref();
        let held = reader.head.capacity() + body.map_or(0, |body| body.cell.capacity() + body.business.capacity());
        assert!(held <= 3 * HEAD, "{held}");
    }
}

/// A field as a spreadsheet writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Bytes that mean something to a reader of lists, more often than others.
fn telling_bytes() -> impl Strategy<Value = Vec<u8>> {
    const TELLING: &[u8] = b"\",;\t\n\r='E+a ";
    // Two numbers a byte: a strategy of its own for each would take longer than the reading.
    vec((0..=TELLING.len() + 1, any::<u8>()), 0..400).prop_map(|bytes| {
        let byte = |(which, other): (usize, u8)| match TELLING.get(which) {
            Some(byte) => *byte,
            None if which == TELLING.len() => b'0' + other % 10,
            None => other,
        };
        bytes.into_iter().map(byte).collect()
    })
}

/// The same bytes cut in places.
fn pieces<'a>(list: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(list.len() + 1)).collect();
    places.extend([0, list.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &list[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_it_panic_and_no_cutting_makes_a_difference(list in telling_bytes(), cuts in vec(any::<prop::sample::Index>(), 0..8)) {
        prop_assert_eq!(read(&list), read_in_pieces(pieces(&list, &cuts)));
    }

    #[test]
    fn cutting_makes_no_difference_to_a_long_list_either(
        seed in telling_bytes(), times in 100_usize..400, cuts in vec(any::<prop::sample::Index>(), 0..8)
    ) {
        let list = [b"business_id,name\n".as_slice(), &seed.repeat(times)].concat();
        prop_assert_eq!(read(&list), read_in_pieces(pieces(&list, &cuts)));
    }

    #[test]
    fn what_is_written_with_quotes_is_read_back(
        rows in vec(("[0-9]{8,20}", "[^\0]{0,40}", prop::option::of("[0-9]{1,20}")), 1..20),
        delimiter in prop::sample::select(vec![',', ';', '\t']),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        bom in any::<bool>(),
    ) {
        let mut list = if bom { "\u{FEFF}".to_owned() } else { String::new() };
        write!(list, "Name{delimiter}Business ID{delimiter}Solution{end}").unwrap();
        let mut lines = Vec::new();
        let mut line = 2;
        for (business, name, solution) in &rows {
            lines.push(line);
            let breaks = name.replace("\r\n", "\n").matches(['\n', '\r']).count();
            line += 1 + u32::try_from(breaks).unwrap();
            let solution = solution.as_deref().unwrap_or_default();
            write!(list, "{}{delimiter}{business}{delimiter}{}{end}", quoted(name), quoted(solution)).unwrap();
        }
        let (read, outcome) = read(&list);
        prop_assert_eq!(outcome, Ok(()));
        let found: Vec<_> = read.iter().map(|row| (row.line, row.id.clone().ok(), row.solution.clone().and_then(|(_, id)| id.ok()))).collect();
        let written: Vec<_> = rows.iter().zip(lines).map(|((business, _, solution), line)| (line, Some(business.clone()), solution.clone())).collect();
        prop_assert_eq!(found, written);
    }
}
