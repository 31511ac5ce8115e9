"""Vendor extensions, normalised: what the ``zeebe:``, ``camunda:`` and ``spiffworkflow:`` dialects say.

One frozen class a thing that an extension can say; which dialect said it no longer matters here.
A value that is evaluated keeps its text: with a leading ``=`` it is FEEL, without it is literal
(the rule of Camunda 8, whose modeler panel edits these fields).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flowkit.findings import Location

__all__ = [
    "NO_EXTENSIONS",
    "AdHoc",
    "Assignment",
    "CalledDecision",
    "CalledElement",
    "Extensions",
    "ForeignExtension",
    "FormReference",
    "LoopExtension",
    "Mapping",
    "Schedule",
    "Script",
    "TaskDefinition",
]


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """The job type a worker subscribes to; both fields may be ``=FEEL``."""

    type: str
    retries: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """``source`` (``=FEEL`` or literal) is assigned to the variable ``target``."""

    source: str
    target: str
    location: Location = Location()


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who may do a user task; each field is literal (groups and users comma-separated) or ``=FEEL``."""

    assignee: str = ""
    candidate_groups: str = ""
    candidate_users: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a user task is due; ISO-8601 date-time or ``=FEEL``."""

    due_date: str = ""
    follow_up_date: str = ""


@dataclass(frozen=True, slots=True)
class FormReference:
    """``binding`` is ``latest``, ``deployment`` or ``versionTag``."""

    form_id: str = ""
    external_reference: str = ""
    binding: str = "latest"
    version_tag: str = ""


@dataclass(frozen=True, slots=True)
class CalledElement:
    process_id: str
    propagate_all_child_variables: bool = True
    propagate_all_parent_variables: bool = True
    binding: str = "latest"
    version_tag: str = ""


@dataclass(frozen=True, slots=True)
class CalledDecision:
    decision_id: str
    result_variable: str
    binding: str = "latest"
    version_tag: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    expression: str
    result_variable: str


@dataclass(frozen=True, slots=True)
class LoopExtension:
    """Multi-instance over ``input_collection``; ``output_element`` is collected per instance."""

    input_collection: str = ""
    input_element: str = ""
    output_collection: str = ""
    output_element: str = ""


@dataclass(frozen=True, slots=True)
class AdHoc:
    """``active_elements`` gives the ids of the activities to start (``=FEEL``, a list)."""

    active_elements: str = ""
    output_collection: str = ""
    output_element: str = ""


@dataclass(frozen=True, slots=True)
class ForeignExtension:
    """An extension that the reader keeps but does not understand."""

    name: str
    """``{namespace}local`` name; attributes as ``@{namespace}local``."""
    location: Location = Location()
    executable: bool = False
    """True where its vendor would run something for it: then deployment refuses it."""
    reason: str = ""
    """Why it is refused, and what to use instead; empty where it is harmless."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """All that the extensions of one element say."""

    task_definition: TaskDefinition | None = None
    headers: tuple[tuple[str, str], ...] = ()
    inputs: tuple[Mapping, ...] = ()
    outputs: tuple[Mapping, ...] = ()
    assignment: Assignment | None = None
    schedule: Schedule | None = None
    priority: str = ""
    form: FormReference | None = None
    called_element: CalledElement | None = None
    called_decision: CalledDecision | None = None
    script: Script | None = None
    result_variable: str = ""
    """Where a standard script's value goes (``camunda:resultVariable``)."""
    correlation_key: str = ""
    message_id: str = ""
    time_to_live: str = ""
    loop: LoopExtension | None = None
    ad_hoc: AdHoc | None = None
    properties: tuple[tuple[str, str], ...] = ()
    version_tag: str = ""
    foreign: tuple[ForeignExtension, ...] = field(default=())

    def property(self, name: str) -> str | None:
        """The value of the extension property ``name``, or None."""
        return next((value for key, value in self.properties if key == name), None)

    def header(self, name: str) -> str | None:
        """The value of the task header ``name``, or None."""
        return next((value for key, value in self.headers if key == name), None)


NO_EXTENSIONS = Extensions()
