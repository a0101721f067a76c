"""The documentation says what the code does."""

import re
from pathlib import Path

from fairlead.domain.codes import Code

ROOT = Path(__file__).parent.parent


def test_every_code_has_its_row_in_the_error_reference():
    rows = [line.split("|")[1] for line in (ROOT / "docs/errors.md").read_text().splitlines() if line.startswith("| `")]
    documented = [code for row in rows for code in re.findall(r"`([a-z_]+)`", row)]
    assert sorted(documented) == sorted(Code)


def test_links_between_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())]
    assert [(str(page.name), link) for page, link in links if not (page.parent / link).exists()] == []
