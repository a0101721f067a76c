"""Signing keys in files: made once, private, and never a key of another kind."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from fairlead.adapters.signer import FileSigner
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence.keys import load_public_key, verifies


def test_a_key_is_made_once_and_kept(tmp_path):
    first = FileSigner.load_or_create(tmp_path / "keys" / "decision.pem")
    again = FileSigner.load_or_create(tmp_path / "keys" / "decision.pem")
    assert (first.keyid, first.public_pem) == (again.keyid, again.public_pem)
    assert verifies(load_public_key(again.public_pem), first.sign(b"data"), b"data")


def test_a_key_file_is_its_owners_alone(tmp_path):
    path = tmp_path / "decision.pem"
    old = os.umask(0)
    try:
        FileSigner.load_or_create(path)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["decision.pem"]


def test_of_many_that_make_a_key_at_once_all_get_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: FileSigner.load_or_create(tmp_path / "key.pem").keyid, range(32)))
    assert len(set(found)) == 1


def _refused(path):
    with pytest.raises(BadInput) as caught:
        FileSigner.load(path)
    assert caught.value.code == Code.KEY_UNREADABLE


def test_a_key_that_others_may_read_is_not_used(tmp_path):
    FileSigner.load_or_create(tmp_path / "key.pem")
    (tmp_path / "key.pem").chmod(0o640)
    _refused(tmp_path / "key.pem")


def test_what_is_no_such_key_is_not_used(tmp_path):
    elliptic, ours = generate_private_key(SECP256R1()), FileSigner.load_or_create(tmp_path / "ours.pem")
    locked = ours._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    other = elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data in {"empty": b"", "words": b"hello", "locked": locked, "other": other}.items():
        path = tmp_path / name
        path.touch(mode=0o600)
        path.write_bytes(data)
        _refused(path)
    _refused(tmp_path / "not there")
    _refused(tmp_path)
