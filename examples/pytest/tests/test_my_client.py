"""How a project tests its own client with acrmock's fixtures."""

from __future__ import annotations

import pytest
from my_client import MyClient


def test_signing_in(acrmock_application):
    """A person signs in, and the judge finds nothing wrong with how the client asked."""
    client = MyClient(acrmock_application)
    client.signed_in(acrmock_application.sign_in(client.sign_in_url()))
    assert client.session.token["token_type"] == "Bearer"
    for check in ("auth-redirect-exact", "auth-csrf", "auth-client-auth", "auth-secret-private"):
        acrmock_application.assert_ready(only=check)


def test_a_person_who_says_no(acrmock_application):
    """The client says that it may not."""
    client = MyClient(acrmock_application)
    with pytest.raises(PermissionError, match="access_denied"):
        client.signed_in(acrmock_application.sign_in(client.sign_in_url(), decision="deny"))


def test_a_bad_exam_is_named(acrmock_application):
    """What is wrong with an exam is told by the judge, element by element."""
    client = MyClient(acrmock_application)
    client.signed_in(acrmock_application.sign_in(client.sign_in_url()))
    assert client.send([{"Smoking_Status": "no such code"}]).status_code == 202
    result = acrmock_application.verdict(only="tx-schema")
    assert result.verdict == "not-ready"
    assert [finding.check for finding in result.findings if finding.outcome == "failed"] == ["tx-schema"]


@pytest.mark.acrmock(settings={"auth.access_token_lifetime": 60}, redirect_url="https://localhost:9443/signed-in")
def test_registered_in_one_s_own_way(acrmock_application):
    """The marker takes the flags of `acrmock register`; the document is read by item or by attribute."""
    client = MyClient(acrmock_application)
    landed = acrmock_application.sign_in(client.sign_in_url())
    assert landed.startswith("https://localhost:9443/signed-in?")
    client.signed_in(landed)
    assert client.session.token["expires_in"] == 60
    assert acrmock_application.client_id == acrmock_application["client_id"]


def test_time_and_reset(acrmock_application):
    """Business time can be moved; what one application did is forgotten without touching the others."""
    before = acrmock_application.clock.now()
    acrmock_application.clock.advance(14 * 24 * 3600)
    assert (acrmock_application.clock.now() - before).days == 14
    acrmock_application.reset()
    assert (acrmock_application.clock.now() - before).days == 0
    assert [entry.name for entry in acrmock_application.journal() if hasattr(entry, "name")][-1] == "reset"
