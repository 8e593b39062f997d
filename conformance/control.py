"""A client of the control API: what the command line, the runs and the tests say to a server.

Every refusal comes back as a `SetupError` that names what the server said; a server that cannot be reached too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self
from urllib.parse import quote, urlsplit

import msgspec
import requests

from acrmock.documents import ReadyDocument
from acrmock.errors import SetupError
from acrmock.typed import decode

TIMEOUT = 30.0
UPLOAD_TIMEOUT = 600.0
_PAGE = 1000


def read_ready(data: Path) -> ReadyDocument:
    """The `ready.json` of a data directory; raises `SetupError` when there is none or it is not one."""
    path = data / "ready.json"
    try:
        return decode(path.read_bytes(), ReadyDocument)
    except OSError as error:
        raise SetupError(
            "no server has been started with this data directory",
            where=str(path),
            actual=error.strerror or str(error),
            fix="start one with `acrmock serve`, or name it with --server, --token and --data",
        ) from error
    except msgspec.MsgspecError as error:
        raise SetupError("this is not a ready file", where=str(path), actual=str(error), fix="start the server again") from error


class Control:
    """One server's control API.

    `url` is the server's public URL, `token` its control token and `ca_file` the certificate authority to trust (None: the
    system's own). Use it as a context manager, or `close` it.
    """

    def __init__(self, url: str, token: str, ca_file: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SetupError("not the URL of a server", expected="https://HOST:PORT", actual=url[:200], where="--server")
        self.url = url.rstrip("/")
        self.token = token
        self.ca_file = ca_file
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"
        if ca_file:
            self._session.verify = ca_file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def healthy(self) -> bool:
        """Whether the server answers its health check."""
        return bool(self._send("GET", "/healthz").ok)

    def ca_pem(self) -> bytes:
        """The server's certificate authority, PEM."""
        return self._checked("GET", "/_acrmock/ca.pem").content

    def register(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Register an application (or its other environment); the registration document."""
        return dict(self._json("POST", "/_acrmock/applications", body))

    def applications(self) -> Any:
        """All applications, without their secrets."""
        return self._json("GET", "/_acrmock/applications")

    def move_endpoints(self, application: str, environment: str) -> None:
        """Move the authorization server's endpoints of an application's environment."""
        self._json("POST", f"/_acrmock/applications/{application}/move", {"environment": environment})

    def settings(self, application: str, environment: str, settings: Mapping[str, Any]) -> None:
        """Override layer values for an application's environment."""
        body = {"environment": environment, "settings": dict(settings)}
        self._json("POST", f"/_acrmock/applications/{application}/settings", body)

    def stations(self, application: str, environment: str) -> list[dict[str, Any]]:
        """The stations whose dose reports go on to the registry: name, facilities, since when."""
        path = f"/_acrmock/applications/{application}/stations"
        return list(self._checked("GET", path, params={"environment": environment}).json()["stations"])

    def configure_station(self, application: str, environment: str, station: str, facility: str | None = None) -> None:
        """Have the dose reports of a station go on, those held for it too."""
        body = {"environment": environment, "station": station, **({"facility": facility} if facility else {})}
        self._json("POST", f"/_acrmock/applications/{application}/stations", body)

    def remove_station(self, application: str, environment: str, station: str) -> None:
        """Hold the dose reports of a station that come from now on."""
        params = {"environment": environment, "station": station}
        self._checked("DELETE", f"/_acrmock/applications/{application}/stations", params=params)

    def plan(self, application: str, environment: str, plan: Mapping[str, Any], registry: str | None = None) -> None:
        """Set the status plan of transactions to come."""
        body: dict[str, Any] = {"application": application, "environment": environment, "plan": dict(plan)}
        if registry:
            body["registry"] = registry
        self._json("POST", "/_acrmock/plans", body)

    def unmatched(self) -> list[dict[str, Any]]:
        """The newest requests that belong to no application, each with the one that was probably meant."""
        return list(self._json("GET", "/_acrmock/unmatched")["unmatched"])

    def clock(self, application: str) -> dict[str, Any]:
        """An application's business time beside the wall's."""
        return dict(self._checked("GET", "/_acrmock/clock", params={"application": application}).json())

    def move_clock(self, application: str, **change: Any) -> dict[str, Any]:
        """Set, advance, freeze or resume an application's business time, by one such keyword."""
        return dict(self._json("POST", "/_acrmock/clock", {"application": application, **change}))

    def reset(self, application: str | None = None) -> None:
        """Forget what an application (None: every one) did; what it did may be much."""
        body = {"application": application} if application else {}
        self._checked("POST", "/_acrmock/reset", body=body, timeout=UPLOAD_TIMEOUT)

    def plant(self, application: str, environment: str, reports: Sequence[Mapping[str, Any]]) -> None:
        """Say which dose reports a vendor is given: `data` (base64), `transfer_syntax`, `expected`."""
        self._json(
            "POST", f"/_acrmock/applications/{application}/planted", {"environment": environment, "reports": list(reports)}
        )

    def reports(self, application: str, environment: str) -> list[dict[str, Any]]:
        """The dose reports that came, with their states, by SOP Instance UID."""
        path = f"/_acrmock/applications/{application}/reports"
        found: list[dict[str, Any]] = []
        while True:
            after = {"after": found[-1]["sop_instance"]} if found else {}
            params = {"environment": environment, "count": str(_PAGE), **after}
            page = list(self._checked("GET", path, params=params).json()["reports"])
            found += page
            if len(page) < _PAGE:
                return found

    def start_run(
        self, *, profile: str, revision: str, claims: Sequence[str], launch: bool, application: str | None = None
    ) -> str:
        """Begin a run and give its id."""
        body: dict[str, Any] = {"profile": profile, "revision": revision, "claims": list(claims), "launch": launch}
        if application:
            body["application"] = application
        return str(self._json("POST", "/_acrmock/runs", body)["run"])

    def begin_step(self, run: str, step: str) -> None:
        """Begin a step of a run, ending the one before."""
        self._json("POST", f"/_acrmock/runs/{run}/steps", {"step": step})

    def event(self, run: str, name: str, data: Mapping[str, Any]) -> None:
        """Note something that happened beside the wires."""
        self._json("POST", f"/_acrmock/runs/{run}/events", {"name": name, "data": dict(data)})

    def finish_run(self, run: str) -> None:
        """End a run."""
        self._json("POST", f"/_acrmock/runs/{run}/finish", {})

    def observe(self, body: Mapping[str, Any]) -> None:
        """Report what the robot user saw at a redirect URL."""
        self._json("POST", "/_acrmock/observations", body)

    def acknowledge(self, *, application: str, environment: str, transaction: str, who: str, why: str) -> None:
        """Give a transaction's rejected records up."""
        body = {"application": application, "environment": environment, "transaction": transaction, "who": who, "why": why}
        self._json("POST", "/_acrmock/acknowledge", body)

    def upload(self, application: str, stream: BinaryIO, query: Mapping[str, str]) -> dict[str, Any]:
        """Upload a data file; `query` as `POST …/files` takes it (name, registry, environment, facility, errors, …). Its view."""
        where = f"/_acrmock/applications/{quote(application, safe='')}/files"
        answer = self._send("POST", where, upload=stream, params=query, timeout=UPLOAD_TIMEOUT)
        self._raise_refusal(answer)
        return dict(answer.json())

    def file(self, application: str, environment: str, file: str) -> dict[str, Any]:
        """A data file as it stands."""
        path = f"/_acrmock/applications/{quote(application, safe='')}/files/{file}"
        return dict(self._checked("GET", path, params={"environment": environment}).json())

    def files(self, application: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The data files of an application, oldest first; `query` as `GET …/files` takes it (environment, registry, …)."""
        path, after = f"/_acrmock/applications/{quote(application, safe='')}/files", ""
        while True:
            told = self._checked("GET", path, params={**query, **({"after": after} if after else {})}).json()
            yield from told["files"]
            after = told["next"]
            if not after:
                return

    def decide_file(self, application: str, environment: str, file: str, decision: str) -> dict[str, Any]:
        """Say what becomes of a data file: `continue`, `cancel`, or `release` where a plan holds it. Its view."""
        path = f"/_acrmock/applications/{quote(application, safe='')}/files/{quote(file, safe='')}/decision"
        body = {"decision": decision, "environment": environment}
        return dict(self._checked("POST", path, body=body, timeout=UPLOAD_TIMEOUT).json())

    def file_log(self, application: str, environment: str, file: str, format_: str) -> bytes:
        """The log of a data file, as `text` or `xlsx`."""
        path = f"/_acrmock/applications/{quote(application, safe='')}/files/{file}/log"
        return self._checked("GET", path, params={"environment": environment, "format": format_}, timeout=UPLOAD_TIMEOUT).content

    def journal(self, *, application: str | None = None, run: str | None = None) -> Iterator[bytes]:
        """The lines of a recording (header, entries, footer), as the server streams them."""
        params = {key: value for key, value in (("application", application), ("run", run)) if value}
        answer = self._checked("GET", "/_acrmock/journal", params=params, stream=True)
        with answer:
            try:
                yield from (line for line in answer.iter_lines(chunk_size=65536) if line)
            except requests.RequestException as error:
                raise _unreachable(self.url, error) from error

    def set_fault(self, **rule: Any) -> Mapping[str, Any]:
        """Make requests fail on purpose; the members of the rule are those of `POST /_acrmock/faults`. The rule as stored."""
        found = self._json("POST", "/_acrmock/faults", rule)
        return found if isinstance(found, dict) else {}

    def faults(self, application: str | None = None, environment: str = "test") -> list[dict[str, Any]]:
        """The rules of an application's environment (None: those of the control API), with how often each was met and struck."""
        params = {"application": application, "environment": environment} if application else {}
        return list(self._checked("GET", "/_acrmock/faults", params=params).json()["faults"])

    def clear_faults(self, application: str | None = None, environment: str = "test", name: str = "") -> list[str]:
        """Take back the rule of a name, or every rule; the names of those that went."""
        params = {"name": name} if name else {}
        params |= {"application": application, "environment": environment} if application else {}
        return list(self._checked("DELETE", "/_acrmock/faults", params=params).json()["cleared"])

    def why(self, seq: str, *, application: str | None = None) -> Mapping[str, Any]:
        """Why the exchange of a number (or the `last` one refused) was refused, as `acrmock.explain` has it."""
        params = {"application": application} if application else {}
        found = self._checked("GET", f"/_acrmock/why/{seq}", params=params).json()
        return found if isinstance(found, dict) else {}

    def await_entry(self, *, run: str, operation: str = "", name: str = "", after: int = 0, timeout: float = 60.0) -> int | None:
        """Wait until the run's journal has such an entry after `after`; its number, or None when the time is up (seconds)."""
        params = {"run": run, "operation": operation, "name": name, "after": str(after), "timeout": str(timeout)}
        answer = self._send(
            "GET", "/_acrmock/journal/await", params={k: v for k, v in params.items() if v}, timeout=timeout + TIMEOUT
        )
        if answer.status_code == 408:
            return None
        self._raise_refusal(answer)
        body = answer.json()
        return int(body["seq"]) if body.get("matched") else None

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._checked(method, path, body=body)
        if not answer.content:
            return {}
        try:
            return answer.json()
        except ValueError as error:
            raise SetupError("the server's answer is not JSON", where=f"{method} {self.url}{path}") from error

    def _checked(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self._send(method, path, **options)
        self._raise_refusal(answer)
        return answer

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        upload: BinaryIO | None = None,
        params: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout: float = TIMEOUT,
    ) -> requests.Response:
        data = upload if body is None else json.dumps(body).encode()
        kind = "application/octet-stream" if upload is not None else "application/json"
        headers = {"Content-Type": kind} if data is not None else None
        try:
            return self._session.request(
                method,
                self.url + path,
                data=data,
                headers=headers,
                params=params,
                stream=stream,
                timeout=timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise _unreachable(self.url, error) from error

    def _raise_refusal(self, answer: requests.Response) -> None:
        if answer.ok:
            return
        raise RefusedError(answer.status_code, _problem(answer), f"{answer.request.method} {urlsplit(answer.url).path}")


class RefusedError(SetupError):
    """The control API refused: `status`, and the problem document with all its reasons (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any], where: str) -> None:
        self.status = status
        self.problem = problem
        detail = str(problem.get("detail") or "")
        fields = problem.get("fields") or problem.get("errors") or ()
        lines = [_field_line(field) for field in fields if isinstance(field, Mapping)]
        detail = "" if any(detail in line for line in lines) else detail
        fix = str(problem.get("hint") or "")
        if status in {401, 403}:
            fix = "give the server's token with --token or ACRMOCK_TOKEN, or with --data the directory of its ready.json"
        super().__init__(
            str(problem.get("title") or f"the server refused with {status}"),
            actual="\n            ".join(text for text in (detail, *lines) if text),
            where=where,
            fix=fix,
        )


def _field_line(field: Mapping[str, Any]) -> str:
    name = str(field.get("element") or field.get("pointer") or "").strip("/")
    said = str(field.get("reason") or "")
    expected = str(field.get("expected") or "")
    actual = str(field.get("actual") or "")
    parts = [said, f"expected {expected}" if expected else "", f"got {actual}" if actual else ""]
    return f"{name}: " + "; ".join(part for part in parts if part)


def _problem(answer: requests.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class UnreachableError(SetupError):
    """The server does not answer, or shows a certificate that is not trusted."""


def _unreachable(url: str, error: Exception) -> UnreachableError:
    said = str(error)
    fix = "start it with `acrmock serve`, or name another with --server"
    if "CERTIFICATE_VERIFY_FAILED" in said:
        fix = "it is not trusted: name its authority with --ca-file, or its directory with --data"
    return UnreachableError("the server cannot be reached", where=url, actual=_shorten(said), fix=fix)


def _shorten(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
