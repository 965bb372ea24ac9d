"""The settings file: which FHIR servers there are, and how we show ourselves to them.

TOML or JSON, a table ``servers.NAME`` for each server. Every mistake is a sentence with the file and the place in it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.sources.smart.addresses import origin_of

Method = Literal["search", "everything", "bulk"]
Algorithm = Literal["RS384", "ES384"]


class ServerSettings(BaseModel):
    """One FHIR server. Times are seconds, sizes bytes.

    ``authorization`` is ``none`` only for a server that asks nobody who they are (a test server on this machine).
    ``token_origins`` and ``file_origins`` are the origins beside the server's own where the token endpoint and exported
    files may be; the access token goes to none of them. ``retries`` are the further attempts after a first one fails;
    ``longest_wait`` bounds what a server's Retry-After can ask for. ``searches_at_once`` are asked for one patient.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(default="", exclude=True)
    folder: Path = Field(default=Path(), exclude=True)
    base_url: str
    authorization: Literal["backend-services", "none"] = "backend-services"
    client_id: str = Field(default="", max_length=1000)
    key_file: str = ""
    key_id: str | None = None
    algorithm: Algorithm | None = None
    scopes: tuple[str, ...] = Field(default=("system/*.rs",), strict=False, min_length=1)
    token_url: str | None = None
    token_origins: tuple[str, ...] = Field(default=(), strict=False)
    file_origins: tuple[str, ...] = Field(default=(), strict=False)
    allow_http: bool = False
    ca_file: str | None = None
    method: Method = "search"
    export_level: Literal["patient", "system"] = "patient"
    searches_at_once: int = Field(default=4, ge=1, le=16)
    page_size: int = Field(default=200, ge=1, le=10_000)
    max_url_length: int = Field(default=1800, ge=300, le=16_000)
    max_pages: int = Field(default=10_000, ge=1)
    timeout: float = Field(default=30, gt=0, le=3600)
    response_timeout: float = Field(default=600, gt=0)
    retries: int = Field(default=4, ge=0, le=20)
    longest_wait: float = Field(default=300, ge=0, le=86_400)
    export_timeout: float = Field(default=86_400, gt=0)
    max_response_bytes: int = Field(default=100_000_000, ge=1000)
    max_file_bytes: int = Field(default=50_000_000_000, ge=1000)
    max_line_bytes: int = Field(default=50_000_000, ge=1000)
    work_folder: str | None = None

    @field_validator("base_url", "token_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            origin_of(value)
            if "#" in value or "?" in value:
                raise ValueError("has a query or fragment; give the address up to there")
        return value

    @field_validator("token_origins", "file_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if str(origin_of(text)) != text.rstrip("/"):
                raise ValueError(f"'{text}' is no origin; write only scheme, host and port: {origin_of(text)}")
        return value

    @field_validator("scopes")
    @classmethod
    def _scopes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for scope in value:
            if not scope or any(c.isspace() or not c.isprintable() for c in scope):
                raise ValueError(f"'{scope}' is no scope; write one a member of the list, such as system/*.rs")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for field in ("base_url", "token_url", "token_origins", "file_origins"):
            value = getattr(self, field) or ()
            for text in (value,) if isinstance(value, str) else value:
                origin = origin_of(text)
                if origin.scheme == "http" and not (self.allow_http or origin.loopback):
                    message = "is not https; patient data and tokens would be readable on the way"
                    raise ValueError(f"{field}: '{text}' {message}")
        if self.authorization == "backend-services":
            for field in ("client_id", "key_file"):
                if not getattr(self, field):
                    raise ValueError(f"{field}: is missing; it is needed unless authorization is 'none'")
        return self

    def path(self, text: str) -> Path:
        """A path of the settings; a relative one counts from the folder of the settings file."""
        return self.folder / Path(text).expanduser()


def load_servers(path: Path) -> dict[str, ServerSettings]:
    """The servers of a settings file (``.json`` is JSON, anything else TOML), by name.

    Raises:
        InputError: the file cannot be read, or anything in it is not a setting; all mistakes at once.
    """
    return read_servers(_content(path), source=str(path), folder=path.parent)


def read_servers(content: Any, *, source: str, folder: Path = Path()) -> dict[str, ServerSettings]:
    """The servers of decoded settings: see :func:`load_servers`."""
    if not isinstance(content, dict) or not isinstance(content.get("servers"), dict) or not content["servers"]:
        raise InputError(source, "servers", "is missing; a table [servers.NAME] for each FHIR server was expected")
    mistakes = [(k, f"is no setting{_nearest(k, ['servers'])}") for k in content if k != "servers"]
    found: dict[str, ServerSettings] = {}
    for name, given in content["servers"].items():
        place = f"servers.{name}"
        if not isinstance(given, dict):
            mistakes.append((place, "is no table of settings"))
            continue
        mistakes.extend((f"{place}.{k}", "is no setting") for k in ("name", "folder") if k in given)
        try:
            found[name] = ServerSettings.model_validate({**given, "name": name, "folder": folder})
        except ValidationError as problem:
            mistakes.extend(_sentences(place, problem))
    if len(mistakes) == 1:
        raise InputError(source, *mistakes[0])
    if mistakes:
        lines = "".join(f"\n  {place}: {sentence}" for place, sentence in mistakes)
        raise InputError(source, "", f"{len(mistakes)} settings cannot be used:{lines}")
    return found


def server_named(servers: Mapping[str, ServerSettings], name: str, *, source: str) -> ServerSettings:
    """The server of that name.

    Raises:
        InputError: there is none; names those there are.
    """
    if name not in servers:
        known = ", ".join(sorted(servers))
        raise InputError(source, "servers", f"holds no server '{name}'; it holds {known}")
    return servers[name]


def _content(path: Path) -> Any:
    source = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(source, "", "there is no such settings file; see docs/servers.md for one") from None
    except OSError as problem:
        raise InputError(source, "", f"the file cannot be read: {problem.strerror}") from None
    if path.suffix.lower() == ".json":
        return decode_json(data, source=source)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise InputError(source, f"byte {problem.start}", "the file is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as problem:
        sentence, _, place = str(problem).rpartition(" (at ")
        where = place.rstrip(")") if sentence else ""
        raise InputError(source, where, f"is not TOML: {sentence or problem}") from None


def _sentences(place: str, problem: ValidationError) -> Iterable[tuple[str, str]]:
    for error in problem.errors():
        steps = [str(step) for step in error["loc"]]
        where = ".".join([place, *steps])
        kind, context = error["type"], error.get("ctx", {})
        if kind == "missing":
            yield where, "is missing"
        elif kind == "extra_forbidden":
            yield where, f"is no setting{_nearest(steps[-1], ServerSettings.model_fields)}"
        elif kind == "value_error":
            sentence = str(context.get("error", ""))
            field, colon, rest = sentence.partition(": ")
            yield (f"{place}.{field}", rest) if colon and field in ServerSettings.model_fields else (where, sentence)
        elif kind == "literal_error":
            yield where, f"is {error['input']!r}; it can be {context.get('expected')}"
        else:
            message = str(error["msg"])
            yield where, f"is {error['input']!r}; {message[0].lower()}{message[1:]}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, [k for k in known if k not in ("name", "folder")], n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
