"""The shapes that the standard handlers take and give: contacts, parts, signatures, evidence, money."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Contact", "Document", "Evidence", "Level", "Money", "Part", "Signature", "named"]

Money = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]
"""An amount in yuan, to the fen, never negative."""


class _Shape(BaseModel):
    """Forms may collect more than a handler reads; what it reads is checked."""

    model_config = ConfigDict(extra="allow")


class Part(_Shape):
    """A part (备品/配件) and how many of it."""

    part_no: str = Field(min_length=1)
    quantity: int = Field(default=1, ge=0)
    name: str | None = None


class Signature(_Shape):
    """Who signed in which role, and how: 亲签, 公章, 短信验证码, J标记."""

    role: str
    name: str | None = None
    method: str | None = None
    at: str | None = None


class Evidence(_Shape):
    """A proof of some kind and where it is kept."""

    kind: str
    reference: str | None = None


class Document(_Shape):
    """One paper: its fields and signatures."""

    kind: str
    fields: dict[str, Any] = Field(default_factory=dict)
    signatures: list[Signature] = Field(default_factory=list)


class Contact(_Shape):
    """Somebody who can be reached; every address is optional."""

    name: str = ""
    phone: str | None = None
    email: str | None = None
    wangwang: str | None = None
    address: str | None = None


class Level(_Shape):
    """One level of an approval chain: ``role`` decides amounts above ``above``."""

    role: str
    above: Decimal = Decimal(0)


def named(value: Contact | str | None) -> str:
    """The name of a contact, or the text that stands for one."""
    return value if isinstance(value, str) else value.name if value else ""
