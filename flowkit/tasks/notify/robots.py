"""Group robots of 企业微信 (WeCom), 钉钉 (DingTalk) and 飞书 (Feishu).

All three answer HTTP 200 when they refuse a message and tell so only in the body's error code, which
is read here (see ``docs/tasks.md`` for the comparison with apprise). A robot writes to its group;
contacts with a phone number are mentioned where the provider allows it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any

from flowkit.tasks.notify.channels import ChannelDown, ChannelRefused, Notice, post_json

__all__ = ["DingTalkRobot", "FeishuRobot", "WeComRobot", "dingtalk_sign", "feishu_sign"]

BUSY = frozenset({-1, 45009, 45033, 130101, 410100, 660026, 9499, 11232})
"""Error codes that mean *later*: system busy or sending too fast."""


def dingtalk_sign(secret: str, timestamp: str) -> str:
    """Base64 of HMAC-SHA256 over ``timestamp\\nsecret`` keyed by the secret; *not* URL-encoded."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def feishu_sign(secret: str, timestamp: str) -> str:
    """Base64 of HMAC-SHA256 over nothing, keyed by ``timestamp\\nsecret``."""
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _judge(provider: str, answer: Any, *fields: str) -> None:
    if not isinstance(answer, Mapping):
        raise ChannelDown(f"{provider} gave an answer that is no JSON object")
    code = next((answer[name] for name in fields if name in answer), None)
    if code == 0:
        return
    text = answer.get("errmsg") or answer.get("msg") or answer.get("StatusMessage") or "no reason given"
    if code is None or code in BUSY:
        raise ChannelDown(f"{provider}: error {code}: {text}")
    raise ChannelRefused(f"{provider}: error {code}: {text}")


def _content(notice: Notice) -> str:
    head = f"{notice.subject}\n" if notice.subject != notice.text else ""
    return f"{head}{notice.text}"


class _Robot:
    """A robot reaches its group whoever the contact is."""

    def address(self, contact: Mapping[str, Any]) -> str | None:
        """The phone number to mention, or a dash."""
        return str(contact.get("phone") or "-")


def _mentions(address: str) -> list[str]:
    return [] if address == "-" else [address]


class WeComRobot(_Robot):
    """企业微信群机器人: ``key`` is the last part of its webhook address."""

    def __init__(self, key: str, *, base_url: str = "https://qyapi.weixin.qq.com") -> None:
        self._key, self._base = key, base_url.rstrip("/")

    def send(self, notice: Notice, address: str) -> None:
        """Write to the group."""
        text = {"content": _content(notice), "mentioned_mobile_list": _mentions(address)}
        body = {"msgtype": "text", "text": text}
        answer = post_json(f"{self._base}/cgi-bin/webhook/send", body, params={"key": self._key})
        _judge("企业微信", answer, "errcode")


class DingTalkRobot(_Robot):
    """钉钉群机器人, signed where a ``secret`` is given (加签)."""

    def __init__(
        self,
        token: str,
        secret: str = "",
        *,
        base_url: str = "https://oapi.dingtalk.com",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._token, self._secret = token, secret
        self._base, self._clock = base_url.rstrip("/"), clock

    def send(self, notice: Notice, address: str) -> None:
        """Write to the group. The query is encoded once, by httpx."""
        params = {"access_token": self._token}
        if self._secret:
            timestamp = str(int(self._clock() * 1000))
            params |= {"timestamp": timestamp, "sign": dingtalk_sign(self._secret, timestamp)}
        body = {
            "msgtype": "text",
            "text": {"content": _content(notice)},
            "at": {"atMobiles": _mentions(address), "isAtAll": False},
        }
        _judge("钉钉", post_json(f"{self._base}/robot/send", body, params=params), "errcode")


class FeishuRobot(_Robot):
    """飞书群机器人, signed where a ``secret`` is given."""

    def __init__(
        self,
        token: str,
        secret: str = "",
        *,
        base_url: str = "https://open.feishu.cn",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._token, self._secret = token, secret
        self._base, self._clock = base_url.rstrip("/"), clock

    def send(self, notice: Notice, address: str) -> None:
        """Write to the group."""
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": _content(notice)}}
        if self._secret:
            timestamp = str(int(self._clock()))
            body |= {"timestamp": timestamp, "sign": feishu_sign(self._secret, timestamp)}
        answer = post_json(f"{self._base}/open-apis/bot/v2/hook/{self._token}", body)
        _judge("飞书", answer, "code", "StatusCode")
