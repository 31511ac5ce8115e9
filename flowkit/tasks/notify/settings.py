"""The notification settings file: which channels there are and how people are reached.

.. code-block:: yaml

    templates: templates            # a directory beside this file
    default_channel: 短信
    fallback: [站内信]              # tried when a channel stays down
    channels:
      电话: {type: calls, role: 客服}
      邮件: {type: apprise, url: "env:MAIL_URL"}
      企业微信: {type: wecom, key: "env:WECOM_KEY"}
      钉钉: {type: dingtalk, token: "env:DING_TOKEN", secret: "env:DING_SECRET"}
      站内信: {type: webhook, url: "https://intranet.example/notices", field: name}
    recipients:
      服务顾问: [{name: 王芳, phone: "13800000000", email: wang@example.com}]

A value ``env:NAME`` is read from the environment, so that secrets stay out of the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity
from flowkit.tasks.notify.channels import CallChannel, Channel, MemoryChannel, WebhookChannel
from flowkit.tasks.yaml_file import read_yaml

__all__ = ["NotifySettings", "build_channel", "read_settings"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemorySettings(_Settings):
    """Kept in memory: nothing leaves the process."""

    type: Literal["memory"]


class CallsSettings(_Settings):
    """Calls for people to make: user tasks of ``role`` in the process that starts by ``message``."""

    type: Literal["calls"]
    role: str = "客服"
    message: str = "电话待拨"


class WebhookSettings(_Settings):
    """A JSON POST; ``field`` is the contact's field that is sent as ``to``."""

    type: Literal["webhook"]
    url: SecretStr
    field: str = "name"
    headers: dict[str, SecretStr] = Field(default_factory=dict)


class AppriseSettings(_Settings):
    """An apprise URL with ``{phone}``, ``{email}`` … for the contact's fields."""

    type: Literal["apprise"]
    url: SecretStr


class WeComSettings(_Settings):
    """企业微信群机器人."""

    type: Literal["wecom"]
    key: SecretStr
    base_url: str = "https://qyapi.weixin.qq.com"


class DingTalkSettings(_Settings):
    """钉钉群机器人."""

    type: Literal["dingtalk"]
    token: SecretStr
    secret: SecretStr = SecretStr("")
    base_url: str = "https://oapi.dingtalk.com"


class FeishuSettings(_Settings):
    """飞书群机器人."""

    type: Literal["feishu"]
    token: SecretStr
    secret: SecretStr = SecretStr("")
    base_url: str = "https://open.feishu.cn"


ChannelSettings = Annotated[
    MemorySettings
    | CallsSettings
    | WebhookSettings
    | AppriseSettings
    | WeComSettings
    | DingTalkSettings
    | FeishuSettings,
    Field(discriminator="type"),
]


class NotifySettings(_Settings):
    """A settings file, checked."""

    templates: Path | None = None
    language: str = "zh"
    default_channel: str = "短信"
    fallback: tuple[str, ...] = ()
    retry_after: timedelta = timedelta(minutes=1)
    channels: dict[str, ChannelSettings] = Field(default_factory=dict)
    recipients: dict[str, list[dict[str, str]]] = Field(default_factory=dict)


def build_channel(settings: ChannelSettings) -> Channel:
    """The channel that ``settings`` describe; providers' modules are imported only when asked for."""
    from flowkit.tasks.notify.apprise_channel import AppriseChannel  # noqa: PLC0415
    from flowkit.tasks.notify.robots import DingTalkRobot, FeishuRobot, WeComRobot  # noqa: PLC0415

    match settings:
        case MemorySettings():
            return MemoryChannel()
        case CallsSettings(message=message, role=role):
            return CallChannel(message, role)
        case WebhookSettings(url=url, field=field, headers=headers):
            plain = {name: value.get_secret_value() for name, value in headers.items()}
            return WebhookChannel(url.get_secret_value(), field=field, headers=plain)
        case AppriseSettings(url=url):
            return AppriseChannel(url.get_secret_value())
        case WeComSettings(key=key, base_url=base):
            return WeComRobot(key.get_secret_value(), base_url=base)
        case DingTalkSettings(token=token, secret=secret, base_url=base):
            return DingTalkRobot(token.get_secret_value(), secret.get_secret_value(), base_url=base)
        case FeishuSettings(token=token, secret=secret, base_url=base):
            return FeishuRobot(token.get_secret_value(), secret.get_secret_value(), base_url=base)


def _refuse(file: str, message: str, hint: str = "") -> InvalidModel:
    return InvalidModel([Finding("settings", Severity.ERROR, Location(file), message, hint)])


def _from_environment(value: Any, environment: Mapping[str, str], file: str) -> Any:
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in environment:
            raise _refuse(file, f"the environment has no variable {name!r}", "Set it, or remove the channel.")
        return environment[name]
    if isinstance(value, dict):
        return {key: _from_environment(item, environment, file) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_environment(item, environment, file) for item in value]
    return value


def read_settings(path: Path | str, environment: Mapping[str, str] | None = None) -> NotifySettings:
    """Read a settings file; raises InvalidModel telling what is wrong in it."""
    path = Path(path)
    file = str(path)
    content = _from_environment(
        read_yaml(path) or {}, os.environ if environment is None else environment, file
    )
    try:
        settings = NotifySettings.model_validate(content)
    except ValidationError as error:
        findings = [
            Finding(
                "settings",
                Severity.ERROR,
                Location(file),
                f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}: {fault['msg']}",
            )
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise InvalidModel(findings) from None
    for name in (settings.default_channel, *settings.fallback):
        if name not in settings.channels:
            known = ", ".join(settings.channels) or "none"
            raise _refuse(file, f"expected the name of a channel, found {name!r}", f"There are: {known}.")
    if settings.templates is not None and not settings.templates.is_absolute():
        settings = settings.model_copy(update={"templates": path.parent / settings.templates})
    return settings
