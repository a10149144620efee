//! The specification's test vectors (`vectors/`, from github.com/ossf/model-signing-spec, Apache-2.0): what must be read is
//! read, what must be refused is refused.

use cntk2onnx_signing::{
    Bundle, Certificates, Error, Method, PrivateKey, PublicKey, Resource, Signer, Statement, Trust,
};
use std::{fs, path::Path, time::SystemTime};

fn vector(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

#[test]
fn valid_bundles_are_read() {
    for (method, expected) in
        [("key", Method::Key), ("certificate", Method::Certificate), ("sigstore", Method::Keyless)]
    {
        let bundle = Bundle::parse(&vector(&format!("valid-{method}.bundle.json"))).unwrap();
        assert_eq!(bundle.method(), expected);
    }
}

#[test]
fn invalid_bundles_are_refused() {
    let mut seen = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("invalid-") {
            assert!(matches!(Bundle::parse(&vector(&name)), Err(Error::Bundle(_))), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 5);
}

/// The vector's own root is the last of its chain, signed with RSA.
#[test]
fn the_certificate_vector_verifies_against_its_root() {
    let text = vector("valid-certificate.bundle.json");
    let bundle = Bundle::parse(&text).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let chain = json["verificationMaterial"]["x509CertificateChain"]["certificates"].as_array().unwrap();
    let last = chain.last().unwrap()["rawBytes"].as_str().unwrap();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", wrapped(last));
    let root = Certificates::from_pem(&pem).unwrap();
    let signed = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_750_000_000);
    let statement = bundle.verify(&Trust::Authorities(&root, signed)).unwrap();
    assert_eq!(statement.resources.iter().map(|r| &*r.name).collect::<Vec<_>>(), ["signme-1", "signme-2"]);
    let before = SystemTime::UNIX_EPOCH;
    assert!(matches!(bundle.verify(&Trust::Authorities(&root, before)), Err(Error::Untrusted(_))));
}

fn wrapped(base64: &str) -> String {
    base64
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
        .collect::<String>()
        .trim_end()
        .to_owned()
}

const KEYS: [&str; 3] = [include_str!("keys/p256.pem"), include_str!("keys/p384.pem"), include_str!("keys/p521.pem")];
const PUBLIC: [&str; 3] =
    [include_str!("keys/p256.pub.pem"), include_str!("keys/p384.pub.pem"), include_str!("keys/p521.pub.pem")];

#[test]
fn what_was_signed_verifies_and_nothing_else() {
    let files = vec![Resource::new("a.model", [1; 32]), Resource::new("b/c.model", [2; 32])];
    let statement = Statement::new("tree", files, &[]).unwrap();
    for (i, (private, public)) in KEYS.iter().zip(PUBLIC).enumerate() {
        let key = PrivateKey::from_pem(private).unwrap();
        let public = PublicKey::from_pem(public).unwrap();
        assert!(key.public() == public);
        let text = Bundle::sign(&statement, &Signer::Key(&key)).unwrap().to_json();
        let bundle = Bundle::parse(text.as_bytes()).unwrap();
        assert_eq!(bundle.verify(&Trust::Key(&public)).unwrap(), statement);
        let other = PublicKey::from_pem(PUBLIC[(i + 1) % 3]).unwrap();
        assert!(matches!(bundle.verify(&Trust::Key(&other)), Err(Error::Untrusted(_))));

        // Another statement under the same signature.
        let files = vec![Resource::new("a.model", [3; 32])];
        let second = Bundle::sign(&Statement::new("tree", files, &[]).unwrap(), &Signer::Key(&key)).unwrap().to_json();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let second: serde_json::Value = serde_json::from_str(&second).unwrap();
        json["dsseEnvelope"]["payload"] = second["dsseEnvelope"]["payload"].clone();
        let forged = Bundle::parse(json.to_string().as_bytes()).unwrap();
        assert!(matches!(forged.verify(&Trust::Key(&public)), Err(Error::Untrusted(_))));
    }
}

#[test]
fn the_keyless_method_is_refused_by_name() {
    let bundle = Bundle::parse(&vector("valid-sigstore.bundle.json")).unwrap();
    let key = PublicKey::from_pem(PUBLIC[0]).unwrap();
    assert!(matches!(bundle.verify(&Trust::Key(&key)), Err(Error::Unsupported(_))));
}
