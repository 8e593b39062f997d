"""A registration request weighed whole: what is admitted, and that every refusal is named, all at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from mockserver.onboarding.admission import Admission, Declined
from mockserver.onboarding.model import Application, Registration

Weighed = Callable[..., Admission | Declined]
Reasons = Callable[..., list[tuple[str, str]]]


def test_a_good_request_is_admitted_with_defaults(weighed: Weighed) -> None:
    """Two facilities with a user each, loopback as local source, the newest mapping version, the registry's scope."""
    admission = weighed()
    assert isinstance(admission, Admission)
    assert admission.facilities == 2
    assert [person.facility for person in admission.people] == [1, 2]
    assert admission.local_sources == ("127.0.0.0/8", "::1/128")
    assert not admission.local_sources_given
    assert admission.registries == {"lcsr": "1.8"}
    assert {"openid", "offline_access", "lcsr_data_submission"} <= set(admission.scopes)
    assert admission.addresses == ("8.8.4.4/32",)


def test_every_reason_is_named_at_once(reasons: Reasons) -> None:
    """A request that is wrong everywhere learns of everything in one answer."""
    found = reasons(
        name="\u202e",
        redirect_url=("http://u:p@*/#x",),
        ip=("0.0.0.0/0", "nonsense"),
        local_source=("224.0.0.1",),
        registry=("lcsr:9.9", "xray"),
        facility=0,
        user=("someone",),
        environment="staging",
        settings={"no.such": 1},
    )
    places = {pointer for pointer, _ in found}
    assert places == {
        "/name",
        "/redirect_url/0",
        "/ip/0",
        "/ip/1",
        "/local_source/0",
        "/registry/0",
        "/registry/1",
        "/facility",
        "/user/0",
        "/environment",
        "/settings/no.such",
    }
    said = " ".join(reason for pointer, reason in found if pointer == "/redirect_url/0")
    assert all(word in said for word in ("http", "password", "fragment", "wildcard"))


@pytest.mark.parametrize("field", ["name", "redirect_url", "ip", "registry"])
def test_what_is_missing_is_named(reasons: Reasons, field: str) -> None:
    """Each needed field that is not said is one reason."""
    assert [pointer for pointer, _ in reasons(**{field: None})] == [f"/{field}"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("   ", "needed"),
        ("a\x00b", "U+0000"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        (" x", "white space"),
        ("!!!", "no letter"),
        ("x" * 101, "too long"),
        ("x" * 1_000_000, "too long"),
        ("a\nb", "U+000A"),
        ("\ud800x", "U+D800"),
    ],
)
def test_bad_names(reasons: Reasons, name: str, word: str) -> None:
    """A name that nobody could read on the sign-in page is refused, and the reason says why."""
    found = reasons(name=name)
    assert [pointer for pointer, _ in found] == ["/name"] * len(found)
    assert any(word in reason for _, reason in found)


@pytest.mark.parametrize("name", ["Lungenarchiv Süd", "肺検診", "A & B <Systems>", "x" * 100, "مستشفى"])
def test_good_names(reasons: Reasons, name: str) -> None:
    """Names of any script that can be read are fine."""
    assert reasons(name=name) == []


@pytest.mark.parametrize(
    ("registry", "word"),
    [
        ("lcsr:1.6", "obsolete"),
        ("lcsr:1.7", "obsolete"),
        ("lcsr:2.0", "no mapping version"),
        ("lcsr:", "no mapping version"),
        ("dir", "no such registry"),
    ],
)
def test_registries_by_business_date(reasons: Reasons, registry: str, word: str) -> None:
    """A mapping version must be in force on the day of the business clock."""
    found = reasons(registry=(registry,), day=date(2026, 5, 1))
    assert len(found) == 1
    assert word in found[0][1]


def test_a_version_in_force_earlier(weighed: Weighed) -> None:
    """On an earlier day 1.7 is in force and 1.8 may be too; the one asked for is taken."""
    admission = weighed(registry=("LCSR:1.7",), day=date(2026, 4, 30))
    assert isinstance(admission, Admission)
    assert admission.registries == {"lcsr": "1.7"}


