"""The public names are a promise: they change here first, then in the changelog."""

import engine

PUBLIC_NAMES = [
    "CompileError",
    "CriterionResult",
    "Diagnostic",
    "EligibilityError",
    "InputError",
    "PatientRecord",
    "Trial",
    "TrialResult",
    "Workspace",
    "__version__",
    "decode_bundle",
    "load_trials",
    "moment_of",
    "own_content",
    "patients",
    "screen",
    "to_json",
]


def test_the_public_names_are_the_pinned_ones() -> None:
    assert sorted(engine.__all__) == sorted(PUBLIC_NAMES)


def test_every_public_name_exists_and_says_what_it_is() -> None:
    missing = [name for name in engine.__all__ if not hasattr(engine, name)]
    assert not missing
    mute = [name for name in engine.__all__ if callable(getattr(engine, name)) and not getattr(engine, name).__doc__]
    assert not mute


def test_a_public_class_shows_its_public_home() -> None:
    """A name that starts with an underscore is nobody's public name, `__version__` apart."""
    assert [name for name in engine.__all__ if name.startswith("_")] == ["__version__"]
