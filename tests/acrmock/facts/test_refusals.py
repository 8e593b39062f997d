"""A bad layer is refused with file, line and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from acrmock.errors import SetupError
from acrmock.facts import FactsError, check, load_facts

HEAD = "schema: acrmock/layer/1\n"
SETTINGS = HEAD + "kind: settings\nsettings:\n"
LCSR = HEAD + "kind: registry\nregistry: lcsr\nversions:\n"
OURS = "provenance: mock-choice, sources: [MOCK]"

CASES = {
    "empty": ("", 0, "empty"),
    "blank": ("  \n\n", 0, "empty"),
    "only a comment": ("# nothing\n", 0, "empty"),
    "not YAML": (HEAD + "kind: [settings\n", 3, "not YAML"),
    "tabs": (HEAD + "kind:\n\tsettings\n", 3, "not YAML"),
    "a list": ("- 1\n", 1, "a layer is a mapping"),
    "a scalar": ("hello\n", 1, "a layer is a mapping"),
    "no schema": ("kind: settings\nsettings: {}\n", 1, "`schema` must be acrmock/layer/1"),
    "another schema": ("schema: acrmock/layer/9\nkind: settings\nsettings: {}\n", 1, "`schema` must be"),
    "unknown kind": (HEAD + "kind: secrets\n", 2, "`kind` must be one of"),
    "kind is a list": (HEAD + "kind: [settings]\n", 2, "`kind` must be one of"),
    "unknown key at the top": (SETTINGS + "  {}\nextra: 1\n", 5, "extra: unknown key"),
    "duplicate key": (SETTINGS + f"  gate.refusal_status: {{value: 404, {OURS}}}\n" * 2, 5, "stands twice"),
    "unknown key in a setting": (
        SETTINGS + f"  gate.refusal_status: {{valeu: 404, {OURS}}}\n",
        4,
        "gate.refusal_status",
    ),
    "unknown setting": (SETTINGS + f"  gate.refusal_stats: {{value: 404, {OURS}}}\n", 4, "there is no setting"),
    "wrong type": (SETTINGS + f"  gate.refusal_status: {{value: many, {OURS}}}\n", 4, "must be like 403"),
    "out of bounds": (SETTINGS + f"  gate.refusal_status: {{value: 200, {OURS}}}\n", 4, "at least 400"),
    "outside the choices": (SETTINGS + f"  auth.refresh_mode: {{value: never, {OURS}}}\n", 4, "must be one of persistent"),
    "no list": (SETTINGS + f"  dirlink.sop_classes: {{value: [], {OURS}}}\n", 4, "must not be empty"),
    "no UID": (SETTINGS + f"  dirlink.transfer_syntaxes: {{value: [1.2.3, x y], {OURS}}}\n", 4, "must be a UID"),
    "no AE title": (SETTINGS + f"  dirlink.ae_title: {{value: A_TITLE_TOO_LONG_BY_FAR, {OURS}}}\n", 4, "must be an AE title"),
    "empty AE title": (SETTINGS + f"  dirlink.ae_title: {{value: '', {OURS}}}\n", 4, "must be an AE title"),
    "backslash in a prefix": (SETTINGS + f"  dirlink.ae_title_prefix: {{value: 'A\\', {OURS}}}\n", 4, "must be the beginning"),
    "no expression of an ID": (
        SETTINGS + f"  nrdr.transaction_id_pattern: {{value: '(', {OURS}}}\n",
        4,
        "must be a regular expression",
    ),
    "no expression": (SETTINGS + f"  dirlink.synthetic.patient_id: {{value: '[', {OURS}}}\n", 4, "must be a regular expression"),
    "empty prefix": (SETTINGS + f"  dirlink.synthetic.patient_name_prefix: {{value: '', {OURS}}}\n", 4, "not empty"),
    "no path": (SETTINGS + f"  dirlink.central.path: {{value: dir, {OURS}}}\n", 4, "begins with a slash"),
    "no URL": (SETTINGS + f"  dirlink.central.url: {{value: 'ftp://x', {OURS}}}\n", 4, "URL of http"),
    "no word": (SETTINGS + f"  dirlink.state.held: {{value: '<script>', {OURS}}}\n", 4, "must be a word"),
    "missing provenance": (SETTINGS + "  gate.refusal_status: {value: 404, sources: [MOCK]}\n", 4, "`provenance` is missing"),
    "missing sources": (SETTINGS + "  gate.refusal_status: {value: 404, provenance: acr}\n", 4, "`sources` is missing"),
    "unknown provenance": (
        SETTINGS + "  gate.refusal_status: {value: 404, provenance: hearsay, sources: [MOCK]}\n",
        4,
        "must be one of acr, acr-mirror",
    ),
    "unknown source": (
        SETTINGS + "  gate.refusal_status: {value: 404, provenance: acr, sources: [GUIDE 3.2]}\n",
        4,
        "the source GUIDE is not known",
    ),
    "removing nothing": (SETTINGS + "  gate.nothing: null\n", 4, "no lower layer has it"),
    "anchor": (SETTINGS + "  gate.refusal_status: &a {value: 404}\n", 4, "anchors and aliases"),
    "alias bomb": (HEAD + "kind: settings\na: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", 3, "anchors and aliases"),
    "tag": (SETTINGS + "  gate.refusal_status: !!python/object:os.system {}\n", 4, "tag"),
    "two documents": (SETTINGS + "  {}\n---\na: 1\n", 5, "more than one document"),
    "deep": (HEAD + "kind: " + "[" * 100_000, 2, "nested deeper"),
    "deep in blocks": ("- " * 5000 + "x\n", 1, "nested deeper"),
    "control character": (SETTINGS + "  a: \x01\n", 4, "control character"),
    "elements in no list": (
        LCSR + f"  1.8:\n    spot_elements:\n      Spot: {{label: s, {OURS}}}\n",
        7,
        "in which list such elements stand",
    ),
    "a list without elements": (
        LCSR + f"  1.8:\n    lists:\n      spot: {{name: Spots, {OURS}}}\n",
        7,
        "no element of the kind spot",
    ),
    "a list upside down": (
        LCSR + f"  1.8:\n    lists:\n      follow_up: {{name: F, least: 5, most: 2, {OURS}}}\n",
        7,
        "`least` is above `most`",
    ),
    "number for text": (LCSR + f"  1.9: {{extends: 1.8, {OURS}}}\n", 5, "write it in quotes"),
    "cyclic extends": (LCSR + f'  1.6: {{extends: "1.8", {OURS}}}\n', 5, "extends itself"),
    "dangling extends": (LCSR + f'  1.9: {{extends: "7.7", {OURS}}}\n', 5, "7.7, which is not a version"),
    "bad date": (LCSR + f"  1.8: {{in_force_from: 2026-02-30, {OURS}}}\n", 5, "no date: 2026-02-30"),
    "ends before it begins": (LCSR + f"  1.8: {{in_force_until: 2001-01-01, {OURS}}}\n", 5, "before the beginning"),
    "version without a head": (LCSR + f"  2.0:\n    elements:\n      A: {{label: a, {OURS}}}\n", 5, "nothing says what it is"),
    "duplicate element": (
        LCSR + f"  1.8:\n    elements:\n      A: {{label: a, {OURS}}}\n      A: {{label: b, {OURS}}}\n",
        8,
        "stands twice",
    ),
    "element without label": (LCSR + f"  1.8:\n    elements:\n      A: {{{OURS}}}\n", 7, "`label` is missing"),
    "element without provenance": (LCSR + "  1.8:\n    elements:\n      A: {label: a}\n", 7, "`provenance` is missing"),
    "unknown key in an element": (LCSR + f"  1.8:\n    elements:\n      A: {{label: a, size: 3, {OURS}}}\n", 7, "unknown key"),
    "codes without type code": (
        LCSR + f"  1.8:\n    elements:\n      A: {{label: a, codes: {{x: y}}, {OURS}}}\n",
        7,
        "type code",
    ),
    "a pattern that only Python reads": (
        LCSR + f"  1.8:\n    elements:\n      A: {{label: a, pattern: 'a\\Z', {OURS}}}\n",
        7,
        "of Python alone",
    ),
    "bad pattern": (LCSR + f"  1.8:\n    elements:\n      A: {{label: a, pattern: '(', {OURS}}}\n", 7, "pattern cannot be read"),
    "taken number": (
        LCSR + f"  1.8:\n    elements:\n      A: {{label: a, number: 1, {OURS}}}\n",
        7,
        "has the number of Facility_ID",
    ),
    "rule of an unknown element": (
        LCSR + f"  1.8:\n    rules:\n      X-1: {{kind: not-future, elements: [Nix], message: m, {OURS}}}\n",
        7,
        "names Nix",
    ),
    "rule with a taken name": (
        LCSR + f"  1.8:\n    rules:\n      REQ-1: {{kind: not-future, elements: [Exam_Date], message: m, {OURS}}}\n",
        7,
        "cannot begin with REQ",
    ),
    "rule on an unknown code": (
        LCSR
        + "  1.8:\n    rules:\n"
        + f"      X-1: {{kind: requires, when: {{element: Modality, values: ['7']}}, elements: [DLP], message: m, {OURS}}}\n",
        7,
        "Modality has no code 7",
    ),
    "removed element that a rule needs": (
        LCSR + "  1.8:\n    elements:\n      Modality: null\n      Exam_Date: null\n",
        0,
        "Exam_Date",
    ),
    "unknown presupposed": (
        HEAD + f"kind: requirements\ngroup: tx\nrequirements:\n  tx-schema: {{presupposes: [tx-nix], {OURS}}}\n",
        5,
        "tx-nix, which is no requirement",
    ),
    "circular presupposes": (
        HEAD + f"kind: requirements\ngroup: auth\nrequirements:\n  auth-csrf: {{presupposes: [auth-pkce], {OURS}}}\n",
        5,
        "in a circle",
    ),
    "profile weighs nothing": (
        HEAD + f"kind: profile\nprofile: lcsr\nrevision: '1'\nweights: {{tx-nix: must}}\n{OURS.replace(', s', chr(10) + 's')}\n",
        5,
        "tx-nix, which is no requirement",
    ),
    "unknown weight": (
        HEAD
        + f"kind: profile\nprofile: lcsr\nrevision: '1'\nweights: {{tx-schema: always}}\n{OURS.replace(', s', chr(10) + 's')}\n",
        5,
        "weights.tx-schema",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_layer_is_refused(tmp_path: Path, name: str) -> None:
    """Each way of being wrong gives a set-up error with file, line and reason."""
    text, line, reason = CASES[name]
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FactsError) as caught:
        load_facts([path])
    assert isinstance(caught.value, SetupError)
    assert caught.value.file.endswith(("mine.yaml", "registry.yaml"))
    assert reason in str(caught.value)
    if line:
        assert caught.value.line == line
    assert f"{caught.value.file}" in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """An absent file, a directory, a binary and a huge file each get their reason."""
    binary, huge = tmp_path / "b.yaml", tmp_path / "h.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    huge.write_bytes(b"#" * (5 * 1024 * 1024))
    reasons = [(tmp_path / "no.yaml", "no such file"), (tmp_path, "a directory"), (binary, "not UTF-8"), (huge, "at most")]
    for path, reason in reasons:
        with pytest.raises(FactsError, match=reason):
            load_facts([path])


def test_check_names_every_bad_file(tmp_path: Path) -> None:
    """Several bad layers are all reported, a good one is not."""
    good, bad, worse = tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "c.yaml"
    good.write_text(SETTINGS + f"  gate.refusal_status: {{value: 404, {OURS}}}\n")
    bad.write_text("")
    worse.write_text(SETTINGS + "  x: 1\n")
    assert check([good]) == []
    assert [Path(problem.file).name for problem in check([good, bad, worse])] == ["b.yaml", "c.yaml"]
