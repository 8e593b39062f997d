"""A registration request as it comes in: the flags of `register` in snake_case (S2 step 2 of the certification workflow)."""

from __future__ import annotations

from typing import Any

import msgspec

Texts = tuple[str, ...] | str


class RegistrationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a vendor tells ACR, and how this server shall treat it.

    `redirect_url`, `post_logout_url`, `ip`, `local_source`, `registry` (`R` or `R:VERSION`; that of documents has no versions),
    `dicom` (calling AE titles), `station` and `user` (`NAME:FACILITY`, the facility counted from 1) take one text or a list;
    None means not said. A registry is needed unless there is a calling AE title; a redirect URL where one is signed in to.
    `logo` is base64. `given` names the fields that
    the vendor said itself, by default all that are present; `local` admits addresses that are not public; `settings`
    override layer values.
    """

    name: str | None = None
    redirect_url: Texts | None = None
    post_logout_url: Texts | None = None
    ip: Texts | None = None
    local_source: Texts | None = None
    registry: Texts | None = None
    logo: str | None = None
    link: str | None = None
    facility: int | None = None
    user: Texts | None = None
    dicom: Texts | None = None
    station: Texts | None = None
    guide: str | None = None
    environment: str = "test"
    application: str | None = None
    run: str | None = None
    local: bool = False
    given: tuple[str, ...] | None = None
    settings: dict[str, Any] = {}

    def fields_given(self) -> tuple[str, ...]:
        """The fields that the vendor said itself."""
        if self.given is not None:
            return tuple(name[:64] for name in self.given[:64])
        told = (
            "name",
            "redirect_url",
            "post_logout_url",
            "ip",
            "local_source",
            "registry",
            "logo",
            "link",
            "facility",
            "user",
            "dicom",
            "station",
        )
        return tuple(name for name in (*told, "guide") if getattr(self, name) is not None)


def as_list(value: Texts | None) -> tuple[str, ...]:
    """One text or a list as a list; nothing as the empty one."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value
