"""What fails while a deployment is prepared, so that no target is changed: nothing is started, and no altered tree is unpacked."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.images import LyingRegistry, alter, blob_path
from tests.system.conftest import MakeShop
from tests.system.shop import Shop
from tests.targets.harness import listener
from workers.demo.images import Image

pytestmark = pytest.mark.process

PARTS = ("manifest", "config", "layer")


@pytest.fixture
def prod(make_shop: MakeShop) -> Shop:
    """A project whose targets nothing was ever brought to; the first of the two is in order."""
    shop = make_shop()
    shop.environment("prod", targets=2)
    return shop


@pytest.fixture
def registry(prod: Shop) -> Iterator[LyingRegistry]:
    """Serves what the shop publishes, until it lies."""
    server = LyingRegistry(prod.layout())
    prod.document["components"]["web"]["repository"] = server.repository
    yield server
    server.stop()


def digest_of(part: str, image: Image) -> str:
    """The digest of an image's manifest, config or layer."""
    if part == "manifest":
        return image.digest
    config, layer = image.blobs
    return {"config": config, "layer": layer}[part]


def unpacked(shop: Shop) -> list[str]:
    """What lies under `releases/`, and what is half unpacked."""
    return [str(path) for name in ("releases", "incoming") for path in shop.host.glob(f"{name}/*")]


def fails_untouched(shop: Shop, code: str) -> Any:
    """Promote, see it fail with this code, and see that no target was changed; the promotion."""
    id = shop.promote("1.0.0", "prod")
    ended = shop.ends(id)
    assert (ended["state"], ended["code"]) == ("failed", code), ended
    assert [task["touched"] for task in ended["tasks"]] == [False, False]
    assert all(shop.journal(target) == [] for target in ("prod-1", "prod-2"))
    assert shop.place("prod")["holds"] == []
    assert shop.verified(id).state == "failed"
    return ended


ELSEWHERE = {
    "a folder that is not there": {"type": "process_host", "endpoint": "process:///nowhere/at/all"},
    "a folder that is a file": {"type": "process_host", "endpoint": "process:///etc/hostname"},
    "an engine that is not there": {"type": "docker_host", "endpoint": "unix:///nowhere/docker.sock"},
}


@pytest.mark.parametrize("elsewhere", ELSEWHERE.values(), ids=ELSEWHERE)
def test_an_unreachable_target(prod: Shop, registry: LyingRegistry, elsewhere: dict[str, str]) -> None:
    prod.document["targets"]["prod-2"] |= elsewhere
    prod.apply()
    prod.release("1.0.0")
    failed = fails_untouched(prod, "target_unreachable")
    assert "prod-2" in failed["detail"]


def test_a_port_that_somebody_else_has(prod: Shop) -> None:
    prod.apply()
    prod.release("1.0.0")
    with listener(prod.port("prod-2")):
        failed = fails_untouched(prod, "port_taken")
    assert str(prod.port("prod-2")) in failed["detail"]


def test_a_registry_that_is_down(prod: Shop, registry: LyingRegistry) -> None:
    prod.apply()
    prod.release("1.0.0")
    registry.stop()
    fails_untouched(prod, "registry_unavailable")
    assert unpacked(prod) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_registry_that_serves_something_altered(prod: Shop, registry: LyingRegistry, part: str) -> None:
    prod.apply()
    digest = digest_of(part, prod.release("1.0.0")["web"])
    status, headers, body = registry.answer(f"/{digest}")
    registry.lies[digest] = lambda: (status, headers, body[:-1] + bytes([body[-1] ^ 1]))
    fails_untouched(prod, "digest_mismatch")
    assert unpacked(prod) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_layout_altered_after_the_release_was_made(prod: Shop, part: str) -> None:
    prod.apply()
    alter(prod.layout(), digest_of(part, prod.release("1.0.0")["web"]))
    fails_untouched(prod, "digest_mismatch")
    assert unpacked(prod) == []


def test_what_was_removed_from_a_layout(prod: Shop) -> None:
    prod.apply()
    blob_path(prod.layout(), digest_of("layer", prod.release("1.0.0")["web"])).unlink()
    fails_untouched(prod, "digest_not_found")
    assert unpacked(prod) == []


def test_a_retry_succeeds_once_the_cause_is_gone(prod: Shop) -> None:
    prod.apply()
    layer = digest_of("layer", prod.release("1.0.0")["web"])
    alter(prod.layout(), layer)
    failed = fails_untouched(prod, "digest_mismatch")
    alter(prod.layout(), layer)  # the same bit again
    again = prod.ana.post(f"/promotions/{failed['id']}/retry")
    assert (again["retry_of"], again["release"]) == (failed["id"], "1.0.0")
    assert prod.ends(again["id"])["state"] == "succeeded"
    assert prod.answers("prod-2") == "web 1.0.0"
    assert len(unpacked(prod)) == 1
