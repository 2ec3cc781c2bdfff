//! One page of a sync after the other: read from Graph, and kept in Postgres with the place to go on from.
//!
//! Pages are read while those before them are being kept, and those of one list that have been read by then are kept together. So a
//! crash repeats what wasn't kept yet, and keeping a page twice changes nothing.

use super::{
    store::{self, OpenSync, Part, Progress, Reading},
    sync::{List, group},
};
use crate::{
    db::{PartnerId, TenantTx},
    graph::{self, Caller, Cursor, Solution, Waba},
    reconcile::wake,
    solutions::{self, Role},
};

/// Where a sync is: a page of one of its lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub part: Part,
    /// Graph's cursor; `None` for the first page.
    pub cursor: Option<Cursor>,
}

impl Place {
    pub fn of(open: &OpenSync) -> Self {
        Self { part: open.part, cursor: open.cursor.clone().map(Cursor::from_stored) }
    }

    /// Where to go on after a page: further in the list, else at the beginning of the next one, else nowhere.
    fn onward(&self, next: Option<Cursor>) -> Option<Self> {
        match next {
            Some(cursor) => Some(Self { part: self.part, cursor: Some(cursor) }),
            None => self.part.next().map(|part| Self { part, cursor: None }),
        }
    }
}

/// What a page told.
enum Rows {
    Wabas(List, Vec<Waba>),
    Solutions(Role, Vec<Solution>),
}

/// A page that was read, and isn't kept yet.
pub struct Page {
    part: Part,
    rows: Rows,
    /// Rows that couldn't be read.
    skipped: usize,
    /// Where to go on; `None` after the last page of the last list.
    pub onward: Option<Place>,
}

/// Reads the page at that place.
pub async fn read(caller: &Caller, partner: &PartnerId, place: Place) -> Result<Page, graph::Error> {
    let (portfolio, cursor) = (partner.as_business(), place.cursor.as_ref());
    let wabas = |list, page: graph::Page<Waba>| (Rows::Wabas(list, page.items), page.skipped, page.next);
    let solutions = |role, page: graph::Page<Solution>| (Rows::Solutions(role, page.items), page.skipped, page.next);
    let (rows, skipped, next) = match place.part {
        Part::ClientWabas => wabas(List::Client, caller.client_wabas(portfolio, cursor).await?),
        Part::OwnedWabas => wabas(List::Owned, caller.owned_wabas(portfolio, cursor).await?),
        Part::OwnedSolutions => solutions(Role::Owner, caller.solutions(Role::Owner.as_graph(), cursor).await?),
        Part::PartnerSolutions => solutions(Role::Partner, caller.solutions(Role::Partner.as_graph(), cursor).await?),
    };
    Ok(Page { part: place.part, rows, skipped, onward: place.onward(next) })
}

/// Takes the first pages that are of one list: what is kept at once is locked at once, in the order of the ids.
pub fn of_one_list(read: &mut Vec<Page>) -> Vec<Page> {
    let part = read.first().map(|page| page.part);
    let end = read.iter().position(|page| Some(page.part) != part).unwrap_or(read.len());
    read.drain(..end).collect()
}

/// What keeping pages came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// Businesses that weren't known.
    pub fresh: u64,
    /// Rows that couldn't be read.
    pub skipped: usize,
    /// The last page of the last list was among them.
    pub finished: bool,
}

/// Keeps pages of one list that follow each other. `is_whole`: every row of the sync's pages before them could be read.
pub async fn keep(tx: &mut TenantTx, pages: Vec<Page>, reading: Reading, is_whole: bool) -> sqlx::Result<Kept> {
    let Some(onward) = pages.last().map(|page| page.onward.clone()) else { return Ok(Kept::default()) };
    let finished = onward.is_none();
    let (number, skipped) = (pages.len(), pages.iter().map(|page| page.skipped).sum());
    let (mut wabas, mut fresh) = (0, 0);
    match joined(pages) {
        Some(Rows::Wabas(list, items)) => {
            wabas = items.len();
            let portfolio = tx.partner().as_business().clone();
            fresh = store::upsert(tx, reading, &group(list, items, &portfolio)).await?;
        }
        Some(Rows::Solutions(role, items)) => solutions::upsert(tx, role, &items, reading.now).await?,
        None => {}
    }
    let place = onward.as_ref().map(|place| (place.part, place.cursor.as_ref().map(Cursor::as_str)));
    store::record_pages(tx, reading.sync_id, Progress { place, pages: number, wabas, businesses: fresh, skipped })
        .await?;
    if finished {
        finish(tx, reading, is_whole && skipped == 0).await?;
    }
    Ok(Kept { fresh, skipped, finished })
}

/// Pages of one list as one.
fn joined(pages: Vec<Page>) -> Option<Rows> {
    pages.into_iter().map(|page| page.rows).reduce(|mut all, rows| {
        match (&mut all, rows) {
            (Rows::Wabas(_, all), Rows::Wabas(_, more)) => all.extend(more),
            (Rows::Solutions(_, all), Rows::Solutions(_, more)) => all.extend(more),
            // Not of one list.
            (Rows::Wabas(..), Rows::Solutions(..)) | (Rows::Solutions(..), Rows::Wabas(..)) => {}
        }
        all
    })
}

/// Ends the sync. `is_whole`: what it didn't see is gone; else what couldn't be read may be what seems to be missing.
async fn finish(tx: &mut TenantTx, reading: Reading, is_whole: bool) -> sqlx::Result<()> {
    if is_whole {
        store::mark_vanished(tx, reading).await?;
        solutions::mark_vanished(tx, reading.began_at, reading.now).await?;
    }
    store::finish_sync(tx, reading.sync_id, reading.now).await?;
    let partner = tx.partner().clone();
    // Requests move on with what was seen; the room that moves them knows us, not we it.
    wake(tx, "follow", &partner).await?;
    // So does what a webhook told of businesses we didn't know.
    wake(tx, "webhooks_again", &partner).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(part: Part, cursor: Option<&str>) -> Place {
        Place { part, cursor: cursor.map(|cursor| Cursor::from_stored(cursor.to_owned())) }
    }

    #[test]
    fn each_list_is_read_to_its_end_before_the_next_begins() {
        let next = Some(Cursor::from_stored("abc".to_owned()));
        let at = |part| place(part, Some("before"));
        assert_eq!(at(Part::ClientWabas).onward(next), Some(place(Part::ClientWabas, Some("abc"))));
        assert_eq!(at(Part::ClientWabas).onward(None), Some(place(Part::OwnedWabas, None)));
        assert_eq!(at(Part::OwnedWabas).onward(None), Some(place(Part::OwnedSolutions, None)));
        assert_eq!(at(Part::OwnedSolutions).onward(None), Some(place(Part::PartnerSolutions, None)));
        assert_eq!(at(Part::PartnerSolutions).onward(None), None);
    }

    #[test]
    fn what_is_kept_at_once_is_of_one_list() {
        const PARTS: [Part; 5] =
            [Part::ClientWabas, Part::ClientWabas, Part::OwnedWabas, Part::OwnedSolutions, Part::OwnedSolutions];
        let page = |part| Page { part, rows: Rows::Wabas(List::Client, Vec::new()), skipped: 0, onward: None };
        let mut read: Vec<Page> = PARTS.map(page).into();
        let mut kept = Vec::new();
        while !read.is_empty() {
            kept.push(of_one_list(&mut read).len());
        }
        assert_eq!(kept, [2, 1, 2]);
        assert!(of_one_list(&mut read).is_empty());
    }
}
