//! Chains of X.509 certificates, from the signer's to an authority that the verifier trusts.

use crate::{Error, PublicKey};
use rsa::{
    pkcs1v15,
    pkcs8::{AssociatedOid as DigestOid, DecodePublicKey},
    signature::hazmat::PrehashVerifier,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_cert::{
    Certificate,
    der::{Decode, DecodePem, Encode, asn1::ObjectIdentifier},
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages},
};

/// The longest chain from the signer to the authority.
const LONGEST: usize = 8;
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");

/// Certificates in the order given.
pub struct Certificates(Vec<Certificate>);

impl Certificates {
    /// Reads one or more `CERTIFICATE` blocks of PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if there is no certificate or one is damaged.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        const END: &str = "-----END CERTIFICATE-----";
        let mut certificates = vec![];
        let mut rest = text;
        while let Some(begin) = rest.find("-----BEGIN CERTIFICATE-----") {
            let end = rest[begin..].find(END).ok_or_else(|| Error::key("a certificate has no end"))?;
            let (pem, after) = rest[begin..].split_at(end + END.len());
            let read = Certificate::from_pem(pem).map_err(|e| Error::key(format!("not a certificate: {e}")))?;
            certificates.push(read);
            rest = after;
        }
        if certificates.is_empty() {
            return Err(Error::key("no CERTIFICATE in PEM is in the file"));
        }
        Ok(Self(certificates))
    }

    /// These certificates, followed by `more`.
    #[must_use]
    pub fn followed_by(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    pub(crate) fn from_der(all: &[Vec<u8>]) -> Result<Self, Error> {
        let read = |der: &Vec<u8>| {
            Certificate::from_der(der).map_err(|e| Error::bundle(format!("a certificate cannot be read: {e}")))
        };
        all.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn to_der(&self) -> Result<Vec<Vec<u8>>, Error> {
        let write = |c: &Certificate| c.to_der().map_err(|e| Error::key(format!("not a certificate: {e}")));
        self.0.iter().map(write).collect()
    }

    /// The key of the first certificate.
    pub(crate) fn key(&self) -> Result<PublicKey, Error> {
        let spki = self.0.first().and_then(|c| c.tbs_certificate().subject_public_key_info().to_der().ok());
        let key = spki.and_then(|der| PublicKey::from_der(&der));
        key.ok_or_else(|| Error::key("the certificate's key is not on P-256, P-384 or P-521"))
    }

    /// The key of the first certificate, if a chain of the others leads from it to one of `anchors` at that time.
    pub(crate) fn signer(&self, anchors: &Self, time: SystemTime) -> Result<PublicKey, Error> {
        let time = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let Some((leaf, others)) = self.0.split_first() else {
            return Err(Error::bundle("the certificate chain is empty"));
        };
        may_sign(leaf)?;
        usable(leaf, time)?;
        let mut last = leaf;
        for depth in 0..LONGEST {
            if let Some(anchor) = anchors.0.iter().find(|anchor| vouches(anchor, last)) {
                // The signer's certificate may itself be listed as trusted.
                usable(anchor, time)?;
                may_vouch(anchor, depth)?;
                return self.key();
            }
            let issuer = others.iter().find(|other| *other != last && vouches(other, last));
            last = issuer.ok_or_else(|| {
                Error::untrusted(format!("nobody trusted vouches for \"{}\"", last.tbs_certificate().subject()))
            })?;
            usable(last, time)?;
            may_vouch(last, depth)?;
        }
        Err(Error::untrusted("the certificate chain is too long"))
    }
}

/// Checks that a certificate is valid at this time, and has no unknown critical extensions.
fn usable(certificate: &Certificate, time: Duration) -> Result<(), Error> {
    let tbs = certificate.tbs_certificate();
    let name = tbs.subject();
    if time < tbs.validity().not_before.to_unix_duration() || time > tbs.validity().not_after.to_unix_duration() {
        return Err(Error::untrusted(format!("the certificate of \"{name}\" is not valid at this time")));
    }
    let known = [BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID];
    let extensions = tbs.extensions().map(|all| &all[..]).unwrap_or_default();
    if let Some(unknown) = extensions.iter().find(|e| e.critical && !known.contains(&e.extn_id)) {
        let id = unknown.extn_id;
        return Err(Error::untrusted(format!("the certificate of \"{name}\" has an unknown critical extension, {id}")));
    }
    Ok(())
}

/// Checks that a certificate may sign. As in the reference implementation, either of the two usages is enough.
fn may_sign(leaf: &Certificate) -> Result<(), Error> {
    let tbs = leaf.tbs_certificate();
    let usage = tbs.get_extension::<KeyUsage>().map_err(|_| Error::untrusted("the key usage is malformed"))?;
    let extended =
        tbs.get_extension::<ExtendedKeyUsage>().map_err(|_| Error::untrusted("the key usage is malformed"))?;
    let signs = usage.is_some_and(|(_, usage)| usage.digital_signature());
    let signs_code = extended.is_some_and(|(_, usage)| usage.0.contains(&CODE_SIGNING));
    if !signs && !signs_code {
        return Err(Error::untrusted("the certificate is not for signatures"));
    }
    Ok(())
}

/// Checks that a certificate is an authority's, which may have `below` authorities between it and the signer.
fn may_vouch(authority: &Certificate, below: usize) -> Result<(), Error> {
    let tbs = authority.tbs_certificate();
    let name = tbs.subject();
    let refused = |why: &str| Err(Error::untrusted(format!("the certificate of \"{name}\" {why}")));
    let Ok(Some((_, constraints))) = tbs.get_extension::<BasicConstraints>() else {
        return refused("is not an authority's");
    };
    if !constraints.ca {
        return refused("is not an authority's");
    }
    if constraints.path_len_constraint.is_some_and(|most| below > usize::from(most)) {
        return refused("vouches for fewer levels");
    }
    match tbs.get_extension::<KeyUsage>() {
        Ok(None) => Ok(()),
        Ok(Some((_, usage))) if usage.0.contains(KeyUsages::KeyCertSign) => Ok(()),
        _ => refused("is not for certificates"),
    }
}

/// Is `certificate` signed with the key of `issuer`?
fn vouches(issuer: &Certificate, certificate: &Certificate) -> bool {
    if issuer.tbs_certificate().subject() != certificate.tbs_certificate().issuer() {
        return false;
    }
    let algorithm = certificate.signature_algorithm();
    let (Ok(message), Ok(spki), Some(signature)) = (
        certificate.tbs_certificate().to_der(),
        issuer.tbs_certificate().subject_public_key_info().to_der(),
        certificate.signature().as_bytes(),
    ) else {
        return false;
    };
    if certificate.tbs_certificate().signature() != algorithm {
        return false;
    }
    match &*algorithm.oid.to_string() {
        "1.2.840.10045.4.3.2" => by_curve(&spki, &Sha256::digest(&message), signature),
        "1.2.840.10045.4.3.3" => by_curve(&spki, &Sha384::digest(&message), signature),
        "1.2.840.10045.4.3.4" => by_curve(&spki, &Sha512::digest(&message), signature),
        "1.2.840.113549.1.1.11" => by_rsa::<Sha256>(&spki, &message, signature),
        "1.2.840.113549.1.1.12" => by_rsa::<Sha384>(&spki, &message, signature),
        "1.2.840.113549.1.1.13" => by_rsa::<Sha512>(&spki, &message, signature),
        _ => false,
    }
}

fn by_curve(spki: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    PublicKey::from_der(spki).is_some_and(|key| key.verify_digest(digest, signature))
}

fn by_rsa<D: Digest + DigestOid>(spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) =
        (rsa::PublicKey::from_public_key_der(spki), pkcs1v15::Signature::try_from(signature))
    else {
        return false;
    };
    let digest = D::digest(message);
    pkcs1v15::VerifyingKey::<D>::new(key).verify_prehash(&digest, &signature).is_ok()
}
