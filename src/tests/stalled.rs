//! Stories of requests that the client's admins let lie.

use std::time::Duration;

use liteboard::sign_in::PartnerSettings;
use sqlx::PgPool;

use super::{
    app::{HARBOUR_REACH, MANAGER, RIVAL, onboard},
    follow::{check, slow, timeline},
};

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn a_request_that_stalls_says_whom_to_write_to_in_their_language(pool: PgPool) {
    let app = slow(pool).await;
    let browser = app.signed_in(MANAGER).await;
    let business = app.eligible_business().await;
    let request = onboard(&browser, &business).await.url;
    let number = request.rsplit('/').next().unwrap().to_owned();
    app.advance(Duration::from_hours(24 * 7)).await;
    let browser = app.signed_in_again(MANAGER).await;
    assert!(
        !browser.open("/requests?state=stalled").await.unwrap().body.contains(&number),
        "seven days are not yet long"
    );
    app.advance(Duration::from_hours(24)).await;
    let browser = app.signed_in_again(MANAGER).await;
    let page = browser.open(&request).await.unwrap();
    for part in [
        "No admin has answered for 8 days",
        "Stalled 8 d",
        "full control",
        "Business Settings, Requests",
        "Stalled: no answer for 7 days",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    for (language, words) in [("en", "Hello,"), ("pt", "Olá,"), ("es", "Hola:"), ("xx", "business.facebook.com")] {
        for page in [request.clone(), format!("/businesses/{business}")] {
            let page = browser.open(&format!("{page}?reminder={language}")).await.unwrap();
            assert!(page.body.contains(words), "{language}: {}", page.body);
        }
    }
    for list in ["/requests?state=stalled", "/requests?state=attention", "/businesses?status=needs_attention"] {
        let list = browser.open(list).await.unwrap();
        assert!(list.body.contains("Stalled 8 d"), "{}", list.url);
    }
    // Answered at last: it has stalled no more.
    app.simulator.accept(&business).unwrap();
    app.advance(Duration::from_mins(2)).await;
    let checked = check(&browser, &business).await;
    assert!(checked.url.ends_with("notice=checked") && checked.body.contains("Checked at Meta"), "{}", checked.url);
    app.until_request_is(&business, "accepted").await;
    assert!(!browser.open("/requests?state=stalled").await.unwrap().body.contains(&number));
}

#[sqlx::test(migrator = "liteboard::db::MIGRATOR")]
async fn each_partner_says_after_how_many_days_its_requests_stall(pool: PgPool) {
    let app = slow(pool).await;
    let (ours, theirs) = (app.signed_in(MANAGER).await, app.signed_in(RIVAL).await);
    let business = app.eligible_business().await;
    let their_business = app.businesses_of(HARBOUR_REACH, "eligible").await.remove(0);
    let request = onboard(&ours, &business).await.url;
    let their_request = onboard(&theirs, &their_business).await.url;
    app.decide(PartnerSettings { stalled_days: 3, ..PartnerSettings::default() }).await;
    app.advance(Duration::from_hours(24 * 4 + 1)).await;
    let (ours, theirs) = (app.signed_in_again(MANAGER).await, app.signed_in_again(RIVAL).await);
    for list in ["/requests?state=stalled", "/businesses?status=needs_attention"] {
        assert!(ours.open(list).await.unwrap().body.contains("Stalled 4 d"), "{list}");
    }
    let page = ours.open(&format!("/businesses/{business}")).await.unwrap();
    assert!(page.body.contains("Stalled 4 d"), "{}", page.body);
    assert!(timeline(&page).contains("Stalled: no answer for 3 days"), "{}", timeline(&page));
    let page = ours.open(&request).await.unwrap().body.replace("<!>", "");
    for part in ["Stalled 4 d", "No admin has answered for 4 days", "After 3 days a message"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for (page, part) in [
        ("/requests", "Requested"),
        ("/businesses", "Requested"),
        (&*format!("/businesses/{their_business}"), "Waiting for an admin"),
        (&*their_request, "Waiting for an admin"),
    ] {
        let page = theirs.open(page).await.unwrap();
        assert!(page.body.contains(part) && !page.body.contains("Stalled 4 d"), "{}: {}", page.url, page.body);
    }
    assert!(!theirs.open("/requests?state=stalled").await.unwrap().body.contains(&their_business));
}
