//! A function's package: a zip file that is not trusted (security decision 27).

use std::collections::HashSet;
use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use crate::LambdaError;

/// Bytes of a package that is sent directly.
pub(crate) const LARGEST_ZIP: usize = 50 << 20;
/// Bytes of everything in it, counted while inflating.
pub(crate) const LARGEST_UNZIPPED: u64 = 250 << 20;
/// Files, folders and links in it.
const MOST_ENTRIES: usize = 20_000;
const LONGEST_PATH: usize = 1_024;
const KIND: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;

/// What an entry of the zip is.
enum Entry {
    Folder,
    File { executable: bool },
    Link,
}

/// Reads the whole package as unpacking would, and writes nothing.
pub(crate) fn check(zip: &[u8]) -> Result<(), LambdaError> {
    walk(zip, |_, _, content| Ok(io::copy(content, &mut io::sink())?), |_, _| Ok(()))
}

/// Unpacks into `folder`, which must not exist: files 0644 (0755 where the zip says executable), folders 0755.
pub(crate) fn unpack(zip: &[u8], folder: &Path) -> Result<(), LambdaError> {
    fs::create_dir_all(folder)?;
    walk(
        zip,
        |path, entry, content| {
            let at = folder.join(path);
            match entry {
                Entry::Folder | Entry::Link => fs::create_dir_all(&at).map(|()| 0).map_err(Into::into),
                Entry::File { executable } => {
                    if let Some(parent) = at.parent() {
                        fs::create_dir_all(parent)?;
                    }
                    let mode = if *executable { 0o755 } else { 0o644 };
                    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(at)?;
                    Ok(io::copy(content, &mut file)?)
                }
            }
        },
        |path, target| {
            let at = folder.join(path);
            if let Some(parent) = at.parent() {
                fs::create_dir_all(parent)?;
            }
            Ok(symlink(target, at)?)
        },
    )
}

/// Visits files and folders, and after all of them the links, so that nothing is ever written through one.
fn walk(
    zip: &[u8],
    mut visit: impl FnMut(&Path, &Entry, &mut dyn Read) -> Result<u64, LambdaError>,
    mut link: impl FnMut(&Path, &Path) -> Result<(), LambdaError>,
) -> Result<(), LambdaError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(|_| unreadable())?;
    if archive.len() > MOST_ENTRIES {
        return Err(LambdaError::invalid(format!("The package may hold at most {MOST_ENTRIES} files.")));
    }
    let mut names = Names::default();
    let mut links = Vec::new();
    let mut left = LARGEST_UNZIPPED;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(|_| unreadable())?;
        let entry = kind(&file)?;
        let path = names.take(&name(&file)?, &entry)?;
        // One byte more than may be, so that a package of just the limit passes.
        let mut content = (&mut file).take(left + 1);
        if let Entry::Link = entry {
            links.push((path, link_target(&mut content)?));
            continue;
        }
        let written = match visit(&path, &entry, &mut content) {
            Err(LambdaError::Io(error)) if is_zip_error(&error) => return Err(unreadable()),
            other => other?,
        };
        left = left.checked_sub(written).ok_or_else(|| {
            LambdaError::invalid(format!("Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes"))
        })?;
    }
    for (path, target) in &links {
        if names.is_below_a_link(path, links.iter().map(|(link, _)| link)) || leaves(path, target) {
            return Err(unsafe_entry(&path.display().to_string()));
        }
        link(path, target)?;
    }
    if names.files.iter().any(|file| names.is_below_a_link(file, links.iter().map(|(link, _)| link))) {
        return Err(unreadable());
    }
    Ok(())
}

fn is_zip_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other
    )
}

fn kind<R: Read>(file: &zip::read::ZipFile<'_, R>) -> Result<Entry, LambdaError> {
    let mode = file.unix_mode().unwrap_or(0);
    match mode & KIND {
        _ if file.is_dir() => Ok(Entry::Folder),
        0 | REGULAR => Ok(Entry::File { executable: mode & 0o111 != 0 }),
        FOLDER => Ok(Entry::Folder),
        LINK => Ok(Entry::Link),
        _ => Err(unsafe_entry(&name(file)?)),
    }
}

fn name<R: Read>(file: &zip::read::ZipFile<'_, R>) -> Result<String, LambdaError> {
    file.name().map(std::borrow::Cow::into_owned).map_err(|_| unreadable())
}

