"""A block that is a file says so where a reader sees it: a comment is shown by no site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))

_NAME = r"(?:file: )?(\S+\.(?:py|ini|toml))(?:: [^\n]*)?"


def named_blocks(page: str) -> list[tuple[str, str]]:
    """The name of each block that is a file, and the text between it and the block before it.

    Without what is only continued.
    """
    _, *parts = re.split(r"^```", f"```{page}", flags=re.MULTILINE)
    texts = parts[::2]
    found = (re.search(rf"<!-- {_NAME} -->\n\Z", text) for text in texts)
    return [
        (name[1], text[: name.start()]) for name, text in zip(found, texts, strict=True) if name
    ]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_reader_sees_what_a_file_is_called(page: Path) -> None:
    """In the words above the block."""
    blocks = named_blocks(page.read_text())
    assert [name for name, text in blocks if f"`{name}`" not in text] == []


def test_names_are_found() -> None:
    """Or nothing would be asked."""
    page = (
        "Text\n\n<!-- a.py -->\n```python\n1\n```\n\n`b.py`:\n\n<!-- b.py -->\n```python\n2\n```\n"
    )
    assert named_blocks(page) == [("a.py", "Text\n\n"), ("b.py", "\n\n`b.py`:\n\n")]
