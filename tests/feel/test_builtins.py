"""Built-in functions by example, theme by theme (DMN 1.5, 10.3.4)."""

from __future__ import annotations

import pytest

from tests.feel.table import cases, shown

CONVERSION = """
    date("2020-02-29") => @"2020-02-29"
    date("2021-02-29") => null
    date(2020, 2, 29) => @"2020-02-29"
    date(2020, 2, 30) => null
    date(2020.5, 2, 3) => null
    date(@"2020-01-01T10:00:00") => @"2020-01-01"
    date(@"2020-01-01") => @"2020-01-01"
    date(null) => null
    time("10:11:12") => @"10:11:12"
    time(10, 11, 12.5) => @"10:11:12.5"
    time(10, 11, 12, @"PT8H") => @"10:11:12+08:00"
    time(10, 61, 0) => null
    time(@"2020-01-01T10:00:00Z") => @"10:00:00Z"
    time(@"10:00:00") => @"10:00:00"
    time(@"2020-01-01") => @"00:00:00Z"
    date and time("2020-01-01") => @"2020-01-01T00:00:00"
    date and time("2020-01-01T24:00:00") => @"2020-01-02T00:00:00"
    date and time(@"2020-01-01", @"10:00:00") => @"2020-01-01T10:00:00"
    date and time(@"2020-01-01T01:00:00", @"10:00:00Z") => @"2020-01-01T10:00:00Z"
    date and time(@"2020-01-01") => @"2020-01-01T00:00:00Z"
    date and time(@"2020-01-01T10:00:00") => @"2020-01-01T10:00:00"
    date and time(@"2020-07-01T10:00:00Z", "Europe/Paris") => @"2020-07-01T12:00:00@Europe/Paris"
    date and time(@"2020-07-01T10:00:00Z", "Nowhere") => null
    date and time(2020, 1, 2, 3, 4, 5) => @"2020-01-02T03:04:05"
    date and time(2020, 1, 2, 3, 4, 5, @"PT1H") => @"2020-01-02T03:04:05+01:00"
    date and time(2020, 1, 2, 3, 4, 5, "Asia/Shanghai") => @"2020-01-02T03:04:05@Asia/Shanghai"
    date and time(2020, 1, 2, 3, 4, 5, "Nowhere") => null
    duration("P1DT2H") => @"P1DT2H"
    duration("P1Y2D") => null
    duration(@"P1D") => @"P1D"
    years and months duration(@"2011-12-22", @"2013-08-24") => @"P1Y8M"
    years and months duration(@"2013-08-24", @"2011-12-22") => @"-P1Y8M"
    years and months duration(@"2011-12-22T00:00:00", @"2013-08-21") => @"P1Y7M"
    number("1 000,5", " ", ",") => 1000.5
    number("1,000", ",", null) => 1000
    number("1.5") => 1.5
    number(2) => 2
    number("x") => null
    number("1;0", ";", ".") => null
    number("1", null, ";") => null
    number("1.0", ".", ".") => null
    number("1.0.0", null, ",") => null
    string(1.50) => "1.50"
    string(1e3) => "1000"
    string(true) => "true"
    string(null) => null
    string("a") => "a"
    string(["a", 1]) => "[\\"a\\", 1]"
    string({a: "x"}) => "{a: \\"x\\"}"
    string(@"P1D") => "P1D"
    string([1..3]) => "[1..3]"
    context([{key: "a", value: 1}]) => {a: 1}
    context([{key: "a"}]) => null
    context([{key: "a", value: 1}, {key: "a", value: 2}]) => null
    range("[1..3)") => [1..3)
    range("(-1..date)") => null
    range("[-2..1]") => [-2..1]
    range("[-\\"a\\"..1]") => null
    range("[date(\\"2020-01-01\\")..@\\"2020-02-01\\"]") => [@"2020-01-01"..@"2020-02-01"]
    range("[3..1]") => null
    range("(< 3)") => null
    range("[1..") => null
"""

