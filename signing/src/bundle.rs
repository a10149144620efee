//! The bundle: a statement, its signature, and the key or certificate to verify it.

use crate::{
    Error, Statement,
    certificate::Certificates,
    key::{PrivateKey, PublicKey},
};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::SystemTime;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MEDIA_TYPES: [&str; 4] = [
    MEDIA_TYPE,
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A bundle whose form is valid. Its signature is not verified yet.
#[derive(Clone, Debug)]
pub struct Bundle {
    material: Material,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The verification material in a bundle.
#[derive(Clone, Debug)]
enum Material {
    /// A key, with its fingerprint if the bundle has it.
    Key(Option<String>),
    /// Certificates in DER, the signer's first.
    Certificate(Vec<Vec<u8>>),
    Keyless,
}

/// How a bundle was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By a key that the verifier knows.
    Key,
    /// By the key of a certificate.
    Certificate,
    /// By a short-lived certificate of a service, which is not supported.
    Keyless,
}

/// The signer of a bundle.
pub enum Signer<'a> {
    /// The owner of this key.
    Key(&'a PrivateKey),
    /// The owner of this key, whom the first of these certificates names; the others lead to an authority.
    Certificate(&'a PrivateKey, &'a Certificates),
}

/// The signatures that are accepted.
pub enum Trust<'a> {
    /// Signatures by the owner of this key.
    Key(&'a PublicKey),
    /// Signatures by holders of certificates that one of these authorities issued and that are valid at this time.
    Authorities(&'a Certificates, SystemTime),
}

impl Bundle {
    /// Reads a bundle and checks its form, including that of its statement.
    ///
    /// # Errors
    ///
    /// [`Error::Bundle`] if it does not follow the specification.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let raw: RawBundle = serde_json::from_slice(json).map_err(|e| Error::bundle(e.to_string()))?;
        if !MEDIA_TYPES.contains(&&*raw.media_type) {
            return Err(Error::bundle(format!("the media type is {:?}", raw.media_type)));
        }
        if raw.envelope.payload_type != PAYLOAD_TYPE {
            return Err(Error::bundle(format!("the payload type is {:?}", raw.envelope.payload_type)));
        }
        let [signature] = <[RawSignature; 1]>::try_from(raw.envelope.signatures)
            .map_err(|_| Error::bundle("there is not one signature"))?;
        let material = raw.material.method()?;
        let payload = base64(&raw.envelope.payload, "the payload")?;
        let signature = base64(&signature.sig, "the signature")?;
        Statement::parse(&payload)?;
        Ok(Self { material, payload, signature })
    }

    /// The method by which the bundle says that it was signed.
    pub fn method(&self) -> Method {
        match &self.material {
            Material::Key(_) => Method::Key,
            Material::Certificate(_) => Method::Certificate,
            Material::Keyless => Method::Keyless,
        }
    }

    /// Verifies that the bundle was signed by a trusted signer, and returns the signed statement.
    ///
    /// # Errors
    ///
    /// [`Error::Untrusted`], and [`Error::Unsupported`] for the keyless method.
    pub fn verify(&self, trust: &Trust<'_>) -> Result<Statement, Error> {
        let key = match (&self.material, trust) {
            (Material::Keyless, _) => {
                return Err(Error::Unsupported(
                    "the bundle was signed by the keyless method, which only Sigstore's own tools can verify",
                ));
            }
            (Material::Key(hint), Trust::Key(key)) => {
                if hint.as_ref().is_some_and(|hint| *hint != key.fingerprint()) {
                    return Err(Error::untrusted("it was made with another key"));
                }
                (*key).clone()
            }
            (Material::Certificate(chain), Trust::Authorities(anchors, time)) => {
                Certificates::from_der(chain)?.signer(anchors, *time)?
            }
            (Material::Key(_), Trust::Authorities(..)) => {
                return Err(Error::untrusted("it was made with a key, not with a certificate"));
            }
            (Material::Certificate(_), Trust::Key(_)) => {
                return Err(Error::untrusted("it was made with a certificate, not with a key"));
            }
        };
        if !key.verify(&encoded(&self.payload), &self.signature) {
            return Err(Error::untrusted("the bundle was altered, or signed by someone else"));
        }
        Statement::parse(&self.payload)
    }

    /// Signs a statement.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the certificate is for another key.
    pub fn sign(statement: &Statement, signer: &Signer<'_>) -> Result<Self, Error> {
        let payload = statement.to_json();
        let (key, material) = match signer {
            Signer::Key(key) => (key, Material::Key(Some(key.public().fingerprint()))),
            Signer::Certificate(key, certificates) => {
                if certificates.key()? != key.public() {
                    return Err(Error::key("the certificate is for another key"));
                }
                (key, Material::Certificate(certificates.to_der()?))
            }
        };
        let signature = key.sign(&encoded(&payload));
        Ok(Self { material, payload, signature })
    }

    /// The bundle as the content of a file.
    pub fn to_json(&self) -> String {
        let material = match &self.material {
            Material::Certificate(chain) => {
                let der = |der: &Vec<u8>| serde_json::json!({ "rawBytes": Base64::encode_string(der) });
                serde_json::json!({ "x509CertificateChain": { "certificates": chain.iter().map(der).collect::<Vec<_>>() }, "tlogEntries": [] })
            }
            Material::Key(hint) => serde_json::json!({ "publicKey": { "hint": hint }, "tlogEntries": [] }),
            // Such bundles are neither made nor verified here.
            Material::Keyless => Value::Null,
        };
        let bundle = serde_json::json!({
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": Base64::encode_string(&self.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{ "sig": Base64::encode_string(&self.signature), "keyid": "" }],
            },
        });
        format!("{bundle:#}\n")
    }
}

