//! Reads a list of ids, a file or pasted text, as it comes in: fed any pieces of it, gives rows. It holds the beginning, by which the
//! list's layout is judged, then never more than a few kilobytes.
//!
//! Nothing here knows of businesses: whether an id is one of the partner's is the store's to find out.

mod cell;
mod layout;
mod refusal;
#[cfg(test)]
mod tests;

use csv_core::ReadFieldResult;

use self::layout::{CELL, Layout};
pub use self::{
    cell::{Unreadable, read_id},
    refusal::Refusal,
};

/// The largest list taken, in bytes.
pub const LARGEST: u64 = 10 * 1024 * 1024;
/// The most rows taken.
pub const MOST_ROWS: u32 = 100_000;
/// Characters of a cell that are kept.
const GIVEN: usize = 200;
/// By so many bytes a list's layout is judged.
const HEAD: usize = 64 * 1024;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its line in the list, from 1, as an editor counts them: blank ones, and those inside quotes, included.
    pub line: u32,
    /// What stands there for the business, cut to 200 characters.
    pub given: String,
    /// The id in it.
    pub id: Result<String, Unreadable>,
    /// What stands there for the solution, if anything does, in the same way.
    pub solution: Option<(String, Result<String, Unreadable>)>,
}

/// The reader. Feed it, then finish it.
#[derive(Debug, Default)]
pub struct Reader {
    /// Bytes seen.
    size: u64,
    /// The beginning, until the layout is known.
    head: Vec<u8>,
    body: Option<Body>,
    /// What it was refused for, once it was.
    refused: Option<Refusal>,
}

impl Reader {
    /// Takes the next bytes, however many, and adds the rows that are complete.
    pub fn feed(&mut self, bytes: &[u8], rows: &mut Vec<Row>) -> Result<(), Refusal> {
        if let Some(refusal) = self.refused {
            return Err(refusal);
        }
        let fed = self.try_to_feed(bytes, rows);
        self.refused = fed.err();
        fed
    }

    /// There is nothing more.
    pub fn finish(mut self, rows: &mut Vec<Row>) -> Result<(), Refusal> {
        if let Some(refusal) = self.refused {
            return Err(refusal);
        }
        self.begin(true, rows)?;
        match self.body {
            Some(body) => body.finish(rows),
            None => Err(Refusal::Empty),
        }
    }

    /// What is wrong first in the list is said, in whichever pieces it comes.
    fn try_to_feed(&mut self, bytes: &[u8], rows: &mut Vec<Row>) -> Result<(), Refusal> {
        let left = usize::try_from(LARGEST - self.size).unwrap_or(usize::MAX);
        let (mut taken, excess) = bytes.split_at(left.min(bytes.len()));
        self.size += taken.len() as u64;
        if self.body.is_none() {
            let (more, rest) = taken.split_at((HEAD - self.head.len()).min(taken.len()));
            self.head.extend_from_slice(more);
            taken = rest;
            if self.head.len() == HEAD {
                self.begin(false, rows)?;
            }
        }
        if let Some(body) = &mut self.body {
            body.feed(taken, rows)?;
        }
        if excess.is_empty() { Ok(()) } else { Err(Refusal::TooLarge) }
    }

    /// Judges the beginning and reads it. `whole`: it's all there is.
    fn begin(&mut self, whole: bool, rows: &mut Vec<Row>) -> Result<(), Refusal> {
        if self.body.is_some() {
            return Ok(());
        }
        let head = std::mem::take(&mut self.head);
        let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head);
        judge_kind(text)?;
        if text.iter().all(u8::is_ascii_whitespace) && whole {
            return Err(Refusal::Empty);
        }
        let layout = Layout::of(text, whole).ok_or(Refusal::NoIds)?;
        if layout.in_one_line {
            let apart: Vec<u8> =
                text.iter().map(|byte| if *byte == layout.delimiter { b'\n' } else { *byte }).collect();
            return self.body.insert(Body::new(Layout { business: 0, ..layout })).feed(&apart, rows);
        }
        self.body.insert(Body::new(layout)).feed(text, rows)
    }
}

/// Refuses what isn't text.
fn judge_kind(head: &[u8]) -> Result<(), Refusal> {
    let nuls: usize = head.iter().map(|byte| usize::from(*byte == 0)).sum();
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xD0\xCF\x11\xE0") {
        Err(Refusal::Workbook)
    } else if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        Err(Refusal::Utf16)
    } else if nuls > 0 {
        // Every other byte of western text in UTF-16 is a NUL.
        let twofold = head.len() > 3 && nuls * 5 >= head.len() * 2 && nuls * 5 <= head.len() * 3;
        let in_step = |from: usize| head.iter().skip(from).step_by(2).all(|byte| *byte != 0);
        Err(if twofold && (in_step(0) || in_step(1)) { Refusal::Utf16 } else { Refusal::Binary })
    } else {
        Ok(())
    }
}

