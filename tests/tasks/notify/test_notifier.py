"""The job type ``notify``: preference, fall-back, once, never blocking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flowkit.errors import InvalidModel, InvalidPayload, NotFound
from flowkit.tasks import Outgoing, Registry, Retry, TaskContext, Undeliverable
from flowkit.tasks.books import MemoryBooks
from flowkit.tasks.notify import (
    ChannelDown,
    ChannelRefused,
    MemoryChannel,
    Notice,
    Notifier,
    Templates,
    read_settings,
)

TEMPLATES = Templates({"ready.txt": "可以取车 {{ plate }}\n{{ recipient }}您好,单号 {{ business_key }}。"})


class Dead(MemoryChannel):
    """Down for the first ``times`` messages."""

    def __init__(self, times: int = 99, error: type[Exception] = ChannelDown) -> None:
        super().__init__()
        self.times, self.error = times, error

    def send(self, notice: Notice, address: str) -> None:
        if self.times > 0:
            self.times -= 1
            raise self.error("no line")
        super().send(notice, address)


class Unknown(MemoryChannel):
    def address(self, contact: object) -> str | None:
        return None


def context(channel: str = "短信", job: str = "7:1", retries: int = 2) -> TaskContext:
    return TaskContext(
        instance_id="7",
        job_id=job,
        retries=retries,
        business_key="WO-1",
        headers={"template": "ready", "channel": channel},
    )


def posted(notifier: Notifier, ctx: TaskContext, **variables: object) -> list[Outgoing]:
    """Do the job; what it put into the outbox, ready for its first delivery."""
    handler = Registry(notifier).get("notify")
    assert handler is not None
    assert handler.call(ctx, {"recipients": "客户", "data": {"plate": "京A1"}} | variables) == {}
    return [
        Outgoing(id=one.key, kind=one.kind, key=one.key, payload=one.payload, attempts=one.attempts or 1)
        for one in ctx.outgoing
    ]


def send(notifier: Notifier, ctx: TaskContext, **variables: object) -> None:
    """Do the job and deliver what it sent, once."""
    for item in posted(notifier, ctx, **variables):
        notifier.deliver(item)


def outcome(notifier: Notifier) -> list[tuple[str, str, str]]:
    return [(notice["to"], notice["channel"], notice["status"]) for notice in notifier.notices()]


def test_without_settings_notices_are_kept_in_memory():
    notifier = Notifier(TEMPLATES)
    send(notifier, context())
    (notice,) = notifier.notices()
    assert (notice["subject"], notice["text"]) == ("可以取车 京A1", "客户您好,单号 WO-1。")
    assert outcome(notifier) == [("客户", "短信", "sent")]


def test_recipients_are_roles_contacts_or_lists_of_them():
    notifier = Notifier(TEMPLATES, recipients={"服务顾问": [{"name": "王芳"}, {"phone": "139"}]})
    send(notifier, context(), recipients=["服务顾问", {"name": "李", "phone": "138"}])
    assert [notice["to"] for notice in notifier.notices()] == ["王芳", "服务顾问", "李"]


def test_a_job_that_is_done_again_sends_nothing_twice():
    channel = MemoryChannel()
    notifier = Notifier(TEMPLATES, {"短信": channel})
    send(notifier, context())
    send(notifier, context())
    assert len(channel.sent) == 1


def test_the_next_preferred_channel_takes_over_at_once():
    notifier = Notifier(TEMPLATES, {"短信": Dead(), "邮件": MemoryChannel()})
    send(notifier, context(channel="短信,邮件"))
    assert outcome(notifier) == [("客户", "邮件", "sent")]


def test_the_variable_wins_over_the_header():
    notifier = Notifier(TEMPLATES, {"短信": MemoryChannel(), "邮件": MemoryChannel()})
    send(notifier, context(), channel="邮件")
    assert outcome(notifier) == [("客户", "邮件", "sent")]


def test_a_channel_that_is_down_is_tried_again_and_nobody_gets_it_twice():
    flaky = Dead(times=1)
    notifier = Notifier(TEMPLATES, {"短信": flaky}, retry_after=timedelta(minutes=5))
    one, two = posted(notifier, context(), recipients=["甲", "乙"])
    with pytest.raises(Retry, match="短信: no line") as caught:
        notifier.deliver(one)
    assert caught.value.after == timedelta(minutes=5)
    for item in (two, one, two, one):
        notifier.deliver(item)
    assert [notice.to for notice in flaky.sent] == ["乙", "甲"]


def test_there_are_as_many_attempts_as_the_diagram_gives_the_task():
    assert [item.attempts for item in posted(Notifier(TEMPLATES), context(retries=2))] == [3]


def test_on_the_last_attempt_it_falls_back():
    notifier = Notifier(TEMPLATES, {"短信": Dead(), "站内信": MemoryChannel()}, fallback=["站内信"])
    (item,) = posted(notifier, context(retries=1))
    with pytest.raises(Retry):
        notifier.deliver(item)
    notifier.deliver(replace(item, attempt=2))
    assert outcome(notifier) == [("客户", "站内信", "sent")]


def test_what_cannot_be_delivered_is_written_down_and_told():
    notifier = Notifier(TEMPLATES, {"短信": Dead(times=1)})
    (item,) = posted(notifier, context(retries=0))
    with pytest.raises(Undeliverable, match="ready to 客户: 短信: no line"):
        notifier.deliver(item)
    assert outcome(notifier) == [("客户", "", "undelivered")]
    assert notifier.notices()[0]["reasons"] == ["短信: no line"]
    notifier.deliver(item)  # an operator sends it again
    assert outcome(notifier) == [("客户", "短信", "sent")]


@pytest.mark.parametrize("channel", [Unknown(), Dead(error=ChannelRefused)])
def test_what_waiting_would_not_mend_is_not_tried_again(channel):
    notifier = Notifier(TEMPLATES, {"短信": channel})
    with pytest.raises(Undeliverable):
        send(notifier, context(retries=3))
    assert outcome(notifier) == [("客户", "", "undelivered")]
    fallen = Notifier(TEMPLATES, {"短信": channel, "站内信": MemoryChannel()}, fallback=["站内信"])
    send(fallen, context(retries=3))
    assert outcome(fallen) == [("客户", "站内信", "sent")]


def test_a_channel_that_the_settings_lost_is_told():
    (item,) = posted(Notifier(TEMPLATES), context(channel="邮件"))
    with pytest.raises(Undeliverable, match="邮件: no such channel"):
        Notifier(TEMPLATES, {"短信": MemoryChannel()}).deliver(item)


def test_mistakes_of_the_diagram_are_told():
    notifier = Notifier(TEMPLATES)
    with pytest.raises(InvalidPayload, match="header 'template'"):
        Registry(notifier).get("notify").call(TaskContext(instance_id="1", job_id="1:1"), {"recipients": "x"})
    with pytest.raises(InvalidPayload, match="found '传真'; there are: 电话, 短信"):
        send(notifier, context(channel="传真"))
    with pytest.raises(NotFound, match="found 'none'; there are: ready"):
        notifier.render("none", "x", {}, context())


def test_rendering_sends_nothing():
    notifier = Notifier(TEMPLATES)
    (notice,) = notifier.render("ready", "客户", {}, context())
    assert notice.missing == ("plate",)
    assert notifier.notices() == []


SETTINGS = """
templates: texts
default_channel: 站内信
fallback: [电话]
retry_after: PT2M
channels:
  电话: {type: calls, role: 回访员}
  短信: {type: memory}
  邮件: {type: apprise, url: "env:MAIL"}
  企业微信: {type: wecom, key: k}
  钉钉: {type: dingtalk, token: t, secret: s}
  飞书: {type: feishu, token: t}
  站内信: {type: webhook, url: "https://intranet.example/in"}
