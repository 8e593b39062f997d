"""The command as a person types it: help, versions, exit codes, and errors without tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.cli import app

ROOT = Path(__file__).resolve().parents[3]

VERBS = (
    *("serve", "register", "demo", "certify", "score", "report", "resolve", "why", "generate", "facts", "doctor", "selftest"),
    *("ca", "faults", "send", "stations", "upload"),
)
SUBVERBS = (
    ("generate", "exams"),
    ("facts", "show"),
    ("facts", "check"),
    ("ca", "export"),
    ("ca", "issue"),
    ("generate", "rdsr"),
    ("stations", "add"),
)


def acrmock(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command, as a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environment}
    return subprocess.run(
        [sys.executable, "-m", "conformance.cli", *arguments],
        capture_output=True,
        text=True,
        env=env,
        cwd=cwd,
        timeout=60,
        check=False,
    )


def test_help_lists_the_verbs_that_work() -> None:
    """`--help` names every verb, with an example, and none that does not exist."""
    answer = acrmock("--help")
    listed = answer.stdout.partition("Verbs:")[2].partition("Examples:")[0]
    assert answer.returncode == 0
    assert {line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2:3].strip()} == set(VERBS)
    assert "acrmock demo" in answer.stdout


@pytest.mark.parametrize("verb", [(verb,) for verb in VERBS] + list(SUBVERBS), ids="-".join)
def test_each_verb_shows_an_example(verb: tuple[str, ...]) -> None:
    """Every verb's help has an example of its own."""
    answer = acrmock(*verb, "--help")
    assert answer.returncode == 0, answer.stderr
    assert f"acrmock {verb[0]}" in answer.stdout.partition("Example")[2]


