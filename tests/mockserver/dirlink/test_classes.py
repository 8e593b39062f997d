"""The classes of dose reports of which less is read: received, held or put aside, shown with what is not read, and tolerated."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from dose_files import container, document, encoded, item
from leaks import leaks
from pydicom import Dataset

from mockserver.dirlink import view

from .conftest import ASSOCIATE_AC, EXPLICIT, Raw, Receiver, command, p_data, pdv

ENHANCED, RADIOPHARMACEUTICAL, PATIENT = (f"1.2.840.10008.5.1.4.1.1.88.{end}" for end in (76, 68, 73))
SCOPE = ("default", "test")
LEVELS = 60
HIDDEN = (*(f"2.25.3141592653589793238{number}" for number in range(3)), "Synthetic^Surgeon")
CLASSES = [ENHANCED, RADIOPHARMACEUTICAL, PATIENT]


def named(*parts: Dataset) -> tuple[Dataset, ...]:
    """Content in which somebody is named at several depths, beside codes that nobody knows."""
    person = item("PNAME", "113870,DCM", "Synthetic^Operator", item("TEXT", "1,99MINE", "Synthetic^Operator Hall"))
    device = (item("CODE", "121005,DCM", "121007,DCM"), item("UIDREF", "121012,DCM", "2.25.990011223344556677"))
    place = item("TEXT", "121017,DCM", "Synthetic Hospital East")
    return (*device, place, person, container("7,99MINE", item("CODE", "8,99MINE", "9,99MINE"), person), *parts)


def placed() -> Dataset:
    """A beam's position: a point and a table, with UIDs and a person where no other report has any."""
    point, table, cell, values = item("SCOORD3D", "130525,DCM"), item("TABLE", "130520,DCM"), Dataset(), Dataset()
    point.GraphicType, point.GraphicData = "POINT", [1.0, 2.0, 3.0]
    point.ReferencedFrameOfReferenceUID, point.FiducialUID = HIDDEN[:2]
    cell.SelectorUIValue, cell.SelectorPNValue, cell.SelectorLOValue = HIDDEN[2], HIDDEN[3], "Synthetic^One"
    values.CellValuesSequence = [cell]
    table.TabulatedValuesSequence = [values]
    return container("130524,DCM", point, table)


def enhanced(uid: str, station: str) -> Dataset:
    """An enhanced report of a CT with details of every kind; a person in them."""
    during = (item("DATETIME", "111526,DCM", "20260102101000"), item("DATETIME", "111527,DCM", "20260102102000"))
    source = item("TEXT", "113832,DCM", "A")
    dose = [item("NUM", "113830,DCM", ("5.25", "mGy")), item("CODE", "113835,DCM", "113691,DCM")]
    dose += [item("NUM", "113838,DCM", ("157.5", "mGy.cm")), item("CODE", "113721,DCM", "113613,DCM")]
    parts = (
        item("CODE", "121058,DCM", "77477000,SCT"),
        container("130500,DCM", source, item("NUM", "113813,DCM", ("157.5", "mGy.cm"))),
        container("130501,DCM", item("UIDREF", "113769,DCM", f"{uid}.1"), *during, source, *dose),
        container(
            "130505,DCM",
            container("130511,DCM", *during, source, item("NUM", "113733,DCM", ("120", "kV"))),
            container("130530,DCM", *during, source, item("TEXT", "125203,DCM", "Thorax")),
            placed(),
            container("6,99MINE", item("PNAME", "5,99MINE", "Synthetic^Technician")),
        ),
    )
    return document(*named(*parts), template="10040", **head(ENHANCED, uid, station))


def other(sop_class: str, root: str, template: str) -> Callable[[str, str], Dataset]:
    """A report of a class that is recognised only, with content as its template has it, as far as it is known."""

    def made(uid: str, station: str) -> Dataset:
        event = container("113502,DCM", item("UIDREF", "113503,DCM", f"{uid}.1"), item("NUM", "113507,DCM", ("350", "MBq")))
        return document(*named(event), root=root, template=template, **head(sop_class, uid, station))

    return made


def head(sop_class: str, uid: str, station: str) -> dict[str, Any]:
    """The header of a person who is recognisably synthetic."""
    return {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": uid,
        "StationName": station,
        "StudyInstanceUID": f"{uid}.7",
        "PatientBirthDate": "19600102",
        "AccessionNumber": "ACC4711X",
        "InstitutionName": "Synthetic Hospital",
    }


MADE = {
    ENHANCED: enhanced,
    RADIOPHARMACEUTICAL: other(RADIOPHARMACEUTICAL, "113500,DCM", "10021"),
    PATIENT: other(PATIENT, "128401,DCM", "10030"),
}


def send(receiver: Receiver, sop_class: str, uid: str, data: bytes) -> None:
    """Send one data set of a class over the wire; it is taken."""
    with Raw(receiver.port) as raw:
        assert raw.associate(proposals=((1, sop_class, (EXPLICIT,)),)) == ASSOCIATE_AC
        raw.send(p_data(pdv(command(uid=uid.encode(), sop_class=sop_class.encode()), 3), pdv(data, 2)))
        assert raw.status() == 0
        raw.release()
    assert receiver.core.jobs.idle(30)


