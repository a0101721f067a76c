"""Whoever holds every key may write what they like: the verifier answers, it never breaks."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.evidence import bundle as bundles
from tests.evidence import world as w
from tests.evidence.forging import names_of

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**15,
    "",
    "x",
    "sha256:" + "0" * 64,
    [],
    [[]],
    {},
    {"": None},
    "2025-03-01T12:00:00Z",
]


def _places(value, path=()):
    """Every path into a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield (*path, key)
        yield from _places(child, (*path, key))


def _replace(document, path, value):
    *steps, last = path
    for step in steps:
        document = document[step]
    document[last] = value


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(names_of(w.rolled_back)), st.sampled_from(VALUES))
def test_no_statement_breaks_the_verifier(data, name, value):
    def change(document):
        _replace(document, data.draw(st.sampled_from(list(_places(document)))), value)

    report = w.judged(w.told(w.rolled_back, tamper={name: change}).bundle())
    assert report.verified or report.failed


GENUINE = bundles.write(w.told(w.rolled_back).bundle(since=4))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(_places(json.loads(GENUINE)))), st.sampled_from(VALUES))
def test_no_bundle_breaks_the_verifier(path, value):
    document = json.loads(GENUINE)
    _replace(document, path, value)
    # a proof of continuation is an extra: without it there is less to verify, not something wrong
    assert not w.judged(document).verified or path == ("consistency",)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_verifier(data):
    assert not w.judged(data).verified
