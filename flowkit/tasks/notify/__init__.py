"""Notifications: templates, recipients and channels behind the job type ``notify``."""

from __future__ import annotations

from flowkit.tasks.notify.channels import Channel, ChannelDown, ChannelRefused, MemoryChannel, Notice
from flowkit.tasks.notify.notifier import Notifier
from flowkit.tasks.notify.settings import NotifySettings, read_settings
from flowkit.tasks.notify.templates import Templates

__all__ = [
    "Channel",
    "ChannelDown",
    "ChannelRefused",
    "MemoryChannel",
    "Notice",
    "Notifier",
    "NotifySettings",
    "Templates",
    "read_settings",
]
