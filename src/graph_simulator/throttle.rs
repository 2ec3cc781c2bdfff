//! Meta's limits and the headers that tell of them (facts 7.6 to 7.8): a rolling hour for the app and one for each partner.

use std::collections::{HashMap, VecDeque};

use serde_json::json;
use time::OffsetDateTime;

use super::{error::GraphError, faults::partner_limit, operation::Operation};

/// Calls of the last hour, by minute.
#[derive(Debug, Default)]
struct Window {
    minutes: VecDeque<(i64, u32)>,
    total: u32,
}

impl Window {
    /// Counts some calls; answers with the calls of this hour, these included. Refused ones count too: calling on
    /// lengthens a block (7.8).
    fn count(&mut self, minute: i64, calls: u32) -> u32 {
        while let Some((first, count)) = self.minutes.front().copied().filter(|(first, _)| *first <= minute - 60) {
            debug_assert!(first <= minute, "minutes are in order");
            self.total -= count;
            self.minutes.pop_front();
        }
        match self.minutes.back_mut() {
            Some((last, count)) if *last >= minute => *count += calls,
            _ => self.minutes.push_back((minute, calls)),
        }
        self.total += calls;
        self.total
    }

    /// Minutes until fewer than `limit` calls are left in the hour.
    fn regain(&self, minute: i64, limit: u32) -> u32 {
        let mut left = self.total;
        for (at, count) in &self.minutes {
            left -= count;
            if left < limit {
                return u32::try_from(at + 60 - minute).unwrap_or(1).max(1);
            }
        }
        60
    }
}

/// What one call is told about the limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    app_percent: u32,
    /// (business id, usage type, percent, minutes to regain access).
    partner: Option<(u64, &'static str, u32, u32)>,
}

impl Usage {
    /// The two headers; an error that names minutes puts them in.
    pub(super) fn headers(&self, error: Option<&GraphError>) -> Vec<(&'static str, String)> {
        let regain = error.and_then(|error| error.regain_minutes);
        let app_full = error.is_some_and(|error| matches!(error.code, 4 | 17));
        let app = if app_full { 100 } else { self.app_percent };
        let mut headers = vec![(
            "x-app-usage",
            json!({"call_count": app, "total_cputime": app / 4, "total_time": app / 3}).to_string(),
        )];
        if let Some((id, kind, percent, minutes)) = self.partner {
            let percent = if regain.is_some() { percent.max(100) } else { percent };
            let usage = json!({id.to_string(): [{
                "type": kind, "call_count": percent, "total_cputime": percent / 4, "total_time": percent / 3,
                "estimated_time_to_regain_access": regain.unwrap_or(minutes),
            }]});
            headers.push(("x-business-use-case-usage", usage.to_string()));
        }
        headers
    }
}

/// The limits in force: calls an hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub app: Option<u32>,
    pub partner: Option<u32>,
    pub throttle_http: u16,
}

/// A notional limit against which percentages are shown when none is set: so far away that nobody who reads them slows down.
const NOTIONAL: u32 = 100_000_000;

#[derive(Debug, Default)]
pub(super) struct Throttle {
    app: Window,
    partners: HashMap<u64, Window>,
}

impl Throttle {
    /// Counts `calls` of one operation; `partner` is whose limit they count against.
    pub(super) fn admit(
        &mut self,
        now: OffsetDateTime,
        operation: Operation,
        partner: Option<u64>,
        calls: u32,
        limits: Limits,
    ) -> (Usage, Option<GraphError>) {
        let minute = now.unix_timestamp().div_euclid(60);
        let mut error = None;
        let count = self.app.count(minute, calls);
        let limit = limits.app.unwrap_or(NOTIONAL);
        let mut usage = Usage { app_percent: percent(count, limit), partner: None };
        if limits.app.is_some() && count > limit {
            error = Some(GraphError::app_limit(limits.throttle_http, self.app.regain(minute, limit)));
        }
        if let Some(id) = partner.filter(|_| operation.is_partner_limited()) {
            let window = self.partners.entry(id).or_default();
            let count = window.count(minute, calls);
            let limit = limits.partner.unwrap_or(NOTIONAL);
            let mut minutes = 0;
            if limits.partner.is_some() && count > limit {
                minutes = window.regain(minute, limit);
                error = error.or_else(|| Some(partner_limit(minutes)));
            }
            usage.partner = Some((id, operation.usage_type(), percent(count, limit), minutes));
        }
        (usage, error)
    }
}

fn percent(count: u32, limit: u32) -> u32 {
    u32::try_from(u64::from(count) * 100 / u64::from(limit.max(1))).unwrap_or(u32::MAX).min(100)
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    const LIMITS: Limits = Limits { app: Some(10), partner: Some(4), throttle_http: 400 };

    fn at(minute: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::minutes(minute)
    }

    #[test]
    fn a_partner_over_its_limit_waits_until_the_hour_has_rolled_on() {
        let mut throttle = Throttle::default();
        for _ in 0..4 {
            assert_eq!(throttle.admit(at(0), Operation::Onboard, Some(7), 1, LIMITS).1, None);
        }
        let (usage, error) = throttle.admit(at(10), Operation::Onboard, Some(7), 1, LIMITS);
        let error = error.unwrap();
        assert_eq!((error.code, error.regain_minutes), (80008, Some(50)));
        let header = &usage.headers(Some(&error))[1].1;
        assert!(header.contains("\"estimated_time_to_regain_access\":50") && header.contains("\"7\""), "{header}");
        assert_eq!(throttle.admit(at(60), Operation::Onboard, Some(7), 1, LIMITS).1, None);
    }

    #[test]
    fn the_app_limit_is_code_4_and_counts_every_call() {
        let mut throttle = Throttle::default();
        let errors: Vec<_> = (0..11).map(|_| throttle.admit(at(0), Operation::Me, None, 1, LIMITS).1).collect();
        assert!(errors[..10].iter().all(Option::is_none));
        let error = errors[10].as_ref().unwrap();
        assert_eq!((error.code, error.subcode, error.regain_minutes), (4, Some(2_446_079), Some(60)));
    }

    #[test]
    fn usage_is_a_share_of_the_limit() {
        let mut throttle = Throttle::default();
        let (usage, _) = throttle.admit(at(0), Operation::Me, None, 5, LIMITS);
        assert_eq!(usage.headers(None)[0].1, r#"{"call_count":50,"total_cputime":12,"total_time":16}"#);
    }
}
