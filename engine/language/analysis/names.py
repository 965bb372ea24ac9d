"""Names: what an identifier, a member or a call refers to (Developer's Guide "Identifier Resolution")."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from engine.language.analysis.conversions import ERROR
from engine.language.analysis.methods import BODIED, METHODS, STANDALONE, MethodRules
from engine.language.analysis.overloads import Ambiguous, Match, best_match
from engine.language.analysis.symbols import Symbols, reference
from engine.language.elm import nodes as elm
from engine.language.operators.registry import TABLE, Overload
from engine.language.syntax import tree
from engine.language.types.datatype import QUANTITY, ChoiceType, DataType, ListType, NamedType

SYSTEM_FUNCTIONS = frozenset({
    "Abs", "AllTrue", "AnyTrue", "Avg", "CanConvertQuantity", "Ceiling", "Children", "Coalesce", "Combine",
    "Concatenate", "ConvertQuantity", "ConvertsToBoolean", "ConvertsToDate", "ConvertsToDateTime",
    "ConvertsToDecimal", "ConvertsToInteger", "ConvertsToLong", "ConvertsToQuantity", "ConvertsToRatio",
    "ConvertsToString", "ConvertsToTime", "Count", "Date", "DateTime", "Descendants", "EndsWith", "Exists",
    "Exp", "ExpandValueSet", "First", "Flatten", "Floor", "GeometricMean", "HighBoundary", "IndexOf", "Indexer",
    "IsFalse", "IsNull", "IsTrue", "Last", "LastPositionOf", "Length", "Ln", "Log", "LowBoundary", "Lower",
    "Matches", "Max", "Median", "Message", "Min", "Mode", "Now", "PopulationStdDev", "PopulationVariance",
    "PositionOf", "Power", "Precision", "Product", "ReplaceMatches", "Round", "Size", "Skip", "Slice", "Split",
    "SplitOnMatches", "StartsWith", "StdDev", "Substring", "SubsumedBy", "Subsumes", "Sum", "Tail", "Take",
    "Time", "TimeOfDay", "ToBoolean", "ToChars", "ToConcept", "ToDate", "ToDateTime", "ToDecimal", "ToInteger",
    "ToList", "ToLong", "ToQuantity", "ToRatio", "ToString", "ToTime", "Today", "Truncate", "Upper", "Variance",
})  # fmt: skip
"""Operators that CQL calls as functions, by name (Appendix B)."""

_NO_FUNCTION = frozenset({
    "CalculateAge", "CalculateAgeAt", "DateTimeComponentFrom", "DifferenceBetween", "DurationBetween",
})  # fmt: skip
"""Operators that say nothing without their precision, which a call cannot carry."""

OPERATOR_FUNCTIONS = {
    **{name: name for name in TABLE.names() if name not in _NO_FUNCTION},
    "ProperlyIncludes": "ProperIncludes", "ProperlyIncludedIn": "ProperIncludedIn",
}  # fmt: skip
"""What a call without a target may name: every operator, ``Equal(X, Y)`` for ``X = Y`` (Developer's Guide
"Operator Functions"; names of Translation Semantics "Functions"), and the operator of ELM that this is."""

_AGE = re.compile(r"(Calculate)?AgeIn(Years|Months|Weeks|Days|Hours|Minutes|Seconds)(At)?$")


class NameRules(MethodRules):
    """Analysis of identifiers, members and calls."""

    includes: dict[str, Symbols]

    def definition(self, name: str) -> elm.Def | None:
        """The definition ``name`` of this library, analysed on demand; None when there is none."""
        raise NotImplementedError

    def definition_names(self) -> list[str]:
        """The names of all definitions of this library."""
        raise NotImplementedError

    def local_functions(self, name: str) -> Sequence[elm.FunctionDef]:
        """The functions ``name`` of this library; results of bodies not yet analysed have the type Any."""
        raise NotImplementedError

    def function_result(self, function: elm.FunctionDef) -> DataType:
        """The result type of a local function, analysing its body on demand."""
        raise NotImplementedError

    def element_type(self, datatype: DataType, name: str) -> DataType | None:
        raise NotImplementedError

    def element_names(self, datatype: DataType) -> list[str]:
        raise NotImplementedError

    # ------------------------------------------------------------ identifiers

    def identifier(self, node: tree.Identifier) -> elm.Expression:
        element = self.scopes.element()
        if element is not None and self._element(element, node.name) is not None:
            return self.property(elm.Iteration(name="this", result_type=element), node.name, node)
        row = self.scopes.row(node.name)
        if row is not None and self._element(row.result_type, node.name) is not None:
            return self.property(row, node.name, node)
        local = self.scopes.local(node.name)
        if local is not None:
            return dataclasses.replace(local, span=node.span)
        found = self.definition(node.name)
        if found is not None:
            made = reference(found, None)
            if made is not None:
                return dataclasses.replace(made, span=node.span)
        if node.name in self.includes:
            return self.error(node.span, "library-as-value", f"'{node.name}' is a library; name a definition of it")
        known = [*self.scopes.names(), *self.definition_names(), *self.includes]
        for datatype in (element, row.result_type if row is not None else None):
            known = [*self.element_names(datatype), *known] if datatype is not None else known
        message = f"'{node.name}' is not defined{self.suggestion(node.name, known)}"
        return self.error(node.span, "unknown-name", message)

    def special_identifier(self, node: tree.SpecialIdentifier) -> elm.Expression:
        found = self.scopes.accessor(node.name)
        if found is None:
            return self.error(node.span, "unknown-name", f"'${node.name}' has no meaning here")
        return dataclasses.replace(found, span=node.span)

    def external_constant(self, node: tree.ExternalConstant) -> elm.Expression:
        return self.error(node.span, "unknown-name", f"the external constant '%{node.name}' is not defined")

    # ------------------------------------------------------------ members

    def member(self, node: tree.Member) -> elm.Expression:
        included = self._library_of(node.target)
        if included is not None:
            alias, symbols = included
            found = symbols.definitions.get(node.name)
            made = reference(found, alias) if found else None
            if found is None or made is None:
                close = self.suggestion(node.name, symbols.definitions)
                message = f"the library '{alias}' defines no '{node.name}'{close}"
                return self.error(node.span, "unknown-name", message)
            if found.access == "private":
                return self.error(node.span, "private-name", f"'{node.name}' is private to the library '{alias}'")
            return dataclasses.replace(made, span=node.span)
        return self.property(self.expression(node.target), node.name, node)

    def _library_of(self, target: tree.Expression | None) -> tuple[str, Symbols] | None:
        """The included library a dot follows, unless a local name hides it."""
        if not isinstance(target, tree.Identifier) or self.scopes.local(target.name) is not None:
            return None
        symbols = self.includes.get(target.name)
        return (target.name, symbols) if symbols is not None else None

    def property(self, source: elm.Expression, name: str, node: tree.Expression) -> elm.Expression:
        """``source.name``: an element; over a list, the elements of all its items (list traversal)."""
        datatype = source.result_type
        if datatype == ERROR:
            return elm.Null(result_type=ERROR, span=node.span)
        if isinstance(datatype, ListType):
            return self._traverse(source, datatype.element, name, node)
        found = self._element(datatype, name)
        if found is None:
            known = self.element_names(datatype)
            message = f"{self.type_name(datatype)} has no element '{name}'{self.suggestion(name, known)}"
            return self.error(node.span, "unknown-element", message)
        return elm.Property(source=source, path=name, result_type=found, span=node.span)

    def _element(self, datatype: DataType, name: str) -> DataType | None:
        if isinstance(datatype, ChoiceType):
            types = [t for t in (self.element_type(a, name) for a in datatype.alternatives) if t is not None]
            return ChoiceType.of(types) if types else None
        return self.element_type(datatype, name)

    def _traverse(
        self, source: elm.Expression, element: DataType, name: str, node: tree.Expression
    ) -> elm.Expression:
        alias = "$item"
        item = elm.AliasRef(name=alias, result_type=element)
        inner = self.property(item, name, node)
        if inner.result_type == ERROR:
            return inner
        present = self.operator("Not", [self.operator("IsNull", [inner], None)], None)
        query = elm.Query(
            sources=(elm.AliasedQuerySource(alias=alias, expression=source, plural=True),), where=present,
            returns=inner, result_type=ListType(inner.result_type), span=node.span,
        )  # fmt: skip
        if isinstance(inner.result_type, ListType):
            return self.operator("Flatten", [query], node.span)
        return query

    # ------------------------------------------------------------ calls

    def function_call(self, node: tree.FunctionCall) -> elm.Expression:
        included = self._library_of(node.target)
        if included is not None:
            arguments = [self.expression(a) for a in node.arguments]
            return self._library_call(included, node, arguments)
        if node.target is not None:
            return self._fluent_call(node, self.expression(node.target))
        arguments = [self.expression(a) for a in node.arguments]
        if any(a.result_type == ERROR for a in arguments):
            return elm.Null(result_type=ERROR, span=node.span)
        local = self.local_functions(node.name)
        if local:
            made = self._user_call([(f, None) for f in local], node, arguments)
            if made is not None:
                return made
        return self._call_on_element(node, arguments) or self._system_call(node, arguments, bool(local))

    def _call_on_element(self, node: tree.FunctionCall, arguments: list[elm.Expression]) -> elm.Expression | None:
        """``sort by age()``: a fluent function of the row, as a bare name there is an element of the row."""
        element = self.scopes.element()
        functions = self._fluent_functions(node.name) if element is not None else []
        if element is None or not functions:
            return None
        return self._user_call(functions, node, [elm.Iteration(name="this", result_type=element), *arguments])

    def _library_call(
        self, included: tuple[str, Symbols], node: tree.FunctionCall, arguments: list[elm.Expression]
    ) -> elm.Expression:
        alias, symbols = included
        functions = [f for f in symbols.functions.get(node.name, []) if f.access != "private"]
        if not functions:
            hidden = "is private to" if symbols.functions.get(node.name) else "is not defined in"
            close = self.suggestion(node.name, symbols.functions)
            return self.error(node.span, "unknown-function", f"'{node.name}' {hidden} the library '{alias}'{close}")
        if any(a.result_type == ERROR for a in arguments):
            return elm.Null(result_type=ERROR, span=node.span)
        made = self._user_call([(f, alias) for f in functions], node, arguments)
        return made or self._no_overload(node, arguments)

    def _fluent_call(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        functions = self._fluent_functions(node.name)
        if target.result_type == ERROR:
            if node.name not in BODIED:
                for argument in node.arguments:
                    self.expression(argument)
            return elm.Null(result_type=ERROR, span=node.span)
        if node.name in BODIED and not self._answers(functions, node, target):
            return self.method(node, target)
        if not functions and node.name not in METHODS and node.name not in SYSTEM_FUNCTIONS:
            return self._no_method(node)
        arguments = [self.expression(a) for a in node.arguments]
        if any(a.result_type == ERROR for a in arguments):
            return elm.Null(result_type=ERROR, span=node.span)
        if functions:
            made = self._user_call(functions, node, [target, *arguments])
            if made is not None:
                return made
        if node.name in METHODS and node.name not in BODIED:
            return self.method(node, target, arguments)
        if node.name in SYSTEM_FUNCTIONS:
            return self.operator(node.name, [target, *arguments], node.span, spelled=node.name)
        return self._no_overload(node, [target, *arguments])

    def _no_method(self, node: tree.FunctionCall) -> elm.Expression:
        if node.name in STANDALONE or node.name == "iif":
            message = f"'{node.name}' follows no dot; write {node.name}(…)"
            return self.error(node.span, "unknown-function", message)
        fluent = [n for s in self.includes.values() for n, fs in s.functions.items() if any(f.fluent for f in fs)]
        message = f"no fluent function '{node.name}' is defined{self.suggestion(node.name, [*fluent, *METHODS])}"
        return self.error(node.span, "unknown-function", message)

    def _fluent_functions(self, name: str) -> list[tuple[elm.FunctionDef, str | None]]:
        """The author's fluent functions of this name, with the alias of their library."""
        local = [f for f in self.local_functions(name) if f.fluent]
        functions: list[tuple[elm.FunctionDef, str | None]] = [(f, None) for f in local]
        for alias, symbols in self.includes.items():
            functions.extend((f, alias) for f in symbols.functions.get(name, []) if f.fluent and f.access != "private")
        return functions

    def _answers(
        self, functions: Sequence[tuple[elm.FunctionDef, str | None]], node: tree.FunctionCall, target: elm.Expression
    ) -> bool:
        """Whether a function of the author takes this target and as many arguments: then its name is the author's."""
        return any(
            len(f.operands) == len(node.arguments) + 1
            and self.conversions.find(target.result_type, f.operands[0].type) is not None
            for f, _ in functions
        )

    def profile_check(self, node: tree.FunctionCall, target: elm.Expression) -> elm.Expression:
        found = next(((a, s) for a, s in self.includes.items() if s.library.name == "FHIRSupport"), None)
        if found is None:
            message = "'conformsTo' is a function of the library FHIRSupport; include it, or define the function"
            return self.error(node.span, "unknown-function", message)
        arguments = [target, *(self.expression(a) for a in node.arguments)]
        return self._library_call(found, dataclasses.replace(node, name="ConformsTo"), arguments)

    def _user_call(
        self,
        functions: Sequence[tuple[elm.FunctionDef, str | None]],
        node: tree.FunctionCall,
        arguments: list[elm.Expression],
    ) -> elm.Expression | None:
        """The call of the best fitting definition, None when none fits."""
        overloads = [_as_overload(f) for f, _ in functions]
        by_identity = {id(o): entry for o, entry in zip(overloads, functions, strict=True)}
        try:
            found = best_match(overloads, [a.result_type for a in arguments], self.conversions)
        except Ambiguous as ambiguous:
            choices = ", ".join(str(m.overload) for m in ambiguous.matches)
            return self.error(node.span, "ambiguous-call", f"'{node.name}' fits several functions: {choices}")
        if found is None:
            return None
        function, alias = by_identity[id(found.overload)]
        return self._call(found, function, alias, node, arguments)

    def _call(
        self,
        found: Match,
        function: elm.FunctionDef,
        alias: str | None,
        node: tree.FunctionCall,
        arguments: list[elm.Expression],
    ) -> elm.Expression:
        result = function.result_type if alias else self.function_result(function)
        operands = tuple(step.build(a) for step, a in zip(found.conversions, arguments, strict=True))
        return elm.FunctionRef(
            name=node.name, library=alias, operands=operands, signature=found.operands, result_type=result,
            span=node.span,
        )  # fmt: skip

    def _no_overload(self, node: tree.FunctionCall, arguments: list[elm.Expression]) -> elm.Expression:
        shown = ", ".join(self.type_name(a.result_type) for a in arguments)
        return self.error(node.span, "no-overload", f"no function '{node.name}' takes ({shown})")

    def _system_call(
        self, node: tree.FunctionCall, arguments: list[elm.Expression], local: bool
    ) -> elm.Expression:
        age = _AGE.match(node.name)
        if age is not None:
            return self._age(age, node, arguments)
        name = OPERATOR_FUNCTIONS.get(node.name)
        if name is None:
            if local:
                return self._no_overload(node, arguments)
            if node.name in STANDALONE or node.name == "iif":
                return self.standalone(node, arguments)
            known = [*OPERATOR_FUNCTIONS, *self.local_function_names()]
            message = f"no function '{node.name}' is defined{self.suggestion(node.name, known)}"
            return self.error(node.span, "unknown-function", message)
        if node.name == "Coalesce" and len(arguments) > 1:
            return self._coalesce(node, arguments)
        if name in ("Collapse", "Expand") and len(arguments) == 1:
            arguments = [*arguments, elm.Null(result_type=QUANTITY, span=node.span)]
        return self.operator(name, arguments, node.span, spelled=node.name)

    def local_function_names(self) -> list[str]:
        """The names of this library's functions."""
        raise NotImplementedError

    def _coalesce(self, node: tree.FunctionCall, arguments: list[elm.Expression]) -> elm.Expression:
        datatype = self.common_type([a.result_type for a in arguments], node.span)
        operands = tuple(self.convert(a, datatype, "an argument of Coalesce") for a in arguments)
        return elm.Operator(
            name="Coalesce", operands=operands, signature=(datatype, datatype), result_type=datatype, span=node.span
        )

    def _age(
        self, found: re.Match[str], node: tree.FunctionCall, arguments: list[elm.Expression]
    ) -> elm.Expression:
        calculate, unit, at = found.groups()
        precision = unit.lower().removesuffix("s")
        if not calculate:
            birth = self._birth_date(node)
            if birth.result_type == ERROR:
                return birth
            arguments = [birth, *arguments]
        name = "CalculateAgeAt" if at else "CalculateAge"
        return self.operator(name, arguments, node.span, precision=precision, spelled=node.name)

    def _birth_date(self, node: tree.FunctionCall) -> elm.Expression:
        patient = self.definition("Patient")
        if not isinstance(patient, elm.ExpressionDef):
            message = f"'{node.name}' needs a patient: put it below 'context Patient'"
            return self.error(node.span, "no-patient", message)
        value = reference(patient, None)
        assert value is not None
        datatype = value.result_type
        path = self.models[datatype.model].birth_date_path() if isinstance(datatype, NamedType) else None
        for part in (path or "").split("."):
            value = self.property(value, part, node)
        return value


def _as_overload(function: elm.FunctionDef) -> Overload:
    return Overload(
        name=function.name, operands=tuple(o.type for o in function.operands), result=function.result_type,
        function=_no_function, nulls="own", context=False, precision=False, uncertain=None, reference="",
    )  # fmt: skip


def _no_function() -> None:
    raise TypeError("a defined function is evaluated from its ELM")

