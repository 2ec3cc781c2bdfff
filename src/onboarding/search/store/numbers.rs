//! The numbers of a page: what passes the filter, newest first.
//!
//! A page costs a bounded number of rows, whatever is asked for and however little there is of it: [`look`] says how far it came.

use sqlx::PgConnection;

use super::{
    super::standings::Part,
    FILE_BUDGET, Filter,
    conditions::{Sql, push_age, push_parts, push_request_conditions, push_times},
};
use crate::{
    db::TenantTx,
    onboarding::model::{RequestNumber, State},
};

/// Which part of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The newest.
    Newest,
    /// Those next older than this one.
    OlderThan(RequestNumber),
    /// Those next newer than this one.
    NewerThan(RequestNumber),
}

/// What was found of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Newest first, but oldest first in [`Window::NewerThan`].
    pub numbers: Vec<i64>,
    /// The page isn't full, and there are rows that weren't looked at: this is the last one that was.
    pub looked_to: Option<RequestNumber>,
}

/// The numbers of a window, at most `most` of them, for which at most about `budget` rows are looked at.
pub async fn look(tx: &mut TenantTx, filter: &Filter, window: Window, most: i64, budget: i64) -> sqlx::Result<Looked> {
    let (first, end, ascending) = match window {
        Window::Newest => (filter.first, filter.end, false),
        Window::OlderThan(number) => (filter.first, filter.end.min(number.0), false),
        Window::NewerThan(number) => (filter.first.max(number.0.saturating_add(1)), filter.end, true),
    };
    let span = Span { first, end, ascending };
    match &filter.only {
        _ if first >= end || filter.asked.standings.parts().next().is_none() => {
            Ok(Looked { numbers: Vec::new(), looked_to: None })
        }
        Some(only) => {
            let from = only.partition_point(|number| *number < first);
            let to = only.partition_point(|number| *number < end);
            let numbers = among(tx, filter, &only[from.min(to)..to], span, most).await?;
            Ok(Looked { numbers, looked_to: None })
        }
        None => {
            walk_in_order(tx, true).await?;
            let walked = walk(tx, filter, span, most, budget).await?;
            walk_in_order(tx, false).await?;
            Ok(walked)
        }
    }
}

/// The same, however far it has to go for a full page: for files, which nobody waits in front of.
pub async fn numbers_of_page(tx: &mut TenantTx, filter: &Filter, window: Window, most: i64) -> sqlx::Result<Vec<i64>> {
    let (mut found, mut window) = (Vec::new(), window);
    loop {
        let wanted = most - i64::try_from(found.len()).unwrap_or(most);
        let looked = look(tx, filter, window, wanted, FILE_BUDGET).await?;
        found.extend(looked.numbers);
        let Some(number) = looked.looked_to else { return Ok(found) };
        window = match window {
            Window::NewerThan(_) => Window::NewerThan(number),
            Window::Newest | Window::OlderThan(_) => Window::OlderThan(number),
        };
    }
}

/// Numbers from the first up to, but not, the end, and which way they are walked.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    end: i64,
    ascending: bool,
}

impl Span {
    const fn order(self) -> &'static str {
        if self.ascending { " ORDER BY number" } else { " ORDER BY number DESC" }
    }

    /// The same up to a number, that one included.
    const fn up_to(self, number: i64) -> Self {
        if self.ascending { Self { end: number.saturating_add(1), ..self } } else { Self { first: number, ..self } }
    }

    fn holds(self, number: i64) -> bool {
        (self.first..self.end).contains(&number)
    }
}

/// Of few numbers those that pass: each row is asked for by itself.
async fn among(tx: &mut TenantTx, filter: &Filter, only: &[i64], span: Span, most: i64) -> sqlx::Result<Vec<i64>> {
    if only.is_empty() {
        return Ok(Vec::new());
    }
    let mut q = Sql::new("SELECT r.number FROM unnest(");
    q.push_bind(only.to_vec()).push(") AS asked (wanted), LATERAL (SELECT * FROM requests WHERE partner_id = ");
    q.push_bind(tx.partner().as_str().to_owned()).push(" AND number = wanted OFFSET 0) AS r WHERE TRUE");
    push_parts(&mut q, filter);
    push_times(&mut q, filter);
    push_request_conditions(&mut q, filter);
    q.push(span.order()).push(" LIMIT ").push_bind(most);
    q.build_query_scalar().fetch_all(&mut **tx).await
}

/// A way along the numbers of one state asked for, or of all.
#[derive(Clone, Copy)]
struct Way {
    part: Option<(State, Part)>,
    span: Span,
}

impl Way {
    const fn order(self) -> &'static str {
        match (self.part, self.span.ascending) {
            (None, _) => self.span.order(),
            (Some(_), true) => " ORDER BY state, number",
            (Some(_), false) => " ORDER BY state DESC, number DESC",
        }
    }
}

/// The ways on which something may be found.
fn ways(filter: &Filter, span: Span) -> Vec<Way> {
    let standings = filter.asked.standings;
    if standings.is_all() {
        return vec![Way { part: None, span }];
    }
    let ways = standings.parts().map(|(state, part)| {
        let end = if part == Part::Stalled { span.end.min(filter.stalled_end) } else { span.end };
        Way { part: Some((state, part)), span: Span { end, ..span } }
    });
    ways.filter(|way| way.span.first < way.span.end).collect()
}

