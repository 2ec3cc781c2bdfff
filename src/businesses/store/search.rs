//! Search: which businesses a question means. Never more than a bounded number of rows are looked at, but for notes, which are read all.

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;

use super::managed::narrow;
use crate::{
    businesses::{
        model::Standing,
        name_key::{LAST_LETTER, WordQuery},
        notes::businesses_noted,
        query::{ANY_NOTE, Filter, Query},
        search::Search,
    },
    db::TenantTx,
    graph::{BusinessId, MOST_DIGITS, WabaId},
};

/// The most that one way of searching finds. A word that stands in more names than these is one to add another word to.
const MOST_FOUND: i32 = 1_000;
/// Names that begin alike of which the nearest are picked: each costs as much to compare as to find.
const MOST_COMPARED: i32 = 200;
/// Words that begin alike of which each is looked for. Where there are more, an index goes through them about as soon by their beginning.
const MOST_SPELT_OUT: i64 = 50;
/// The same of all beginnings together: asked for many more words, Postgres reads all names.
const MOST_SPELT_OUT_IN_ALL: usize = 100;
/// Words to compare with one that is misspelt.
const MOST_WORDS_LIKE: i32 = 5;
/// Near names to offer.
const MOST_LIKE: i64 = 3;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Businesses found one by one; those of `range` aren't among them.
    pub hits: Vec<Hit>,
    /// Beside those: every business whose folded name lies from the first up to, but not, the second.
    pub range: Option<(String, String)>,
    /// The ways of search that look at ids or words stopped at their most.
    pub more: bool,
    /// Only some of the businesses with such a note were looked at.
    pub more_noted: bool,
    /// The id asked for is this WABA's.
    pub waba: Option<WabaId>,
}

/// A business found, with what filters and order go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub id: String,
    pub key: String,
    pub standing: Standing,
    pub needs_payment: bool,
    pub requested: bool,
    pub waiting_since: Option<OffsetDateTime>,
}

impl Hit {
    /// Whether the chip shows it.
    pub fn is_behind(&self, filter: Filter, stalled_before: OffsetDateTime) -> bool {
        match filter {
            Filter::All => true,
            Filter::NotRequested => !self.requested,
            Filter::Stalled => self.is_stalled(stalled_before),
            Filter::NeedsAttention => {
                self.standing == Standing::Failed || self.needs_payment || self.is_stalled(stalled_before)
            }
            _ => filter.standings().is_some_and(|standings| standings.contains(&self.standing)),
        }
    }

    fn is_stalled(&self, stalled_before: OffsetDateTime) -> bool {
        self.waiting_since.is_some_and(|since| since < stalled_before)
    }
}

impl Found {
    /// Of what was found, what is among others that were found one by one.
    fn among(self, others: Self) -> Self {
        let named: HashSet<&str> = self.hits.iter().map(|hit| hit.id.as_str()).collect();
        let in_range =
            |key: &str| self.range.as_ref().is_some_and(|(from, to)| (from.as_str()..to.as_str()).contains(&key));
        let hits =
            others.hits.into_iter().filter(|hit| named.contains(hit.id.as_str()) || in_range(&hit.key)).collect();
        let more = self.more || others.more;
        Self { hits, range: None, more, more_noted: others.more_noted, waba: self.waba }
    }
}

/// What a view of the list is about, whatever its chip and page; `None`: every business.
pub async fn find_asked(tx: &mut TenantTx, query: &Query) -> sqlx::Result<Option<Found>> {
    let mut found = match query.search() {
        Some(search) => Some(find(tx, &search).await?),
        None => None,
    };
    if !query.note.is_empty() {
        let noted = by_note(tx, &query.note).await?;
        found = Some(match found {
            Some(found) => found.among(noted),
            None => noted,
        });
    }
    match (found, query.manager) {
        (Some(found), Some(manager)) => narrow(tx, found, manager).await.map(Some),
        (found, _) => Ok(found),
    }
}

