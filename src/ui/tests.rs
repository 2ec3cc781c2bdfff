//! What the pieces promise in HTML: escaping, names for assistive technology, and that nothing breaks the security
//! policy.

use std::time::Duration;

use leptos::prelude::*;
use time::{OffsetDateTime, macros::datetime};

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-24 10:42:09 UTC);

/// A name as bad as names get: markup, a quote, an emoji, a right-to-left override, and 400 letters.
fn worst_name() -> String {
    format!("<script>alert(\"1\")</script>&amp; 🛍️ \u{202e}gnirts {}", "م".repeat(400))
}

/// HTML as a browser would see it without script: the markers of the framework taken out.
fn html(view: impl FnOnce() -> AnyView) -> String {
    Owner::new().with(|| view().to_html()).replace("<!>", "")
}

fn account(others: Vec<PartnerChoice>) -> Account {
    Account {
        name: worst_name(),
        role: "Support".into(),
        partner: PartnerChoice { id: "418206733951027".into(), name: worst_name() },
        others,
        theme: Theme::Dark,
        keys: true,
    }
}

fn nav() -> Vec<NavItem> {
    vec![
        NavItem {
            href: "/businesses",
            glyph: Glyph::Business,
            word: "Businesses",
            note: Some(NavNote { text: "8,306".into(), spoken: "", hot: false }),
            aside: false,
        },
        NavItem {
            href: "/requests",
            glyph: Glyph::Send,
            word: "Requests",
            note: Some(NavNote { text: "96".into(), spoken: "failed", hot: true }),
            aside: false,
        },
    ]
}

/// Every piece that shows text from outside, showing the worst there is.
fn everything() -> String {
    let name = worst_name;
    let others = vec![PartnerChoice { id: "7".into(), name: name() }];
    let answer = Answer {
        http: Some(403),
        code: Some(200),
        subcode: Some(1_349_174),
        fbtrace_id: Some(name()),
        took: Some(Duration::from_millis(340)),
        at: NOW,
        raw: Raw::Kept(format!("{{\"error\":{{\"message\":{:?}}}}}", "<b>no</b>")),
        page: Some("/support/calls/41".into()),
    };
    let chips = vec![Chip { href: format!("/?q={}", name()), word: "All", count: Some("1".into()), current: true }];
    let choices = vec![Choice { value: name(), word: name(), selected: true, disabled: true }];
    html(move || {
        view! {
            <Layout account=account(others) nav=nav() here=format!("/requests/7?q={}", name()) limit=Some(100)>
                <Breadcrumbs above=vec![("Requests", "/requests".into())] here=name()/>
                <PageHead
                    title=name()
                    beside=view! { <StatePill look=state::look_of("failed")/> }.into_any()
                    actions=view! { <CopyTextButton word="Copy reminder" text=name()/> }.into_any()
                >
                    <Identifier what="business ID" value=name()/><Separator/><Name name=name()/>
                </PageHead>
                <SearchForm label="Businesses" action="/businesses">
                    <SearchField id="q" label="Search businesses" value=name() placeholder="Name" clear=Some(name())/>
                </SearchForm>
                <Chips label="Filter by MM status" chips=chips/>
                <NameLink href=name() name=name()/>
                <Panel named_by="why" hue=Hue::Red><Lead id="why" title=name() glyph=Glyph::Alert><p>{name()}</p></Lead></Panel>
                <Select id="solution" name="solution_id" label="Solution" choices=choices hint="Optional." error=Some(name())/>
                <Field id="f" name="f" label="Business ID" value=name() error=Some(name())/>
                <Notice kind=NoticeKind::Error title=name()><p>{name()}</p></Notice>
                <ErrorNotice error=AppError::Invalid { field: name(), message: name() }/>
                <Attempts><Attempt number=1 outcome=name() answer=answer now=NOW open=true/></Attempts>
                <Timeline>
                    <TimelineEvent at=NOW now=NOW glyph=Glyph::Bolt what=name().into_any()><p>{name()}</p></TimelineEvent>
                </Timeline>
                <Facts><Fact term="Name">{name()}</Fact></Facts>
                <Empty title=name()/>
                <Pager words=("Previous", "Next") back=None on=Some(name())><b>{name()}</b></Pager>
            </Layout>
        }
        .into_any()
    })
}

