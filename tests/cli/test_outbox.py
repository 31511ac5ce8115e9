"""``flowkit outbox``, ``resend`` and ``drop``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_commands import PARTS, data, out

NOTIFY = PARTS.replace(
    '<zeebe:taskDefinition type="stock.reserve" retries="1"/>',
    '<zeebe:taskDefinition type="notify" retries="1"/><zeebe:ioMapping>'
    '<zeebe:input source="=&quot;客户&quot;" target="recipients"/></zeebe:ioMapping>'
    '<zeebe:taskHeaders><zeebe:header key="template" value="ready"/></zeebe:taskHeaders>',
)
SETTINGS = """
templates: texts
default_channel: 站内信
channels: {站内信: {type: webhook, url: "http://127.0.0.1:9/in"}}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWKIT_DB", f"sqlite:///{tmp_path / 'service.db'}")
    (tmp_path / "parts.bpmn").write_text(NOTIFY, encoding="utf-8")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "ready.txt").write_text("可以取车", encoding="utf-8")
    (tmp_path / "settings.yaml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path / "settings.yaml"


def test_what_could_not_be_delivered_is_seen_sent_again_and_dropped(settings: Path) -> None:
    out("deploy", "parts.bpmn")
    assert out("outbox").strip() == "the outbox is empty"
    case = out("start", "parts", "-v", "order=T-1").strip()
    out("worker", "--once", "--settings", settings)
    assert data("show", case)["tokens"][0]["name"] == "确认"
    [entry] = data("outbox", "--failed", "--kind", "notice", code=1)
    assert (entry["instance_id"], entry["state"], entry["payload"]["to"]) == (case, "failed", "客户")
    [incident] = data("incidents", code=1)
    assert "could not be delivered: ready to 客户: 站内信" in incident["message"]
    assert "failed" in out("outbox", code=1)
    out("resend", "--failed", "--attempts", "2")
    assert [it["state"] for it in data("outbox")] == ["waiting"]
    out("worker", "--once", "--settings", settings)
    assert [it["state"] for it in data("outbox")] == ["waiting"]
    assert "expected ids, or --failed" in out("drop", code=2)
    out("drop", entry["id"])
    assert "There is no" in out("resend", entry["id"], code=3)
    assert out("incidents").strip() == "no incidents"
