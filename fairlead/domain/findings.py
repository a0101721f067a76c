"""What scan reports say about an image: Trivy's JSON (schema version 2) and OpenVEX statements, read and bound to digests."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from fairlead.domain.instants import from_text

TRIVY = "trivy"
OPENVEX = "openvex"

UNREACHABLE = "vulnerable_code_not_in_execute_path"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}(?![0-9a-f])")


class Severity(StrEnum):
    """Trivy's severities, from harmless to worst."""

    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


_SEVERITIES = frozenset(Severity)


class ReportError(ValueError):
    """The document is not what it claims to be."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A vulnerability in one package; the same one is often found in several."""

    cve: str
    package: str
    version: str
    severity: str
    purl: str = ""


@dataclass(frozen=True, slots=True)
class VexStatement:
    """What OpenVEX says of one vulnerability in one image. `subcomponents`: only in these packages (empty: in all)."""

    cve: str
    status: str
    justification: str
    subcomponents: tuple[str, ...] = ()

    def excuses(self, finding: Finding) -> bool:
        """Whether it shows that the finding's vulnerable code is out of reach."""
        if (self.status, self.justification) != ("not_affected", UNREACHABLE):
            return False
        return self.cve == finding.cve and self.concerns(finding)

    def concerns(self, finding: Finding) -> bool:
        """Whether it speaks of the finding's package."""
        if not self.subcomponents:
            return True
        return finding.purl != "" and _bare(finding.purl) in {_bare(purl) for purl in self.subcomponents}


def kind_of(document: object) -> str | None:
    """`trivy`, `openvex`, or None for what is neither."""
    if not isinstance(document, Mapping):
        return None
    if str(document.get("@context", "")).startswith("https://openvex.dev/ns"):
        return OPENVEX
    return TRIVY if document.get("SchemaVersion") == 2 and "ArtifactName" in document else None


def named_digests(report: Mapping[str, Any]) -> frozenset[str]:
    """The manifest digests that a Trivy report says it is about; none for a scan of a tar or a file tree."""
    listed = _strings(_mapping(report.get("Metadata")).get("RepoDigests"))
    return frozenset(digest for text in listed for digest in _DIGEST.findall(text))


def read_trivy(report: Mapping[str, Any], digest: str) -> tuple[Finding, ...]:
    """What was found in the image, sorted, each once. Raises ReportError, also for a report about another image, or about none."""
    if report.get("SchemaVersion") != 2:
        raise ReportError("only Trivy's JSON schema version 2 is understood")
    named = named_digests(report)
    if not named:
        raise ReportError("the report names no manifest digest: it may be about any image")
    if digest not in named:
        raise ReportError(f"the report is about {', '.join(sorted(named))}, not about {digest}")
    return tuple(sorted(set(_findings(report))))


def read_openvex(document: Mapping[str, Any], digest: str) -> tuple[VexStatement, ...]:
    """Its statements about the image, the latest first. Raises ReportError."""
    if not isinstance(document.get("statements"), list):
        raise ReportError("an OpenVEX document has a list of statements")
    found = [
        (_instant(entry.get("timestamp", document.get("timestamp"))), place, _statement(entry, product))
        for place, entry in enumerate(_mappings(document["statements"]))
        for product in _about(entry, digest)
    ]
    return tuple(statement for _, _, statement in sorted(found, key=lambda found: found[:2], reverse=True))


def at_least(findings: Iterable[Finding], severity: str) -> tuple[Finding, ...]:
    """Those of this severity or worse."""
    threshold = Severity(severity).rank
    enough = {each for each in Severity if each.rank >= threshold}
    return tuple(finding for finding in findings if finding.severity in enough)


def excused(finding: Finding, statements: Sequence[VexStatement]) -> bool:
    """Whether the latest statement about this finding puts it out of reach. `statements`: the latest first."""
    latest = next((s for s in statements if s.cve == finding.cve and s.concerns(finding)), None)
    return latest is not None and latest.excuses(finding)


def _findings(report: Mapping[str, Any]) -> Iterator[Finding]:
    for result in _mappings(report.get("Results")):
        for entry in _mappings(result.get("Vulnerabilities")):
            yield _finding(entry)


def _finding(entry: Mapping[str, Any]) -> Finding:
    cve, severity = entry.get("VulnerabilityID"), str(entry.get("Severity", "UNKNOWN")).lower()
    if not isinstance(cve, str) or not 0 < len(cve) <= 64:
        raise ReportError("a vulnerability has no proper VulnerabilityID")
    if severity not in _SEVERITIES:
        raise ReportError(f"{cve} has the unknown severity {severity!r:.40}")
    purl = _mapping(entry.get("PkgIdentifier")).get("PURL", "")
    return Finding(cve, str(entry.get("PkgName", "")), str(entry.get("InstalledVersion", "")), severity, str(purl))


def _statement(entry: Mapping[str, Any], product: Mapping[str, Any]) -> VexStatement:
    subcomponents = _items(product.get("subcomponents"))
    return VexStatement(
        cve=_vulnerability(entry),
        status=str(entry.get("status", "")),
        justification=str(entry.get("justification", "")),
        subcomponents=tuple(str(s.get("@id", "")) if isinstance(s, Mapping) else str(s) for s in subcomponents),
    )


def _vulnerability(entry: Mapping[str, Any]) -> str:
    named = entry.get("vulnerability")
    name = named.get("name") if isinstance(named, Mapping) else named
    if not isinstance(name, str) or not name:
        raise ReportError("an OpenVEX statement names no vulnerability")
    return name


def _about(entry: Mapping[str, Any], digest: str) -> Iterator[Mapping[str, Any]]:
    """The products of a statement that are this image; what names no digest at all is not bound to it."""
    for product in _items(entry.get("products")):
        if digest in _product_digests(product):
            yield product if isinstance(product, Mapping) else {}


def _product_digests(product: Any) -> set[str]:
    if isinstance(product, str):
        return set(_DIGEST.findall(unquote(product)))
    fields = _mapping(product)
    identifiers = _mapping(fields.get("identifiers")).values()
    texts = [unquote(text) for text in (fields.get("@id"), *identifiers) if isinstance(text, str)]
    hashed = _mapping(fields.get("hashes")).get("sha-256")
    return {found for text in texts for found in _DIGEST.findall(text)} | ({f"sha256:{hashed}"} if hashed else set())


def _bare(purl: str) -> str:
    return unquote(re.split(r"[?#]", purl, maxsplit=1)[0])


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ReportError(f"expected a mapping, not {value!r:.40}")
    return value


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [_mapping(entry) for entry in _items(value)]


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ReportError(f"expected a list, not {value!r:.40}")
    return value


def _strings(value: Any) -> list[str]:
    return [text for text in _items(value) if isinstance(text, str)]


def _instant(value: Any) -> datetime:
    try:
        return from_text(str(value))
    except ValueError as error:
        raise ReportError(f"{value!r:.40} is not the time of a statement") from error