/// The inside of every opening tag of that name.
fn opening_tags<'html>(html: &'html str, tag: &str) -> Vec<&'html str> {
    let start = format!("<{tag} ");
    html.split(start.as_str()).skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

#[test]
fn a_name_with_markup_is_escaped_everywhere() {
    let page = everything();
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("<b>no</b>"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
    // A quote inside an attribute would end it.
    for tag in ["input", "button", "a", "summary"].into_iter().flat_map(|tag| opening_tags(&page, tag)) {
        assert!(!tag.contains("alert(\"1\")"), "{tag}");
    }
}

#[test]
fn a_name_can_not_turn_the_line_around_it() {
    let name = worst_name();
    let link = html(move || view! { <NameLink href="/businesses/1" name=name/> }.into_any());
    assert!(link.contains("<bdi>&lt;script&gt;"), "{link}");
    assert!(link.ends_with("</bdi></a>"), "{link}");
    let name = worst_name();
    let head = html(move || view! { <PageHead title=name/> }.into_any());
    assert!(head.contains("<h1><bdi>"), "{head}");
}

#[test]
fn the_security_policy_finds_nothing_to_forbid() {
    let page = everything();
    for part in page.split('<').skip(1) {
        let tag = part.split('>').next().unwrap_or_default();
        assert!(!tag.contains(" style=") && !tag.contains(" onclick=") && !tag.contains("javascript:"), "{tag}");
    }
}

#[test]
fn icons_are_never_spoken() {
    for svg in opening_tags(&everything(), "svg") {
        assert!(svg.contains("aria-hidden=\"true\""), "{svg}");
    }
}

#[test]
fn the_search_box_and_the_select_are_named_by_their_label_alone() {
    let search =
        html(|| view! { <SearchField id="q" label="Search businesses" value="" placeholder="Name"/> }.into_any());
    assert!(search.contains("<label for=\"q\" class=\"vh\">Search businesses</label>"), "{search}");
    assert!(search.contains("<input id=\"q\" type=\"search\" name=\"q\""), "{search}");
    let select = html(|| {
        view! { <Select id="solution" name="solution_id" label="Solution" choices=vec![] hint="Optional."/> }.into_any()
    });
    assert!(select.contains("<label for=\"solution\">Solution</label>"), "{select}");
    assert!(select.contains("aria-describedby=\"solution-hint\""), "{select}");
    assert!(select.contains("id=\"solution-hint\" class=\"hint\">Optional.</p>"), "{select}");
    assert!(!select.contains("aria-invalid"), "{select}");
}

#[test]
fn an_invalid_field_says_so_and_points_at_the_reason() {
    let field = html(|| {
        view! { <Field id="b" name="business_id" label="Business ID" value="9801" error=Some("Too short.".into())/> }
            .into_any()
    });
    assert!(field.contains("aria-invalid=\"true\""), "{field}");
    assert!(field.contains("aria-describedby=\"b-error\""), "{field}");
    assert!(field.contains("id=\"b-error\""), "{field}");
    assert!(field.contains("value=\"9801\""), "{field}");
}

#[test]
fn a_copy_button_names_what_it_copies() {
    let id = html(|| view! { <Identifier what="business ID" value="1745093316208854"/> }.into_any());
    assert!(id.contains("aria-label=\"Copy business ID 1745093316208854\""), "{id}");
    assert!(id.contains("data-copy=\"1745093316208854\""), "{id}");
    assert!(id.starts_with("<span class=\"id\">1745093316208854<button"), "{id}");
}

#[test]
fn a_name_in_a_sentence_ends_where_its_isolation_ends() {
    assert_eq!(isolated("Estrela"), "\u{2068}Estrela\u{2069}");
    assert_eq!(isolated("a\u{2069}b\u{2066}\u{2068}"), "\u{2068}ab\u{2069}");
}

#[test]
fn the_current_place_is_marked_and_so_is_the_one_above_it() {
    let at = |here: &'static str| {
        html(move || view! { <Layout account=account(vec![]) nav=nav() here=here>""</Layout> }.into_any())
    };
    assert!(at("/requests?q=x").contains("href=\"/requests\" aria-current=\"page\""));
    assert!(at("/requests/7").contains("href=\"/requests\" aria-current=\"true\""));
    assert!(!at("/requests-old").contains("aria-current"));
}

