//! Keys on the three curves that the specification requires, each with its digest: P-256 with SHA-256, P-384 with SHA-384,
//! P-521 with SHA-512.

use crate::Error;
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey, LineEnding};
use sha2::{Digest, Sha256};

/// A key to sign with.
pub struct PrivateKey(Private);

enum Private {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

/// A key to verify with.
#[derive(Clone, PartialEq)]
pub struct PublicKey(Public);

#[derive(Clone, PartialEq)]
enum Public {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl PrivateKey {
    /// Reads PEM: `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (SEC 1), as OpenSSL writes them. Other blocks are passed over.
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: there is no such block, the key is encrypted, or on another curve.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        if text.contains("ENCRYPTED") {
            return Err(Error::key("the key is encrypted: decrypt it first, for example with openssl pkey"));
        }
        if let Some(pem) = block(text, "PRIVATE KEY") {
            if let Ok(key) = p256::SecretKey::from_pkcs8_pem(pem) {
                return Ok(Self(Private::P256(key.into())));
            }
            if let Ok(key) = p384::SecretKey::from_pkcs8_pem(pem) {
                return Ok(Self(Private::P384(key.into())));
            }
            if let Ok(key) = p521::SecretKey::from_pkcs8_pem(pem) {
                return Ok(Self(Private::P521(key.into())));
            }
        } else if let Some(pem) = block(text, "EC PRIVATE KEY") {
            if let Ok(key) = p256::SecretKey::from_sec1_pem(pem) {
                return Ok(Self(Private::P256(key.into())));
            }
            if let Ok(key) = p384::SecretKey::from_sec1_pem(pem) {
                return Ok(Self(Private::P384(key.into())));
            }
            if let Ok(key) = p521::SecretKey::from_sec1_pem(pem) {
                return Ok(Self(Private::P521(key.into())));
            }
        } else {
            return Err(Error::key("no PRIVATE KEY in PEM is in the file"));
        }
        Err(Error::key("not a private key on P-256, P-384 or P-521"))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Private::P256(key) => Public::P256(*key.verifying_key()),
            Private::P384(key) => Public::P384(*key.verifying_key()),
            Private::P521(key) => Public::P521(*key.verifying_key()),
        })
    }

    /// An ECDSA signature (DER) of the message, deterministic as in RFC 6979.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        use p256::ecdsa::signature::Signer;
        match &self.0 {
            Private::P256(key) => Signer::<p256::ecdsa::DerSignature>::sign(key, message).as_bytes().to_vec(),
            Private::P384(key) => Signer::<p384::ecdsa::DerSignature>::sign(key, message).as_bytes().to_vec(),
            Private::P521(key) => Signer::<p521::ecdsa::DerSignature>::sign(key, message).as_bytes().to_vec(),
        }
    }
}

impl PublicKey {
    /// Reads PEM: `PUBLIC KEY` (SubjectPublicKeyInfo).
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: there is no such block, or the key is of another kind.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let pem = block(text, "PUBLIC KEY").ok_or_else(|| Error::key("no PUBLIC KEY in PEM is in the file"))?;
        if let Ok(key) = p256::PublicKey::from_public_key_pem(pem) {
            return Ok(Self(Public::P256(key.into())));
        }
        if let Ok(key) = p384::PublicKey::from_public_key_pem(pem) {
            return Ok(Self(Public::P384(key.into())));
        }
        if let Ok(key) = p521::PublicKey::from_public_key_pem(pem) {
            return Ok(Self(Public::P521(key.into())));
        }
        Err(Error::key("not a public key on P-256, P-384 or P-521"))
    }

    /// Reads the DER of a SubjectPublicKeyInfo.
    pub(crate) fn from_der(der: &[u8]) -> Option<Self> {
        if let Ok(key) = p256::PublicKey::from_public_key_der(der) {
            return Some(Self(Public::P256(key.into())));
        }
        if let Ok(key) = p384::PublicKey::from_public_key_der(der) {
            return Some(Self(Public::P384(key.into())));
        }
        p521::PublicKey::from_public_key_der(der).ok().map(|key| Self(Public::P521(key.into())))
    }

    /// Is this a valid signature (DER) of the message, with the digest that belongs to the curve?
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        use p256::ecdsa::signature::Verifier;
        match &self.0 {
            Public::P256(key) => {
                p256::ecdsa::DerSignature::from_bytes(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
            }
            Public::P384(key) => {
                p384::ecdsa::DerSignature::from_bytes(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
            }
            Public::P521(key) => {
                p521::ecdsa::DerSignature::from_bytes(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
            }
        }
    }

    /// Is this a valid signature (DER) of a message with this digest? Certificates may use any digest with any curve.
    pub(crate) fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> bool {
        use p256::ecdsa::signature::hazmat::PrehashVerifier;
        match &self.0 {
            Public::P256(key) => {
                p256::ecdsa::Signature::from_der(signature).is_ok_and(|s| key.verify_prehash(digest, &s).is_ok())
            }
            Public::P384(key) => {
                p384::ecdsa::Signature::from_der(signature).is_ok_and(|s| key.verify_prehash(digest, &s).is_ok())
            }
            Public::P521(key) => {
                p521::ecdsa::Signature::from_der(signature).is_ok_and(|s| key.verify_prehash(digest, &s).is_ok())
            }
        }
    }

    /// The name of a key in bundles: the SHA-256 of its PEM, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        let pem = match &self.0 {
            Public::P256(key) => p256::PublicKey::from(key).to_public_key_pem(LineEnding::LF),
            Public::P384(key) => p384::PublicKey::from(key).to_public_key_pem(LineEnding::LF),
            Public::P521(key) => p521::PublicKey::from(key).to_public_key_pem(LineEnding::LF),
        };
        // A valid point of a known curve always has an encoding.
        pem.map(|pem| hex(&Sha256::digest(pem))).unwrap_or_default()
    }
}

/// The PEM block with this label, from its first dash to its last.
fn block<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let text = &text[text.find(&begin)?..];
    Some(&text[..text.find(&end)? + end.len()])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wanted_block_is_taken() {
        let text = "x\n-----BEGIN EC PARAMETERS-----\nA\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\nB\n-----END EC PRIVATE KEY-----\n";
        assert_eq!(
            block(text, "EC PRIVATE KEY"),
            Some("-----BEGIN EC PRIVATE KEY-----\nB\n-----END EC PRIVATE KEY-----")
        );
        assert_eq!(block(text, "PRIVATE KEY"), None);
    }

    #[test]
    fn what_is_no_key_says_so() {
        let wrong = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        assert!(PublicKey::from_pem(wrong).err().unwrap().to_string().contains("P-384"));
        assert!(PublicKey::from_pem("").is_err());
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";
        assert!(PrivateKey::from_pem(encrypted).err().unwrap().to_string().contains("encrypted"));
    }
}