def test_not_yet_in_force(reasons: Reasons) -> None:
    """A version of the future is named as such."""
    found = reasons(registry=("lcsr:1.8",), day=date(2025, 1, 1))
    assert "comes into force" in found[0][1]


def test_registry_twice(reasons: Reasons) -> None:
    """One registry cannot be claimed in two versions."""
    assert reasons(registry=("lcsr", "lcsr:1.8")) == [("/registry/1", "the registry is named twice")]


@pytest.mark.parametrize(
    ("user", "word"),
    [
        ("a", "facility is missing"),
        (":1", "not a user name"),
        ("a:3", "no such facility"),
        ("a:0", "no such facility"),
        ("a:x", "no such facility"),
        ("a b:1", "not a user name"),
        ("a:99999999999", "no such facility"),
    ],
)
def test_bad_users(reasons: Reasons, user: str, word: str) -> None:
    """A user is NAME:FACILITY with a facility that there will be."""
    found = reasons(user=(user,))
    assert any(word in reason for _, reason in found)


def test_users_are_unique(reasons: Reasons) -> None:
    """Two users cannot share a name, in whatever case."""
    assert reasons(user=("Ann:1", "ann:2")) == [("/user/1", "the user name is taken twice")]


def test_a_bad_logo_is_a_remark_and_no_refusal(weighed: Weighed) -> None:
    """The logo is only for the list of partners: what is wrong with it is remarked, and the registration stands."""
    admission = weighed(logo="!!", link="http://vendor.example")
    assert isinstance(admission, Admission)
    assert {remark.pointer for remark in admission.remarks} == {"/logo", "/link"}


@pytest.mark.parametrize(
    ("settings", "good"),
    [
        ({"auth.access_token_lifetime": 4}, True),
        ({"nrdr.status.terminal_after": 1}, True),
        ({"auth.access_token_lifetime": "4"}, False),
        ({"auth.access_token_lifetime": True}, False),
        ({"auth.access_token_lifetime": -1}, False),
        ({"auth.pkce_required": 1}, False),
        ({"gate.refusal_status": 404}, False),
        ({"nrdr.path.post": "/x"}, False),
        ({"no.such": None}, False),
    ],
)
def test_overrides_of_settings(reasons: Reasons, settings: dict[str, Any], good: bool) -> None:  # noqa: FBT001 - a parameter
    """Only known settings of an application may be overridden, by the layer's type and within its bounds."""
    assert (reasons(settings=settings) == []) is good


def test_the_other_environment_takes_over_what_is_not_said(weighed: Weighed) -> None:
    """Adding production needs nothing but the application; a new name is refused."""
    first = Registration(
        environment="test",
        client_id="c",
        client_secret_digest="d",
        partner_id="1",
        app_id="2",
        facilities=("1", "2", "3"),
        users=(),
        redirect_urls=("https://a.example/cb",),
        registries={"lcsr": "1.8"},
        scopes=("openid",),
        addresses=("8.8.8.0/24",),
        local_sources=("10.0.0.0/8",),
        local_sources_given=True,
    )
    application = Application(id="x", name="X", environments={"test": first})
    nothing = dict.fromkeys(("name", "redirect_url", "ip", "registry"))
    admission = weighed(**nothing, environment="production", existing=application)
    assert isinstance(admission, Admission)
    assert (admission.redirect_urls, admission.addresses, admission.facilities) == (("https://a.example/cb",), ("8.8.8.0/24",), 3)
    assert admission.local_sources == ("10.0.0.0/8",)
    declined = weighed(**{**nothing, "name": "Y"}, environment="production", existing=application)
    assert isinstance(declined, Declined)
    assert declined.reasons[0].pointer == "/name"


def test_lists_without_end_are_bounded(weighed: Weighed) -> None:
    """A hundred thousand items of each kind get a few reasons, not as many."""
    many = tuple(f"x{number}" for number in range(100_000))
    declined = weighed(redirect_url=many, ip=many, local_source=many, registry=many, user=many)
    assert isinstance(declined, Declined)
    assert len(msgspec.json.encode(declined.reasons)) < 4000
