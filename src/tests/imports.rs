//! Who may import whom: the map in `lib.rs`, held.

use std::{collections::BTreeMap, fs, path::Path};

/// What each folder or file directly below `src/` may name by `crate::`. Rooms reach each other only through `mod.rs`, which
/// private submodules hold by themselves.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // Tools know nothing of the house.
    ("graph", &[]),
    ("ui", &[]),
    ("vault", &[]),
    ("reconcile", &["clock", "db"]),
    // The furniture of the house.
    ("assets", &[]),
    ("clock", &[]),
    ("config", &["db", "graph"]),
    ("db", &["graph"]),
    ("doctor", &["clock", "config", "db", "graph", "sign_in", "vault"]),
    ("limits", &["sign_in", "ui"]),
    ("pauses", &["db", "graph"]),
    ("telemetry", &["ui"]),
    // Rooms.
    ("sign_in", &["clock", "db", "graph", "reconcile", "telemetry", "ui", "vault"]),
    ("solutions", &["clock", "db", "graph", "reconcile", "sign_in", "telemetry", "ui", "vault"]),
    ("views", &["clock", "db", "graph", "sign_in", "telemetry", "ui"]),
    (
        "businesses",
        &["clock", "db", "graph", "pauses", "reconcile", "sign_in", "solutions", "telemetry", "ui", "vault", "views"],
    ),
    (
        "onboarding",
        &[
            "businesses",
            "clock",
            "db",
            "graph",
            "pauses",
            "reconcile",
            "sign_in",
            "solutions",
            "telemetry",
            "ui",
            "vault",
            "views",
        ],
    ),
    ("palette", &["businesses", "clock", "db", "graph", "sign_in", "support", "telemetry", "ui"]),
    (
        "support",
        &[
            "businesses",
            "clock",
            "db",
            "graph",
            "onboarding",
            "reconcile",
            "sign_in",
            "solutions",
            "telemetry",
            "ui",
            "vault",
            "webhooks",
        ],
    ),
    ("webhooks", &["businesses", "clock", "db", "graph", "onboarding", "reconcile", "sign_in", "telemetry", "ui"]),
    ("team", &["clock", "db", "graph", "reconcile", "sign_in", "telemetry", "ui"]),
    ("insights", &["clock", "db", "graph", "onboarding", "reconcile", "sign_in", "telemetry", "ui"]),
    // The top.
    (
        "app",
        &[
            "assets",
            "businesses",
            "clock",
            "insights",
            "onboarding",
            "palette",
            "sign_in",
            "support",
            "team",
            "telemetry",
            "ui",
            "views",
            "webhooks",
        ],
    ),
    (
        "server",
        &[
            "app",
            "assets",
            "clock",
            "db",
            "graph",
            "limits",
            "onboarding",
            "palette",
            "reconcile",
            "sign_in",
            "support",
            "team",
            "telemetry",
            "ui",
            "vault",
            "webhooks",
        ],
    ),
    ("worker", &["businesses", "insights", "onboarding", "reconcile", "server", "sign_in", "support", "webhooks"]),
    ("main", &[]),
    ("lib", &[]),
    ("build", &[]),
    // The stand-in shares no type with the client, or one misreading would make both agree.
    ("graph_simulator", &[]),
    ("bin", &[]),
];

#[test]
fn imports_run_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rules: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut trespasses = Vec::new();
    visit(&source, &mut |path| {
        let below = path.strip_prefix(&source).unwrap();
        let place = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let place = place.trim_end_matches(".rs").to_owned();
        if place == "tests" {
            return;
        }
        let Some(allowed) = rules.get(place.as_str()) else {
            trespasses.push(format!("{} has no rule: add {place} to the map", below.display()));
            return;
        };
        for imported in imports_of(&fs::read_to_string(path).unwrap()) {
            if imported != place && !allowed.contains(&imported.as_str()) {
                trespasses.push(format!("{} imports crate::{imported}", below.display()));
            }
        }
    });
    assert!(trespasses.is_empty(), "{}", trespasses.join("\n"));
}

#[test]
fn the_rule_sees_every_way_of_writing_an_import() {
    let source = "use crate::db::Db;\nuse crate::{\n    graph::{A, B},\n    ui,\n    vault::{self, Vault},\n};\nfn f() { crate::sign_in::x(); }\n// crate::support is only spoken of\n";
    assert_eq!(imports_of(source), ["db", "graph", "sign_in", "ui", "vault"]);
}

fn visit(folder: &Path, found: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found(&path);
        }
    }
}

/// The modules at the top of the crate that a source file names, sorted, each once.
fn imports_of(source: &str) -> Vec<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect();
    let mut found = std::collections::BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_u32;
            let mut word = String::new();
            let mut at_start = true;
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => at_start = true,
                    _ if depth == 0 && at_start => {
                        if letter.is_alphanumeric() || letter == '_' {
                            word.push(letter);
                            continue;
                        } else if !word.is_empty() {
                            at_start = false;
                        }
                    }
                    _ => {}
                }
                if !word.is_empty() {
                    found.insert(std::mem::take(&mut word));
                }
            }
            if !word.is_empty() {
                found.insert(word);
            }
        } else {
            found.insert(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    found.into_iter().filter(|name: &String| name.starts_with(|first: char| first.is_ascii_lowercase())).collect()
}
