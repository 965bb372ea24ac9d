"""Resources that must not decide anything: what would change their meaning is not understood, or a part is left out.

Source: FHIR R4, "Extensibility" (http://hl7.org/fhir/R4/extensibility.html#modifierExtension: an application shall not
process an element whose modifier extensions it does not understand), "Resource" (``implicitRules`` is a modifier) and
"Search" (http://hl7.org/fhir/R4/search.html#summary: a resource with elements left out carries the tag SUBSETTED). The
elements marked "is modifier" in the definitions of the resources and of Quantity change what the others say.

No modifier extension is understood here, so one anywhere in a resource withholds all of it. The resource still counts
as being there: what asks for it is an error that names it, since leaving it out would make an absence of it.
"""

from __future__ import annotations

import re
from typing import Any

MODIFIER = "modifierExtension"
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")
RULES = "implicitRules"
SUBSETTED = "SUBSETTED"
_MARKS = (MODIFIER.encode(), RULES.encode(), SUBSETTED.encode())
SHAPES = {"status": str, "intent": str, "doNotPerform": bool, "clinicalStatus": dict, "verificationStatus": dict}
"""Elements that are modifiers wherever a resource has them, and what they are in JSON."""

STATUS_CONCEPTS = ("MedicinalProduct", "SubstanceSpecification")
"""How the names of the types begin whose status is a CodeableConcept, and no modifier."""

COMPARATORS = frozenset({"<", "<=", ">=", ">"})


def reason_to_withhold(resource: dict[str, Any], *, marked: bool = True) -> str | None:
    """Why a resource (decoded JSON) must not be used, as the end of a sentence; None where it may be.

    With ``marked`` false nobody looks for the marks that :func:`may_be_marked` found nowhere in the text.
    """
    unreadable = _unreadable(resource)
    if unreadable is not None:
        return f"its {unreadable} cannot be read, and that may change what the rest of it means"
    return _marked(resource) if marked else None


def may_be_marked(data: bytes) -> bool:
    """False when the JSON text holds none of the marks; true when it does, or may under an escape."""
    # Counting takes a fifth of the time of `in`, which searches long texts in another way.
    return any(data.count(mark) for mark in _MARKS) or _ESCAPED_LETTER.search(data) is not None


def _marked(resource: dict[str, Any]) -> str | None:
    rules = resource.get(RULES)
    if rules is not None:
        return f"it was made under the rules {rules} (implicitRules), which are not known here"
    if _is_subset(resource.get("meta")):
        return f"elements were left out of it (tag {SUBSETTED}); fetch it whole"
    found = _modifiers(resource)
    if found is not None:
        return f"it carries the modifier extension {found}, which may change its meaning and is not known here"
    return None


def _is_subset(meta: Any) -> bool:
    tags = meta.get("tag") if isinstance(meta, dict) else None
    return isinstance(tags, list) and any(isinstance(t, dict) and t.get("code") == SUBSETTED for t in tags)


def _unreadable(resource: dict[str, Any]) -> str | None:
    """The path of an element that is there, changes the meaning of others, and is not of its type."""
    for name, shape in SHAPES.items():
        value = resource.get(name)
        if value is not None and (type(value) is not shape or value == ""):
            kind = resource.get("resourceType")
            if not (name == "status" and isinstance(kind, str) and kind.startswith(STATUS_CONCEPTS)):
                return name
    return _unreadable_comparator(resource) if resource.get("resourceType") == "Observation" else None


def _unreadable_comparator(resource: dict[str, Any]) -> str | None:
    components = resource.get("component")
    holders = [("", resource)]
    if isinstance(components, list):
        holders += [(f"component[{i}].", c) for i, c in enumerate(components) if isinstance(c, dict)]
    for place, holder in holders:
        quantity = holder.get("valueQuantity")
        comparator = quantity.get("comparator") if isinstance(quantity, dict) else None
        if comparator is not None and not (isinstance(comparator, str) and comparator in COMPARATORS):
            return f"{place}valueQuantity.comparator"
    return None


def _modifiers(value: Any) -> str | None:
    """The address of the first modifier extension at any depth, None where there is none."""
    pending = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, list):
            pending += inner
        elif isinstance(inner, dict):
            given = inner.get(MODIFIER)
            if given:
                first = given[0] if isinstance(given, list) else given
                return str(first.get("url") if isinstance(first, dict) else first)
            pending += inner.values()
    return None
