//! Lying bars, one below the other, each with its name, its number and a note.

use leptos::prelude::*;

use super::{
    super::{numbers::grouped, state::Hue},
    at, float,
};

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub hue: Hue,
    pub name: String,
    pub value: u64,
    /// Stands below it; empty for none.
    pub note: String,
    /// One of several that belong together; the first of them has their name, and a gap above it.
    pub thin: bool,
}

const WIDTH: f64 = 488.0;
/// Where bars begin, and how long the longest is.
const BEGIN: f64 = 84.0;
const LONGEST: f64 = 330.0;

/// Letters of a name that fit in front of a bar.
const NAME_FITS: usize = 11;

/// Draws bars; `words` say for those who can't see them what is drawn.
pub fn bars(bars: &[Bar], words: String) -> AnyView {
    let most = float(bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(1));
    let mut top = 0.0;
    let drawn: Vec<_> = bars
        .iter()
        .map(|bar| {
            let height = if bar.thin { 9.0 } else { 36.0 };
            if bar.thin && !bar.name.is_empty() && top > 0.0 {
                top += 8.0;
            }
            let begin = top;
            top += height + if bar.thin { 3.0 } else { 26.0 };
            one(bar, begin, height, float(bar.value) / most * LONGEST)
        })
        .collect();
    let height = top - if bars.last().is_some_and(|bar| bar.thin) { 1.0 } else { 24.0 };
    view! {
        <svg class="plot" viewBox=format!("0 0 {WIDTH} {}", at(height.max(1.0))) role="img" aria-label=words>{drawn}</svg>
    }
    .into_any()
}

fn one(bar: &Bar, top: f64, height: f64, length: f64) -> AnyView {
    // What isn't nothing is seen.
    let length = if bar.value > 0 { length.max(2.0) } else { 0.0 };
    let text = top + if bar.thin { 9.0 } else { 22.0 };
    let name: String = if bar.name.chars().count() > NAME_FITS {
        bar.name.chars().take(NAME_FITS - 1).chain(['…']).collect()
    } else {
        bar.name.clone()
    };
    let note = (!bar.note.is_empty())
        .then(|| view! { <text x=at(BEGIN) y=at(top + height + 17.0) class="note">{bar.note.clone()}</text> });
    view! {
        <rect class=bar.hue.class() x=at(BEGIN) y=at(top) width=at(length) height=at(height) rx=if bar.thin { "2" } else { "3" }></rect>
        <text x="0" y=at(text) class=if bar.thin { "lab thin" } else { "lab" }>{name}</text>
        <text x=at(BEGIN + length + if bar.thin { 6.0 } else { 10.0 }) y=at(text) class=if bar.thin { "tick" } else { "val" }>
            {grouped(bar.value)}
        </text>
        {note}
    }
    .into_any()
}
