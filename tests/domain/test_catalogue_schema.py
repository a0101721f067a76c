"""The schema for editors takes what the rules take, and refuses what is wrong with a field by itself."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from fairlead.domain.catalogue_document import document
from fairlead.domain.catalogue_rules import read
from fairlead.domain.catalogue_schema import schema
from fairlead.domain.codes import Code
from tests.domain.documents import GOOD, MISSING, good_with
from tests.domain.test_catalogue_rules import BAD

BY_ITSELF = {Code.UNKNOWN_FIELD, Code.MISSING_FIELD, Code.BAD_NAME}
SEEN_BY_THE_RULES = {
    "label_config",
    "components/web/env/A B",
    "components/web/secrets/D B",
    "people/ana/groups",
    "environments/dev/targets",
}
WRONG = [
    (path, value)
    for path, value, code in BAD
    if code in BY_ITSELF and path not in SEEN_BY_THE_RULES and value not in (None, "")  # editors complete what is empty
]
EXAMPLES = sorted(Path("examples").glob("**/fairlead*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def test_a_good_document_and_its_normal_form_fit(validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(GOOD)] == []
    assert [error.message for error in validator.iter_errors(document(read(GOOD).catalogue))] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=str)
def test_every_example_fits(validator: Draft202012Validator, path: Path) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text()))] == []


@pytest.mark.parametrize(("path", "value"), WRONG, ids=lambda value: "absent" if value is MISSING else str(value))
def test_what_is_wrong_by_itself_does_not_fit(validator: Draft202012Validator, path: str, value: object) -> None:
    assert not validator.is_valid(good_with(path, value))
