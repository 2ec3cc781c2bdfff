//! The audit log, read: a page or a piece of the file at a time, each by an index.

use sqlx::Result;

use super::super::model::{Filter, Row, Window};
use crate::{db::TenantTx, sign_in::Whence};

/// Rows of the log, newest first, `most` of them.
pub async fn list_audit(tx: &mut TenantTx, filter: &Filter, window: Window, most: i64) -> Result<Vec<Row>> {
    let (above, below, ascending) = match window {
        Window::Newest => (0, i64::MAX, false),
        Window::OlderThan(id) => (0, id, false),
        Window::NewerThan(id) => (id, i64::MAX, true),
    };
    let partner = tx.partner().clone();
    // Each branch keeps to the one index that fits it: an OR over the filters would take none.
    let rows = sqlx::query!(
        r#"
        WITH shown AS (
            (SELECT * FROM audit_log WHERE partner_id = $1 AND $2::bigint IS NULL AND $3::text IS NULL
                AND entry_id < $4 AND NOT $6 ORDER BY entry_id DESC LIMIT $7)
            UNION ALL
            (SELECT * FROM audit_log WHERE partner_id = $1 AND member_id = $2 AND ($3::text IS NULL OR act = $3)
                AND entry_id < $4 AND NOT $6 ORDER BY entry_id DESC LIMIT $7)
            UNION ALL
            (SELECT * FROM audit_log WHERE partner_id = $1 AND act = $3 AND $2::bigint IS NULL
                AND entry_id < $4 AND NOT $6 ORDER BY entry_id DESC LIMIT $7)
            UNION ALL
            (SELECT * FROM audit_log WHERE partner_id = $1 AND $2::bigint IS NULL AND $3::text IS NULL
                AND entry_id > $5 AND $6 ORDER BY entry_id LIMIT $7)
            UNION ALL
            (SELECT * FROM audit_log WHERE partner_id = $1 AND member_id = $2 AND ($3::text IS NULL OR act = $3)
                AND entry_id > $5 AND $6 ORDER BY entry_id LIMIT $7)
            UNION ALL
            (SELECT * FROM audit_log WHERE partner_id = $1 AND act = $3 AND $2::bigint IS NULL
                AND entry_id > $5 AND $6 ORDER BY entry_id LIMIT $7)
        )
        SELECT s.entry_id AS "entry_id!", s.at AS "at!", s.act AS "act!", coalesce(m.name, s.other, '') AS "who!", s.detail AS "detail!",
            host(s.address) AS address, s.agent AS "agent!"
        FROM shown s
        LEFT JOIN members m ON m.member_id = s.member_id
        ORDER BY s.entry_id DESC
        "#,
        partner.as_str(),
        filter.member,
        filter.act.map(crate::sign_in::Act::key),
        below,
        above,
        ascending,
        most,
    )
    .fetch_all(&mut **tx)
    .await?;
    let rows = rows.into_iter().map(|row| Row {
        id: row.entry_id,
        at: row.at,
        act: row.act,
        who: row.who,
        detail: row.detail,
        whence: Whence { address: row.address.and_then(|address| address.parse().ok()), agent: row.agent },
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;
    use time::OffsetDateTime;

    use super::*;
    use crate::{
        db::{Db, PartnerId},
        sign_in::{Act, Entry, Role, Who, audit, name_member},
    };

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-25 10:00 UTC);

    fn partner() -> PartnerId {
        "102000000000001".parse().unwrap()
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn pages_by_member_and_act_hold_each_row_once(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut members = Vec::new();
        for user in ["11", "12"] {
            let user = user.parse().unwrap();
            members.push(name_member(&db, &partner(), &user, "Ines", Role::Admin, NOW).await.unwrap());
        }
        let mut tx = db.tenant(&partner()).await.unwrap();
        for number in 0..40_usize {
            let act = if number % 4 == 0 { Act::Exported } else { Act::SignedIn };
            let (who, detail) = (Who::Member(members[number % 2]), number.to_string());
            let entry = Entry { at: NOW, act, who, detail, whence: Whence::default() };
            audit(&mut tx, &entry).await.unwrap();
        }
        for (member, act, expected) in [
            (None, None, 42),
            (Some(members[0]), None, 20),
            (Some(members[0]), Some(Act::Exported), 10),
            (Some(members[1]), Some(Act::Exported), 0),
            (None, Some(Act::SignedIn), 30),
            (Some(-1), None, 0),
        ] {
            let filter = Filter { member, act };
            let (mut down, mut window) = (Vec::new(), Window::Newest);
            loop {
                let rows = list_audit(&mut tx, &filter, window, 7).await.unwrap();
                let Some(last) = rows.last() else { break };
                window = Window::OlderThan(last.id);
                down.extend(rows.into_iter().map(|row| row.id));
            }
            assert_eq!(down.len(), expected, "{filter:?}");
            assert!(down.is_sorted_by(|one, next| one > next), "{filter:?}");
            let (mut up, mut window) = (Vec::new(), Window::NewerThan(0));
            loop {
                let rows = list_audit(&mut tx, &filter, window, 7).await.unwrap();
                let Some(first) = rows.first() else { break };
                window = Window::NewerThan(first.id);
                up.extend(rows.into_iter().rev().map(|row| row.id));
            }
            up.reverse();
            assert_eq!(up, down, "{filter:?}");
        }
    }
}
