"""Templates, signatures, and what is never shown."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys

import pytest

from seawall.errors import ConfigError
from seawall.observe.alerts import (
    Alert,
    Chat,
    Email,
    JinjaTemplate,
    Notification,
    SignatureRefused,
    Template,
    Webhook,
    WebhookRefused,
    payload_of,
    sign,
    verify,
)  # fmt: skip
from seawall.observe.alerts._filling import fill

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def notification(*alerts: Alert) -> Notification:
    """Of a group by alertname."""
    return Notification("id1", "hook", "0:{}", {"alertname": "Deep"}, alerts, 1_000_000.0)


FIRING = Alert(
    {"alertname": "Deep", "severity": "page", "queue": "a"}, {"summary": "too deep"}, 1_000_000.0, None, 0.25
)
RESOLVED = Alert({"alertname": "Deep", "severity": "page", "queue": "b"}, {}, 1_000_000.0, 1_000_060.0, None)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{value:.1%} {name}", "25.0% x"),
        ("{missing} {missing:.2f}", "? ?"),
        ("{none:.2f}", "?"),
        ("{name:.2f}", "x"),
        ("{value.__class__}", "?"),
        ("{value!r:>6}", "  0.25"),
        ("{braces}", "{value}"),
        ("{{literal}}", "{literal}"),
    ],
)
def test_filling_never_fails(text, filled):
    """What is missing is a question mark, what does not fit its format is as it is, and data is not looked into."""
    assert fill(text, {"value": 0.25, "name": "x", "none": None, "braces": "{value}"}) == filled


def test_the_usual_template():
    """Title, a line for each alert, and fields of one's own."""
    rendered = Template(fields={"Group": "{alertname}", "Team": "{team}"}).render(notification(FIRING, RESOLVED))
    assert rendered.title == "[firing] Deep: 1 firing, 1 resolved"
    assert rendered.text == (
        "[firing] Deep page: too deep (value 0.25, since 1970-01-12T13:46:40.000Z)\n"
        "[resolved] Deep page: ? (value ?, since 1970-01-12T13:46:40.000Z)"
    )
    assert rendered.fields == {"Group": "Deep", "Team": "?"}


def test_a_template_of_jinja2():
    """Loops over alerts; what is missing is empty; what fails is said; nothing is reached that should not be."""
    text = "{% for a in alerts %}{{ a.queue }}={{ a.status }} {% endfor %}{{ nothing.at.all }}"
    rendered = JinjaTemplate("{{ alertname }}\n!", text).render(notification(FIRING, RESOLVED))
    assert (rendered.title, rendered.text) == ("Deep !", "a=firing b=resolved ")
    sly = JinjaTemplate("{{ alerts.__class__.__mro__ }}", "{{ 1 // 0 }}").render(notification(FIRING))
    assert sly.title == ""
    assert sly.text == "firing Deep (the template failed: ZeroDivisionError)"
    with pytest.raises(ConfigError, match=r"^no template of jinja2: unexpected '}' in line 1$"):
        JinjaTemplate("{{ } }}", "")


def test_the_payload_is_alertmanagers():
    """Every field of version 4, as Alertmanager names it."""
    assert payload_of(notification(FIRING, RESOLVED), "https://ops") == {
        "version": "4",
        "groupKey": "0:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "hook",
        "groupLabels": {"alertname": "Deep"},
        "commonLabels": {"alertname": "Deep", "severity": "page"},
        "commonAnnotations": {},
        "externalURL": "https://ops",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Deep", "severity": "page", "queue": "a"},
                "annotations": {"summary": "too deep"},
                "startsAt": "1970-01-12T13:46:40.000Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://ops",
                "fingerprint": FIRING.fingerprint,
            },
            {
                "status": "resolved",
                "labels": {"alertname": "Deep", "severity": "page", "queue": "b"},
                "annotations": {},
                "startsAt": "1970-01-12T13:46:40.000Z",
                "endsAt": "1970-01-12T13:47:40.000Z",
                "generatorURL": "https://ops",
                "fingerprint": RESOLVED.fingerprint,
            },
        ],
    }


