//! Signed models: their files and digests, and the signatures that the user trusts.

use anyhow::{Context, Result, bail};
use cntk2onnx_signing::{Bundle, Certificates, Error, PublicKey, Resource, Statement, Trust, ignored, range_name};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read},
    num::NonZero,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::SystemTime,
};

/// How many bytes are read at once while hashing.
const PIECE: usize = 32 << 10;
/// The most bytes of a bundle or key. A bundle of a million files would be larger.
const LARGEST: u64 = 256 << 20;

/// The signatures that are accepted.
#[derive(Clone, clap::Args)]
#[group(id = "trust", multiple = false)]
pub struct TrustArgs {
    /// Accept signatures by the owner of this key (PEM)
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Accept signatures by holders of certificates from these authorities (PEM)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub certificate_chain: Vec<PathBuf>,
}

/// The arguments of commands that read models.
#[derive(Clone, clap::Args)]
pub struct SignatureArgs {
    /// Read a model only if this bundle (OpenSSF Model Signing) has the digest of its bytes; needs one of the next two
    #[arg(long, value_name = "BUNDLE", requires = "trust")]
    pub signature: Option<PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
}

impl SignatureArgs {
    /// Reads the bundle and the keys, before the sandbox is entered.
    pub fn open(&self) -> Result<Option<Arc<Signed>>> {
        match &self.signature {
            Some(bundle) => Ok(Some(Arc::new(Signed::open(bundle, &self.trust)?))),
            None if self.trust.public_key.is_some() || !self.trust.certificate_chain.is_empty() => {
                bail!("--signature names the bundle to verify")
            }
            None => Ok(None),
        }
    }
}

enum Trusted {
    Key(PublicKey),
    Authorities(Certificates),
}

/// A bundle, and the key or authorities that must have signed it.
pub struct Signed {
    /// The path of the bundle as the user gave it.
    pub name: String,
    bundle: Vec<u8>,
    trusted: Trusted,
}

impl Signed {
    pub fn open(bundle: &Path, trust: &TrustArgs) -> Result<Self> {
        let trusted = match &trust.public_key {
            Some(path) => Trusted::Key(text(path, PublicKey::from_pem)?),
            None => Trusted::Authorities(certificates(&trust.certificate_chain)?.context("no --certificate-chain")?),
        };
        Ok(Self { name: bundle.display().to_string(), bundle: small(bundle)?, trusted })
    }

    /// The signed statement, if the signature is one that the user trusts.
    pub fn statement(&self) -> Result<Statement, Error> {
        let bundle = Bundle::parse(&self.bundle)?;
        bundle.verify(&match &self.trusted {
            Trusted::Key(key) => Trust::Key(key),
            Trusted::Authorities(anchors) => Trust::Authorities(anchors, SystemTime::now()),
        })
    }

    /// The reason why the bytes of a file are not the signed ones; `None` if they are. `path` must be without links and
    /// relative parts; it is `None` for standard input.
    pub fn refuses(&self, name: &str, path: Option<&Path>, bytes: &[u8]) -> Option<String> {
        let statement = match self.statement() {
            Ok(statement) => statement,
            Err(error) => return Some(format!("{}: {error}", self.name)),
        };
        let digest = match (path, &*statement.resources) {
            (None, [only]) => Some(&*only.digest),
            (None, _) => None,
            (Some(path), _) => statement.digest_of(&path.to_string_lossy().replace('\\', "/")),
        };
        let found: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        match digest {
            None => Some(format!("{name}: {} has no digest of this file", self.name)),
            Some(digest) if digest == found => None,
            Some(_) => Some(format!("{name}: is not the file that was signed")),
        }
    }
}

/// The certificates in several files, in order.
pub fn certificates(paths: &[PathBuf]) -> Result<Option<Certificates>> {
    let mut all: Option<Certificates> = None;
    for path in paths {
        let more = text(path, Certificates::from_pem)?;
        all = Some(match all {
            Some(before) => before.followed_by(more),
            None => more,
        });
    }
    Ok(all)
}