fn link_target(content: &mut dyn Read) -> Result<PathBuf, LambdaError> {
    let mut target = String::new();
    content.take(LONGEST_PATH as u64 + 1).read_to_string(&mut target).map_err(|_| unreadable())?;
    if target.is_empty() || target.len() > LONGEST_PATH {
        return Err(unreadable());
    }
    Ok(PathBuf::from(target))
}

/// Whether a link at `path` leads out of the package.
fn leaves(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count() - 1;
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return true,
        }
    }
    false
}

/// The names seen: none twice, also not in another case.
#[derive(Default)]
struct Names {
    folded: HashSet<String>,
    files: Vec<PathBuf>,
}

impl Names {
    fn take(&mut self, name: &str, entry: &Entry) -> Result<PathBuf, LambdaError> {
        let path = Path::new(name.trim_end_matches('/'));
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        if name.len() > LONGEST_PATH || name.contains(['\0', '\\']) || !plain || path.as_os_str().is_empty() {
            return Err(unsafe_entry(name));
        }
        let fresh = self.folded.insert(path.to_string_lossy().to_lowercase());
        if !fresh {
            return Err(LambdaError::invalid(format!("The package holds {name} twice.")));
        }
        if let Entry::File { .. } = entry {
            self.files.push(path.to_owned());
        }
        Ok(path.to_owned())
    }

    fn is_below_a_link<'a>(&self, path: &Path, links: impl Iterator<Item = &'a PathBuf>) -> bool {
        let links: HashSet<&Path> = links.map(PathBuf::as_path).collect();
        path.ancestors().skip(1).any(|above| links.contains(above))
    }
}

fn unreadable() -> LambdaError {
    LambdaError::invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
}

fn unsafe_entry(name: &str) -> LambdaError {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    LambdaError::invalid(format!("The package holds an entry that is not allowed: {shown}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use zip::write::SimpleFileOptions;

    use super::*;

    /// A zip of these files.
    pub(crate) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).expect("start");
            writer.write_all(content).expect("write");
        }
        writer.finish().expect("finish").into_inner()
    }

    fn with_link(name: &str, target: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink(name, target, SimpleFileOptions::default()).expect("link");
        for (name, content) in more {
            writer.start_file(*name, SimpleFileOptions::default()).expect("start");
            writer.write_all(content).expect("write");
        }
        writer.finish().expect("finish").into_inner()
    }

    #[test]
    fn a_package_is_unpacked() {
        let folder = std::env::temp_dir().join(format!("homeport-package-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let zip =
            with_link("bin/tool", "../lib/tool.js", &[("lib/tool.js", b"tool"), ("index.js", b"index")]);
        unpack(&zip, &folder).expect("unpack");
        assert_eq!(fs::read(folder.join("bin/tool")).expect("through the link"), b"tool");
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn what_leaves_the_folder_is_refused() {
        for name in ["/etc/passwd", "../up", "a/../../up", "a\\b", "./a/../../b"] {
            assert!(check(&zip_of(&[(name, b"x")])).is_err(), "{name}");
        }
        for target in ["/etc/passwd", "../up", "a/../../up"] {
            assert!(check(&with_link("link", target, &[])).is_err(), "{target}");
        }
        assert!(check(&with_link("a", "b", &[("a/file", b"x")])).is_err(), "written through a link");
        assert!(check(&with_link("a/link", "../b", &[("b", b"x")])).is_ok());
    }

    #[test]
    fn names_that_clash_are_refused() {
        assert!(check(&zip_of(&[("Index.js", b"x"), ("index.js", b"y")])).is_err());
        assert!(check(&zip_of(&[("a.js", b"x"), ("b.js", b"y")])).is_ok());
    }

    #[test]
    fn a_bomb_is_refused_while_it_inflates() {
        let zeros = vec![0_u8; 1 << 20];
        let names: Vec<String> = (0..251).map(|n| format!("file-{n}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), zeros.as_slice())).collect();
        let refused = check(&zip_of(&files)).expect_err("251 MiB");
        assert!(refused.to_string().contains("262144000"), "{refused}");
        assert!(check(&zip_of(&files[..200])).is_ok());
    }

    #[test]
    fn what_is_no_zip_is_refused() {
        assert!(check(b"not a zip").is_err());
        let mut cut = zip_of(&[("a", &[7; 10_000])]);
        let middle = cut.len() / 2;
        cut[middle] ^= 0xff;
        cut[40] ^= 0xff;
        assert!(check(&cut).is_err());
    }
}
