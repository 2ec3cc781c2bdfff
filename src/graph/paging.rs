//! Lists in pages. The next page is asked for by cursor, with a URL of our own: the `next` Meta sends may carry the token,
//! and isn't ours to trust (2.7).

use serde_json::Value;
use url::Url;

use super::{
    error::Failure,
    request::Request,
    wire::{rows, text},
};

/// Rows asked for on each page; the most the lists give (2.1).
const LIMIT: &str = "100";

/// Where the next page begins; Meta's own text, with a meaning only to Meta.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor kept from an earlier page.
    pub fn from_stored(cursor: String) -> Self {
        Self(cursor)
    }

    /// Meta's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows; a page may have none and still not be the last.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
    /// Rows left out since they had no valid id.
    pub skipped: usize,
}

/// `request`, for the page that begins at `after`, or for the first.
pub(super) fn of_page(request: Request, after: Option<&Cursor>) -> Request {
    let request = request.with("limit", LIMIT);
    match after {
        Some(cursor) => request.with("after", cursor.as_str()),
        None => request,
    }
}

/// Reads the page that was asked for with `after`; `row` gives `None` for a row without a valid id.
pub(super) fn reader<T>(
    after: Option<&Cursor>,
    row: fn(&Value) -> Option<T>,
) -> impl FnOnce(&Value) -> Result<Page<T>, Failure> + Send + use<T> {
    let after = after.cloned();
    move |body| {
        let rows = body.get("data").and_then(rows).ok_or(Failure::UnexpectedShape)?;
        let next = next(body)?;
        if next.is_some() && next == after {
            return Err(Failure::RepeatedCursor);
        }
        let items: Vec<T> = rows.iter().copied().filter_map(row).collect();
        Ok(Page { skipped: rows.len() - items.len(), items, next })
    }
}

/// The cursor of the next page. There is one only if Meta names a `next`: the last page has an `after`, too.
///
/// A `next` without any cursor is an error: taken for the end, it would lose the rest of the list unseen.
fn next(body: &Value) -> Result<Option<Cursor>, Failure> {
    let Some((paging, next)) = body.get("paging").and_then(|paging| Some((paging, text(paging, "next")?))) else {
        return Ok(None);
    };
    let after = paging.get("cursors").and_then(|cursors| text(cursors, "after")).or_else(|| {
        let next = Url::parse(&next).ok()?;
        let (_, after) = next.query_pairs().find(|(name, value)| name == "after" && !value.is_empty())?;
        Some(after.into_owned())
    });
    after.map(|after| Some(Cursor(after))).ok_or(Failure::UnexpectedShape)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value, after: Option<&str>) -> Result<Page<String>, Failure> {
        let after = after.map(|after| Cursor(after.into()));
        reader(after.as_ref(), |row| text(row, "id"))(body)
    }

    fn page(items: &[&str], next: Option<&str>, skipped: usize) -> Page<String> {
        let items = items.iter().map(|&item| item.to_owned()).collect();
        Page { items, next: next.map(|next| Cursor(next.into())), skipped }
    }

    #[test]
    fn the_next_page_begins_at_the_cursor() {
        let body =
            json!({"data": [{"id": "1"}], "paging": {"cursors": {"after": "QVFI"}, "next": "https://x/y?after=other"}});
        assert_eq!(read(&body, None), Ok(page(&["1"], Some("QVFI"), 0)));
    }

    #[test]
    fn without_cursors_the_next_address_tells_the_cursor() {
        let body = json!({"data": [], "paging": {"next": "https://x/y?access_token=t&after=a%2Bb%3D&limit=25"}});
        assert_eq!(read(&body, Some("QVFI")), Ok(page(&[], Some("a+b="), 0)));
    }

    #[test]
    fn a_list_ends_only_where_no_next_is_named() {
        for last in [
            json!({"data": [{"id": 1}]}),
            json!({"data": [{"id": 1}], "paging": null}),
            json!({"data": [{"id": 1}], "paging": {"cursors": {"before": "a", "after": "b"}}}),
            json!({"data": [{"id": 1}], "paging": {"cursors": {"after": "b"}, "next": null}}),
        ] {
            assert_eq!(read(&last, None), Ok(page(&["1"], None, 0)));
        }
        let empty = json!({"data": [], "paging": {"cursors": {"after": "b"}, "next": "https://x/y"}});
        assert_eq!(read(&empty, None), Ok(page(&[], Some("b"), 0)));
    }

    #[test]
    fn a_next_page_that_is_this_page_is_an_error() {
        let body = json!({"data": [], "paging": {"cursors": {"after": "b"}, "next": "https://x/y"}});
        assert_eq!(read(&body, Some("b")), Err(Failure::RepeatedCursor));
    }

    #[test]
    fn a_next_without_a_cursor_is_an_error() {
        for next in ["https://x/y", "https://x/y?after=", "?after=b"] {
            assert_eq!(
                read(&json!({"data": [], "paging": {"next": next}}), None),
                Err(Failure::UnexpectedShape),
                "{next}"
            );
        }
    }

    #[test]
    fn rows_without_an_id_are_left_out_and_counted() {
        let body = json!({"data": {"1": {"id": "b"}, "0": {"id": "a"}, "2": {"name": "no id"}, "3": null, "4": 7}});
        assert_eq!(read(&body, None), Ok(page(&["a", "b"], None, 3)));
    }

    #[test]
    fn an_answer_without_a_list_is_an_error() {
        for body in [json!({}), json!({"data": null}), json!({"data": "x"}), json!([]), json!({"data": {"id": "1"}})] {
            assert_eq!(read(&body, None), Err(Failure::UnexpectedShape), "{body}");
        }
    }
}
