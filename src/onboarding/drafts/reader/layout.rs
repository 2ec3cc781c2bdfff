//! How a list is laid out: what separates its cells, whether it begins with a header, and which columns matter. Judged from its
//! first bytes.

use csv_core::ReadFieldResult;

use super::cell::{Unreadable, is_rounded, read_id};

/// Records looked at.
const LOOKED_AT: usize = 50;
/// Columns looked at, and the most that a list of ids can sensibly have.
const COLUMNS: usize = 200;
/// Bytes of a cell that are kept.
pub const CELL: usize = 1_024;
/// An id has at least so many digits; shorter ones are as likely a row's number.
const LIKELY_ID: usize = 8;

/// Names of the column of businesses, the surest first, in the letters and digits they hold.
const BUSINESS: [&str; 18] = [
    "businessid",
    "businessportfolioid",
    "portfolioid",
    "businessmanagerid",
    "bmid",
    "metabusinessid",
    "facebookbusinessid",
    "clientbusinessid",
    "businessids",
    "portfolio",
    "bm",
    "wabaid",
    "waba",
    "id",
    "ids",
    "metaid",
    "business",
    "businesses",
];

/// Names of the column of solutions, in the same way.
const SOLUTION: [&str; 4] = ["solutionid", "mpsolutionid", "multipartnersolutionid", "solution"];

/// How a list is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub delimiter: u8,
    /// The first record names the columns.
    pub header: bool,
    /// The column of businesses, from 0.
    pub business: usize,
    /// The column of solutions, where there is one.
    pub solution: Option<usize>,
    /// All there is are ids beside each other in one line: each is a row.
    pub in_one_line: bool,
}

impl Layout {
    /// Judges the beginning of a list. `whole`: it's all there is. `None`: no column of it holds ids.
    pub fn of(head: &[u8], whole: bool) -> Option<Self> {
        // A tab stands in no name, so it's what separates where nothing else does.
        let (delimiter, records) = [b'\t', b';', b',']
            .map(|delimiter| (delimiter, records(head, delimiter, whole)))
            .into_iter()
            .reduce(|best, next| if score(&next.1) > score(&best.1) { next } else { best })?;
        let first = records.first()?;
        let named = |names: &[&str]| {
            let rank = |cell: &String| names.iter().position(|name| *name == key_of(cell));
            let ranked = first.iter().enumerate().filter_map(|(at, cell)| Some((rank(cell)?, at)));
            ranked.min().map(|(_, at)| at)
        };
        let (business, solution) = (named(&BUSINESS), named(&SOLUTION));
        if let Some(business) = business {
            return Some(Self { delimiter, header: true, business, solution, in_one_line: false });
        }
        let business = column_of_ids(&records, solution)?;
        let wordy = first.len() > 1
            && first.iter().all(|cell| !cell.bytes().any(|byte| byte.is_ascii_digit()))
            && first.get(business).is_some_and(|cell| read_id(cell) == Err(Unreadable::NotDigits));
        let in_one_line = whole
            && records.len() == 1
            && first.len() > 1
            && first.iter().all(|cell| read_id(cell).is_ok_and(|digits| digits.len() >= LIKELY_ID));
        Some(Self { delimiter, header: solution.is_some() || wordy, business, solution, in_one_line })
    }
}

/// The letters and digits of a column's name, in small letters: case, spaces and underscores don't matter.
fn key_of(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A better way to separate cells names the column of businesses; else it lays more ids bare; else it makes more records of several
/// cells; else more of the same number.
fn score(records: &[Vec<String>]) -> (bool, usize, usize, usize) {
    let named = records.first().is_some_and(|first| first.iter().any(|cell| BUSINESS.contains(&key_of(cell).as_str())));
    let with_ids = records.iter().filter(|record| record.iter().any(|cell| is_likely_id(cell))).count();
    let several = records.iter().filter(|record| record.len() > 1).count();
    let width = records.first().map_or(0, Vec::len);
    let alike = records.iter().filter(|record| width > 1 && record.len() == width).count();
    (named, with_ids, several, alike)
}

/// Whether a cell holds what is hardly anything else than an id, be it a spoilt one.
fn is_likely_id(cell: &str) -> bool {
    match read_id(cell) {
        Ok(digits) => digits.len() >= LIKELY_ID,
        Err(why) => matches!(why, Unreadable::Rounded | Unreadable::TooLong),
    }
}

/// The column with the most ids; of two, the one whose ids are longer, then the first.
fn column_of_ids(records: &[Vec<String>], but: Option<usize>) -> Option<usize> {
    let worth = |column: usize| {
        let cells = records.iter().filter_map(|record| record.get(column));
        cells.fold((0_usize, 0_usize), |(likely, any), cell| {
            let is_likely = is_likely_id(cell);
            (likely + usize::from(is_likely), any + usize::from(is_likely || read_id(cell).is_ok()))
        })
    };
    let columns = records.iter().map(Vec::len).max().unwrap_or_default();
    (0..columns)
        .filter(|column| Some(*column) != but)
        .map(|column| (worth(column), column))
        .filter(|((_, any), _)| *any > 0)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, column)| column)
}

