//! What the pages of drafts promise in HTML.

use leptos::prelude::*;
use time::{OffsetDateTime, macros::datetime};

use super::{
    super::{
        groups::{Counts, Group},
        model::{Draft, DraftNumber, Finding, ListedRow, Source},
        store::Part,
    },
    confirm::Form,
    import::form,
    rows::{Leaf, Sheet, cut},
};
use crate::businesses::SyncState;

const NOW: OffsetDateTime = datetime!(2026-11-24 10:00 UTC);
const NAME: &str = "<b>\u{202e}Estrela</b> & co";

fn draft(source: Source) -> Draft {
    Draft {
        number: DraftNumber(118),
        member_id: 1,
        source,
        file_name: (source == Source::List).then(|| NAME.to_owned()),
        checked_at: NOW,
        is_started: false,
    }
}

fn row(line: i32, finding: Finding) -> ListedRow {
    ListedRow {
        line,
        given: NAME.to_owned(),
        entered: None,
        given_solution: None,
        finding,
        same_as: Some(12),
        left_out: false,
        business: Some(("1745093316208854".parse().unwrap(), NAME.to_owned())),
        waba_name: Some(NAME.to_owned()),
        waiting_since: Some(NOW),
    }
}

/// HTML without the markers of the framework.
fn html(view: impl FnOnce() -> AnyView) -> String {
    let owner = Owner::new();
    owner.with(|| view().to_html()).replace("<!>", "")
}

fn confirm(source: Source, counts: &Counts, may_onboard: bool) -> (String, String) {
    let draft = draft(source);
    let form = || Form { draft: &draft, counts, offered: Vec::new(), name: String::new(), chosen: None, may_onboard };
    (form().title(), html(|| form().view()))
}

fn sheet(source: Source, rows: Vec<ListedRow>, may_onboard: bool) -> String {
    let draft = draft(source);
    let counts = Counts(rows.iter().map(|row| (row.finding, row.left_out, 1)).collect());
    let leaf = Leaf { rows, back: None, on: None };
    let sync = SyncState::default();
    html(|| {
        Sheet { draft: &draft, counts: &counts, group: Group::All, leaf, sync: &sync, may_onboard, now: NOW }.view()
    })
}

#[test]
fn the_page_says_how_many_e_mails_go_out_and_wants_a_large_number_typed() {
    let counts = Counts(vec![
        (Finding::Eligible, false, 1_190),
        (Finding::Unsaid, false, 8),
        (Finding::AlreadyRequested, false, 21),
        (Finding::NotEligible, false, 14),
        (Finding::Taken, false, 7),
    ]);
    let (title, html) = confirm(Source::Selection, &counts, true);
    assert_eq!(title, "Onboard 1,240 businesses to MM Lite?");
    for part in [
        "all admins of 1,198 businesses",
        "An e-mail cannot be called back.",
        "Type 1198 to confirm",
        "Send 1,198 requests",
        "Keep selecting",
        "skipped: already requested",
        "/drafts/118/rows?finding=taken",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("Onboard to MM Lite<"), "that name is one button's alone");
}

#[test]
fn a_few_need_no_typing_and_none_can_not_be_sent() {
    let (title, html) = confirm(Source::List, &Counts(vec![(Finding::Eligible, false, 1)]), true);
    assert_eq!(title, "Onboard 1 business to MM Lite?");
    assert!(html.contains("Send 1 request<") && !html.contains("to confirm"), "{html}");
    let (_, html) = confirm(Source::List, &Counts(vec![(Finding::Unknown, false, 3)]), true);
    assert!(!html.contains("Send ") && !html.contains("name=\"solution_id\""), "{html}");
}

#[test]
fn who_sends_nothing_sees_no_form() {
    let (_, html) = confirm(Source::Selection, &Counts(vec![(Finding::Eligible, false, 5)]), false);
    assert!(!html.contains("<form") && html.contains("Your role may look"), "{html}");
    let html = sheet(Source::List, Finding::ALL.into_iter().map(|finding| row(1, finding)).collect(), false);
    assert!(!html.contains("<form") && !html.contains("<input"), "{html}");
}

#[test]
fn each_row_offers_what_helps() {
    for finding in Finding::ALL {
        let html = sheet(Source::List, vec![row(47, finding)], true);
        assert_eq!(html.contains("name=\"keep[]\""), finding.is_sent(), "{finding:?}");
        assert_eq!(html.contains("name=\"id[]\""), finding.wants_another_id(), "{finding:?}");
        assert!(html.contains(finding.look().2), "{finding:?}");
    }
    let html = sheet(Source::List, vec![row(18, Finding::WabaId)], true);
    assert!(html.contains("Use the business ID in row 18") && html.contains(" checked"), "{html}");
    let html = sheet(Source::Selection, vec![row(1, Finding::Unknown)], true);
    assert!(!html.contains("name=\"id[]\""), "what was ticked is not retyped: {html}");
}

#[test]
fn names_and_cells_stay_text() {
    let html = sheet(Source::List, Finding::ALL.into_iter().map(|finding| row(1, finding)).collect(), true);
    assert!(!html.contains("<b>\u{202e}"), "{html}");
    assert!(html.contains("<bdi>&lt;b&gt;\u{202e}Estrela&lt;/b&gt; &amp; co</bdi>"), "{html}");
    let mut entered = row(1, Finding::NotDigits);
    entered.entered = Some("\"><script>".to_owned());
    assert!(!sheet(Source::List, vec![entered], true).contains("<script>"));
}

#[test]
fn the_first_button_of_the_rows_saves() {
    let html = sheet(Source::List, vec![row(1, Finding::Unknown), row(2, Finding::Eligible)], true);
    let first = html.split("type=\"submit\"").nth(1).unwrap();
    assert!(first.starts_with('>') || first.split('<').next().unwrap().contains("Save and check again"), "{first:.80}");
}

#[test]
fn pasted_ids_never_become_markup() {
    let html = html(|| form(None));
    assert!(html.contains("enctype=\"multipart/form-data\""), "{html}");
    let area = html.split("<textarea").nth(1).unwrap().split("</textarea>").next().unwrap();
    assert!(area.ends_with('>'), "it's sent empty: {area}");
    let again = self::html(|| form(Some("77</textarea><script>".into())));
    assert!(again.contains(">\n77&lt;/textarea>&lt;script></textarea>"), "{again}");
}

#[test]
fn the_ways_on_lead_only_where_there_is_more() {
    for (part, lines, left, back, on) in [
        (Part::After(0), &[1, 2][..], &[1, 2][..], None, None),
        (Part::After(0), &[1, 2, 5], &[1, 2], None, Some(2)),
        (Part::After(2), &[5, 6, 9], &[5, 6], Some(5), Some(6)),
        (Part::After(2), &[5], &[5], Some(5), None),
        (Part::Before(9), &[2, 5, 6], &[5, 6], Some(5), Some(6)),
        (Part::Before(5), &[1, 2], &[1, 2], None, Some(2)),
        (Part::After(9), &[], &[], None, None),
    ] {
        let leaf = cut(part, lines.iter().map(|line| row(*line, Finding::Eligible)).collect(), 2);
        let shown: Vec<_> = leaf.rows.iter().map(|row| row.line).collect();
        assert_eq!((shown.as_slice(), leaf.back, leaf.on), (left, back, on), "{part:?}");
    }
}
