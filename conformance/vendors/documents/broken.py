"""Vendors that send documents wrongly: each in just the way that a check finds, and right in everything else."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from acrmock.errors import SetupError
from conformance.vendors.broken_auth import elsewhere
from conformance.vendors.config import VendorError
from conformance.vendors.documents import making
from conformance.vendors.documents.making import Document
from conformance.vendors.documents.reference import DocumentVendor


class _LeavesOut(DocumentVendor):
    """Leaves something out of its first document, and gives that one up when it is refused."""

    _spoiled = ""

    def wrong(self, document: Document) -> Document:
        """The document as it is sent."""
        return making.without(document, self.shape.header, self.shape.elements[0])

    def outgoing(self, document: Document) -> Document:
        if self._spoiled or self.memory.documents:
            return document
        self._spoiled = making.identifier(self.shape, document)
        return self.wrong(document)

    def corrected(self, sent: Document, good: Document, answer: requests.Response) -> Document:
        if making.identifier(self.shape, good) == self._spoiled:
            raise VendorError("the document was refused", actual=str(answer.status_code))
        return super().corrected(sent, good, answer)

    def deliver(self, document: Document) -> bool:
        try:
            return super().deliver(document)
        except VendorError as error:
            self.say(str(error))
            return False


class LeavesElementOut(_LeavesOut):
    """Leaves a header element out, and gives the document up when it is refused."""


class LeavesNestedOut(_LeavesOut):
    """Leaves an element of the program's own part out, and gives the document up when it is refused."""

    def wrong(self, document: Document) -> Document:
        return making.without(document, self.shape.header, self.shape.specific, self.shape.own[-1])


class LeavesEmpty(_LeavesOut):
    """Sends a header element without a value, and gives the document up when it is refused."""

    def wrong(self, document: Document) -> Document:
        return making.with_value(document, "", self.shape.header, self.shape.elements[0])


class LeavesPayloadOut(_LeavesOut):
    """Sends a header without a payload, and gives the document up when it is refused."""

    def wrong(self, document: Document) -> Document:
        return making.without(document, self.shape.payload)


class NeverReads(_LeavesOut):
    """Sends what was refused again as it was, until it gives up."""

    def corrected(self, sent: Document, good: Document, answer: requests.Response) -> Document:
        del good, answer
        return sent


class UpdatesUnderNewId(DocumentVendor):
    """Posts its changed documents under new ids."""

    def changed(self, document: Document) -> Document:
        return making.with_value(super().changed(document), str(uuid.uuid4()), self.shape.header, self.shape.id)


class OnlyCreatedWillDo(DocumentVendor):
    """Takes 200 for a failure, and posts the same once more."""

    _again = True

    def taken(self, answer: requests.Response) -> bool:
        if answer.status_code == 200 and self._again:
            self._again = False
            return False
        return super().taken(answer)

    def deliver(self, document: Document) -> bool:
        again = self._again
        try:
            return super().deliver(document)
        except VendorError:
            if not again:
                raise
        return super().deliver(document)


class AgainUnderNewId(DocumentVendor):
    """Takes 200 for a failure, and posts the same as a new document."""

    _failed = False
    _done = False

    def taken(self, answer: requests.Response) -> bool:
        self._failed = answer.status_code == 200
        return super().taken(answer)

    def deliver(self, document: Document) -> bool:
        done = super().deliver(document)
        if self._failed and not self._done:
            self._done = True
            super().deliver(making.with_value(document, str(uuid.uuid4()), self.shape.header, self.shape.id))
        return done


class _OtherHeader(DocumentVendor):
    """Has something else in the header of all its documents."""

    def other(self, header: Document) -> dict[str, Any]:
        """What stands there instead."""
        raise NotImplementedError

    def new_document(self, number: int) -> Document:
        document = super().new_document(number)
        header = document[self.shape.header]
        return {**document, self.shape.header: {**header, **self.other(header)}}


class IdIsNoUuid(_OtherHeader):
    """Numbers its documents in a way of its own instead of giving each a UUID."""

    def other(self, header: Document) -> dict[str, Any]:
        return {self.shape.id: f"DOC-{header[self.shape.id][:8]}"}


class LocalDate(_OtherHeader):
    """Writes its times as a database does, without a zone."""

    def other(self, header: Document) -> dict[str, Any]:
        name = self.shape.dates[0]
        return {name: header[name][:19].replace("T", " ")}


class VersionStays(DocumentVendor):
    """Never counts the versions of a document."""

    def changed(self, document: Document) -> Document:
        version = document[self.shape.header][self.shape.version]
        return making.with_value(super().changed(document), version, self.shape.header, self.shape.version)


class VersionInWords(_OtherHeader):
    """Writes the version as no number."""

    def other(self, header: Document) -> dict[str, Any]:
        del header
        return {self.shape.version: "1.0"}

    def changed(self, document: Document) -> Document:
        payload = {**document[self.shape.payload], "amended": True}
        return {**document, self.shape.payload: payload}


class FromElsewhere(DocumentVendor):
    """Once posts from an address that it did not register."""

    _told = False

    def post(self, document: Document) -> requests.Response:
        if not self._told:
            self._told = True
            with elsewhere(self.session()) as session:
                session.post(self.url, json=document, timeout=20.0)
        return super().post(document)


BROKEN: dict[str, type[DocumentVendor]] = {
    "allow-registered": FromElsewhere,
    "cdsr-header": LeavesElementOut,
    "cdsr-header:nested": LeavesNestedOut,
    "cdsr-header:empty": LeavesEmpty,
    "cdsr-header:payload": LeavesPayloadOut,
    "cdsr-header:unread": NeverReads,
    "cdsr-create-update": UpdatesUnderNewId,
    "cdsr-create-update:anew": AgainUnderNewId,
    "cdsr-create-update:twice": OnlyCreatedWillDo,
    "cdsr-times-id": IdIsNoUuid,
    "cdsr-times-id:date": LocalDate,
    "cdsr-times-id:version": VersionStays,
    "cdsr-times-id:number": VersionInWords,
}
"""The broken vendors of documents by name: a check, or `CHECK:VARIANT`."""


def document_vendor_for(name: str | None) -> type[DocumentVendor]:
    """The vendor that is wrong in that way (None: the reference); raises `SetupError` where there is none."""
    if name is None:
        return DocumentVendor
    if name not in BROKEN:
        raise SetupError("there is no vendor broken in that way", expected=", ".join(BROKEN), actual=name[:80])
    return BROKEN[name]
