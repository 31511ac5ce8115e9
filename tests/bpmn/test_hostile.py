"""Files that mean harm, or are only broken: a clear error, in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from flowkit.bpmn import lint, parse
from flowkit.bpmn.xml import MAX_BYTES
from flowkit.errors import InvalidModel

_OPEN = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'
_SOUND = f'{_OPEN}<process id="p" isExecutable="true"><task id="检查" name="检查"/></process></definitions>'


def refusal(data: bytes) -> str:
    """The one rule that refuses ``data``; every refusal says where and what to do."""
    with pytest.raises(InvalidModel) as caught:
        parse(data, file="x.bpmn")
    (finding,) = caught.value.findings
    assert finding.location.file == "x.bpmn"
    assert len(str(finding)) < 600
    return finding.rule


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))

HOSTILE = {
    "entity bomb": (f'<!DOCTYPE x [<!ENTITY e0 "ha">{BOMB}]><definitions a="&e9;"/>', "document-type"),
    "external entity": ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "document-type"),
    "external dtd": ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>', "document-type"),
    "parameter entity": ('<!DOCTYPE x [<!ENTITY % e SYSTEM "file:///dev/zero"> %e;]><x/>', "document-type"),
    "undefined entity": (f"{_OPEN}&nbsp;</definitions>", "not-xml"),
    "truncated": (_SOUND[: len(_SOUND) // 2], "not-xml"),
    "empty": ("", "not-xml"),
    "noise": ("\x00\x01\x02", "not-xml"),
    "json": ('{"definitions": {}}', "not-xml"),
    "html": ("<html><body>404</body></html>", "not-bpmn"),
    "two roots": (_SOUND + _SOUND, "not-xml"),
    "bpmn 1": ('<definitions xmlns="http://schema.omg.org/spec/BPMN/1.2"/>', "not-bpmn"),
    "deep": (_OPEN + "<subProcess>" * 5_000, "too-deep"),
    "many attributes": (
        _OPEN.replace(">", " ") + " ".join(f'a{n}="1"' for n in range(600)) + "/>",
        "too-large",
    ),
    "huge attribute": (f'{_OPEN}<process id="{"x" * 2_000_000}"/></definitions>', "too-large"),
    "many prefixes": (
        _OPEN.replace(">", " ") + " ".join(f'xmlns:p{n}="{n}"' for n in range(300)) + "/>",
        "too-large",
    ),
    "many namespaces": (_OPEN + '<a xmlns="x"/>' * 20_001 + "</definitions>", "too-large"),
    "many elements": (_OPEN + "<a/>" * 100_001 + "</definitions>", "too-large"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file_is_refused_by_name(case: str) -> None:
    text, rule = HOSTILE[case]
    assert refusal(text.encode()) == rule


def test_fifty_megabytes_of_noise_cost_neither_time_nor_memory() -> None:
    data = b"<a>" * (50_000_000 // 3)
    tracemalloc.start()
    begun = time.perf_counter()
    assert refusal(data) == "too-large"
    assert time.perf_counter() - begun < 1
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_noise_of_the_allowed_size_is_refused_in_bounded_time() -> None:
    begun = time.perf_counter()
    assert refusal(b"\xff\xfe\x00" * (MAX_BYTES // 3)) in ("not-xml", "invalid-encoding")
    assert refusal(b"<!--" + b"- " * (MAX_BYTES // 4)) == "not-xml"
    assert refusal((_OPEN + "x" * (MAX_BYTES - 200)).encode()) == "not-xml"
    assert time.perf_counter() - begun < 20


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk", "big5hkscs"])
def test_common_encodings_are_read(encoding: str) -> None:
    declared = {"utf-8-sig": "utf-8", "big5hkscs": "big5-hkscs"}.get(encoding, encoding)
    text = f'<?xml version="1.0" encoding="{declared}"?>{_SOUND}'
    if encoding == "big5hkscs":
        text = text.replace("检查", "檢查")
    node = parse(text.encode(encoding)).processes[0].nodes[0]
    assert node.name in ("检查", "檢查")
    assert node.id == node.name


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="utf-7"?><x/>',
        b'<?xml version="1.0" encoding="utf-32"?><x/>',
        b'<?xml version="1.0" encoding="cp037"?><x/>',
        b'<?xml version="1.0" encoding="rot13"?><x/>',
        f'<?xml version="1.0" encoding="utf-8"?>{_SOUND}'.encode("gbk"),
        f'<?xml version="1.0" encoding="ascii"?>{_SOUND}'.encode(),
        b"\xff\xfe\x00",
    ],
)
def test_wrong_encoding_is_refused(data: bytes) -> None:
    assert refusal(data) == "invalid-encoding"


def test_finding_tells_line_and_column() -> None:
    with pytest.raises(InvalidModel) as caught:
        parse(b"<definitions>\n  <process>\n", file="a.bpmn")
    assert caught.value.findings[0].location.line == 3


def test_columns_count_characters_not_bytes() -> None:
    data = f'{_OPEN}\n<process id="p"><task name="检查车辆"/><task id="t"/></process></definitions>'
    task = parse(data.encode()).processes[0].nodes[1]
    assert (task.location.line, task.location.column) == (
        2,
        len('<process id="p"><task name="检查车辆"/>') + 1,
    )


def test_nothing_outside_the_bytes_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("opened something")

    monkeypatch.setattr("builtins.open", forbidden)
    monkeypatch.setattr("socket.socket", forbidden)
    data = f'{_OPEN}<import namespace="x" location="file:///etc/passwd" importType="y"/></definitions>'
    assert parse(data.encode(), file="/etc/passwd").imports == (("y", "x", "file:///etc/passwd"),)


def test_joins_that_would_take_minutes_to_compile_are_refused() -> None:
    gateways = "".join(f'<inclusiveGateway id="g{n}"/>' for n in range(1_500))
    definitions = parse(f'{_OPEN}<process id="p">{gateways}</process></definitions>'.encode())
    assert "too-large" in {finding.rule for finding in definitions.findings}


def test_more_expressions_than_can_be_compiled_at_deployment_are_refused() -> None:
    inputs = "".join(f'<zeebe:input source="={n}+{"a+" * 500}a" target="v{n}"/>' for n in range(210))
    data = f"""{_OPEN.replace(">", ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">')}
      <process id="p" isExecutable="true"><startEvent id="s"/>
      <sequenceFlow id="f" sourceRef="s" targetRef="t"/>
      <serviceTask id="t"><extensionElements><zeebe:taskDefinition type="x"/><zeebe:ioMapping>{inputs}
      </zeebe:ioMapping></extensionElements></serviceTask><sequenceFlow id="g" sourceRef="t" targetRef="e"/>
      <endEvent id="e"/></process></definitions>"""
    found = [finding.message for finding in lint(parse(data.encode()))]
    assert any("have more than 200,000 characters" in message for message in found)


def test_a_name_of_a_million_letters_does_not_fill_the_report() -> None:
    definitions = parse(
        f'{_OPEN}<process id="p" isExecutable="true" name="{"x" * 900_000}"/></definitions>'.encode()
    )
    assert all(len(str(finding)) < 1_000 for finding in lint(definitions))
