use super::*;
use crate::businesses::{
    query::{Filter, Place},
    search::Search,
};

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn another_partner_sees_nothing_by_any_way(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &business("1001", "Estrela Mercados", &["ELIGIBLE"]), MONDAY).await;
    tx.commit().await.unwrap();

    let mut tx = tenant(&pool, "2").await;
    assert!(find_business(&mut tx, &id("1001")).await.unwrap().is_none());
    assert!(wabas_of(&mut tx, &id("1001")).await.unwrap().is_empty());
    assert!(events_of(&mut tx, &id("1001"), 10).await.unwrap().is_empty());
    assert!(whose_waba(&mut tx, &"10010".parse().unwrap()).await.unwrap().is_none());
    for typed in ["1001", "100", "10010", "est", "mercados", "estrela mercados"] {
        let found = find(&mut tx, &Search::read(typed).unwrap()).await.unwrap();
        assert!(found.hits.is_empty(), "{typed}");
        let page = list(&mut tx, Filter::All, Some(&found), &Place::Start, STALLED_BEFORE).await.unwrap().unwrap();
        assert!(page.businesses.is_empty(), "{typed}");
    }
    assert_eq!(count_all(&mut tx, STALLED_BEFORE).await.unwrap(), Counts::default());
    refresh_standing(&mut tx, &[id("1001")]).await.unwrap();
    told(&mut tx, &id("1001"), Some("REQUEST_SENT"), TUESDAY).await;
    tx.commit().await.unwrap();
    assert!(name_like(tenant(&pool, "2").await, &Search::read("estrela mercado").unwrap()).await.unwrap().is_empty());

    let mut tx = tenant(&pool, "1").await;
    assert_eq!(find_business(&mut tx, &id("1001")).await.unwrap().unwrap().meta_status, None);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_search_functions_know_no_partner_but_the_transactions(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    // The second sync doesn't find the first one's business any more.
    sync(&mut tx, &business("1002", "Lua Velha", &["ELIGIBLE"]), MONDAY).await;
    sync(&mut tx, &business("1001", "Estrela Mercados", &["ELIGIBLE"]), TUESDAY).await;
    tx.commit().await.unwrap();
    let found = async |partner: &str| {
        let mut tx = pool.begin().await.unwrap();
        sqlx::query("SET LOCAL ROLE liteboard_tenant").execute(&mut *tx).await.unwrap();
        sqlx::query("SELECT set_config('app.partner_id', $1, TRUE)").bind(partner).execute(&mut *tx).await.unwrap();
        let by_words: i64 =
            sqlx::query_scalar("SELECT count(*) FROM businesses_with_words('''1/estrela''', NULL, 100)")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
        let departed: i64 = sqlx::query_scalar("SELECT count(*) FROM departed_with_words('''1/lua''', NULL, 100)")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        let near: i64 = sqlx::query_scalar("SELECT count(*) FROM words_like(ARRAY['estrla', 'mercadas'], 100)")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        (by_words, departed, near)
    };
    assert_eq!(found("1").await, (1, 1, 2));
    assert_eq!(found("2").await, (0, 0, 0));
    assert_eq!(found("").await, (0, 0, 0), "without a partner there is nothing to find");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_search_role_can_read_names_and_nothing_else(pool: PgPool) {
    let allowed = async |sql: &'static str| sqlx::query_scalar::<_, bool>(sql).fetch_one(&pool).await.unwrap();
    assert!(allowed("SELECT has_column_privilege('liteboard_search', 'businesses', 'name_key', 'SELECT')").await);
    for sql in [
        "SELECT has_table_privilege('liteboard_search', 'businesses', 'INSERT, UPDATE, DELETE')",
        "SELECT has_table_privilege('liteboard_search', 'tokens', 'SELECT')",
        "SELECT has_schema_privilege('liteboard_search', 'public', 'CREATE')",
        "SELECT rolcanlogin OR rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'liteboard_search'",
        "SELECT pg_has_role('liteboard_tenant', 'liteboard_search', 'MEMBER')",
        "SELECT has_function_privilege('public', 'businesses_with_words(tsquery, tsquery, integer)', 'EXECUTE')",
        "SELECT has_function_privilege('public', 'businesses_named_like(text, integer)', 'EXECUTE')",
        "SELECT has_function_privilege('public', 'words_like(text[], integer)', 'EXECUTE')",
        "SELECT has_function_privilege('public', 'departed_with_words(tsquery, tsquery, integer)', 'EXECUTE')",
    ] {
        assert!(!allowed(sql).await, "{sql}");
    }
}