/// Walks along the numbers of each state asked for, or of all, until the page is full or its share of the budget is used up.
async fn walk(tx: &mut TenantTx, filter: &Filter, span: Span, most: i64, budget: i64) -> sqlx::Result<Looked> {
    let ways = ways(filter, span);
    if ways.is_empty() {
        return Ok(Looked { numbers: Vec::new(), looked_to: None });
    }
    let each = (budget / i64::try_from(ways.len()).unwrap_or(i64::MAX)).max(1);
    let partner = tx.partner().as_str().to_owned();
    let mut q = Sql::new("SELECT number FROM (");
    for (at, way) in ways.iter().enumerate() {
        q.push(if at > 0 { " UNION ALL " } else { "" });
        q.push("(SELECT r.number FROM (SELECT * FROM requests");
        push_way(&mut q, &partner, *way);
        q.push(" LIMIT ").push_bind(each).push(") AS r WHERE ");
        push_span(&mut q, way.span);
        if let Some((_, part)) = way.part {
            push_age(&mut q, part, filter.stalled_before);
        }
        push_times(&mut q, filter);
        push_request_conditions(&mut q, filter);
        q.push(way.order()).push(" LIMIT ").push_bind(most).push(")");
    }
    q.push(") AS found").push(span.order()).push(" LIMIT ").push_bind(most);
    let mut numbers: Vec<i64> = q.build_query_scalar().fetch_all(&mut **tx).await?;
    let full = i64::try_from(numbers.len()).unwrap_or(i64::MAX) >= most;
    if full && ways.len() == 1 {
        return Ok(Looked { numbers, looked_to: None });
    }
    // Of a full page only that matters which lies before its last.
    let left = numbers.last().filter(|_| full).map_or(span, |last| span.up_to(*last));
    let unseen = first_unseen(tx, &partner, &ways, span.ascending, each).await?;
    let Some(unseen) = unseen.filter(|number| left.holds(*number)) else {
        return Ok(Looked { numbers, looked_to: None });
    };
    // One of the ways ended here: what the others found beyond is found again from here on, in its order.
    let seen = if span.ascending {
        numbers.retain(|number| *number < unseen);
        unseen.saturating_sub(1)
    } else {
        numbers.retain(|number| *number > unseen);
        unseen.saturating_add(1)
    };
    Ok(Looked { numbers, looked_to: Some(RequestNumber(seen)) })
}

/// The number nearest to the beginning at which one of the ways has used up its share.
async fn first_unseen(
    tx: &mut PgConnection,
    partner: &str,
    ways: &[Way],
    ascending: bool,
    each: i64,
) -> sqlx::Result<Option<i64>> {
    let mut q = Sql::new(if ascending { "SELECT min(number) FROM (" } else { "SELECT max(number) FROM (" });
    for (at, way) in ways.iter().enumerate() {
        q.push(if at > 0 { " UNION ALL " } else { "" });
        q.push("SELECT number FROM (SELECT number FROM requests");
        push_way(&mut q, partner, *way);
        q.push(" OFFSET ").push_bind(each).push(" LIMIT 1) AS way_end WHERE ");
        push_span(&mut q, way.span);
    }
    q.push(") AS ends");
    q.build_query_scalar().fetch_one(tx).await
}

/// The number lies in the span.
fn push_span(q: &mut Sql, span: Span) {
    q.push("number >= ").push_bind(span.first).push(" AND number < ").push_bind(span.end);
}

/// ` WHERE` what an index has in order from where the span begins, and that order: the partner, one state or all, and the numbers.
///
/// A state is asked for as a range of one, which only the index that has the states in order can give in it; as an equal one it would be
/// no part of the order, and where statistics are old the planner would as soon walk along all numbers. Within such a range no number
/// ends a walk: so it goes on past the end of the span, up to the end of its share, and what it meets there is left out afterwards.
fn push_way(q: &mut Sql, partner: &str, way: Way) {
    q.push(" WHERE partner_id = ").push_bind(partner.to_owned()).push(" AND ");
    let span = way.span;
    match way.part {
        None => push_span(q, span),
        Some((state, _)) if span.ascending => {
            q.push("(state, number) >= (").push_bind(state.as_str()).push(", ").push_bind(span.first);
            q.push(") AND state <= ").push_bind(state.as_str());
        }
        Some((state, _)) => {
            q.push("(state, number) < (").push_bind(state.as_str()).push(", ").push_bind(span.end);
            q.push(") AND state >= ").push_bind(state.as_str());
        }
    }
    q.push(way.order());
}

/// Several conditions at once look rarer to the planner than they are: it would rather fetch all of a state and sort it than walk along
/// until the page is full. Until the end of the transaction, or until it is told otherwise, it walks; and compiles
/// nothing, which takes longer than the walk.
pub(super) async fn walk_in_order(tx: &mut TenantTx, walk: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT set_config('enable_sort', $1, TRUE) AS a, set_config('enable_bitmapscan', $1, TRUE) AS b, \
            set_config('enable_seqscan', $1, TRUE) AS c, set_config('jit', 'off', TRUE) AS d",
        if walk { "off" } else { "on" },
    )
    .fetch_one(&mut **tx)
    .await
    .map(drop)
}
