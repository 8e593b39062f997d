"""One HTTP request as the server reads it: raw header order kept, malformed requests answered cleanly and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cheroot import errors
from cheroot.server import HTTPRequest
from cheroot.wsgi import Gateway_10

from mockserver._streams import Chunks
from mockserver._striking import EDGE_KEY
from mockserver.gate import HEADERS_KEY, ROUTE_KEY, TLS_KEY, VIA_KEY
from mockserver.lane import LATER_KEY, MustWait
from mockserver.problem import PROBLEM_JSON, Problem, answer

if TYPE_CHECKING:
    from mockserver.serve import Connection, Server

MAX_HEADERS = 200
_ONCE = frozenset({b"Host", b"Content-Length", b"Content-Type", b"Authorization", b"Transfer-Encoding"})
_NAME = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_CODES = {413: "body-too-large", 414: "uri-too-long"}
_FINE_REMAINDER = 1024 * 1024


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
            if not line.endswith(b"\r\n"):
                raise ValueError("A header line does not end with CR LF.")
            if len(self.fields) >= MAX_HEADERS:
                raise ValueError("Too many header fields.")
            name, colon, value = line[:-2].partition(b":")
            if not colon or not name or not _NAME.issuperset(name):
                raise ValueError("Illegal header line.")
            value = value.strip(b" \t")
            if b"\0" in value or b"\r" in value:
                raise ValueError("Illegal character in a header.")
            self.fields.append((name.decode("ascii"), value.decode("latin-1")))
            self._add(headers, name.title(), value)
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
        """The environment of one request."""
        if self.req.chunked_read:
            self.req.rfile = Chunks(self.req.conn.rfile)  # cheroot's own takes a chunk of any size into memory
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[HEADERS_KEY] = self.req.header_reader.fields
        environ[TLS_KEY] = self.req.conn.tls
        environ[EDGE_KEY] = _Edge(self.req)
        if self.req.conn.via:
            environ[VIA_KEY] = self.req.conn.via
        if self.req.conn.later is not None:
            environ[LATER_KEY], environ[ROUTE_KEY] = self.req.conn.later, self.req.conn.route
        return environ
