"""What a channel is, and the channels that need no provider: memory, calls, webhook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from flowkit.tasks.outgoing import Message

if TYPE_CHECKING:
    import httpx

__all__ = [
    "CallChannel",
    "Channel",
    "ChannelDown",
    "ChannelRefused",
    "MemoryChannel",
    "Notice",
    "WebhookChannel",
    "post_json",
]

TIMEOUT_SECONDS = 10.0
MAX_ANSWER = 100_000
RETRY_STATUS = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to one recipient."""

    template: str
    to: str
    """The recipient's name or role."""
    contact: Mapping[str, Any]
    subject: str
    text: str
    key: str
    """Idempotency key: the same for every attempt."""
    missing: tuple[str, ...] = field(default=())


class ChannelDown(Exception):
    """The channel can't deliver now; it may later."""


class ChannelRefused(Exception):
    """The provider understood and refused: trying again would not help."""


class Channel(Protocol):
    """A way to reach people."""

    def address(self, contact: Mapping[str, Any]) -> str | None:
        """Where the channel would reach this contact; None if it can't."""

    def send(self, notice: Notice, address: str) -> Message | None:
        """Deliver, or return the message that makes a process deliver; raises ChannelDown or
        ChannelRefused."""


class MemoryChannel:
    """Keeps what it is given in ``sent``: for tests, simulation and first steps."""

    def __init__(self) -> None:
        self.sent: list[Notice] = []

    def address(self, contact: Mapping[str, Any]) -> str | None:
        """Everybody can be reached, by name."""
        return str(contact.get("name") or "?")

    def send(self, notice: Notice, address: str) -> None:
        """Keep the notice."""
        self.sent.append(notice)


class CallChannel:
    """Calls for people to make (电话): each starts a process by ``message``, with a user task for ``role``.

    The shipped process ``phone_call`` is one: who calls records the outcome there, and nobody answering
    means another try. The variables are ``to``, ``phone``, ``subject``, ``text``, ``template``, ``role``
    and ``call_no``, the notice's idempotency key.
    """

    def __init__(self, message: str = "电话待拨", role: str = "客服") -> None:
        self._message, self._role = message, role

    def address(self, contact: Mapping[str, Any]) -> str | None:
        """The phone number; colleagues are called by name or role."""
        found = contact.get("phone") or contact.get("name")
        return str(found) if found else None

    def send(self, notice: Notice, address: str) -> Message:
        """Hand the call to the process."""
        call = {
            "call_no": notice.key,
            "to": notice.to,
            "phone": address,
            "subject": notice.subject,
            "text": notice.text,
            "template": notice.template,
            "role": self._role,
        }
        return Message(self._message, notice.key, call)


class WebhookChannel:
    """Posts the notice as JSON to an address of one's own: 旺旺, 站内信 or any other gateway.

    The idempotency key goes along as the header ``Idempotency-Key``. Any status from 200 to 299 is
    success; 408, 425, 429, 5xx and no answer mean that the channel is down.
    """

    def __init__(self, url: str, *, field: str = "name", headers: Mapping[str, str] | None = None) -> None:
        self._url, self._field = url, field
        self._headers = dict(headers or {})

    def address(self, contact: Mapping[str, Any]) -> str | None:
        """The contact's field that this webhook addresses by."""
        found = contact.get(self._field)
        return str(found) if found else None

    def send(self, notice: Notice, address: str) -> None:
        """Post the notice."""
        body = {
            "key": notice.key,
            "to": address,
            "name": notice.to,
            "template": notice.template,
            "subject": notice.subject,
            "text": notice.text,
        }
        post_json(self._url, body, headers=self._headers | {"Idempotency-Key": _header(notice.key)})


def _header(text: str) -> str:
    """Header values are ASCII."""
    return re.sub(r"[^\x21-\x7e]", "_", text)


def post_json(
    url: str,
    body: Mapping[str, Any],
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """POST ``body`` and give the parsed answer, or None where it is no JSON.

    Redirects are not followed. Raises ChannelDown or ChannelRefused; messages never show the address's
    query, which may hold a secret.
    """
    import httpx  # noqa: PLC0415 extra "notify"

    try:
        answer = httpx.post(url, json=dict(body), params=params, headers=headers, timeout=TIMEOUT_SECONDS)
    except httpx.InvalidURL as error:
        raise ChannelRefused(f"the channel's address is no URL: {error}") from None
    except httpx.HTTPError as error:
        raise ChannelDown(f"{_host(url)} did not answer: {type(error).__name__}") from None
    if answer.status_code in RETRY_STATUS or answer.status_code >= 500:
        raise ChannelDown(f"{_host(url)} answered {answer.status_code}")
    if not answer.is_success:
        raise ChannelRefused(f"{_host(url)} answered {answer.status_code}: {answer.text[:200]}")
    return _parsed(answer)


def _parsed(answer: httpx.Response) -> Any:
    if len(answer.content) > MAX_ANSWER:
        return None
    try:
        return answer.json()
    except ValueError:
        return None


def _host(url: str) -> str:
    from urllib.parse import urlsplit  # noqa: PLC0415 error paths only

    return urlsplit(url).netloc.rpartition("@")[2]
