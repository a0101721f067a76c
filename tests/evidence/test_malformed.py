"""One value has one spelling: whatever is written otherwise, or is too much, is refused before anything else is asked."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.contracts.canonical import canonical
from fairlead.evidence import bundle as bundles
from fairlead.evidence import envelope, limits
from tests.evidence import world as w
from tests.evidence.forging import put

GENUINE = bundles.write(w.told(w.succeeded).bundle())


def _failed(data):
    return w.judged(data).failed


def _reseal(name, payload, payload_type=None):
    """A bundle in which a statement has just this payload, signed and in the ledger."""
    world = w.told(w.succeeded)
    kind = payload_type or "application/vnd.in-toto+json"
    world.leaves[world.names[name]] = envelope.sign(w.signer("decision"), kind, payload)
    return world.bundle()


def _payload(name):
    world = w.told(w.succeeded)
    return envelope.read_envelope(world.leaves[world.names[name]]).payload


TEXTS = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"\xff": 1}',
    "UTF-16": GENUINE.decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + GENUINE,
    "a list": b"[]",
    "a number": b"1",
    "NaN": GENUINE.replace(b'"index":1', b'"index":NaN', 1),
    "an unpaired surrogate": b'{"mediaType": "\\ud800"}',
    "two documents": GENUINE + GENUINE,
    "a key twice": GENUINE.replace(b'{"checkpoint"', b'{"promotion":"abcdefghijkl","checkpoint"', 1),
    "a key of an envelope twice": GENUINE.replace(b'{"keyid"', b'{"keyid":"00","keyid"', 1),
    "another media type": GENUINE.replace(b"bundle.v1+json", b"bundle.v2+json", 1),
    "a number too long": GENUINE.replace(b'"index":1', b'"index":1' + b"0" * 5000, 1),
}


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_what_is_no_strict_json_bundle_is_refused(data):
    assert data != GENUINE
    assert _failed(data) == ("format",)


FIELDS = ("mediaType", "promotion", "envelopes", "checkpoint")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [None, 7, {}])
def test_a_bundle_has_its_fields_in_their_types(field, value):
    document = json.loads(GENUINE)
    assert _failed({**document, field: value}) == ("format",)
    del document[field]
    assert _failed(document) == ("format",)


@pytest.mark.parametrize("index", [-1, 1.5, "1", True, None])
def test_an_index_is_a_count(index):
    document = json.loads(GENUINE)
    document["envelopes"][0]["index"] = index
    assert _failed(document) == ("format",)


def test_too_many_bytes_are_not_even_parsed(monkeypatch):
    monkeypatch.setattr("fairlead.evidence.bundle.MAX_BUNDLE_BYTES", len(GENUINE) - 1)
    assert _failed(GENUINE) == ("limits",)


def test_too_many_envelopes_are_refused():
    item = json.loads(GENUINE)["envelopes"][0]
    assert _failed({**json.loads(GENUINE), "envelopes": [item] * (limits.MAX_ENVELOPES + 1)}) == ("limits",)


@pytest.mark.parametrize("depth", [limits.MAX_DEPTH + 1, 100_000])
def test_what_is_nested_too_deep_is_refused(depth):
    assert _failed(b"[" * depth + b"]" * depth) == ("limits",)


def test_a_payload_that_is_nested_too_deep_is_refused():
    deep = b'{"a":' * 100 + b"1" + b"}" * 100
    assert _failed(_reseal("decision", deep)) == ("limits",)


def test_too_many_votes_are_refused(monkeypatch):
    monkeypatch.setattr("fairlead.evidence.reading.MAX_VOTES", 4)
    assert _failed(GENUINE) == ("limits",)


def _base64_variants():
    text = base64.b64encode(_payload("release")).decode()
    return {
        "without padding": text.rstrip("=") if text.endswith("=") else text + "=",
        "with a line break": text[:8] + "\n" + text[8:],
        "with a blank at the end": text + " ",
        "not base64": "*" + text[1:],
        "a number": 5,
    }


@pytest.mark.parametrize("text", _base64_variants().values(), ids=_base64_variants())
def test_base64_of_a_payload_is_canonical(text):
    document = json.loads(GENUINE)
    document["envelopes"][0]["envelope"]["payload"] = text
    assert _failed(document) == ("payload",)


def test_bits_that_base64_does_not_use_are_zero():
    document = json.loads(GENUINE)
    signature = document["envelopes"][0]["envelope"]["signatures"][0]
    assert signature["sig"].endswith("==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(signature["sig"][-3]) + 1]
    other = signature["sig"][:-3] + last + "=="
    assert base64.b64decode(other) == base64.b64decode(signature["sig"])
    signature["sig"] = other
    assert _failed(document) == ("payload",)


def test_url_safe_base64_is_refused_though_the_library_takes_it():
    with pytest.raises(limits.BadInput):
        limits.decode_base64(base64.urlsafe_b64encode(b"\xff\xef\xbe").decode())


@pytest.mark.parametrize("text", ["AAAA", "A", "", "not base64 at all"])
def test_a_proof_is_made_of_hashes(text):
    document = json.loads(GENUINE)
    document["envelopes"][0]["proof"][0] = text
    assert _failed(document) == ("format",)


ENVELOPES = {
    "no signature": put("signatures", []),
    "two signatures": lambda e: e["signatures"].append(e["signatures"][0]),
    "a field that nobody signed": put("note", "hello"),
    "a signature field that nobody signed": put("signatures", 0, "cert", "x"),
    "a signature without its key": lambda e: e["signatures"][0].pop("keyid"),
    "a payload type that is no text": put("payloadType", 1),
    "another payload type": put("payloadType", "text/plain"),
}


@pytest.mark.parametrize("change", ENVELOPES.values(), ids=ENVELOPES)
def test_an_envelope_has_one_shape(change):
    world = w.told(w.succeeded)
    change(world.leaves[world.names["decision"]])
    assert _failed(world.bundle()) == ("payload",)


def test_an_unknown_payload_type_is_refused_even_if_signed_so():
    vote_type = "application/vnd.fairlead.vote.v1+json"
    assert _failed(_reseal("decision", _payload("decision"), vote_type)) == ("payload",)


def _spellings():
    payload = _payload("decision")
    document = json.loads(payload)
    return {
        "indented": json.dumps(document, indent=1, sort_keys=True).encode(),
        "in another order": json.dumps(document, separators=(",", ":")).encode()[::1].replace(b"{", b"{ ", 1),
        "with a key twice": payload.replace(b'{"_type"', b'{"_type":"x","_type"', 1),
        "with an escape too many": payload.replace(b"prod", b"\\u0070rod", 1),
        "with a number written long": payload.replace(b'"count":2', b'"count":2.0', 1),
        "not JSON": payload[:-1],
        "with a newline at the end": payload + b"\n",
    }


@pytest.mark.parametrize("payload", _spellings().values(), ids=_spellings())
def test_a_payload_has_one_spelling(payload):
    assert payload != _payload("decision")
    assert _failed(_reseal("decision", payload)) == ("payload",)


STATEMENTS = {
    "another statement type": put("_type", "https://in-toto.io/Statement/v0.1"),
    "a predicate type of nobody": put("predicateType", "urn:fairlead:decision:v2"),
    "no subject": put("subject", []),
    "no predicate": lambda d: d.pop("predicate"),
    "a field missing": lambda d: d["predicate"].pop("requester"),
    "a result of no kind": put("predicate", "result", "maybe"),
    "a time without a zone": put("predicate", "time", "2025-03-01T12:00:00"),
    "a time that is a number": put("predicate", "time", 0),
    "a digest that is none": put("predicate", "release", "sha256:00"),
    "a plan that is none": put("predicate", "planDocument", {"targets": "all"}),
    "a count that is text": put("predicate", "approval", "count", "2"),
}


@pytest.mark.parametrize("change", STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_says_all_that_its_kind_demands(change):
    assert _failed(w.told(w.succeeded, tamper={"decision": change}).bundle()) == ("statement",)


def test_what_a_later_version_adds_to_a_predicate_is_no_harm():
    assert w.judged(w.told(w.succeeded, tamper={"decision": put("predicate", "more", 1)}).bundle()).verified


CHECKPOINTS = {
    "empty": "",
    "no signatures": "fairlead/shop\n1\n" + "A" * 43 + "=\n",
    "a size with a zero in front": "fairlead/shop\n01\n{root}\n\n{line}\n",
    "a size that is none": "fairlead/shop\n-1\n{root}\n\n{line}\n",
    "a root that is none": "fairlead/shop\n1\nAAAA\n\n{line}\n",
    "no origin": "\n1\n{root}\n\n{line}\n",
    "a line that is no signature": "fairlead/shop\n1\n{root}\n\nhello\n",
    "an end without newline": "fairlead/shop\n1\n{root}\n\n{line}",
    "too many signatures": "fairlead/shop\n1\n{root}\n\n" + "{line}\n" * (limits.MAX_NOTE_SIGNATURES + 1),
}


@pytest.mark.parametrize("note", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_checkpoint_that_cannot_be_read_is_refused(note):
    lines = w.told(w.succeeded).checkpoint().splitlines()
    filled = note.replace("{root}", lines[2]).replace("{line}", lines[-1])
    assert _failed({**json.loads(GENUINE), "checkpoint": filled}) == ("format",)


def test_a_checkpoint_that_is_too_large_is_refused():
    note = "x" * (limits.MAX_NOTE_BYTES + 1)
    assert _failed({**json.loads(GENUINE), "checkpoint": note}) == ("limits",)


places = st.integers(0, len(GENUINE) - 1)


@settings(max_examples=400, deadline=None)
@given(places, st.integers(0, 7))
def test_no_bit_of_a_bundle_can_be_changed(at, bit):
    forged = bytearray(GENUINE)
    forged[at] ^= 1 << bit
    report = w.judged(bytes(forged))
    assert report.failed
    assert not report.verified


@settings(max_examples=150, deadline=None)
@given(places)
def test_no_byte_of_a_bundle_can_be_left_out(at):
    assert not w.judged(GENUINE[:at] + GENUINE[at + 1 :]).verified


@settings(deadline=None)
@given(places, st.sampled_from(b'{}[],:" 09azAZ/+=\\'))
def test_no_byte_can_be_put_into_a_bundle(at, byte):
    # between values any JSON may have blanks; they are not part of what is said
    forged = GENUINE[:at] + bytes([byte]) + GENUINE[at:]
    if byte != ord(" ") or json.loads(GENUINE) != _loaded(forged):
        assert not w.judged(forged).verified


def _loaded(data):
    try:
        return json.loads(data)
    except ValueError:
        return None


def test_the_bundle_that_is_changed_here_is_genuine():
    assert w.judged(GENUINE).verified
    assert canonical(json.loads(GENUINE)) == GENUINE
