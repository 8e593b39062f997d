"""One HTTP request as the server reads it: raw header order kept, malformed requests answered cleanly and reported."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cheroot import errors
from cheroot.server import HTTPRequest
from cheroot.wsgi import Gateway_10

from mockserver._exchange import HEADERS_KEY, ROUTE_KEY, TLS_KEY, VIA_KEY
from mockserver._streams import Chunks
from mockserver._striking import EDGE_KEY
from mockserver.lane import LATER_KEY, MustWait
from mockserver.problem import PROBLEM_JSON, Problem, answer

if TYPE_CHECKING:
    from mockserver.serve import Connection, Server

MAX_HEADERS = 200
_ONCE = frozenset({b"Host", b"Content-Length", b"Content-Type", b"Authorization", b"Transfer-Encoding"})
_NAME = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_CODES = {413: "body-too-large", 414: "uri-too-long"}
_FINE_REMAINDER = 1024 * 1024
_LENGTHS = frozenset({"content-length", "connection", "transfer-encoding"})
_LONGEST_KEPT = 64
_MOST_KEPT = 256


class RawHeaders:
    """Reads a header section (RFC 9112 section 5): fills cheroot's dictionary and keeps the fields as they were sent.

    Raises `ValueError`, which becomes a 400, on folded lines, bad names, and what would let two readers disagree.
    """

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []

    def __call__(self, rfile: Any, hdict: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
        """Read up to the empty line."""
        headers = {} if hdict is None else hdict
        while (line := rfile.readline()) != b"\r\n":
            self._take(headers, line[:-2] if line.endswith(b"\r\n") else b"\n")
        return self._whole(headers)

    def section(self, lines: Iterable[bytes], headers: dict[bytes, bytes]) -> None:
        """The same of a section that is there whole, given by what stands before and between each CR LF."""
        for line in lines:
            self._take(headers, line)
        self._whole(headers)

    def _take(self, headers: dict[bytes, bytes], line: bytes) -> None:
        if b"\n" in line:
            raise ValueError("A header line does not end with CR LF.")
        if len(self.fields) >= MAX_HEADERS:
            raise ValueError("Too many header fields.")
        sent, colon, value = line.partition(b":")
        if not colon or not sent:
            raise ValueError("Illegal header line.")
        name, title = _named(sent) if len(sent) <= _LONGEST_KEPT else _named.__wrapped__(sent)
        value = value.strip(b" \t")
        if b"\0" in value or b"\r" in value:
            raise ValueError("Illegal character in a header.")
        self.fields.append((name, value.decode("latin-1")))
        self._add(headers, title, value)

    @staticmethod
    def _whole(headers: dict[bytes, bytes]) -> dict[bytes, bytes]:
        if b"Content-Length" in headers and b"Transfer-Encoding" in headers:
            raise ValueError("Content-Length and Transfer-Encoding exclude each other.")
        return headers

    @staticmethod
    def _add(headers: dict[bytes, bytes], name: bytes, value: bytes) -> None:
        if b"_" in name:
            return  # WSGI could not tell it from the name with a hyphen
        if name not in headers:
            if name == b"Content-Length" and not value.isdigit():
                raise ValueError("Malformed Content-Length Header.")
            headers[name] = value
        elif name in _ONCE:
            raise ValueError(f"{name.decode('ascii')} stands twice.")
        else:
            headers[name] += (b"; " if name == b"Cookie" else b", ") + value


@lru_cache(_MOST_KEPT)
def _named(sent: bytes) -> tuple[str, bytes]:
    """A field's name as text, and as cheroot writes it; the same few come with each request. Raises `ValueError`."""
    if not _NAME.issuperset(sent):
        raise ValueError("Illegal header line.")
    return sent.decode("ascii"), sent.title()


@lru_cache(_MOST_KEPT)
def _variable(title: bytes) -> str:
    """What WSGI calls a header field (PEP 3333)."""
    name = title.decode("ascii").upper().replace("-", "_")
    return name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"


