"""Which registry and mapping a request is for, where a layer's path does not say it: by the header, or by what is registered.

An overlay may take `{registry}` or `{mapping}` out of a path (fact U11 is a choice); then the transaction header decides.
"""

from __future__ import annotations

from collections.abc import Mapping

from acrmock.strictjson import JsonProblem
from mockserver.context import Call
from mockserver.nrdr.header import Header, read_header
from mockserver.nrdr.model import TRANSACTION, Transaction, transaction_key
from mockserver.nrdr.reading import read_json
from mockserver.nrdr.tables import Tables


def of_post(call: Call, tables: Tables, body: bytes, registry: str, mapping: str) -> tuple[str, str]:
    """The registry's slug and the mapping version of a posted transaction; what the path says comes first."""
    if registry and mapping:
        return registry, mapping
    header = _declared(call, tables, body)
    slug = registry or _slug(call, header.registry)
    found = call.engine.facts.registry(slug)
    return slug, mapping or header.data_version or call.registration.registries.get(found.slug if found else slug, "")


def of_status(call: Call, registry: str, transaction_id: str) -> str:
    """The slug of the registry whose status is asked: the path's, else the one that knows the transaction."""
    if registry:
        return registry
    slugs = tuple(call.registration.registries)
    with call.engine.store.read() as reader:
        kept = call.engine.redactor.kept(transaction_id)
        known = (s for s in slugs if reader.get(TRANSACTION, call.scope, transaction_key(s, kept), Transaction))
        return next(known, _only(slugs))


def of_list(call: Call, registry: str) -> str:
    """The slug of the registry whose transactions are listed: the path's, else the only one registered."""
    return registry or _only(tuple(call.registration.registries))


def _declared(call: Call, tables: Tables, body: bytes) -> Header:
    try:
        value = read_json(call, body)
    except JsonProblem:
        return Header()
    return read_header(value.get(tables.names.envelope_header) if isinstance(value, Mapping) else None, tables.names)


def _slug(call: Call, word: str) -> str:
    declared = (registry.slug for registry in call.engine.facts.registries if registry.header_word == word)
    return next(declared, _only(tuple(call.registration.registries)))


def _only(slugs: tuple[str, ...]) -> str:
    return slugs[0] if len(slugs) == 1 else ""