/// Reads a text file and parses it.
pub fn text<T>(path: &Path, read: impl Fn(&str) -> Result<T, Error>) -> Result<T> {
    let bytes = small(path)?;
    let text = String::from_utf8_lossy(&bytes);
    read(&text).with_context(|| path.display().to_string())
}

fn small(path: &Path) -> Result<Vec<u8>> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = vec![];
        File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().with_context(|| path.display().to_string())
}

/// A file of a model.
pub struct Listed {
    /// The path relative to the model's folder, with `/` between parts.
    pub name: String,
    path: PathBuf,
    link: bool,
}

/// All files of the model at `root` (a folder or a single file), except for `bundle`. Links to folders are not
/// followed.
pub fn list(root: &Path, bundle: &Path) -> Result<Vec<Listed>> {
    let bundle = fs::canonicalize(bundle).ok();
    if !fs::metadata(root).with_context(|| root.display().to_string())?.is_dir() {
        let name = root.file_name().and_then(|n| n.to_str());
        let name = name.with_context(|| format!("{}: its name is not UTF-8", root.display()))?.to_owned();
        return Ok(vec![Listed { name, path: root.to_owned(), link: false }]);
    }
    let mut files = vec![];
    let mut waiting = vec![(root.to_owned(), String::new())];
    while let Some((folder, prefix)) = waiting.pop() {
        let place = || folder.display().to_string();
        for entry in fs::read_dir(&folder).with_context(place)? {
            let entry = entry.with_context(place)?;
            let path = entry.path();
            let name = entry.file_name();
            let name = name.to_str().with_context(|| format!("{}: its name is not UTF-8", path.display()))?;
            let name = format!("{prefix}{name}");
            let kind = entry.file_type().with_context(place)?;
            if ignored(&name, []) {
                continue;
            }
            if kind.is_dir() {
                waiting.push((path, name + "/"));
            } else if bundle.is_none() || fs::canonicalize(&path).ok() != bundle {
                files.push(Listed { name, path, link: kind.is_symlink() });
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// How files are hashed.
pub struct Hashing<'a> {
    /// Paths that are left out.
    pub ignore: &'a [String],
    /// Follow links to files; otherwise a link is an error.
    pub links: bool,
    /// Hash the file in pieces of this many bytes.
    pub shard: Option<u64>,
}

/// Computes the digests of files on all cores.
pub fn hash(files: &[Listed], how: &Hashing<'_>) -> Result<Vec<Resource>> {
    let mut wanted = vec![];
    for file in files {
        if ignored(&file.name, how.ignore.iter().map(String::as_str)) {
            continue;
        }
        if file.link && !how.links {
            bail!("{}: is a symbolic link; a signed model consists of files", file.path.display());
        }
        if fs::metadata(&file.path).with_context(|| file.path.display().to_string())?.is_file() {
            wanted.push(file);
        }
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(wanted.len());
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Ok(vec![]));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(file) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = hash_one(file, how.shard).with_context(|| file.path.display().to_string());
                    let Ok(mut done) = done.lock() else { return };
                    match (&mut *done, one) {
                        (Ok(all), Ok(mut more)) => all.append(&mut more),
                        (all @ Ok(_), Err(error)) => *all = Err(error),
                        (Err(_), _) => return,
                    }
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(|_| bail!("a hashing thread stopped"))
}

fn hash_one(file: &Listed, shard: Option<u64>) -> io::Result<Vec<Resource>> {
    let mut opened = File::open(&file.path)?;
    let Some(size) = shard else { return Ok(vec![Resource::new(&file.name, sum(&mut opened)?.0)]) };
    let (mut shards, mut start) = (vec![], 0);
    loop {
        let (digest, length) = sum(&mut (&mut opened).take(size))?;
        if length == 0 {
            return Ok(shards);
        }
        shards.push(Resource::new(range_name(&file.name, start, start + length), digest));
        start += length;
    }
}

/// The SHA-256 and the length of everything that can be read.
pub fn sum(from: &mut impl Read) -> io::Result<([u8; 32], u64)> {
    let (mut state, mut buffer, mut length) = (Sha256::new(), [0; PIECE], 0);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((state.finalize().into(), length)),
            n => {
                state.update(&buffer[..n]);
                length += n as u64;
            }
        }
    }
}
