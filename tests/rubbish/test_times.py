"""Times at every edge that takes one: each is an instant in the years 1 to 9999, in text, or is refused; none spoils what others read."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.office import SHOP_PATH, Office
from tests.fixtures.postgres import FreshDatabase

ENVIRONMENT = f"{SHOP_PATH}/environments/dev"
FREEZES, HOLDS, KEYS = f"{ENVIRONMENT}/freezes", f"{ENVIRONMENT}/holds", f"{SHOP_PATH}/keys"

NO_TIMES = [
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "10000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
    "2099-02-30T00:00:00Z", "2099-01-01T24:00:00Z", "2099-01-01T00:00:60Z", "2099-01-01T00:00:00", "2099-01-01",
    "2099-01-01T00:00:00+24:00", "4102444800", 4102444800, 99999999999999, -0.0, 2**63, True, "", "now", "inf", "NaN",
    [], {}, "\u0662\u0660\u0669\u0669-01-01T00:00:00Z",
]  # fmt: skip
OVER = ["1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
LAST = "9999-12-31T23:59:59.999999Z"


@pytest.fixture
def office(postgres: FreshDatabase) -> Iterator[Office]:
    """The shop's API."""
    made = Office(postgres)
    yield made
    made.wakeups.close()


async def refusals(client: httpx.AsyncClient, path: str, body: dict, field: str, times: list) -> list[tuple]:
    """Which of these times were taken."""
    answers = [(time, await client.post(path, json={**body, field: time})) for time in times]
    return [(time, answer.status_code) for time, answer in answers if answer.status_code != 422]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [(FREEZES, {"reason": "x"}, "until"), (HOLDS, {"reason": "x"}, "until"), (KEYS, {"subject": "ben"}, "expires_at")],
)
async def test_what_is_no_time_or_is_over_is_refused(office: Office, path: str, body: dict, field: str) -> None:
    async with office.client("integration:ci", scope="admin") as admin:
        assert await refusals(admin, path, body, field, NO_TIMES + OVER) == []


async def test_the_last_instant_of_all_is_kept_and_read_again(office: Office) -> None:
    async with office.client("integration:ci", scope="admin") as admin:
        made = [await admin.post(path, json={"reason": "x", "until": LAST}) for path in (FREEZES, HOLDS)]
        made.append(await admin.post(KEYS, json={"subject": "ben", "expires_at": "9999-12-31T09:59:59-14:00"}))
        assert [answer.status_code for answer in made] == [201, 201, 201]
        assert made[-1].json()["expires_at"] == "9999-12-31T23:59:59Z"
        assert [(await admin.get(path)).status_code for path in (ENVIRONMENT, f"{ENVIRONMENT}/why", KEYS)] == [200] * 3


@pytest.mark.parametrize("name", ["since", "until"])
async def test_a_filter_takes_the_same_times_and_the_past(office: Office, name: str) -> None:
    async with office.client() as ana:

        async def status(time: object) -> int:
            return (await ana.get(f"{SHOP_PATH}/promotions", params={name: str(time)})).status_code

        assert [time for time in NO_TIMES if await status(time) != 422] == []
        assert [time for time in [*OVER, LAST] if await status(time) != 200] == []