#[test]
fn the_menu_of_partners_is_there_only_when_there_is_a_choice() {
    let alone = html(|| view! { <Layout account=account(vec![]) nav=nav() here="/">""</Layout> }.into_any());
    assert!(!alone.contains("/sign-in/partner"), "{alone}");
    assert!(everything().contains("action=\"/sign-in/partner\""));
}

#[test]
fn a_current_chip_is_marked_and_an_end_of_the_list_leads_nowhere() {
    let page = everything();
    assert!(page.contains("aria-current=\"true\" class=\"chip\">All"), "{page}");
    assert!(page.contains("role=\"link\" aria-disabled=\"true\""), "{page}");
}

#[test]
fn an_error_page_has_the_reference_and_the_time() {
    let page = html(|| {
        let error = AppError::Unexpected { reference: "E7F3-92QD-K4".into() };
        view! { <ErrorPage error=error at=NOW retry="/requests"/> }.into_any()
    });
    assert!(page.contains("E7F3-92QD-K4"), "{page}");
    assert!(page.contains("datetime=\"2026-11-24T10:42:09Z\""), "{page}");
    assert!(page.contains("This page could not be loaded"), "{page}");
    assert!(page.contains("href=\"/requests\" class=\"btn btn-primary\">Try again"), "{page}");
    let page = html(|| view! { <ErrorPage error=AppError::NotFound at=NOW retry="/requests"/> }.into_any());
    assert!(!page.contains("Reference") && !page.contains("Try again"), "{page}");
}

#[test]
fn a_time_says_utc_and_carries_the_exact_moment() {
    let time = html(|| view! { <Timestamp at=NOW now=NOW/> }.into_any());
    assert_eq!(
        time,
        "<time datetime=\"2026-11-24T10:42:09Z\" title=\"24 Nov 2026, 10:42:09 UTC\" data-local=\"minute\">10:42 UTC</time>"
    );
}

#[test]
fn a_raw_answer_stands_as_meta_sent_it() {
    let answer = Answer {
        http: None,
        code: None,
        subcode: None,
        fbtrace_id: None,
        took: None,
        at: NOW,
        raw: Raw::Kept("<html>502".into()),
        page: None,
    };
    let item = html(move || view! { <Attempt number=2 outcome="No answer" answer=answer now=NOW/> }.into_any());
    assert!(item.contains(">&lt;html&gt;502</pre>"), "{item}");
    assert!(item.contains("aria-label=\"Raw answer of attempt 2\""), "{item}");
    assert!(!item.contains("<details class=\"disclose\" open"), "{item}");
}

#[test]
fn a_textarea_never_renders_markup_from_text() {
    let area = |text| html(|| view! { <textarea name="note" inner_html=area_content(text)></textarea> }.into_any());
    let worst = area(Some(format!("{}</textarea><script>&lt;", worst_name())));
    assert!(!worst.contains("<script") && worst.matches("</textarea").count() == 1, "{worst}");
    assert!(worst.contains("&amp;lt;"), "what looks escaped stays as it is: {worst}");
    assert_eq!(area(None), "<textarea name=\"note\"></textarea>");
}

#[test]
fn a_place_that_stands_aside_is_in_the_navigation_and_in_the_account_menu() {
    let aside = NavItem { href: "/settings", glyph: Glyph::Settings, word: "Settings", note: None, aside: true };
    let nav = vec![nav().remove(0), aside];
    let html =
        html(move || view! { <Layout account=account(Vec::new()) nav=nav here="/settings">""</Layout> }.into_any());
    let links: Vec<&str> = html.split("<a ").filter(|link| link.contains("href=\"/settings\"")).collect();
    assert!(links.len() == 2 && links[0].contains("nav-aside") && links[1].contains("opt-aside"), "{links:?}");
    assert_eq!(html.matches("href=\"/businesses\"").count(), 1, "others are in the navigation alone");
}

#[test]
fn a_place_is_named_by_its_word_and_described_by_its_note() {
    let page = html(|| view! { <Layout account=account(Vec::new()) nav=nav() here="/">""</Layout> }.into_any());
    let link = page.split("<a ").find(|link| link.contains("href=\"/requests\"")).unwrap();
    assert!(link.contains("aria-describedby=\"note-of-requests\""), "{link}");
    assert!(link.contains("id=\"note-of-requests\" aria-hidden=\"true\""), "{link}");
    assert!(link.contains("96") && link.contains("> failed<"), "{link}");
}
