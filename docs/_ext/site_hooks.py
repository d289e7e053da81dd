"""What Sphinx calls while it makes the site."""

from __future__ import annotations

import re
from typing import Any

import reference
from docutils import nodes
from sphinx.addnodes import desc_name
from sphinx.application import Sphinx


def skip_clause(_app: object, _what: str, name: str, *_rest: object) -> bool | None:
    """Leave the checks of clauses out of the suite's class: they have a page of their own."""
    return True if name.startswith("test_") else None


def shown_signature(
    _app: object, what: str, _name: str, item: Any, _options: object, signature: str, _returns: str
) -> tuple[str, None] | None:
    """Show how plain data are made; all other objects come from a fixture or from a call."""
    if what not in {"class", "exception"}:
        return None
    if not getattr(getattr(item, "__dataclass_params__", None), "frozen", False):
        return "", None
    return re.sub(r"<function [^=]+>|<factory>", "...", signature), None


def named(_environment: object, signature: str, node: nodes.Element) -> str:
    """Show *signature*; what is linked to, and indexed, is the name in front of it."""
    node += desc_name(signature, signature)
    return re.split(r"\W", signature, maxsplit=1)[0]


def setup(app: Sphinx) -> dict[str, bool]:
    """Have Sphinx call them, and know of fixtures and markers."""
    app.connect("source-read", reference.insert_parts)
    app.connect("autodoc-skip-member", skip_clause)
    app.connect("autodoc-process-signature", shown_signature)
    for kind in ("fixture", "marker"):
        app.add_object_type(kind, kind, f"single: %s ({kind})", named)
    return {"parallel_read_safe": True}