def test_the_signature_of_the_standards_example():
    """Standard Webhooks prints this secret, message and signature."""
    body = b'{"test": 2432232314}'
    signature = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_verify_refuses():
    """Old, young, unsigned and changed; one of several signatures is enough, so that secrets can be changed."""
    headers = {
        "Webhook-Id": "a",
        "Webhook-Timestamp": "1000",
        "Webhook-Signature": "v1,x " + sign(SECRET, "a", 1000, b"b"),
    }
    verify(SECRET, headers, b"b", now=1_300.0)
    for now, body, given, said in (
        (1_301.0, b"b", headers, "the webhook was signed 301 s ago, which is beyond 300 s"),
        (699.0, b"b", headers, "the webhook was signed -301 s ago, which is beyond 300 s"),
        (1_000.0, b"c", headers, "the signature is of another secret, or the body was changed"),
        (1_000.0, b"b", {}, "the headers webhook-id, webhook-timestamp and webhook-signature are needed"),
        (1_000.0, b"b", {**headers, "Webhook-Id": "c"}, "the signature is of another secret, or the body was changed"),
        (
            1_000.0,
            b"b",
            {**headers, "Webhook-Signature": "é"},
            "the signature is of another secret, or the body was changed",
        ),
    ):
        with pytest.raises(SignatureRefused) as refused:
            verify(SECRET, given, body, now=now)
        assert str(refused.value) == said


def test_secrets_are_not_shown():
    """Neither in a repr nor in the message of what is refused."""
    hook = Webhook("https://u5er:pa55word@example.com/T0KENT0KEN?k=v", secret=SECRET, headers={"X-Key": "h1dden"})
    mail = Email("mail", sender="a@example.com", to="b@example.com", username="u5er", password="pa55word")
    assert repr(hook) == "Webhook('https://example.com/***', signed)"
    assert repr(mail) == "Email('mail', port=587, security='starttls', to=1 addresses)"
    said = []
    for make in (
        lambda: Webhook("ftp://example.com/T0KENT0KEN"),
        lambda: Webhook("https://example.com", secret="pa55word"),
        lambda: Webhook("https://example.com", secret="whsec_pa55word!"),
        lambda: Email("mail", sender="a@b", to="b@c", username="u5er"),
        lambda: Email("mail", sender="a@b", to="b@c", username="u5er", password="pa55word", security="none"),
    ):
        with pytest.raises(ConfigError) as refused:
            make()
        said.append(str(refused.value))
    assert said == [
        "url must be http://host/... or https://host/..., got ftp://example.com/***",
        "secret must be 16 bytes or more, got 8; secrets.token_urlsafe(32) makes one",
        "secret must be base64 after 'whsec_'; leave that out for any other text",
        "username and password must be given together",
        "security must be 'starttls' or 'tls' with a password, got 'none'",
    ]


@pytest.mark.parametrize("channel", ["hook", "mail"])
def test_secrets_are_scrubbed_from_what_goes_wrong(channel, caplog):
    """Errors of libraries may hold an address or a password; what is told and logged does not."""
    from seawall.observe.alerts._courier import Courier
    from seawall.observe.alerts._message import Message

    caplog.set_level(logging.DEBUG)
    channels = {
        "hook": Webhook("https://example.com/T0KENT0KEN", secret=SECRET),
        "mail": Email("mail", sender="a@example.com", to="b@example.com", username="u5er", password="pa55 word"),
    }

    def fail(message):
        raise OSError(f"could not reach /T0KENT0KEN with {SECRET}, pa55 word, pa55%20word")

    outcomes = []
    courier = Courier(channel, channels[channel], 10, outcomes.append)
    channels[channel].send = fail
    courier.offer(Message.of(notification(FIRING), Template()))
    courier.drain()
    shown = outcomes[0].error + caplog.text
    hidden = ("T0KEN", SECRET) if channel == "hook" else ("pa55 word", "pa55%20word")
    assert not any(secret in shown for secret in hidden)
    assert shown.startswith("OSError: could not reach")


def test_errors_can_be_pickled():
    """With what they carry."""
    refused = pickle.loads(pickle.dumps(WebhookRefused(503, 7.0)))
    assert (str(refused), refused.status, refused.retry_after) == ("the receiver answered 503", 503, 7.0)
    assert str(pickle.loads(pickle.dumps(SignatureRefused("why")))) == "why"


def test_without_the_libraries_the_extra_is_named():
    """A missing apprise or jinja2 is a ConfigError that says what to install."""
    code = (
        "import sys; sys.modules['apprise'] = sys.modules['jinja2'] = None\n"
        "from seawall.observe.alerts import Chat, JinjaTemplate\n"
        "for make in (lambda: Chat('json://x'), lambda: JinjaTemplate('', '')):\n"
        "    try: make()\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "ConfigError Chat needs apprise; install seawall[alerts]\n"
        "ConfigError JinjaTemplate needs jinja2; install seawall[alerts]\n"
    )
    assert Chat.__name__ == "Chat"


def test_alerts_load_no_third_party_library():
    """Importing the room loads neither apprise, jinja2, smtplib's friends from elsewhere, nor an HTTP client."""
    code = (
        "import sys, seawall.observe.alerts\n"
        "print([m for m in ('apprise', 'jinja2', 'aiohttp', 'requests', 'click', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
