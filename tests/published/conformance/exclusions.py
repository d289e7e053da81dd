"""What published backends fail."""
from pytest_pynenc_state import KnownBug

def known_bugs(key: str, pynenc: str) -> dict[str, KnownBug]:
    return {}

def unsupported(key: str, pynenc: str) -> dict[str, str]:
    return {}
