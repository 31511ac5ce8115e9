"""The language by example: operators, names, control, lists, contexts, functions (DMN 1.5, 10.3)."""

from __future__ import annotations

import pytest

from tests.feel.table import cases, shown

OPERATORS = """
    1 + 2 * 3 => 7
    (1 + 2) * 3 => 9
    2 ** 3 ** 2 => 64
    -3 ** 2 => 9
    - -3 => 3
    10 / 4 => 2.5
    10 / 5 => 2
    7 - 2 - 1 => 4
    1.5 + 1.5 => 3.0
    0.1 + 0.2 = 0.3 => true
    10 / 0 => null
    0 ** 0 => 1
    9999999999999999999999999999999999 + 1 => 10000000000000000000000000000000000
    .5 + 1e2 => 100.5
    "a" + "b" => "ab"
    "a" + 1 => null
    null + 1 => null
    -"a" => null
    -1.5 => -1.5
    -n => -3
    -price => -19.99
    true ** 2 => null
    [1] * 2 => null
    1 < 2 => true
    "b" >= "a" => true
    "a" < 1 => null
    null < 1 => null
    n < 4.5 => true
    price > n => true
    1 = 1.0 => true
    1 = "1" => null
    1 != 2 => true
    1 != "1" => null
    null = null => true
    1 = null => false
    n = null => false
    n != null => true
    none = null => true
    [1, 2] = [1, 2] => true
    [1, 2] = [1] => false
    [1, "a"] = [1, 2] => null
    {a: 1} = {a: 1.0} => true
    {a: 1} = {b: 1} => false
    [1..3] = [1..3] => true
    [1..3] = (1..3] => false
    (< 3) = (< 3) => true
    (= 3) = [3..3] => false
    true and false => false
    true and null => null
    false and null => false
    null and false => false
    true or null => true
    null or true => true
    false or null => null
    1 and true => null
    flag and n => null
    true and true and flag => true
    false or false or flag => true
    not(true) => false
    not(null) => null
    not(1) => null
    n between 1 and 5 => true
    n between 4 and 5 => false
    price between n and 20 => true
    "b" between "a" and "c" => true
    n between "a" and 5 => null
    n between null and 1 => false
    5 between n and null => null
"""

MEMBERSHIP = """
    n in 3 => true
    n in (1, 3) => true
    n in (1, 2) => false
    n in [1, 3] => true
    n in [1, 3.0] => true
    text in ["abc", "d"] => true
    text in ["d"] => false
    price in [19.99, 1] => true
    none in [1, null] => true
    n in [1..3] => true
    n in [1..3) => false
    n in ]1..3[ => false
    n in (1..5] => true
    price in [1..20.5] => true
    "b" in ["a".."c"] => true
    n in ["a".."c"] => null
    n in ("a".."c") => null
    n in [[1..2], [3..4]] => true
    [1] in [[1], 2] => true
    [1, 2] in [1, 2] => true
    n in < 5 => true
    n in > 5 => false
    n in <= 3 => true
    n in >= 4 => false
    n in (< 2, > 2) => true
    n in =3 => true
    n in !=3 => false
    n in != 4 => true
    true in =true => true
    n in (? > 2) => true
    n in (? > 2, 9) => true
    text in (starts with(?, "a")) => true
    n in (flag) => null
    n in (n > 5) => false
    n in (2)+1 => true
    n in (1).x => false
    none in null => true
    none in (1, null) => true
    [1..3] in [[1..3]] => true
    n in (text, 1) => null
    n in [] => false
    n in (if flag then [3] else []) => true
"""

RANGES = """
    [1..3] => [1..3]
    ]1..3[ => (1..3)
    (1..3] => (1..3]
    (< 3) => (< 3)
    (<= 3) => (<= 3)
    (> "a") => (> "a")
    (>= n) => (>= 3)
    (= 3) => (= 3)
    (< n) => (< 3)
    (= n) => (= 3)
    [1.."a"] => null
    [1..5[.end => 5
    [1..5[.end included => false
    (>= 2).start included => true
    (>= 2).end => null
    [n..5].start => 3
    [1..3].foo => null
    [@"2020-01-01"..@"2020-01-03"].end => @"2020-01-03"
    [1..items[1].a].end => 1
    [null..3].start => null
    5 in [null..3] => null
"""

