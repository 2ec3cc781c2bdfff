//! What the tests of this room begin with: a call to Meta, and a partner with one business that was asked.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use sqlx::PgPool;
use time::{OffsetDateTime, macros::datetime};

use crate::{
    db::PartnerId,
    graph::{Call, GraphError, Operation, Origin, Usage, Version},
    sign_in::{Role, Viewer},
    support::store::KeptCall,
};

pub const NOW: OffsetDateTime = datetime!(2026-11-24 10:42:09 UTC);
pub const TRACE: &str = "AfR7uWcN1eKq_Zs84TgXo2M";
pub const META_REQUEST: &str = "738201946655120";

pub fn partner(digits: &str) -> PartnerId {
    digits.parse().unwrap()
}

/// Somebody of support at this partner.
pub fn viewer(partner_id: &str) -> Viewer {
    Viewer {
        partner: partner(partner_id),
        partner_name: "Northlane Messaging".into(),
        member_id: 0,
        name: "Maya Lindqvist".into(),
        role: Role::Support,
        other_partners: Vec::new(),
        token_problem: None,
        stalled_after: time::Duration::days(7),
        raw_body_days: 400,
        unsent_on: None,
    }
}

/// A refused onboarding call for this partner, with every field filled.
pub fn refused_call(partner: &str, business: &str, trace: &str) -> Call {
    Call {
        origin: Origin { partner: Some(partner.parse().unwrap()), member: None, request: None, attempt: Some(1) },
        operation: Operation::OnboardPartnersToMmLite,
        method: "POST",
        path: format!("/v25.0/{business}/onboard_partners_to_mm_lite"),
        query: "access_token=[redacted]&solution_id=77".into(),
        subject: Some(business.into()),
        business_id: Some(business.parse().unwrap()),
        waba_id: None,
        solution_id: Some("77".parse().unwrap()),
        graph_version: Version::V25_0,
        app_id: "731940286655018".parse().unwrap(),
        started_at: NOW - Duration::from_mins(1),
        duration: Duration::from_millis(340),
        status: Some(403),
        error: Some(GraphError {
            message: Some("(#200) <b>No</b> permission".into()),
            kind: Some("OAuthException".into()),
            code: Some(200),
            subcode: Some(1_349_174),
            user_title: Some("Permission Denied".into()),
            user_message: Some("Your app has no permission".into()),
            fbtrace_id: Some(trace.into()),
            is_transient: Some(false),
            error_data: Some("{\"details\":\"x\"}".into()),
        }),
        failure: None,
        failure_detail: None,
        x_fb_trace_id: Some(trace.into()),
        x_fb_request_id: Some(format!("6f1c1b5e-{trace}")),
        x_fb_rev: Some("1019".into()),
        x_fb_debug: Some("debug==".into()),
        app_usage: Some("{\"call_count\":28}".into()),
        business_use_case_usage: Some("{}".into()),
        retry_after: Some("60".into()),
        content_type: Some("application/json".into()),
        date: None,
        usage: Usage::default(),
        body: format!("{{\"error\":{{\"code\":200,\"fbtrace_id\":\"{trace}\"}}}}"),
    }
}

/// The same as it is kept.
pub fn kept_call() -> KeptCall {
    KeptCall {
        call_id: 1,
        number: None,
        attempt: Some(1),
        member_name: None,
        subject_id: Some("2210758843906172".into()),
        business_name: None,
        solution_id: None,
        operation: "onboard_partners_to_mm_lite".into(),
        method: "POST".into(),
        path: "/v25.0/2210758843906172/onboard_partners_to_mm_lite".into(),
        query: String::new(),
        graph_version: "v25.0".into(),
        app_id: "731940286655018".into(),
        started_at: NOW,
        duration_ms: 340,
        http_status: Some(403),
        failure: None,
        failure_detail: None,
        code: Some(200),
        subcode: None,
        kind: None,
        message: None,
        user_title: None,
        user_message: None,
        error_data: None,
        is_transient: None,
        fbtrace_id: Some(TRACE.into()),
        x_fb_request_id: None,
        x_fb_rev: None,
        x_fb_debug: None,
        app_usage: None,
        business_usage: None,
        retry_after: None,
        body: "{}".into(),
        is_body_dropped: false,
    }
}

/// A partner's business `business` with WABA `waba`, and a failed request for it with [`META_REQUEST`]; gives our number.
pub async fn seed(pool: &PgPool, partner: &str, business: &str, waba: &str) -> i64 {
    let member: i64 = sqlx::query_scalar(
        "INSERT INTO members (partner_id, facebook_user_id, name, role, joined_at)
         VALUES ($1, '5', 'Ines Carvalho', 'admin', $2) RETURNING member_id",
    )
    .bind(partner)
    .bind(NOW)
    .fetch_one(pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO businesses (partner_id, business_id, name, name_key, words, standing, wabas, eligible_wabas, first_seen_at)
         VALUES ($1, $2, 'Banyan <i>Leaf</i>', 'banyan', '', 'failed', 3, 2, $3)",
    )
    .bind(partner)
    .bind(business)
    .bind(NOW)
    .execute(pool)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO wabas (partner_id, waba_id, business_id, name, link, first_seen_at, changed_at)
         VALUES ($1, $2, $3, 'Shop', 'shared', $4, $4)",
    )
    .bind(partner)
    .bind(waba)
    .bind(business)
    .bind(NOW)
    .execute(pool)
    .await
    .unwrap();
    sqlx::query_scalar(
        "WITH batch AS (
            INSERT INTO batches (partner_id, member_id, started_at) VALUES ($1, $2, $5) RETURNING batch_number
         )
         INSERT INTO requests (partner_id, batch_number, business_id, member_id, state, attempts, cause, meta_request_id,
            queued_at, failed_at, changed_at)
         SELECT $1, batch_number, $3, $2, 'failed', 1, 'access_denied', $4, $5, $5, $5 FROM batch
         RETURNING number",
    )
    .bind(partner)
    .bind(member)
    .bind(business)
    .bind(META_REQUEST)
    .bind(NOW)
    .fetch_one(pool)
    .await
    .unwrap()
}
