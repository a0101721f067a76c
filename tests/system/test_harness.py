"""The ordinary way through the whole system, on which all else here rests."""

from tests.system.shop import Shop


def test_a_release_reaches_its_target_and_its_evidence_verifies(shop: Shop) -> None:
    digest = shop.ana.get(f"{shop.path}/releases/1.0.0")["manifest"]["components"]["web"]["digest"]
    id = shop.succeed("1.0.0", "dev")
    assert [start["digest"] for start in shop.starts("dev-1")] == [digest]
    assert shop.answers("dev-1") == "web 1.0.0"
    assert shop.verified(id).state == "succeeded"
