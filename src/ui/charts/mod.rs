//! Charts: drawings as inline SVG, each with its finding in a sentence, its numbers in a table, and words for whoever can't see it.
//!
//! They are drawn on the server and need no script. Positions are attributes, colours are classes, so that the style sheet gives them
//! light, dark, print and forced colours. Series differ by hue and by something else: their place, a dash, a label.

mod bars;
mod columns;
mod figure;
mod lines;

pub use bars::{Bar, bars};
pub use columns::{Column, Rule, columns};
pub use figure::{Chart, ChartTable, LegendItem, legend_line, legend_square};
pub use lines::{Line, Mark, Point, lines};

/// A position in a drawing, to a tenth.
fn at(position: f64) -> String {
    format!("{position:.1}")
}

/// A number as a position; counts and percents are far below where this loses anything.
#[expect(clippy::cast_precision_loss, reason = "counts that are drawn a few hundred points high")]
fn float(number: u64) -> f64 {
    number as f64
}

/// The distance between lines of a grid, and how many there are above the ground: whole numbers, at most four lines, the last of them at
/// or above `most`.
fn scale(most: u64) -> (u64, u64) {
    let mut step = 1;
    while most.div_ceil(step) > 4 {
        // 1, 2, 5, 10, 20, 50, ...
        let leading = step / 10_u64.pow(step.ilog10());
        step = if leading == 2 { step / 2 * 5 } else { step * 2 };
    }
    (step, most.div_ceil(step).max(1))
}

#[cfg(test)]
mod tests {
    use super::scale;

    #[test]
    fn a_scale_is_of_round_numbers_and_reaches_the_highest() {
        for (most, expected) in
            [(0, (1, 1)), (1, (1, 1)), (4, (1, 4)), (5, (2, 3)), (18, (5, 4)), (37, (10, 4)), (262, (100, 3))]
        {
            assert_eq!(scale(most), expected, "{most}");
        }
        for most in (0..60).map(|power| 1_u64 << power) {
            let (step, lines) = scale(most);
            assert!(lines <= 4 && step * lines >= most, "{most}");
        }
    }
}
