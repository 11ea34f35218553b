//! Where the pictures of items come from. Unless it is said, no picture is shown: an address in the data of a model would make
//! every reader's browser call a server that somebody else chose.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest picture that is sent.
const LARGEST: u64 = 8 << 20;

/// Where the pictures of items may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pictures {
    /// None is shown.
    #[default]
    Off,
    /// Paths within this folder, which the server sends itself; addresses are not shown.
    Folder(PathBuf),
    /// Addresses beginning with `https://` or `http://`, which the reader's browser loads from there; paths are not shown.
    Web,
}

impl Pictures {
    /// From what is said on the command line: `web`, or a folder. A folder of the name `web` is `./web`.
    ///
    /// # Errors
    /// If there is no such folder.
    pub fn parse(text: &str) -> Result<Pictures, String> {
        if text == "web" {
            return Ok(Pictures::Web);
        }
        match Path::new(text).canonicalize() {
            Ok(folder) if folder.is_dir() => Ok(Pictures::Folder(folder)),
            Ok(_) => Err(format!("{text:.200}: expected a folder of pictures, or `web`; this is a file")),
            Err(error) => Err(format!("{text:.200}: {error}; expected a folder of pictures, or `web`")),
        }
    }

    /// What a browser may load pictures from, as a source list of a content security policy.
    pub(crate) fn policy(&self) -> &'static str {
        match self {
            Pictures::Off | Pictures::Folder(_) => "'self'",
            Pictures::Web => "'self' https: http:",
        }
    }

    /// The address of a picture as the page gives it: `own` for one that the server sends itself; `None` if it is not shown.
    pub(crate) fn address(&self, picture: &str, own: impl FnOnce() -> String) -> Option<String> {
        match self {
            Pictures::Off => None,
            Pictures::Folder(_) => (!on_web(picture) && !picture.is_empty()).then(own),
            Pictures::Web => on_web(picture).then(|| picture.to_owned()),
        }
    }

    /// The bytes and the type of a picture in the folder; `None` if there is none, if it lies elsewhere (a link that leads out
    /// of the folder counts as elsewhere), is too large, or is no picture by its first bytes.
    pub(crate) fn read(&self, picture: &str) -> Option<(&'static str, Vec<u8>)> {
        let Pictures::Folder(folder) = self else { return None };
        let path = folder.join(picture).canonicalize().ok()?;
        let within = path.starts_with(folder.canonicalize().ok()?);
        let size = path.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        if !within || size > LARGEST {
            return None;
        }
        let mut bytes = Vec::with_capacity(size as usize);
        std::fs::File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
        Some((kind(&bytes)?, bytes))
    }
}

fn on_web(picture: &str) -> bool {
    picture.starts_with("https://") || picture.starts_with("http://")
}

/// The type of a picture by its first bytes. SVG is none: it may hold a script.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f', ..] => Some("image/avif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    #[test]
    fn only_pictures_within_the_folder_are_sent() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("shop");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        std::fs::write(folder.join("sub/a.png"), PNG).unwrap();
        std::fs::write(folder.join("page.png"), "<svg onload='alert(1)'>").unwrap();
        std::fs::write(dir.path().join("secret.png"), PNG).unwrap();
        let pictures = Pictures::parse(&folder.to_string_lossy()).unwrap();
        assert_eq!(pictures.read("sub/a.png"), Some(("image/png", PNG.to_vec())));
        let outside = dir.path().join("secret.png");
        for other in [
            "page.png",
            "sub",
            "",
            "none.png",
            "../secret.png",
            "sub/../../secret.png",
            &outside.to_string_lossy(),
        ] {
            assert_eq!(pictures.read(other), None, "{other}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&outside, folder.join("link.png")).unwrap();
            assert_eq!(pictures.read("link.png"), None);
        }
        assert_eq!(Pictures::Off.read("sub/a.png"), None);
        assert_eq!(Pictures::Web.read("sub/a.png"), None);
    }

    #[test]
    fn addresses_are_shown_only_if_the_web_is_allowed_and_never_as_a_script() {
        let own = || "own".to_owned();
        for (pictures, path, address) in [
            (Pictures::Off, None, None),
            (Pictures::Folder("x".into()), Some("own"), None),
            (Pictures::Web, None, Some("https://a.example/p.png")),
        ] {
            assert_eq!(pictures.address("p.png", own).as_deref(), path, "{pictures:?}");
            assert_eq!(pictures.address("https://a.example/p.png", own).as_deref(), address, "{pictures:?}");
        }
        assert_eq!(Pictures::Web.address("javascript:alert(1)", own), None);
        assert_eq!(Pictures::Web.address("data:image/png;base64,", own), None);
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused() {
        assert_eq!(Pictures::parse("web"), Ok(Pictures::Web));
        assert!(Pictures::parse("/no/such/folder").unwrap_err().contains("expected a folder"));
        assert!(
            Pictures::parse(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
                .unwrap_err()
                .contains("a file")
        );
    }
}
