//! The frame of every page but sign-in and errors: navigation, who is signed in, and the page itself.

use leptos::prelude::*;

use super::{
    icon::{Glyph, Icon, Mark},
    islands::{CopyOnClick, LocalTimes},
    meter::Meter,
    theme::Theme,
};

/// A partner someone may act for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerChoice {
    /// Meta's id of the partner.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Who is signed in, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The person's name, as Meta gave it.
    pub name: String,
    /// The role in words: "Account manager".
    pub role: String,
    /// The partner in force.
    pub partner: PartnerChoice,
    /// The other partners this person may switch to; often none.
    pub others: Vec<PartnerChoice>,
    /// The theme in force.
    pub theme: Theme,
    /// Whether single keys do something.
    pub keys: bool,
}

/// One place in the navigation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavItem {
    /// Its path, without a query.
    pub href: &'static str,
    /// Its icon.
    pub glyph: Glyph,
    /// Its word.
    pub word: &'static str,
    /// What stands behind its word.
    pub note: Option<NavNote>,
    /// On a phone, where the places stand in one row, it's in the account menu.
    pub aside: bool,
}

/// What stands behind the word of a place: how many there are, or how many went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavNote {
    /// As shown: `8,306`, `1 running`.
    pub text: String,
    /// What is only spoken after it: "failed".
    pub spoken: &'static str,
    /// Whether it stands out.
    pub hot: bool,
}

/// The frame. Children are the page: breadcrumbs, head, content.
///
/// `here` is the address asked for, path and query: it marks the current place, and it is where the theme and the
/// partner forms come back to. The forms post to `/theme` (`theme`, `back`), `/sign-in/partner` (`partner_id`, `back`) and
/// `/sign-out`.
///
/// ```text
/// view! { <Layout account=account nav=nav here=url><PageHead title="Requests"/></Layout> }
/// ```
#[component]
pub fn Layout(
    account: Account,
    nav: Vec<NavItem>,
    #[prop(into)] here: String,
    /// Percent of Meta's call limit used up, where it's known.
    #[prop(default = None)]
    limit: Option<u8>,
    /// What stands above every page, closed: the palette and the keys.
    #[prop(optional)]
    above: Option<AnyView>,
    children: Children,
) -> AnyView {
    let Account { name, role, partner, others, theme, keys } = account;
    let path = here.split(['?', '#']).next().unwrap_or_default();
    let asides: Vec<_> = nav.iter().filter(|item| item.aside).cloned().collect();
    let places = nav.into_iter().map(|item| place(&item, path)).collect_view();
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="app">
            <header class="rail">
                {brand(partner.name, others, here.clone())}
                <a class="jump" href="/support" aria-keyshortcuts="Control+K">
                    <Icon glyph=Glyph::Search/><span>"Search or paste ID"</span><kbd aria-hidden="true">"Ctrl K"</kbd>
                </a>
                <nav class="nav" aria-label="Main">{places}</nav>
                <div class="rail-foot">{limit.map(call_limit)}{account_menu(name, role, &asides, theme, keys, here)}</div>
            </header>
            <main id="main" class="main" tabindex="-1">{children()}</main>
        </div>
        {above}
        <CopyOnClick/>
        <LocalTimes/>
    }
    .into_any()
}

fn call_limit(percent: u8) -> AnyView {
    view! {
        <a class="limit" href="/insights#throttle">
            <span class="limit-words"><span>"Meta call limit"</span><span>{format!("{percent} %")}</span></span>
            <Meter label="Meta call limit used" percent=percent/>
        </a>
    }
    .into_any()
}