NAMES_AND_PATHS = """
    full name => "Ada L"
    full   name => "Ada L"
    days in week => 7
    net-price => 10
    net - price => null
    net-price - 1 => 9
    unknown thing => null
    `net-price` + 1 => 11
    {`a-b`: 2}.`a-b` => 2
    `abs`(1) => 1
    order.total => 120.5
    order.customer.name => "王"
    order.missing => null
    order.lines => [1, 2]
    items.a => [1, 2, 3]
    items.b[1] => "x"
    none.a => null
    n.a => null
    {full price: 3}.full price => 3
    {a-b: 3}.a-b => 3
    {"a b": 3}.a b => 3
    {line 1: 3}.line 1 => 3
    {订单: {金额: 8}}.订单.金额 => 8
    {a+b: 1, c: a+b}.c => 1
    {a: 1, b: a + 1, c: b * 10} => {a: 1, b: 2, c: 20}
    {a: 1, a: 2} => null
    {} => {}
    {"": 1} => {"": 1}
    {a: {b: [1, {c: "x"}]}} => {a: {b: [1, {c: "x"}]}}
    abs => function(n)
"""

LISTS_AND_FILTERS = """
    [1, 2, 3][2] => 2
    [1, 2, 3][-1] => 3
    [1, 2, 3][4] => null
    [1, 2, 3][0] => null
    [1, 2, 3][1.5] => null
    [1, 2, 3][n] => 3
    [1, 2, 3][item > 1] => [2, 3]
    [1, 2, 3][item > n] => []
    [][1] => null
    [][n] => null
    [][item > 1] => []
    5[1] => 5
    5[item = 5] => [5]
    null[1] => null
    null[true] => null
    none[item > 1] => null
    items[b = "x"].a => [1, 3]
    items[a > 1][b = "x"] => [{a: 3, b: "x"}]
    items[item.a = 2].b => ["y"]
    items[a = n].b => ["x"]
    items[a > unknown] => []
    items[count(items[b = "x"]) = 2][1].a => 1
    [{item: 1}, {item: 2}][item = 2] => [{item: 2}]
    [1, null, 2][item != null] => [1, 2]
    items[a] => {a: 1, b: "x"}
    (for x in [1, 2] return x)[2] => 2
    [[1, 2], [3]][1][2] => 2
"""

CONTROL = """
    if flag then 1 else 2 => 1
    if none then 1 else 2 => 2
    if n then 1 else 2 => 2
    if n = 1 then "a" else if n = 2 then "b" else if n = 3 then "c" else "d" => "c"
    if n = 9 then "a" else if n = 8 then "b" else "d" => "d"
    1 + if flag then 1 else 2 => 2
    for x in [1, 2] return x * x => [1, 4]
    for x in 1..3 return x => [1, 2, 3]
    for x in 3..1 return x => [3, 2, 1]
    for x in [1..3) return x => [1, 2]
    for x in ]1..2[ return x => []
    for x in [3..1] return x => null
    for x in "a".."b" return x => null
    for x in 1.5..3 return x => null
    for x in (< 3) return x => null
    for x in 5 return x => [5]
    for x in null return x => null
    for x in 1..2, y in [x, 10] return x + y => [2, 11, 4, 12]
    for x in 1..2, y in null return x => null
    for x in 1..2, x in [x * 10] return x => [10, 20]
    for x in @"2020-02-28"..@"2020-03-01" return x => [@"2020-02-28", @"2020-02-29", @"2020-03-01"]
    for i in 0..4 return if i = 0 then 1 else i * partial[-1] => [1, 1, 2, 6, 24]
    for partial in [1, 2] return partial => [1, 2]
    some x in [1, 2] satisfies x > 1 => true
    some x in [1, 2] satisfies x > 2 => false
    some x in [1, null] satisfies x > 1 => null
    some x in [1, 2], y in [x, 3] satisfies x + y = 5 => true
    some x in null satisfies x => null
    every x in [1, 2] satisfies x > 0 => true
    every x in [1, 2] satisfies x > 1 => false
    every x in [1, null] satisfies x > 0 => null
    every x in [] satisfies x > 0 => true
"""

