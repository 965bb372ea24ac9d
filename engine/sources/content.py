"""Where the product's own content stands: trials, shared libraries and value sets (DECISIONS 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.workspace import Workspace, read_text

_PARAMETER = re.compile(r'^[ \t]*(?:public\s+|private\s+)?parameter\s+(?:"([^"]+)"|(\w+))', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Content:
    """A folder of content with ``trials``, ``shared`` and ``valuesets``."""

    folder: Path

    @property
    def trials(self) -> Path:
        """The folder of the trials' libraries."""
        return self.folder / "trials"

    @property
    def valuesets(self) -> Path:
        """The folder of value sets and code systems."""
        return self.folder / "valuesets"

    def parameter_names(self) -> Iterator[str]:
        """The names of all parameters that some library of the folder declares, whether a trial uses it or not."""
        for path in sorted(self.folder.rglob("*.cql")):
            for match in _PARAMETER.finditer(read_text(path)):
                yield match[1] or match[2]

    def workspace(self) -> Workspace:
        """A workspace that finds the shared libraries, the trials and the value sets of this folder."""
        folders = [f for f in (self.folder / "shared", self.trials) if f.is_dir()]
        return Workspace(folders, [self.valuesets] if self.valuesets.is_dir() else [])


def own_content() -> Content:
    """The product's: ``_content/cql`` in an installed package, else ``cql`` beside the folder ``engine``."""
    engine = Path(__file__).resolve().parent.parent
    installed = engine / "_content" / "cql"
    return Content(installed if installed.is_dir() else engine.parent / "cql")
