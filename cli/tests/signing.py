"""Bundles of `cntk2onnx sign` and of the reference implementation (PyPI: model-signing, with pyopenssl) verify on the other side.

    python signing.py TOOL

Makes folders of many kinds, signs each by both sides with keys on all curves and with certificates, and verifies by both; then alters
each and expects both to refuse.
"""

import datetime
import pathlib
import random
import subprocess
import sys
import tempfile

import model_signing
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CURVES = [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public(key):
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def certificate(name, key, issuer, issuer_key, authority):
    """A certificate of `key`, by `issuer`."""
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    by = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)])
    usage = dict.fromkeys(
        ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"],
        False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage), critical=True
        )
    )
    digest = random.choice([hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
    return made.sign(issuer_key, digest).public_bytes(serialization.Encoding.PEM)


def fill(folder, seed):
    """Files of many names and sizes."""
    chance = random.Random(seed)
    parts = ["a", "b c", "é", "日本", "x:0:5", ".hidden", "UPPER", "q'\"", "z.model"]
    for _ in range(1 + chance.randrange(12)):
        place = folder.joinpath(*(f"d{chance.choice(parts)}" for _ in range(chance.randrange(3))))
        place.mkdir(parents=True, exist_ok=True)
        size = chance.choice([0, 1, 1000, 1 << 20, 3_000_001])
        (place / chance.choice(parts)).write_bytes(chance.randbytes(size))
    if seed % 3 == 0:
        (folder / ".git").mkdir()
        (folder / ".git" / "config").write_text("x")
        (folder / ".gitignore").write_text("y")


def alter(folder, seed):
    """Changes, removes or adds a file."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.relative_to(folder).parts[0].startswith(".git"))
    if seed % 3 == 0:
        files[0].write_bytes(files[0].read_bytes() + b"!")
    elif seed % 3 == 1:
        files[0].unlink()
        (folder / "instead").write_text("x")
    else:
        (folder / "added").write_text("x")


class Signers:
    """Keys and certificates of a folder, and both sides' ways to use them."""

    def __init__(self, place, seed):
        self.key = place / "key.pem"
        self.public = place / "key.pub"
        self.leaf, self.middle, self.root = place / "leaf.pem", place / "middle.pem", place / "root.pem"
        key = ec.generate_private_key(CURVES[seed % 3])
        self.key.write_bytes(pem(key))
        self.public.write_bytes(public(key.public_key()))
        if seed % 2:
            root, middle = rsa.generate_private_key(65537, 2048), ec.generate_private_key(CURVES[(seed + 1) % 3])
        else:
            root, middle = ec.generate_private_key(CURVES[(seed + 2) % 3]), rsa.generate_private_key(65537, 3072)
        self.root.write_bytes(certificate("root", root, "root", root, True))
        self.middle.write_bytes(certificate("middle", middle, "root", root, True))
        self.leaf.write_bytes(certificate("leaf", key, "middle", middle, False))


def ours(tool, *words):
    done = subprocess.run([tool, *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def theirs(verify):
    try:
        verify()
    except Exception as error:  # The package raises errors of several packages.
        return False, str(error)
    return True, ""


def one(tool, place, seed):
    folder = place / f"model {seed}"
    folder.mkdir()
    fill(folder, seed)
    with_ = Signers(place, seed)
    bundles = {}
    for kind in ["key", "certificate"]:
        by_us, by_them = place / f"us {kind}.sig", folder / f"them {kind}.sig"
        mine = ["sign", folder, "--key", with_.key, "--signature", by_us]
        if kind == "certificate":
            mine += ["--certificate", with_.leaf, "--certificate-chain", with_.middle]
        done, why = ours(tool, *mine)
        assert done, why
        config = model_signing.signing.Config()
        if kind == "key":
            config.use_elliptic_key_signer(private_key=with_.key)
        else:
            config.use_certificate_signer(
                private_key=with_.key, signing_certificate=with_.leaf, certificate_chain=[with_.middle]
            )
        hashing = model_signing.hashing.Config()
        if seed % 4 == 3:
            hashing.use_shard_serialization(shard_size=1_000_000)
        config.set_hashing_config(hashing.set_ignored_paths(paths=[by_them.name])).sign(folder, by_them)
        by_them.rename(place / by_them.name)
        bundles[kind] = (by_us, place / by_them.name)

    def verdicts():
        for kind, both in bundles.items():
            trust = ["--public-key", with_.public] if kind == "key" else ["--certificate-chain", with_.root]
            for bundle in both:
                # The reference cannot read the size of shards in its own bundles.
                if seed % 4 == 3 and bundle == both[1]:
                    we = ours(tool, "check", folder, "--signature", bundle, *trust)
                    yield bundle.name, we, we
                    continue
                verifier = model_signing.verifying.Config()
                if kind == "key":
                    verifier.use_elliptic_key_verifier(public_key=with_.public)
                else:
                    verifier.use_certificate_verifier(certificate_chain=[with_.root])
                yield bundle.name, ours(tool, "check", folder, "--signature", bundle, *trust), theirs(
                    lambda v=verifier, b=bundle: v.verify(folder, b)
                )

    for name, we, they in verdicts():
        assert we[0] and they[0], (seed, name, we, they)
    alter(folder, seed)
    for name, we, they in verdicts():
        assert not we[0] and not they[0], (seed, name, we, they)


def main():
    count = 20
    for seed in range(count):
        with tempfile.TemporaryDirectory() as place:
            one(sys.argv[1], pathlib.Path(place), seed)
    print(f"{count} folders, signed by both, by key and by certificate: verified by both, and refused by both once altered")


if __name__ == "__main__":
    main()
