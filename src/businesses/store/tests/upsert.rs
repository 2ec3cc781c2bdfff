use EventKind::{
    BecameEligible, EligibilityChanged, FirstSeen, Left, MetaStatusChanged, Returned, WabaGone, WabaShared,
};

use super::*;

async fn everything(tx: &mut TenantTx) -> Vec<String> {
    sqlx::query_scalar::<_, String>(
        "SELECT to_jsonb(b)::text FROM businesses b UNION ALL SELECT (to_jsonb(w) - 'sync_id')::text FROM wabas w
        UNION ALL SELECT to_jsonb(e)::text FROM business_events e ORDER BY 1",
    )
    .fetch_all(&mut **tx)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn keeping_a_page_twice_changes_nothing(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let page = all_of([business("10", "Estrela", &["ELIGIBLE", "ONBOARDED"]), business("20", "Banyan", &[""])]);
    let reading = Reading { sync_id: 1, began_at: MONDAY, now: MONDAY };
    assert_eq!(upsert(&mut tx, reading, &page).await.unwrap(), 2);
    let once = everything(&mut tx).await;
    assert_eq!(upsert(&mut tx, Reading { now: TUESDAY, ..reading }, &page).await.unwrap(), 0);
    assert_eq!(everything(&mut tx).await, once);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_vanished_waba_is_gone_and_its_business_left_and_both_may_return(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let both = all_of([business("10", "Estrela", &["ELIGIBLE"]), business("20", "Banyan", &["ELIGIBLE"])]);
    sync(&mut tx, &both, MONDAY).await;
    sync(&mut tx, &business("10", "Estrela", &["ELIGIBLE"]), TUESDAY).await;
    let left = find_business(&mut tx, &id("20")).await.unwrap().unwrap();
    assert_eq!((left.left_at, left.wabas, left.standing), (Some(TUESDAY), 0, Standing::Unknown));
    assert_eq!(wabas_of(&mut tx, &id("20")).await.unwrap()[0].gone_at, Some(TUESDAY));
    assert_eq!(find_business(&mut tx, &id("10")).await.unwrap().unwrap().left_at, None);

    sync(&mut tx, &both, WEDNESDAY).await;
    let back = find_business(&mut tx, &id("20")).await.unwrap().unwrap();
    assert_eq!((back.left_at, back.wabas, back.standing), (None, 1, Standing::Eligible));
    assert_eq!(back.first_seen_at, MONDAY);
    let kinds: Vec<_> = story(&mut tx, "20").await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [FirstSeen, WabaGone, Left, Returned, WabaShared, BecameEligible]);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_waba_that_moves_leaves_one_business_and_joins_the_other(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let mut seen = all_of([
        business("10", "Estrela", &["ELIGIBLE"]),
        business("20", "Banyan", &["INELIGIBLE_INACTIVE_OR_RESTRICTED"]),
    ]);
    sync(&mut tx, &seen, MONDAY).await;
    seen.wabas[0].business = id("20");
    sync(&mut tx, &seen, TUESDAY).await;
    assert_eq!(whose_waba(&mut tx, &"100".parse().unwrap()).await.unwrap(), Some((id("20"), "Banyan".to_owned())));
    assert_eq!(find_business(&mut tx, &id("10")).await.unwrap().unwrap().wabas, 0);
    assert_eq!(standing_of(&mut tx, "20").await, Standing::Eligible);
    assert!(story(&mut tx, "10").await.contains(&(WabaGone, None)));
    assert!(story(&mut tx, "20").await.contains(&(WabaShared, None)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_meta_leaves_out_leaves_what_it_said_before(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let mut seen = business("10", "Estrela", &["ELIGIBLE"]);
    seen.businesses[0].meta_status = Some("REQUEST_SENT".into());
    seen.businesses[0].meta_status_date = Some("2026-11-20".into());
    sync(&mut tx, &seen, MONDAY).await;
    let mut bare = business("10", "", &[""]);
    bare.businesses[0].name = None;
    bare.businesses[0].country = None;
    sync(&mut tx, &bare, TUESDAY).await;
    let business = find_business(&mut tx, &id("10")).await.unwrap().unwrap();
    assert_eq!((business.name.as_str(), business.country.as_deref()), ("Estrela", Some("BR")));
    assert_eq!((business.meta_status.as_deref(), business.checked_at), (Some("REQUEST_SENT"), Some(MONDAY)));
    assert_eq!(business.waiting_since, Some(datetime!(2026-11-20 00:00 UTC)));
    assert_eq!(wabas_of(&mut tx, &id("10")).await.unwrap()[0].eligibility.as_deref(), Some("ELIGIBLE"));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn every_change_has_its_line_in_the_timeline(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let mut seen = business("10", "Estrela", &["INELIGIBLE_INACTIVE_OR_RESTRICTED"]);
    seen.businesses[0].meta_status = Some("NOT_STARTED".into());
    sync(&mut tx, &seen, MONDAY).await;
    seen = business("10", "Estrela", &["ELIGIBLE", "ELIGIBLE"]);
    seen.businesses[0].meta_status = Some("NOT_STARTED".into());
    sync(&mut tx, &seen, TUESDAY).await;
    told(&mut tx, &id("10"), Some("REQUEST_SENT"), WEDNESDAY).await;
    told(&mut tx, &id("10"), Some("REQUEST_SENT"), WEDNESDAY).await;
    told(&mut tx, &id("10"), None, WEDNESDAY).await;
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(
        story(&mut tx, "10").await,
        [
            (FirstSeen, None),
            (EligibilityChanged, said("ELIGIBLE")),
            (WabaShared, None),
            (BecameEligible, None),
            (MetaStatusChanged, said("REQUEST_SENT")),
        ]
    );
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn terms_once_signed_stay_signed_whatever_an_older_answer_says(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let mut seen = business("10", "Estrela", &["ELIGIBLE"]);
    sync(&mut tx, &seen, MONDAY).await;
    told(&mut tx, &id("10"), Some("TERM_OF_SERVICE_SIGNED"), MONDAY).await;
    for older in ["REQUEST_SENT", "NOT_STARTED", "SOMETHING_NEW"] {
        told(&mut tx, &id("10"), Some(older), TUESDAY).await;
        seen.businesses[0].meta_status = Some(older.into());
        seen.businesses[0].meta_status_date = Some("2026-11-20".into());
        sync(&mut tx, &seen, WEDNESDAY).await;
        let kept = find_business(&mut tx, &id("10")).await.unwrap().unwrap();
        assert_eq!(kept.meta_status.as_deref(), Some("TERM_OF_SERVICE_SIGNED"), "{older}");
        assert_eq!((kept.standing, kept.meta_status_date), (Standing::Accepted, None), "{older}");
        assert_eq!(kept.checked_at, Some(WEDNESDAY), "Meta was asked all the same");
    }
    let changes = story(&mut tx, "10").await.into_iter().filter(|(kind, _)| *kind == MetaStatusChanged).count();
    assert_eq!(changes, 1, "nothing moved back");
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_waba_listed_without_its_owner_is_not_gone(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &business("10", "Estrela", &["ELIGIBLE"]), MONDAY).await;
    let ownerless = Seen { ownerless: vec!["100".parse().unwrap()], ..Seen::default() };
    sync(&mut tx, &ownerless, TUESDAY).await;
    assert_eq!(find_business(&mut tx, &id("10")).await.unwrap().unwrap().left_at, None);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn odd_names_are_kept_and_found(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let names = [
        "<b>Acme</b> & \"Sons\"".to_owned(),
        "N\0UL".to_owned(),
        "ﷺ".repeat(400),
        "🍕".repeat(400),
        "\u{202E}reversed".to_owned(),
        "'; DROP TABLE businesses; --".to_owned(),
        "\\ 'quoted' \\'".to_owned(),
        "x".repeat(3_000),
    ];
    for (at, name) in names.iter().enumerate() {
        sync(&mut tx, &business(&format!("1{at}"), name, &["ELIGIBLE"]), MONDAY).await;
        let kept = find_business(&mut tx, &id(&format!("1{at}"))).await.unwrap().unwrap();
        assert_eq!(kept.name, clean_name(name));
    }
}