def test_help_imports_nothing_heavy() -> None:
    """`--help` is quick because it imports neither server nor judge nor HTTP libraries."""
    code = (
        "import sys\nfrom conformance.cli.app import run\nrun(['--help'])\n"
        "heavy = {'flask', 'requests', 'msgspec', 'authlib', 'yaml', 'mockserver', 'cryptography', 'jinja2', 'rich'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert answer.stdout.rstrip().endswith("HEAVY []")


def test_the_package_by_its_name() -> None:
    """`python -m acrmock`, which a newcomer tries first, is the command: help, exit codes, name."""
    line = [sys.executable, "-m", "acrmock", "nonsense"]
    answer = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (answer.returncode, answer.stderr) == (2, acrmock("nonsense").stderr)
    assert "Usage: acrmock" in answer.stderr


def test_version() -> None:
    """`--version` names the program and its version."""
    answer = acrmock("--version")
    assert answer.stdout.split()[0] == "acrmock"
    assert answer.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("serve", "--port", "70000"),
        ("serve", "--port", "x"),
        ("score",),
        ("score", "/nonexistent.ndjson"),
        ("report", "/nonexistent"),
        ("resolve", "--who", "me", "--why", "so"),
        ("resolve", "tx-test-data", "--who", "me", "--why", "so"),
        ("certify", "--launch", ""),
        ("certify", "--launch", '"unbalanced'),
        ("certify", "--launch", "no-such-program-anywhere"),
        ("certify", "--profile", "no-such-profile", "--launch", sys.executable),
        ("demo", "--broken", "no-such-check"),
        ("demo", "--profile", "no-such-profile"),
        ("generate", "exams", "--registry", "no-such", "--count", "1"),
        ("generate", "exams", "--registry", "lcsr", "--count", "-1"),
        ("generate", "exams", "--registry", "lcsr", "--count", "1", "--as-of", "tomorrow"),
        ("facts", "show", "no.such.fact"),
        ("facts", "check", "/nonexistent.yaml"),
        ("register", "--name", "x"),
        ("register", "--server", "not a url", "--token", "x"),
        ("register", "--server", "https://localhost:1", "--token", "x"),
        ("upload", "/nonexistent.txt", "--registry", "lcsr"),
        ("upload", __file__),
        ("ca", "export"),
        ("ca", "issue"),
    ],
    ids=" ".join,
)
def test_bad_usage_is_explained(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Whatever is wrong with flags, files or server: exit code 2, a sentence on standard error, no traceback."""
    answer = acrmock(*arguments, cwd=tmp_path, ACRMOCK_TOKEN="")
    assert answer.returncode == 2, (answer.returncode, answer.stderr)
    assert answer.stderr.strip()
    assert "Traceback" not in answer.stderr + answer.stdout


@pytest.mark.parametrize(
    "content", ["", "\x00\xff", "{}", "schema: acrmock/layer/1\nkind: settings\nsettings:\n  auth.nonsense: 3\n"]
)
def test_a_bad_overlay_is_named(content: str, tmp_path: Path) -> None:
    """A bad overlay is refused with its file."""
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(content, "utf-8")
    answer = acrmock("facts", "check", str(overlay))
    assert answer.returncode == 2
    assert "mine.yaml" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]\n", b'{"kind":"event"}\n', b"{}" * 10000])
def test_a_bad_recording_is_no_traceback(content: bytes, tmp_path: Path) -> None:
    """A recording that is none gives a clear answer: a setup error or a void verdict, never a traceback."""
    path = tmp_path / "journal.ndjson"
    path.write_bytes(content)
    answer = acrmock("score", "--profile", "lcsr", str(path))
    assert answer.returncode in {2, 4}, (answer.returncode, answer.stderr)
    assert "Traceback" not in answer.stderr + answer.stdout


def test_facts_show_has_provenance() -> None:
    """A fact is shown with its value and whose word it is."""
    answer = acrmock("facts", "show", "nrdr.limit.exams")
    assert "nrdr.limit.exams = 1000" in answer.stdout
    assert "mock-choice" in answer.stdout


def test_generated_exams_are_lines_of_json() -> None:
    """`generate exams` writes one JSON object a line, the same for the same seed."""
    arguments = ("generate", "exams", "--registry", "lcsr", "--count", "3", "--seed", "7", "--as-of", "2026-04-01")
    one, two = acrmock(*arguments), acrmock(*arguments)
    assert one.returncode == 0, one.stderr
    assert len(one.stdout.splitlines()) == 3
    assert one.stdout == two.stdout


@pytest.mark.skipif(os.name == "nt", reason="pipes close differently on Windows")
def test_a_closed_pipe_is_no_error() -> None:
    """A reader that goes away (`| head`) leaves nothing on standard error."""
    line = f"'{sys.executable}' -m conformance.cli generate exams --registry lcsr --count 100000 | head -c 10"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, env=env, timeout=60, check=False)
    assert answer.stderr == ""


def test_unexpected_errors_say_how_to_report(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A programming error is one line and exit code 4; with ACRMOCK_DEBUG it is raised."""

    def broken(**_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(app.cli, "main", broken)
    monkeypatch.delenv("ACRMOCK_DEBUG", raising=False)
    assert app.run([]) == 4
    assert "ACRMOCK_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("ACRMOCK_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        app.run([])


def test_interruption_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves with 130 and a word, without a traceback."""

    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app.cli, "main", interrupted)
    assert app.run([]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_the_shell_can_complete() -> None:
    """The completion script of a shell is printed on its request, and verbs are completed."""
    script = acrmock(_ACRMOCK_COMPLETE="bash_source")
    assert "_acrmock_completion" in script.stdout
    words = acrmock(_ACRMOCK_COMPLETE="bash_complete", COMP_WORDS="acrmock cer", COMP_CWORD="1")
    assert "certify" in words.stdout


@pytest.mark.parametrize("flags", [("--claim", "telepathy"), ("--only", "auth-telepathy"), ("--baseline", "nothing.txt")])
def test_a_question_that_cannot_be_asked_is_refused_before_the_run(flags: tuple[str, ...], tmp_path: Path) -> None:
    """Unknown claims, checks and baselines are named at once, not after the client has run."""
    answer = acrmock("certify", "--launch", sys.executable, *flags, cwd=tmp_path)
    assert answer.returncode == 2, answer.stderr
    assert flags[0] in answer.stderr
    assert "step" not in answer.stderr
