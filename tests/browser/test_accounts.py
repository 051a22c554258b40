"""Accounts with a real browser: invited, joined, signed in by password, code and passkey.

On one freshly founded instance at localhost: passkeys need a name, not a number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from demo.stage import VEDETTE, Instance, free_port, run
from playwright.sync_api import Browser, expect
from tests.browser.visits import Visit

PASSWORD = "a-password-for-tests-only"


@dataclass(frozen=True)
class Founded:
    """An instance that is served, and how people come into it."""

    instance: Instance
    url: str
    first_link: str

    def invite(self, email: str) -> str:
        return self.instance.invite(email, "evaluator")


@pytest.fixture(scope="module")
def founded(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    folder = tmp_path_factory.mktemp("accounts") / "office"
    port = free_port(0)
    url = f"http://localhost:{port}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("VEDETTE_")}
    instance = Instance("office", folder, port, env)
    about = ["--profile", "office", "--name", "Test Office", "--email", "admin@office.example"]
    where = ["--bind", f"127.0.0.1:{port}", "--url", url, str(folder)]
    link = re.search(r"\S+/welcome/\S+", run([*VEDETTE, "init", *about, *where], env=env))
    assert link is not None
    instance.start()
    try:
        instance.wait_until_ready()
        yield Founded(instance, url, link[0])
    finally:
        instance.stop()
    assert instance.server is not None
    assert instance.server.returncode == 0
    assert "Traceback" not in (instance.folder / "server.log").read_text("utf-8")


@pytest.fixture
def visit(browser: Browser, founded: Founded) -> Iterator[Visit]:
    with Visit(browser, founded.url, "accounts") as visit:
        yield visit


def join(visit: Visit, link: str, name: str = "A Person") -> None:
    visit.open(link)
    visit.page.get_by_label("Your name").fill(name)
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.press("Join")
    expect(visit.page).to_have_url(f"{visit.base}/")


def sign_out(visit: Visit) -> None:
    visit.page.locator(".v-header__bar .v-account summary").click()
    visit.press("Sign out")
    visit.open("/")
    expect(visit.page.get_by_role("heading", name="Sign in")).to_be_visible()


def fill_sign_in(visit: Visit, email: str, password: str) -> None:
    visit.open("/accounts/login/")
    visit.page.get_by_label("Email").fill(email)
    visit.page.get_by_label("Password").fill(password)
    visit.press("Sign in")


def change_how_one_signs_in(visit: Visit, path: str) -> None:
    """Open a page that asks for the password again before it changes anything."""
    visit.open(path)
    if "reauthenticate" in visit.page.url:
        visit.page.get_by_label("Password").fill(PASSWORD)
        with visit.page.expect_navigation():
            visit.page.locator("main form:has(input[type=password]) button").first.click()


def present_code(secret: str) -> str:
    """What an authenticator app shows now."""
    from allauth.mfa.totp.internal import auth

    return auth.format_hotp_value(
        auth.hotp_value(secret, max(auth.yield_hotp_counters_from_time()))
    )


def flaws(visit: Visit) -> list[str]:
    """What went wrong on the way, besides the refusals that a test asks for."""
    return [line for line in visit.wrong if "server responded with a status of 4" not in line]


def test_a_scanner_that_opens_the_link_changes_nothing(visit: Visit, founded: Founded) -> None:
    link = founded.invite("scanned@office.example")
    for _ in range(3):
        assert visit.status(link) == 200
    join(visit, link)
    assert visit.status(link) in (403, 404, 410), "the link is used up"


def test_join_by_link_and_sign_in_by_password(visit: Visit, founded: Founded) -> None:
    join(visit, founded.first_link, "First Administrator")
    assert "First Administrator" in visit.page.locator("header").inner_text()
    sign_out(visit)
    fill_sign_in(visit, "admin@office.example", "not the password")
    alert = visit.page.locator("main").inner_text()
    assert "not correct" in alert
    assert "/accounts/login/" in visit.page.url
    fill_sign_in(visit, "admin@office.example", PASSWORD)
    expect(visit.page).to_have_url(f"{visit.base}/")
    assert not flaws(visit)


def test_a_weak_password_is_not_taken(visit: Visit, founded: Founded) -> None:
    visit.open(founded.invite("weak@office.example"))
    visit.page.get_by_label("Your name").fill("Weak")
    visit.page.get_by_label("Password").fill("password1234")
    visit.press("Join")
    assert "too common" in visit.text()
    assert visit.page.get_by_label("Your name").input_value() == "Weak"


def test_sign_in_with_a_code_from_an_app(visit: Visit, founded: Founded, thorough: bool) -> None:
    email = "codes@office.example"
    join(visit, founded.invite(email))
    change_how_one_signs_in(visit, "/accounts/2fa/totp/activate/")
    secret = re.search(r"\b[A-Z2-7]{32}\b", visit.text())
    assert secret is not None
    visit.look(thorough=thorough)
    visit.page.get_by_label("Authenticator code").fill(present_code(secret[0]))
    visit.press("Turn on")
    visit.look(thorough=thorough)
    sign_out(visit)
    fill_sign_in(visit, email, PASSWORD)
    assert visit.status("/people/") == 302, "the password alone signs nobody in"
    visit.look(thorough=thorough)
    visit.page.get_by_label("Code").fill(present_code(secret[0]))
    visit.press("Sign In")
    expect(visit.page).to_have_url(f"{visit.base}/")
    assert not flaws(visit), "\n".join(flaws(visit))


def test_sign_in_with_a_passkey(visit: Visit, founded: Founded, thorough: bool) -> None:
    devices = visit.context.new_cdp_session(visit.page)
    devices.send("WebAuthn.enable")
    device = devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )["authenticatorId"]
    join(visit, founded.invite("passkey@office.example"))
    change_how_one_signs_in(visit, "/accounts/2fa/webauthn/add/")
    visit.look(thorough=thorough)
    visit.page.get_by_label("Name").fill("This laptop")
    visit.page.get_by_label("Passwordless").check()
    with visit.page.expect_navigation():
        visit.page.get_by_role("button", name="Add this key").click()
    kept = devices.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert len(kept) == 1
    visit.open("/accounts/2fa/webauthn/")
    assert "This laptop" in visit.text()
    visit.look(thorough=thorough)
    sign_out(visit)
    visit.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(visit.page).to_have_url(f"{visit.base}/")
    assert not flaws(visit), "\n".join(flaws(visit))
