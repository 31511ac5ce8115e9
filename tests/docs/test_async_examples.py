"""The programs of docs/engine/async.md run, each in a process of its own, as their readers would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.diagrams import element, file, process, service, user

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "engine" / "async.md").read_text(encoding="utf-8")

FASTAPI = """
import asyncio, httpx
from shop import app

async def main():
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            orders = [client.post(f"/orders/WO-{n}", params={"part_no": "P-1"}) for n in range(20)]
            answers = await asyncio.gather(*orders)
            assert {answer.status_code for answer in answers} == {200}
            for _ in range(600):  # the worker is another thread
                found = (await client.get("/tasks", params={"group": "仓库"})).json()
                if len(found) == 20:
                    break
                await asyncio.sleep(0.05)
            assert sorted(todo["order"] for todo in found) == sorted(f"WO-{n}" for n in range(20))
            ends = [client.post(f"/tasks/{it['id']}", json={"ok": True}) for it in found]
            done = await asyncio.gather(*ends)
            assert {answer.status_code for answer in done} == {200}
            assert (await client.post(f"/tasks/{found[0]['id']}", json={})).status_code == 404
            assert (await client.get("/tasks")).json() == []
        view = await app.state.engine.instance(answers[0].json()["case"])
        assert view.status == "completed"
        assert view.variables == {"part_no": "P-1", "reserved": True, "ok": True}

asyncio.run(main())
"""

DJANGO = """
import asyncio, sqlite3
import django, httpx
from django.conf import settings

sqlite3.connect("shop.db").execute("CREATE TABLE orders (number TEXT)")
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "shop.db"}},
    ROOT_URLCONF="shop", ALLOWED_HOSTS=["*"], SECRET_KEY="test", USE_TZ=True,
)
django.setup()
from django.core.asgi import get_asgi_application
import shop
from flowkit import Engine, task

@task("reserve")
def reserve() -> None: ...

async def main():
    transport = httpx.ASGITransport(get_asgi_application(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        assert (await client.get("/orders/WO-1")).status_code == 200
        assert (await client.get("/orders/refused")).status_code == 500
        assert sqlite3.connect("shop.db").execute("SELECT number FROM orders").fetchall() == [("WO-1",)]
        assert [view.business_key for view in shop.engine.instances()] == ["WO-1"]
        with Engine("sqlite:///shop.db", tasks=[reserve]) as worker:
            worker.run_until_idle()
        told = (await client.get("/tasks", params={"group": "仓库"})).json()
        assert (told["open"], [it["order"] for it in told["tasks"]]) == (1, ["WO-1"])
        assert (await client.get(f"/tasks/{told['tasks'][0]['id']}")).status_code == 200
        assert shop.engine.instances()[0].status == "completed"
    await shop.face.close()
    shop.engine.close()

asyncio.run(main())
"""


def diagram() -> bytes:
    nodes = [
        element("startEvent", "start"), service("s", "reserve"), user("pick", groups="仓库"),
        element("endEvent", "end"),
    ]  # fmt: skip
    return file(process("order", *nodes, flows=[("start", "s"), ("s", "pick"), ("pick", "end")]))


@pytest.mark.parametrize(
    ("title", "package", "driver"), [("FastAPI", "fastapi", FASTAPI), ("Django", "django", DJANGO)]
)
def test_the_program_of_the_page_runs(title: str, package: str, driver: str, tmp_path: Path) -> None:
    pytest.importorskip(package)
    section = PAGE.split(f"## {title}", 1)[1]
    match = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert match is not None
    (tmp_path / "shop.py").write_text(match[1], encoding="utf-8")
    (tmp_path / "order.bpmn").write_bytes(diagram())
    (tmp_path / "driver.py").write_text(driver, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "driver.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
