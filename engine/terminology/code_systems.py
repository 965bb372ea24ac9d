"""A code system as far as local files tell it: its concepts, their hierarchy and properties.

Source: https://hl7.org/fhir/R4/codesystem.html (nested concepts, hierarchyMeaning, defined concept properties
``parent``, ``child``, ``inactive``, ``notSelectable``; ``subsumedBy`` is read like ``parent``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.errors import TerminologyError
from engine.terminology import icd10cm
from engine.terminology.resources import CodeSystemResource, ConceptDefinition, ConceptProperty

_CONCEPT_PROPERTIES = "http://hl7.org/fhir/concept-properties#"
_PARENTS = frozenset({"parent", "subsumedBy"})


@dataclass(slots=True)
class _Entry:
    display: str | None = None
    definition: str | None = None
    parents: set[str] = field(default_factory=set)
    above: set[str] = field(default_factory=set)
    properties: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class CodeSystem:
    """Concepts of one code system.

    ``complete`` is true when the files define the whole system (``content`` complete); of a fragment or an example, a
    code that is not here may still exist. ``concepts`` maps a code to its display.
    """

    url: str
    version: str | None
    complete: bool
    _entries: dict[str, _Entry] = field(repr=False)
    _children: dict[str, list[str]] = field(repr=False)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code the files define, in their order."""
        return tuple(self._entries)

    def display(self, code: str) -> str | None:
        """The display of a code; None where the files give none."""
        entry = self._entries.get(code)
        return entry.display if entry else None

    def definition(self, code: str) -> str | None:
        """The definition of a code; None where the files give none."""
        entry = self._entries.get(code)
        return entry.definition if entry else None

    def contains(self, code: str) -> bool:
        """True when the system defines the code.

        Raises:
            TerminologyError: the code is not among those known and the files hold only a part of the system.
        """
        if code in self._entries:
            return True
        if not self.complete:
            raise TerminologyError(
                f"whether {code!r} is a code of {self.url} cannot be told: only a part of that code system is loaded; "
                "load the complete CodeSystem",
                url=self.url,
            )
        return False

    def descendants(self, code: str) -> tuple[str, ...]:
        """The codes below ``code``, itself not included, nearest first. A circle ends where it closes."""
        seen = {code}
        order: list[str] = []
        level = [code]
        while level:
            below = [c for parent in level for c in self._children.get(parent, ()) if c not in seen]
            level = list(dict.fromkeys(below))
            seen.update(level)
            order += level
        return tuple(order)

    def knows(self, code: str) -> bool:
        """True when the files define the code."""
        return code in self._entries

    def values(self, code: str, name: str) -> tuple[str, ...]:
        """The values of a concept property, ``parent`` among them, as texts."""
        entry = self._entries.get(code)
        if entry is None:
            return ()
        if name in _PARENTS:
            return tuple(sorted(entry.parents))
        return tuple(value for key, value in entry.properties if key == name)

    def is_inactive(self, code: str) -> bool:
        """True when the concept's ``inactive`` property says so."""
        return "true" in self.values(code, "inactive")

    def is_abstract(self, code: str) -> bool:
        """True for a concept that only groups others (``notSelectable``)."""
        return "true" in self.values(code, "notSelectable")


def build(url: str, version: str | None, resources: Sequence[CodeSystemResource]) -> CodeSystem:
    """One code system from its resource or fragments, and the supplements to it."""
    entries: dict[str, _Entry] = {}
    for resource in resources:
        _add_concepts(entries, resource)
    children: dict[str, list[str]] = {}
    for code, entry in entries.items():
        for parent in sorted(entry.above):
            children.setdefault(parent, []).append(code)
    return CodeSystem(url, version, any(r.content == "complete" for r in resources), entries, children)


def _add_concepts(entries: dict[str, _Entry], resource: CodeSystemResource) -> None:
    """``parents`` are those of any meaning, ``above`` those that subsume: where the hierarchy is one of kinds."""
    is_a = resource.hierarchy_meaning in (None, "is-a")
    supplement = resource.content == "supplement"
    standard = {p.code: p.uri or "" for p in resource.property if (p.uri or "").startswith(_CONCEPT_PROPERTIES)}
    for concept, parent in _walk(resource.concept, None):
        if supplement and concept.code not in entries:
            continue  # it cannot add codes, and says nothing of those that are there
        entry = entries.setdefault(concept.code, _Entry())
        entry.display = entry.display or concept.display
        entry.definition = entry.definition or concept.definition
        if parent is not None and not supplement:
            entry.parents.add(parent)
            if is_a:
                entry.above.add(parent)
        for value in concept.property:
            _add_property(entries, concept.code, _standard_name(standard, value.code), value, is_a)


def _standard_name(standard: dict[str, str], code: str) -> str:
    """The name of the property in the specification, where the code system uses its own code for it."""
    return standard[code].removeprefix(_CONCEPT_PROPERTIES) if code in standard else code


def _add_property(entries: dict[str, _Entry], code: str, name: str, value: ConceptProperty, is_a: bool) -> None:
    text = value.text
    if text is None:
        return
    if name in _PARENTS or name == "child":
        below, parent = (text, code) if name == "child" else (code, text)
        entry = entries.setdefault(below, _Entry())
        entry.parents.add(parent)
        if is_a or name == "subsumedBy":
            entry.above.add(parent)
    else:
        entries[code].properties.append((name, text))


def _walk(concepts: Sequence[ConceptDefinition], parent: str | None) -> Iterator[tuple[ConceptDefinition, str | None]]:
    pending = [(concept, parent) for concept in reversed(concepts)]
    while pending:
        concept, above = pending.pop()
        yield concept, above
        pending += [(child, concept.code) for child in reversed(concept.concept)]


def subsumes(system: CodeSystem | None, url: str, ancestor: str, descendant: str) -> bool:
    """True when ``ancestor`` is ``descendant`` or above it.

    Raises:
        TerminologyError: nothing loaded can tell: the system is unknown, or only in part and without the codes.
    """
    if url == icd10cm.SYSTEM and icd10cm.is_code(ancestor) and icd10cm.is_code(descendant):
        return icd10cm.is_below(descendant, ancestor)
    if ancestor == descendant:
        return True
    if system is not None and descendant in system.descendants(ancestor):
        return True
    if system is None or not system.complete:
        raise TerminologyError(
            f"whether {ancestor!r} subsumes {descendant!r} in {url} cannot be told from the code systems loaded; "
            "load a CodeSystem with that hierarchy",
            url=url,
        )
    return False