/// Finds what was asked for: digits are an id, else its beginning, else a name; words are looked for at the beginning of a name and
/// inside it.
pub async fn find(tx: &mut TenantTx, search: &Search) -> sqlx::Result<Found> {
    if let (Some(digits), true) = (&search.digits, search.digits_first) {
        let found = by_id(tx, digits).await?;
        if !found.hits.is_empty() {
            return Ok(found);
        }
    }
    let found = by_name(tx, search).await?;
    match &search.digits {
        Some(digits) if !search.digits_first && is_empty(tx, &found).await? => by_id(tx, digits).await,
        _ => Ok(found),
    }
}

/// A business as the queries below select it.
macro_rules! hits {
    ($tx:expr, $query:expr, $($given:expr),+ $(,)?) => {
        sqlx::query_as!(HitRow, $query, $($given),+).fetch_all(&mut **$tx).await
    };
}

struct HitRow {
    id: String,
    key: String,
    stands: String,
    unpaid: bool,
    requested: bool,
    waits_since: Option<OffsetDateTime>,
}

impl From<HitRow> for Hit {
    fn from(row: HitRow) -> Self {
        Self {
            id: row.id,
            key: row.key,
            standing: Standing::from_stored(&row.stands),
            needs_payment: row.unpaid,
            requested: row.requested,
            waiting_since: row.waits_since,
        }
    }
}

async fn by_id(tx: &mut TenantTx, digits: &str) -> sqlx::Result<Found> {
    let exact = by_whole_id(tx, digits).await?;
    if !exact.hits.is_empty() {
        return Ok(exact);
    }
    let partner = tx.partner().clone();
    // Ids are digits, which every collation sorts alike, so the keys' own indexes find those that begin so: up to the last of them.
    let last = format!("{digits:9<MOST_DIGITS$}");
    let rows = hits!(
        tx,
        r#"WITH either AS (
            (SELECT business_id FROM businesses WHERE partner_id = $1 AND business_id >= $2 AND business_id <= $3 LIMIT $4)
            UNION
            (SELECT business_id FROM wabas WHERE partner_id = $1 AND waba_id >= $2 AND waba_id <= $3 LIMIT $4)
        )
        SELECT b.business_id::text AS "id!", b.name_key AS "key!", b.standing AS "stands!", b.needs_payment AS "unpaid!",
            b.last_request_number IS NOT NULL AS "requested!", b.waiting_since AS waits_since
        FROM either, LATERAL (
            SELECT * FROM businesses WHERE partner_id = $1 AND business_id = either.business_id AND left_at IS NULL OFFSET 0
        ) AS b
        LIMIT $4"#,
        partner.as_str() as _,
        digits,
        last,
        i64::from(MOST_FOUND) + 1,
    )?;
    Ok(capped(rows))
}

/// The business with this id, or whose WABA has it.
async fn by_whole_id(tx: &mut TenantTx, digits: &str) -> sqlx::Result<Found> {
    let partner = tx.partner().clone();
    let rows = hits!(
        tx,
        r#"SELECT b.business_id::text AS "id!", b.name_key AS "key!", b.standing AS "stands!", b.needs_payment AS "unpaid!",
            b.last_request_number IS NOT NULL AS "requested!", b.waiting_since AS waits_since
        FROM (
            SELECT $2::text AS id UNION SELECT business_id FROM wabas WHERE partner_id = $1 AND waba_id = $2
        ) AS either, LATERAL (
            SELECT * FROM businesses WHERE partner_id = $1 AND business_id = either.id AND left_at IS NULL OFFSET 0
        ) AS b"#,
        partner.as_str() as _,
        digits,
    )?;
    let is_wabas = !rows.is_empty() && rows.iter().all(|row| row.id != digits);
    let waba = is_wabas.then(|| WabaId::from_stored(digits.to_owned()));
    Ok(Found { waba, ..capped(rows) })
}

