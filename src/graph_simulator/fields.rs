//! The `fields` parameter: a comma list with nested braces, or a JSON list of the same, as the SDKs send it.

use serde_json::{Map, Value};

use super::error::GraphError;

/// One wanted field: `name`, or `name.limit(5){..}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    pub limit: Option<usize>,
    /// What is wanted inside it; empty for its defaults.
    pub inside: Vec<Field>,
}

/// Reads the parameter; nothing wanted gives an empty list.
pub(super) fn parse(text: &str) -> Result<Vec<Field>, GraphError> {
    let joined = match serde_json::from_str::<Vec<String>>(text) {
        Ok(list) => list.join(","),
        Err(_) => text.to_owned(),
    };
    let mut reader = Reader { text: joined.as_str(), at: 0, depth: 0 };
    let fields = reader.list()?;
    if reader.at < joined.len() { Err(reader.error("end of string")) } else { Ok(fields) }
}

/// A node's JSON: the wanted fields, or `defaults` if none is named, and always its id.
///
/// `get` answers `None` for a field that `known` has and this node lacks: Graph leaves those out.
pub(super) fn project(
    node: &str,
    id: &str,
    known: &[&str],
    wanted: &[Field],
    defaults: &[&str],
    mut get: impl FnMut(&str, &Field) -> Result<Option<Value>, GraphError>,
) -> Result<Value, GraphError> {
    let mut object = Map::new();
    let mut add = |field: &Field| -> Result<(), GraphError> {
        if field.name == "id" {
            return Ok(());
        }
        if !known.contains(&field.name.as_str()) {
            return Err(GraphError::unknown_field(&field.name, node));
        }
        if let Some(value) = get(&field.name, field)? {
            object.insert(field.name.clone(), value);
        }
        Ok(())
    };
    if wanted.is_empty() {
        for name in defaults {
            add(&Field { name: (*name).to_owned(), limit: None, inside: Vec::new() })?;
        }
    }
    for field in wanted {
        add(field)?;
    }
    object.insert("id".to_owned(), id.into());
    Ok(Value::Object(object))
}

/// Of a plain object, what is wanted inside a field; all of it if nothing is named.
pub(super) fn pick(whole: Value, node: &str, known: &[&str], wanted: &[Field]) -> Result<Value, GraphError> {
    let Value::Object(mut whole) = whole else { return Ok(whole) };
    if wanted.is_empty() {
        return Ok(Value::Object(whole));
    }
    let mut object = Map::new();
    for field in wanted.iter().map(|field| field.name.as_str()).chain(["id"]) {
        if let Some(value) = whole.remove(field) {
            object.insert(field.to_owned(), value);
        } else if !known.contains(&field) && field != "id" && !object.contains_key(field) {
            return Err(GraphError::unknown_field(field, node));
        }
    }
    Ok(Value::Object(object))
}

/// Deeper than any real query; keeps a hostile one from using up the stack.
const DEEPEST: usize = 12;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn list(&mut self) -> Result<Vec<Field>, GraphError> {
        let mut fields = Vec::new();
        loop {
            let name = self.name();
            if name.is_empty() {
                // An empty list and a trailing comma are taken; a stray brace isn't.
                return if matches!(self.peek(), None | Some('}')) {
                    Ok(fields)
                } else {
                    Err(self.error("a field name"))
                };
            }
            let mut field = Field { name, limit: None, inside: Vec::new() };
            while self.eat('.') {
                let modifier = self.name();
                let argument = self.argument()?;
                if modifier == "limit" {
                    field.limit = argument.parse().ok();
                }
            }
            if self.eat('{') {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(GraphError::invalid("Param fields is nested too deeply"));
                }
                field.inside = self.list()?;
                self.depth -= 1;
                if !self.eat('}') {
                    return Err(self.error("\"}\""));
                }
            }
            fields.push(field);
            if !self.eat(',') {
                return Ok(fields);
            }
        }
    }

    fn name(&mut self) -> String {
        let rest = self.text[self.at..].trim_start();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at = self.text.len() - rest.len() + length;
        rest[..length].to_owned()
    }

    fn argument(&mut self) -> Result<String, GraphError> {
        if !self.eat('(') {
            return Err(self.error("\"(\""));
        }
        let rest = &self.text[self.at..];
        let length = rest.find(')').ok_or_else(|| self.error("\")\""))?;
        self.at += length + 1;
        Ok(rest[..length].to_owned())
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].trim_start().chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let rest = self.text[self.at..].trim_start();
        let found = rest.starts_with(wanted);
        if found {
            self.at = self.text.len() - rest.len() + wanted.len_utf8();
        }
        found
    }

    fn error(&self, expected: &str) -> GraphError {
        let found = self.peek().map_or_else(|| "end of string".to_owned(), |c| format!("\"{c}\""));
        GraphError::new(
            2500,
            format!("Syntax error \"Expected {expected} instead of {found}.\" at character {}: {}", self.at, self.text),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        parse(text).unwrap().into_iter().map(|field| field.name).collect()
    }

    #[test]
    fn a_comma_list_and_a_json_list_are_the_same_wish() {
        assert_eq!(names("id,name"), ["id", "name"]);
        assert_eq!(names(r#"["id","name"]"#), ["id", "name"]);
        assert_eq!(
            parse("id, owner_business_info{id,name}").unwrap(),
            parse(r#"["id","owner_business_info{id,name}"]"#).unwrap()
        );
        assert!(names("").is_empty());
    }

    #[test]
    fn braces_nest_and_carry_a_limit() {
        let fields = parse("name,partners.limit(2){partner_app{id,name}},status").unwrap();
        assert_eq!(fields.len(), 3);
        assert_eq!(fields[1].limit, Some(2));
        assert_eq!(fields[1].inside[0].inside[1].name, "name");
    }

    #[test]
    fn a_stray_or_missing_brace_is_a_syntax_error() {
        for bad in ["id}", "a{b", "a.limit", "a.limit(2", "{a}", "a,{b}"] {
            assert_eq!(parse(bad).unwrap_err().code, 2500, "{bad}");
        }
        assert_eq!(parse(&"a{".repeat(40)).unwrap_err().code, 100);
    }

    #[test]
    fn an_unknown_field_is_refused_and_a_missing_one_left_out() {
        let get = |name: &str, _: &Field| Ok((name == "name").then(|| json!("N")));
        let known = ["name", "country"];
        let read = |text: &str| project("Business", "7", &known, &parse(text).unwrap(), &["name"], get);
        assert_eq!(read("").unwrap(), json!({"id": "7", "name": "N"}));
        assert_eq!(read("country").unwrap(), json!({"id": "7"}));
        let error = read("nothing").unwrap_err();
        assert_eq!((error.code, error.message.contains("(nothing)")), (100, true));
    }
}
