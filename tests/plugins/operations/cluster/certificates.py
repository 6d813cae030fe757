"""Certificates for a cluster under test: an authority of its own, and one certificate that it signed."""

import subprocess
from pathlib import Path


def certificates_in(folder: Path) -> dict[str, str]:
    """Make them with OpenSSL in a new folder, and return the settings that name them."""
    folder.mkdir(parents=True)
    ca, ca_key, cert, key, request = (str(folder / name) for name in ("ca.pem", "ca.key", "cert.pem", "key.pem", "csr"))
    new = ("-newkey", "rsa:2048", "-nodes")
    for words in (
        ("req", "-x509", *new, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", "/CN=authority"),
        ("req", *new, "-keyout", key, "-out", request, "-subj", "/CN=cluster"),
        ("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", cert, "-days", "2"),
    ):
        subprocess.run(("openssl", *words), check=True, capture_output=True)
    return {"SHELFPRICE_DASK_CA": ca, "SHELFPRICE_DASK_CERT": cert, "SHELFPRICE_DASK_KEY": key}
