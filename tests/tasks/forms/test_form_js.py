"""Forms of the modelers' form editor."""

from __future__ import annotations

import json

import pytest

from flowkit.errors import InvalidModel, InvalidPayload
from flowkit.tasks.forms import read_form

FORM = {
    "type": "default",
    "id": "return_request",
    "components": [
        {"type": "text", "text": "# 售后申请"},
        {
            "type": "textfield",
            "key": "order_no",
            "label": "订单号",
            "validate": {"required": True, "minLength": 3},
        },
        {"type": "textfield", "key": "mail", "label": "邮箱", "validate": {"validationType": "email"}},
        {"type": "textfield", "key": "phone", "label": "电话", "validate": {"validationType": "phone"}},
        {
            "type": "number",
            "key": "amount",
            "label": "金额",
            "validate": {"min": 1, "max": 10},
            "decimalDigits": 0,
        },
        {"type": "datetime", "subtype": "date", "key": "bought", "label": "购买日期"},
        {"type": "checkbox", "key": "agreed", "label": "同意", "validate": {"required": True}},
        {
            "type": "select",
            "key": "wish",
            "label": "诉求",
            "values": [{"label": "换货", "value": "swap"}, {"label": "退款", "value": "refund"}],
            "validate": {"required": True},
        },
        {
            "type": "checklist",
            "key": "proofs",
            "label": "凭证",
            "values": [{"value": "photo"}, {"value": "chat"}],
        },
        {
            "type": "group",
            "path": "buyer",
            "label": "买家",
            "components": [
                {"type": "textfield", "key": "name", "label": "姓名", "validate": {"required": True}}
            ],
        },
        {
            "type": "dynamiclist",
            "path": "goods",
            "label": "商品",
            "components": [
                {"type": "number", "key": "count", "label": "数量", "validate": {"required": True}}
            ],
        },
        {"type": "textarea", "key": "seller.note", "label": "备注", "validate": {"maxLength": 3}},
        {"type": "button", "label": "提交"},
    ],
}
GOOD = {"order_no": "A12", "agreed": True, "wish": "swap", "buyer": {"name": "李"}}


def read(form: object):
    return read_form(json.dumps(form).encode(), file="f.form")


def problems(value: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidPayload) as caught:
        read(FORM).validate(value)
    return sorted(caught.value.problems)


def test_a_filled_form_passes_and_loses_its_empty_fields():
    assert read(FORM).id == "return_request"
    assert read(FORM).is_form_js
    assert read(FORM).validate(GOOD | {"mail": "", "amount": None, "bought": None}) == GOOD


def test_every_kind_of_field_is_checked():
    given = GOOD | {
        "mail": "x",
        "phone": "abc",
        "amount": 2.5,
        "bought": "1.3.2025",
        "agreed": False,
        "wish": "keep",
        "proofs": ["photo", "photo", "none"],
        "buyer": {},
        "goods": [{"count": 1}, {}],
        "seller": {"note": "long"},
    }
    assert [path for path, _ in problems(given)] == [
        "/agreed",
        "/amount",
        "/bought",
        "/buyer/name",
        "/goods/1/count",
        "/mail",
        "/phone",
        "/proofs",
        "/proofs/2",
        "/seller/note",
        "/wish",
    ]
    assert ("/wish", "「诉求」只能是: swap, refund") in problems(given)


@pytest.mark.parametrize(
    ("component", "rule"),
    [
        ({"type": "spaceship", "key": "a"}, "form-component"),
        ({"type": "textfield"}, "form-key"),
        ({"type": "textfield", "key": "a", "validate": {"pattern": "("}}, "'\\(' is not a 'regex'"),
        ({"type": "textfield", "key": "a", "validate": {"minLength": -1}}, "form-schema"),
    ],
)
def test_components_that_cannot_be_checked_are_refused(component, rule):
    with pytest.raises(InvalidModel, match=rule):
        read({"id": "f", "components": [component]})


def test_a_deeply_nested_form_is_refused():
    component: dict[str, object] = {"type": "textfield", "key": "a"}
    for _ in range(60):
        component = {"type": "group", "components": [component]}
    with pytest.raises(InvalidModel, match="form-depth"):
        read({"id": "f", "components": [component]})


HIDING = {
    "id": "f",
    "components": [
        {"type": "checkbox", "key": "paid", "label": "自费"},
        {
            "type": "textfield",
            "id": "invoice",
            "key": "invoice",
            "label": "发票号",
            "validate": {"required": True},
            "conditional": {"hide": "=paid != true"},
        },
    ],
}


def test_a_field_that_is_hidden_is_not_asked_for() -> None:
    form = read(HIDING)
    assert form.validate({"paid": False}) == {"paid": False}
    with pytest.raises(InvalidPayload, match="「发票号」必填"):
        form.validate({"paid": True})


def test_a_condition_that_does_not_parse_is_refused() -> None:
    broken = json.loads(json.dumps(HIDING))
    broken["components"][1]["conditional"]["hide"] = "=paid ="
    with pytest.raises(InvalidModel, match="form-condition"):
        read(broken)