/// What reads rows, once the layout is known.
#[derive(Debug)]
struct Body {
    layout: Layout,
    csv: csv_core::Reader,
    /// The line that is being read.
    line: u32,
    /// The last byte was a carriage return, which a line feed may follow.
    after_return: bool,
    /// The line the record began in, once it has begun.
    began: Option<u32>,
    /// The column that is being read.
    column: usize,
    /// What stands in it so far, as far as it's kept.
    cell: Vec<u8>,
    business: Vec<u8>,
    solution: Vec<u8>,
    /// Something stands in the record.
    written: bool,
    header_is_due: bool,
    rows: u32,
}

impl Body {
    fn new(layout: Layout) -> Self {
        Self {
            csv: csv_core::ReaderBuilder::new().delimiter(layout.delimiter).build(),
            header_is_due: layout.header,
            layout,
            line: 1,
            after_return: false,
            began: None,
            column: 0,
            cell: Vec::new(),
            business: Vec::new(),
            solution: Vec::new(),
            written: false,
            rows: 0,
        }
    }

    fn feed(&mut self, bytes: &[u8], rows: &mut Vec<Row>) -> Result<(), Refusal> {
        let text = bytes.iter().position(|byte| *byte == 0).map_or(bytes, |nul| &bytes[..nul]);
        self.read(text, rows)?;
        if text.len() < bytes.len() { Err(Refusal::Binary) } else { Ok(()) }
    }

    fn finish(mut self, rows: &mut Vec<Row>) -> Result<(), Refusal> {
        if let Some(began) = self.began {
            // Within quotes a line's end is text; anywhere else it ends the record.
            let mut buffer = [0; CELL];
            let ReadFieldResult::Field { record_end } = self.csv.read_field(b"\n", &mut buffer).0 else {
                return Err(Refusal::OpenQuote(began));
            };
            self.end_field(record_end, rows)?;
        }
        if self.rows == 0 { Err(Refusal::Empty) } else { Ok(()) }
    }

    fn read(&mut self, mut bytes: &[u8], rows: &mut Vec<Row>) -> Result<(), Refusal> {
        let mut buffer = [0; CELL];
        // With nothing given the parser would take it for the end.
        while !bytes.is_empty() {
            let (result, read, written) = self.csv.read_field(bytes, &mut buffer);
            self.count_lines(&bytes[..read]);
            bytes = &bytes[read..];
            self.keep(&buffer[..written]);
            if let ReadFieldResult::Field { record_end } = result {
                self.end_field(record_end, rows)?;
            }
        }
        Ok(())
    }

    fn count_lines(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let follows = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if follows => {}
                b'\n' | b'\r' => self.line += 1,
                _ if self.began.is_none() => self.began = Some(self.line),
                _ => {}
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.written |= bytes.iter().any(|byte| !byte.is_ascii_whitespace());
        let room = CELL - self.cell.len().min(CELL);
        self.cell.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_field(&mut self, record_end: bool, rows: &mut Vec<Row>) -> Result<(), Refusal> {
        if self.column == self.layout.business {
            std::mem::swap(&mut self.business, &mut self.cell);
        } else if Some(self.column) == self.layout.solution {
            std::mem::swap(&mut self.solution, &mut self.cell);
        }
        self.cell.clear();
        self.column += 1;
        if record_end { self.end_record(rows) } else { Ok(()) }
    }

    fn end_record(&mut self, rows: &mut Vec<Row>) -> Result<(), Refusal> {
        let row = self.row();
        self.column = 0;
        self.began = None;
        self.business.clear();
        self.solution.clear();
        let blank = !std::mem::take(&mut self.written);
        if blank || std::mem::take(&mut self.header_is_due) {
            return Ok(());
        }
        if self.rows == MOST_ROWS {
            return Err(Refusal::TooManyRows);
        }
        self.rows += 1;
        rows.push(row);
        Ok(())
    }

    fn row(&self) -> Row {
        let (given, id) = cell_of(&self.business);
        let (given_solution, solution) = cell_of(&self.solution);
        let solution = (solution != Err(Unreadable::Empty)).then_some((given_solution, solution));
        Row { line: self.began.unwrap_or(self.line), given, id, solution }
    }
}

/// A cell as it's shown, and the id in it.
fn cell_of(cell: &[u8]) -> (String, Result<String, Unreadable>) {
    let text = String::from_utf8_lossy(cell);
    let id = match read_id(&text) {
        // What wasn't kept may be anything.
        Ok(_) | Err(Unreadable::Empty) if cell.len() == CELL => Err(Unreadable::NotDigits),
        id => id,
    };
    (text.trim().chars().take(GIVEN).collect(), id)
}
