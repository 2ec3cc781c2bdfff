//! Build script: embeds what the browser loads, and has migrations watched.
//!
//! With `LITEBOARD_SITE_DIR` set (`bin/build` does) every file of that folder goes into the binary; without it the list is
//! empty and `assets.rs` reads a folder while running.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-env-changed=LITEBOARD_SITE_DIR");
    let mut list = String::from("&[\n");
    // A debug build serves from the folder, so that a changed style shows on reload.
    if let Some(folder) =
        env::var_os("LITEBOARD_SITE_DIR").filter(|_| env::var("PROFILE").is_ok_and(|profile| profile == "release"))
    {
        let folder = Path::new(&folder).canonicalize()?;
        println!("cargo::rerun-if-changed={}", folder.display());
        embed(&folder, &folder, &mut list)?;
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded_site.rs"), list)?;
    Ok(())
}

fn embed(root: &Path, folder: &Path, list: &mut String) -> Result<(), Box<dyn Error>> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            embed(root, &path, list)?;
        } else {
            let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            writeln!(list, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())?;
        }
    }
    Ok(())
}
