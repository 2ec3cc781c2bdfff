//! The pieces every page is made of, and nothing that a room would know.
//!
//! Who calls: any room's `page.rs` and `islands.rs`, and `app.rs` for the frame. This folder imports nothing of the
//! crate: what it shows comes in as plain values, and the time it is now comes in as an argument.
//!
//! What always holds:
//! - Text from outside (a name, an id, Meta's answer) is escaped, and a name is wrapped in `<bdi>`, so that a
//!   right-to-left name can't turn the line around it.
//! - No `style=` and no inline handler: the content security policy forbids both.
//! - Everything works as plain HTML. Script makes it quicker: [`CopyOnClick`] and [`LocalTimes`], both placed by
//!   [`Layout`] and [`ErrorPage`].
//! - A state is a shape, a word and a colour, taken from one table: [`state`].
//!
//! The class names belong to `style/`. Buttons have no component: write
//! `<button class="btn btn-primary btn-lg" type="submit">` (`btn`, with `btn-primary`, `btn-quiet`, `btn-danger`,
//! `btn-sm`, `btn-lg`). A page's usual outline:
//!
//! ```text
//! <Layout account nav here>
//!   <Breadcrumbs above=vec![("Businesses", "/businesses")] here=name/>
//!   <PageHead title=name beside=pill actions=buttons> sub line </PageHead>
//!   <div class="split"><div> panels and sections </div><aside class="side" aria-label="Facts"> facts </aside></div>
//! </Layout>
//! ```

mod attempt;
#[cfg(feature = "hydrate")]
pub mod browser;
#[cfg(feature = "ssr")]
pub mod charts;
mod chips;
#[cfg(feature = "ssr")]
pub mod csv;
mod error_page;
mod errors;
mod facts;
mod field;
mod icon;
mod identifier;
mod islands;
mod json;
mod layout;
#[cfg(feature = "hydrate")]
pub mod listbox;
mod meter;
mod notice;
mod numbers;
mod page_head;
mod pager;
mod panel;
mod search_field;
pub mod state;
mod theme;
mod timeline;
mod timestamp;

#[cfg(all(test, feature = "ssr"))]
mod tests;

pub use attempt::{Answer, Attempt, Attempts, Raw, RawText, details_of_call};
pub use chips::{Chip, Chips};
pub use error_page::{ErrorNotice, ErrorPage};
pub use errors::{AppError, reference};
pub use facts::{Fact, Facts};
pub use field::{Choice, Field, Select, area_content};
pub use icon::{Glyph, Icon, Mark, icon_href, set_sprite_url};
pub use identifier::{CopyButton, CopyLink, CopyTextButton, Identifier, Name, NameLink, isolated};
pub use islands::{CopyOnClick, LocalTimes};
pub use layout::{Account, Layout, NavItem, NavNote, PartnerChoice, initials};
pub use meter::Meter;
pub use notice::{Notice, NoticeKind};
pub use numbers::{age, capped, countdown, grouped, percent, plural, seconds};
pub use page_head::{Breadcrumbs, PageHead, Separator};
pub use pager::Pager;
pub use panel::{Empty, Lead, NextSteps, Panel, Section};
pub use search_field::{SearchField, SearchForm};
pub use state::{Hue, StateLabel, StateLook, StatePill, Tag};
pub use theme::Theme;
pub use timeline::{Timeline, TimelineEvent};
pub use timestamp::{TimeStyle, Timestamp, ViewerZone, time_text};
