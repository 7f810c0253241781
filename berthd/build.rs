//! Takes the page into the program, when it has been built (`npm run build` in `web/`). Without it berthd is whole all the
//! same: the welcome page stands in its place.

#![allow(
    clippy::disallowed_methods,
    reason = "cargo tells a build script by the environment where things are"
)]

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let dist = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../web/dist");
    // It is always there, if only with its .gitignore, so a page that is built later is noticed.
    println!("cargo:rerun-if-changed={}", dist.display());
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        walk(&dist.canonicalize()?, &mut files)?;
    }
    files.sort();
    let mut table = String::from("pub(super) static FILES: &[File] = &[\n");
    for path in &files {
        let url = path.strip_prefix(dist.canonicalize()?).unwrap_or(path).display();
        let packed = with_gz(path);
        let packed = if packed.is_file() {
            format!("Some(include_bytes!({:?}))", packed.to_string_lossy())
        } else {
            "None".to_owned()
        };
        let _ = writeln!(
            table,
            "    File {{ path: \"/{url}\", plain: include_bytes!({:?}), packed: {packed} }},",
            path.to_string_lossy()
        );
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(out.join("page.rs"), table)
}

fn with_gz(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

/// The files of a folder and of those in it, compressed copies and hidden ones left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() {
            walk(&path, files)?;
        } else if !hidden && path.extension().is_none_or(|extension| extension != "gz") {
            files.push(path);
        }
    }
    Ok(())
}
