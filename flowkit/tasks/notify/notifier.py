"""Sending notices: who, by which channel, once; a channel that is down never blocks a process.

The job type ``notify`` renders the notices and puts them into the outbox: the process goes on. Each
is then delivered on its own. The channels that the diagram prefers are tried in order; the first that
delivers is it. If none does and one of them was only *down*, the notice is tried again later. On the
last attempt, or at once where waiting would not help, the settings' fallback channels are tried; what
still can't be delivered is written down as such and stays in the outbox as an incident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flowkit.errors import InvalidPayload
from flowkit.tasks.books import Books, MemoryBooks
from flowkit.tasks.context import TaskContext
from flowkit.tasks.notify.channels import Channel, ChannelDown, ChannelRefused, MemoryChannel, Notice
from flowkit.tasks.notify.templates import Templates
from flowkit.tasks.outcomes import Retry, Undeliverable
from flowkit.tasks.outgoing import Message, Outgoing, deliver
from flowkit.tasks.registry import Header, task
from flowkit.tasks.shapes import Contact

if TYPE_CHECKING:
    from flowkit.tasks.notify.settings import NotifySettings

__all__ = ["CHANNELS", "Notifier"]

CHANNELS = ("电话", "短信", "邮件", "旺旺", "站内信", "企业微信", "钉钉", "飞书")
"""The channels' usual names; without a settings file each of them is kept in memory."""

NOTICE = "notice"
"""The outbox's kind of notices."""

Recipients = str | Contact | list[str | Contact]


