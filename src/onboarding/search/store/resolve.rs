//! Names to ids, times to numbers.

use time::OffsetDateTime;

use super::{
    super::{
        asked::{Asked, Cond, Id, Which, Who},
        terms::{Key, Problem},
    },
    Filter, MOST_GATHERED,
    numbers::walk_in_order,
};
use crate::{businesses, db::TenantTx};

impl Filter {
    /// What `asked` means to the partner and to `member`; what waits since before `stalled_before` has stalled. Names that nobody has are added to the problems.
    pub async fn resolve(
        tx: &mut TenantTx,
        asked: Asked,
        member: i64,
        stalled_before: OffsetDateTime,
        problems: &mut Vec<Problem>,
    ) -> sqlx::Result<Self> {
        let mut filter = Self {
            asked,
            members: Vec::new(),
            managers: Vec::new(),
            solutions: Vec::new(),
            businesses: Vec::new(),
            numbers: Vec::new(),
            only: None,
            only_calls: None,
            first: 0,
            end: i64::MAX,
            stalled_before,
            stalled_end: i64::MAX,
        };
        filter.find_people(tx, member, problems).await?;
        filter.find_solutions(tx, problems).await?;
        filter.find_businesses(tx, problems).await?;
        filter.find_noted(tx, problems).await?;
        for Cond { excluded, any } in filter.asked.ids.clone() {
            let mut any = numbers_of(tx, &any[0]).await?;
            any.sort_unstable();
            filter.numbers.push(Cond { excluded, any });
        }
        filter.find_bounds(tx).await?;
        filter.gather(tx).await?;
        Ok(filter)
    }

    async fn find_people(&mut self, tx: &mut TenantTx, me: i64, problems: &mut Vec<Problem>) -> sqlx::Result<()> {
        let named =
            |conds: &[Cond<Who>]| conds.iter().flat_map(|cond| &cond.any).any(|who| matches!(who, Who::Called(_)));
        let partner = tx.partner().clone();
        let members = if named(&self.asked.by) || named(&self.asked.manager) {
            sqlx::query!(
                "SELECT member_id, name FROM members WHERE partner_id = $1 ORDER BY member_id",
                partner.as_str()
            )
            .fetch_all(&mut **tx)
            .await?
            .into_iter()
            .map(|row| (row.member_id, row.name))
            .collect()
        } else {
            Vec::new()
        };
        let mut find = |key, conds: &[Cond<Who>]| {
            conds
                .iter()
                .map(|cond| {
                    let ids = cond.any.iter().flat_map(|who| match who {
                        Who::Me => vec![me],
                        Who::Nobody => vec![0],
                        Who::Called(name) => called(name, &members).unwrap_or_else(|| {
                            problems.push(Problem::UnknownName { key, value: name.clone() });
                            Vec::new()
                        }),
                    });
                    Cond { excluded: cond.excluded, any: ids.collect() }
                })
                .collect()
        };
        self.members = find(Key::By, &self.asked.by);
        self.managers = find(Key::Manager, &self.asked.manager);
        Ok(())
    }

    async fn find_solutions(&mut self, tx: &mut TenantTx, problems: &mut Vec<Problem>) -> sqlx::Result<()> {
        if self.asked.solution.is_empty() {
            return Ok(());
        }
        let partner = tx.partner().clone();
        let rows = sqlx::query!(
            r#"SELECT solution_id::text AS "id!", name FROM solutions WHERE partner_id = $1 ORDER BY solution_id"#,
            partner.as_str()
        )
        .fetch_all(&mut **tx)
        .await?;
        let solutions: Vec<(String, String)> = rows.into_iter().map(|row| (row.id, row.name)).collect();
        for cond in &self.asked.solution {
            let mut any = Vec::new();
            for which in &cond.any {
                match which {
                    Which::None => any.push(String::new()),
                    Which::Called(id) if solutions.iter().any(|(known, _)| known == id) => any.push(id.clone()),
                    Which::Called(name) => match called(name, &solutions) {
                        Some(found) => any.extend(found),
                        None => problems.push(Problem::UnknownName { key: Key::Solution, value: name.clone() }),
                    },
                }
            }
            self.solutions.push(Cond { excluded: cond.excluded, any });
        }
        Ok(())
    }

    async fn find_businesses(&mut self, tx: &mut TenantTx, problems: &mut Vec<Problem>) -> sqlx::Result<()> {
        for cond in self.asked.business.clone() {
            let (mut any, mut common) = (Vec::new(), false);
            for name in cond.any {
                if name.bytes().all(|byte| byte.is_ascii_digit()) {
                    any.push(name.clone());
                }
                if let Some(ids) = businesses::businesses_called(tx, &name).await? {
                    any.extend(ids.into_iter().map(|id| id.as_str().to_owned()));
                } else {
                    problems.push(Problem::TooCommon { name });
                    common = true;
                }
            }
            if !common {
                self.businesses.push(Cond { excluded: cond.excluded, any });
            }
        }
        Ok(())
    }

