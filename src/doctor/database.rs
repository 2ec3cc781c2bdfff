//! Postgres: whether it answers and is new enough, whether its tables are this program's, whether the walls between partners hold,
//! and its clock.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::{Finding, Patient, clocks};
use crate::db::{Db, MIGRATOR, ROLES, can_become};

/// The oldest version that will do, as Postgres counts.
const OLDEST: i32 = 150_000;

/// How far the clocks may be apart. Sessions and waits are judged by ours, some defaults written by Postgres'.
const APART: Duration = Duration::seconds(5);

/// Looks at the database; whether its tables are there to look into.
pub(super) async fn examine(patient: &Patient, findings: &mut Vec<Finding>) -> bool {
    let reached = match reach(&patient.db).await {
        Ok(reached) => reached,
        Err(error) => {
            findings.push(Finding::mend(
                "Database",
                format!(
                    "Postgres can’t be used at the address in DATABASE_URL: start it, or correct the setting ({})",
                    words(&error)
                ),
            ));
            return false;
        }
    };
    findings.push(version(reached.version, &reached.shown));
    findings.push(clocks("Clock against Postgres", patient.clock.now(), reached.now, APART));
    let applied = applied(&patient.db).await;
    let known = MIGRATOR.iter().map(|one| (one.version, one.checksum.to_vec())).collect();
    let (migrations, has_tables) = match applied {
        Ok(applied) => migrations(&known, &applied),
        Err(error) => (Finding::mend("Migrations", format!("they can’t be read: {}", words(&error))), false),
    };
    findings.push(migrations);
    if has_tables {
        findings.push(match walls(&patient.db).await {
            Ok(found) => judge_walls(&found),
            Err(error) => Finding::mend("Row-level security", format!("it can’t be looked at: {}", words(&error))),
        });
    }
    has_tables
}

struct Reached {
    version: i32,
    shown: String,
    now: OffsetDateTime,
}

async fn reach(db: &Db) -> sqlx::Result<Reached> {
    // The connection is opened first, so that the answer comes at once and its clock is the hour.
    let mut connection = db.pool().acquire().await?;
    sqlx::query_as!(
        Reached,
        r#"SELECT current_setting('server_version_num')::int AS "version!", current_setting('server_version') AS "shown!",
               clock_timestamp() AS "now!""#
    )
    .fetch_one(&mut *connection)
    .await
}

fn version(number: i32, shown: &str) -> Finding {
    if number >= OLDEST {
        Finding::ok("Database", format!("Postgres {shown} answers"))
    } else {
        Finding::mend("Database", format!("Postgres {shown} is too old: Liteboard needs 15 or newer"))
    }
}

