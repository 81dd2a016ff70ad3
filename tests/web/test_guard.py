"""Requests that the page must refuse, and what it never tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web.conftest import HOST, MAX_BODY, ORIGIN, Desk

CONFINED = ("content-security-policy", "x-content-type-options", "referrer-policy")


def refuses(desk: Desk, reply: object, status: int) -> bool:
    """Whether the reply has the status, shows no sentence, and nothing was written."""
    text = reply.text  # type: ignore[attr-defined]
    shows = any(sentence in text for sentence in desk.sentences)
    return reply.status_code == status and not shows and not desk.rows()  # type: ignore[attr-defined]


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%C3%A9", "?token=%FF%00"])
def test_without_the_token_nothing_is_shown(desk: Desk, query: str) -> None:
    reply = desk.client.get(f"/{query}")
    assert refuses(desk, reply, 403)
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "path", ["/guideline", "/answer", "/undo", "/nowhere", "/docs", "/.git/config"]
)
def test_the_token_opens_the_front_door_only(desk: Desk, path: str) -> None:
    assert refuses(desk, desk.client.get(f"{path}?token={desk.token}"), 403)


def test_a_wrong_cookie_is_refused_and_the_right_one_is_not_the_token(desk: Desk) -> None:
    name, value = desk.enter()
    assert value != desk.token
    for wrong in (desk.token, value[:-1], value + "x", ""):
        desk.client.cookies.clear()
        desk.client.cookies.set(name, wrong)
        assert refuses(desk, desk.client.get("/"), 403)


def test_the_cookie_is_for_this_server_alone_and_for_no_script(desk: Desk) -> None:
    reply = desk.client.get(f"/?token={desk.token}")
    given = reply.headers["set-cookie"].lower()
    assert "httponly" in given
    assert "samesite=strict" in given
    # A session cookie: gone with the browser.
    assert "expires" not in given
    assert "max-age" not in given
    assert not any(sentence in reply.text for sentence in desk.sentences)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"{HOST}.evil.example",
        f"evil.example:{HOST}",
        "localhost.evil.example",
        "10.0.0.7",
        "[::2]",
        "127.0.0.1:80:80",
        "127.0.0.1@evil.example",
        "",
    ],
)
def test_a_name_bound_anew_to_this_address_is_refused(desk: Desk, host: str) -> None:
    desk.enter()
    for path in ("/", f"/?token={desk.token}", "/static/label.js"):
        assert refuses(desk, desk.client.get(path, headers={"host": host}), 400)
    sent = desk.post("/answer", desk.form("likely"), host=host, origin=f"http://{host}")
    assert refuses(desk, sent, 400)


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
def test_names_of_loopback_and_ports_of_a_tunnel_are_let_in(desk: Desk, host: str) -> None:
    desk.enter()
    assert desk.client.get("/", headers={"host": host}).status_code == 200
    sent = desk.post("/answer", desk.form("likely"), host=host, origin=f"http://{host}")
    assert sent.status_code == 303
    assert len(desk.rows()) == 1


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.example",
        "http://localhost:8765",
        "http://127.0.0.1:8766",
        "http://127.0.0.1",
        "file://127.0.0.1:8765",
        "http://127.0.0.1:8765@evil.example",
        "",
    ],
)
def test_what_another_origin_sends_changes_nothing(desk: Desk, origin: str | None) -> None:
    desk.enter()
    for path, form in (("/answer", desk.form("likely")), ("/undo", {"turn": "1"})):
        assert refuses(desk, desk.post(path, form, origin=origin), 403)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
def test_a_body_that_no_form_of_the_page_sends_is_refused(desk: Desk, kind: str) -> None:
    desk.enter()
    reply = desk.client.post(
        "/answer",
        content=b"turn=1&label=likely",
        headers={"origin": ORIGIN, "content-type": kind},
    )
    assert refuses(desk, reply, 415)


def test_too_long_a_body_is_refused_whether_its_length_is_told_or_not(desk: Desk) -> None:
    desk.enter()
    form = desk.form("likely") | {"comment": "x" * MAX_BODY}
    assert refuses(desk, desk.post("/answer", form), 413)

    def drip() -> Iterator[bytes]:
        yield b"turn=1&label=likely&comment="
        for _ in range(MAX_BODY // 100):
            yield b"x" * 200

    headers = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    assert refuses(desk, desk.client.post("/answer", content=drip(), headers=headers), 413)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_do_nothing_and_no_other_site_is_invited(desk: Desk, method: str) -> None:
    desk.enter()
    for origin in (ORIGIN, "http://evil.example"):
        headers = {
            "origin": origin,
            "content-type": "application/x-www-form-urlencoded",
            "access-control-request-method": "POST",
        }
        reply = desk.client.request(method, "/answer", headers=headers)
        assert reply.status_code in (403, 405)
        assert not [name for name in reply.headers if name.startswith("access-control")]
    assert not desk.rows()


@pytest.mark.parametrize(
    "path",
    [
        "/static",
        "/static/",
        "/static/nothing.js",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/label.js%00.css",
        "/favicon.ico",
        "/templates/label.html.jinja",
    ],
)
def test_no_file_but_those_of_the_page_is_given(desk: Desk, path: str) -> None:
    desk.enter()
    reply = desk.client.get(path)
    assert reply.status_code in (404, 307)
    assert "import" not in reply.text
    assert "root:" not in reply.text
    for name in ("label.js", "label.css", "icon.svg"):
        assert name not in reply.text.replace('href="/static/label.css"', "").replace(
            'href="/static/icon.svg"', ""
        )


def test_every_answer_confines_the_page_also_one_that_refuses(desk: Desk) -> None:
    replies = [desk.client.get("/"), desk.client.get("/", headers={"host": "evil.example"})]
    replies.append(desk.client.get(f"/?token={desk.token}"))
    replies += [desk.client.get(path) for path in ("/", "/guideline", "/nowhere")]
    replies += [desk.client.get(f"/static/{name}") for name in ("label.js", "label.css")]
    replies.append(desk.post("/answer", desk.form("maybe")))
    replies.append(desk.post("/answer", desk.form("likely") | {"comment": "x" * MAX_BODY}))
    seen = {reply.status_code for reply in replies}
    assert seen == {200, 400, 403, 404, 413, 422}
    for reply in replies:
        assert all(name in reply.headers for name in CONFINED), reply.status_code
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "access-control-allow-origin" not in reply.headers
        assert reply.headers["cache-control"] == "no-store"


def test_no_page_holds_a_script_or_style_of_its_own() -> None:
    import kgbuild.web

    templates = list((Path(kgbuild.web.__file__).parent / "templates").glob("*.jinja"))
    assert len(templates) == 5
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert "<style" not in text
        assert " style=" not in text
        assert "onclick" not in text
        assert text.count("<script") == text.count('<script type="module" src="/static/')
        assert "//" not in text.replace("</", ""), "nothing comes from a network"


def test_a_bug_is_told_without_its_trace(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.enter()

    def fail() -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(desk.session, "current", fail)
    client: TestClient = desk.client
    reply = client.get("/")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert "Traceback" not in reply.text
    assert "kgbuild failed here" in reply.text
    assert "content-security-policy" in reply.headers
