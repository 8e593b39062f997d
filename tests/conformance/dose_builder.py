"""Synthetic recordings of DICOM and of documents: good senders' runs, and the means to change one thing in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from builder import BASE, JSON, Story

from acrmock.record import (
    AssociationEnd,
    AssociationEntry,
    AssociationFacts,
    Channel,
    ContextFacts,
    DimseEntry,
    DimseFacts,
    DocumentFacts,
    HttpFacts,
    HttpRequest,
    HttpResponse,
    Operation,
    PlantedFacts,
    PostData,
    ReportFacts,
)

VERIFICATION = "1.2.840.10008.1.1"
DOSE = "1.2.840.10008.5.1.4.1.1.88.67"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
ECHO_CONTEXT = ContextFacts(id=1, abstract_syntax=VERIFICATION, transfer_syntaxes=(IMPLICIT,), result=0, accepted=IMPLICIT)
DOSE_CONTEXT = ContextFacts(
    id=3, abstract_syntax=DOSE, transfer_syntaxes=(EXPLICIT, IMPLICIT), result=0, accepted=EXPLICIT, dose=True
)
CAPTURE_CONTEXT = ContextFacts(id=5, abstract_syntax=CAPTURE, transfer_syntaxes=(EXPLICIT,), result=3)
DoseMutation = Callable[["DoseStory"], object]


def uid(number: int) -> str:
    """A SOP Instance UID."""
    return f"2.25.{1000 + number}"


def sha(text: str) -> str:
    """A SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def tags(number: int) -> dict[str, str]:
    """Digests by tag path."""
    paths = ("00080018", "00081010", "00100020", "0040A730[2]/0040A300[0]/0040A30A")
    return {path: f"d:tag:{sha(path + str(number))[:22]}" for path in paths}


class DoseStory(Story):
    """A recording of DICOM under construction."""

    associations = 0
    echoes = 0

    def associate(
        self, *operations: DimseFacts, contexts: tuple[ContextFacts, ...] = (ECHO_CONTEXT, DOSE_CONTEXT), **changes: Any
    ) -> None:
        """An association with its operations."""
        self.associations += 1
        name = f"a-{self.associations}"
        began = self.now.isoformat()
        for number, facts in enumerate(operations, 1):
            taken = msgspec.structs.replace(facts, association=name, message_id=number)
            self.entries.append(DimseEntry(**(self._common() | {"peer": "127.0.0.1"}), facts=taken, time=2.0))
        facts = AssociationFacts(
            association=name,
            calling_ae="SCANNER",
            called_ae="DIRLINK",
            called_state="own",
            allowed=True,
            contexts=contexts,
            maximum_length=16384,
            implementation_uid="1.2.276.0.7230010.3.0.3.6.7",
            implementation_version="OFFIS_DCMTK_367",
            began=began,
            operations=len(operations),
            stored=sum(one.service == "C-STORE" and one.status == 0 for one in operations),
        )
        whole = msgspec.structs.replace(facts, **changes)
        self.entries.append(AssociationEntry(**(self._common() | {"peer": "127.0.0.1"}), facts=whole))

    def echo(self) -> None:
        """Verify the connection."""
        self.associate(
            DimseFacts(association="", service="C-ECHO", context=1, sop_class=VERIFICATION, status=0), contexts=(ECHO_CONTEXT,)
        )

    def send(self, number: int, **changes: Any) -> None:
        """One report in an association of its own, and what is read of it."""
        self.associate(store(number))
        self.read(number, **changes)

    def read(self, number: int, **changes: Any) -> None:
        """What the job read of a report."""
        facts = ReportFacts(
            sop_instance=uid(number),
            sha256=sha(f"bytes {number}"),
            sop_class=DOSE,
            transfer_syntax=EXPLICIT,
            dose=True,
            modality="CT",
            station="CT1",
            station_configured=True,
            study=f"d:study:{number}",
            patient=f"d:patient:{number}",
            digest=f"d:set:{number}",
            tags=tags(number),
            ended=(self.now - timedelta(seconds=20)).isoformat(),
        )
        self.event("dir-report", **msgspec.to_builtins(msgspec.structs.replace(facts, **changes)))

    def plant(self, number: int, station: str = "CT1", *, expected: bool = True) -> None:
        """Plant a report."""
        facts = PlantedFacts(
            sop_instance=uid(number),
            sha256=sha(f"bytes {number}"),
            digest=f"d:set:{number}",
            station=station,
            modality="CT",
            transfer_syntax=EXPLICIT,
            expected=expected,
            tags=tags(number),
        )
        self.event("dir-planted", **msgspec.to_builtins(facts))

    def register(self) -> None:
        """Register an application that sends dose reports."""
        self.event(
            "registration-attempted",
            accepted=True,
            application="default",
            environment="test",
            given=["name", "ip", "local_source"],
            declared={
                "name": "Dose Gateway",
                "addresses": ["203.0.113.0/28"],
                "local_sources": ["127.0.0.0/8"],
                "registries": [],
            },
            refused=[],
            issued={},
            local=False,
        )

    def stores(self) -> list[int]:
        """The places of the C-STOREs."""
        return [i for i, e in enumerate(self.entries) if isinstance(e, DimseEntry) and e.facts.service == "C-STORE"]

    def ends(self) -> list[int]:
        """The places of the associations."""
        return [i for i, e in enumerate(self.entries) if isinstance(e, AssociationEntry)]

    def before_end(self, act: Callable[[], None]) -> None:
        """Do something before the run ends."""
        end = self.entries.pop()
        act()
        self.entries.append(end)


