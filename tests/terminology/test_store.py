"""Value sets and code systems from local files: membership, versions, and what happens when something is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Severity, TerminologyError
from engine.terminology import expansion, icd10cm
from engine.terminology.store import TerminologyStore

A, B, ICD, SCT = "http://a", "http://b", icd10cm.SYSTEM, "http://snomed.info/sct"
TOO_COSTLY = "http://hl7.org/fhir/StructureDefinition/valueset-toocostly"
UNCLOSED = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed"


def value_set(url: str = "http://v", **content: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "url": url, "status": "active", **content}


def concepts(system: str, *codes: str) -> dict[str, Any]:
    return {"system": system, "concept": [{"code": code} for code in codes]}


def filtered(system: str, *filters: tuple[str, str, str]) -> dict[str, Any]:
    return {"system": system, "filter": [dict(zip(("property", "op", "value"), f, strict=True)) for f in filters]}


def compose(*include: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"compose": {"include": list(include), **more}}


def code_system(url: str, *concept: dict[str, Any], content: str = "complete", **more: Any) -> dict[str, Any]:
    return {"resourceType": "CodeSystem", "url": url, "content": content, "concept": list(concept), **more}


def store_of(folder: Path, *resources: dict[str, Any]) -> TerminologyStore:
    for number, resource in enumerate(resources):
        (folder / f"{number:02}.json").write_text(json.dumps(resource), encoding="utf-8")
    return TerminologyStore.load(folder)


def limited(parameter: dict[str, Any]) -> dict[str, Any]:
    """Two codes by definition, and an expansion with one of them, made with that parameter."""
    expansion = {"parameter": [parameter], "contains": [{"system": A, "code": "x"}]}
    return {**compose(concepts(A, "x", "y")), "expansion": expansion}


# root > branch > leaf by nesting; leaf also below other by a property; gone is inactive, group only groups
TREE = code_system(
    A,
    {
        "code": "root",
        "display": "Root",
        "concept": [
            {"code": "branch", "concept": [{"code": "leaf", "property": [{"code": "parent", "valueCode": "other"}]}]},
            {"code": "gone", "property": [{"code": "inactive", "valueBoolean": True}]},
            {"code": "group", "property": [{"code": "notSelectable", "valueBoolean": True}]},
        ],
    },
    {"code": "other", "property": [{"code": "colour", "valueString": "red"}]},
)

MEMBERSHIP = [
    # content, code, system, member
    (compose(concepts(A, "x")), "x", A, True),
    (compose(concepts(A, "x")), "x", B, False),
    (compose(concepts(A, "x")), "X", A, False),
    (compose(concepts(A, "x"), concepts(B, "y")), "y", B, True),
    (compose(concepts(A, "x"), concepts(B, "y")), "y", None, True),
    (compose(concepts(A, "x"), concepts(B, "y")), "z", None, False),
    # exclude
    (compose(concepts(A, "x", "y"), exclude=[concepts(A, "x")]), "x", A, False),
    (compose(concepts(A, "x", "y"), exclude=[concepts(A, "x")]), "y", A, True),
    (compose(concepts(A, "x"), concepts(B, "x"), exclude=[concepts(A, "x")]), "x", None, True),
    (compose(filtered(ICD, ("concept", "is-a", "C44")), exclude=[concepts(ICD, "C44.91")]), "C4491", ICD, False),
    # hierarchy of a code system: nested and by property
    (compose(filtered(A, ("concept", "is-a", "root"))), "root", A, True),
    (compose(filtered(A, ("concept", "is-a", "root"))), "leaf", A, True),
    (compose(filtered(A, ("concept", "is-a", "root"))), "other", A, False),
    (compose(filtered(A, ("concept", "is-a", "other"))), "leaf", A, True),
    (compose(filtered(A, ("concept", "descendent-of", "root"))), "root", A, False),
    (compose(filtered(A, ("concept", "descendent-of", "root"))), "branch", A, True),
    (compose(filtered(A, ("concept", "is-a", "root"))), "group", A, False),
    (compose(filtered(A, ("concept", "is-a", "root"))), "gone", A, True),
    (compose(filtered(A, ("concept", "is-a", "root")), inactive=False), "gone", A, False),
    (compose(filtered(A, ("concept", "is-a", "root"), ("concept", "is-a", "other"))), "leaf", A, True),
    (compose(filtered(A, ("concept", "is-a", "root"), ("concept", "is-a", "other"))), "branch", A, False),
    (compose(filtered(A, ("colour", "=", "red"))), "other", A, True),
    (compose(filtered(A, ("colour", "=", "red"))), "root", A, False),
    (compose(filtered(A, ("parent", "=", "root"))), "branch", A, True),
    (compose(filtered(A, ("parent", "=", "root"))), "leaf", A, False),
    (compose({"system": A}), "leaf", A, True),
    (compose({"system": A}), "nothing", A, False),
    # filters on the code alone need no code system
    (compose(filtered(B, ("code", "=", "x"))), "x", B, True),
    (compose(filtered(B, ("code", "in", "x, y"))), "y", B, True),
    (compose(filtered(B, ("code", "regex", "x[0-9]"))), "x1", B, True),
    (compose(filtered(B, ("code", "regex", "x[0-9]"))), "x12", B, False),
    # ICD-10-CM by prefix, the dot ignored
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C18", ICD, True),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C18.9", ICD, True),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C189", ICD, True),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C18.", ICD, False),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C18 colon", ICD, False),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C19", ICD, False),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C18.9", SCT, False),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C18.9", None, True),
    (compose(filtered(ICD, ("concept", "descendent-of", "C18"))), "C18", ICD, False),
    (compose(filtered(ICD, ("concept", "is-a", "C80.0"))), "C80.1", ICD, False),
    (compose(concepts(ICD, "C18.9")), "C189", ICD, True),
    # imports: alone, with a system, and several at once
    (compose({"valueSet": ["http://imported"]}), "x", A, True),
    (compose({"valueSet": ["http://imported|1"]}), "y", B, True),
    (compose({"system": B, "valueSet": ["http://imported"]}), "x", A, False),
    (compose({"system": B, "valueSet": ["http://imported"]}), "y", B, True),
    (compose({"valueSet": ["http://imported", "http://second"]}), "x", A, True),
    (compose({"valueSet": ["http://imported", "http://second"]}), "y", B, False),
    # expansions
    ({"expansion": {"contains": [{"system": A, "code": "x"}]}}, "x", A, True),
    ({"expansion": {"total": 0}}, "x", A, False),
    ({"expansion": {"contains": [{"display": "h", "contains": [{"system": A, "code": "x"}]}]}}, "x", A, True),
    ({"expansion": {"contains": [{"system": A, "code": "x", "abstract": True}]}}, "x", A, False),
    ({"expansion": {"contains": [{"system": A, "code": "x", "inactive": True}]}}, "x", A, True),
    # a whole expansion counts more than the definition, a partial one does not
    ({**compose(concepts(A, "old")), "expansion": {"contains": [{"system": A, "code": "x"}]}}, "old", A, False),
    ({**compose(concepts(A, "x", "y")), "expansion": {"total": 2, "contains": [{"system": A, "code": "x"}]}},
     "y", A, True),
    ({**compose(concepts(A, "x", "y")), "expansion": {
        "extension": [{"url": UNCLOSED, "valueBoolean": True}], "contains": [{"system": A, "code": "x"}]}},
     "y", A, True),
    # an expansion that was limited when it was made
    ({**compose(concepts(A, "x", "y")), "expansion": {
        "extension": [{"url": TOO_COSTLY}], "contains": [{"system": A, "code": "x"}]}}, "y", A, True),
    ({**compose(concepts(A, "x", "y")), "expansion": {
        "extension": [{"url": TOO_COSTLY, "valueBoolean": False}], "contains": [{"system": A, "code": "x"}]}},
     "y", A, False),
    ({**compose(concepts(A, "x", "y")), "expansion": {"offset": 0, "contains": [{"system": A, "code": "x"}]}},
     "y", A, True),
    ({**compose(concepts(A, "x", "y")),
      "expansion": {"offset": 0, "total": 1, "contains": [{"system": A, "code": "x"}]}}, "y", A, False),
    (limited({"name": "filter", "valueString": "dys"}), "y", A, True),
    (limited({"name": "filter", "valueString": ""}), "y", A, False),
    (limited({"name": "limitedExpansion", "valueBoolean": True}), "y", A, True),
    (limited({"name": "count", "valueInteger": 1}), "y", A, True),
    (limited({"name": "count", "valueInteger": 1000}), "y", A, False),
    (limited({"name": "version", "valueUri": "http://a|1"}), "y", A, False),
    # a code system named by its OID, there or here
    (compose(concepts(SCT, "1")), "1", "urn:oid:2.16.840.1.113883.6.96", True),
    (compose(concepts(SCT, "1")), "1", "urn:oid:2.16.840.1.113883.6.1", False),
    (compose(concepts("urn:oid:2.16.840.1.113883.6.96", "1")), "1", SCT, True),
    (compose(concepts("http://www.whocc.no/atc", "1")), "1", "urn:oid:2.16.840.1.113883.6.73", True),
    ({"expansion": {"contains": [{"system": "urn:oid:2.16.840.1.113883.6.96", "code": "1"}]}}, "1", SCT, True),
    (compose(filtered(ICD, ("concept", "is-a", "C18"))), "C18.9", "urn:oid:2.16.840.1.113883.6.90", True),
]  # fmt: skip


@pytest.mark.parametrize(("content", "code", "system", "member"), MEMBERSHIP)
def test_membership(tmp_path: Path, content: dict[str, Any], code: str, system: str | None, member: bool) -> None:
    imported = value_set("http://imported", version="1", **compose(concepts(A, "x"), concepts(B, "y")))
    second = value_set("http://second", **compose(concepts(A, "x")))
    store = store_of(tmp_path, value_set(**content), imported, second, TREE)
    assert store.problems == ()
    asked = store.value_set("http://v")
    assert asked.contains(code, system) is member
    assert asked.contains(code, system) is member  # and again, from what is remembered


UNRESOLVABLE = [
    # content of http://v, what the sentence says
    ({}, "neither an expansion nor a compose"),
    ({"expansion": {"timestamp": "2026"}}, "does not state a total of 0"),
    ({"expansion": {"total": 2, "contains": [{"system": A, "code": "x"}]}}, "only a part"),
    ({"expansion": {"offset": 1, "contains": [{"system": A, "code": "x"}]}}, "only a part"),
    (compose({"valueSet": ["http://absent"]}), "imports http://absent"),
    (compose({"valueSet": ["http://v"]}), "circle: http://v imports http://v"),
    (compose({"system": B}), "not loaded whole"),
    (compose(filtered(SCT, ("concept", "is-a", "1"))), "needs the CodeSystem http://snomed.info/sct"),
    (compose(filtered(A, ("concept", "is-a", "nowhere"))), "does not hold 'nowhere'"),
    (compose(filtered(A, ("concept", "generalizes", "leaf"))), "'concept generalizes leaf'"),
    (compose(filtered(A, ("display", "regex", "R.*"))), "not supported"),
    (compose(filtered(B, ("code", "regex", "("))), "not a valid pattern"),
    (compose(filtered(ICD, ("concept", "is-a", "C1"))), "'C1' is not an ICD-10-CM code"),
    (compose(concepts(A, "x"), exclude=[{"valueSet": ["http://absent"]}]), "imports http://absent"),
]


@pytest.mark.parametrize(("content", "sentence"), UNRESOLVABLE)
def test_unresolvable_is_an_error_and_never_empty(tmp_path: Path, content: dict[str, Any], sentence: str) -> None:
    store = store_of(tmp_path, value_set(**content), TREE)
    with pytest.raises(TerminologyError, match="http://v") as raised:
        store.value_set("http://v")
    assert sentence in str(raised.value)
    assert [d.code for d in store.check()] == ["unresolvable-value-set"]


def test_absent_value_set_names_the_url_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TerminologyError, match="http://nowhere is not loaded; put its FHIR resource") as raised:
        store_of(tmp_path).value_set("http://nowhere")
    assert raised.value.url == "http://nowhere"


def test_circle_over_three_value_sets(tmp_path: Path) -> None:
    def importing(url: str, other: str) -> dict[str, Any]:
        return value_set(url, **compose(concepts(A, "x"), {"valueSet": [other]}))

    store = store_of(tmp_path, importing("http://1", "http://2"), importing("http://2", "http://3"),
                     importing("http://3", "http://2"))  # fmt: skip
    with pytest.raises(TerminologyError, match="http://2 imports http://3 imports http://2"):
        store.value_set("http://1")


def test_a_chain_of_imports_that_is_too_deep_is_an_error(tmp_path: Path) -> None:
    chain = [value_set(f"http://{n}", **compose({"valueSet": [f"http://{n + 1}"]})) for n in range(150)]
    with pytest.raises(TerminologyError, match="more than 100 deep"):
        store_of(tmp_path, *chain).value_set("http://0")


def test_diamond_of_imports_is_no_circle(tmp_path: Path) -> None:
    both = compose({"valueSet": ["http://left"]}, {"valueSet": ["http://right"]})
    bottom = compose({"valueSet": ["http://bottom"]})
    sides = [value_set(url, **bottom) for url in ("http://left", "http://right")]
    store = store_of(tmp_path, value_set(**both), *sides, value_set("http://bottom", **compose(concepts(A, "x"))))
    assert [c.code for c in store.value_set("http://v").codes] == ["x"]


MALFORMED = [
    # file content, code of the diagnostic, what the sentence says, line and column
    (b"", "malformed-json", "not JSON", None),
    (b'{\n "resourceType": ,', "malformed-json", "not JSON", (2, 18)),
    (b"\xff\xfe", "malformed-json", "not JSON", (1, 1)),
    (b"[" * 100_000, "malformed-json", "nested too deeply", None),
    (b"[]", "not-a-resource", "$ is not a FHIR resource", None),
    (b'{"a": 1}', "not-a-resource", "resourceType", None),
    (b'{"resourceType": "ValueSet"}', "malformed-terminology", "url", None),
    (b'{"resourceType": "CodeSystem", "url": "http://c"}', "malformed-terminology", "content", None),
    (b'{"resourceType": "Bundle", "entry": {}}', "malformed-bundle", "$.entry", None),
    (json.dumps(value_set(**compose({"concept": [{"code": "x"}]}))).encode(), "malformed-terminology",
     "`$.compose.include[0]`", None),
    (json.dumps(value_set(**compose())).encode(), "malformed-terminology", "at least one include", None),
    (json.dumps(value_set(**compose({**concepts(A, "x"), **filtered(A, ("a", "=", "b"))}))).encode(),
     "malformed-terminology", "not both", None),
    (json.dumps(value_set(**compose({"system": A, "concept": [{"code": 5}]}))).encode(), "malformed-terminology",
     "`$.compose.include[0].concept[0].code`", None),
    (json.dumps({"resourceType": "Bundle", "entry": [{"resource": value_set(compose=1)}]}).encode(),
     "malformed-terminology", "`$.entry[0].resource.compose`", None),
    (json.dumps(value_set(expansion={"contains": [{"code": "x"}, {"code": "y", "contains": [{}]}]})).encode(),
     "malformed-terminology", "`$.expansion.contains[1].contains[0]`", None),
]  # fmt: skip


@pytest.mark.parametrize(("content", "code", "sentence", "place"), MALFORMED)
def test_a_bad_file_is_located_and_the_rest_loads(
    tmp_path: Path, content: bytes, code: str, sentence: str, place: tuple[int, int] | None
) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    store = store_of(tmp_path, value_set("http://good", **compose(concepts(A, "x"))))
    (problem,) = store.problems
    assert problem.code == code
    assert sentence in problem.message
    assert problem.source == str(tmp_path / "bad.json")
    if place is not None:
        assert problem.span is not None
        assert (problem.span.line, problem.span.column) == place
    assert store.value_set("http://good").contains("x", A)


def test_places_are_written_of_mistakes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "_placed", lambda *given: pytest.fail("nothing is wrong"))
    members = [{"system": A, "code": "x", "contains": [{"system": A, "code": "y"}]}, {"system": A, "code": "z"}]
    made = store_of(tmp_path, value_set(expansion={"contains": members})).value_set("http://v")
    assert [member.code for member in made.codes] == ["x", "y", "z"]


def test_a_broken_value_set_says_so_when_asked_for(tmp_path: Path) -> None:
    store = store_of(tmp_path, value_set(**compose({"system": A, "concept": [{}]})))
    with pytest.raises(TerminologyError, match=r"http://v cannot be used: its file .*00\.json is broken"):
        store.value_set("http://v")


def test_a_code_without_a_system_is_neither_in_nor_out(tmp_path: Path) -> None:
    entries = [{"code": "x"}, {"system": A, "code": "y"}]
    store = store_of(tmp_path, value_set(expansion={"contains": entries}))
    assert [(p.code, p.severity) for p in store.problems] == [("code-without-system", Severity.WARNING)]
    found = store.value_set("http://v")
    assert found.contains("y", A)
    assert not found.contains("z", A)
    assert found.contains("x", None)
    assert found.contains("x", "")
    assert not found.contains("y", "")
    with pytest.raises(TerminologyError, match="lists the code 'x' without a system"):
        found.contains("x", A)


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    (problem,) = TerminologyStore.load(tmp_path / "nowhere").problems
    assert problem.code == "no-such-folder"


def test_bundles_are_read_and_other_resources_passed_over(tmp_path: Path) -> None:
    entries = [value_set(**compose(concepts(A, "x"))), {"resourceType": "Patient"}, TREE]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in entries]}
    store = store_of(tmp_path, bundle, {"resourceType": "Measure"})
    assert store.problems == ()
    assert (store.value_set_urls, store.code_system_urls) == (("http://v",), (A,))


VERSIONS = [
    # versions there, asked for, answered (None: an error)
    (["1.0", "2.0"], "1.0", "1.0"),
    (["1.0", "2.0"], None, "2.0"),
    (["1.9", "1.10"], None, "1.10"),
    (["1.0", "1.0.1"], None, "1.0.1"),
    (["1.0-draft", "1.0.0"], None, "1.0.0"),
    (["20210220", "20200101"], None, "20210220"),
    ([None, "1.0"], None, "1.0"),
    ([None], None, "none"),
    (["1.0", "2.0"], "3.0", None),
    ([None], "1.0", None),
]


@pytest.mark.parametrize(("there", "asked", "answered"), VERSIONS)
def test_versions(tmp_path: Path, there: list[str | None], asked: str | None, answered: str | None) -> None:
    sets = [value_set(**({"version": v} if v else {}), **compose(concepts(A, v or "none"))) for v in there]
    store = store_of(tmp_path, *sets)
    if answered is None:
        with pytest.raises(TerminologyError, match=f"not loaded in version {asked}, only in: "):
            store.value_set("http://v", asked)
        return
    assert [c.code for c in store.value_set("http://v", asked).codes] == [answered]
    assert [c.code for c in store.value_set(f"http://v|{asked}" if asked else "http://v").codes] == [answered]


def test_the_folder_named_first_wins(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, code in ((ours, "o"), (theirs, "t")):
        folder.mkdir()
        store_of(folder, value_set(**compose(concepts(A, code))))
    assert TerminologyStore.load(theirs, ours).value_set("http://v").contains("t", A)
    assert TerminologyStore.load(ours, theirs).value_set("http://v").contains("o", A)
    assert TerminologyStore.load(ours, theirs).problems == ()


def test_one_version_defined_twice_is_ambiguous(tmp_path: Path) -> None:
    store = store_of(tmp_path, value_set(**compose(concepts(A, "x"))), value_set(**compose(concepts(A, "y"))))
    assert [p.code for p in store.problems] == ["ambiguous-terminology"]
    with pytest.raises(TerminologyError, match="defined differently in several files"):
        store.value_set("http://v")


def test_the_same_content_twice_is_not_ambiguous(tmp_path: Path) -> None:
    store = store_of(tmp_path, value_set(**compose(concepts(A, "x"))), value_set(**compose(concepts(A, "x"))))
    assert store.problems == ()
    assert store.value_set("http://v").contains("x", A)


def test_what_a_value_set_tells_of_itself(tmp_path: Path) -> None:
    content = compose(filtered(A, ("concept", "is-a", "branch")), filtered(ICD, ("concept", "is-a", "C18")))
    store = store_of(tmp_path, value_set(title="V", version="1", **content), {**TREE, "content": "fragment"})
    found = store.value_set("http://v")
    assert (found.url, found.version, found.name) == ("http://v", "1", "V")
    assert {c.code for c in found.codes} == {"branch", "leaf"}
    assert found.systems == tuple(sorted((A, ICD)))
    assert not found.enumerable
    assert found.unclosed == {A}
    with pytest.raises(TerminologyError, match="cannot be listed"):
        store.codes("http://v")


def test_hash_depends_on_content_alone(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder, codes in zip(folders, (("x", "y"), ("y", "x"), ("x", "z")), strict=True):
        folder.mkdir()
        store_of(folder, value_set(**compose(concepts(A, *codes))))
    first, second, third = (TerminologyStore.load(folder) for folder in folders)
    assert first.value_set("http://v").hash == second.value_set("http://v").hash
    assert first.value_set("http://v").hash != third.value_set("http://v").hash
    (folders[0] / "00.json").rename(folders[0] / "renamed.json")
    assert TerminologyStore.load(folders[0]).hash == first.hash != third.hash


def test_code_systems(tmp_path: Path) -> None:
    supplement = code_system("http://s", {"code": "leaf", "display": "Leaf"}, content="supplement", supplements=A)
    fragments = [code_system(B, {"code": c}, content="fragment") for c in ("1", "2")]
    store = store_of(tmp_path, TREE, supplement, *fragments)
    assert store.problems == ()
    assert store.code_system(A).display("leaf") == "Leaf"
    assert store.in_code_system("leaf", A)
    assert not store.in_code_system("nothing", A)
    assert store.in_code_system("1", B)
    assert store.in_code_system("2", B)
    with pytest.raises(TerminologyError, match="only a part"):
        store.in_code_system("3", B)
    with pytest.raises(TerminologyError, match="http://c is not loaded"):
        store.in_code_system("1", "http://c")


def test_a_supplement_adds_no_codes(tmp_path: Path) -> None:
    added = {"code": "root", "concept": [{"code": "new"}, {"code": "other"}]}
    supplement = code_system("http://s", added, content="supplement", supplements=A)
    store = store_of(tmp_path, TREE, supplement)
    assert not store.in_code_system("new", A)
    assert not store.subsumes(A, "root", "other")


@pytest.mark.parametrize("meaning", ("part-of", "grouped-by", "classified-with"))
def test_only_a_hierarchy_of_kinds_subsumes(tmp_path: Path, meaning: str) -> None:
    hand = {"code": "hand", "concept": [{"code": "finger"}], "property": [{"code": "child", "valueCode": "palm"}]}
    nail = {"code": "nail", "property": [{"code": "parent", "valueCode": "finger"}]}
    kind = {"code": "left hand", "property": [{"code": "subsumedBy", "valueCode": "hand"}]}
    body = code_system(A, hand, {"code": "palm"}, nail, kind, hierarchyMeaning=meaning)
    content = compose(filtered(A, ("concept", "is-a", "hand")))
    having = compose(filtered(A, ("parent", "=", "hand")))
    store = store_of(tmp_path, body, value_set(**content), value_set("http://w", **having))
    assert {c.code for c in store.value_set("http://v").codes} == {"hand", "left hand"}
    assert {c.code for c in store.value_set("http://w").codes} == {"finger", "palm", "left hand"}
    assert not store.subsumes(A, "finger", "nail")


@pytest.mark.parametrize(
    ("system", "ancestor", "descendant", "answer"),
    (
        (A, "root", "leaf", True),
        (A, "leaf", "leaf", True),
        (A, "leaf", "root", False),
        (ICD, "C18", "C18.9", True),
        (ICD, "C18.9", "C18", False),
        (SCT, "1", "1", True),
        (SCT, "1", "2", None),
    ),
)
def test_subsumes(tmp_path: Path, system: str, ancestor: str, descendant: str, answer: bool | None) -> None:
    store = store_of(tmp_path, TREE)
    if answer is None:
        with pytest.raises(TerminologyError, match="cannot be told"):
            store.subsumes(system, ancestor, descendant)
    else:
        assert store.subsumes(system, ancestor, descendant) is answer


def test_a_circle_in_a_code_system_ends(tmp_path: Path) -> None:
    circle = [{"code": c, "property": [{"code": "parent", "valueCode": p}]} for c, p in ("12", "21")]
    store = store_of(tmp_path, code_system(A, *circle), value_set(**compose(filtered(A, ("concept", "is-a", "1")))))
    assert {c.code for c in store.value_set("http://v").codes} == {"1", "2"}