FUNCTIONS = """
    (function(a, b) a - b)(5, 3) => 2
    (function(a, b) a - b)(b: 5, a: 3) => -2
    (function(a, b) a - b)(1) => null
    (function(a, b) a - b)(a: 1, c: 2) => null
    (function(a, b) a - b)(a: 1) => null
    (function(a: number) a)("x") => null
    (function(a: number) a)([1]) => 1
    (function(a: list<number>) a)(1) => [1]
    (function(a: date and time) a)(@"2020-01-01") => @"2020-01-01T00:00:00Z"
    (function(a) function(b) a + b)(1)(2) => 3
    {add: function(x) x + n, r: add(2)}.r => 5
    {f: function(k) if k <= 1 then 1 else k * f(k - 1)}.f(5) => 120
    {f: abs, r: f(-1)}.r => 1
    {abs: function(x) abs(x) + 1, r: abs(-1)}.r => 2
    {o: {f: function(x) x + 1}}.o.f(1) => 2
    [function(x) x * 2][1](4) => 8
    unknown(1) => null
    n(1) => null
    null() => null
    abs(n: -1) => 1
    abs(number: -1) => null
    abs() => null
    abs(1, 2) => null
    abs(n: 1, n: 2) => null
    (function(long name: number) long name + 1)(2) => 3
    function(a) external {java: {class: "java.lang.Math", method signature: "cos(double)"}} => null
    (function() 1)() => 1
    sort([3, 1, 2], function(x, y) x < y) => [1, 2, 3]
    {count: 5}.count => 5
    for abs in [1, 2] return abs => [1, 2]
"""

TYPES = """
    1 instance of number => true
    1 instance of string => false
    null instance of Any => false
    null instance of number => false
    "a" instance of Any => true
    null instance of Null => true
    [1, 2] instance of list<number> => true
    [1, "a"] instance of list<number> => false
    {a: 1} instance of context<a: number> => true
    {a: "x"} instance of context<a: number> => false
    {} instance of context<a: number> => false
    [1..2] instance of range<number> => true
    [1..2] instance of range<string> => false
    abs instance of function<number> -> number => true
    (function(a: number) a) instance of function<number> -> Any => true
    (function(a: string) a) instance of function<number> -> Any => false
    (function(a: string) a) instance of function<string> => true
    (function(a, b) a) instance of function<> -> Any => false
    (function(a: list<number>) a) instance of function<list<number>> -> Any => true
    (function(a: context<x: number>) a) instance of function<context<x: number, y: string>> -> Any => true
    (function(a: function<number> -> Any) a) instance of function<function<number> -> Any> -> Any => true
    @"P1D" instance of days and time duration => true
    @"P1Y" instance of years and months duration => true
    @"2020-01-01" instance of date => true
    @"2020-01-01T00:00:00" instance of date and time => true
    @"10:00:00" instance of time => true
    1 + 2 instance of number => true
    1 instance of Unheard => null
    1 instance of some.type name => null
"""

COMMENTS_AND_STRINGS = r"""
    1 /* one */ + /* two */ 2 => 3
    "a\"b" => "a\"b"
    "\u00e9\U01F40E" => "é🐎"
    "\ud83d\udca9" => "💩"
    string length("\ud83d") => 1
    "\d" => "\\d"
    "tab\tline\n" => "tab\tline\n"
    "\UFFFFFF" => "\\UFFFFFF"
    @"2020-13-01" => null
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        *cases(OPERATORS),
        *cases(MEMBERSHIP),
        *cases(RANGES),
        *cases(NAMES_AND_PATHS),
        *cases(LISTS_AND_FILTERS),
        *cases(CONTROL),
        *cases(FUNCTIONS),
        *cases(TYPES),
        *cases(COMMENTS_AND_STRINGS),
    ],
)
def test_value(expression: str, value: str) -> None:
    """Each expression has the value beside it."""
    assert shown(expression) == value


def test_a_line_comment_ends_with_the_line() -> None:
    """What follows the line is read again."""
    assert shown("1 + // the rest is a comment => 5\n 2") == "3"


def test_a_long_chain_of_branches_is_not_deep() -> None:
    """Three hundred cases are a list, not a nesting."""
    chain = "".join(f'if n = {number} then "{number}" else ' for number in range(300, 0, -1))
    assert shown(f'{chain} "none"') == '"3"'


def test_long_chains_of_operators_are_not_deep() -> None:
    """A thousand terms are read and evaluated like ten."""
    assert shown(" + ".join(["1"] * 1000)) == "1000"
    assert shown(" and ".join(["true"] * 1000)) == "true"
