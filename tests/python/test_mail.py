"""Codes by mail, through a real mail server: that they arrive, also late, and what must not come of it."""

import contextlib
import email
import email.policy
import re
import socket
import ssl
import threading
import time

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from conftest import PROGRAM, free_port

PASSWORD = "Correct-horse7"
USER, SECRET = b"notes", b"mail-secret-7"


class MailServer:
    """aiosmtpd on a port, by STARTTLS, TLS or plainly; with TLS it wants USER and SECRET."""

    def __init__(self, security, authority, port=None):
        self.mails, self.tried = [], 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        options = {"hostname": "127.0.0.1", "port": port or free_port(), "server_hostname": "localhost"}
        if security != "none":
            options |= {"authenticator": self.authenticate, "auth_required": True}
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if security == "tls":
            options |= {"ssl_context": context, "auth_require_tls": False}
        self.controller = Controller(self, **options)
        self.port = options["port"]
        self.controller.start()

    def authenticate(self, server, session, envelope, mechanism, data):
        self.tried += 1
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, SECRET)
        return AuthResult(success=right, handled=right)

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 taken"

    def until(self, count=1, seconds=12):
        deadline = time.time() + seconds
        while len(self.mails) < count:
            assert time.time() < deadline, "no mail came"
            time.sleep(0.05)
        return self.mails[count - 1]

    def stop(self):
        self.controller.stop()


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def mail(authority):
    with contextlib.ExitStack() as ends:
        def start(security, port=None):
            server = MailServer(security, authority, port)
            ends.callback(server.stop)
            return server

        yield start


def settings(folder, security, port, authority, secret=SECRET.decode()):
    root = folder / "mail-root.pem"
    authority.cert_pem.write_to_path(str(root))
    given = {
        "HOMEPORT_SMTP_HOST": "localhost",
        "HOMEPORT_SMTP_PORT": str(port),
        "HOMEPORT_SMTP_SECURITY": security,
        "HOMEPORT_SMTP_FROM": "Notes <no-reply@notes.example>",
        "HOMEPORT_SMTP_CA_FILE": str(root),
    }
    if security != "none":
        given |= {"HOMEPORT_SMTP_USER": USER.decode(), "HOMEPORT_SMTP_PASSWORD": secret}
    return given


class App:
    """A pool whose users prove their address."""

    def __init__(self, server, **pool):
        idp = server.client("cognito-idp")
        self.pool = idp.create_user_pool(PoolName="mail", AutoVerifiedAttributes=["email"], **pool)["UserPool"]["Id"]
        made = idp.create_user_pool_client(
            UserPoolId=self.pool, ClientName="app", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
            PreventUserExistenceErrors="ENABLED",
        )
        self.id = made["UserPoolClient"]["ClientId"]
        self.admin, self.public = idp, server.client("cognito-idp", signature_version=UNSIGNED)

    def sign_up(self, name, address=None):
        given = [{"Name": "email", "Value": address or f"{name}@example.com"}]
        return self.public.sign_up(ClientId=self.id, Username=name, Password=PASSWORD, UserAttributes=given)

    def confirm(self, name, code):
        return self.public.confirm_sign_up(ClientId=self.id, Username=name, ConfirmationCode=code)


def code_in(message):
    return re.search(r"\b\d{6}\b", message.get_content())[0]


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_a_code_comes_by_mail_and_confirms_its_user(fresh, mail, tmp_path, authority, security):
    taken = mail(security)
    server = fresh(environment=settings(tmp_path, security, taken.port, authority))
    app = App(server)
    app.sign_up("ada")
    to, message = taken.until()
    assert (to, message["to"], message["from"]) == (
        ["ada@example.com"], "ada@example.com", "Notes <no-reply@notes.example>",
    )
    with pytest.raises(ClientError, match="CodeMismatchException"):
        app.confirm("ada", "000000" if code_in(message) != "000000" else "111111")
    app.confirm("ada", code_in(message))
    assert server.command("outbox", "--to", "ada", "--last", "--code", check=False).returncode == 1
    assert taken.tried == (0 if security == "none" else 1)


def test_words_of_every_language_arrive_as_they_were_written(fresh, mail, tmp_path, authority):
    taken = mail("none")
    server = fresh(environment=settings(tmp_path, "none", taken.port, authority))
    template = {"EmailSubject": "Ihr Schlüssel — 鍵", "EmailMessage": "Grüße! Код: {####}\r\nBcc: eve@example.com"}
    App(server, VerificationMessageTemplate=template).sign_up("ada")
    to, message = taken.until()
    assert message["subject"] == "Ihr Schlüssel — 鍵"
    assert re.match(r"Grüße! Код: \d{6}\s+Bcc: eve@example.com", message.get_content())
    assert (to, message["bcc"]) == (["ada@example.com"], None)


