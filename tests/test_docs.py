"""The documentation says what the code does."""

import re
from pathlib import Path

from fairlead.domain.codes import Code
from tests import reference

ROOT = Path(__file__).parent.parent


def test_every_code_has_its_row_in_the_error_reference():
    rows = [line.split("|")[1] for line in (ROOT / "docs/errors.md").read_text().splitlines() if line.startswith("| `")]
    documented = [code for row in rows for code in re.findall(r"`([a-z_]+)`", row)]
    assert sorted(documented) == sorted(Code)


def test_every_row_of_the_error_reference_has_a_cause_and_a_remedy():
    rows = [line.split("|") for line in (ROOT / "docs/errors.md").read_text().splitlines() if line.startswith("| `")]
    assert [cells for cells in rows if len(cells) != 5 or not all(cell.strip() for cell in cells[1:4])] == []


def test_every_code_is_given_somewhere():
    folders = ("fairlead", "api", "activities", "workflows", "agents", "workers")
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path.name != "codes.py"]
    given = {name for module in modules for name in re.findall(r"\bCode\.([A-Z_]+)\b", module.read_text())}
    promised = {code.name for code in Code if str(code) in (ROOT / "fairlead/ports.py").read_text()}
    assert given | promised == set(Code.__members__)


def test_every_command_is_in_the_page_of_commands():
    assert reference.PAGE.read_text() == reference.page(), "python -m tests.reference"


def test_links_between_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())]
    assert [(str(page.name), link) for page, link in links if not (page.parent / link).exists()] == []
