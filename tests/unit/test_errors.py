"""Errors travel between processes whole, and say what to do."""

from __future__ import annotations

import pickle

import pytest

from pytest_pynenc_state import errors

ERROR_CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("error_class", ERROR_CLASSES)
def test_an_error_survives_pickling_with_message_remedies_and_attributes(
    error_class: type[errors.PynencStateError],
) -> None:
    """An error raised in a child process is raised again in its parent."""
    error = error_class("the store is closed", "open it", "or wait")
    error.add_note("seen in process 41")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is error_class
    assert (copy.message, copy.remedies) == ("the store is closed", ("open it", "or wait"))
    assert copy.__notes__ == ["seen in process 41"]


@pytest.mark.parametrize("error_class", ERROR_CLASSES)
def test_an_error_prints_its_message_and_each_remedy_on_a_line(
    error_class: type[errors.PynencStateError],
) -> None:
    """Remedies are a list, so that a reader finds them."""
    error = error_class("the store is closed", "open it", "or wait")

    assert str(error) == "the store is closed\n- open it\n- or wait"


@pytest.mark.parametrize(
    ("error_class", "builtin"),
    [
        (errors.OptionsError, ValueError),
        (errors.BackendTimeout, TimeoutError),
        (errors.ProcessNotReady, TimeoutError),
        (errors.ResultTimeout, TimeoutError),
    ],
)
def test_an_error_is_also_the_builtin_one_of_its_kind(
    error_class: type[errors.PynencStateError], builtin: type[Exception]
) -> None:
    """Callers that know nothing of this package catch what they always catch."""
    error = error_class("too late")

    with pytest.raises(builtin, match="too late"):
        raise error


def test_every_error_class_is_exported() -> None:
    """What can be raised can be imported by name."""
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.PynencStateError)
    }

    assert defined == set(errors.__all__)
