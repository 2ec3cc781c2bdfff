//! The audit log: who did what, when and from where. Rooms write a row in the transaction that does the deed, so that there is
//! neither without the other. Postgres refuses every change of what is written.

use time::OffsetDateTime;

use super::whence::Whence;
use crate::{db::TenantTx, graph};

/// Characters of a detail that are kept.
const LONGEST_DETAIL: usize = 500;

/// Characters of a name that are kept of one who is no member.
const LONGEST_NAME: usize = 200;

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident => $key:literal, $word:literal;)+) => {
        /// What somebody did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Act {
            $($(#[$doc])* $name,)+
        }

        impl Act {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As the log and an address spell it.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// What a page says.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

acts! {
    /// Came in.
    SignedIn => "signed_in", "Signed in";
    /// Left.
    SignedOut => "signed_out", "Signed out";
    /// Was known, or belongs to the partner's business, and didn't get in. The detail says why.
    SignInRefused => "sign_in_refused", "Sign-in refused";
    /// Ended a session, one's own or another member's. The detail says whose.
    SessionEnded => "session_ended", "Session ended";
    /// Gave a member a role.
    RoleChanged => "role_changed", "Role changed";
    /// Took a member off the team.
    MemberRemoved => "member_removed", "Member removed";
    /// Let one back who was removed.
    MemberReadmitted => "member_readmitted", "Member let back in";
    /// Changed a setting of the partner. The detail says which, from what to what.
    SettingChanged => "setting_changed", "Setting changed";
    /// Stored a system user's token.
    TokenStored => "token_stored", "System-user token stored";
    /// Removed it.
    TokenRemoved => "token_removed", "System-user token removed";
    /// Had a batch sent.
    BatchStarted => "batch_started", "Batch started";
    /// Paused one.
    BatchPaused => "batch_paused", "Batch paused";
    /// Let it go on.
    BatchResumed => "batch_resumed", "Batch resumed";
    /// Stopped what of it wasn't sent.
    BatchCancelled => "batch_cancelled", "Rest of a batch cancelled";
    /// Took data out as a file. The detail says what.
    Exported => "exported", "Export";
}

impl Act {
    /// Reads what [`Act::key`] wrote; `None` for what another version of this program wrote.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.key() == key)
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A member, by our id.
    Member(i64),
    /// Somebody who is none, in words: the operator, or the name of one who was refused.
    Other(String),
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: OffsetDateTime,
    pub act: Act,
    pub who: Who,
    /// To what it was done, in words a colleague understands. What looks like a secret is taken out; cut to 500 characters.
    pub detail: String,
    pub whence: Whence,
}

/// Writes a row into the log of the transaction's partner.
///
/// # Errors
/// When Postgres is gone.
pub async fn audit(tx: &mut TenantTx, entry: &Entry) -> sqlx::Result<()> {
    let partner = tx.partner().clone();
    let (member_id, other) = match &entry.who {
        Who::Member(member_id) => (Some(*member_id), None),
        Who::Other(name) => (None, Some(plain(name, LONGEST_NAME))),
    };
    sqlx::query!(
        "INSERT INTO audit_log (partner_id, at, act, member_id, other, detail, address, agent)
         VALUES ($1::text, $2, $3, $4, $5, $6, $7::text::inet, $8)",
        partner.as_str(),
        entry.at,
        entry.act.key(),
        member_id,
        other,
        plain(&graph::redacted(&entry.detail), LONGEST_DETAIL),
        entry.whence.address.map(|address| address.to_string()),
        plain(&entry.whence.agent, LONGEST_DETAIL),
    )
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// Text that Postgres takes, cut to so many characters.
fn plain(text: &str, most: usize) -> String {
    text.chars().take(most).map(|letter| if letter == '\0' { '\u{FFFD}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use sqlx::{Executor, PgPool};

    use super::*;
    use crate::{
        db::{Db, PartnerId},
        sign_in::{Role, name_member},
    };

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-25 10:00 UTC);

    fn partner() -> PartnerId {
        "102000000000001".parse().unwrap()
    }

    fn entry(who: Who, detail: &str) -> Entry {
        let whence = Whence { address: Some([198, 51, 100, 7].into()), agent: "curl/8.5.0".into() };
        Entry { at: NOW, act: Act::RoleChanged, who, detail: detail.to_owned(), whence }
    }

    async fn written(tx: &mut TenantTx) -> Vec<(String, String, Option<String>)> {
        let rows = sqlx::query!("SELECT act, detail, host(address) AS address FROM audit_log ORDER BY entry_id");
        let rows = rows.fetch_all(&mut **tx).await.unwrap();
        rows.into_iter().map(|row| (row.act, row.detail, row.address)).collect()
    }

    #[test]
    fn an_act_reads_as_it_is_written() {
        for act in Act::ALL {
            assert_eq!(Act::from_key(act.key()), Some(*act));
            assert!(!act.word().ends_with('.'), "{act:?}");
        }
        assert_eq!(Act::from_key("telepathy"), None);
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_row_says_who_what_and_from_where_to_this_partner_alone(pool: PgPool) {
        let db = Db::from_pool(pool);
        let user = "11".parse().unwrap();
        let member = name_member(&db, &partner(), &user, "Ines", Role::Admin, NOW).await.unwrap();
        let mut tx = db.tenant(&partner()).await.unwrap();
        audit(&mut tx, &entry(Who::Member(member), "Jonas: Support to Admin")).await.unwrap();
        tx.commit().await.unwrap();
        let rows = written(&mut db.tenant(&partner()).await.unwrap()).await;
        let row = ("role_changed".to_owned(), "Jonas: Support to Admin".to_owned(), Some("198.51.100.7".to_owned()));
        assert_eq!(rows.last(), Some(&row));
        let rival = "102000000000002".parse().unwrap();
        assert!(written(&mut db.tenant(&rival).await.unwrap()).await.is_empty());
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn what_is_too_long_or_odd_is_written_all_the_same(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&partner()).await.unwrap();
        let mut odd = entry(Who::Other("é".repeat(1_000)), &"a\0".repeat(1_000));
        odd.whence = Whence { address: Some("2001:db8::1".parse().unwrap()), agent: "b\0".repeat(150) };
        audit(&mut tx, &odd).await.unwrap();
        let rows = written(&mut tx).await;
        assert_eq!(rows[0].1.chars().count(), LONGEST_DETAIL);
        assert_eq!(rows[0].2.as_deref(), Some("2001:db8::1"));
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn neither_the_apps_role_nor_the_owner_can_alter_the_log(pool: PgPool) {
        let db = Db::from_pool(pool);
        let mut tx = db.tenant(&partner()).await.unwrap();
        audit(&mut tx, &entry(Who::Other("operator".into()), "one")).await.unwrap();
        tx.commit().await.unwrap();
        for change in ["UPDATE audit_log SET detail = 'other'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
            let mut tx = db.tenant(&partner()).await.unwrap();
            let refused = tx.execute(change).await.unwrap_err();
            let code = refused.as_database_error().and_then(|error| error.code().map(String::from));
            assert_eq!(code.as_deref(), Some("42501"), "the app's role: {change}: {refused}");
            let refused = db.pool().execute(change).await.unwrap_err().to_string();
            assert!(refused.contains("its rows are there for good"), "the owner: {change}: {refused}");
        }
        assert_eq!(written(&mut db.tenant(&partner()).await.unwrap()).await.len(), 1);
    }
}
