"""The peer: what a team writes in an afternoon. Flask under waitress, jsonschema, SQLite, a commit a post, plain HTTP."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from typing import Any

import jsonschema
import waitress
from flask import Flask, Response, request


def application(schema: dict[str, Any], path: str) -> Flask:
    """An application that validates each exam, stores the body and a journal row durably, and answers 202."""
    app = Flask(__name__)
    validator = jsonschema.Draft202012Validator(schema)

    @app.post("/transactions")
    def post() -> Response:
        body = request.get_json()
        header, exams = body.values()
        problems = [error.message for exam in exams for error in validator.iter_errors(exam)]
        with sqlite3.connect(path, timeout=30) as store:
            store.execute("PRAGMA synchronous=FULL")
            key = next(iter(header.values()))
            store.execute("INSERT INTO post VALUES (?, ?)", (key, request.get_data()))
            store.execute("INSERT INTO journal VALUES (?, ?)", (request.path, json.dumps(dict(request.headers))))
        return Response(json.dumps({"id": key, "problems": problems}), 202, mimetype="application/json")

    return app


if __name__ == "__main__":
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it tells of every full queue
    port, file, schema_file = sys.argv[1:]
    with sqlite3.connect(file) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE post (id TEXT PRIMARY KEY, body BLOB)")
        made.execute("CREATE TABLE journal (path TEXT, headers TEXT)")
    with open(schema_file, encoding="utf-8") as schema_text:  # noqa: PTH123 - a path of one use
        wanted = json.load(schema_text)
    waitress.serve(application(wanted, file), host="127.0.0.1", port=int(port), threads=8, _quiet=True)
