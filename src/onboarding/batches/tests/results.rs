//! The file of results.

use super::*;

#[sqlx::test(migrator = "crate::db::MIGRATOR")]
async fn the_results_hold_every_request_and_every_row_that_made_none(pool: PgPool) {
    let yard = Yard::lay(&pool, "100").await;
    let number = yard.batch(&[State::Requested, State::Failed]).await;
    let mut tx = yard.tx().await;
    for (line, given, finding, left_out) in [
        (1, "9", "eligible", false),
        (2, "=HYPERLINK(\"http://evil.example\")", "not_digits", false),
        (3, "12", "unknown", false),
        (4, "13", "eligible", true),
    ] {
        sqlx::query!(
            "INSERT INTO batch_rows (partner_id, batch_number, line, given, finding, left_out) VALUES ($1, $2, $3, $4, $5, $6)",
            yard.partner.as_str() as _,
            number.0,
            line,
            given,
            finding,
            left_out,
        )
        .execute(&mut *tx)
        .await
        .unwrap();
    }
    let text = whole(&mut tx, number).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert!(lines[0].starts_with("business_id,business_name,state,meta_request_id,request,"), "{text}");
    assert!(lines[1].contains(",'=business 0,requested,71,LB-"), "{text}");
    assert!(lines[2].contains(",failed,,LB-") && lines[2].contains(",access_denied,"), "{text}");
    assert_eq!(lines[3], "\"'=HYPERLINK(\"\"http://evil.example\"\")\",,skipped,,,not_digits,,,,,,");
    assert_eq!(lines[4], "12,,skipped,,,unknown,,,,,,");
    assert_eq!(lines[5], "13,,skipped,,,left_out,,,,,,");
}
