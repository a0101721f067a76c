"""Reading scan reports, and what puts a finding out of reach."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.findings import (
    OPENVEX,
    TRIVY,
    UNREACHABLE,
    Finding,
    ReportError,
    Severity,
    VexStatement,
    at_least,
    excused,
    kind_of,
    named_digests,
    read_openvex,
    read_trivy,
)

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
PURL = "pkg:deb/debian/openssl@3.0.1"


def trivy(*found: tuple[str, str, str], about: str | None = A) -> dict[str, Any]:
    entries = [
        {"VulnerabilityID": cve, "PkgName": package, "InstalledVersion": "1", "Severity": severity}
        for cve, package, severity in found
    ]
    metadata = {"RepoDigests": [f"localhost:5000/web@{about}"]} if about else {}
    return {"SchemaVersion": 2, "ArtifactName": "web", "Metadata": metadata, "Results": [{"Vulnerabilities": entries}]}


def openvex(*statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": list(statements),
    }


def statement(product: Any, **more: Any) -> dict[str, Any]:
    return {
        "vulnerability": {"name": "CVE-1"},
        "products": [product],
        "status": "not_affected",
        "justification": UNREACHABLE,
        **more,
    }


def test_findings_are_read_once_each() -> None:
    report = trivy(("CVE-1", "ssl", "CRITICAL"), ("CVE-1", "ssl", "CRITICAL"), ("CVE-1", "tls", "HIGH"))
    found = read_trivy(report, A)
    assert [(f.cve, f.package, f.severity) for f in found] == [("CVE-1", "ssl", "critical"), ("CVE-1", "tls", "high")]


def test_a_report_about_another_image_is_refused() -> None:
    with pytest.raises(ReportError, match="not about"):
        read_trivy(trivy(about=B), A)


def test_a_report_that_names_no_image_may_be_about_any_and_is_refused() -> None:
    assert named_digests(trivy(about=None)) == frozenset()
    with pytest.raises(ReportError, match="names no"):
        read_trivy(trivy(("CVE-1", "ssl", "LOW"), about=None), A)


@pytest.mark.parametrize(
    "broken",
    [
        {"Results": "none"},
        {"Results": [7]},
        {"Results": [{"Vulnerabilities": {}}]},
        {"Results": [{"Vulnerabilities": [{"Severity": "HIGH"}]}]},
        {"Results": [{"Vulnerabilities": [{"VulnerabilityID": "CVE-1", "Severity": "AWFUL"}]}]},
        {"Metadata": []},
        {"Metadata": {"RepoDigests": "x"}},
        {"SchemaVersion": 1},
    ],
)
def test_a_broken_report_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ReportError):
        read_trivy({**trivy(), **broken}, A)


@pytest.mark.parametrize(
    ("document", "kind"),
    [(trivy(), TRIVY), (openvex(), OPENVEX), ({}, None), ([], None), ({"SchemaVersion": 1, "ArtifactName": "x"}, None)],
)
def test_the_kind_of_a_report_is_told_by_its_content(document: Any, kind: str | None) -> None:
    assert kind_of(document) == kind


@pytest.mark.parametrize(
    "product",
    [
        f"pkg:oci/web@{A}",
        {"@id": f"pkg:oci/web@{A.replace(':', '%3A')}?repository_url=localhost:5000/shop"},
        {"@id": "web", "identifiers": {"purl": f"pkg:oci/web@{A}"}},
        {"@id": "web", "hashes": {"sha-256": "a" * 64}},
    ],
)
def test_a_statement_is_bound_to_the_image_its_product_names(product: Any) -> None:
    assert len(read_openvex(openvex(statement(product)), A)) == 1
    assert read_openvex(openvex(statement(product)), B) == ()


def test_a_statement_that_names_no_digest_is_bound_to_nothing() -> None:
    assert read_openvex(openvex(statement({"@id": "pkg:oci/web"})), A) == ()


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"statements": {}},
        {"statements": ["x"]},
        {"statements": [{**statement(A), "products": A}]},
        {"statements": [{**statement(A), "vulnerability": {}}]},
        {"statements": [{**statement(A), "timestamp": "yesterday"}]},
        {"statements": [{**statement(A), "products": [{"@id": A, "subcomponents": "x"}]}]},
    ],
)
def test_a_broken_statement_is_refused(broken: dict[str, Any]) -> None:
    document = {"@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-01-01T00:00:00Z", **broken}
    with pytest.raises(ReportError):
        read_openvex(document, A)


FINDING = Finding("CVE-1", "openssl", "3.0.1", "critical", PURL + "?arch=amd64")
GOOD = VexStatement("CVE-1", "not_affected", UNREACHABLE)


@pytest.mark.parametrize(
    ("said", "clear"),
    [
        ([GOOD], True),
        ([], False),
        ([VexStatement("CVE-2", "not_affected", UNREACHABLE)], False),
        ([VexStatement("CVE-1", "not_affected", "component_not_present")], False),
        ([VexStatement("CVE-1", "affected", UNREACHABLE)], False),
        ([VexStatement("CVE-1", "under_investigation", ""), GOOD], False),
        ([GOOD, VexStatement("CVE-1", "affected", "")], True),
        ([VexStatement("CVE-1", "not_affected", UNREACHABLE, (PURL,))], True),
        ([VexStatement("CVE-1", "not_affected", UNREACHABLE, ("pkg:deb/debian/zlib@1",))], False),
        ([VexStatement("CVE-1", "affected", "", ("pkg:deb/debian/zlib@1",)), GOOD], True),
    ],
)
def test_only_the_latest_statement_about_the_finding_puts_it_out_of_reach(
    said: list[VexStatement], clear: bool
) -> None:
    assert excused(FINDING, said) is clear


def test_a_package_without_a_purl_is_in_no_list_of_packages() -> None:
    bare = Finding("CVE-1", "openssl", "1", "critical")
    assert not excused(bare, [VexStatement("CVE-1", "not_affected", UNREACHABLE, ("",))])


def test_statements_come_latest_first_and_within_one_time_last_first() -> None:
    document = openvex(
        statement(A, vulnerability="CVE-1", status="affected"),
        statement(A, vulnerability="CVE-2", timestamp="2026-01-01T02:00:00+03:00"),
        statement(A, vulnerability="CVE-3"),
    )
    assert [said.cve for said in read_openvex(document, A)] == ["CVE-3", "CVE-1", "CVE-2"]


findings = st.builds(Finding, st.sampled_from(["C1", "C2", "C3"]), st.text(), st.just("1"), st.sampled_from(Severity))


@given(st.lists(findings), st.sampled_from(Severity))
def test_a_threshold_lets_through_only_what_is_milder(found: list[Finding], threshold: Severity) -> None:
    kept = at_least(found, threshold)
    order = list(Severity)
    assert set(found) - set(kept) == {f for f in found if order.index(Severity(f.severity)) < order.index(threshold)}
