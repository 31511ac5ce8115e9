"""Event logs: what is written can be read again, whatever the names are; bad files are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowkit.errors import InvalidPayload
from flowkit.export import LogCase, WorkRecord, case_of, open_log, read_log, write_log
from flowkit.kernel import protocol as p

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def work(name: str, minute: int, resource: str = "李工") -> WorkRecord:
    begin = START + timedelta(minutes=minute)
    return WorkRecord(
        name, f"id_{minute}", begin, begin + timedelta(minutes=1), begin + timedelta(minutes=5), resource
    )


CASES = [
    LogCase("WO-1", {"车牌": "京A12345", "amount": 12.5}, [work("受理 <&>", 0), work('维修"', 10)]),
    LogCase("WO-2", {"车牌": "沪B\u0007", "amount": 3}, [work("受理 <&>", 3, "")]),
]


@pytest.mark.parametrize("ending", ["csv", "xes"])
def test_a_log_is_read_as_it_was_written(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"log.{ending}"
    assert write_log(path, CASES) == 2
    found = list(read_log(path))
    assert [case.name for case in found] == ["WO-1", "WO-2"]
    assert [list(case.work) for case in found] == [list(case.work) for case in CASES]
    assert found[0].attributes["车牌"] == "京A12345"
    assert float(found[0].attributes["amount"]) == 12.5


def test_ocel_relates_events_to_case_and_resource(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonocel"
    write_log(path, CASES)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert [one["name"] for one in content["objectTypes"]] == ["case", "resource"]
    assert len(content["events"]) == 3
    first = content["events"][0]
    assert {one["objectId"] for one in first["relationships"]} == {"WO-1", "resource:李工"}
    assert {one["id"] for one in content["objects"]} == {"WO-1", "WO-2", "resource:李工"}
    assert {event["type"] for event in content["events"]} == {one["name"] for one in content["eventTypes"]}


@pytest.mark.parametrize("ending", ["csv", "xes", "jsonocel"])
def test_an_empty_log_is_a_valid_file(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"log.{ending}"
    open_log(path).close()
    if ending == "jsonocel":
        assert json.loads(path.read_text())["events"] == []
    else:
        assert list(read_log(path)) == []


def test_columns_of_other_tools_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "case_id,activity,start_time,end_time,resource\n1,A,2026-01-05T09:00,2026-01-05T09:05,Li\n"
    )
    (case,) = read_log(path)
    assert case.work[0].completed - case.work[0].started == timedelta(minutes=5)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "case_id,activity,end_time\n1,A,yesterday\n", "case_id,activity\n1,A\n"]
)
def test_a_csv_that_is_no_log_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(InvalidPayload):
        list(read_log(path))


@pytest.mark.parametrize(
    "text",
    [
        "", "<log><trace>", "not xml",
        '<log><trace><event><date key="time:timestamp" value="soon"/></event></trace></log>',
    ],
)  # fmt: skip
def test_a_file_that_is_no_xes_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.xes"
    path.write_text(text)
    with pytest.raises(InvalidPayload):
        list(read_log(path))


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    path = tmp_path / "log.xes"
    path.write_text(
        f'<!DOCTYPE log [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
        '<log><trace><string key="concept:name" value="1"/>'
        '<string key="a" value="b">&x;</string></trace></log>'
    )
    (case,) = read_log(path)
    assert "secret" not in str(case)


def test_history_becomes_a_case() -> None:
    def at(minute: int) -> datetime:
        return START + timedelta(minutes=minute)

    opened = p.UserTaskOpened(
        2, 1, "Check", "检查", None, ("班组",), (), None, None, 50, None, "latest", "", {}
    )
    claimed = p.UserTaskUpdated(2, "李工", ("班组",), (), None, None, 50, "李工")
    history = [
        (at(0), p.InstanceStarted("auto", "digest", "WO-1", None, {"plate": "京A", "big": [1]})),
        (at(0), opened),
        (at(3), claimed),
        (at(9), p.UserTaskClosed(2, "completed", "李工", {})),
        (at(9), p.JobOpened(3, 1, "Send", "mail", 3, {}, {})),
        (at(10), p.JobClosed(3, "cancelled")),
    ]
    case = case_of("i-1", history, {"Check": "检查"})
    assert case.attributes == {"plate": "京A", "business_key": "WO-1"}
    assert case.work == [WorkRecord("检查", "Check", at(0), at(3), at(9), "李工")]
