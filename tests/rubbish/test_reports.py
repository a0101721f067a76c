"""Reports of every version, cut, changed, about other images and about none: kept when they are what they should be, else refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.commands.reports import import_report
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.domain.findings import read_trivy
from tests.activities.shop import NOW
from tests.domain.test_findings import A, B, openvex, statement, trivy


class Kept(Exception):
    """The report was good enough to be kept."""


class NoDatabase:
    """Where a report would be kept."""

    def session(self) -> Any:
        raise Kept


def refusal(content: bytes | Any, about: str = A) -> Code | None:
    """What a report is refused with, None where it would be kept."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        import_report(NoDatabase(), "shop", about, data, actor="ana", now=NOW)  # type: ignore[arg-type]
    except BadInput as error:
        return error.code
    except Kept:
        return None
    raise AssertionError("neither kept nor refused")


FOUND = [{"VulnerabilityID": "CVE-1", "PkgName": "ssl", "InstalledVersion": "1", "Severity": "HIGH"}]
RESULTS = [{"Target": "web (debian 12)", "Vulnerabilities": FOUND}]
TAR = {"ImageID": "sha256:" + "c" * 64, "DiffIDs": ["sha256:" + "d" * 64]}
GOOD = trivy(("CVE-1", "ssl", "HIGH"))

REPORTS: dict[str, tuple[Any, Code | None]] = {
    "version 2": (GOOD, None),
    "version 2, an index and a platform": (
        {**GOOD, "Metadata": {"RepoDigests": [f"x/web@{B}", f"x/web@{A}"]}},
        None,
    ),
    "version 1, a plain list": (RESULTS, Code.REPORT_INVALID),
    "version 1, as an object": ({**GOOD, "SchemaVersion": 1}, Code.REPORT_INVALID),
    "a version to come": ({**GOOD, "SchemaVersion": 3}, Code.REPORT_INVALID),
    "a version in text": ({**GOOD, "SchemaVersion": "2"}, Code.REPORT_INVALID),
    "of a tar": ({**GOOD, "Metadata": TAR}, Code.REPORT_UNBOUND),
    "of a tar, named like the digest": ({**GOOD, "ArtifactName": A, "Metadata": TAR}, Code.REPORT_UNBOUND),
    "of a tar whose configuration has that digest": ({**GOOD, "Metadata": {"ImageID": A}}, Code.REPORT_UNBOUND),
    "with an empty list of digests": ({**GOOD, "Metadata": {**TAR, "RepoDigests": []}}, Code.REPORT_UNBOUND),
    "without metadata": ({"SchemaVersion": 2, "ArtifactName": "web", "Results": RESULTS}, Code.REPORT_UNBOUND),
    "of another image": (trivy(about=B), Code.DIGEST_MISMATCH),
    "of a longer digest that begins alike": (trivy(about=A + "a"), Code.REPORT_UNBOUND),
    "of a digest in capitals": (trivy(about=A.upper()), Code.REPORT_UNBOUND),
    "OpenVEX 0.0.1": ({**openvex(statement(f"pkg:oci/web@{A}")), "@context": "https://openvex.dev/ns"}, None),
    "OpenVEX 0.2.0": (openvex(statement({"@id": f"pkg:oci/web@{A}"})), None),
    "OpenVEX of another image": (openvex(statement({"@id": f"pkg:oci/web@{B}"})), Code.DIGEST_MISMATCH),
    "OpenVEX of no image": (openvex(statement({"@id": "pkg:oci/web"})), Code.DIGEST_MISMATCH),
    "OpenVEX of a longer digest": (openvex(statement({"@id": f"pkg:oci/web@{A}a"})), Code.DIGEST_MISMATCH),
    "OpenVEX of nothing": (openvex(), Code.DIGEST_MISMATCH),
    "CycloneDX": ({"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": []}, Code.REPORT_INVALID),
}


@pytest.mark.parametrize(("report", "code"), REPORTS.values(), ids=REPORTS)
def test_a_report_is_kept_only_when_it_is_about_this_manifest(report: Any, code: Code | None) -> None:
    assert refusal(report) == code


@pytest.mark.parametrize("report", [GOOD, openvex(statement(f"pkg:oci/web@{A}"))], ids=["trivy", "openvex"])
def test_a_report_cut_at_any_byte_is_refused(report: Any) -> None:
    whole = json.dumps(report).encode()
    assert refusal(whole) is None
    assert {refusal(whole[:length]) for length in range(len(whole))} == {Code.DOCUMENT_MALFORMED}
    assert refusal(whole + b"{") == Code.DOCUMENT_MALFORMED


@settings(max_examples=200)
@given(st.data(), st.sampled_from([GOOD, openvex(statement(f"pkg:oci/web@{A}"))]))
def test_a_report_with_bytes_changed_is_kept_or_refused(data: st.DataObject, report: Any) -> None:
    changed = bytearray(json.dumps(report).encode())
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(changed) - 1), st.integers(0, 255)), max_size=4)
    ):
        changed[place] = byte
    refusal(bytes(changed))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=4) | st.just(A),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted({*GOOD, *FOUND[0], *TAR})), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from([*GOOD, *openvex()]), JSON)
def test_no_value_anywhere_breaks_the_reader(field: str, value: Any) -> None:
    refusal({**GOOD, field: value})
    refusal({**openvex(statement(f"pkg:oci/web@{A}")), field: value})


def test_the_same_finding_many_times_counts_once() -> None:
    report = {**GOOD, "Results": RESULTS * 1000}
    assert refusal(report) is None
    assert len(read_trivy(report, A)) == 1
