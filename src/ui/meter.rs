//! A share of something that runs out, drawn as a bar: grey, from 75 % amber, from 95 % red.

use leptos::prelude::*;

use super::state::Hue;

/// The bar alone; the number stands in words beside it. `label` is what it measures.
///
/// ```text
/// view! { <Meter label="Call limit used" percent=80/> }
/// ```
#[component]
pub fn Meter(label: &'static str, percent: u8) -> AnyView {
    let percent = percent.min(100);
    view! {
        <span class=format!("meter {}", hue(percent).class()) role="meter" aria-label=label aria-valuemin="0"
            aria-valuemax="100" aria-valuenow=percent.to_string()>
            <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                <rect width=percent.to_string() height="4"></rect>
            </svg>
        </span>
    }
    .into_any()
}

const fn hue(percent: u8) -> Hue {
    match percent {
        0..75 => Hue::Grey,
        75..95 => Hue::Amber,
        _ => Hue::Red,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_warns_before_the_end() {
        for (percent, expected) in [(0, Hue::Grey), (74, Hue::Grey), (75, Hue::Amber), (94, Hue::Amber), (95, Hue::Red)]
        {
            assert_eq!(hue(percent), expected, "{percent}");
        }
    }
}
