//! The command palette, and single keys: from any page to any other, to a business by name, to whatever an id is of.
//!
//! Who calls: `app.rs` places [`palette`] above every page, `server.rs` merges [`routes`].
//!
//! What always holds:
//! - what is typed or pasted is sent, never put into an address, and no secret in it into an address the palette leads to;
//! - nothing is only there: each entry is a link or a button that stands on some page as well, and without script the way in is Look up;
//! - an entry that a role may not follow isn't offered to it;
//! - single keys are silent while somebody types, and can be switched off; Ctrl or Cmd K always opens the palette.

mod islands;

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "ssr")]
mod entries;
#[cfg(feature = "hydrate")]
mod keys;
#[cfg(feature = "ssr")]
mod options;
#[cfg(feature = "ssr")]
mod page;

pub use islands::Palette;

#[cfg(feature = "ssr")]
pub use self::{options::routes, page::palette};
