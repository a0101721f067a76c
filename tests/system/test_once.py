"""The same request twice, two promotions at once, and processes that are killed in between: everything happens once, in order."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.system.conftest import MakeShop
from tests.system.shop import QUICK, Shop
from tests.system.whole import WholeSystem, until

pytestmark = pytest.mark.process


def numbers(shop: Shop, *ids: str) -> list[int]:
    """The fence number of each promotion's deployment."""
    return [shop.view(id)["deployments"][0]["number"] for id in ids]


def test_promotions_into_one_environment_go_one_after_the_other(shop: Shop) -> None:
    old, new = "1.0.0", "1.1.0"
    digests = [shop.ana.get(f"{shop.path}/releases/{old}")["manifest"]["components"]["web"]["digest"]]
    digests += [shop.release(new)["web"].digest] * 2
    shop.gate("dev-1").touch()
    first = shop.promote(old, "dev")
    shop.reaches(first, "deploying")
    with ThreadPoolExecutor() as at_once:
        others = list(at_once.map(lambda _: shop.promote(new, "dev"), range(2)))
    until(lambda: len(shop.place("dev")["queue"]) == 2, "two in the queue")
    queue = shop.place("dev")["queue"]
    assert {place["promotion"] for place in queue} == set(others)
    assert shop.is_blocked_by(queue[1]["promotion"], "queued_behind")["details"]["ahead"] == [
        first,
        queue[0]["promotion"],
    ]
    shop.gate("dev-1").unlink()
    in_order = [first, *(place["promotion"] for place in queue)]
    assert [shop.ends(id)["state"] for id in in_order] == ["succeeded"] * 3
    assert numbers(shop, *in_order) == [1, 2, 3]
    ended = [shop.view(id)["ended_at"] for id in in_order]
    assert ended == sorted(ended)
    assert [start["digest"] for start in shop.starts("dev-1")] == digests


RELEASE = {"version": "2", "components": {"web": {"tag": "1.0.0"}}}
REQUESTS: dict[str, tuple[str, Any, Any]] = {
    "a promotion": ("promotions", {"release": "1.0.0", "environment": "dev"}, {"release": "1.0.0"}),
    "a release": ("releases", RELEASE, RELEASE | {"version": "3"}),
    "a freeze": ("environments/dev/freezes", {"reason": "a"}, {"reason": "b"}),
    "a hold": ("environments/dev/holds", {"reason": "a"}, {"reason": "b"}),
    "a refusal": ("environments/dev/rollbacks", {}, {"reason": "b"}),
    "a key": ("keys", {"subject": "ana"}, {"subject": "ben"}),
}


@pytest.mark.parametrize(("path", "body", "other"), REQUESTS.values(), ids=REQUESTS)
def test_the_same_request_twice_is_one(shop: Shop, path: str, body: Any, other: Any) -> None:
    def ask(wanted: Any) -> Any:
        return shop.admin.ask("POST", f"{shop.path}/{path}", wanted, key=f"once in {shop.name}")

    with ThreadPoolExecutor() as at_once:
        answers = list(at_once.map(ask, [body] * 3))
    said = [(answer.status, _without_secret(answer.body)) for answer in answers]
    assert said == [said[0]] * 3
    assert (said[0][0] < 300) == (path != "environments/dev/rollbacks")
    assert ask(other).says == (422, "idempotency_mismatch")
    assert ask(body).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(("path", "body", "_"), REQUESTS.values(), ids=REQUESTS)
def test_the_same_at_once_without_a_key_is_never_an_error_of_ours(shop: Shop, path: str, body: Any, _: Any) -> None:
    with ThreadPoolExecutor() as at_once:
        answers = list(at_once.map(lambda _: shop.admin.ask("POST", f"{shop.path}/{path}", body), range(4)))
    assert all(answer.status < 500 for answer in answers), answers


def test_the_same_catalogue_at_once_is_applied_once(shop: Shop) -> None:
    before = shop.ana.get(shop.path)["revision"]
    shop.environment("prod")
    with ThreadPoolExecutor() as at_once:
        list(at_once.map(lambda _: shop.apply(), range(4)))
    assert shop.ana.get(shop.path)["revision"] == before + 1


def _without_secret(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "key"}


def test_the_same_promotion_twice_is_one(shop: Shop) -> None:
    body = {"release": "1.0.0", "environment": "dev"}
    ids = {shop.ana.post(f"{shop.path}/promotions", body, key="again")["id"] for _ in range(2)}
    assert [promotion["id"] for promotion in shop.list_promotions()] == list(ids)
    assert shop.ends(ids.pop())["state"] == "succeeded"
    assert len(shop.starts("dev-1")) == 1


def test_the_same_vote_twice_is_one(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.environment("prod", approval={"count": 2})
    shop.apply()
    shop.release("1.0.0")
    id = shop.promote("1.0.0", "prod")
    shop.reaches(id, "awaiting_approval")
    envelope = shop.envelope("ben", id)
    path = f"/promotions/{id}/votes"
    answers = [shop.callers["ben"].post(path, envelope, key="mine") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(shop.view(id)["votes"]) == 1
    assert shop.view(id)["refused_votes"] == []


@pytest.mark.parametrize("victim", ["api", "worker"])
def test_a_process_killed_in_mid_deployment_changes_nothing(
    system: WholeSystem, make_shop: MakeShop, victim: str
) -> None:
    shop = make_shop("api", "web")
    patient = {**QUICK, "healthy_deadline": "5m"}  # on a busy machine it takes long to come back
    shop.environment("prod", targets=2, strategy=patient)
    shop.apply()
    digests = {name: image.digest for name, image in shop.release("1.0.0").items()}
    shop.gate("prod-1").touch()
    id = shop.promote("1.0.0", "prod")
    until(lambda: shop.starts("prod-1"), "prod-1 to be started")
    system.await_another(victim, system.kill(victim))
    shop.gate("prod-1").unlink()
    assert shop.ends(id)["state"] == "succeeded"
    for target in ("prod-1", "prod-2"):
        started = [(line["component"], line["digest"]) for line in shop.starts(target)]
        assert sorted(started) == sorted(digests.items())
