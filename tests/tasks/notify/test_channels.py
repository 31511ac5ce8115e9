"""Channels against a provider on the loopback interface."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import unquote

import apprise
import pytest
from apprise.plugins.dingtalk import NotifyDingTalk

from flowkit.tasks.notify.apprise_channel import AppriseChannel
from flowkit.tasks.notify.channels import (
    CallChannel,
    ChannelDown,
    ChannelRefused,
    MemoryChannel,
    Notice,
    WebhookChannel,
)
from flowkit.tasks.notify.robots import DingTalkRobot, FeishuRobot, WeComRobot

NOTICE = Notice("ready", "李女士", {"name": "李女士", "phone": "138"}, "车已修好", "可以取车了", "1:2/0")
SECRET = "SEC+/=?"


def robots(url: str) -> list[WeComRobot | DingTalkRobot | FeishuRobot]:
    return [
        WeComRobot("k", base_url=url),
        DingTalkRobot("t", SECRET, base_url=url, clock=lambda: 1_700_000_000.123),
        FeishuRobot("t", SECRET, base_url=url, clock=lambda: 1_700_000_000.9),
    ]


def test_wecom_writes_to_the_group_and_mentions_the_phone(provider):
    WeComRobot("k+1", base_url=provider.url).send(NOTICE, "138")
    (request,) = provider.requests
    assert request["path"] == "/cgi-bin/webhook/send"
    assert request["query"] == {"key": "k+1"}
    assert request["body"] == {
        "msgtype": "text",
        "text": {"content": "车已修好\n可以取车了", "mentioned_mobile_list": ["138"]},
    }


def test_dingtalk_signs_and_encodes_the_signature_once(provider):
    robots(provider.url)[1].send(NOTICE, "-")
    (request,) = provider.requests
    digest = hmac.new(SECRET.encode(), f"1700000000123\n{SECRET}".encode(), hashlib.sha256).digest()
    expected = base64.b64encode(digest).decode()
    assert request["query"] == {"access_token": "t", "timestamp": "1700000000123", "sign": expected}
    assert "%25" not in request["raw_query"]
    assert f"sign={expected}" in unquote(request["raw_query"])
    assert request["body"]["at"] == {"atMobiles": [], "isAtAll": False}


def test_feishu_signs_in_the_body(provider):
    robots(provider.url)[2].send(NOTICE, "-")
    (request,) = provider.requests
    digest = hmac.new(f"1700000000\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert request["path"] == "/open-apis/bot/v2/hook/t"
    assert request["body"]["timestamp"] == "1700000000"
    assert request["body"]["sign"] == base64.b64encode(digest).decode()
    assert request["body"]["content"] == {"text": "车已修好\n可以取车了"}


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_error_code_in_a_200_answer_is_a_refusal(provider, index):
    provider.answers = [(200, '{"errcode": 310000, "code": 19021, "errmsg": "sign not match"}')]
    with pytest.raises(ChannelRefused, match="sign not match"):
        robots(provider.url)[index].send(NOTICE, "-")


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize(
    "answer",
    [
        (200, '{"errcode": 45009, "code": 11232, "msg": "too many"}'),
        (200, "{}"),
        (200, "busy"),
        (502, ""),
        (429, "{}"),
    ],
)
def test_busy_providers_are_down(provider, index, answer):
    provider.answers = [answer]
    with pytest.raises(ChannelDown):
        robots(provider.url)[index].send(NOTICE, "-")


def test_robots_reach_their_group_whoever_it_is():
    assert WeComRobot("k").address({}) == "-"
    assert WeComRobot("k").address({"phone": "138"}) == "138"


def test_a_webhook_posts_the_notice_with_its_key(provider):
    channel = WebhookChannel(f"{provider.url}/in", field="wangwang", headers={"Authorization": "Bearer x"})
    assert channel.address({"name": "李"}) is None
    assert channel.address({"wangwang": "li88"}) == "li88"
    channel.send(NOTICE, "li88")
    (request,) = provider.requests
    assert request["headers"]["Idempotency-Key"] == "1:2/0"
    assert request["headers"]["Authorization"] == "Bearer x"
    assert request["body"] == {
        "key": "1:2/0",
        "to": "li88",
        "name": "李女士",
        "template": "ready",
        "subject": "车已修好",
        "text": "可以取车了",
    }


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, ChannelDown), (429, ChannelDown), (404, ChannelRefused), (302, ChannelRefused)],
)
def test_a_webhooks_status_tells_what_happened(provider, status, error):
    provider.answers = [(status, "{}")]
    with pytest.raises(error, match=str(status)):
        WebhookChannel(f"{provider.url}/in?token=secret").send(NOTICE, "x")


def test_nobody_there_is_down_and_the_message_keeps_secrets():
    with pytest.raises(ChannelDown) as caught:
        WebhookChannel("http://user:secret@127.0.0.1:9/x?token=secret").send(NOTICE, "x")
    assert "secret" not in str(caught.value)
    with pytest.raises((ChannelRefused, ChannelDown)):
        WebhookChannel("nonsense").send(NOTICE, "x")


def test_a_call_is_handed_to_a_process():
    channel = CallChannel(role="回访员")
    assert channel.address({"name": "车间主管"}) == "车间主管"
    assert channel.address({}) is None
    message = channel.send(NOTICE, "138")
    assert (message.name, message.key) == ("电话待拨", NOTICE.key)
    assert message.variables["phone"] == "138"
    assert message.variables["subject"] == "车已修好"
    assert message.variables["role"] == "回访员"


def test_the_memory_channel_keeps_notices():
    channel = MemoryChannel()
    channel.send(NOTICE, "x")
    assert channel.sent == [NOTICE]
    assert channel.address({}) == "?"


def test_apprise_fills_the_contact_into_its_url(provider):
    port = provider.url.rpartition(":")[2]
    channel = AppriseChannel(f"json://127.0.0.1:{port}/to/{{email}}")
    assert channel.address({"name": "李"}) is None
    address = channel.address({"email": "a@b.cn/?x"})
    assert address == f"json://127.0.0.1:{port}/to/a%40b.cn%2F%3Fx"
    channel.send(NOTICE, channel.address({"email": "li"}) or "")
    assert provider.requests[0]["path"] == "/to/li"
    assert provider.requests[0]["body"]["title"] == "车已修好"


def test_apprise_tells_failure(provider):
    provider.answers = [(500, "")]
    port = provider.url.rpartition(":")[2]
    with pytest.raises(ChannelDown):
        AppriseChannel("x").send(NOTICE, f"json://127.0.0.1:{port}/")
    with pytest.raises(ChannelRefused):
        AppriseChannel("x").send(NOTICE, "nonsense://x")


@pytest.mark.parametrize("scheme", ["dingtalk", "feishu", "wecombot"])
def test_apprises_robots_are_refused(scheme):
    with pytest.raises(ValueError, match="instead of apprise"):
        AppriseChannel(f"{scheme}://token")


def test_apprise_still_calls_a_refused_robot_message_a_success(provider, monkeypatch):
    """The reason for the robots of our own; when this fails, apprise has learnt to read the code."""
    provider.answers = [(200, '{"errcode": 310000, "errmsg": "sign not match"}')]
    monkeypatch.setattr(NotifyDingTalk, "notify_url", f"{provider.url}/robot/send?access_token={{token}}")
    service = apprise.Apprise()
    assert service.add("dingtalk://SEC@0123456789abcdef0123456789abcdef")
    assert service.notify(body="x")
    assert len(provider.requests) == 1
