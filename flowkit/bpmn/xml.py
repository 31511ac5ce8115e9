"""Reading XML that a stranger sent: a small located tree, within limits, without entities.

Expat is used instead of lxml because it tells line *and column* of every element, and because its
callbacks can refuse a document type declaration before anything of it is expanded. Nothing outside
the given bytes is ever read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from flowkit.errors import InvalidModel
from flowkit.findings import Finding, Location, Severity

__all__ = ["MAX_BYTES", "Node", "read_xml"]

MAX_BYTES = 10_000_000
"""The largest file that is read; a process of a thousand nodes with its diagram has about 1 MB."""
MAX_DEPTH = 120
MAX_ELEMENTS = 100_000
MAX_ATTRIBUTES = 500
MAX_ATTRIBUTE_CHARACTERS = 1_000_000
MAX_PREFIXES = 200
MAX_DECLARATIONS = 20_000
# Each element that declares a prefix holds a map of all in force: their product is what costs.

_DECLARATION = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
# Encodings in which "<" is the ASCII byte, so that no markup can hide from the check for a DTD.
_ENCODINGS = re.compile(
    r"(utf-?8|us-ascii|ascii|iso-?8859-?\d+|latin-?1|windows-125\d|cp125\d|gbk|gb2312|gb18030|big5(-?hkscs)?"
    r"|shift_?jis|euc-(jp|kr|cn|tw)|koi8-[ru])\Z",
    re.IGNORECASE,
)


@dataclass(slots=True, eq=False)
class Node:
    """An element: expanded name, attributes by expanded name, children, own text, and its place."""

    namespace: str
    tag: str
    attributes: dict[tuple[str, str], str]
    location: Location
    prefixes: Mapping[str, str]
    """Prefix → namespace in force here; shared between nodes, so never changed."""
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Text before the first child, then after each child: always ``len(children) + 1`` entries."""
    prefix: str = ""

    def get(self, name: str, namespace: str = "") -> str | None:
        """The attribute's value, or None."""
        return self.attributes.get((namespace, name))

    @property
    def text(self) -> str:
        """The element's own character data, without that of its children."""
        return "".join(self.texts)

    def iter(self) -> Iterator[Node]:
        """This node and all below it, in document order; iterative, so deep trees can't exhaust it."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


def read_xml(data: bytes, *, file: str = "") -> Node:
    """The root element of ``data``.

    Raises :class:`InvalidModel` for what is not well-formed, not decodable, too large or too deep,
    or holds a document type declaration.
    """
    if len(data) > MAX_BYTES:
        raise _refuse(
            "too-large",
            Location(file),
            f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read.",
            "Remove embedded pictures or split the file.",
        )
    return _TreeBuilder(file).build(_as_utf8(data, file))


def _refuse(rule: str, location: Location, message: str, hint: str = "") -> InvalidModel:
    return InvalidModel([Finding(rule, Severity.ERROR, location, message, hint)])


def _as_utf8(data: bytes, file: str) -> bytes:
    encoding = _encoding_of(data, file)
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        offset = getattr(error, "start", 0)
        line = data.count(b"\n", 0, offset) + 1
        raise _refuse(
            "invalid-encoding",
            Location(file, line),
            f"byte {offset} is not valid {encoding}, the encoding that the file declares.",
            "Save the file as UTF-8.",
        ) from error
    return text.removeprefix("\ufeff").encode("utf-8", "surrogatepass")


def _encoding_of(data: bytes, file: str) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not data.startswith(
        codecs.BOM_UTF32_LE
    ):
        return "utf-16"
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8"
    declared = _DECLARATION.match(data[:400])
    name = declared.group(1).decode("ascii") if declared else "utf-8"
    if not _ENCODINGS.match(name):
        raise _refuse(
            "invalid-encoding",
            Location(file, 1),
            f"the encoding '{name[:40]}' is not supported.",
            "Save the file as UTF-8.",
        )
    return name


class _TreeBuilder:
    """Expat's callbacks; one use."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._parser = expat.ParserCreate("utf-8", namespace_separator="\n")
        self._parser.namespace_prefixes = True
        self._parser.buffer_text = True
        self._parser.buffer_size = 1_000_000
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartNamespaceDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._root: Node | None = None
        self._open: list[Node] = []
        self._declared: dict[str, str] = {}
        self._prefixes: set[str] = set()
        self._declarations = 0
        self._count = 0

    def build(self, data: bytes) -> Node:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            raise _refuse(
                "not-xml",
                Location(self._file, error.lineno, error.offset + 1),
                f"the file is not well-formed XML: {expat.ErrorString(error.code)}.",
                "Is it complete, and really a BPMN file?",
            ) from error
        assert self._root is not None  # expat reports an empty document as an error
        return self._root

    def _here(self) -> Location:
        return Location(self._file, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)

    def _doctype(self, *_: object) -> None:
        raise _refuse(
            "document-type",
            self._here(),
            "the file has a document type declaration (DOCTYPE), which BPMN files never need.",
            "Remove it: entities and external files are not read.",
        )

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""
        self._prefixes.add(prefix or "")
        self._declarations += 1
        if len(self._prefixes) > MAX_PREFIXES or self._declarations > MAX_DECLARATIONS:
            raise _refuse(
                "too-large",
                self._here(),
                f"the file declares more than {MAX_PREFIXES} prefixes, or {MAX_DECLARATIONS:,} namespaces.",
            )

    def _start(self, name: str, attributes: list[str]) -> None:
        parent = self._open[-1] if self._open else None
        self._check_limits(attributes)
        prefixes: Mapping[str, str] = parent.prefixes if parent else {}
        if self._declared:
            prefixes = {**prefixes, **self._declared}
            self._declared = {}
        namespace, tag, prefix = _expand(name)
        values = {_expand(attributes[i])[:2]: attributes[i + 1] for i in range(0, len(attributes), 2)}
        node = Node(namespace, tag, values, self._here(), prefixes, parent, prefix=prefix)
        node.texts.append("")
        if parent is None:
            self._root = node
        else:
            parent.children.append(node)
            parent.texts.append("")
        self._open.append(node)

    def _check_limits(self, attributes: list[str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise _refuse("too-large", self._here(), f"the file has more than {MAX_ELEMENTS:,} elements.")
        if len(self._open) >= MAX_DEPTH:
            raise _refuse("too-deep", self._here(), f"elements are nested more than {MAX_DEPTH} deep.")
        if len(attributes) > 2 * MAX_ATTRIBUTES:
            raise _refuse("too-large", self._here(), f"an element has more than {MAX_ATTRIBUTES} attributes.")
        if any(len(text) > MAX_ATTRIBUTE_CHARACTERS for text in attributes):
            raise _refuse(
                "too-large",
                self._here(),
                f"an attribute has more than {MAX_ATTRIBUTE_CHARACTERS:,} characters.",
            )

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].texts[-1] += text


def _expand(name: str) -> tuple[str, str, str]:
    """Expat's ``uri\\nlocal\\nprefix`` as (namespace, local name, prefix)."""
    parts = name.split("\n")
    if len(parts) == 1:
        return "", parts[0], ""
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""
