"""Explaining a refusal is a pure function that no entry breaks."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from acrmock.explain import as_text, explain
from acrmock.record import FieldProblem, HttpEntry, HttpRequest, HttpResponse, NameValue, PostData, Refusal

TEXT = st.text(max_size=30)
POINTER = st.one_of(
    TEXT,
    st.sampled_from(
        ["/request/url", "/request/headers/Accept", "/request/postData/text", "/request/queryString", "/a/0/b", "/a"]
    ),
    TEXT.map(lambda text: f"/request/parameters/{text}"),
    TEXT.map(lambda text: f"/request/postData/{text}"),
)
FIELD = st.builds(FieldProblem, pointer=POINTER, element=TEXT, expected=TEXT, actual=TEXT, reason=TEXT)
PAIRS = st.lists(st.builds(NameValue, name=TEXT, value=TEXT), max_size=4).map(tuple)
BODY = st.one_of(TEXT, st.sampled_from(['{"a": [{"b": 1}]}', "[1]", "null", "{", "a=1&b=2", '{"a": 1}']))
MEDIA = st.sampled_from(["application/json", "application/x-www-form-urlencoded", ""])
POSTED = st.one_of(st.none(), st.builds(PostData, mimeType=MEDIA, text=BODY, params=PAIRS))
REQUEST = st.builds(
    HttpRequest, method=st.sampled_from(["GET", "POST"]), url=TEXT, headers=PAIRS, queryString=PAIRS, postData=POSTED
)
RESPONSE = st.builds(HttpResponse, status=st.integers(0, 599), headers=PAIRS)
REFUSAL = st.builds(Refusal, code=TEXT, message=TEXT, fields=st.lists(FIELD, max_size=4).map(tuple), hint=TEXT)
ENTRY = st.builds(
    HttpEntry, seq=st.just(1), at=st.just(""), t=st.just(""), request=REQUEST, response=RESPONSE, refusal=st.none() | REFUSAL
)


@given(ENTRY)
def test_no_entry_breaks_it(entry: HttpEntry) -> None:
    """Whatever an entry holds, there is an explanation, twice the same, and a command that a shell can read."""
    found = explain(entry)
    assert found == explain(entry)
    assert as_text(found)
    if found.curl:
        assert shlex.split(found.curl)[0] == "curl"


def test_the_record_is_not_changed() -> None:
    """Mending a request mends a copy."""
    body = PostData(mimeType="application/json", text='{"a": {"b": 1}}')
    problem = FieldProblem(pointer="/a/b", element="b", expected="2", actual="1", reason="another number")
    entry = HttpEntry(
        seq=3,
        at="",
        t="",
        request=HttpRequest(method="POST", url="https://localhost/x", postData=body),
        response=HttpResponse(status=422),
        refusal=Refusal(code="acrmock:x", message="m", fields=(problem,)),
    )
    found = explain(entry)
    assert '-    "b": 1' in found.diff
    assert '+    "b": 2' in found.diff
    assert entry.request.postData == body


def test_secrets_are_named_by_kind() -> None:
    """A reference becomes its kind, in the diff and in the command."""
    mark = "d:client_secret:" + "A" * 22
    pairs = (NameValue(name="client_secret", value=mark), NameValue(name="code", value="x"))
    entry = HttpEntry(
        seq=1,
        at="",
        t="",
        request=HttpRequest(method="POST", url="https://localhost/token", postData=PostData(params=pairs)),
        response=HttpResponse(status=400),
        refusal=Refusal(
            code="acrmock:x",
            message="m",
            fields=(FieldProblem(pointer="/request/postData/code", element="code", expected="one that is live", reason="used"),),
        ),
    )
    found = explain(entry)
    assert "--data-urlencode 'client_secret=<client_secret>'" in found.curl
    assert "+code=<one that is live>" in found.diff
    assert mark not in as_text(found)
