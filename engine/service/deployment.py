"""How a service is deployed: settings from the environment (``ELIGIBILITY_…``) and files, checked when it starts."""

from __future__ import annotations

import ipaddress
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import InputError
from engine.fhir.decode import decode_json
from engine.service.settings import Settings
from engine.service.storage import default_url
from engine.service.tokens import checked_address
from engine.service.workers import PoolLimits

PREFIX: Final = "ELIGIBILITY_"
MIB: Final = 1024 * 1024


class Deployment(BaseSettings):
    """The settings of a deployment; each is the environment variable of its name in capitals after ``ELIGIBILITY_``.

    A service takes bearer tokens when ``issuer``, ``jwks`` and ``public_url`` are set. Without them it is *open*: it
    takes every caller, and therefore listens to this machine only.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    public_url: str | None = None
    """The address at which clients reach the service, without a slash at its end: https://trials.example.org."""
    issuer: str | None = None
    """The SMART authorization server, exactly as its tokens say (``iss``)."""
    jwks: str | None = None
    """Its public keys: a file, or an https address."""
    audience: str | None = None
    """What its tokens have to be meant for (``aud``); by default ``public_url`` followed by /fhir."""
    token_endpoint: str | None = None
    """Where clients get tokens; told in .well-known/smart-configuration."""
    single_use_tokens: bool = False
    """Take each bearer token once. SMART clients use theirs until they expire, so this is for special clients."""
    hooks_clients: Path | None = None
    """The CDS Hooks clients: a JSON list of objects with ``iss`` and ``jku``, ``jwks`` or both."""

    database_url: SecretStr = Field(default_factory=lambda: SecretStr(default_url()))
    audit_key_file: Path | None = None
    """A secret of 32 bytes or more: with it, nobody without it can write an audit that looks whole."""

    retention_days: int | None = Field(default=None, ge=1, le=36500)
    """After how many days runs and feedback are deleted; without it they are kept. The audit stays."""
    link_minutes: int = Field(default=60, ge=1, le=10080)
    """How long the link of a card opens the result to whoever has it."""

    workers: int = Field(default=2, ge=1, le=256)
    queue: int = Field(default=256, ge=0, le=100_000)
    job_seconds: float = Field(default=30, gt=0, le=3600)
    job_memory_mb: int = Field(default=2048, ge=256)
    max_body_mb: int = Field(default=16, ge=1, le=1024)
    request_seconds: float = Field(default=120, gt=0)
    """Of a request as a whole: reading it, waiting in the queue, evaluating."""
    grace_seconds: float = Field(default=30, ge=0)
    """How long a stopping service lets running work finish."""

    metrics_open: bool = False
    """Answer /metrics without a token, where the network keeps others out."""
    log_level: str = "info"
    time_zone: str = "+00:00"
    parameters_file: Path | None = None

    @field_validator("public_url", "audience", "issuer", mode="after")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("write the whole address, like https://trials.example.org")
        return value

    @field_validator("public_url", mode="after")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @field_validator("log_level", mode="after")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("is debug, info, warning or error")
        return value.lower()

    @property
    def secured(self) -> bool:
        """True when callers need tokens."""
        return self.issuer is not None

    @property
    def accepted_audiences(self) -> frozenset[str]:
        """The audiences of bearer tokens that are ours."""
        return frozenset({self.audience}) if self.audience else frozenset({f"{self.public_url}/fhir"})

    @property
    def pool(self) -> PoolLimits:
        """The limits of the workers."""
        return PoolLimits(self.workers, self.queue, self.job_seconds, self.job_memory_mb * MIB)

    @cached_property
    def audit_key(self) -> bytes | None:
        """The key of the audit.

        Raises:
            InputError: the file cannot be read or is too short.
        """
        if self.audit_key_file is None:
            return None
        key = _bytes(self.audit_key_file).strip()
        if len(key) < 32:
            raise InputError(str(self.audit_key_file), "", "a key of the audit needs 32 bytes or more")
        return key

    @cached_property
    def clients(self) -> list[dict[str, Any]] | None:
        """The rows of ``hooks_clients``; None when CDS Hooks clients are not configured.

        Raises:
            InputError: the file is not what it should be.
        """
        if self.hooks_clients is None:
            return None
        source = str(self.hooks_clients)
        rows = decode_json(_bytes(self.hooks_clients), source=source)
        if not isinstance(rows, list) or not rows:
            raise InputError(source, "", "is no list of CDS Hooks clients")
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, dict) or not isinstance(row.get("iss"), str) or not {"jku", "jwks"} & set(row):
                raise InputError(source, f"client {number}", "needs 'iss' and 'jku', 'jwks' or both")
            if "jku" in row:
                checked_address(str(row["jku"]))
        if len({row["iss"] for row in rows}) < len(rows):
            raise InputError(source, "", "names an issuer twice")
        return rows

    def check(self) -> Deployment:
        """This deployment, if its settings fit together.

        Raises:
            InputError: they do not.
        """
        given = {"ISSUER": self.issuer, "JWKS": self.jwks, "PUBLIC_URL": self.public_url}
        if self.issuer or self.jwks:
            missing = [PREFIX + name for name, value in given.items() if not value]
            if missing:
                raise InputError("settings", "", f"to take bearer tokens, set {' and '.join(missing)} too")
        if self.hooks_clients is not None and not self.public_url:
            raise InputError("settings", "", f"to check CDS Hooks clients, set {PREFIX}PUBLIC_URL too")
        if self.hooks_clients is not None and not self.secured:
            names = f"{PREFIX}ISSUER and {PREFIX}JWKS"
            raise InputError("settings", "", f"CDS Hooks clients are checked and the rest is open; set {names} too")
        _ = self.audit_key, self.clients, self.offset_minutes
        return self

    @property
    def offset_minutes(self) -> int:
        """The site's offset from UTC in minutes.

        Raises:
            InputError: ``time_zone`` is no offset.
        """
        import re

        match = re.fullmatch(r"([+-])(\d\d):([0-5]\d)|Z", self.time_zone)
        minutes = 0 if match is None or match[1] is None else int(match[1] + "1") * (int(match[2]) * 60 + int(match[3]))
        if match is None or abs(minutes) > 14 * 60:
            raise InputError(f"{PREFIX}TIME_ZONE", "", "is no offset; write it like +08:00, -05:30 or Z")
        return minutes

    def site(self) -> Settings:
        """What every run takes as given.

        Raises:
            InputError: the parameters cannot be read.
        """
        parameters: Any = {}
        if self.parameters_file is not None:
            source = str(self.parameters_file)
            parameters = decode_json(_bytes(self.parameters_file), source=source)
            if not isinstance(parameters, dict):
                raise InputError(source, "", "is no JSON object with parameters by name")
        return Settings(public_url=self.public_url, offset_minutes=self.offset_minutes, parameters=parameters)


def deployment(**given: Any) -> Deployment:
    """The deployment that environment (and ``given``, by name) ask for.

    Raises:
        InputError: a setting is not what it should be; names it and never repeats its value.
    """
    try:
        return Deployment(**given).check()
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_url=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise InputError(name, "", str(first["msg"]).removeprefix("Value error, ")) from None


def is_loopback(host: str) -> bool:
    """True for an address that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_host(host: str, settings: Deployment) -> None:
    """Refuses to open a service without tokens to others.

    Raises:
        InputError: says what to set.
    """
    if not settings.secured and not is_loopback(host):
        names = ", ".join(PREFIX + name for name in ("ISSUER", "JWKS", "PUBLIC_URL"))
        sentence = f"without tokens the service listens to this machine only (127.0.0.1); set {names} to open it"
        raise InputError("--host", host, sentence)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InputError(str(path), "", f"cannot be read: {problem.strerror}") from None
