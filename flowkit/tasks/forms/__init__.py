"""Forms: what a user task, a start form or a message may contain.

A form is a JSON Schema (Draft 2020-12) or a form of form-js (``.form``, as modelers write it). The
check on the server is the authority; what a browser checks is only convenience.
"""

from __future__ import annotations

from flowkit.tasks.forms.form import Form, read_form

__all__ = ["Form", "read_form"]