/// The bytes that DSSE signs: the type and the payload, each with its length.
fn encoded(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn base64(text: &str, what: &str) -> Result<Vec<u8>, Error> {
    match Base64::decode_vec(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(Error::bundle(format!("{what} is not in Base64"))),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBundle {
    #[serde(rename = "mediaType")]
    media_type: String,
    #[serde(rename = "verificationMaterial")]
    material: RawMaterial,
    #[serde(rename = "dsseEnvelope")]
    envelope: RawEnvelope,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMaterial {
    public_key: Option<RawKey>,
    x509_certificate_chain: Option<RawChain>,
    certificate: Option<RawCertificate>,
    tlog_entries: Option<Vec<Value>>,
}

impl RawMaterial {
    fn method(self) -> Result<Material, Error> {
        match (self.public_key, self.x509_certificate_chain, self.certificate) {
            (Some(key), None, None) => {
                if key.hint.is_none() && key.raw_bytes.is_none() {
                    return Err(Error::bundle("the public key has neither hint nor bytes"));
                }
                // The key itself, which bundles of early versions contain, is ignored: the verifier must have the key.
                Ok(Material::Key(key.hint.filter(|hint| !hint.is_empty())))
            }
            (None, Some(chain), None) => {
                if chain.certificates.is_empty() {
                    return Err(Error::bundle("the certificate chain is empty"));
                }
                let der = |c: &RawCertificate| base64(&c.raw_bytes, "a certificate");
                Ok(Material::Certificate(chain.certificates.iter().map(der).collect::<Result<_, _>>()?))
            }
            (None, None, Some(certificate)) => {
                base64(&certificate.raw_bytes, "the certificate")?;
                if self.tlog_entries.is_none_or(|entries| entries.is_empty()) {
                    return Err(Error::bundle("a keyless signature needs an entry of a transparency log"));
                }
                Ok(Material::Keyless)
            }
            _ => Err(Error::bundle("the verification material is not of one method")),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawKey {
    hint: Option<String>,
    raw_bytes: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RawChain {
    certificates: Vec<RawCertificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawEnvelope {
    payload: String,
    payload_type: String,
    signatures: Vec<RawSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    sig: String,
    #[serde(default)]
    keyid: Option<String>,
}
