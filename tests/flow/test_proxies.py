"""Proxies between visitors and Potok: whose word counts, and for what."""

from pathlib import Path

import pytest
from flask import Flask, request

from app import create_app
from kanban.config import read_config
from kanban.proxies import TrustedProxies, read_networks

NETWORKS = read_networks("127.0.0.1, 10.0.0.0/8 fd00::/8")


def seen(peer: str, **forwarded: str) -> tuple[str | None, str, str]:
    """(address, scheme, host) as a page sees them."""
    bare = Flask("bare")
    bare.add_url_rule("/", "show", lambda: {"seen": [request.remote_addr, request.scheme, request.host]})
    bare.wsgi_app = TrustedProxies(bare.wsgi_app, NETWORKS)  # type: ignore[method-assign]
    headers = {f"X-Forwarded-{name}": value for name, value in forwarded.items()}
    answer = bare.test_client().get("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer, "SCRIPT_NAME": "//evil.example"})
    address, scheme, host = answer.json["seen"]
    return address, scheme, host


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # a visitor who says so of himself
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first is what the visitor wrote
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),  # two proxies of ours
        ("127.0.0.1", "10.9.9.9, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "<script>", "127.0.0.1"),
        ("127.0.0.1", ",".join(["10.1.1.1"] * 50), "10.1.1.1"),
    ],
)
def test_the_address_of_a_visitor(peer: str, forwarded_for: str, address: str) -> None:
    assert seen(peer, For=forwarded_for)[0] == address


def test_scheme_and_host_come_from_a_proxy_and_from_nobody_else() -> None:
    assert seen("127.0.0.1", For="203.0.113.9", Proto="https", Host="potok.firma.test") == ("203.0.113.9", "https", "potok.firma.test")
    assert seen("203.0.113.9", Proto="https", Host="evil.example", Prefix="//evil.example") == ("203.0.113.9", "http", "localhost")


def test_whom_to_tell_of_a_weakness(tmp_path: Path) -> None:
    environ = {"PUBLIC_URL": "https://potok.firma.test", "SECURITY_CONTACT": "mailto:it@firma.test", "PASSWORD_HASH_COST": "cheap"}
    answer = create_app(read_config(environ, tmp_path), tmp_path).test_client().get("/.well-known/security.txt")
    assert answer.mimetype == "text/plain" and answer.text.startswith("Contact: mailto:it@firma.test\nExpires: 2")
    assert "Canonical: https://potok.firma.test/.well-known/security.txt" in answer.text
    nobody = create_app(read_config({"PASSWORD_HASH_COST": "cheap"}, tmp_path), tmp_path)
    assert nobody.test_client().get("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize(("public_url", "prefix"), [("https://potok.firma.test", "__Host-"), ("http://127.0.0.1:8000", "")])
def test_cookies_belong_to_this_host_only_under_https(tmp_path: Path, public_url: str, prefix: str) -> None:
    config = read_config({"PUBLIC_URL": public_url, "PASSWORD_HASH_COST": "cheap"}, tmp_path)
    bare = create_app(config, tmp_path)
    answer = bare.test_client().get("/healthz")
    assert bare.config["SESSION_COOKIE_NAME"] == f"{prefix}potok"
    assert answer.headers.get("Strict-Transport-Security") == ("max-age=31536000" if prefix else None)
