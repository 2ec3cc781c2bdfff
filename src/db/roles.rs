//! The roles that rights are cut by. They belong to the cluster, have no login, and the database's user becomes them.
//!
//! Since Postgres 16 whoever makes a role may grant it and not become it: that right has to be granted in so many words. Migrations
//! that were written before take a role they find for one they may become, so the roles are made and granted before these are applied.

use sqlx::{AssertSqlSafe, PgPool, raw_sql};

/// All of them.
pub const ROLES: [&str; 4] = ["liteboard_tenant", "liteboard_search", "liteboard_webhooks", "liteboard_retention"];

/// Roles aren't there, or the database's user can't become them, and may not mend that.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database's user {user} can't become {}. Let it create roles, or have an administrator run: {}",
    roles.join(", "),
    self.remedy()
)]
pub struct RoleMissing {
    pub roles: Vec<&'static str>,
    pub user: String,
    /// What a grant has to say besides.
    options: &'static str,
    #[source]
    refused: Option<sqlx::Error>,
}

impl RoleMissing {
    /// What an administrator has to run. Of the roles some may be there already.
    fn remedy(&self) -> String {
        let made: Vec<String> = self.roles.iter().map(|role| format!("CREATE ROLE {role} NOLOGIN;")).collect();
        format!("{} GRANT {} TO {}{};", made.join(" "), self.roles.join(", "), self.user, self.options)
    }
}

/// Times to look again when another process was granting at the same moment.
const LOOKS: u32 = 3;

/// Makes the roles that are missing, and grants those that can't be become.
pub(super) async fn prepare(pool: &PgPool) -> Result<(), super::NotUpToDate> {
    let (mut missing, mut refused) = (Vec::new(), None);
    for role in ROLES {
        if let Err(refusal) = prepare_one(pool, role).await? {
            missing.push(role);
            refused = refusal;
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let (user, options) = (user(pool).await?, options(pool).await?);
    Err(RoleMissing { roles: missing, user, options, refused }.into())
}

/// An error when the role can't be become: why, as far as Postgres says.
async fn prepare_one(pool: &PgPool, role: &'static str) -> sqlx::Result<Result<(), Option<sqlx::Error>>> {
    let mut refused = None;
    for _ in 0..LOOKS {
        if can_become(pool, role).await? {
            return Ok(Ok(()));
        }
        refused = make_and_grant(pool, role).await.err();
        if refused.as_ref().is_some_and(is_refusal) {
            break;
        }
    }
    Ok(if can_become(pool, role).await? { Ok(()) } else { Err(refused) })
}

/// Whether Postgres says that one may not, rather than that it's away or that somebody else is granting at the same moment.
fn is_refusal(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "42501")
}

/// Whether the role is there, and the database's user may become it and has its rights.
///
/// # Errors
/// When Postgres can't be reached.
pub async fn can_become(pool: &PgPool, role: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT CASE
            WHEN current_setting('server_version_num')::int >= 160000
                THEN pg_has_role(current_user, oid, 'SET') AND pg_has_role(current_user, oid, 'USAGE')
            ELSE pg_has_role(current_user, oid, 'MEMBER')
        END AS "can!"
        FROM pg_roles WHERE rolname = $1
        "#,
        role as _,
    )
    .fetch_optional(pool)
    .await
    .map(|can| can == Some(true))
}

async fn make_and_grant(pool: &PgPool, role: &'static str) -> sqlx::Result<()> {
    let options = options(pool).await?;
    // One statement, so that it's done in one transaction; another database's process may be making the role at this moment.
    let statement = format!(
        "DO $$
        BEGIN
            IF to_regrole('{role}') IS NULL THEN
                CREATE ROLE {role} NOLOGIN;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$;
        GRANT {role} TO CURRENT_USER{options}"
    );
    raw_sql(AssertSqlSafe(statement)).execute(pool).await.map(drop)
}

/// What a grant has to say since Postgres 16.
async fn options(pool: &PgPool) -> sqlx::Result<&'static str> {
    let version = sqlx::query_scalar!(r#"SELECT current_setting('server_version_num')::int AS "version!""#);
    Ok(if version.fetch_one(pool).await? >= 160_000 { " WITH SET TRUE, INHERIT TRUE" } else { "" })
}

