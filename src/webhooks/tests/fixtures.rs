//! The payloads of section 5.9, key for key as Meta prints them.

/// A payload, and what is in it.
pub struct Printed {
    pub event: &'static str,
    pub entry_id: &'static str,
    pub business_id: Option<&'static str>,
    pub waba_id: Option<&'static str>,
    pub time: i64,
    pub body: &'static str,
}

pub const PRINTED: [Printed; 7] = [
    Printed {
        event: "MM_LITE_TERMS_SIGNED",
        entry_id: "2949482758682047",
        business_id: Some("2329417887457253"),
        waba_id: Some("980198427658004"),
        time: 1_744_823_932,
        body: include_str!("../fixtures/mm_lite_terms_signed.json"),
    },
    Printed {
        event: "AD_ACCOUNT_LINKED",
        entry_id: "2949482758682047",
        business_id: Some("2329417887457253"),
        waba_id: Some("980198427658004"),
        time: 1_744_823_932,
        body: include_str!("../fixtures/ad_account_linked.json"),
    },
    Printed {
        event: "PARTNER_ADDED",
        entry_id: "2949482758682047",
        business_id: Some("2329417887457253"),
        waba_id: Some("980198427658004"),
        time: 1_744_823_932,
        body: include_str!("../fixtures/partner_added.json"),
    },
    Printed {
        event: "PARTNER_APP_INSTALLED",
        entry_id: "2949482758682047",
        business_id: Some("2329417887457253"),
        waba_id: Some("1191624265890717"),
        time: 1_745_337_174,
        body: include_str!("../fixtures/partner_app_installed.json"),
    },
    Printed {
        event: "PARTNER_APP_UNINSTALLED",
        entry_id: "2949482758682047",
        business_id: Some("1284923862322270"),
        waba_id: Some("184943124712545"),
        time: 1_748_477_359,
        body: include_str!("../fixtures/partner_app_uninstalled.json"),
    },
    Printed {
        event: "DISABLED_UPDATE",
        entry_id: "102290129340398",
        business_id: None,
        waba_id: None,
        time: 1_743_451_903,
        body: include_str!("../fixtures/disabled_update.json"),
    },
    Printed {
        event: "ACCOUNT_DELETED",
        entry_id: "102290129340398",
        business_id: None,
        waba_id: None,
        time: 1_743_451_903,
        body: include_str!("../fixtures/account_deleted.json"),
    },
];
