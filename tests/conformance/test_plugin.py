"""The pytest plugin in projects of users: it costs nothing until it is used, and bears with packages of the same names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "pytest"

USES = """
def test_an_application(acrmock_application, acrmock_server):
    assert acrmock_application["issuer"].startswith(acrmock_server.url)
    assert acrmock_application.verdict(only="auth-csrf").verdict == "incomplete"
    print("own process:", acrmock_server.process)
"""


def project(directory: Path, *arguments: str, first: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The tests of a user's project, run as its user runs them; modules are looked for in `first`, then in the checkout."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(first), str(ROOT)]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    line = [sys.executable, "-m", "pytest", "-p", "acrmock_pytest", "-p", "no:cacheprovider", "-rA", *arguments]
    return subprocess.run(line, capture_output=True, text=True, cwd=directory, env=env, timeout=110, check=False)


def test_the_example_s_tests_pass(tmp_path: Path) -> None:
    """The example project runs under xdist, where each worker has a server of its own."""
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "project"))
    done = project(copy, "-p", "xdist", "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_collecting_imports_nothing_heavy(tmp_path: Path) -> None:
    """A project that does not use the fixtures pays for no server: neither Flask nor a package of acrmock's is imported."""
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test_light():\n"
        "    assert {'flask', 'requests', 'conformance', 'mockserver', 'msgspec'} & set(sys.modules) == set()\n"
    )
    done = project(tmp_path, "test_light.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["mockserver", "synthetic"])
def test_a_package_of_the_server_s_name_gives_it_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    """The fixtures work all the same, a warning says why, and the project's own package is what it imports."""
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").write_text("MINE = True\n")
    (tmp_path / "test_it.py").write_text(f"import {name}\nassert {name}.MINE\n{USES}")
    done = project(tmp_path, "test_it.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"top-level package {name}" in done.stdout
    assert "own process: True" in done.stdout


def test_a_package_of_the_judge_s_name_is_told_of(tmp_path: Path) -> None:
    """Only tests that use the fixtures stop, with what to do; the others pass, with the project's own package."""
    package = tmp_path / "conformance"
    package.mkdir()
    (package / "__init__.py").write_text("MINE = True\n")
    (tmp_path / "test_it.py").write_text(f"import conformance\ndef test_own():\n    assert conformance.MINE\n{USES}")
    done = project(tmp_path, "test_it.py")
    assert "1 passed, 1 error" in done.stdout, done.stdout
    assert "this project has a top-level package of that name" in done.stdout
    assert "fix: rename it" in done.stdout


def test_an_editable_installation_knows_its_own_packages(tmp_path: Path) -> None:
    """There the plugin's module is a copy in site-packages, and the packages stand in the checkout."""
    site = tmp_path / "site-packages"
    site.mkdir()
    shutil.copy(ROOT / "acrmock_pytest.py", site)
    (tmp_path / "test_it.py").write_text(USES)
    done = project(tmp_path, "test_it.py", first=site)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "own process: False" in done.stdout


def test_a_wrong_marker_is_refused_with_reasons(tmp_path: Path) -> None:
    """Flags that are none, and values that ACR would refuse, are errors that name them."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "@pytest.mark.acrmock(colour='red')\ndef test_a(acrmock_application): pass\n"
        "@pytest.mark.acrmock(ip='0.0.0.0/0')\ndef test_b(acrmock_application): pass\n"
        "@pytest.mark.acrmock(profile='none')\ndef test_c(acrmock_application): pass\n"
    )
    done = project(tmp_path, "test_it.py")
    assert "3 errors" in done.stdout
    assert "colour" in done.stdout
    assert "0.0.0.0/0" in done.stdout


def test_the_verdict_of_a_client_that_does_right_is_told_with_its_faults(tmp_path: Path) -> None:
    """`assert_ready` fails with the whole report; `journal` has what went over the wires."""
    (tmp_path / "test_it.py").write_text(
        "import requests\n"
        "def test_it(acrmock_application):\n"
        "    app = acrmock_application\n"
        "    url = app.issuer + '/v1/token'\n"
        "    requests.post(url, data={'grant_type': 'password', 'client_id': app.client_id}, verify=app['ca_file'], timeout=10)\n"
        "    assert app.journal()[-1].request.method == 'POST'\n"
        "    app.assert_ready(only='auth-code-flow')\n"
    )
    done = project(tmp_path, "test_it.py")
    assert done.returncode == 1, done.stdout
    assert "a token request by grant_type password" in done.stdout
