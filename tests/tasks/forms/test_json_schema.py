"""Forms written as JSON Schema."""

from __future__ import annotations

import json
import time

import pytest

from flowkit.errors import InvalidModel, InvalidPayload
from flowkit.tasks.forms import Form, read_form

RECEPTION = {
    "$id": "forms/reception.json",
    "title": "接车登记表",
    "type": "object",
    "required": ["plate", "mileage", "three_covers", "signature"],
    "properties": {
        "plate": {"title": "车牌号", "type": "string", "pattern": "^[\u4e00-\u9fa5][A-Z][A-Z0-9]{5,6}$"},
        "mileage": {"title": "行驶里程", "type": "integer", "minimum": 0},
        "three_covers": {"title": "安装三件套", "const": True},
        "note": {"title": "备注", "type": "string", "maxLength": 5},
        "ready_at": {"title": "预估完工时间", "type": "string", "format": "date-time"},
        "items": {
            "title": "维修项目",
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"title": "项目名称", "type": "string"}},
            },
        },
        "signature": {"title": "车主签字", "$ref": "#/$defs/signature"},
    },
    "$defs": {
        "signature": {
            "title": "客户签字",
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"title": "姓名", "type": "string"}, "at": {"type": ["string", "null"]}},
        }
    },
}
GOOD = {"plate": "京A12345", "mileage": 10, "three_covers": True, "signature": {"name": "李"}}


def form(schema: object, file: str = "") -> Form:
    return read_form(json.dumps(schema).encode(), file=file)


def problems(schema: object, value: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidPayload) as caught:
        form(schema, "f.json").validate(value)
    return list(caught.value.problems)


def refused(schema: object) -> str:
    with pytest.raises(InvalidModel) as caught:
        form(schema, "f.json")
    return str(caught.value)


def test_a_filled_form_is_returned_without_what_nobody_filled_in():
    given = GOOD | {"note": "", "ready_at": None, "signature": {"name": "李", "at": None}, "extra": ""}
    assert form(RECEPTION).validate(given) == GOOD | {"signature": {"name": "李", "at": None}, "extra": ""}


def test_the_id_comes_from_the_schema_or_from_the_file():
    assert form(RECEPTION, "x/other.json").id == "reception"
    assert form({"type": "object"}, "x/work_order.json").id == "work_order"
    assert "form-id" in refused_without_name()


def refused_without_name() -> str:
    with pytest.raises(InvalidModel) as caught:
        read_form(b"{}")
    return str(caught.value)


def test_faults_are_told_by_chinese_title_with_a_pointer():
    given = {
        "plate": "A1",
        "mileage": -1,
        "three_covers": False,
        "note": "太长的备注了",
        "ready_at": "tomorrow",
        "items": [{"name": "换机油"}, {}],
        "signature": {"name": ""},
    }
    assert sorted(problems(RECEPTION, given)) == [
        ("/items/1/name", "「维修项目 › 第2项 › 项目名称」必填"),
        ("/mileage", "「行驶里程」不能小于 0"),
        ("/note", "「备注」最多 5 个字"),
        ("/plate", "「车牌号」格式不对(应符合 ^[一-龥][A-Z][A-Z0-9]{5,6}$)"),
        ("/ready_at", "「预估完工时间」不是有效的日期时间(如 2025-03-01T09:00:00)"),
        ("/signature/name", "「车主签字 › 姓名」必填"),
        ("/three_covers", "「安装三件套」必须勾选"),
    ]


def test_a_required_field_left_empty_is_missing():
    assert problems(RECEPTION, GOOD | {"plate": ""}) == [("/plate", "「车牌号」必填")]
    assert ("/three_covers", "「安装三件套」必须勾选") in problems(RECEPTION, {})


def test_the_message_names_the_form():
    with pytest.raises(InvalidPayload, match="表单「接车登记表」: 「行驶里程」应为整数"):
        form(RECEPTION).validate(GOOD | {"mileage": "x"})