/// Version, checksum and success of what was applied; empty where nothing ever was.
async fn applied(db: &Db) -> sqlx::Result<Vec<(i64, Vec<u8>, bool)>> {
    let made = sqlx::query_scalar!(r#"SELECT to_regclass('_sqlx_migrations') IS NOT NULL AS "made!""#);
    if !made.fetch_one(db.pool()).await? {
        return Ok(Vec::new());
    }
    // The table is sqlx's, not a migration's: the macros would want it wherever this is compiled.
    sqlx::query_as("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version")
        .fetch_all(db.pool())
        .await
}

fn migrations(known: &BTreeMap<i64, Vec<u8>>, applied: &[(i64, Vec<u8>, bool)]) -> (Finding, bool) {
    const ABOUT: &str = "Migrations";
    if let Some((version, ..)) = applied.iter().find(|(.., success)| !success) {
        let text = format!(
            "{version} was broken off half-way: look into Postgres’ log, undo it by hand, then run `liteboard migrate`"
        );
        return (Finding::mend(ABOUT, text), false);
    }
    let missing = known.keys().filter(|version| !applied.iter().any(|(done, ..)| done == *version)).count();
    if missing > 0 {
        let text =
            format!("{missing} of {} are not applied yet: run `liteboard migrate`, or start `serve`", known.len());
        return (Finding::mend(ABOUT, text), false);
    }
    if let Some((version, ..)) =
        applied.iter().find(|(version, sum, _)| known.get(version).is_some_and(|known| known != sum))
    {
        let text = format!("{version} is not the one this program brings: it was applied by another build");
        return (Finding::mend(ABOUT, text), true);
    }
    let newer = applied.iter().filter(|(version, ..)| !known.contains_key(version)).count();
    if newer > 0 {
        let text =
            format!("the database is {newer} ahead: it was brought up to date by a newer Liteboard, so use that one");
        return (Finding::mend(ABOUT, text), true);
    }
    (Finding::ok(ABOUT, format!("all {} are applied", known.len())), true)
}

/// How the walls between partners stand.
#[derive(Clone, Debug, Default)]
struct Walls {
    /// The role of requests could get round them.
    tenant_bypasses: bool,
    /// Roles the connection can't become, or which aren't there.
    unreachable_roles: Vec<String>,
    /// The connection itself could get round them.
    login_bypasses: bool,
    /// Tables with a partner and no wall.
    open_tables: Vec<String>,
}

async fn walls(db: &Db) -> sqlx::Result<Walls> {
    let roles = sqlx::query!(
        r#"
        SELECT t.rolsuper OR t.rolbypassrls AS "tenant_bypasses!", u.rolsuper OR u.rolbypassrls AS "login_bypasses!"
        FROM pg_roles t, pg_roles u WHERE t.rolname = 'liteboard_tenant' AND u.rolname = current_user
        "#
    )
    .fetch_optional(db.pool())
    .await?;
    let open_tables = sqlx::query_scalar!(
        r#"
        SELECT c.relname::text AS "name!"
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'partner_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        ORDER BY 1
        "#
    )
    .fetch_all(db.pool())
    .await?;
    let mut unreachable_roles = Vec::new();
    for role in ROLES {
        if !can_become(db.pool(), role).await? {
            unreachable_roles.push(role.to_owned());
        }
    }
    Ok(Walls {
        tenant_bypasses: roles.as_ref().is_some_and(|roles| roles.tenant_bypasses),
        login_bypasses: roles.is_some_and(|roles| roles.login_bypasses),
        unreachable_roles,
        open_tables,
    })
}

fn judge_walls(walls: &Walls) -> Finding {
    const ABOUT: &str = "Row-level security";
    if walls.tenant_bypasses {
        let text = "the role liteboard_tenant may bypass it: ALTER ROLE liteboard_tenant NOSUPERUSER NOBYPASSRLS";
        return Finding::mend(ABOUT, text);
    }
    if !walls.unreachable_roles.is_empty() {
        let text = format!(
            "the user in DATABASE_URL can’t become {}: have an administrator make and grant it, as the README says",
            walls.unreachable_roles.join(", ")
        );
        return Finding::mend(ABOUT, text);
    }
    if !walls.open_tables.is_empty() {
        let text = format!("it is switched off for {}: switch it on and force it", walls.open_tables.join(", "));
        return Finding::mend(ABOUT, text);
    }
    let more = if walls.login_bypasses {
        ". The user in DATABASE_URL could; one that only owns the database is safer"
    } else {
        ""
    };
    Finding::ok(ABOUT, format!("the role of every request can’t get round it{more}"))
}

/// An error in a few words, and none of the address with its password.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::PoolTimedOut => "no answer for 5 s".to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Database(refusal) => refusal.message().to_owned(),
        sqlx::Error::Tls(_) => "TLS failed".to_owned(),
        _ => "the connection broke off".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;

    #[test]
    fn an_old_postgres_is_named() {
        assert!(version(150_000, "15.0").is_well);
        let old = version(140_012, "14.12");
        assert!(!old.is_well && old.text.contains("14.12"), "{old}");
    }

    #[test]
    fn each_way_in_which_migrations_are_amiss_has_its_own_line() {
        let known = BTreeMap::from([(1, vec![1]), (2, vec![2])]);
        let done = |rows: &[(i64, u8, bool)]| {
            rows.iter().map(|(version, sum, success)| (*version, vec![*sum], *success)).collect::<Vec<_>>()
        };
        for (rows, well, usable, words) in [
            (&[(1, 1, true), (2, 2, true)][..], true, true, "all 2 are applied"),
            (&[], false, false, "2 of 2 are not applied yet"),
            (&[(1, 1, true)], false, false, "1 of 2 are not applied yet"),
            (&[(1, 1, true), (2, 2, false)], false, false, "2 was broken off"),
            (&[(1, 9, true), (2, 2, true)], false, true, "1 is not the one"),
            (&[(1, 1, true), (2, 2, true), (3, 3, true)], false, true, "1 ahead"),
        ] {
            let (found, tables) = migrations(&known, &done(rows));
            assert_eq!((found.is_well, tables), (well, usable), "{found}");
            assert!(found.text.contains(words), "{found}");
        }
    }

    #[test]
    fn a_hole_in_the_wall_is_to_be_mended() {
        let good = Walls::default();
        assert!(judge_walls(&good).is_well);
        assert!(judge_walls(&Walls { login_bypasses: true, ..good.clone() }).text.contains("safer"));
        for (bad, words) in [
            (Walls { tenant_bypasses: true, ..good.clone() }, "NOBYPASSRLS"),
            (
                Walls { unreachable_roles: vec!["liteboard_search".into()], ..good.clone() },
                "can’t become liteboard_search",
            ),
            (Walls { open_tables: vec!["tokens".into()], ..good }, "tokens"),
        ] {
            let found = judge_walls(&bad);
            assert!(!found.is_well && found.text.contains(words), "{found}");
        }
    }

    #[sqlx::test(migrator = "crate::db::MIGRATOR")]
    async fn a_database_as_migrations_leave_it_is_well_until_a_wall_falls(pool: PgPool) {
        let db = Db::from_pool(pool);
        let known = MIGRATOR.iter().map(|one| (one.version, one.checksum.to_vec())).collect();
        let (found, has_tables) = migrations(&known, &applied(&db).await.unwrap());
        assert!(found.is_well && has_tables, "{found}");
        assert!(judge_walls(&walls(&db).await.unwrap()).is_well);
        sqlx::raw_sql("ALTER TABLE tokens NO FORCE ROW LEVEL SECURITY").execute(db.pool()).await.unwrap();
        let found = judge_walls(&walls(&db).await.unwrap());
        assert!(!found.is_well && found.text.contains("tokens"), "{found}");
    }

    #[sqlx::test(migrations = false)]
    async fn an_empty_database_wants_migrating(pool: PgPool) {
        assert!(applied(&Db::from_pool(pool)).await.unwrap().is_empty());
    }
}
