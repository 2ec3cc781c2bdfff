//! The conditions in SQL. Only fixed text is pushed; whatever was typed is bound.

use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;

use super::{
    super::{
        asked::{Cond, NO_ANSWER},
        standings::Part,
    },
    Filter,
};
use crate::graph::{Cause, Operation};

/// A query under construction.
pub type Sql = QueryBuilder<Postgres>;

/// ` AND [NOT] `, as the condition has it.
fn and<T>(q: &mut Sql, cond: &Cond<T>) {
    q.push(if cond.excluded { " AND NOT " } else { " AND " });
}

/// ` AND` everything asked of the request `r`, but for its state and its time.
pub fn push_request_conditions(q: &mut Sql, filter: &Filter) {
    let asked = &filter.asked;
    for cond in &filter.members {
        and(q, cond);
        q.push("r.member_id = ANY(").push_bind(cond.any.clone()).push(")");
    }
    for cond in &filter.solutions {
        and(q, cond);
        q.push("coalesce(r.solution_id, '') = ANY(").push_bind(cond.any.clone()).push("::text[])");
    }
    for cond in &asked.batch {
        and(q, cond);
        q.push("r.batch_number = ANY(").push_bind(cond.any.clone()).push(")");
    }
    for cond in &asked.cause {
        and(q, cond);
        let causes: Vec<&str> = cond.any.iter().map(|cause| Cause::as_str(*cause)).collect();
        q.push("coalesce(r.cause, '') = ANY(").push_bind(causes).push(")");
    }
    for cond in &filter.businesses {
        and(q, cond);
        q.push("r.business_id = ANY(").push_bind(cond.any.clone()).push("::text[])");
    }
    for cond in &filter.numbers {
        and(q, cond);
        q.push("r.number = ANY(").push_bind(cond.any.clone()).push(")");
    }
    // As values and not as joins: each row asks for the one business it is of.
    for cond in &asked.country {
        and(q, cond);
        push_business(q, "country", "''");
        q.push(" = ANY(").push_bind(cond.any.clone()).push(")");
    }
    for cond in &filter.managers {
        and(q, cond);
        push_business(q, "assigned_to", "0");
        q.push(" = ANY(").push_bind(cond.any.clone()).push(")");
    }
    // In the list of calls these are asked of the call itself.
    if !asked.calls {
        if positive_calls(filter) {
            push_some_call(q, filter);
        }
        push_excluded_calls(q, filter);
    }
}

fn push_business(q: &mut Sql, column: &'static str, none: &'static str) {
    q.push("coalesce((SELECT b.").push(column);
    q.push(" FROM businesses b WHERE b.partner_id = r.partner_id AND b.business_id = r.business_id), ")
        .push(none)
        .push(")");
}

fn positive_calls(filter: &Filter) -> bool {
    let asked = &filter.asked;
    asked.code.iter().any(|cond| !cond.excluded)
        || asked.subcode.iter().any(|cond| !cond.excluded)
        || asked.status.iter().any(|cond| !cond.excluded)
        || asked.trace.iter().any(|cond| !cond.excluded)
        || asked.call.iter().any(|cond| !cond.excluded)
}

/// The calls of the request `r`, as `c`. OFFSET 0 keeps them a question of each row: turned into a join it would read every call there
/// is. In the order of their index: where statistics are older than the partner's calls, another one that begins with the partner looks
/// as good.
const CALLS_OF_IT: &str = "EXISTS (SELECT FROM (
    SELECT * FROM graph_calls WHERE partner_id = r.partner_id AND number IS NOT NULL AND number = r.number ORDER BY call_id OFFSET 0
) AS c WHERE TRUE";

fn push_some_call(q: &mut Sql, filter: &Filter) {
    q.push(" AND ").push(CALLS_OF_IT);
    push_call_conditions(q, filter, false);
    q.push(")");
}