@pytest.mark.parametrize("address", ["a@example.com\r\nBcc: eve@example.com", "a@example.com, eve@example.com", "no"])
def test_an_address_that_is_not_one_gets_nothing(fresh, mail, tmp_path, authority, address):
    taken = mail("none")
    app = App(fresh(environment=settings(tmp_path, "none", taken.port, authority)))
    with pytest.raises(ClientError, match="InvalidParameterException|CodeDeliveryFailureException"):
        app.sign_up("ada", address)
    app.sign_up("bea")
    taken.until()
    assert [to for to, _ in taken.mails] == [["bea@example.com"]]


def test_mail_waits_for_a_server_that_is_down_also_through_a_kill(fresh, mail, tmp_path, authority):
    port = free_port()
    server = fresh(environment=settings(tmp_path, "starttls", port, authority))
    app = App(server)
    began = time.time()
    app.sign_up("ada")
    assert time.time() - began < 2
    server.kill()
    for path in server.data.rglob("*"):
        assert not path.is_file() or b"verification code is" not in path.read_bytes(), path
    taken = mail("starttls", port)
    server.start()
    app.confirm("ada", code_in(taken.until(seconds=20)[1]))
    time.sleep(1)
    assert len(taken.mails) == 1


def test_a_server_that_hangs_keeps_nobody_waiting(fresh, tmp_path, authority):
    """And takes no longer for who is there than for who is not."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = fresh(environment=settings(tmp_path, "none", silent.getsockname()[1], authority))
        app = App(server)
        app.admin.admin_create_user(
            UserPoolId=app.pool, Username="ada", MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": "ada@example.com"}, {"Name": "email_verified", "Value": "true"}],
        )
        app.admin.admin_set_user_password(UserPoolId=app.pool, Username="ada", Password=PASSWORD, Permanent=True)
        for name in ["ada", "nobody"]:
            began = time.time()
            app.public.forgot_password(ClientId=app.id, Username=name)
            assert time.time() - began < 2, name


@pytest.mark.parametrize("wrong", ["password", "certificate"])
def test_mail_goes_to_no_server_that_is_not_the_right_one(fresh, mail, tmp_path, authority, wrong):
    taken = mail("starttls")
    trusted = trustme.CA() if wrong == "certificate" else authority
    secret = "another-secret" if wrong == "password" else SECRET.decode()
    server = fresh(environment=settings(tmp_path, "starttls", taken.port, trusted, secret))
    App(server).sign_up("ada")
    deadline = time.time() + 10
    while "a mail was not taken" not in server.log.read_text():
        assert time.time() < deadline, server.log.read_text()
        time.sleep(0.05)
    log = server.log.read_text()
    assert ("certificate" in log if wrong == "certificate" else "535" in log), log
    assert not taken.mails and (taken.tried == 0) == (wrong == "certificate")
    assert not re.search(r"\b\d{6}\b code|code is|another-secret", log)


def test_what_is_missing_is_said_at_the_start(tmp_path, authority):
    import os
    import subprocess

    def start(**given):
        command = [PROGRAM, "serve", "--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{free_port()}"]
        done = subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True, timeout=30)
        assert done.returncode == 1
        return done.stderr

    whole = settings(tmp_path, "starttls", 587, authority)
    assert "smtp.from" in start(**{k: v for k, v in whole.items() if not k.endswith("FROM")})
    assert "HOMEPORT_SMTP_PASSWORD" in start(**{k: v for k, v in whole.items() if not k.endswith("PASSWORD")})
    assert "missing.pem" in start(**whole | {"HOMEPORT_SMTP_CA_FILE": str(tmp_path / "missing.pem")})


def test_one_that_is_refused_for_good_holds_up_nobody(fresh, mail, tmp_path, authority):
    taken = mail("none")

    async def handle_RCPT(server, session, envelope, address, options):
        if address.startswith("ada"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    taken.handle_RCPT = handle_RCPT
    server = fresh(environment=settings(tmp_path, "none", taken.port, authority))
    app = App(server)
    threads = [threading.Thread(target=app.sign_up, args=(name,)) for name in ["ada", "bea", "cleo"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.until(2)
    assert sorted(to[0] for to, _ in taken.mails) == ["bea@example.com", "cleo@example.com"]
    assert "refused for good" in server.log.read_text()