def test_a_form_without_chinese_titles_speaks_english():
    schema = {
        "title": "Order",
        "required": ["qty"],
        "properties": {"qty": {"title": "Quantity", "type": "integer"}},
    }
    assert problems(schema, {}) == [("/qty", "Quantity is required")]
    assert problems(schema, {"qty": "3"}) == [("/qty", "Quantity expected integer")]


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ({"enum": ["a", "b"]}, "c", "f must be one of a, b"),
        ({"const": 3}, 4, "f must be 3"),
        ({"multipleOf": 2}, 3, "f must be a multiple of 2"),
        ({"exclusiveMinimum": 2}, 2, "f must be greater than 2"),
        ({"exclusiveMaximum": 2}, 2, "f must be less than 2"),
        ({"maximum": 2}, 3, "f must be at most 2"),
        ({"minLength": 2}, "a", "f needs at least 2 characters"),
        ({"maxItems": 1}, [1, 2], "f takes at most 1 items"),
        ({"uniqueItems": True}, [1, 1.0], "f has an item twice"),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1}], "f has an item twice"),
        ({"contains": {"const": 1}}, [2], "f lacks an item that must be there"),
        ({"additionalProperties": False}, {"x": 1}, "f has fields that the form does not know: x"),
        ({"minProperties": 1}, {}, "f needs at least 1 fields"),
        ({"maxProperties": 0}, {"a": 1}, "f takes at most 0 fields"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "f takes at most 1 characters"),
        ({"patternProperties": {"^n": {"type": "number"}}}, {"n1": "x"}, "n1 expected number"),
        ({"anyOf": [{"type": "string"}, {"type": "number", "minimum": 5}]}, 3, "f must be at least 5"),
        ({"not": {"type": "null"}, "type": ["null", "string"]}, None, "should not be valid under"),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "'b' is a dependency of 'a'"),
    ],
)
def test_every_keyword_has_words(keyword, value, message):
    found = problems({"properties": {"f": keyword}}, {"f": value})
    assert message in found[0][1]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2025-03-01", "2025-3-1"),
        ("date-time", "2025-03-01T09:00:00+08:00", "2025-03-01"),
        ("time", "09:00:00", "9"),
        ("duration", "P1DT2H", "P"),
        ("email", "a@b.cn", "a@"),
        ("hostname", "a.example", "-a"),
        ("ipv4", "127.0.0.1", "1.2.3"),
        ("ipv6", "::1", "1:2"),
        ("uri", "https://a.example/x", "a b"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "1"),
        ("regex", "^a$", "("),
    ],
)
def test_formats_are_checked(name, good, bad):
    schema = {"properties": {"f": {"type": "string", "format": name}}}
    assert form(schema, "f.json").validate({"f": good}) == {"f": good}
    assert problems(schema, {"f": bad}) == [("/f", f"f is no valid {name}")]


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        ({"properties": {"a": {"$ref": "https://example.org/s.json"}}}, "form-reference"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "form-reference"),
        ({"properties": {"a": {"$ref": "other.json#/x"}}}, "form-reference"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "leads nowhere"),
        ({"properties": {"a": {"requird": True}}}, "'requird' is no keyword"),
        ({"properties": {"a": {"format": "phone"}}}, "format 'phone' is not checked"),
        ({"properties": {"a": {"type": "text"}}}, "form-schema"),
        ({"properties": {"a": {"pattern": "("}}}, "'(' is not a 'regex'"),
        ({"properties": {"a": 3}}, "expected a schema"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "form-dialect"),
        ([], "expected a JSON object"),
    ],
)
def test_a_schema_that_cannot_be_checked_whole_is_refused(schema, rule):
    assert rule in refused(schema)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"title": "a", "title": "b"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b" " * 1_000_001,
    ],
)
def test_bytes_that_are_no_form_are_refused(data):
    with pytest.raises(InvalidModel) as caught:
        read_form(data, file="bad.json")
    assert "bad.json" in str(caught.value)


def test_a_deep_schema_is_refused():
    schema: dict[str, object] = {"type": "object"}
    for _ in range(80):
        schema = {"properties": {"a": schema}}
    assert "form-depth" in refused(schema)


def test_keywords_of_ones_own_and_references_inside_the_file_are_welcome():
    schema = {
        "x-order": ["a"],
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"type": "string"}},
    }
    assert form(schema, "f.json").validate({"a": "x"}) == {"a": "x"}


def unfolding() -> dict[str, object]:
    defs: dict[str, object] = {"d0": {"type": "string"}}
    for level in range(1, 40):
        defs[f"d{level}"] = {"allOf": [{"$ref": f"#/$defs/d{level - 1}"}, {"$ref": f"#/$defs/d{level - 1}"}]}
    return {"$defs": defs, "properties": {"a": {"$ref": "#/$defs/d39"}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (unfolding(), {"a": "x"}),
        ({"$ref": "#"}, {}),
        (
            {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "properties": {"a": {"$ref": "#/$defs/a"}}},
            {"a": 1},
        ),
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "a" * 40 + "!"}),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [{"n": n} for n in range(20_000)] + [{"n": 0}]}),
        ({"type": "object"}, {"a": [0] * 100_001}),
        ({"properties": {"a": {"items": {"type": "string"}}}}, {"a": [0] * 50_000}),
    ],
)
def test_hostile_schemas_and_payloads_end_soon_with_a_clear_error(schema, value):
    checked = form(schema, "f.json")
    begin = time.perf_counter()
    with pytest.raises(InvalidPayload) as caught:
        checked.validate(value)
    assert time.perf_counter() - begin < 5
    assert len(caught.value.problems) <= 50


@pytest.mark.parametrize("amount", [0.29, 0.57, 1.1, 19.99, 1e300, -0.07])
def test_cents_are_multiples_of_a_cent(amount):
    price = form({"properties": {"price": {"type": "number", "multipleOf": 0.01}}}, "price.json")
    assert price.validate({"price": amount}) == {"price": amount}
    with pytest.raises(InvalidPayload, match=r"multiple of 0\.01"):
        price.validate({"price": 0.295})


def test_values_that_are_no_json_are_refused():
    with pytest.raises(InvalidPayload, match="no JSON form at /a"):
        form({"type": "object"}, "f.json").validate({"a": object()})
