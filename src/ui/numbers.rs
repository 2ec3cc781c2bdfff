//! Numbers as people read them: `3,412`, `67 %`, `1,000+`, `2 d`, `3:16`, `0.34 s`.

use std::time::Duration;

/// A count with its thousands apart: `3,412`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count that was only counted up to `cap`: `1,000+` from there on, the count itself below.
pub fn capped(number: u64, cap: u64) -> String {
    if number >= cap { format!("{}+", grouped(cap)) } else { grouped(number) }
}

/// A count with its noun: `1 business`, `3,412 businesses`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A share, rounded down so that 100 % means all: `67 %`. Of nothing it is `0 %`.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    format!("{} %", u128::from(part) * 100 / u128::from(whole))
}

/// How long ago, in the largest whole unit: `12 s`, `4 min`, `18 h`, `2 d`.
pub fn age(passed: Duration) -> String {
    match passed.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", grouped(s / 86_400)),
    }
}

/// What is left of a wait, as a clock that runs backwards: `3:16`, `1:03:16`.
pub fn countdown(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// How long a call took, in seconds with two digits: `0.34 s`.
pub fn seconds(took: Duration) -> String {
    let hundredths = (took.as_millis() + 5) / 10;
    format!("{}.{:02} s", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (3_412, "3,412"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn a_capped_count_says_so() {
        assert_eq!(capped(999, 1_000), "999");
        assert_eq!(capped(1_000, 1_000), "1,000+");
    }

    #[test]
    fn nearly_all_is_never_all() {
        assert_eq!(percent(999, 1_000), "99 %");
        assert_eq!(percent(2, 3), "66 %");
        assert_eq!(percent(0, 0), "0 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100 %");
    }

    #[test]
    fn an_age_uses_its_largest_unit() {
        for (secs, text) in [(12, "12 s"), (240, "4 min"), (3_599, "59 min"), (64_800, "18 h"), (172_800, "2 d")] {
            assert_eq!(age(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn a_countdown_shows_seconds_to_the_end() {
        for (secs, text) in [(0, "0:00"), (59, "0:59"), (196, "3:16"), (3_599, "59:59"), (3_796, "1:03:16")] {
            assert_eq!(countdown(secs), text);
        }
    }

    #[test]
    fn a_call_is_timed_to_hundredths() {
        for (millis, text) in [(4, "0.00 s"), (340, "0.34 s"), (1_836, "1.84 s"), (30_000, "30.00 s")] {
            assert_eq!(seconds(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(plural(1, "business", "businesses"), "1 business");
        assert_eq!(plural(0, "business", "businesses"), "0 businesses");
    }
}
