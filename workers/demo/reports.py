"""Scan reports as Trivy writes them (schema version 2), with or without one critical finding."""

from typing import Any


def trivy(component: str, digest: str, cve: str | None) -> dict[str, Any]:
    """A report about one image, bound to its manifest digest."""
    finding = {
        "VulnerabilityID": cve,
        "PkgName": "libshop",
        "InstalledVersion": "1.0",
        "FixedVersion": "1.1",
        "Severity": "CRITICAL",
        "Title": "a shop that gives everything away",
    }
    return {
        "SchemaVersion": 2,
        "CreatedAt": "2026-11-20T10:00:00Z",
        "ArtifactName": f"shop/{component}@{digest}",
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"shop/{component}@{digest}"]},
        "Results": [
            {
                "Target": "libshop",
                "Class": "lang-pkgs",
                "Type": "python-pkg",
                "Vulnerabilities": [finding] if cve else [],
            }
        ],
    }