/// The first records, blank ones left out. The last one counts only if it's known to be complete.
fn records(head: &[u8], delimiter: u8, whole: bool) -> Vec<Vec<String>> {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let (mut records, mut record, mut cell): (Vec<Vec<String>>, Vec<String>, Vec<u8>) = Default::default();
    let (mut rest, mut buffer, mut ended) = (head, [0; CELL], false);
    while records.len() < LOOKED_AT {
        let (result, read, written) = reader.read_field(rest, &mut buffer);
        rest = &rest[read..];
        if cell.len() < CELL {
            cell.extend_from_slice(&buffer[..written]);
        }
        match result {
            ReadFieldResult::OutputFull => {}
            ReadFieldResult::InputEmpty if ended || !(whole || records.is_empty()) => break,
            // What is read with nothing left to read is the end.
            ReadFieldResult::InputEmpty => ended = true,
            ReadFieldResult::End => break,
            ReadFieldResult::Field { record_end } => {
                if record.len() < COLUMNS {
                    record.push(String::from_utf8_lossy(&cell).into_owned());
                }
                cell.clear();
                if record_end {
                    let record = std::mem::take(&mut record);
                    if record.iter().any(|cell| !cell.trim().is_empty()) {
                        records.push(if delimiter == b',' { undivided(record) } else { record });
                    }
                }
            }
        }
    }
    records
}

/// `1,02E+15` is one rounded number, with the comma of half the world's spreadsheets, and not two cells.
fn undivided(record: Vec<String>) -> Vec<String> {
    match record.as_slice() {
        [whole, decimals] if decimals.contains(['e', 'E']) && is_rounded(&format!("{whole},{decimals}")) => {
            vec![record.join(",")]
        }
        _ => record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Option<(char, bool, usize, Option<usize>)> {
        Layout::of(text.as_bytes(), true)
            .map(|layout| (char::from(layout.delimiter), layout.header, layout.business, layout.solution))
    }

    #[test]
    fn a_header_names_the_columns_however_it_is_spelled() {
        for (text, expected) in [
            ("business_id\n17\n", ('\t', true, 0, None)),
            ("Name,Business ID,Solution\nA,1745093316208854,2\n", (',', true, 1, Some(2))),
            ("Name;BM_ID;solution_id\nA;17;2\n", (';', true, 1, Some(2))),
            ("portfolio\tname\n17\tA\n", ('\t', true, 0, None)),
            ("id,business id\n1,1745093316208854\n", (',', true, 1, None)),
            ("waba_id;Country\n98;BR\n", (';', true, 0, None)),
            ("Solution,Whatever\n5,1745093316208854\n", (',', true, 1, Some(0))),
            ("Kunde;Nummer\nA GmbH;1745093316208854\n", (';', true, 1, None)),
            ("business_id;name\n1,02E+15;B, C\n", (';', true, 0, None)),
        ] {
            assert_eq!(layout(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn without_a_header_the_column_of_ids_is_the_one_with_digits() {
        for (text, expected) in [
            ("1745093316208854\n1093847266510937\n", ('\t', false, 0, None)),
            ("Aangan,284913607725418\nIkat,905127736481190\n", (',', false, 1, None)),
            ("1;284913607725418\n2;905127736481190\n", (';', false, 1, None)),
            ("\"Lima, Ferreira\";660294815107732\n\"Chai; Charter\";10187334920561748\n", (';', false, 1, None)),
            ("1745093316208854,Foo; Bar\n1093847266510937,Baz; Qux\n", (',', false, 0, None)),
            ("1745093316208854;Foo, Bar\n1093847266510937;Baz, Qux\n", (';', false, 0, None)),
            ("1,02E+15\n1745093316208854\n", ('\t', false, 0, None)),
            ("1,02E+15\n", ('\t', false, 0, None)),
            ("Oakhaven\n1745093316208854\n", ('\t', false, 0, None)),
            ("17", ('\t', false, 0, None)),
        ] {
            assert_eq!(layout(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn ids_in_one_line_are_told_from_a_record() {
        for (text, expected) in [
            ("1745093316208854, 1093847266510937,284913607725418", true),
            ("1745093316208854;1093847266510937\n", true),
            ("1745093316208854\n", false),
            ("1745093316208854,Aangan", false),
            ("1745093316208854,7", false),
            ("1745093316208854,1093847266510937\n284913607725418,905127736481190\n", false),
        ] {
            assert_eq!(Layout::of(text.as_bytes(), true).unwrap().in_one_line, expected, "{text:?}");
        }
    }

    #[test]
    fn a_list_of_names_has_no_column_of_ids() {
        for text in ["Aangan\nIkat\n", "a,b\nc,d\n", "name\n", "", "\n\n", "\"\n"] {
            assert_eq!(layout(text), None, "{text:?}");
        }
    }
}
