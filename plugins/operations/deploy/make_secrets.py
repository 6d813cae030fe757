"""Generate the secrets of the containers once: `python -m plugins.operations.deploy.make_secrets FOLDER`.

Passwords, the addresses that hold them, and the certificates with which Dask's scheduler, workers and clients know each
other. What is there stays; remove a file to have it made anew, with what follows from it. Each container is handed its
own files alone. Every user inside of it can read them, so the folder itself is closed to others.
"""

import datetime as dt
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID
except ModuleNotFoundError:  # of a Python outside of the virtual environment
    sys.exit("expected the package cryptography, found none; nothing was written: `make install`, use .venv/bin/python")

_BYTES = 24  # of a password
_DAYS = 825  # for which certificates hold
S3_USERS: Mapping[str, list[str]] = {
    "admin": ["Admin"],  # makes the bucket, and restores a backup
    "lake": ["Read:shelfprice/lake/*", "Write:shelfprice/lake/*", "List:shelfprice"],
    "api": ["Read:shelfprice/lake/*", "List:shelfprice"],
    "mlflow": ["Read:shelfprice/mlflow/*", "Write:shelfprice/mlflow/*", "List:shelfprice"],
    "backup": ["Read:shelfprice", "List:shelfprice"],
}
"""Who may do what in the object store; `lake` are those who sell, learn and take in."""
_NAMES = ("scheduler", "dask-scheduler", "localhost")  # with containers, in Kubernetes, and to try it out


def passwords(kept: dict[str, str]) -> dict[str, str]:
    """Return the text of each file that holds a password; those that are known stay."""

    def chosen(name: str) -> str:
        return kept.get(name) or secrets.token_hex(_BYTES)

    roles = {role: chosen(f"{role}-password") for role in ("database", "locks", "prefect", "mlflow")}
    keys = {name: chosen(name) for user in S3_USERS for name in _files_of(user)}
    login = kept.get("auth-string") or f"shelfprice:{secrets.token_hex(_BYTES)}"
    return {
        **{f"{role}-password": password for role, password in roles.items()},
        "database-url": f"postgresql://locks:{roles['locks']}@postgres:5432/shelfprice",
        "prefect-database-url": f"postgresql+asyncpg://prefect:{roles['prefect']}@postgres:5432/prefect",
        "mlflow-database-url": f"postgresql+psycopg://mlflow:{roles['mlflow']}@postgres:5432/mlflow",
        **keys,
        "s3-users.json": json.dumps({"identities": [_identity(user, keys) for user in S3_USERS]}),
        "auth-string": login,
        "login-user": login.partition(":")[0],
        "login-password": login.partition(":")[2],
        "monitor-password": chosen("monitor-password"),
    }


def certificates(now: dt.datetime) -> dict[str, str]:
    """Return a certificate authority, and the one certificate that it signs for all who take part in the cluster."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _name("Shelfprice's Dask cluster")
    authority_certificate = (
        _unsigned(authority, authority, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _unsigned(_name("scheduler"), authority, key.public_key(), now)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in _NAMES]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return {
        "dask-ca.pem": _pem(authority_certificate),
        "dask-cert.pem": _pem(certificate),
        "dask-key.pem": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    }  # the authority's own key is thrown away: nobody signs another certificate


def make_secrets(folder: Path, now: dt.datetime) -> list[str]:
    """Write what is missing and what follows from it, and return the names of what was written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    kept = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.is_file()}
    made = certificates(now)
    files = passwords(kept) | ({} if made.keys() <= kept.keys() else made)  # certificates belong together
    written = []
    for name, text in files.items():
        if kept.get(name) != text:
            (folder / name).unlink(missing_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            (folder / name).chmod(0o444)  # each container runs as another user
            written.append(name)
    return written


def _files_of(user: str) -> tuple[str, str]:
    """Return the names of the files with a user's key and secret."""
    part = "" if user == "lake" else f"{user}-"
    return f"s3-{part}key", f"s3-{part}secret"


def _identity(user: str, keys: Mapping[str, str]) -> dict[str, object]:
    key, secret = (keys[name] for name in _files_of(user))
    return {"name": user, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": S3_USERS[user]}


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def main() -> None:
    """Generate what is missing in the folder that was named."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the folder
        sys.exit("usage: python -m plugins.operations.deploy.make_secrets FOLDER")
    written = make_secrets(Path(sys.argv[1]), dt.datetime.now(dt.UTC))
    sys.stdout.write(f"wrote {', '.join(written) or 'nothing, all of it is there'}\n")


if __name__ == "__main__":
    main()
