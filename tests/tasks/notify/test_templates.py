"""Message templates: values, the small language, and what hostile templates can't do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flowkit.errors import InvalidPayload, NotFound
from flowkit.tasks.notify.templates import Templates, render


def test_the_first_line_is_the_subject_and_values_come_by_dotted_name():
    message = render("增项待确认 {{ plate }}\n{{ customer.name }}您好:费用 {{fee}} 元,{{ ok }}。", {
        "plate": "京A1", "customer": {"name": "李"}, "fee": 300, "ok": True,
    })  # fmt: skip
    assert message.subject == "增项待确认 京A1"
    assert message.text == "李您好:费用 300 元,是。"
    assert message.missing == ()


@pytest.mark.parametrize("source", ["{{ b.c }}/{{ d }}", "{% if true %}{{ b.c }}/{{ d }}{% endif %}"])
def test_values_that_nobody_gave_show_a_dash_and_are_named(source):
    message = render(source, {"b": {}})
    assert message.text == "—/—"
    assert len(message.missing) == 2
    assert message.missing[1] == "d"


def test_lists_can_be_looped_over_and_filtered():
    source = "缺件\n{% for part in parts %}{{ part.name|upper }}×{{ part.n }};{% endfor %}{{ parts|length }}"
    assert render(source, {"parts": [{"name": "a", "n": 1}, {"name": "b", "n": 2}]}).text == "A×1;B×2;2"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ lipsum() }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% macro a() %}{% endmacro %}",
        "{% set a = 1 %}",
        "{{ 'a' * 100000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ 'a' ~ 'b' }}",
        "{{ x|center(1000000000) }}",
        "{{ x|attr('y') }}",
        "{{ range(10) }}",
        "{% for a in x recursive %}{% endfor %}",
        "{% for a in x %}{% for b in x %}{% for c in x %}.{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in x %}{% for b in x %}{{ y }}{% endfor %}{% endfor %}",
        "{{ unclosed",
        "x" * 20_001,
        "{{ y }}" * 200,
        "{{ " + "(" * 5000 + "x" + ")" * 5000 + " }}",
    ],
)
def test_hostile_templates_end_soon_with_an_error(source):
    begin = time.perf_counter()
    with pytest.raises(InvalidPayload):
        render(source, {"x": list(range(500)), "y": "z" * 200})
    assert time.perf_counter() - begin < 3


@pytest.mark.parametrize(
    "source",
    ["{% if 1 %}{{ ''.__class__.__mro__ }}{% endif %}", "{{ x.__class__ }}", "{{ x.append.__globals__ }}"],
)
def test_pythons_insides_read_as_nothing(source):
    assert render(source, {"x": []}).text == "—"


def test_long_lists_are_refused():
    with pytest.raises(InvalidPayload, match="/x: 501 items"):
        render("{{ y }}", {"x": [0] * 501})


def test_templates_are_found_by_id_and_language(tmp_path: Path):
    (tmp_path / "ready.txt").write_text("可以取车", encoding="utf-8")
    (tmp_path / "ready.en.txt").write_text("Your car is ready", encoding="utf-8")
    templates = Templates(tmp_path)
    assert templates.names() == ["ready"]
    assert templates.render("ready", {}).text == "可以取车"
    assert templates.render("ready", {}, "en").text == "Your car is ready"
    assert templates.render("ready", {}, "fr").text == "可以取车"


@pytest.mark.parametrize("name", ["none", "../secret", "a/b", "", "ready.txt\0"])
def test_unknown_templates_and_paths_are_refused(tmp_path: Path, name: str):
    (tmp_path.parent / "secret.txt").write_text("x", encoding="utf-8")
    with pytest.raises(NotFound, match="expected the id of a template"):
        Templates(tmp_path).render(name, {})
