//! The sessions of a member that haven't ended, and their ending by somebody else than their browser. Sessions belong to no
//! tenant: who calls makes sure that the member is one of the partner whose people ask.
//!
//! A person of several partners has one session for all of them, and it ends for all of them.

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use tower_sessions::session::Id;

use super::{
    session::{End, SIGNED_IN, SignedIn},
    session_store::hash,
    whence::Whence,
};
use crate::db::Db;

/// Tells one session from another; worth nothing to who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionMark(Vec<u8>);

impl SessionMark {
    pub(super) fn of(id: &Id) -> Self {
        Self(hash(id))
    }
}

/// A session that hasn't ended.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// How a page names it.
    pub number: i64,
    pub began_at: OffsetDateTime,
    /// To the minute.
    pub used_at: OffsetDateTime,
    /// From where it began.
    pub whence: Whence,
    /// To be compared with `Visit::session`.
    pub mark: SessionMark,
}

/// A member's sessions, the one used last first; a hundred at most.
///
/// # Errors
/// When Postgres can't be reached.
pub async fn open_sessions(db: &Db, member_id: i64, now: OffsetDateTime) -> sqlx::Result<Vec<OpenSession>> {
    list_open(&mut *db.pool().acquire().await?, member_id, now).await
}

async fn list_open(
    connection: &mut PgConnection,
    member_id: i64,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<OpenSession>> {
    let rows = sqlx::query!(
        r#"
        SELECT session_number, id_hash, data -> 'signed_in' AS "signed_in!", created_at, coalesce(used_at, created_at) AS "used_at!"
        FROM sessions
        WHERE data -> 'signed_in' -> 'memberships' @> jsonb_build_array(jsonb_build_object('member_id', $1::bigint))
            AND ended IS NULL AND expires_at > $2
        ORDER BY 5 DESC, session_number DESC LIMIT 100
        "#,
        member_id,
        now,
    )
    .fetch_all(connection)
    .await?;
    let sessions = rows.into_iter().map(|row| OpenSession {
        number: row.session_number,
        began_at: row.created_at,
        used_at: row.used_at,
        whence: SignedIn::find(&[(SIGNED_IN.to_owned(), row.signed_in)].into())
            .map(|who| who.whence)
            .unwrap_or_default(),
        mark: SessionMark(row.id_hash),
    });
    Ok(sessions.collect())
}

/// For how long a browser can be told that its session was ended.
const REMEMBERED: Duration = Duration::days(7);

/// Ends one session of a member and gives it back; `None` when it has ended already, or isn't theirs. In the transaction that writes it
/// down, with the owner's rights.
///
/// # Errors
/// When Postgres can't be reached.
pub async fn end_session(
    tx: &mut PgConnection,
    member_id: i64,
    number: i64,
    end: End,
    now: OffsetDateTime,
) -> sqlx::Result<Option<OpenSession>> {
    let open = list_open(tx, member_id, now).await?;
    let Some(session) = open.into_iter().find(|session| session.number == number) else { return Ok(None) };
    let done = sqlx::query!(
        "UPDATE sessions SET ended = $2, expires_at = $3 WHERE session_number = $1 AND ended IS NULL",
        number,
        end.as_stored(),
        now + REMEMBERED,
    )
    .execute(tx)
    .await?;
    Ok((done.rows_affected() == 1).then_some(session))
}

/// Ends all sessions of a member but the one to be spared, and says how many. As [`end_session`].
///
/// # Errors
/// When Postgres can't be reached.
pub async fn end_sessions(
    tx: &mut PgConnection,
    member_id: i64,
    spared: Option<&SessionMark>,
    end: End,
    now: OffsetDateTime,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "UPDATE sessions SET ended = $3, expires_at = $4
         WHERE data -> 'signed_in' -> 'memberships' @> jsonb_build_array(jsonb_build_object('member_id', $1::bigint))
           AND id_hash IS DISTINCT FROM $2 AND ended IS NULL AND expires_at > $5",
        member_id,
        spared.map(|mark| mark.0.as_slice()),
        end.as_stored(),
        now + REMEMBERED,
        now,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::PgPool;
    use tower_sessions::{SessionStore, session::Record};

    use super::{
        super::session_store::{Found, Sessions},
        *,
    };
    use crate::clock::Clock;

    const START: OffsetDateTime = time::macros::datetime!(2026-11-25 10:00 UTC);

    async fn begin(sessions: &Sessions, members: &[i64], agent: &str) -> Id {
        let memberships: Vec<_> =
            members.iter().map(|id| json!({"partner": "1", "partner_name": "One", "member_id": id})).collect();
        let signed_in = json!({
            "facebook_user": "9", "memberships": memberships, "current": "1", "whence": {"address": "198.51.100.7", "agent": agent},
        });
        let data = [(SIGNED_IN.to_owned(), signed_in)].into();
        let mut record = Record { id: Id::default(), data, expiry_date: START };
        sessions.create(&mut record).await.unwrap();
        record.id
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_members_sessions_are_theirs_alone_the_last_used_first(pool: PgPool) {
        let (db, clock) = (Db::from_pool(pool), Clock::standing_at(START));
        let sessions = Sessions::new(db.clone(), clock.clone());
        let first = begin(&sessions, &[7], "Firefox/145.0 Linux").await;
        begin(&sessions, &[17, 70], "").await;
        clock.advance(std::time::Duration::from_mins(10));
        let second = begin(&sessions, &[3, 7], "curl/8.5.0").await;
        let listed = open_sessions(&db, 7, clock.now()).await.unwrap();
        let marks: Vec<_> = listed.iter().map(|session| session.mark.clone()).collect();
        assert_eq!(marks, [SessionMark::of(&second), SessionMark::of(&first)]);
        assert_eq!(listed[0].whence.agent, "curl/8.5.0");
        assert_eq!(listed[0].whence.address, Some([198, 51, 100, 7].into()));
        clock.advance(std::time::Duration::from_mins(2));
        sessions.load(&first).await.unwrap();
        let listed = open_sessions(&db, 7, clock.now()).await.unwrap();
        assert_eq!((&listed[0].mark, listed[0].used_at), (&SessionMark::of(&first), clock.now()));
        clock.advance(std::time::Duration::from_hours(1));
        assert!(open_sessions(&db, 7, clock.now()).await.unwrap().is_empty(), "both have ended by themselves");
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn only_the_members_own_session_ends_and_is_out_at_once(pool: PgPool) {
        let (db, clock) = (Db::from_pool(pool), Clock::standing_at(START));
        let sessions = Sessions::new(db.clone(), clock);
        let (mine, others) = (begin(&sessions, &[7], "").await, begin(&sessions, &[8], "").await);
        let number = open_sessions(&db, 8, START).await.unwrap()[0].number;
        let mut tx = db.pool().acquire().await.unwrap();
        let ends = async |tx: &mut PgConnection, member| {
            end_session(tx, member, number, End::ByAdmin, START).await.unwrap().is_some()
        };
        assert!(!ends(&mut tx, 7).await, "it is another's");
        assert!(sessions.load(&others).await.unwrap().is_some());
        assert!(ends(&mut tx, 8).await);
        assert!(sessions.load(&others).await.unwrap().is_none());
        assert!(!ends(&mut tx, 8).await, "there is nothing left to end");
        assert!(matches!(sessions.find(&others).await.unwrap(), Found::Ended(End::ByAdmin)), "its browser can be told");
        assert!(sessions.peek(&others).await.unwrap().is_none());
        assert!(sessions.load(&mine).await.unwrap().is_some());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn all_end_but_the_one_that_is_spared(pool: PgPool) {
        let (db, clock) = (Db::from_pool(pool), Clock::standing_at(START));
        let sessions = Sessions::new(db.clone(), clock);
        let this = begin(&sessions, &[7], "").await;
        for members in [&[7][..], &[7, 8], &[8]] {
            begin(&sessions, members, "").await;
        }
        let mut tx = db.pool().acquire().await.unwrap();
        assert_eq!(end_sessions(&mut tx, 7, Some(&SessionMark::of(&this)), End::BySelf, START).await.unwrap(), 2);
        assert!(sessions.load(&this).await.unwrap().is_some());
        assert_eq!(end_sessions(&mut tx, 7, None, End::Removed, START).await.unwrap(), 1);
        assert_eq!(open_sessions(&db, 8, START).await.unwrap().len(), 1);
    }
}
