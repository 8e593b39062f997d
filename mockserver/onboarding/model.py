"""What registration issues and keeps: applications, their environments and their users, as stored.

Secrets never stand here: passwords and client secrets are references of the engine's digester (`Digester.mark`), compared
in constant time. Everything is immutable; a change is `msgspec.structs.replace` and `Applications.save`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from acrmock.clock import BusinessTime
from mockserver.store import Stored

APPLICATION = "application"
"""The kind under which applications are stored, in the global scope, keyed by their id."""


class User(Stored, frozen=True, kw_only=True):
    """A test user of one environment: signs in by `username`, acts for `facility_id` (U28); `sub` is its OpenID subject."""

    username: str
    password_digest: str
    facility_id: str
    name: str
    sub: str


class Logo(Stored, frozen=True, kw_only=True):
    """A declared logo as measured: pixels, format (`png` or what it was), size in bytes, and the link given with it."""

    width: int = 0
    height: int = 0
    format: str = ""
    size: int = 0
    link: str = ""


class Registration(Stored, frozen=True, kw_only=True):
    """One environment of an application, with every value issued for it (requirement srv-credentials).

    `registries` maps a slug to its mapping version; `documents`: the registry of documents, which has none, was claimed too.
    `addresses` are the CIDRs declared for ACR; `local_sources` those that stand for them here, `local_sources_given` whether
    the vendor named them. `calling_aes` are the AE titles that dose reports were said to come from, `stations` the Station
    Names that were configured with it. `settings` override layer settings by key; `guide` is the version of the sign-in
    guide, empty for the one that holds unless another is named.
    """

    environment: str
    client_id: str
    client_secret_digest: str
    partner_id: str
    app_id: str
    facilities: tuple[str, ...]
    users: tuple[User, ...]
    redirect_urls: tuple[str, ...]
    registries: dict[str, str]
    scopes: tuple[str, ...]
    documents: bool = False
    addresses: tuple[str, ...] = ()
    local_sources: tuple[str, ...] = ()
    local_sources_given: bool = False
    post_logout_urls: tuple[str, ...] = ()
    calling_aes: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    logo: Logo | None = None
    guide: str = ""
    endpoints_moved: bool = False
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


class Application(Stored, frozen=True, kw_only=True):
    """A registered vendor application, the tenant: everything stored belongs to one.

    `environments` are keyed by `test` and `production`; `run` is the open certification run, if any.
    """

    id: str
    name: str
    environments: dict[str, Registration] = msgspec.field(default_factory=dict)
    ae_title: str = ""
    run: str | None = None
    business: BusinessTime = BusinessTime()
    local: bool = False
