//! Standing columns, stacked or not.

use leptos::prelude::*;

use super::{
    super::{numbers::grouped, state::Hue},
    at, float, scale,
};

/// One column: its parts from the ground up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Below it.
    pub name: String,
    pub parts: Vec<(Hue, u64)>,
    /// Its number stands above it.
    pub numbered: bool,
}

/// A line between two columns that divides them, with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Columns before it.
    pub after: usize,
    pub words: [String; 2],
}

const WIDTH: f64 = 488.0;
const GROUND: f64 = 140.0;
const CEILING: f64 = 8.0;
/// With numbers above the columns there is no grid.
const CEILING_OF_NUMBERED: f64 = 18.0;

/// The most names that fit below each other's side.
const MOST_NAMES: usize = 12;

/// Draws columns. `grid`: with lines and their numbers at the side.
pub fn columns(columns: &[Column], grid: bool, rule: Option<&Rule>, words: String) -> AnyView {
    let total = |column: &Column| column.parts.iter().map(|(_, n)| n).sum::<u64>();
    let most = columns.iter().map(total).max().unwrap_or_default();
    let (step, lines) = scale(most);
    let (left, ceiling, top) =
        if grid { (28.0, CEILING, step * lines) } else { (0.0, CEILING_OF_NUMBERED, most.max(1)) };
    let height = |n: u64| float(n) / float(top) * (GROUND - ceiling);
    let slot = (WIDTH - left) / float(columns.len().max(1) as u64);
    let side = (slot * if grid { 0.26 } else { 0.1 }).min(12.0);
    let every = columns.len().div_ceil(MOST_NAMES).max(1);
    let grid = grid.then(|| {
        (0..=lines)
            .map(|line| {
                let y = GROUND - height(step * line);
                view! {
                    <path class="grid" d=format!("M{left} {y:.1}H{WIDTH}")></path>
                    <text x="20" y=at(y + 4.0) class="tick end">{grouped(step * line)}</text>
                }
            })
            .collect_view()
    });
    let drawn: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(nth, column)| {
            let begin = left + slot * float(nth as u64);
            let middle = begin + slot / 2.0;
            let mut top = GROUND;
            let parts: Vec<_> = column
                .parts
                .iter()
                .filter(|(_, n)| *n > 0)
                .map(|(hue, n)| {
                    let length = height(*n);
                    top -= length;
                    // A hairline between parts, so that they are told apart without their colours; what isn't nothing is seen.
                    let shown = (length - 1.5).max(1.0);
                    view! {
                        <rect class=hue.class() x=at(begin + side / 2.0) y=at(top) width=at((slot - side).max(1.0)) height=at(shown) rx="1"></rect>
                    }
                })
                .collect();
            let number = (column.numbered && total(column) > 0)
                .then(|| view! { <text x=at(middle) y=at(top - 5.0) class="tick mid">{grouped(total(column))}</text> });
            let class = if nth / every % 2 == 1 { "tick mid alt" } else { "tick mid" };
            let name = nth.is_multiple_of(every)
                .then(|| view! { <text x=at(middle) y="158" class=class>{column.name.clone()}</text> });
            view! { <g>{parts}{number}{name}</g> }
        })
        .collect();
    let rule = rule.map(|rule| {
        let x = left + slot * float(rule.after as u64);
        let [first, second] = rule.words.clone();
        // Far to the right its words would be cut off.
        let (beside, class) =
            if rule.after * 3 > columns.len() * 2 { (x - 8.0, "note end") } else { (x + 8.0, "note") };
        view! {
            <path class="rule" d=format!("M{x:.1} 4V{GROUND}")></path>
            <text x=at(beside) y="14" class=class>{first}</text>
            <text x=at(beside) y="29" class=class>{second}</text>
        }
    });
    view! {
        <svg class="plot" viewBox=format!("0 0 {WIDTH} 166") role="img" aria-label=words>
            {grid}{drawn}
            <path class="base" d=format!("M{left} {GROUND}H{WIDTH}")></path>
            {rule}
        </svg>
    }
    .into_any()
}