def states(receiver: Receiver, uid: str) -> list[str]:
    """The states of a report, in order."""
    assert receiver.core.jobs.idle(30)
    kept = receiver.report(uid)
    assert kept is not None
    return [step.state for step in kept.history]


def control(receiver: Receiver, path: str, body: Any = None) -> requests.Response:
    """A control call, or with no body a page as a browser asks for it."""
    ready = receiver.engine.ready
    assert ready is not None
    url, ca = f"{ready.url}/_acrmock{path}", str(ready.ca_file)
    if body is None:
        return requests.get(url, auth=("me", ready.control_token), verify=ca, timeout=20)
    return requests.post(url, json=body, headers={"Authorization": f"Bearer {ready.control_token}"}, verify=ca, timeout=20)


def page(receiver: Receiver, uid: str) -> str:
    """What a person reads on a report's page, without markup."""
    answer = control(receiver, f"/dirlink/reports/{uid}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_an_enhanced_report_goes_all_the_way(receiver: Receiver) -> None:
    """Held while its station is not configured, then sent on; the page names what is not read; nobody is left in what leaves."""
    data = encoded(enhanced("2.25.76010203040506070809", "CBCT1"))
    send(receiver, ENHANCED, "2.25.76010203040506070809", data)
    assert states(receiver, "2.25.76010203040506070809") == ["RECEIVED", "HELD"]
    assert control(receiver, "/applications/default/stations", {"station": "CBCT1"}).status_code == 201
    assert states(receiver, "2.25.76010203040506070809") == [
        "RECEIVED",
        "HELD",
        "QUEUED",
        "ANONYMIZED",
        "SUBMITTED",
        "ACKNOWLEDGED",
    ]
    text = page(receiver, "2.25.76010203040506070809")
    assert "not read a meaning Beam Position, Radiation Technique, others; of the details only what gives elements" in text
    kept = receiver.report("2.25.76010203040506070809")
    assert kept is not None
    made = view.anonymised(receiver.core, SCOPE, kept, data, show_before=False)
    assert made.problem == ""
    assert leaks(data, made.data) == set()
    assert [text for text in HIDDEN if text.encode() not in data or text.encode() in made.data] == []
    assert b"Thorax" in made.data
    assert kept.central == view.remapped(receiver.core, SCOPE, "2.25.76010203040506070809")
    ready = receiver.engine.ready
    assert ready is not None
    token = {"Authorization": f"Bearer {ready.control_token}"}
    answer = requests.get(f"{ready.url}/_acrmock/central", headers=token, verify=str(ready.ca_file), timeout=20)
    assert kept.central in [one["sop_instance"] for one in answer.json()["reports"]]


@pytest.mark.parametrize(
    ("sop_class", "name"),
    [(RADIOPHARMACEUTICAL, "Radiopharmaceutical Radiation Dose SR"), (PATIENT, "Patient Radiation Dose SR")],
)
def test_a_class_that_is_only_recognised(receiver: Receiver, sop_class: str, name: str) -> None:
    """Taken, recognised, put aside by its class's name; its page says what is not read; its anonymised form names nobody."""
    uid = f"2.25.{sop_class[-2:]}010203040506070809"
    data = encoded(MADE[sop_class](uid, "HOT1"))
    send(receiver, sop_class, uid, data)
    assert states(receiver, uid) == ["RECEIVED", "QUARANTINED"]
    kept = receiver.report(uid)
    assert kept is not None
    assert (kept.dose, kept.station) == (True, "HOT1")
    text = page(receiver, uid)
    assert f"not collected by the registry: modality {kept.modality or 'unknown'}, SOP class {sop_class} ({name})" in text
    assert "more than header and device, as the registry does not collect such reports" in text
    made = view.anonymised(receiver.core, SCOPE, kept, data, show_before=False)
    assert made.problem == ""
    assert leaks(data, made.data) == set()


@pytest.mark.parametrize("sop_class", CLASSES)
def test_nested_cut_and_unknown(receiver: Receiver, sop_class: str) -> None:
    """Deep nesting and unknown codes are read; a report that ends too early is put aside with the reason; all have their page."""
    ending, uids = sop_class[-2:], []
    deep = item("TEXT", "1,99MINE", "the end")
    for level in range(LEVELS):
        deep = container(f"{level},99MINE", deep)
    made = MADE[sop_class](f"2.25.{ending}11", "X")
    made.ContentSequence.append(deep)
    strange = MADE[sop_class](f"2.25.{ending}12", "X")
    for child in strange.ContentSequence:
        child.ConceptNameCodeSequence[0].CodingSchemeDesignator = "99MINE"
    cut = encoded(MADE[sop_class](f"2.25.{ending}13", "X"))[:-9]
    for number, data in enumerate((encoded(made), encoded(strange), cut), 11):
        uids.append(f"2.25.{ending}{number}")
        send(receiver, sop_class, uids[-1], data)
    kept = [receiver.report(uid) for uid in uids]
    assert [one is not None and one.dose for one in kept] == [True, True, False]
    assert states(receiver, uids[2]) == ["RECEIVED", "QUARANTINED"]
    assert "cannot be read" in page(receiver, uids[2])
    for uid in uids[:2]:
        assert "What became of it" in page(receiver, uid)