/// The businesses with a note that has these words in it, or with any note.
async fn by_note(tx: &mut TenantTx, words: &str) -> sqlx::Result<Found> {
    let words = if words == ANY_NOTE { "" } else { words };
    let noted = businesses_noted(tx, words).await?;
    let ids: Vec<&str> = noted.ids.iter().map(BusinessId::as_str).collect();
    let partner = tx.partner().clone();
    let rows = hits!(
        tx,
        r#"SELECT b.business_id::text AS "id!", b.name_key AS "key!", b.standing AS "stands!", b.needs_payment AS "unpaid!",
            b.last_request_number IS NOT NULL AS "requested!", b.waiting_since AS waits_since
        FROM unnest($2::text[]) AS noted (id), LATERAL (
            SELECT * FROM businesses WHERE partner_id = $1 AND business_id = noted.id AND left_at IS NULL OFFSET 0
        ) AS b"#,
        partner.as_str() as _,
        &ids as _,
    )?;
    Ok(Found { more: noted.more, more_noted: noted.more, ..capped(rows) })
}

async fn by_name(tx: &mut TenantTx, search: &Search) -> sqlx::Result<Found> {
    let range = search.range();
    let Some(words) = spelt_out(tx, search.words.as_ref()).await? else {
        return Ok(Found { range, ..Found::default() });
    };
    let partner = tx.partner().clone();
    let rows = hits!(
        tx,
        r#"SELECT found_id AS "id!", found_key AS "key!", stands AS "stands!", unpaid AS "unpaid!", requested AS "requested!", waits_since
        FROM businesses_with_words($1::text::tsquery, $2::text::tsquery, $3)"#,
        words.strong(&partner),
        words.weak(&partner),
        MOST_FOUND + 1,
    )?;
    let mut found = capped(rows);
    if let Some((from, to)) = &range {
        found.hits.retain(|hit| !(from.as_str()..to.as_str()).contains(&hit.key.as_str()));
    }
    Ok(Found { range, ..found })
}

/// The words asked for, whole where few of the partner's words begin so; `None` where no name can have them all.
pub(super) async fn spelt_out(tx: &mut TenantTx, asked: Option<&WordQuery>) -> sqlx::Result<Option<WordQuery>> {
    let Some(asked) = asked else { return Ok(None) };
    let known = words_that_begin(tx, &asked.beginnings()).await?;
    let spelt = asked.spelt_out(|beginning| known.get(beginning).cloned());
    Ok(Some(spelt).filter(|spelt| !spelt.is_hopeless()))
}

/// The partner's words that begin so, but for beginnings that too many words have.
async fn words_that_begin(tx: &mut TenantTx, beginnings: &[String]) -> sqlx::Result<HashMap<String, Vec<String>>> {
    let mut known: HashMap<String, Vec<String>> = beginnings.iter().cloned().map(|word| (word, Vec::new())).collect();
    if beginnings.is_empty() {
        return Ok(known);
    }
    let partner = tx.partner().clone();
    let rows = sqlx::query!(
        r#"SELECT b.beginning AS "beginning!", w.word FROM unnest($2::text[]) AS b (beginning), LATERAL (
            SELECT word FROM name_words WHERE partner_id = $1 AND word >= b.beginning AND word < b.beginning || $3 ORDER BY word LIMIT $4
        ) AS w"#,
        partner.as_str() as _,
        beginnings,
        LAST_LETTER,
        MOST_SPELT_OUT + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in rows {
        known.entry(row.beginning).or_default().push(row.word);
    }
    let mut counts: Vec<(usize, String)> = known.iter().map(|(word, words)| (words.len(), word.clone())).collect();
    counts.sort_unstable();
    let mut all = 0;
    for (count, word) in counts {
        all += count;
        if all > MOST_SPELT_OUT_IN_ALL || i64::try_from(count).is_ok_and(|count| count > MOST_SPELT_OUT) {
            known.remove(&word);
        }
    }
    Ok(known)
}

fn capped(mut rows: Vec<HitRow>) -> Found {
    let most = usize::try_from(MOST_FOUND).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    Found { hits: rows.into_iter().map(Hit::from).collect(), more, ..Found::default() }
}

