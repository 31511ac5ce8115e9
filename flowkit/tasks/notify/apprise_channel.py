"""Mail, SMS providers and the long tail, through apprise (extra ``notify``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flowkit.tasks.notify.channels import ChannelDown, ChannelRefused, Notice

__all__ = ["AppriseChannel"]

PLACEHOLDER = re.compile(r"\{(\w+)\}")
NOT_HERE = ("dingtalk", "feishu", "lark", "wecombot", "wxwork")
"""Robots for which apprise reports success when the provider refuses; flowkit has its own."""


class AppriseChannel:
    """An apprise URL, in which ``{phone}``, ``{email}`` … stand for the contact's fields.

    ``mailto://user:password@smtp.example?to={email}``
    """

    def __init__(self, url: str) -> None:
        scheme = url.partition(":")[0].lower()
        if scheme in NOT_HERE:
            raise ValueError(
                f"use the channel types wecom, dingtalk or feishu instead of apprise's {scheme}://"
            )
        self._url = url
        self._fields = PLACEHOLDER.findall(url)

    def address(self, contact: Mapping[str, Any]) -> str | None:
        """The URL for this contact; None where a field that the URL needs is lacking."""
        if any(not contact.get(field) for field in self._fields):
            return None
        return PLACEHOLDER.sub(lambda found: quote(str(contact[found[1]]), safe=""), self._url)

    def send(self, notice: Notice, address: str) -> None:
        """Hand the notice to apprise."""
        import apprise  # noqa: PLC0415 extra "notify"; half a second to import

        service = apprise.Apprise()
        if not service.add(address):
            raise ChannelRefused("apprise does not understand the channel's URL; see its documentation")
        if not service.notify(title=notice.subject, body=notice.text, body_format="text"):
            raise ChannelDown(f"apprise could not deliver by {address.partition(':')[0]}")
