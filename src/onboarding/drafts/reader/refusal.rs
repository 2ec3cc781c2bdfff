//! Why a list as a whole can't be taken, in words that help.

/// Why a list as a whole can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is in it.
    Empty,
    /// It isn't text.
    Binary,
    /// It's a workbook.
    Workbook,
    /// It's text in an encoding of two bytes a letter.
    Utf16,
    /// More than 10 MB.
    TooLarge,
    /// More than 100,000 rows.
    TooManyRows,
    /// No column holds ids.
    NoIds,
    /// A quotation mark opens in this line, and none closes.
    OpenQuote(u32),
}

impl Refusal {
    /// Its name in `?problem=`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "list_empty",
            Self::Binary => "list_binary",
            Self::Workbook => "list_workbook",
            Self::Utf16 => "list_utf16",
            Self::TooLarge => "list_too_large",
            Self::TooManyRows => "list_too_many_rows",
            Self::NoIds => "list_no_ids",
            Self::OpenQuote(_) => "list_open_quote",
        }
    }

    /// Reads `?problem=`, and `?line=` for the one that has a line.
    pub fn from_code(code: &str, line: Option<&str>) -> Option<Self> {
        let line = line.and_then(|line| line.parse().ok()).unwrap_or(1);
        [
            Self::Empty,
            Self::Binary,
            Self::Workbook,
            Self::Utf16,
            Self::TooLarge,
            Self::TooManyRows,
            Self::NoIds,
            Self::OpenQuote(line),
        ]
        .into_iter()
        .find(|refusal| refusal.code() == code)
    }

    /// What is wrong, and what helps.
    pub fn words(self) -> String {
        match self {
            Self::Empty => "There is no row in it. Choose a file with one business ID per row, or paste the IDs.".into(),
            Self::Binary => "This is not a text file. Export the list as CSV and choose that file.".into(),
            Self::Workbook => {
                "This is a workbook, not a CSV file. Open it in your spreadsheet, save it as CSV UTF-8, and choose that file."
                    .into()
            }
            Self::Utf16 => "This file is in UTF-16. Save it as CSV UTF-8 and choose that file.".into(),
            Self::TooLarge => "The list is larger than 10 MB. Keep the column with the business IDs, or split it.".into(),
            Self::TooManyRows => "The list has more than 100,000 rows. Split it and import the parts one by one.".into(),
            Self::NoIds => {
                "No column holds business IDs: they are 1 to 20 digits. Add a column named business_id and import it again."
                    .into()
            }
            Self::OpenQuote(line) => {
                format!("A quotation mark opens in row {line} and is never closed, so the rows after it can not be told apart. Close it, or take it out.")
            }
        }
    }
}
