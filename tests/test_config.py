"""Settings from the environment: an unknown or malformed one stops the start with a sentence."""

import stat
from pathlib import Path

import pytest

from kanban.config import ConfigError, read_config


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"PORT": "eight"}, "PORT"),
        ({"UNDO_WINDOW_S": "-1"}, "UNDO_WINDOW_S"),
        ({"SMTP_SECURITY": "magic"}, "SMTP_SECURITY"),
        ({"SMTP_HOTS": "x"}, "SMTP_HOTS"),
        ({"LEASE_S": "5"}, "LEASE_S"),
        ({"TIME_ZONE": "Mars/Olympus"}, "TIME_ZONE"),
        ({"SMTP_CA_FILE": "/no/such/file"}, "SMTP_CA_FILE"),
        ({"POLL_S": "0"}, "POLL_S"),
        ({"DEMO": "2"}, "DEMO"),
        ({"PUBLIC_URL": "potok.firma.ru"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://при мер.рф"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://potok.firma.ru:port"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://user@potok.firma.ru"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://firma.ru/potok"}, "no path"),
        ({"TRUSTED_PROXIES": "nginx"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
        ({"SECURITY_CONTACT": "it@firma.ru"}, "SECURITY_CONTACT"),
        ({"SECURITY_CONTACT": "mailto:a@b.ru\nX: y"}, "SECURITY_CONTACT"),
        ({"INNER_HOSTS": "10.0.0.1/8"}, "INNER_HOSTS"),
        ({"RUNS_KEPT_DAYS": "0"}, "RUNS_KEPT_DAYS"),
        ({"RUNS_KEPT_DAYS": "99999"}, "RUNS_KEPT_DAYS"),
        ({"MESSAGES_KEPT_DAYS": "0"}, "MESSAGES_KEPT_DAYS"),
        ({"MESSAGES_KEPT_DAYS": "99999"}, "MESSAGES_KEPT_DAYS"),
    ],
)
def test_a_bad_setting_stops_the_start_with_a_sentence(tmp_path: Path, environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_config(environ, tmp_path)


def test_keys_are_made_once_and_kept_for_their_owner_only(tmp_path: Path) -> None:
    first, second = read_config({}, tmp_path), read_config({}, tmp_path)
    assert first.secret_key == second.secret_key and first.secret_key != first.seal_key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_the_window_may_be_zero(tmp_path: Path) -> None:
    assert read_config({"UNDO_WINDOW_S": "0"}, tmp_path).undo_window_s == 0


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    assert "hush" not in repr(read_config({"SMTP_PASSWORD": "hush", "SECRET_KEY": "hush", "SEAL_KEY": "hush"}, tmp_path))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", "http://127.0.0.1:8000"),
        ("https://potok.firma.ru/", "https://potok.firma.ru"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://заказы.рф", "https://xn--80aatcn8h.xn--p1ai"),
        ("https://Заказы.РФ:8443/", "https://xn--80aatcn8h.xn--p1ai:8443"),
    ],
)
def test_the_public_address_is_kept_as_links_and_header_fields_can_hold_it(tmp_path: Path, given: str, read: str) -> None:
    assert read_config({"PUBLIC_URL": given}, tmp_path).public_url == read


@pytest.mark.parametrize(
    ("public_url", "is_open"),
    [
        ("", False),
        ("http://localhost:8000", False),
        ("http://[::1]:8000", False),
        ("http://192.168.1.5", True),
        ("https://potok.firma.ru", False),
    ],
)
def test_plain_http_beyond_this_machine_is_open_to_listeners(tmp_path: Path, public_url: str, is_open: bool) -> None:
    assert read_config({"PUBLIC_URL": public_url}, tmp_path).is_open_to_listeners is is_open
