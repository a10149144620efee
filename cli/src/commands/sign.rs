//! `sign`: writes a signed bundle with the digests of a model's files.

use crate::{
    args::Common,
    exit,
    output::{Output, folder},
    sandbox,
    signed::{self, Hashing},
    terminal::Terminal,
};
use anyhow::{Context, Result, bail};
use cntk2onnx_signing::{Bundle, PrivateKey, Signer, Statement};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Sign a model or a folder of models (OpenSSF Model Signing v1.0)
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  openssl ecparam -name prime256v1 -genkey -noout -out key.pem
  openssl pkey -in key.pem -pubout -out key.pub
  cntk2onnx sign models/ --key key.pem              writes models.sig
  cntk2onnx check models/ --signature models.sig --public-key key.pub")]
pub struct Args {
    /// The file or folder
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// The private key: P-256, P-384 or P-521, in PEM
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The certificate of the key (PEM), with which verifiers need an authority's certificate instead of the key
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// The certificates between the key's and the authority's (PEM)
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "certificate")]
    pub certificate_chain: Vec<PathBuf>,
    /// Where to write the bundle [default: PATH.sig]
    #[arg(long, value_name = "BUNDLE")]
    pub signature: Option<PathBuf>,
    /// Paths to leave out, relative to PATH
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub ignore_paths: Vec<String>,
    /// Overwrite the bundle
    #[arg(long)]
    pub force: bool,
}

pub fn run(terminal: &Terminal, common: &Common, args: Args) -> Result<u8> {
    let root = fs::canonicalize(&args.path).with_context(|| args.path.display().to_string())?;
    let model = root.file_name().and_then(|n| n.to_str()).context("the model has no name in UTF-8")?.to_owned();
    let bundle = args.signature.clone().unwrap_or_else(|| beside(&root));
    let key = signed::text(&args.key, PrivateKey::from_pem)?;
    let certificate = args.certificate.as_ref().map(|path| signed::certificates(std::slice::from_ref(path)));
    let chain = match certificate.transpose()?.flatten() {
        Some(first) => Some(match signed::certificates(&args.certificate_chain)? {
            Some(more) => first.followed_by(more),
            None => first,
        }),
        None => None,
    };
    let mut ignore = args.ignore_paths.clone();
    if let Some(bad) = ignore.iter().find(|p| p.starts_with('/') || p.contains(['*', '?', '[']) || p.contains("..")) {
        bail!("--ignore-paths takes relative paths without wildcards, not {bad}");
    }
    // Leave out the bundle itself if it is inside the folder.
    let place = fs::canonicalize(folder(&bundle)).with_context(|| bundle.display().to_string())?;
    if let (Ok(inside), Some(name)) = (place.strip_prefix(&root), bundle.file_name()) {
        ignore.push(inside.join(name).to_string_lossy().replace('\\', "/"));
    }

    let files = signed::list(&root, &bundle)?;
    let output = Output::create(&bundle, args.force)?;
    let needs = sandbox::Needs::writing([output.folder()], true).and_reading(std::slice::from_ref(&root));
    sandbox::enter(terminal, common, &needs);
    let resources = signed::hash(&files, &Hashing { ignore: &ignore, links: false, shard: None })?;
    let count = resources.len();
    let statement = Statement::new(model, resources, &ignore)?;
    let signer = match &chain {
        Some(chain) => Signer::Certificate(&key, chain),
        None => Signer::Key(&key),
    };
    output.file().write_all(Bundle::sign(&statement, &signer)?.to_json().as_bytes())?;
    output.finish()?;
    terminal.say(format_args!("wrote {}: signs {count} files", bundle.display()));
    Ok(exit::DONE)
}

/// The path of the bundle: `models.sig` beside `models`.
fn beside(root: &Path) -> PathBuf {
    let mut name = root.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}
