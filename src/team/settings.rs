//! What a partner decides for itself: how a form is read, and what a change is called in the audit log.

use std::ops::RangeInclusive;

use crate::sign_in::{PartnerKind, PartnerSettings};

/// Days after which a request may be called stalled.
pub const STALLED_DAYS: RangeInclusive<i32> = 1..=90;

/// Days for which raw answers may be kept.
pub const RAW_BODY_DAYS: RangeInclusive<i32> = 1..=3_650;

/// A form as it came.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub kind: String,
    pub stalled_days: String,
    pub raw_body_days: String,
    /// Empty: the box wasn't ticked.
    pub probe: String,
    /// What the page showed, as [`shown`] writes it.
    pub seen: String,
}

/// What of it can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Kind,
    StalledDays,
    RawBodyDays,
}

impl Flaw {
    const ALL: [Self; 3] = [Self::Kind, Self::StalledDays, Self::RawBodyDays];

    /// As the page's address spells it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kind => "partner_kind",
            Self::StalledDays => "stalled_days",
            Self::RawBodyDays => "raw_body_days",
        }
    }

    /// Reads what [`Flaw::code`] wrote.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flaw| flaw.code() == code)
    }

    /// The form field.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::StalledDays => "stalled_days",
            Self::RawBodyDays => "raw_body_days",
        }
    }

    /// What is wrong, in a sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Kind => "Choose one of the two.",
            Self::StalledDays => "Enter a whole number of days from 1 to 90. Nothing was changed.",
            Self::RawBodyDays => "Enter a whole number of days from 1 to 3650. Nothing was changed.",
        }
    }
}

/// Reads the form; the first flaw is told.
pub fn read(typed: &Typed) -> Result<PartnerSettings, Flaw> {
    let days = |text: &str, range: RangeInclusive<i32>| text.trim().parse().ok().filter(|days| range.contains(days));
    Ok(PartnerSettings {
        kind: PartnerKind::from_key(&typed.kind).ok_or(Flaw::Kind)?,
        stalled_days: days(&typed.stalled_days, STALLED_DAYS).ok_or(Flaw::StalledDays)?,
        raw_body_days: days(&typed.raw_body_days, RAW_BODY_DAYS).ok_or(Flaw::RawBodyDays)?,
        probe_request_ids: !typed.probe.is_empty(),
    })
}

/// The settings as a page carries them along with its form.
pub fn shown(settings: &PartnerSettings) -> String {
    let probe = if settings.probe_request_ids { "on" } else { "" };
    format!("{},{},{},{probe}", settings.kind.key(), settings.stalled_days, settings.raw_body_days)
}

/// Reads what [`shown`] wrote.
pub fn seen(text: &str) -> Option<PartnerSettings> {
    let mut parts = text.split(',').map(str::to_owned);
    let (kind, stalled_days, raw_body_days, probe) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    read(&Typed { kind, stalled_days, raw_body_days, probe, seen: String::new() }).ok()
}

/// What is to hold: of what a member saw, the fields they changed; of the others, what holds now. Somebody else may have changed these
/// since the page was shown. Where it isn't known what they saw, all is as they sent it.
pub fn merged(now: &PartnerSettings, seen: Option<&PartnerSettings>, wanted: &PartnerSettings) -> PartnerSettings {
    fn pick<T: PartialEq + Copy>(now: T, seen: T, wanted: T) -> T {
        if wanted == seen { now } else { wanted }
    }
    let Some(seen) = seen else { return *wanted };
    PartnerSettings {
        kind: pick(now.kind, seen.kind, wanted.kind),
        stalled_days: pick(now.stalled_days, seen.stalled_days, wanted.stalled_days),
        raw_body_days: pick(now.raw_body_days, seen.raw_body_days, wanted.raw_body_days),
        probe_request_ids: pick(now.probe_request_ids, seen.probe_request_ids, wanted.probe_request_ids),
    }
}

/// Each change in words.
pub fn changes(before: &PartnerSettings, after: &PartnerSettings) -> Vec<String> {
    let yes = |on: bool| if on { "on" } else { "off" };
    let pairs = [
        ("Kind of partner", before.kind.word().to_owned(), after.kind.word().to_owned()),
        ("Days until stalled", before.stalled_days.to_string(), after.stalled_days.to_string()),
        ("Days raw answers are kept", before.raw_body_days.to_string(), after.raw_body_days.to_string()),
        ("Asking by request ID", yes(before.probe_request_ids).to_owned(), yes(after.probe_request_ids).to_owned()),
    ];
    let changed = pairs.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| format!("{name}: {before} to {after}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_database_would_take_is_read() {
        let typed = |stalled: &str, raw: &str| Typed {
            kind: "tech_provider".into(),
            stalled_days: stalled.into(),
            raw_body_days: raw.into(),
            probe: "on".into(),
            seen: String::new(),
        };
        let good = PartnerSettings {
            kind: PartnerKind::TechProvider,
            stalled_days: 1,
            raw_body_days: 3_650,
            probe_request_ids: true,
        };
        assert_eq!(read(&typed(" 1", "3650 ")), Ok(good));
        for bad in ["", "0", "91", "-7", "7.5", "seven", "99999999999"] {
            assert_eq!(read(&typed(bad, "400")), Err(Flaw::StalledDays), "{bad:?}");
        }
        for bad in ["", "0", "3651", "4e2"] {
            assert_eq!(read(&typed("7", bad)), Err(Flaw::RawBodyDays), "{bad:?}");
        }
        assert_eq!(read(&Typed { kind: "reseller".into(), ..typed("7", "400") }), Err(Flaw::Kind));
        assert_eq!(
            read(&Typed { probe: String::new(), ..typed("1", "3650") }),
            Ok(PartnerSettings { probe_request_ids: false, ..good })
        );
        for flaw in Flaw::ALL {
            assert_eq!(Flaw::from_code(flaw.code()), Some(flaw));
        }
    }

    #[test]
    fn of_two_who_save_at_once_each_changes_what_they_changed() {
        let first = PartnerSettings::default();
        let seen = seen(&shown(&first)).unwrap();
        assert_eq!(seen, first);
        let one = merged(&first, Some(&seen), &PartnerSettings { stalled_days: 14, ..first });
        let other = merged(&one, Some(&seen), &PartnerSettings { raw_body_days: 90, probe_request_ids: true, ..first });
        let both = PartnerSettings {
            stalled_days: 14,
            raw_body_days: 90,
            probe_request_ids: true,
            kind: PartnerKind::default(),
        };
        assert_eq!(other, both);
        assert_eq!(merged(&both, None, &first), first);
        for text in ["", "solution_partner,7,400", "reseller,7,400,", "solution_partner,7,x,on"] {
            assert_eq!(super::seen(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_log_says_what_changed_and_nothing_else() {
        let before = PartnerSettings::default();
        assert!(changes(&before, &before).is_empty());
        let after = PartnerSettings { stalled_days: 14, probe_request_ids: true, ..before };
        assert_eq!(changes(&before, &after), ["Days until stalled: 7 to 14", "Asking by request ID: off to on"]);
    }
}