STRINGS = r"""
    substring("foobar", 3) => "obar"
    substring("foobar", 3, 3) => "oba"
    substring("foobar", -2, 1) => "a"
    substring("foobar", -10) => "foobar"
    substring("foobar", 10) => ""
    substring("foobar", 0) => null
    substring("foobar", 1, 0) => null
    string length("🐎a") => 2
    upper case("aß") => "ASS"
    lower case("ABC") => "abc"
    substring before("foobar", "bar") => "foo"
    substring before("foobar", "x") => ""
    substring before("foobar", "") => ""
    substring after("foobar", "ob") => "ar"
    substring after("foobar", "x") => ""
    substring after("foobar", "") => "foobar"
    contains("foobar", "of") => false
    starts with("foobar", "fo") => true
    ends with("foobar", "r") => true
    replace("abcd", "(ab)|(a)", "[1=$1][2=$2]") => "[1=ab][2=]cd"
    replace("a.b", ".", "-", "q") => "a-b"
    replace("abc", "b", "\$") => "a$c"
    replace("abc", "b", "\x") => null
    replace("abc", "b", "$x") => null
    replace("abc", "(b)", "<$1$12>") => "a<bb2>c"
    replace("abc", "(b)", "$2") => "ac"
    replace("aaa", "a", "$0$0") => "aaaaaa"
    matches("Foo", "foo", "i") => true
    matches("foo", "^fo*$") => true
    matches("a", "b", "z") => null
    matches("a", null) => null
    split("a;b;;c", ";") => ["a", "b", "", "c"]
    split("abc", "") => ["abc"]
    extract("a1b22", "[0-9]+") => ["1", "22"]
    string join(["a", null, "b"], "-") => "a-b"
    string join(["a", "b"]) => "ab"
    string join(["a", "b"], ", ", "[", "]") => "[a, b]"
    string join(["a", 1]) => null
    string join(["a"], "-", "x") => null
    string join(["a"], null) => "a"
    trim("  a ") => "a"
    is blank(" ") => true
    to base64("FEEL") => "RkVFTA=="
"""

NUMBERS = """
    decimal(2.5, 0) => 2
    decimal(1.005, 2) => 1.00
    decimal(15, -1) => 20
    decimal(1, 7000) => null
    decimal(1.25, 1.9) => 1.2
    decimal(9999999999999999999999999999999999, -6000) => 0
    round up(-1.1, 0) => -2
    round down(-1.9, 0) => -1
    round half up(2.5, 0) => 3
    round half down(2.5, 0) => 2
    floor(-1.5) => -2
    floor(-1.56, 1) => -1.6
    ceiling(1.2) => 2
    ceiling(1.21, 1) => 1.3
    abs(-1.5) => 1.5
    abs(@"-P1D") => @"P1D"
    abs(@"-P1Y") => @"P1Y"
    abs("a") => null
    abs([-2]) => 2
    modulo(-10, 3) => 2
    modulo(10.1, -4.5) => -3.4
    modulo(1, 0) => null
    modulo(1e6000, 7) => 1
    sqrt(16) => 4
    sqrt(-1) => null
    log(0) => null
    decimal(log(10), 4) => 2.3026
    decimal(exp(1), 4) => 2.7183
    exp(100000) => null
    odd(3) => true
    odd(2.5) => false
    even(-2) => true
    even(1e100) => true
"""

LISTS = """
    list contains([1, null], null) => true
    list contains([1, 2], 2.0) => true
    list contains([1], "1") => false
    count([1, 2]) => 2
    count(5) => 1
    count(null) => null
    is empty([]) => true
    min([3, 1, 2]) => 1
    min("b", "a") => "a"
    min([]) => null
    min([1, "a"]) => null
    min([null]) => null
    max([@"2020-01-01", @"2021-01-01"]) => @"2021-01-01"
    max(1, 3, 2) => 3
    sum([1, 2.5]) => 3.5
    sum(1, 2) => 3
    sum([]) => null
    sum([@"P1D", @"PT12H"]) => @"P1DT12H"
    sum([1, "a"]) => null
    sum(null) => null
    product(2, 3, 4) => 24
    product([]) => null
    mean([1, 2]) => 1.5
    mean([]) => null
    median([3, 1, 2]) => 2
    median(1, 2) => 1.5
    stddev([1]) => null
    decimal(stddev(2, 4, 7, 5), 3) => 2.082
    mode([1, 2, 2, 1]) => [1, 2]
    mode([]) => []
    all([true, false]) => false
    all([true, null]) => null
    all([]) => true
    any([false, true, null]) => true
    any([false, null]) => null
    sublist([1, 2, 3], 2) => [2, 3]
    sublist([1, 2, 3], 1, 2) => [1, 2]
    sublist([1, 2, 3], -2, 2) => [2, 3]
    sublist([1, 2, 3], 2, 5) => null
    sublist([1, 2, 3], 5) => null
    append([1], 2, 3) => [1, 2, 3]
    append([1]) => null
    concatenate([1], [2, 3]) => [1, 2, 3]
    concatenate([1], null) => null
    insert before([1, 3], 2, 2) => [1, 2, 3]
    insert before([1], 2, 2) => [1, 2]
    insert before([1], 3, 2) => null
    remove([1, 2, 3], -1) => [1, 2]
    remove([1], 2) => null
    list replace([1, 2], 2, 9) => [1, 9]
    list replace([1, 2, 3], function(item, newItem) item < newItem, 3) => [3, 3, 3]
    list replace([1], function(a) true, 3) => null
    list replace([1], function(a, b) a, 3) => null
    reverse([1, 2]) => [2, 1]
    index of([1, 2, 1, null], 1) => [1, 3]
    union([1, 2], [2, "2"], [true, 1]) => [1, 2, "2", true]
    distinct values([1, 1.0, [1], [1.0], {a: 1}, {a: 1}, null, null]) => [1, [1], {a: 1}, null]
    distinct values([@"10:00:00Z", @"11:00:00+01:00", @"10:00:00"]) => [@"10:00:00Z", @"10:00:00"]
    count(distinct values([@"2020-01-01T10:00:00Z", @"2020-01-01T11:00:00+01:00"])) => 1
    count(distinct values([@"P1D", [1..2], [1..2], null])) => 3
    count(distinct values([abs, abs, sum])) => 2
    duplicate values([1, 2, 1, [3], [3]]) => [1, [3]]
    flatten([1, [2, [3, []]], 4]) => [1, 2, 3, 4]
    partition([1, 2, 3], 2) => [[1, 2], [3]]
    partition([1], 0) => null
    sort([3, 1, 2]) => [1, 2, 3]
    sort(["b", 1]) => null
    sort([{p: 2}, {p: 1}], function(a, b) a.p < b.p) => [{p: 1}, {p: 2}]
    sort([1, 2], function(a, b) a) => null
"""