recipients:
  服务顾问: [{name: 王芳, phone: "138"}]
"""


def test_a_settings_file_describes_a_notifier(tmp_path: Path):
    path = tmp_path / "notify.yaml"
    path.write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "ready.txt").write_text("好了", encoding="utf-8")
    settings = read_settings(path, {"MAIL": "mailto://u:pass@h.example?to={email}"})
    assert "pass" not in repr(settings)
    notifier = Notifier.from_settings(settings, books=MemoryBooks())
    assert list(notifier.channels) == ["电话", "短信", "邮件", "企业微信", "钉钉", "飞书", "站内信"]
    send(notifier, context(channel="电话"), recipients="服务顾问")
    assert outcome(notifier) == [("王芳", "电话", "handed over")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("channels: {a: {type: smoke}}", "channels.a: Input tag 'smoke'"),
        ("chanels: {}", "chanels: Extra inputs"),
        ("channels: {a: {type: memory}}", "expected the name of a channel, found '短信'"),
        ("channels: {短信: {type: webhook, url: 'env:NOWHERE'}}", "no variable 'NOWHERE'"),
        ("channels: [", "no YAML"),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
        ("- a", "the file: Input should be"),
        ("a: &a [x]\nb: [" + "*a," * 30 + "]", "YAML aliases"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_the_reason(tmp_path: Path, text: str, message: str):
    path = tmp_path / "notify.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidModel, match=message.replace("[", r"\[")):
        read_settings(path, {})
