"""The documents that a client and its harness read from acrmock: the server writes them, their schemas are published.

A later version may add to them, so a reader leaves alone what it does not know.
"""

from __future__ import annotations

from acrmock.record import FieldProblem, Struct

REGISTRATION_SCHEMA = "acrmock/registration/1"
READY_SCHEMA = "acrmock/ready/1"


class SignInUser(Struct, frozen=True, kw_only=True):
    """A person who can sign in to the test environment; made up, like everything here."""

    username: str
    password: str
    facility_id: str


class DicomAddress(Struct, frozen=True, kw_only=True):
    """Where dose reports go: host, port and the called AE title."""

    host: str
    port: int
    ae_title: str


class RegistrationDocument(Struct, frozen=True, kw_only=True):
    """What an application gets when it is registered for an environment.

    It holds the secrets and is given out once. `redirect_url` and `facility_id` are the first of `redirect_urls` and
    `facilities`; `issuer`, `nrdr` and `cdsr` are absolute URLs without a slash at the end; `registries` gives for each slug
    the mapping version; `dicom` is where dose reports go, `dicom_tls` the same over TLS, `stations` are the Station Names whose
    reports go on to the registry; `remarks` are faults that did not stop the registration; `ca_file` is the path, on the server's
    machine, of the certificate (PEM) to trust, empty without TLS.
    """

    schema: str
    application: str
    name: str
    environment: str
    client_id: str
    client_secret: str
    redirect_url: str
    redirect_urls: tuple[str, ...]
    partner_id: str
    app_id: str
    facility_id: str
    facilities: tuple[str, ...]
    issuer: str
    nrdr: str
    users: tuple[SignInUser, ...]
    scopes: tuple[str, ...]
    registries: dict[str, str]
    ca_file: str
    cdsr: str | None = None
    post_logout_urls: tuple[str, ...] = ()
    guide: str | None = None
    dicom: DicomAddress | None = None
    dicom_tls: DicomAddress | None = None
    stations: tuple[str, ...] = ()
    remarks: tuple[FieldProblem, ...] = ()


class ReadyDocument(Struct, frozen=True, kw_only=True):
    """What a server writes to `ready.json` once it answers: where it is, its control token and its certificate.

    `ca_file` is the path of a PEM file, empty without TLS; `data` the folder of its state. `dicom` is where dose reports of the
    application `default` go, `dicom_tls` the same over TLS; absent where DICOM is not served.
    """

    schema: str
    pid: int
    url: str
    port: int
    control_token: str
    ca_file: str
    data: str
    version: str
    dicom: DicomAddress | None = None
    dicom_tls: DicomAddress | None = None