class Notifier:
    """The job type ``notify``.

    Without settings nothing leaves the machine: every channel keeps what it is given (see ``notices``).
    """

    def __init__(
        self,
        templates: Templates,
        channels: Mapping[str, Channel] | None = None,
        *,
        books: Books | None = None,
        recipients: Mapping[str, list[dict[str, str]]] | None = None,
        default_channel: str = "短信",
        fallback: Iterable[str] = (),
        language: str = "zh",
        retry_after: timedelta = timedelta(minutes=1),
    ) -> None:
        self.templates = templates
        self.channels: Mapping[str, Channel] = channels or {name: MemoryChannel() for name in CHANNELS}
        self.books: Books = books if books is not None else MemoryBooks()
        self._recipients = dict(recipients or {})
        self._default = default_channel
        self._fallback = tuple(fallback)
        self._language = language
        self._retry_after = retry_after

    @classmethod
    def from_settings(
        cls, settings: NotifySettings, *, books: Books, templates: Templates | None = None
    ) -> Notifier:
        """A notifier as a settings file describes it."""
        from flowkit.tasks.notify.settings import build_channel  # noqa: PLC0415 only where there are settings

        source = Templates(settings.templates) if settings.templates is not None else templates
        return cls(
            source if source is not None else Templates({}),
            {name: build_channel(channel) for name, channel in settings.channels.items()},
            books=books,
            recipients=settings.recipients,
            default_channel=settings.default_channel,
            fallback=settings.fallback,
            language=settings.language,
            retry_after=settings.retry_after,
        )

    # ---- what would be sent ------------------------------------------------------------------

    def contacts(self, recipients: Recipients) -> list[Contact]:
        """The people meant: a text that names a role of the settings stands for its members."""
        found: list[Contact] = []
        for recipient in recipients if isinstance(recipients, list) else [recipients]:
            if isinstance(recipient, Contact):
                found.append(recipient)
            elif recipient in self._recipients:
                found += [
                    Contact.model_validate({"name": recipient} | it) for it in self._recipients[recipient]
                ]
            else:
                found.append(Contact(name=recipient))
        return found

    def preference(self, asked: str | None) -> list[str]:
        """The channels to try; raises InvalidPayload for a name that there is none of."""
        names = [name.strip() for name in (asked or "").replace("，", ",").split(",") if name.strip()]
        for name in names:
            if name not in self.channels:
                text = f"expected a channel, found {name!r}; there are: {', '.join(self.channels)}"
                raise InvalidPayload(f"notify: {text}", [("/channel", text)])
        return names or [self._default]

    def render(
        self, template: str, recipients: Recipients, data: Mapping[str, Any], ctx: TaskContext
    ) -> list[Notice]:
        """The notices that a job sends, one a recipient."""
        notices = []
        for index, contact in enumerate(self.contacts(recipients)):
            fields = contact.model_dump(exclude_none=True)
            known = {"recipient": contact.name, "business_key": ctx.business_key, **data}
            language = str(fields.get("language") or self._language)
            message = self.templates.render(template, known, language)
            key = f"{ctx.job_id}/{index}"
            notices.append(
                Notice(template, contact.name, fields, message.subject, message.text, key, message.missing)
            )
        return notices

    # ---- sending -----------------------------------------------------------------------------

    @task(
        "notify",
        title="发送通知",
        headers=[Header("template", "模板", required=True), Header("channel", "渠道(按先后,逗号分隔)")],
    )
    def notify(
        self,
        ctx: TaskContext,
        recipients: Recipients,
        data: dict[str, Any] | None = None,
        channel: str | None = None,
    ) -> None:
        """Render the template that the header ``template`` names and post it to every recipient.

        The variable ``channel``, or else the header, lists channels by preference, separated by commas.
        """
        template = ctx.headers.get("template", "")
        if not template:
            raise InvalidPayload(
                "notify expects the header 'template', found none", [("/template", "missing")]
            )
        names = self.preference(channel or ctx.headers.get("channel"))
        for notice in self.render(template, recipients, data or {}, ctx):
            payload = {
                "template": notice.template,
                "to": notice.to,
                "contact": notice.contact,
                "subject": notice.subject,
                "text": notice.text,
                "missing": notice.missing,
                "channels": names,
            }
            ctx.send(NOTICE, payload, key=notice.key, attempts=ctx.retries + 1)

    @deliver(NOTICE)
    def deliver(self, item: Outgoing) -> Message | None:
        """Bring a notice to its recipient; where the channel is a process, return its message.

        Raises Retry while a channel is down, Undeliverable when nothing is left to be tried.
        """
        it = item.payload
        notice = Notice(
            it["template"], it["to"], it["contact"], it["subject"], it["text"], item.key, tuple(it["missing"])
        )
        if self._status(item.key) == "sent":
            return None
        preferred = [name for name in it["channels"] if name in self.channels]
        reasons = [f"{name}: no such channel" for name in it["channels"] if name not in self.channels]
        channel, down, message = self._try(notice, preferred, reasons)
        if not channel and down and not item.last:
            raise Retry(f"{notice.to}: {'; '.join(reasons)}", after=self._retry_after)
        if not channel:
            rest = [name for name in self._fallback if name not in preferred]
            channel, _, message = self._try(notice, rest, reasons)
        status = "handed over" if message is not None else "sent" if channel else "undelivered"
        self._record(notice, item, status, channel, reasons)
        if not channel:
            raise Undeliverable(f"{notice.template} to {notice.to}: {'; '.join(reasons)}")
        return message

    def _try(self, notice: Notice, names: list[str], reasons: list[str]) -> tuple[str, bool, Message | None]:
        """The channel that delivered ("" if none did), whether one was only down, and what it returned."""
        down = False
        for name in names:
            channel = self.channels[name]
            address = channel.address(notice.contact)
            if address is None:
                reasons.append(f"{name}: no address")
                continue
            try:
                message = channel.send(notice, address)
            except ChannelDown as error:
                down = True
                reasons.append(f"{name}: {error}")
            except ChannelRefused as error:
                reasons.append(f"{name}: {error}")
            else:
                return name, False, message
        return "", down, None

    def _status(self, key: str) -> str | None:
        with self.books.transaction() as page:
            entry = page.get("notice", key)
        return None if entry is None else str(entry["status"])

    def _record(self, notice: Notice, item: Outgoing, status: str, channel: str, reasons: list[str]) -> None:
        entry = {
            "template": notice.template,
            "to": notice.to,
            "channel": channel,
            "status": status,
            "subject": notice.subject,
            "text": notice.text,
            "missing": list(notice.missing),
            "reasons": reasons,
            "at": item.now.isoformat(),
            "instance": item.instance_id,
            "element": item.element_id,
        }
        with self.books.transaction() as page:
            page.put("notice", notice.key, entry)

    def notices(self) -> list[dict[str, Any]]:
        """Everything sent or given up, oldest first."""
        with self.books.transaction() as page:
            entries = [entry for _, entry in page.items("notice")]
        return sorted(entries, key=lambda entry: str(entry["at"]))