/// No call fits any of what is excluded.
fn push_excluded_calls(q: &mut Sql, filter: &Filter) {
    let asked = &filter.asked;
    let mut push = |condition: &dyn Fn(&mut Sql)| {
        q.push(" AND NOT ").push(CALLS_OF_IT).push(" AND ");
        condition(q);
        q.push(")");
    };
    for cond in asked.code.iter().filter(|cond| cond.excluded) {
        push(&|q| push_code(q, "error_code", &cond.any));
    }
    for cond in asked.subcode.iter().filter(|cond| cond.excluded) {
        push(&|q| push_code(q, "error_subcode", &cond.any));
    }
    for cond in asked.status.iter().filter(|cond| cond.excluded) {
        push(&|q| push_status(q, cond));
    }
    for cond in asked.trace.iter().filter(|cond| cond.excluded) {
        push(&|q| push_trace(q, cond));
    }
    for cond in asked.call.iter().filter(|cond| cond.excluded) {
        push(&|q| push_operation(q, &cond.any));
    }
}

/// ` AND` everything asked of the call `c`.
pub fn push_call_conditions(q: &mut Sql, filter: &Filter, with_excluded: bool) {
    let asked = &filter.asked;
    for cond in asked.code.iter().filter(|cond| with_excluded || !cond.excluded) {
        and(q, cond);
        push_code(q, "error_code", &cond.any);
    }
    for cond in asked.subcode.iter().filter(|cond| with_excluded || !cond.excluded) {
        and(q, cond);
        push_code(q, "error_subcode", &cond.any);
    }
    for cond in asked.status.iter().filter(|cond| with_excluded || !cond.excluded) {
        and(q, cond);
        push_status(q, cond);
    }
    for cond in asked.trace.iter().filter(|cond| with_excluded || !cond.excluded) {
        and(q, cond);
        push_trace(q, cond);
    }
    for cond in asked.call.iter().filter(|cond| with_excluded || !cond.excluded) {
        and(q, cond);
        push_operation(q, &cond.any);
    }
}

fn push_code(q: &mut Sql, column: &'static str, codes: &[i64]) {
    q.push("(c.").push(column).push(" IS NOT NULL AND c.").push(column);
    q.push(" = ANY(").push_bind(codes.to_vec()).push("))");
}

fn push_status(q: &mut Sql, cond: &Cond<std::ops::RangeInclusive<i32>>) {
    q.push("(FALSE");
    for range in &cond.any {
        q.push(" OR coalesce(c.http_status, ").push(NO_ANSWER).push(") BETWEEN ").push_bind(*range.start());
        q.push(" AND ").push_bind(*range.end());
    }
    q.push(")");
}

fn push_trace(q: &mut Sql, cond: &Cond<String>) {
    q.push("(coalesce(c.fbtrace_id, '') = ANY(").push_bind(cond.any.clone());
    q.push(") OR coalesce(c.x_fb_request_id, '') = ANY(").push_bind(cond.any.clone()).push("))");
}

fn push_operation(q: &mut Sql, operations: &[Operation]) {
    let names: Vec<&str> = operations.iter().map(|operation| operation.as_str()).collect();
    q.push("c.operation = ANY(").push_bind(names).push(")");
}

/// ` AND` the times asked for.
pub fn push_times(q: &mut Sql, filter: &Filter) {
    if let Some(from) = filter.asked.from {
        q.push(" AND r.queued_at >= ").push_bind(from);
    }
    if let Some(below) = filter.asked.below {
        q.push(" AND r.queued_at < ").push_bind(below);
    }
}

/// ` AND` one of the states asked for, where not all are.
pub fn push_parts(q: &mut Sql, filter: &Filter) {
    if filter.asked.standings.is_all() {
        return;
    }
    q.push(" AND (FALSE");
    for (state, part) in filter.asked.standings.parts() {
        q.push(" OR (r.state = ").push_bind(state.as_str());
        push_age(q, part, filter.stalled_before);
        q.push(")");
    }
    q.push(")");
}

/// ` AND` what of a state has stalled or has not.
pub fn push_age(q: &mut Sql, part: Part, stalled_before: OffsetDateTime) {
    match part {
        Part::Whole => {}
        Part::Fresh => {
            q.push(" AND r.answered_at >= ").push_bind(stalled_before);
        }
        Part::Stalled => {
            q.push(" AND r.answered_at < ").push_bind(stalled_before);
        }
    }
}
