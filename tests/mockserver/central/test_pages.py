"""The pages: guarded, without a script, and they show what a person looks for."""

from __future__ import annotations

import base64
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.central.plots import strips

SITE = Callable[..., Any]


def page(run: Any, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, Any]:
    """(status, text, headers) of a page, the token as a browser would give it."""
    secret = base64.b64encode(f"me:{run.ready.control_token}".encode()).decode()
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(f"{run.ready.url}/_acrmock{path}", data)  # noqa: S310 - our own server
    for name, value in {"Authorization": f"Basic {secret}", **headers}.items():
        request.add_header(name, value)
    context = ssl.create_default_context(cafile=str(run.ready.ca_file))

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    https = urllib.request.HTTPSHandler(context=context)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https, Stay())
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def test_a_person_configures_what_is_held(site: SITE, dose: Any) -> None:
    """The page shows the station that is held and what it nearly is; its button configures it, and the reports go."""
    run = site()
    run.configure("CT1")
    sop = run.receive(dose.report("1.2.100.1", station="ct1"))
    run.idle()
    status, text, headers = page(run, "/dirlink")
    assert status == 200
    assert "got <code>ct1 </code>, configured <code>CT1</code>" in text
    assert '<td class="state held">HELD</td>' in text
    assert "<script" not in text
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    form = {"station": "ct1", "action": "configure"}
    status, _, headers = page(run, "/dirlink/stations", form)
    assert (status, headers["Location"].startswith("/_acrmock/dirlink?")) == (303, True)
    assert run.state(sop) == "ACKNOWLEDGED"
    assert page(run, "/dirlink/stations", {"station": "ct1", "action": "remove"})[0] == 303
    assert page(run, "/dirlink/stations", {"station": "ct1", "action": "remove"})[0] == 404
    assert page(run, "/dirlink/stations", {"station": "", "action": "configure"})[0] == 422
    assert page(run, "/dirlink/stations", {"station": "ct1", "action": "explode"})[0] == 422
    assert page(run, "/dirlink/stations", {"station": "A" * 20_000, "action": "configure"})[0] == 413


def test_a_page_leads_to_other_applications(site: SITE) -> None:
    """Where there is one more, its pages are linked; alone, nothing is said of others."""
    run = site()
    assert "Other applications" not in page(run, "/dirlink")[1]
    run.call("POST", "/applications", {"name": "Second", "ip": ["198.51.100.7"], "dicom": ["SECOND"]}, status=201)
    text = page(run, "/dirlink/central")[1]
    (link,) = re.findall(r'<a href="/_acrmock(/dirlink\?application=second[^"]*)">', text)
    assert "Other applications" in text
    assert "Application <code>second" in page(run, link.replace("&amp;", "&"))[1]


def test_the_pages_are_guarded(site: SITE) -> None:
    """Without the token a browser is asked for it; another one, or a form of another origin, is refused."""
    run = site()
    status, _, headers = page(run, "/dirlink", Authorization="")
    assert status == 401
    assert any(value.startswith("Basic") for value in headers.get_all("WWW-Authenticate"))
    wrong = base64.b64encode(b"me:wrong").decode()
    assert page(run, "/dirlink", Authorization=f"Basic {wrong}")[0] == 403
    assert page(run, "/dirlink", Authorization="Basic !!")[0] == 401
    form = {"station": "CT1", "action": "configure"}
    assert page(run, "/dirlink/stations", form, Origin="https://evil.example")[0] == 403
    assert page(run, "/clock?application=default", Authorization=f"Basic {wrong}")[0] == 401


def test_before_and_after(site: SITE, dose: Any) -> None:
    """A report's page shows its history and what was removed from it; a hostile value is shown as text."""
    run = site()
    run.configure("CT1")
    sop = run.receive(dose.report("1.2.100.1", name="Synthetic^<b>Ann"))
    run.idle()
    status, text, _ = page(run, f"/dirlink/reports/{sop}")
    assert status == 200
    assert '<td class="state acknowledged">ACKNOWLEDGED</td>' in text
    assert "<del>Synthetic^&lt;b&gt;Ann</del>" in text
    assert page(run, "/dirlink/reports/1.2.3")[0] == 404


def test_what_is_missing_is_shown(site: SITE, dose: Any) -> None:
    """A report's page says what the registry needs, what the template asks for and what is odd, each with its place."""
    run = site()
    sop = run.receive(dose.report("1.2.100.1", station=None))
    run.idle()
    _, text, _ = page(run, f"/dirlink/reports/{sop}")
    assert "<tr><td>the registry needs it</td><td>Station Name</td><td>a report is routed by its Station Name</td>" in text
    assert "<tr><td>the template asks for it</td><td>(123014,DCM) Target Region</td>" in text
    assert "<tr><td>odd</td><td>Source of Dose Information</td>" in text


def test_the_dashboard(site: SITE, dose: Any) -> None:
    """Exams nobody mapped stand apart, with their plots; an empty registry has a page too."""
    run = site()
    assert "No report has come yet" in page(run, "/dirlink/central")[1]
    run.configure("CT1")
    run.receive(dose.report("1.2.100.1"))
    run.idle()
    text = page(run, "/dirlink/central")[1]
    titles = re.findall(r"<figcaption>([^<]+)", text)
    assert {"CT: CTDIvol (mGy)", "CT: DLP (mGy.cm)"} <= set(titles)
    assert "CT CHEST WO" in text


ROWS = st.dictionaries(st.text(max_size=40), st.lists(st.floats(allow_nan=False), min_size=1, max_size=20), max_size=20)


@given(ROWS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_values_make_a_plot(rows: dict[str, list[float]]) -> None:
    """Whatever the values and labels, the plot is well-formed and every dot is within it."""
    printable = {"".join(letter for letter in label if letter.isprintable()): values for label, values in rows.items()}
    drawn = ET.fromstring(strips(printable, title="<t>&"))  # noqa: S314 - our own text
    for dot in drawn.iter("circle"):
        assert 190 <= float(dot.attrib["cx"]) <= 610