async fn is_empty(tx: &mut TenantTx, found: &Found) -> sqlx::Result<bool> {
    let Some((from, to)) = found.range.as_ref().filter(|_| found.hits.is_empty()) else {
        return Ok(found.hits.is_empty());
    };
    let partner = tx.partner().clone();
    let any = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM businesses WHERE partner_id = $1 AND left_at IS NULL AND name_key >= $2 AND name_key < $3) AS "any!""#,
        partner.as_str() as _,
        from,
        to,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(!any)
}

/// The names that look most like what was asked for, best first: those that have each word, or one that looks like it; else those that
/// have any. Each statement may take 150 ms; after that there is none. Takes the transaction, which isn't of use then.
pub async fn name_like(mut tx: TenantTx, search: &Search) -> sqlx::Result<Vec<(BusinessId, String)>> {
    // Digits that are nobody's id look like any other digits.
    let asked = search.words.as_ref().filter(|_| !search.digits_first).map(WordQuery::without_short);
    let Some(asked) = asked else { return Ok(Vec::new()) };
    sqlx::query!("SET LOCAL statement_timeout = '150ms'").execute(&mut *tx).await?;
    match near(&mut tx, &asked, &search.prefix).await {
        Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() == Some(QUERY_CANCELED) => Ok(Vec::new()),
        answer => answer,
    }
}

async fn near(tx: &mut TenantTx, asked: &WordQuery, key: &str) -> sqlx::Result<Vec<(BusinessId, String)>> {
    let mut known = words_that_begin(tx, &asked.beginnings()).await?;
    let few: Vec<String> = known.keys().cloned().collect();
    if !few.is_empty() {
        let like = sqlx::query!(
            r#"SELECT asked_word AS "asked!", like_word AS "like!" FROM words_like($1, $2)"#,
            &few,
            MOST_WORDS_LIKE,
        );
        for row in like.fetch_all(&mut **tx).await? {
            known.entry(row.asked).or_default().push(row.like);
        }
    }
    let spelt = asked.spelt_out(|beginning| known.get(beginning).cloned());
    let apart = spelt.apart();
    let whole = if spelt.is_hopeless() { Vec::new() } else { vec![spelt] };
    let near = nearest(tx, &whole, key).await?;
    // Of one word the only piece is the whole.
    if near.is_empty() && apart != whole { nearest(tx, &apart, key).await } else { Ok(near) }
}

/// Of names that have all words of any of the queries, as many as are compared for each, those that look most like the key.
async fn nearest(tx: &mut TenantTx, queries: &[WordQuery], key: &str) -> sqlx::Result<Vec<(BusinessId, String)>> {
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let partner = tx.partner().clone();
    let queries: Vec<String> = queries.iter().map(|query| query.strong(&partner)).collect();
    let rows = sqlx::query!(
        r#"SELECT near.found_id AS "business_id!", b.name FROM (
            SELECT found.*, word_similarity($4, found_key) AS alike FROM (
                SELECT DISTINCT w.found_id, w.found_key FROM unnest($2::text[]) AS query (words), LATERAL (
                    SELECT found_id, found_key FROM businesses_with_words(query.words::tsquery, NULL, $3)
                ) AS w
            ) AS found
            ORDER BY alike DESC, similarity(found_key, $4) DESC, found_key, found_id LIMIT $5
        ) AS near, LATERAL (
            SELECT name FROM businesses WHERE partner_id = $1 AND business_id = near.found_id OFFSET 0
        ) AS b
        ORDER BY near.alike DESC, similarity(near.found_key, $4) DESC, near.found_key, near.found_id"#,
        partner.as_str() as _,
        &queries,
        MOST_COMPARED,
        key,
        MOST_LIKE,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (BusinessId::from_stored(row.business_id), row.name)).collect())
}

/// Postgres's code for a statement that took too long.
const QUERY_CANCELED: &str = "57014";
