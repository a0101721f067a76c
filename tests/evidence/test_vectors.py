"""What others publish: RFC 8032 keys, DSSE's encoding, the RFC 6962 trees of the classic leaves, C2SP key hashes, RFC 8785 forms."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope

from fairlead.adapters.signer import FileSigner
from fairlead.contracts.canonical import canonical
from fairlead.evidence.checkpoint import key_hash
from fairlead.evidence.envelope import pre_authentication_encoding
from fairlead.evidence.keys import key_id, load_public_key, raw_bytes, verifies
from fairlead.evidence.ledger import EMPTY_ROOT, Tree, leaf_hash

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_of_the_classic_leaves(size):
    tree = Tree([leaf_hash(leaf) for leaf in LEAVES[:size]])
    assert tree.root().hex() == ROOTS[size - 1]
    assert Tree([leaf_hash(leaf) for leaf in LEAVES]).root(size) == tree.root()


def test_the_root_of_an_empty_tree():
    assert Tree([]).root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_classic_inclusion_and_consistency_proofs():
    tree = Tree([leaf_hash(leaf) for leaf in LEAVES])
    upper = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
    beside = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
    proof = [node.hex() for node in tree.inclusion(0)]
    assert (len(proof), proof[0], proof[2]) == (3, beside, upper)
    assert [node.hex() for node in tree.consistency(4)] == [upper]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_ed25519(secret, public, message, signature):
    signer = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
    key = load_public_key(signer.public_pem)
    assert raw_bytes(key).hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    assert verifies(key, bytes.fromhex(signature), bytes.fromhex(message))


def test_a_keyid_is_the_hash_of_the_keys_der():
    key = load_public_key(FileSigner(Ed25519PrivateKey.from_private_bytes(b"k" * 32)).public_pem)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert der[:12].hex() == "302a300506032b6570032100"
    assert key_id(key) == hashlib.sha256(der).hexdigest()


def test_the_encoding_that_dsse_signs():
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@settings(max_examples=50)
@given(st.text(max_size=20), st.binary(max_size=50))
def test_it_is_what_another_implementation_signs(payload_type, payload):
    assert pre_authentication_encoding(payload_type, payload) == Envelope(payload, payload_type, {}).pae()


def test_lengths_in_the_encoding_count_bytes():
    assert pre_authentication_encoding("é", "é".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xa9"


def test_the_key_hash_of_a_published_note_key():
    name, expected, key = "PeterNeumann", "c74f20a3", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    decoded = base64.b64decode(key)
    assert decoded[0] == 1
    assert key_hash(name, decoded[1:]).hex() == expected


RFC_8785 = (
    (
        {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27]},
        b'{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    ),
    ({"literals": [None, True, False]}, b'{"literals":[null,true,false]}'),
    ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}, None),
)


@pytest.mark.parametrize(("value", "expected"), RFC_8785)
def test_canonical_json(value, expected):
    written = canonical(value)
    if expected is None:  # the sorting example of section 3.2.3
        order = ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]
        places = [written.index(canonical(name)) for name in order]
        assert places == sorted(places)
    else:
        assert written == expected