    async fn find_noted(&mut self, tx: &mut TenantTx, problems: &mut Vec<Problem>) -> sqlx::Result<()> {
        for cond in self.asked.note.clone() {
            let (mut any, mut common) = (Vec::new(), false);
            for words in cond.any {
                let noted = businesses::businesses_noted(tx, &words).await?;
                if noted.more {
                    problems.push(Problem::TooManyNoted { words });
                    common = true;
                } else {
                    any.extend(noted.ids.into_iter().map(|id| id.as_str().to_owned()));
                }
            }
            if !common {
                self.businesses.push(Cond { excluded: cond.excluded, any });
            }
        }
        Ok(())
    }

    async fn find_bounds(&mut self, tx: &mut TenantTx) -> sqlx::Result<()> {
        if let Some(from) = self.asked.from {
            self.first = begins_at(tx, from).await?;
        }
        if let Some(below) = self.asked.below {
            self.end = ends_before(tx, below).await?;
        }
        if !self.asked.standings.is_all() {
            self.stalled_end = ends_before(tx, self.stalled_before).await?;
        }
        Ok(())
    }
}

/// What `requests_begin_at` steps back by.
const MARGIN: time::Duration = time::Duration::minutes(10);

/// A number from which on every request was asked for at that time or later: twice the margin, since the one it was found by may itself
/// be late.
pub(super) async fn ends_before(tx: &mut TenantTx, at: OffsetDateTime) -> sqlx::Result<i64> {
    Ok(begins_at(tx, at + 2 * MARGIN).await?.max(1))
}

async fn begins_at(tx: &mut TenantTx, at: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT requests_begin_at($1) AS "number!""#, at).fetch_one(&mut **tx).await
}

/// Who is called so: the whole name, else the beginning of one of its words; as with names of businesses, accents or none.
fn called<T: Clone>(name: &str, known: &[(T, String)]) -> Option<Vec<T>> {
    let name = businesses::fold(name);
    let of = |test: &dyn Fn(&str) -> bool| -> Vec<T> {
        known.iter().filter(|(_, known)| test(&businesses::fold(known))).map(|(id, _)| id.clone()).collect()
    };
    let whole = of(&|known| known == name);
    let found = if whole.is_empty() {
        of(&|known| known.starts_with(&name) || known.split_whitespace().any(|word| word.starts_with(&name)))
    } else {
        whole
    };
    (!found.is_empty()).then_some(found)
}

/// The requests that an id is of; where it is none's, those of businesses whose names have that word in them.
async fn numbers_of(tx: &mut TenantTx, id: &Id) -> sqlx::Result<Vec<i64>> {
    // In the order of the indexes, whatever statistics say: see gather.rs.
    walk_in_order(tx, true).await?;
    let found = numbers_of_id(tx, id).await?;
    walk_in_order(tx, false).await?;
    let (Id::Digits(word) | Id::Trace(word)) = id else { return Ok(found) };
    if !found.is_empty() {
        return Ok(found);
    }
    let Some(called) = businesses::businesses_called(tx, word).await? else { return Ok(found) };
    let called: Vec<String> = called.into_iter().map(|id| id.as_str().to_owned()).collect();
    let partner = tx.partner().clone();
    walk_in_order(tx, true).await?;
    let found = sqlx::query_scalar!(
        r#"
        SELECT r.number AS "number!" FROM unnest($2::text[]) AS called (id), LATERAL (
            SELECT number FROM requests WHERE partner_id = $1 AND business_id >= called.id AND business_id <= called.id
            ORDER BY business_id, number DESC OFFSET 0
        ) AS r LIMIT $3
        "#,
        partner.as_str() as _,
        &called,
        MOST_GATHERED,
    )
    .fetch_all(&mut **tx)
    .await?;
    walk_in_order(tx, false).await?;
    Ok(found)
}

async fn numbers_of_id(tx: &mut TenantTx, id: &Id) -> sqlx::Result<Vec<i64>> {
    let partner = tx.partner().clone();
    match id {
        Id::Request(number) => Ok(vec![*number]),
        Id::Digits(digits) => {
            sqlx::query_scalar!(
                r#"
                SELECT number AS "number!" FROM (
                    SELECT number FROM requests WHERE partner_id = $1 AND meta_request_id = $2
                    UNION SELECT r.number FROM (
                        SELECT $2::text AS id UNION SELECT business_id FROM wabas WHERE partner_id = $1 AND waba_id = $2
                    ) AS of_it, LATERAL (
                        SELECT number FROM requests WHERE partner_id = $1 AND business_id >= of_it.id AND business_id <= of_it.id
                        ORDER BY business_id, number DESC OFFSET 0
                    ) AS r
                ) AS either LIMIT $3
                "#,
                partner.as_str() as _,
                digits,
                MOST_GATHERED,
            )
            .fetch_all(&mut **tx)
            .await
        }
        Id::Trace(trace) => super::gather::numbers_of_traces(tx, std::slice::from_ref(trace)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::called;

    #[test]
    fn a_name_means_who_is_called_exactly_so_or_whose_name_has_a_word_that_begins_so() {
        let known = [(1, "Ana Moreira".to_owned()), (2, "Mariana Ana".to_owned()), (3, "Ana".to_owned())];
        for (name, found) in [
            ("Ana", Some(vec![3])),
            ("ana m", Some(vec![1])),
            ("MORE", Some(vec![1])),
            ("ána", Some(vec![3])),
            ("mar", Some(vec![2])),
            ("an", Some(vec![1, 2, 3])),
            ("eira", None),
        ] {
            assert_eq!(called(name, &known), found, "{name}");
        }
    }
}
