"""The operators of CQL: one module a chapter of the reference, one short function an overload.

Importing this package fills :data:`TABLE`: every module in it is imported, so that a new chapter is a new file and
nothing else.
"""

from importlib import import_module
from pkgutil import iter_modules

from engine.language.operators.registry import TABLE

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["TABLE"]
