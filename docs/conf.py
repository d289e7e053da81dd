"""How Sphinx makes the documentation site. Nothing is fetched from the network."""

import re
import sys
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import desc_name
from sphinx.application import Sphinx

import pytest_pynenc_state

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

project = "pytest-pynenc-state"
author = "The pytest-pynenc-state developers"
release = pytest_pynenc_state.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "reference"]
exclude_patterns = ["_ext"]
html_theme = "furo"
html_title = f"{project} {release}"

# Blocks without a language are output; one backtick in a docstring is a name in the code.
highlight_language = "text"
default_role = "code"

# So that pages may link to a section of another page.
myst_heading_anchors = 3

# Quotes in a help text are those that have to be typed.
smartquotes = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

# Names of other projects, and names that are imported for type checkers only: they could not be
# looked up without the network. Each of this package's own has to lead somewhere.
nitpick_ignore_regex = [("py:.*", r"(?!pytest_pynenc_state\.).*")]
# But for a type variable, and for types that no user meets.
nitpick_ignore = [
    ("py:class", "pytest_pynenc_state.history.models.State"),
    ("py:class", "pytest_pynenc_state.history.steps.Anybody"),
    ("py:class", "pytest_pynenc_state.processes.calling.Done"),
]


def _named(_environment: object, signature: str, node: nodes.Element) -> str:
    """Show *signature*; what is linked to, and indexed, is the name in front of it."""
    node += desc_name(signature, signature)
    return re.split(r"\W", signature, maxsplit=1)[0]


def setup(app: Sphinx) -> None:
    """Let the reference have fixtures and markers, which Sphinx knows nothing of."""
    for kind in ("fixture", "marker"):
        app.add_object_type(kind, kind, f"single: %s ({kind})", _named)
