//! What must hold when everything has settled: the simulator's ledger and our table agree, row by row.

use std::collections::{HashMap, HashSet};

use liteboard::{
    db::{Db, PartnerId},
    graph_simulator::{BusinessEntry, LedgerEntry},
};

use super::{
    super::app::{ADMIN, NORTHLANE},
    stand::Stand,
};

/// How each business stood at Meta before anything was sent.
pub type Before = HashMap<String, BusinessEntry>;

pub fn look_before(stand: &Stand) -> Before {
    let businesses = stand.simulator.businesses_of(NORTHLANE).unwrap();
    businesses.into_iter().map(|business| (business.id.clone(), business)).collect()
}

struct Row {
    number: i64,
    business_id: String,
    solution_id: Option<String>,
    state: String,
    cause: Option<String>,
    meta_request_id: Option<String>,
    last_event: Option<String>,
}

/// Holds the laws; the faults must be over.
pub async fn hold(stand: &Stand, before: &Before, asked: i64) {
    let rows = rows(stand).await;
    assert_eq!(i64::try_from(rows.len()).unwrap(), asked, "every request is still there, and no other");
    let mut ledger: HashMap<String, Vec<LedgerEntry>> = HashMap::new();
    for entry in stand.simulator.ledger() {
        ledger.entry(entry.business_id.clone()).or_default().push(entry);
    }
    let mut broken = Vec::new();
    for row in &rows {
        let business = &before[&row.business_id];
        let agreements = ledger.get(&row.business_id).map_or(&[][..], Vec::as_slice);
        if let Err(why) = judge(stand, row, business, agreements).await {
            broken.push(format!(
                "request {} for {}: {} ({:?}, {:?}): {why}",
                row.number, row.business_id, row.state, row.cause, row.meta_request_id
            ));
        }
        if row.last_event.as_ref() != Some(&row.state) {
            broken.push(format!("request {}: its story ends with {:?}, not {}", row.number, row.last_event, row.state));
        }
    }
    let ours: HashSet<&str> = rows.iter().map(|row| row.business_id.as_str()).collect();
    for lost in ledger.keys().filter(|business| !ours.contains(business.as_str())) {
        broken.push(format!("Meta holds an agreement with {lost} that we do not know of"));
    }
    broken.extend(listed_wrongly(stand, &rows).await);
    assert!(broken.is_empty(), "{} of {} rows:\n{}", broken.len(), rows.len(), broken.join("\n"));
}

async fn judge(stand: &Stand, row: &Row, business: &BusinessEntry, agreements: &[LedgerEntry]) -> Result<(), String> {
    if agreements.len() > 1 {
        return Err(format!("{} agreements at Meta", agreements.len()));
    }
    let (agreement, status) = (agreements.first(), business.status.as_deref());
    let is_ready = || business.wabas.iter().any(|waba| waba.eligibility == "ONBOARDED");
    match (row.state.as_str(), agreement) {
        ("requested" | "already_requested", Some(agreement)) => {
            if row.meta_request_id.as_ref() != Some(&agreement.request_id) {
                return Err(format!("Meta's id is {}", agreement.request_id));
            }
            // One that was pending before keeps its own.
            if status == Some("NOT_STARTED") && row.solution_id != agreement.solution_id {
                return Err(format!("Meta links it to {:?}", agreement.solution_id));
            }
            Ok(())
        }
        ("requested" | "already_requested", None) => Err("Meta knows of no agreement".to_owned()),
        (_, Some(agreement)) => Err(format!("Meta holds agreement {}", agreement.request_id)),
        ("accepted", None) if status == Some("TERM_OF_SERVICE_SIGNED") => Ok(()),
        ("ready", None) if status == Some("TERM_OF_SERVICE_SIGNED") && is_ready() => Ok(()),
        ("failed", None) if matches!(row.cause.as_deref(), Some("invalid_recipient" | "obo_conflict")) => {
            // The simulator is asked itself: a refusal is real when it's given again.
            if ask_again(stand, row).await { Err("Meta would have taken it".to_owned()) } else { Ok(()) }
        }
        _ => Err("not an end that Meta's answers lead to".to_owned()),
    }
}

/// Whether Meta takes the same request now.
async fn ask_again(stand: &Stand, row: &Row) -> bool {
    let url = format!("{}/v25.0/{}/onboard_partners_to_mm_lite", stand.simulator.url(), row.business_id);
    let form = row.solution_id.as_ref().map_or(String::new(), |solution| format!("solution_id={solution}"));
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(url)
        .bearer_auth(stand.simulator.token_for(ADMIN).unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    answer.status().is_success()
}

/// The list of businesses tells what the requests tell: to compute it anew changes nothing.
async fn listed_wrongly(stand: &Stand, rows: &[Row]) -> Vec<String> {
    let ids: Vec<String> = rows.iter().map(|row| row.business_id.clone()).collect();
    let partner: PartnerId = NORTHLANE.parse().unwrap();
    let mut tx = Db::from_pool(stand.pool.clone()).tenant(&partner).await.unwrap();
    sqlx::query!(
        r#"SELECT business AS "business!", was AS "was!", became AS "became!" FROM refresh_standing($1)"#,
        &ids
    )
    .fetch_all(&mut *tx)
    .await
    .unwrap()
    .into_iter()
    .map(|row| format!("business {} is listed as {} and is {}", row.business, row.was, row.became))
    .collect()
}

async fn rows(stand: &Stand) -> Vec<Row> {
    sqlx::query_as!(
        Row,
        r#"
        SELECT r.number, r.business_id::text AS "business_id!", r.solution_id::text, r.state, r.cause, r.meta_request_id,
            (
                SELECT e.state FROM request_events e
                WHERE e.partner_id = r.partner_id AND e.number = r.number ORDER BY e.event_id DESC LIMIT 1
            ) AS last_event
        FROM requests r ORDER BY r.number
        "#
    )
    .fetch_all(&stand.pool)
    .await
    .unwrap()
}