fn place(item: &NavItem, path: &str) -> AnyView {
    let current = if path == item.href {
        Some("page")
    } else {
        path.strip_prefix(item.href).is_some_and(|rest| rest.starts_with('/')).then_some("true")
    };
    // Described, not named, by its note: whoever looks for "Requests" finds it whatever the number is.
    let described = item.note.as_ref().map(|_| format!("note-of{}", item.href.replace('/', "-")));
    let note = item.note.clone().map(|NavNote { text, spoken, hot }| {
        let class = if hot { "count hot" } else { "count" };
        let spoken = (!spoken.is_empty()).then(|| view! { <span class="vh">{format!(" {spoken}")}</span> });
        view! { <span class=class id=described.clone() aria-hidden="true">{text}{spoken}</span> }
    });
    view! {
        <a class=item.aside.then_some("nav-aside") href=item.href aria-current=current aria-describedby=described.clone()>
            <Icon glyph=item.glyph/>
            <span>{item.word}</span>
            {note}
        </a>
    }
    .into_any()
}

/// The mark and the partner's name; a menu of partners when there is more than one.
fn brand(partner: String, others: Vec<PartnerChoice>, here: String) -> AnyView {
    let words = view! { <Mark/><span class="brand-text"><b>"Liteboard"</b><bdi>{partner}</bdi></span> };
    if others.is_empty() {
        return view! { <a class="brand" href="/">{words}</a> }.into_any();
    }
    let others = others
        .into_iter()
        .map(|other| {
            view! { <button class="opt" type="submit" name="partner_id" value=other.id><bdi>{other.name}</bdi></button> }
        })
        .collect_view();
    view! {
        <details class="switcher" name="menu">
            <summary class="brand">
                {words}
                <span class="vh">": switch partner"</span>
                <Icon glyph=Glyph::UpDown/>
            </summary>
            <form class="menu" method="post" action="/sign-in/partner">
                <input type="hidden" name="back" value=here/>
                <p class="menu-head">"Switch to"</p>
                {others}
            </form>
        </details>
    }
    .into_any()
}

fn account_menu(name: String, role: String, asides: &[NavItem], current: Theme, keys: bool, here: String) -> AnyView {
    let asides =
        asides.iter().map(|item| view! { <a class="opt opt-aside" href=item.href>{item.word}</a> }).collect_view();
    let themes = Theme::ALL
        .iter()
        .map(|(theme, word)| {
            view! { <button type="submit" name="theme" value=theme.key() aria-pressed=pressed(*theme == current)>{*word}</button> }
        })
        .collect_view();
    view! {
        <details class="account" name="menu">
            <summary>
                <span class="avatar" aria-hidden="true">{initials(&name)}</span>
                <span class="vh">"Account: "</span>
                <span class="who"><bdi>{name.clone()}</bdi><small>{role.clone()}</small></span>
                <Icon glyph=Glyph::UpDown/>
            </summary>
            <div class="menu">
                <p class="menu-head"><bdi>{name}</bdi><span>{role}</span></p>
                {asides}
                <form method="post" action="/theme">
                    <input type="hidden" name="back" value=here.clone()/>
                    <div class="seg" role="group" aria-label="Theme">{themes}</div>
                </form>
                <form class="keys-choice" method="post" action="/keys">
                    <input type="hidden" name="back" value=here/>
                    <p class="menu-head">"Single keys"</p>
                    <div class="seg" role="group" aria-label="Single keys">
                        <button type="submit" name="keys" value="on" aria-pressed=pressed(keys)>"On"</button>
                        <button type="submit" name="keys" value="off" aria-pressed=pressed(!keys)>"Off"</button>
                    </div>
                </form>
                <form method="post" action="/sign-out">
                    <button class="opt" type="submit">"Sign out"</button>
                </form>
            </div>
        </details>
    }
    .into_any()
}

const fn pressed(pressed: bool) -> &'static str {
    if pressed { "true" } else { "false" }
}

/// The first letters of the first and the last word: "IC" of "Ines Carvalho".
pub fn initials(name: &str) -> String {
    let mut firsts = name.split_whitespace().filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
    let first = firsts.next();
    let last = firsts.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_come_from_the_first_and_the_last_word() {
        for (name, letters) in [
            ("Ines Carvalho", "IC"),
            ("Ana Maria de Souza", "AS"),
            ("  madonna ", "M"),
            ("\u{202e}(óscar) 李", "Ó李"),
            ("🙂", ""),
            ("", ""),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }
}
