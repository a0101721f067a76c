"""Documents that are small to send and large to hold: every reader refuses them in a child that may have little memory."""

import pytest

from tests.rubbish.bounded import bounded

DOCUMENTS = """
from api.bodies import read_json as body
from fairlead.commands.documents import read_document as catalogue
from fairlead.domain.errors import BadInput
from fairlead.evidence.bundle import read_bundle as bundle
from fairlead.evidence.limits import read_json
from fairlead.evidence.trust import read_trust as trust

def report(data):
    return read_json(data, max_bytes=64 * 2**20)

data = {bomb}
"""
READ = """
for read, limit in ((report, None), (bundle, None), (trust, None), (catalogue, None), (body, 2**20)):
    try:
        print("taken", type(read(data[:limit])))
    except BadInput as error:
        print(error.code)
"""
REFUSALS = {"document_too_large", "document_too_deep", "document_malformed"}

BOMBS = {
    "empty lists": 'b"[" + b"[]," * (10 * 2**20) + b"[]]"',
    "empty objects": 'b"[" + b"{}," * (10 * 2**20) + b"{}]"',
    "small objects": """b"[" + b'{"a":1},' * (4 * 2**20) + b"1]" """,
    "a deep list": 'b"[" * (30 * 2**20)',
    "a long text": """b'"' + b"x" * (70 * 2**20) + b'"' """,
    "a long number": 'b"9" * (30 * 2**20)',
    "one anchor many times": 'b"a: &a [x]\\nb: [" + b"*a," * (10 * 2**20) + b"*a]"',
}

CATALOGUE = """
from fairlead.cli.catalogue import _tree

laughs = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
laughs += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 10)]
data = "\\n".join([*laughs, "project: *a9"]).encode()
"""


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_in_little_memory(bomb: str) -> None:
    said = bounded(DOCUMENTS.replace("{bomb}", bomb), READ, mebibytes=192).splitlines()
    assert (len(said), set(said) - REFUSALS) == (5, set())


def test_a_catalogue_that_laughs_a_billion_times_is_not_expanded_before_it_is_sent() -> None:
    assert bounded(CATALOGUE, 'print([str(_tree(data).get("project", ""))])', mebibytes=64) == "['']"
