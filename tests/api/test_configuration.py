"""The configuration layers over HTTP and by the command line."""

from pathlib import Path

import httpx

from fairlead.cli import exits
from tests.api.office import Office
from tests.cli.terminal import Terminal, served

CI = "integration:ci"


async def test_the_installations_layer_is_set_by_an_admin_of_all_projects(office: Office, ana: httpx.AsyncClient):
    layer = {"env": {"REGION": "eu"}}
    async with office.client(CI, scope="admin") as one, office.client(CI, scope="admin", project=None) as all_:
        refused = [await asked.put("/api/v1/config", json=layer) for asked in (ana, one)]
        made = await all_.put("/api/v1/config", json=layer)
        bad = await all_.put("/api/v1/config", json={"env": {"A B": "x"}})
    assert [answer.status_code for answer in refused] == [403, 403]
    assert (made.status_code, made.json()["revision"]) == (200, 1)
    assert (bad.status_code, bad.json()["code"], bad.json()["errors"][0]["pointer"]) == (422, "bad_name", "/env/A B")
    assert (await ana.get("/api/v1/config")).json()["config"] == layer


async def test_a_rendering_is_explained_value_by_value(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    path = "/api/v1/projects/shop/environments/prod/config"
    answer = (await ana.get(path, params={"release": "1.0.0", "target": "prod-2"})).json()
    [web] = answer["components"]
    assert (answer["release"], web["target"], web["component"]) == ("1.0.0", "prod-2", "web")
    assert {value["layer"] for value in web["values"]} == {"component"}
    assert {value["name"] for value in web["values"]} == {"1.0.0"}
    assert len((await ana.get(path)).json()["components"]) == 2
    missing = await ana.get(path, params={"target": "dev-1"})
    assert (missing.status_code, missing.json()["code"]) == (404, "target_not_found")


async def test_a_promotion_takes_a_layer_of_its_own(office: Office, ana: httpx.AsyncClient):
    office.shop.release("1.0.0")
    body = {"release": "1.0.0", "environment": "dev", "config": {"env": {"DEBUG": "1"}}}
    made = await ana.post("/api/v1/projects/shop/promotions", json=body)
    events = (await ana.get(f"/api/v1/promotions/{made.json()['id']}/events")).json()["items"]
    assert events[0]["data"]["config"] == {"env": {"DEBUG": "1"}}
    plain = await ana.post("/api/v1/projects/shop/promotions", json={**body, "config": {}})
    plans = [(await ana.get(f"/api/v1/promotions/{p.json()['id']}/plan")).json()["digest"] for p in (made, plain)]
    assert plans[0] != plans[1]


def test_the_command_line_explains_sets_and_asks(office: Office, tmp_path: Path):
    file = tmp_path / "layer.yaml"
    file.write_text("env: {REGION: eu}\n")
    with served(office) as url:
        key = office.key(CI, "admin", None)
        root = Terminal(tmp_path / "home", FAIRLEAD_URL=url, FAIRLEAD_KEY=key, FAIRLEAD_PROJECT="shop")
        assert root.json("config", "global", "--apply", str(file))["revision"] == 1
        assert "REGION" in root.run("config", "global").out
        assert root.run("release", "create", "1.0.0", "web=:1.0.0", "--set", "env.FROM=release").code == 0
        said = root.run("config", "explain", "dev", "dev-1", "--release", "1.0.0").out
        assert ("/env/REGION" in said, "global" in said, "release 1.0.0" in said) == (True, True, True)
        misspelt = root.run("config", "explain", "dev", "dev-1", "--release", "1.0.0", "--component", "wbe")
        assert (misspelt.code, "did you mean web?" in misspelt.err) == (exits.MISSING, True)
        made = root.json("promote", "1.0.0", "dev", "--set", "web.env.DEBUG=1", "--config", str(file))
        events = office.shop.events(f"promotion/{made['id']}")
    assert events[0].data["config"] == {"env": {"REGION": "eu"}, "components": {"web": {"env": {"DEBUG": "1"}}}}
