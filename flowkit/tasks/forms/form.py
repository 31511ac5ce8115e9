"""One form: read from bytes, then asked to validate what somebody filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from flowkit.errors import InvalidModel, InvalidPayload
from flowkit.findings import Finding, Location, Severity
from flowkit.tasks.forms.cleaning import without_empty
from flowkit.tasks.forms.messages import problem, speaks_chinese
from flowkit.tasks.jsonable import NotJson, to_json_value

__all__ = ["Form", "read_form"]

MAX_BYTES = 1_000_000
MAX_PROBLEMS = 50
MAX_DEPTH = 100


class Form:
    """A form that variables are checked against.

    ``id`` is what a diagram's ``formId`` names; ``schema`` is the JSON Schema; ``source`` is the parsed
    file, for the page that draws the form; ``title`` is the form's own title.
    """

    def __init__(
        self, form_id: str, schema: Mapping[str, Any], *, source: Mapping[str, Any] | None = None
    ) -> None:
        self.id = form_id
        self.schema: Mapping[str, Any] = schema
        self.source: Mapping[str, Any] = schema if source is None else source
        self.title = str(self.source.get("title") or schema.get("title") or "")
        self.chinese = speaks_chinese(schema)

    def __repr__(self) -> str:
        return f"<Form {self.id!r}>"

    @classmethod
    def from_bytes(cls, data: bytes, *, file: str = "") -> Form:
        """The same as :func:`read_form`."""
        return read_form(data, file=file)

    @property
    def is_form_js(self) -> bool:
        """Whether the file was a form of form-js rather than a JSON Schema."""
        return "components" in self.source

    @cached_property
    def _conditions(self) -> tuple[Any, ...]:
        from flowkit.tasks.forms.form_js import hide_conditions  # noqa: PLC0415 FEEL, where needed

        return hide_conditions(self.source) if self.is_form_js else ()

    def _schema_for(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self._conditions:
            return self.schema
        from flowkit.tasks.forms.form_js import hidden_paths, to_schema  # noqa: PLC0415

        return to_schema(self.source, hidden=hidden_paths(self._conditions, variables))

    def clean(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """``variables`` without the empty text and nulls that a browser sends for unfilled fields."""
        try:
            plain = to_json_value(variables)
        except NotJson as error:
            raise InvalidPayload(f"form {self.id}: {error}", [(error.path, str(error))]) from None
        cleaned: dict[str, Any] = without_empty(plain, self.schema)
        return cleaned

    def validate(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Check what was filled in and return it cleaned (see :meth:`clean`).

        Raises InvalidPayload with one ``(JSON pointer, message)`` a fault, at most fifty. Messages
        name fields by their titles, and are Chinese where the titles are.
        """
        from flowkit.tasks.forms.validator import faults  # noqa: PLC0415 jsonschema is heavy

        cleaned = self.clean(variables)
        schema = self._schema_for(cleaned)
        problems = []
        for error in faults(schema, cleaned, self.id):
            problems.append(problem(error, schema, chinese=self.chinese))
            if len(problems) == MAX_PROBLEMS:
                break
        if problems:
            named = self.title or self.id
            texts = (
                "；".join(text for _, text in problems) if self.chinese else "; ".join(t for _, t in problems)
            )
            head = f"表单「{named}」" if self.chinese else f"form '{named}'"
            raise InvalidPayload(f"{head}: {texts}", problems)
        return cleaned


def _refuse(
    file: str, rule: str, message: str, hint: str = "", line: int = 0, column: int = 0
) -> InvalidModel:
    location = Location(file, line, column)
    return InvalidModel([Finding(rule, Severity.ERROR, location, message, hint)])


def _load(data: bytes, file: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise _refuse(file, "form-size", f"the form has {len(data):,} bytes, at most {MAX_BYTES:,} are read")
    try:
        content = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise _refuse(
            file,
            "form-json",
            f"this is no JSON: {error.msg}",
            "Expected a form in JSON.",
            error.lineno,
            error.colno,
        ) from None
    except (ValueError, RecursionError) as error:
        text = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _refuse(
            file, "form-json", f"this is no JSON: {text}", "Expected a form in UTF-8 JSON."
        ) from None
    if not isinstance(content, dict):
        raise _refuse(file, "form-json", f"expected a JSON object, found {type(content).__name__}")
    return content


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return found


def _stem(file: str) -> str:
    name = PurePosixPath(file.replace("\\", "/")).name
    for ending in (".schema.json", ".form.json", ".json", ".form"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def read_form(data: bytes, *, file: str = "") -> Form:
    """Read a JSON Schema or a form of form-js; raises InvalidModel for anything else.

    The form's id is the ``id`` of a form-js form, the last part of a schema's ``$id`` (without its
    extension), or the file's name without extension. References to other files or addresses are
    refused, and so is any keyword, format or component that would not be checked.
    """
    content = _load(data, file)
    findings: list[Finding] = []
    if isinstance(content.get("components"), list):
        from flowkit.tasks.forms.form_js import check_form_js, to_schema  # noqa: PLC0415

        findings = check_form_js(content, file)
        schema = {} if findings else to_schema(content)
        form_id = str(content.get("id") or "")
    else:
        from flowkit.tasks.forms.schema import check_schema  # noqa: PLC0415

        findings = check_schema(content, file)
        schema = content
        form_id = _stem(str(content.get("$id") or "").rstrip("/#"))
    if findings:
        raise InvalidModel(findings)
    form_id = form_id or _stem(file)
    if not form_id:
        raise _refuse(
            file, "form-id", "the form has no id", 'Give it one: "$id": "…" in a schema, "id" in a form.'
        )
    return Form(form_id, schema, source=content)
