"""The version of the engine, which stamps every result and keys every cache."""

__version__ = "0.1.0"
