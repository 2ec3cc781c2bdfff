//! The two dialogs above every page: the palette, and the table of keys.

use leptos::prelude::*;

use super::Palette;
use crate::{
    sign_in::Viewer,
    ui::{Glyph, Icon},
};

/// The single keys in the order they are shown, what each does, and whether it's for those alone who may onboard.
const KEYS: [(&[&str], &str, bool); 15] = [
    (&["Ctrl", "K"], "Command palette", false),
    (&["/"], "Search", false),
    (&["G", "B"], "Businesses", false),
    (&["G", "R"], "Requests", false),
    (&["G", "T"], "Batches", false),
    (&["G", "L"], "Look up", false),
    (&["G", "I"], "Insights", false),
    (&["G", "S"], "Settings", false),
    (&["J", "K"], "Row down, row up", false),
    (&["X"], "Select the row; with Shift, all from the last one", true),
    (&["Enter"], "Open the row", false),
    (&["C"], "Copy the row’s ID", false),
    (&["O"], "Onboard…", true),
    (&["I"], "Import CSV…", true),
    (&["[", "]"], "Page back, page on", false),
];

/// Both dialogs, closed.
pub fn palette(viewer: &Viewer, keys: bool) -> AnyView {
    let recent = format!("palette-{}-{}", viewer.partner, viewer.member_id);
    let rows = KEYS
        .iter()
        .filter(|(.., sends)| viewer.role.may_onboard() || !sends)
        .map(|(keys, what, _)| {
            let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
            view! { <div><dt>{*what}</dt><dd>{keys}</dd></div> }
        })
        .collect_view();
    let switch = if keys {
        "Single keys can be switched off in "
    } else {
        "Single keys are off in this browser. Switch them on in "
    };
    let switch = view! { <p class="hint">{switch}<a class="link" href="/settings#you">"Settings, Appearance and keys"</a>"."</p> };
    view! {
        <dialog class="dialog palette" id="palette" aria-label="Command palette" data-keys=keys.then_some("on")
            data-import=viewer.role.may_onboard().then_some("")>
            <div class="palette-in">
                <Icon glyph=Glyph::Search/>
                <label class="vh" for="cmd">"Search or paste an ID"</label>
                <input id="cmd" type="text" role="combobox" aria-expanded="false" aria-controls="cmd-list" aria-autocomplete="list"
                    autocomplete="off" spellcheck="false" autocapitalize="off" placeholder="Search or paste an ID"/>
                <kbd>"Esc"</kbd>
            </div>
            <div id="cmd-frame" hidden=true data-recent=recent>
                <div class="palette-list" id="cmd-list" role="listbox" aria-label="Results" tabindex="-1" data-takes-first=""></div>
            </div>
            <div class="menu-foot" aria-hidden="true">
                <span><kbd>"↑"</kbd><kbd>"↓"</kbd>"Move"</span><span><kbd>"Enter"</kbd>"Open"</span>
                <span><kbd>"Ctrl"</kbd><kbd>"Enter"</kbd>"New tab"</span>
                <span class="push">"Paste an ID or a Graph error to jump to it"</span>
            </div>
        </dialog>
        <form method="post" action="/businesses/sync" hidden=true><button type="submit" id="sync-now">"Sync now"</button></form>
        <dialog class="dialog" id="keys" aria-labelledby="keys-title">
            <div class="dialog-head">
                <h2 id="keys-title">"Keyboard shortcuts"</h2>
                <form method="dialog"><button class="clear" type="submit" aria-label="Close"><Icon glyph=Glyph::X/></button></form>
            </div>
            <div class="dialog-body">{switch}<dl class="key-list">{rows}</dl></div>
        </dialog>
        <Palette/>
    }
    .into_any()
}
