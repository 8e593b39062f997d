"""What the facts layers say of the authentication service, read once per call into typed values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mockserver.context import Call

TextOf = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The service's paths below an application's environment; each begins with a slash (facts N1.10 to N1.13, U1)."""

    issuer: str
    discovery: str
    metadata: str
    authorize: str
    sign_in: str
    token: str
    keys: str
    userinfo: str
    introspect: str
    revoke: str
    logout: str


def paths_of(call: Call) -> Paths:
    """The paths in force for `call`: those of the moved segment once the application's endpoints were moved."""
    key = "auth.moved_segment" if call.registration.endpoints_moved else "auth.version_segment"
    return call.settings.derived(f"paths/{key}", lambda settings: paths_for(settings.text, settings.text(key)))


def paths_for(text: TextOf, segment: str) -> Paths:
    """The paths with `segment` standing where the layers say `{segment}`; `issuer` is the authority, where discovery begins."""

    def path(name: str) -> str:
        return text("auth.base_path") + text(f"auth.path.{name}").replace("{segment}", segment)

    authorize = path("authorize")
    return Paths(
        issuer=text("auth.base_path"),
        discovery=text("auth.base_path") + text("auth.discovery_path"),
        metadata=text("auth.metadata_path") + text("auth.base_path"),
        authorize=authorize,
        sign_in=f"{authorize}/sign-in",
        token=path("token"),
        keys=path("keys"),
        userinfo=path("userinfo"),
        introspect=path("introspect"),
        revoke=path("revoke"),
        logout=path("logout"),
    )


def issuer_of(call: Call) -> str:
    """The issuer identifier of the application's environment (RFC 8414 section 2)."""
    text = call.settings.text
    return call.base_url + (text("auth.issuer_path") or text("auth.base_path"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormNames:
    """The names in the sign-in form; robots and browsers rely on them."""

    username: str
    password: str
    decision: str
    allow: str
    deny: str
    passcode: str
    request: str = "request"


def form_names(call: Call) -> FormNames:
    """The names in the sign-in form, from the layers."""
    text = call.settings.text
    return FormNames(
        username=text("auth.form.username"),
        password=text("auth.form.password"),
        decision=text("auth.form.decision"),
        allow=text("auth.form.allow"),
        deny=text("auth.form.deny"),
        passcode=text("auth.form.passcode"),
    )