async fn user(pool: &PgPool) -> sqlx::Result<String> {
    sqlx::query_scalar!(r#"SELECT quote_ident(current_user) AS "user!""#).fetch_one(pool).await
}

#[cfg(test)]
mod tests {
    use sqlx::{PgPool, postgres::PgPoolOptions};

    use super::*;
    use crate::{
        db::{Db, MIGRATOR, NotUpToDate, bring_up_to_date},
        graph::BusinessId,
    };

    async fn run(pool: &PgPool, statement: String) {
        raw_sql(AssertSqlSafe(statement.clone()))
            .execute(pool)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// A user who owns this test's database and may do nothing else but what `attributes` say; a pool of theirs. They have the roles
    /// that an administrator made as `grant` says, `none` or what Postgres 16 gives to who makes a role.
    async fn owner(pool: &PgPool, name: &'static str, attributes: &str) -> PgPool {
        run(
            pool,
            format!(
                "DO $$ BEGIN
                    IF to_regrole('{name}') IS NULL THEN CREATE ROLE {name}; END IF;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END $$;
                ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS {attributes};
                DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO {name}', current_database()); END $$"
            ),
        )
        .await;
        // Who may make roles could have made these: then Postgres lets them grant the roles, and until 16 any other too.
        prepare(pool).await.unwrap();
        let lends = if options(pool).await.unwrap().is_empty() {
            None
        } else {
            Some(" WITH ADMIN TRUE, SET FALSE, INHERIT FALSE")
        };
        for role in ROLES {
            run(pool, format!("REVOKE {role} FROM {name}")).await;
            if let (Some(lends), true) = (lends, attributes == "CREATEROLE") {
                run(pool, format!("GRANT {role} TO {name}{lends}")).await;
            }
        }
        PgPoolOptions::new()
            .max_connections(2)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let statement = format!("SET SESSION AUTHORIZATION {name}");
                    raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(drop)
                })
            })
            .connect_with((*pool.connect_options()).clone())
            .await
            .unwrap()
    }

    /// Writes and reads within a partner's walls, searches, and keeps a webhook.
    async fn works(pool: &PgPool) {
        let (db, partner) = (Db::from_pool(pool.clone()), BusinessId::from_stored("102000000000001".into()).into());
        let mut tx = db.tenant(&partner).await.unwrap();
        sqlx::query!(
            "INSERT INTO partners (partner_id, name, first_seen_at) VALUES (current_partner(), 'Northlane', now())"
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query("SELECT * FROM words_like(ARRAY['northlane'], 3)").fetch_all(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM partners");
        assert_eq!(count.fetch_one(pool).await.unwrap(), 0, "the wall stands before the owner, too");
        let mut tx = db.tenant(&partner).await.unwrap();
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM partners");
        assert_eq!(count.fetch_one(&mut *tx).await.unwrap(), 1);
        sqlx::query("SELECT adopt_webhook_changes(ARRAY['102000000000001'], 1)").fetch_all(pool).await.unwrap();
    }

    #[sqlx::test(migrations = false)]
    async fn an_owner_who_may_create_roles_needs_nothing_else(pool: PgPool) {
        let owner = owner(&pool, "liteboard_test_maker", "CREATEROLE").await;
        bring_up_to_date(&owner).await.unwrap();
        works(&owner).await;
        bring_up_to_date(&owner).await.unwrap();
    }

    #[sqlx::test(migrations = false)]
    async fn an_owner_who_may_not_is_told_what_an_administrator_has_to_do(pool: PgPool) {
        let name = "liteboard_test_owner";
        let owner = owner(&pool, name, "NOCREATEROLE").await;
        let refused = bring_up_to_date(&owner).await.unwrap_err();
        let NotUpToDate::Role(missing) = &refused else { panic!("{refused:?}") };
        assert_eq!((missing.roles.as_slice(), missing.user.as_str()), (&ROLES[..], name));
        assert!(refused.to_string().contains("CREATE ROLE liteboard_tenant NOLOGIN; "), "{refused}");
        let (_, grant) =
            missing.remedy().split_once(" GRANT ").map(|(made, grant)| (made.to_owned(), grant.to_owned())).unwrap();
        run(&pool, format!("GRANT {grant}")).await;
        bring_up_to_date(&owner).await.unwrap();
        works(&owner).await;
    }

    #[sqlx::test(migrations = false)]
    async fn what_was_recorded_before_an_owner_migrated_is_counted(pool: PgPool) {
        let owner = owner(&pool, "liteboard_test_copier", "CREATEROLE").await;
        prepare(&owner).await.unwrap();
        let until = |last: i64| {
            let migrations: Vec<_> = MIGRATOR.iter().filter(|one| one.version <= last).cloned().collect();
            sqlx::migrate::Migrator { migrations: migrations.into(), ..sqlx::migrate::Migrator::DEFAULT }
        };
        until(20_261_125_000_023).run(&owner).await.unwrap();
        let (db, partner) = (Db::from_pool(owner.clone()), BusinessId::from_stored("7".into()).into());
        let mut tx = db.tenant(&partner).await.unwrap();
        sqlx::query(
            "INSERT INTO graph_calls (partner_id, operation, method, path, query, graph_version, app_id, started_at, duration_ms, http_status, body)
             SELECT '7', 'onboard', 'POST', '/', '', 'v25.0', '1', now(), 1, status, '' FROM unnest(ARRAY[200, 400, 500]) AS status",
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        bring_up_to_date(&owner).await.unwrap();
        let noted = async || {
            let mut tx = db.tenant(&partner).await.unwrap();
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM uncounted_failures").fetch_one(&mut *tx).await.unwrap()
        };
        assert_eq!(noted().await, 2);
        let forced: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_class WHERE relname IN ('graph_calls', 'uncounted_failures', 'failure_groups') AND relforcerowsecurity",
        )
        .fetch_one(&owner)
        .await
        .unwrap();
        assert_eq!(forced, 3, "the walls stand again");
    }
}
