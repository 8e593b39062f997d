"""The tables behind the clinical model, as data in `fixtures/synthesis/dose.yaml`; what is drawn, never what is allowed."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from acrmock.facts import shipped
from acrmock.facts.errors import FactsError
from acrmock.facts.yamlfile import Document, read_text
from acrmock.typed import convert
from synthetic.randomness import Weighted

SCHEMA = "acrmock/dose-synthesis/1"
Numbers = tuple[float, float]
Whole = tuple[int, int]
Term = tuple[str, str, str]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of what stands in the file."""


class CtProtocol(_Strict, frozen=True, kw_only=True):
    """A CT protocol: CTDIvol in mGy for a person of average size, length in mm, tube current in mA."""

    name: str
    study: str
    region: str
    weight: int
    type: str
    ctdi: Numbers
    length: Whole
    kvp: Whole
    ma: Whole
    pitch: Numbers
    rotation: tuple[str, ...]
    phases: Whole
    head: bool = False
    contrast: bool = False
    bolus: bool = False
    children: bool = False


class Localizer(_Strict, frozen=True, kw_only=True):
    """A localizer: CTDIvol in mGy, length in mm."""

    ctdi: Numbers
    length: Whole
    kvp: Whole
    ma: Whole


class Monitoring(_Strict, frozen=True, kw_only=True):
    """Bolus monitoring: CTDIvol in mGy of each image, how many images, collimation in mm."""

    ctdi_each: Numbers
    images: Whole
    collimation: str
    ma: Whole


class Ssde(_Strict, frozen=True, kw_only=True):
    """SSDE is CTDIvol times factor times e to the exponent times the effective diameter in cm; a trunk is wider than deep."""

    factor: float
    exponent: float
    wider: float


class Ct(_Strict, frozen=True, kw_only=True):
    """Computed tomography; `child_share` per mille, among protocols that children get."""

    child_share: int
    collimations: tuple[tuple[str, str], ...]
    localizer: Localizer
    monitoring: Monitoring
    ssde: Ssde
    protocols: tuple[CtProtocol, ...]


class FluoroProtocol(_Strict, frozen=True, kw_only=True):
    """A procedure under fluoroscopy: seconds of each event, KAP rate in Gy.cm2/s, field at the reference point in cm2."""

    name: str
    study: str
    region: str
    weight: int
    events: Whole
    fluoro_seconds: Whole
    kap_rate: Numbers
    field_cm2: Whole
    kvp: Whole
    ma: Whole
    acquisition_share: int


class Fluoro(_Strict, frozen=True, kw_only=True):
    """Fluoroscopy."""

    protocols: tuple[FluoroProtocol, ...]


class DxProtocol(_Strict, frozen=True, kw_only=True):
    """A radiographic examination: KAP in Gy.cm2, field in cm2, target exposure index, exposure time in ms."""

    name: str
    study: str
    region: str
    views: tuple[str, ...]
    weight: int
    kap: Numbers
    field_cm2: Whole
    target: int
    kvp: Whole
    ma: Whole
    ms: Whole
    children: bool = False


class Dx(_Strict, frozen=True, kw_only=True):
    """Radiography; `deviation` in tenths of the deviation index."""

    child_share: int
    deviation: Whole
    protocols: tuple[DxProtocol, ...]


class Mg(_Strict, frozen=True, kw_only=True):
    """Mammography: average glandular dose per view in mGy, thickness in mm, force in N."""

    agd: Numbers
    thickness: Whole
    compression: Whole
    kvp: Whole
    extra_view_share: int
    study: tuple[str, ...]


class Patients(_Strict, frozen=True, kw_only=True):
    """Ages and sizes."""

    adult_years: Whole
    height_cm: dict[str, Whole]
    body_mass_index: Whole
    child_body_mass_index: Whole
    child_height_cm: tuple[int, ...]


class Device(_Strict, frozen=True, kw_only=True):
    """What a shape says of its device."""

    manufacturer: str
    model: dict[str, str]
    software: str


class Tables(_Strict, frozen=True, kw_only=True):
    """The whole file."""

    schema: str
    provenance: str
    sources: tuple[str, ...]
    guided_by: dict[str, str]
    institution: str
    patients: Patients
    regions: dict[str, Term]
    views: dict[str, Term]
    ct: Ct
    fluoro: Fluoro
    dx: Dx
    mg: Mg
    devices: dict[str, Device]
    stations: dict[str, tuple[str, ...]]


@cache
def tables() -> Tables:
    """The shipped tables; raises `FactsError` when the file cannot be used."""
    path = shipped.root() / "synthesis" / "dose.yaml"
    document = Document(str(path), read_text(path))
    try:
        found = convert(document.data, Tables)
    except msgspec.ValidationError as error:
        raise FactsError(f"not tables for dose reports: {error}", file=str(path)) from error
    if found.schema != SCHEMA:
        raise FactsError(f"the schema is {found.schema!r}, not {SCHEMA!r}", file=str(path), line=document.line(("schema",)))
    return found


@cache
def weighted(kind: str) -> Weighted[Any]:
    """The protocols of `ct`, `fluoro` or `dx`, as often as they say."""
    return Weighted((one, one.weight) for one in getattr(tables(), kind).protocols)


@cache
def weighted_for_children(kind: str) -> Weighted[Any]:
    """The protocols of `ct` or `dx` that children get, as often as they say."""
    return Weighted((one, one.weight) for one in getattr(tables(), kind).protocols if one.children)
