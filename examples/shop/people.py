"""Prints the process catalogue with the public keys of those who made one: homes are the folders ben/ and cho/ in FOLDER.

python examples/shop/people.py FOLDER > fairlead.yaml
"""

import sys
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


def public_key(home: Path) -> str:
    """The public half of the signing key in somebody's home."""
    key = load_pem_private_key((home / "signing_key.pem").read_bytes(), None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


if __name__ == "__main__":
    catalogue = yaml.safe_load(Path(__file__).with_name("fairlead.process.yaml").read_text())
    for name in ("ben", "cho"):
        catalogue["people"][name]["keys"] = [public_key(Path(sys.argv[1]) / name)]
    yaml.safe_dump(catalogue, sys.stdout, sort_keys=False)