CONTEXTS = """
    get value({a: 1}, "a") => 1
    get value({a: 1}, "b") => null
    get value({a: {b: 2}}, ["a", "b"]) => 2
    get value({a: 1}, ["a", "b"]) => null
    get value({a: 1}, []) => null
    get entries({a: 1}) => [{key: "a", value: 1}]
    context put({a: 1}, "b", 2) => {a: 1, b: 2}
    context put({a: {b: 1}}, ["a", "c"], 2) => {a: {b: 1, c: 2}}
    context put({a: 1}, ["a", "c"], 2) => null
    context put({}, [], 2) => null
    context merge([{a: 1}, {a: 2, b: 3}]) => {a: 2, b: 3}
    context merge([1]) => null
    is(1, 1.0) => true
    is(1, "1") => false
    is([1], [1]) => true
    is(@"10:00:00Z", @"11:00:00+01:00") => false
    get or else(null, 1) => 1
    get or else(2, 1) => 2
    is defined(n) => true
    is defined(none) => true
    is defined(nothing) => false
    is defined(order.total) => true
    is defined(order.nothing) => false
    is defined(n + 1) => true
    {a: 1, b: is defined(a)}.b => true
    {f: is defined, r: f(null)}.r => false
    assert(1, true) => 1
    assert(1, false, "wrong") => null
    to json({a: [1.5, @"2020-01-01", null]}) => "{\\"a\\":[1.5,\\"2020-01-01\\",null]}"
    from json("{\\"a\\": [1.5, null, true]}") => {a: [1.5, null, true]}
    from json("{") => null
    from json("NaN") => null
"""

DATES = """
    now() => @"2026-02-28T13:45:00Z"
    today() => @"2026-02-28"
    now(1) => null
    day of year(@"2020-12-31") => 366
    day of week(@"2026-02-28") => "Saturday"
    month of year(@"2026-02-28T10:00:00") => "February"
    week of year(@"2005-01-01") => 53
    week of year(@"2003-12-29") => 1
    week of year(@"999999999-12-31") => 53
    last day of month(@"2024-02-03") => @"2024-02-29"
"""

RANGES = """
    before(1, 10) => true
    before(1, (1..10]) => true
    before([1..10), 10) => true
    before([1..5], [5..10]) => false
    before([1..5), [5..10]) => true
    before(point: 1, range: [2..3]) => true
    before(range: [2..3], point: 1) => false
    before(1, null) => null
    before(1, "a") => null
    before((< 3), 5) => true
    before(5, (> 5)) => true
    after(10, 5) => true
    after([5..10], [1..5)) => true
    meets([1..5], [5..10]) => true
    meets([1..5), [5..10]) => false
    met by([5..10], [1..5]) => true
    overlaps([1..5], [3..8]) => true
    overlaps([1..5], (5..8]) => false
    overlaps((< 5), (> 3)) => true
    overlaps before([1..5], [3..8]) => true
    overlaps after([3..8], [1..5]) => true
    finishes(10, [1..10]) => true
    finishes([5..10], [1..10]) => true
    finished by([1..10], 10) => true
    includes([1..10], 5) => true
    includes([1..10], [4..6]) => true
    includes((> 3), 5) => true
    during(5, [1..10]) => true
    during([4..6], [1..10]) => true
    starts(1, [1..10]) => true
    starts([1..5], [1..10]) => true
    started by([1..10], [1..5]) => true
    coincides(5, 5) => true
    coincides([1..5], [1..5]) => true
    coincides([1..5], [1..5)) => false
    meets(1, [1..2]) => null
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        *cases(CONVERSION),
        *cases(STRINGS),
        *cases(NUMBERS),
        *cases(LISTS),
        *cases(CONTEXTS),
        *cases(DATES),
        *cases(RANGES),
    ],
)
def test_value(expression: str, value: str) -> None:
    """Each call has the value beside it."""
    assert shown(expression) == value
