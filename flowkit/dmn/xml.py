"""Reading hostile XML: bytes in, a tree or :class:`~flowkit.errors.InvalidModel` out.

No entity, DTD, network or file is touched; size, depth and the number of elements are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

__all__ = [
    "DMN_VERSIONS",
    "MAX_BYTES",
    "MAX_ELEMENTS",
    "child",
    "children",
    "line_of",
    "local_name",
    "namespace_of",
    "read_xml",
    "refuse",
    "text_of",
]

MAX_BYTES = 32 * 1024 * 1024
"""The largest file that is read; a table of 10,000 rules and 8 columns takes about 20 MB."""

MAX_ELEMENTS = 1_000_000
"""The most elements that a file may hold."""

DMN_VERSIONS = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
"""Version of the standard by the namespace of its elements."""


def refuse(rule: str, message: str, hint: str, location: Location) -> InvalidModel:
    """An :class:`InvalidModel` with one finding."""
    return InvalidModel([Finding(rule, Severity.ERROR, location, message, hint)])


def read_xml(data: bytes, file: str = "") -> etree._Element:
    """The root element of ``data``.

    Raises :class:`~flowkit.errors.InvalidModel` for anything that is not harmless, well-formed XML.
    """
    place = Location(file)
    if len(data) > MAX_BYTES:
        raise refuse(
            "xml-too-large",
            f"The file has {len(data):,} bytes; at most {MAX_BYTES:,} are read.",
            "Split the model into several files that import each other.",
            place,
        )
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"<!DOCTYPE" in data.replace(b"\0", b""):
        raise _doctype(place)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        line, column = getattr(error, "position", (0, 0)) or (0, 0)
        raise refuse(
            "xml-syntax",
            f"The file is not well-formed XML: {str(error)[:300]}.",
            "Export it again from the modeler.",
            Location(file, line, column),
        ) from None
    if root is None:
        raise refuse("xml-syntax", "The file is empty.", "Export it again from the modeler.", place)
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype(place)
    _count(root, place)
    return root


def _doctype(place: Location) -> InvalidModel:
    return refuse(
        "xml-doctype",
        "The file has a document type declaration or declares entities.",
        "DMN needs neither; remove the <!DOCTYPE ...> part.",
        place,
    )


def _count(root: etree._Element, place: Location) -> None:
    for number, _ in enumerate(root.iter()):
        if number >= MAX_ELEMENTS:
            raise refuse(
                "xml-too-large",
                f"The file has more than {MAX_ELEMENTS:,} elements.",
                "Split the model into several files that import each other.",
                place,
            )


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace_of(element: etree._Element) -> str:
    """The namespace of an element, empty if none."""
    tag = element.tag
    return tag[1:].partition("}")[0] if isinstance(tag, str) and tag.startswith("{") else ""


def children(parent: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The children in a DMN namespace, in order; with ``names``, only those so called."""
    for element in parent:
        tag = element.tag
        if isinstance(tag, str):
            namespace, _, name = tag.partition("}")
            if namespace[1:] in DMN_VERSIONS and (not names or name in names):
                yield element


def child(parent: etree._Element, *names: str) -> etree._Element | None:
    """The first child so called, if any."""
    return next(children(parent, *names), None)


def text_of(parent: etree._Element | None, name: str) -> str | None:
    """The whole text of the first child ``name``, or ``None`` without one."""
    if parent is None:
        return None
    element = child(parent, name)
    if element is None:
        return None
    return "".join(str(text) for text in element.itertext()) if len(element) else element.text or ""


def line_of(element: etree._Element) -> int:
    """The 1-based line of an element, 0 where the parser lost count."""
    line: object = element.sourceline
    return line if isinstance(line, int) else 0
