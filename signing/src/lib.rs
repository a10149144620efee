//! OpenSSF Model Signing v1.0: a bundle names the files of a model with their digests, and is signed by an elliptic-curve
//! key or by the owner of a certificate.
//!
//! A bundle is JSON: a [`Statement`] (in-toto, with the predicate of model signing) in a DSSE envelope in a Sigstore bundle.
//! [`Bundle::parse`] reads one, [`Bundle::verify`] verifies the signer and only then returns the statement, and
//! [`Statement::differences`] lists changed files. [`Bundle::sign`] makes one. The caller walks folders, reads files
//! and computes digests (SHA-256); nothing here does I/O.
//!
//! Not supported are the keyless method, whose certificates are valid for minutes and need a service, and the optional
//! digests BLAKE2b and BLAKE3. Both are refused by name.
#![forbid(unsafe_code)]

mod bundle;
mod certificate;
mod error;
mod key;
mod names;
mod statement;

pub use bundle::{Bundle, Method, Signer, Trust};
pub use certificate::Certificates;
pub use error::Error;
pub use key::{PrivateKey, PublicKey};
pub use names::{GIT_PATHS, ignored};
pub use statement::{Difference, Resource, Serialization, Statement, range_name};
