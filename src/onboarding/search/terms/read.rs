//! From text to terms. Whatever can't be read is left out and said; the rest is read all the same.

use super::{Key, LONGEST, MOST_TERMS, MOST_VALUES, Problem, Term, Terms, is_quote, nearest};

/// Reads what was typed.
pub fn read(text: &str) -> Terms {
    let mut terms = Terms::default();
    // Postgres takes no NUL.
    let mut text = text.replace('\0', "\u{FFFD}");
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        terms.problems.push(Problem::TooLong);
    }
    let mut rest = text.trim_start();
    let (mut given, mut values) = (0, 0);
    while !rest.is_empty() {
        let (read, after) = term(rest);
        given += 1;
        if given <= MOST_TERMS {
            match read {
                Ok(mut term) => {
                    let room = MOST_VALUES.saturating_sub(values);
                    values += term.values.len();
                    term.values.truncate(room);
                    if room > 0 {
                        terms.terms.push(term);
                    }
                }
                Err(problem) => terms.problems.push(problem),
            }
        }
        rest = after.trim_start();
    }
    if values > MOST_VALUES {
        terms.problems.push(Problem::TooManyValues { given: values });
    }
    if given > MOST_TERMS {
        terms.problems.push(Problem::TooManyTerms { given });
    }
    terms
}

/// The term at the beginning of a text that doesn't begin with a space, and what follows it.
fn term(text: &str) -> (Result<Term, Problem>, &str) {
    let after_sign = text.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with(char::is_whitespace));
    let excluded = after_sign.is_some();
    let body = after_sign.unwrap_or(text);
    let name_end = body.find(|letter: char| !(letter.is_ascii_alphabetic() || matches!(letter, '_' | '-')));
    let name = name_end.filter(|end| *end > 0 && body[*end..].starts_with(':')).map(|end| &body[..end]);
    let Some(name) = name else {
        let (value, rest) = match value(body, false) {
            Ok(read) => read,
            Err(problem) => return (Err(problem), ""),
        };
        // Quotes with nothing in them ask for nothing; they are a term all the same, so that they can be said.
        let term = Term { key: None, excluded, values: vec![value] };
        let read = if term.values[0].is_empty() { Err(Problem::NoValue { key: Key::Business }) } else { Ok(term) };
        return (read, rest);
    };
    let mut rest = &body[name.len() + 1..];
    let (began, mut values) = (rest, Vec::new());
    loop {
        match value(rest, true) {
            Ok((value, after)) => {
                if !value.is_empty() {
                    values.push(value);
                }
                rest = after;
            }
            Err(problem) => return (Err(problem), ""),
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => break,
        }
    }
    let Some(key) = Key::from_name(name) else {
        let given = began[..began.len() - rest.len()].to_owned();
        let problem = Problem::UnknownKey { key: name.to_owned(), rest: given, excluded, nearest: nearest(name) };
        return (Err(problem), rest);
    };
    if values.is_empty() {
        return (Err(Problem::NoValue { key }), rest);
    }
    (Ok(Term { key: Some(key), excluded, values }), rest)
}

/// The value at the beginning of a text, up to a space or, where commas part values, a comma; and what follows it.
fn value(text: &str, commas: bool) -> Result<(String, &str), Problem> {
    let (mut value, mut rest) = (String::new(), text);
    if let Some(open) = rest.chars().next().filter(|letter| is_quote(*letter)) {
        let curly = open != '"';
        let mut letters = rest.char_indices().skip(1).peekable();
        let mut closed = None;
        while let Some((at, letter)) = letters.next() {
            if letter == '"' || (curly && is_quote(letter)) {
                if letter == '"' && letters.peek().is_some_and(|(_, next)| *next == '"') {
                    letters.next();
                } else {
                    closed = Some(at + letter.len_utf8());
                    break;
                }
            }
            value.push(letter);
        }
        let Some(end) = closed else { return Err(Problem::OpenQuote { text: text.trim_end().to_owned() }) };
        rest = &rest[end..];
    }
    let end = rest.find(|letter: char| letter.is_whitespace() || (commas && letter == ',')).unwrap_or(rest.len());
    value.push_str(&rest[..end]);
    Ok((value, &rest[end..]))
}
