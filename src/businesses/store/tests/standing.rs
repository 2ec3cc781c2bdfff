use super::*;

/// What Meta says of the WABAs, what it says of the business, the newest request of ours: and where the business stands.
type Case = (&'static [&'static str], Option<&'static str>, Option<&'static str>, Standing);

const CASES: [Case; 32] = [
    (&["ELIGIBLE"], None, None, Standing::Eligible),
    (&["ELIGIBLE", "INELIGIBLE_INACTIVE_OR_RESTRICTED"], Some("NOT_STARTED"), None, Standing::Eligible),
    (&["eligible"], Some("not_started"), None, Standing::Eligible),
    (&["INELIGIBLE_INACTIVE_OR_RESTRICTED", "INELIGIBLE_COUNTRY_NOT_SUPPORTED"], None, None, Standing::NotEligible),
    (&["INELIGIBLE_INACTIVE_OR_RESTRICTED", ""], None, None, Standing::Unknown),
    (&["INELIGIBLE_INACTIVE_OR_RESTRICTED", "BRAND_NEW"], None, None, Standing::Unknown),
    (&[""], None, None, Standing::Unknown),
    (&[""], Some("NOT_STARTED"), None, Standing::Unknown),
    (&[], None, None, Standing::Unknown),
    (&["ONBOARDED", "ELIGIBLE"], None, None, Standing::Ready),
    (&["ONBOARDED"], Some("TERM_OF_SERVICE_SIGNED"), Some("requested"), Standing::Ready),
    (&["ELIGIBLE"], Some("TERM_OF_SERVICE_SIGNED"), None, Standing::Accepted),
    (&["ELIGIBLE"], Some("term_of_service_signed"), Some("failed"), Standing::Accepted),
    (&["PENDING_INTERNAL_SETUP"], None, None, Standing::Accepted),
    (&["PENDING_VALID_PAYMENT_METHOD", "ELIGIBLE"], Some("REQUEST_SENT"), Some("requested"), Standing::Accepted),
    (&["ELIGIBLE"], Some("REQUEST_SENT"), None, Standing::AlreadyRequested),
    (&["INELIGIBLE_INACTIVE_OR_RESTRICTED"], Some("REQUEST_SENT"), None, Standing::AlreadyRequested),
    (&["ELIGIBLE"], None, Some("queued"), Standing::Queued),
    (&["ELIGIBLE"], None, Some("sending"), Standing::Sending),
    (&["ELIGIBLE"], None, Some("waiting_to_retry"), Standing::WaitingToRetry),
    (&["ELIGIBLE"], None, Some("requested"), Standing::Requested),
    (&["ELIGIBLE"], Some("REQUEST_SENT"), Some("requested"), Standing::Requested),
    (&["ELIGIBLE"], Some("REQUEST_SENT"), Some("already_requested"), Standing::AlreadyRequested),
    (&["ELIGIBLE"], Some("NOT_STARTED"), Some("accepted"), Standing::Accepted),
    (&["ELIGIBLE"], Some("REQUEST_SENT"), Some("taken_by_another_partner"), Standing::TakenByAnotherPartner),
    (&["ELIGIBLE"], Some("NOT_STARTED"), Some("failed"), Standing::Failed),
    (&["ELIGIBLE"], None, Some("failed"), Standing::Failed),
    (&["ELIGIBLE"], None, Some("cancelled"), Standing::Eligible),
    (&["ELIGIBLE"], Some("REQUEST_SENT"), Some("cancelled"), Standing::AlreadyRequested),
    (&["ELIGIBLE"], None, Some("ready"), Standing::Eligible),
    (&[], None, Some("requested"), Standing::Requested),
    (&["ELIGIBLE"], Some("SOMETHING_NEW"), None, Standing::Eligible),
];

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn where_a_business_stands_follows_from_what_is_known(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    for (at, (wabas, status, state, expected)) in CASES.into_iter().enumerate() {
        let digits = format!("5{at:02}");
        let mut seen = business(&digits, "Estrela", wabas);
        seen.businesses[0].meta_status = status.map(str::to_owned);
        upsert(&mut tx, Reading { sync_id: 1, began_at: MONDAY, now: MONDAY }, &seen).await.unwrap();
        if let Some(state) = state {
            request(&mut tx, &digits, state, TUESDAY).await;
            refresh_standing(&mut tx, &[id(&digits)]).await.unwrap();
        }
        assert_eq!(standing_of(&mut tx, &digits).await, expected, "{wabas:?} {status:?} {state:?}");
    }
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_newest_request_counts_and_a_cancelled_one_never_does(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &business("10", "Estrela", &["ELIGIBLE"]), MONDAY).await;
    let failed = request(&mut tx, "10", "failed", MONDAY).await;
    request(&mut tx, "10", "cancelled", TUESDAY).await;
    refresh_standing(&mut tx, &[id("10")]).await.unwrap();
    let business = find_business(&mut tx, &id("10")).await.unwrap().unwrap();
    assert_eq!(business.standing, Standing::Failed);
    assert_eq!(business.last_request, Some(LastRequest { number: failed, at: MONDAY, by: "Ines Carvalho".into() }));
    assert_eq!(business.waiting_since, None);

    let asked = request(&mut tx, "10", "requested", WEDNESDAY).await;
    refresh_standing(&mut tx, &[id("10")]).await.unwrap();
    let business = find_business(&mut tx, &id("10")).await.unwrap().unwrap();
    assert_eq!((business.standing, business.waiting_since), (Standing::Requested, Some(WEDNESDAY)));
    assert_eq!(business.last_request.unwrap().number, asked);
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn what_meta_says_after_a_failure_is_newer_than_the_failure(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &business("10", "Estrela", &["ELIGIBLE"]), MONDAY).await;
    told(&mut tx, &id("10"), Some("REQUEST_SENT"), MONDAY).await;
    request(&mut tx, "10", "failed", TUESDAY).await;
    refresh_standing(&mut tx, &[id("10")]).await.unwrap();
    assert_eq!(standing_of(&mut tx, "10").await, Standing::Failed);
    told(&mut tx, &id("10"), Some("REQUEST_SENT"), WEDNESDAY).await;
    refresh_standing(&mut tx, &[id("10")]).await.unwrap();
    let business = find_business(&mut tx, &id("10")).await.unwrap().unwrap();
    assert_eq!((business.standing, business.waiting_since), (Standing::AlreadyRequested, Some(MONDAY)));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn a_signed_waba_says_what_it_waits_for(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    sync(&mut tx, &business("10", "Estrela", &["PENDING_VALID_PAYMENT_METHOD", "ONBOARDED"]), MONDAY).await;
    let unpaid = find_business(&mut tx, &id("10")).await.unwrap().unwrap();
    assert_eq!((unpaid.standing, unpaid.needs_payment, unpaid.setting_up), (Standing::Ready, true, false));
    assert_eq!((unpaid.wabas, unpaid.eligible_wabas, unpaid.ready_wabas), (2, 0, 1));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn two_who_refresh_the_same_businesses_in_another_order_never_block_each_other(pool: PgPool) {
    let mut tx = tenant(&pool, "1").await;
    let seen = all_of((0..40).map(|at| business(&format!("5{at:02}"), "Estrela", &["ELIGIBLE"])));
    sync(&mut tx, &seen, MONDAY).await;
    tx.commit().await.unwrap();
    let ids: Vec<BusinessId> = seen.businesses.iter().map(|business| business.id.clone()).collect();
    let backwards: Vec<BusinessId> = ids.iter().rev().cloned().collect();
    let many = |ids: Vec<BusinessId>, status: &'static str| {
        let pool = pool.clone();
        async move {
            for _ in 0..10 {
                let mut tx = tenant(&pool, "1").await;
                refresh_standing(&mut tx, &ids).await.unwrap();
                for one in &ids[..1] {
                    told(&mut tx, one, Some(status), TUESDAY).await;
                }
                tx.commit().await.unwrap();
            }
        }
    };
    futures::join!(many(ids, "NOT_STARTED"), many(backwards, "REQUEST_SENT"));
}

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn it_is_planned_once(pool: PgPool) {
    let settings: Vec<String> = sqlx::query_scalar(
        "SELECT unnest(proconfig) FROM pg_proc WHERE oid = 'refresh_standing(text[])'::regprocedure",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(settings, ["plan_cache_mode=force_generic_plan"], "a new version of it has to say so again");
}
