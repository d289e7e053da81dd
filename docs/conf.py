"""How Sphinx makes the documentation site. Nothing is fetched from the network."""

import sys
from pathlib import Path

import pytest_pynenc_state

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

project = "pytest-pynenc-state"
author = "The pytest-pynenc-state developers"
release = pytest_pynenc_state.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "site_hooks"]
exclude_patterns = ["_ext"]
html_theme = "furo"
html_show_copyright = False
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
    ("py:class", "pytest_pynenc_state.history.records.Source"),
    ("py:class", "pytest_pynenc_state.history.steps.Anybody"),
    ("py:class", "pytest_pynenc_state.processes.calling.Done"),
]
