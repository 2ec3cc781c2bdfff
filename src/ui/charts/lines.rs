//! Lines over time, in percent.

use std::fmt::Write as _;

use leptos::prelude::*;

use super::{super::state::Hue, at};

/// A value at a time: both as shares, the time of the whole width, the value of a hundred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// 0 at the left, 1 at the right.
    pub time: f64,
    pub percent: f64,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub hue: Hue,
    pub dashed: bool,
    /// The area below it is tinted.
    pub filled: bool,
    /// In the order of time.
    pub points: Vec<Point>,
}

/// A point that stands out, with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    pub point: Point,
    pub words: String,
}

const WIDTH: f64 = 488.0;
const LEFT: f64 = 28.0;
const GROUND: f64 = 140.0;
const CEILING: f64 = 8.0;

/// Two values farther apart than this have nothing known between them, so no line is drawn there.
const GAP: f64 = 1.0 / 24.0;

fn x(time: f64) -> f64 {
    LEFT + time.clamp(0.0, 1.0) * (WIDTH - LEFT)
}

fn y(percent: f64) -> f64 {
    GROUND - percent.clamp(0.0, 100.0) / 100.0 * (GROUND - CEILING)
}

/// The stretches of a line without gaps.
fn stretches(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points.chunk_by(|one, next| next.time - one.time <= GAP)
}

/// The line's path, and that of the area below it.
fn paths(points: &[Point]) -> (String, String) {
    let (mut line, mut area) = (String::new(), String::new());
    for stretch in stretches(points) {
        let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
        let mut steps = String::new();
        for point in &stretch[1..] {
            // Writing to a String can't fail.
            let _ = write!(steps, "L{:.1} {:.1}", x(point.time), y(point.percent));
        }
        if stretch.len() == 1 {
            // One value by itself is a dash, or it would not be seen.
            steps.push_str("h2");
        }
        let begin = format!("M{:.1} {:.1}", x(first.time), y(first.percent));
        let _ = write!(line, "{begin}{steps}");
        let _ = write!(area, "{begin}{steps}V{GROUND}H{:.1}Z", x(first.time.min(last.time)));
    }
    (line, area)
}

/// Draws lines. `slow`: a level with its words. `ticks`: times as shares of the width, with their names.
pub fn lines(
    lines: &[Line],
    slow: (f64, &'static str),
    marks: &[Mark],
    ticks: &[(f64, String)],
    words: String,
) -> AnyView {
    let grid = [0.0, 50.0, 100.0]
        .map(|percent| {
            view! {
                <path class="grid" d=format!("M{LEFT} {:.1}H{WIDTH}", y(percent))></path>
                <text x="20" y=at(y(percent) + 4.0) class="tick end">{format!("{percent:.0}")}</text>
            }
        })
        .collect_view();
    let drawn = lines
        .iter()
        .map(|series| {
            let (line, area) = paths(&series.points);
            let hue = series.hue.class();
            let area = series.filled.then(|| view! { <path class=format!("area {hue}") d=area></path> });
            let class = if series.dashed { format!("ln {hue} dash") } else { format!("ln {hue}") };
            view! { {area}<path class=class d=line></path> }
        })
        .collect_view();
    let marks = marks
        .iter()
        .map(|mark| {
            let (x, y) = (x(mark.point.time), y(mark.point.percent));
            let (text, class) = if x > WIDTH / 2.0 { (x - 10.0, "note end") } else { (x + 10.0, "note") };
            view! {
                <circle class="h-red pt" cx=at(x) cy=at(y) r="4"></circle>
                <text x=at(text) y=at(y + 18.0) class=class>{mark.words.clone()}</text>
            }
        })
        .collect_view();
    let last = ticks.len().saturating_sub(1);
    let ticks = ticks
        .iter()
        .enumerate()
        .map(|(nth, (time, name))| {
            let class = match nth {
                0 => "tick",
                _ if nth == last => "tick end",
                _ if nth % 2 == 1 => "tick mid alt",
                _ => "tick mid",
            };
            view! { <text x=at(x(*time)) y="158" class=class>{name.clone()}</text> }
        })
        .collect_view();
    view! {
        <svg class="plot" viewBox=format!("0 0 {WIDTH} 166") role="img" aria-label=words>
            {grid}
            <path class="slow" d=format!("M{LEFT} {:.1}H{WIDTH}", y(slow.0))></path>
            <text x="32" y=at(y(slow.0) - 5.0) class="note">{slow.1}</text>
            {drawn}{marks}{ticks}
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_where_nothing_is_known() {
        let points: Vec<_> = [0.0, 0.02, 0.04, 0.5, 0.9, 0.92].map(|time| Point { time, percent: 50.0 }).to_vec();
        let lengths: Vec<_> = stretches(&points).map(<[Point]>::len).collect();
        assert_eq!(lengths, [3, 1, 2]);
        let (line, area) = paths(&points);
        assert_eq!((line.matches('M').count(), area.matches('Z').count()), (3, 3));
        assert_eq!(paths(&[]), (String::new(), String::new()));
    }

    #[test]
    fn no_value_leaves_the_drawing() {
        for (percent, expected) in [(-5.0, GROUND), (0.0, GROUND), (100.0, CEILING), (250.0, CEILING)] {
            assert!((y(percent) - expected).abs() < f64::EPSILON);
        }
        assert!((x(7.0) - WIDTH).abs() < f64::EPSILON);
    }
}
