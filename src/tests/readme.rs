//! What the README claims, held against the program.

use clap::CommandFactory;
use liteboard::config::CommandLine;

/// Name and default of every setting in the README's table.
fn table() -> Vec<(String, Option<String>)> {
    let readme = include_str!("../../README.md");
    let section = readme.split("## Settings").nth(1).unwrap().split("\n## ").next().unwrap();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let mut cells = line.split('|').map(str::trim);
            let name = cells.next().unwrap().trim_end_matches('`').to_owned();
            let default = cells.next().unwrap();
            (
                name,
                (default.starts_with('`') && default.matches('`').count() == 2)
                    .then(|| default.trim_matches('`').to_owned()),
            )
        })
        .collect()
}

#[test]
fn the_settings_table_is_what_help_says() {
    let command = CommandLine::command();
    let serve = command.get_subcommands().find(|command| command.get_name() == "serve").unwrap();
    let settings: Vec<(String, Option<String>)> = serve
        .get_arguments()
        .filter_map(|argument| {
            let name = argument.get_env()?.to_string_lossy().into_owned();
            Some((name, argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned())))
        })
        .collect();
    assert_eq!(table(), settings);
}

#[test]
fn every_folder_the_readme_names_is_there() {
    let readme = include_str!("../../README.md");
    let section = readme.split("## Where things are").nth(1).unwrap().split("\n## ").next().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for line in section.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        for path in line.split('`').skip(1).step_by(2) {
            assert!(root.join(path).exists(), "{path} is named by the README and isn't there");
            named += 1;
        }
    }
    assert!(named > 10);
}
