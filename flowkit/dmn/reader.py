"""What every part of the DMN reader shares: places, names, types, texts and findings."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from flowkit.dmn.known import CHILDREN
from flowkit.dmn.model import Cell, Variable
from flowkit.dmn.xml import DMN_VERSIONS, line_of, local_name, namespace_of, text_of
from flowkit.findings import Finding, Location, Severity

__all__ = ["Reader"]

FEEL_NAMES = frozenset({"", "feel", "friendly enough expression language"})


class Reader:
    """Collects findings while a file is read; ``aliases`` maps imported namespaces to names."""

    def __init__(self, file: str, namespace: str, aliases: Mapping[str, str]) -> None:
        self.file = file
        self.namespace = namespace
        self.aliases = aliases
        self.findings: list[Finding] = []

    def place(self, element: etree._Element) -> Location:
        """Where an element stands."""
        return Location(self.file, line_of(element))

    def report(
        self,
        rule: str,
        element: etree._Element,
        message: str,
        hint: str,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note a problem of ``element``, named by itself or its nearest named ancestor."""
        owner: etree._Element | None = element
        while owner is not None and not (owner.get("id") and owner.get("name")):
            owner = owner.getparent()
        named = element if owner is None else owner
        self.findings.append(
            Finding(
                rule,
                severity,
                self.place(element),
                message,
                hint,
                element.get("id") or named.get("id") or "",
                named.get("name") or "",
            )
        )

    def name_of(self, element: etree._Element) -> str:
        """The ``name`` of an element, with runs of white space made one space."""
        return " ".join((element.get("name") or "").split())

    def type_ref(self, element: etree._Element) -> str | None:
        """The ``typeRef`` of an element, an attribute or (items, DMN 1.1) a child."""
        raw = element.get("typeRef")
        if raw is None:
            raw = text_of(element, "typeRef")
        return self.type_name(raw, element)

    def type_name(self, raw: str | None, element: etree._Element) -> str | None:
        """A type's name without its XML prefix; an imported one reads ``alias.name``."""
        text = " ".join((raw or "").split())
        if text.startswith("{") and "}" in text:
            uri, _, local = text[1:].partition("}")
            return self._qualified(uri, local)
        prefix, colon, local = text.partition(":")
        if colon and prefix in element.nsmap:
            return self._qualified(str(element.nsmap[prefix]), local)
        return text or None

    def _qualified(self, uri: str, local: str) -> str:
        if uri != self.namespace and uri in self.aliases:
            alias = self.aliases[uri]
            return f"{alias}.{local}" if alias else local
        return local

    def variable(self, element: etree._Element | None, fallback: str, owner: etree._Element) -> Variable:
        """The variable that an element declares, else one called ``fallback``."""
        if element is None:
            return Variable(fallback, None, self.place(owner), declared=False)
        return Variable(self.name_of(element) or fallback, self.type_ref(element), self.place(element))

    def cell(self, element: etree._Element) -> Cell:
        """The FEEL text within ``<text>``; another language is refused by name."""
        self.language(element)
        return Cell((text_of(element, "text") or "").strip(), self.place(element))

    def language(self, element: etree._Element) -> None:
        """Refuse an ``expressionLanguage`` other than FEEL."""
        named = element.get("expressionLanguage") or ""
        if named.strip().lower() in FEEL_NAMES or "/feel" in named.lower() or named in DMN_VERSIONS:
            return
        self.report(
            "expression-language",
            element,
            f"The expression is written in '{named}'; flowkit executes FEEL only.",
            "Rewrite the expression in FEEL and remove expressionLanguage.",
        )

    def unknown(self, root: etree._Element) -> None:
        """Report DMN elements that no version of the standard has where they stand."""
        for parent in root.iter():
            tag = parent.tag
            if not isinstance(tag, str):
                continue
            namespace, _, name = tag.partition("}")
            known = CHILDREN.get(name) if namespace[1:] in DMN_VERSIONS else None
            if known is None:
                continue
            for element in parent:
                found = local_name(element)
                if found not in known and namespace_of(element) in DMN_VERSIONS:
                    self.report(
                        "unknown-element",
                        element,
                        f"<{found}> is no element of DMN 1.1 to 1.5 within <{name}>.",
                        "Remove it, or correct its name.",
                    )