def store(number: int, **changes: Any) -> DimseFacts:
    """A C-STORE that succeeds."""
    facts = DimseFacts(
        association="",
        service="C-STORE",
        context=3,
        sop_class=DOSE,
        sop_instance=uid(number),
        transfer_syntax=EXPLICIT,
        dose=True,
        status=0,
        bytes=34_000,
        sha256=sha(f"bytes {number}"),
    )
    return msgspec.structs.replace(facts, **changes)


def _begun(profile: str, step: str) -> DoseStory:
    story = DoseStory()
    story.event("run-started", profile=profile)
    story.register()
    story.event("station-configured", environment="test", station="CT1")
    story.event("step-began", step=step)
    story.echo()
    return story


def direct_run() -> DoseStory:
    """A good modality's run of `dir-direct`."""
    story = _begun("dir-direct", "configure")
    story.event("dir-expected", environment="test", count=3)
    story.event("step-began", step="exams")
    for number in (1, 2, 3):
        story.wait(30)
        story.send(number)
    story.event("run-ended")
    return story


def _forwarded(profile: str, step: str) -> DoseStory:
    story = _begun(profile, "configure")
    story.event("step-began", step=step)
    for number in (1, 2, 3):
        story.plant(number)
    if profile == "dir-pacs":
        story.plant(9, "MR9", expected=False)
    for number in (1, 2, 3):
        story.wait(2)
        story.send(number, planted=True)
    story.event("run-ended")
    return story


def rdim_run() -> DoseStory:
    """A good forwarder's run of `dir-rdim`."""
    return _forwarded("dir-rdim", "forward")


def pacs_run() -> DoseStory:
    """A good archive's run of `dir-pacs`."""
    return _forwarded("dir-pacs", "forward")


UUID = "0e3f1b6a-4f0e-4d0e-9a51-6f3f2f3f4a01"
ELEMENTS = ("partnerid", "appid", "id", "creationdate", "versionno", "programspecificdata.npifp")


def document(story: Story, version: int, status: int, **changes: Any) -> None:
    """Post a document."""
    facts = DocumentFacts(id=UUID, id_uuid=True, present=ELEMENTS, version=version, created=status == 201, updated=status == 200)
    facts = msgspec.structs.replace(facts, **changes)
    body = sha(f"{facts.id}/{version}")
    story.wait(1)
    story.http(
        HttpRequest(
            method="POST",
            url=f"{BASE}/dartcs/cdsregistry/fp",
            headers=(JSON,),
            postData=PostData(mimeType="application/json", text="{}"),
        ),
        HttpResponse(status=status),
        HttpFacts(
            operation=Operation.CDSR_POST,
            channel=Channel.BACK,
            allowed=True,
            body_digest=f"d:body:{sha(body)[:22]}",
            document=facts,
        ),
    )


def cdsr_run() -> DoseStory:
    """A good client's run of `cdsr`."""
    story = DoseStory()
    story.event("run-started", profile="cdsr")
    story.register()
    story.event("step-began", step="create")
    document(story, 1, 201)
    story.event("step-began", step="update")
    document(story, 2, 200)
    story.event("run-ended")
    return story


RUNS: dict[str, Callable[[], DoseStory]] = {
    "dir-direct": direct_run,
    "dir-rdim": rdim_run,
    "dir-pacs": pacs_run,
    "cdsr": cdsr_run,
}
ABORTED = AssociationEnd.ABORTED
