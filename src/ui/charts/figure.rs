//! What stands round a drawing: title, finding, legend, table.

use leptos::prelude::*;

use super::super::{
    icon::{Glyph, Icon},
    state::Hue,
};

/// One series in words; made by [`legend_square`] or [`legend_line`].
pub type LegendItem = AnyView;

/// A series that is drawn as an area.
pub fn legend_square(hue: Hue, word: &'static str) -> LegendItem {
    view! {
        <li class=hue.class()>
            <svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="2"></rect></svg>
            {word}
        </li>
    }
    .into_any()
}

/// A series that is drawn as a line, dashed or not.
pub fn legend_line(hue: Hue, dashed: bool, word: &'static str) -> LegendItem {
    view! {
        <li class=hue.class()>
            <svg viewBox="0 0 14 10" aria-hidden="true">
                <path d="M0 5h14" stroke-dasharray=dashed.then_some("3 2")></path>
            </svg>
            {word}
        </li>
    }
    .into_any()
}

/// The numbers of a drawing. The first cell of a row names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartTable {
    /// What it shows; spoken, and seen where a chart has several.
    pub caption: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl ChartTable {
    fn view(self, caption_seen: bool) -> AnyView {
        let head = self
            .head
            .into_iter()
            .enumerate()
            .map(|(at, word)| view! { <th scope="col" class=(at > 0).then_some("num")>{word}</th> })
            .collect_view();
        let rows = self
            .rows
            .into_iter()
            .map(|row| {
                let mut cells = row.into_iter();
                let name = cells.next().map(|name| view! { <th scope="row"><bdi>{name}</bdi></th> });
                let cells = cells.map(|cell| view! { <td class="num">{cell}</td> }).collect_view();
                view! { <tr>{name}{cells}</tr> }
            })
            .collect_view();
        view! {
            <table class="table">
                <caption class=(!caption_seen).then_some("vh")>{self.caption}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    }
}

/// A chart. Children are its finding: one sentence or two, from the data.
///
/// ```text
/// view! { <Chart id="funnel" title="From request to ready" plot=bars(&rows, &words) tables=vec![table]>
///     "Two in three accept."
/// </Chart> }
/// ```
#[component]
pub fn Chart(
    /// Where links lead that point at it.
    id: &'static str,
    #[prop(into)] title: String,
    /// Stands above the drawing: links to other views of it.
    #[prop(default = None)]
    choices: Option<AnyView>,
    #[prop(default = Vec::new())] legend: Vec<LegendItem>,
    /// `None`: there is nothing to draw.
    plot: Option<AnyView>,
    tables: Vec<ChartTable>,
    children: Children,
) -> AnyView {
    let several = tables.len() > 1;
    let legend =
        (plot.is_some() && !legend.is_empty()).then(|| view! { <ul class="legend" aria-hidden="true">{legend}</ul> });
    let tables = plot.is_some().then(|| {
        let tables = tables.into_iter().map(|table| table.view(several)).collect_view();
        view! {
            <details class="disclose chart-table">
                <summary><Icon glyph=Glyph::Right/>"Show as table"</summary>
                <div class="chart-scroll" tabindex="0" role="group" aria-labelledby=format!("{id}-title")>{tables}</div>
            </details>
        }
    });
    view! {
        <figure class="chart" id=id aria-labelledby=format!("{id}-title")>
            <figcaption><h2 id=format!("{id}-title")>{title}</h2><p>{children()}</p></figcaption>
            {choices}
            {legend}
            {plot}
            {tables}
        </figure>
    }
    .into_any()
}
