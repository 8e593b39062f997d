"""The peer: what a team writes in an afternoon. Flask under waitress, jsonschema, SQLite, a commit a post, plain HTTP.

With the file of a public key it does the same job as acrmock does: it checks the bearer token (RS256), refuses an ID that it has
with other bytes, and keeps the whole exchange without the token. Without it, it only validates and stores.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from pathlib import Path
from typing import Any

import jsonschema
import waitress
from flask import Flask, Response, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey


def application(schema: dict[str, Any], path: str, key: RSAKey | None) -> Flask:
    """An application that validates each exam, stores the body and a journal row durably, and answers 202."""
    app = Flask(__name__)
    validator = jsonschema.Draft202012Validator(schema)

    @app.post("/transactions")
    def post() -> Response:
        if key is not None:
            try:
                token = jwt.decode(request.headers.get("Authorization", "").removeprefix("Bearer "), key, ["RS256"])
                jwt.JWTClaimsRegistry().validate(token.claims)
            except (JoseError, ValueError):
                return Response(status=401)
        body = request.get_json()
        header, exams = body.values()
        problems = [error.message for exam in exams for error in validator.iter_errors(exam)]
        name = next(iter(header.values()))
        answer = json.dumps({"id": name, "problems": problems})
        with sqlite3.connect(path, timeout=30) as store:
            store.execute("PRAGMA synchronous=FULL")
            known = store.execute("SELECT body FROM post WHERE id = ?", (name,)).fetchone() if key is not None else None
            if known is not None and known[0] != request.get_data():
                return Response(status=409)
            store.execute("INSERT OR IGNORE INTO post VALUES (?, ?)", (name, request.get_data()))
            store.execute("INSERT INTO journal VALUES (?, ?)", (request.path, _journal(answer, full=key is not None)))
        return Response(answer, 202, mimetype="application/json")

    return app


def _journal(answer: str, *, full: bool) -> str:
    headers = {name: value for name, value in request.headers if name != "Authorization"}
    return json.dumps([headers, request.get_data(as_text=True), answer] if full else headers)


def main(port: str, file: str, schema_file: str, key_file: str = "") -> None:
    """Serve until killed."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it tells of every full queue
    with sqlite3.connect(file) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE post (id TEXT PRIMARY KEY, body BLOB)")
        made.execute("CREATE TABLE journal (path TEXT, headers TEXT)")
    schema = json.loads(Path(schema_file).read_text(encoding="utf-8"))
    key = RSAKey.import_key(json.loads(Path(key_file).read_text(encoding="utf-8"))) if key_file else None
    waitress.serve(application(schema, file, key), host="127.0.0.1", port=int(port), threads=8, _quiet=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