class Request(HTTPRequest):
    """A request that keeps its raw headers and answers what is malformed with a problem document."""

    server: Server
    conn: Connection

    def __init__(self, server: Server, conn: Connection, proxy_mode: bool = False, strict_mode: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(server, conn, proxy_mode, strict_mode)
        self.header_reader = RawHeaders()
        self.uri = b""
        self.method = b""
        self.cut = False

    def parse_request(self) -> None:
        """Read the head; quickly where the lane has it whole and knows its first line (`Lane`)."""
        if self.conn.later is None:
            super().parse_request()
            return
        line, *fields = self.conn.rfile.take_head().split(b"\r\n")
        self.started_request = True
        self.method, self.uri, self.request_protocol = line.split(b" ")
        self.response_protocol = "HTTP/1.1"
        self.path, _, self.qs = self.uri.partition(b"?")
        self.authority = b""
        try:
            self.header_reader.section(fields, self.inheaders)
        except ValueError as error:
            self.simple_response("400 Bad Request", error.args[0])
            return
        self.close_connection = self.inheaders.get(b"Connection") == b"close"
        self.ready = True

    def read_request_line(self) -> bool:
        """Read the request line; what urllib cannot split is malformed."""
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        except ValueError:
            self.simple_response("400 Bad Request", "Malformed Request-URI")
            return False

    def respond(self) -> None:
        """Let head and body leave together."""
        self.conn.wfile.held = True
        try:
            super().respond()
        except errors.MaxSizeExceeded:
            self.simple_response("413 Content Too Large", "The body is too large.")
        finally:
            self.conn.send()
            self.close_connection = self.close_connection or self.cut

    def send_headers(self) -> None:
        """Close the connection rather than read a long body that nobody wants, or take the rest of a broken one for a request."""
        unread = isinstance(self.rfile, Chunks) and not self.rfile.ended
        if unread or self.conn.rfile.broken or getattr(self.rfile, "remaining", 0) > _FINE_REMAINDER:
            self.close_connection = True
        super().send_headers()

    def send_whole(self, status: str, headers: list[tuple[str, str]], body: bytes) -> bool:
        """Send an answer at once; False, and nothing sent, where it is not a plain one of which nothing is left to settle."""
        lengths = [value for name, value in headers if name.lower() in _LENGTHS]
        plain = lengths == [str(len(body))] and not status.startswith("413") and not getattr(self.rfile, "remaining", 0)
        if not plain or self.conn.rfile.broken:
            return False
        self.sent_headers = True
        if self.close_connection or not self.server.can_add_keepalive_connection:
            self.close_connection = True
            headers = [*headers, ("Connection", "close")]
        head = "\r\n".join([f"HTTP/1.1 {status}", *[f"{name}: {value}" for name, value in headers], "\r\n"])
        self.conn.wfile.write(head.encode("latin-1") + body)
        return True

    def simple_response(self, status: str, msg: str | bytes = "") -> None:
        """Answer what is malformed, close, and tell the server of it."""
        if self.conn.later is not None and not self.ready:
            raise MustWait  # to record it is to wait for a commit
        number = int(str(status)[:3])
        text = msg.decode("latin-1") if isinstance(msg, bytes) else str(msg)
        code = _CODES.get(number, "request-malformed")
        if number == 413 and not self.ready:  # cheroot's word for a head that is too long
            code, number, status = "headers-too-large", 431, "431 Request Header Fields Too Large"
        title = str(status)[4:] or "Bad request"
        replaced = {"title": title, "status": number} if code == "request-malformed" and number != 400 else None
        body = answer(Problem(code, text, body=replaced), None).body
        self.close_connection = True
        self.server.malformed(self, number, text, code)
        lines = (
            f"HTTP/1.1 {status}",
            f"Content-Type: {PROBLEM_JSON}",
            f"Content-Length: {len(body)}",
            "Connection: close",
            "",
            "",
        )
        try:
            self.conn.wfile.write("\r\n".join(lines).encode("latin-1") + body)
            self.conn.send()
        except OSError:
            return


class _Edge:
    """What a fault can do to the connection of one request."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def release(self) -> None:
        """Hold nothing back."""
        self._request.conn.wfile.flush()

    def close(self) -> None:
        """Close the connection after the answer, without having said so."""
        self._request.cut = True

    def quick(self) -> None:
        """Expect the connection's next request to be as short as this one."""
        self._request.conn.lean = True

    def abandon(self, *, reset: bool) -> None:
        """Answer nothing and close, by a reset (TCP RST) or in good order."""
        self._request.cut = True
        self._request.conn.abandon(reset=reset)


class Gateway(Gateway_10):
    """WSGI 1.0 with the raw headers and the connection's TLS facts in the environment."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """The environment of one request: what cheroot's own has, and ours."""
        req, conn, server = self.req, self.req.conn, self.req.server
        if req.chunked_read:
            req.rfile = Chunks(conn.rfile)  # cheroot's own takes a chunk of any size into memory
        environ: dict[str, Any] = {
            "ACTUAL_SERVER_PROTOCOL": server.protocol,
            "PATH_INFO": req.path.decode("latin-1"),
            "QUERY_STRING": req.qs.decode("latin-1"),
            "REMOTE_ADDR": conn.remote_addr or "",
            "REMOTE_PORT": str(conn.remote_port or ""),
            "REQUEST_METHOD": req.method.decode("latin-1"),
            "REQUEST_URI": req.uri.decode("latin-1"),
            "SCRIPT_NAME": "",
            "SERVER_NAME": server.server_name,
            "SERVER_PORT": str(server.bind_addr[1]),
            "SERVER_PROTOCOL": req.request_protocol.decode("latin-1"),
            "SERVER_SOFTWARE": server.software,
            "wsgi.errors": sys.stderr,
            "wsgi.input": req.rfile,
            "wsgi.input_terminated": bool(req.chunked_read),
            "wsgi.multiprocess": False,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": req.scheme.decode("latin-1"),
            "wsgi.version": self.version,
            HEADERS_KEY: req.header_reader.fields,
            TLS_KEY: conn.tls,
            EDGE_KEY: _Edge(req),
        }
        for name, value in req.inheaders.items():
            variable = _variable(name) if len(name) <= _LONGEST_KEPT else _variable.__wrapped__(name)
            environ[variable] = value.decode("latin-1")
        if conn.ssl_env:
            environ.update(conn.ssl_env)
        if conn.via:
            environ[VIA_KEY] = conn.via
        if conn.later is not None:
            environ[LATER_KEY], environ[ROUTE_KEY] = conn.later, conn.route
        return environ

    def respond(self) -> None:
        """Answer; at once where the lane does it and the answer is a plain one."""
        if self.req.conn.later is None:
            super().respond()
            return
        begun: list[Any] = []
        parts = self.req.server.wsgi_app(self.env, lambda status, headers, *_: begun.extend((status, headers)))
        status, headers = begun
        body = b"".join(parts)
        if not self.req.send_whole(status, headers, body):
            self.start_response(status, headers)
            if body:
                self.write(body)
            self.req.ensure_headers_sent()
