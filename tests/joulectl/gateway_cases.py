# SPDX-License-Identifier: Apache-2.0
"""What joulectl asks of a gateway, held against a server of the test that answers as one."""
import base64
import contextlib
import hashlib
import http.server
import json
import pathlib
import tempfile
import threading

from harness import case, expect, joulectl


@contextlib.contextmanager
def gateway(code="executed", refuse=None):
    """A server that takes one command; gives its address and what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, status, body):
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, body, dict(self.headers)))
            if refuse:
                self.answer(refuse, {"title": "Denied", "detail": "no right to act"})
            else:
                self.answer(202, {"id": "c-1"})

        def do_GET(self):
            asked.append((self.path, None, dict(self.headers)))
            states = sum(path == self.path for path, _, _ in asked)
            result = {"id": "c-1", "target": "heat-pump", "state": "done", "code": code, "value": 0}
            running = {"id": "c-1", "target": "heat-pump", "state": "running", "code": None}
            self.answer(200, running if states < 3 else result)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@case
def command_waits_for_its_result_and_prints_it():
    with gateway() as (url, asked):
        run = joulectl("command", "heat-pump", "relay_closed", "0", "--url", url)
        expect(run.returncode == 0, run)
        expect(json.loads(run.stdout)["code"] == "executed", run)
        path, body, headers = asked[0]
        expect(path == "/api/v1/commands", asked)
        expect(body == {"target": "heat-pump", "action": "set", "quantity": "relay_closed",
                        "value": 0}, asked)
        expect(len(headers["Idempotency-Key"]) == 32 and "Authorization" not in headers, asked)
        expect([path for path, _, _ in asked[1:]] == ["/api/v1/commands/c-1"] * 3, asked)


@case
def command_that_is_not_executed_ends_with_1():
    with gateway(code="device_silent") as (url, _):
        run = joulectl("command", "heat-pump", "--read", "--url", url)
        expect(run.returncode == 1 and json.loads(run.stdout)["code"] == "device_silent", run)


@case
def command_says_why_the_gateway_refuses():
    with gateway(refuse=403) as (url, _):
        run = joulectl("command", "heat-pump", "relay_closed", "0", "--url", url)
        expect(run.returncode == 1 and "no right to act" in run.stderr, run)
        expect("--token-file" in run.stderr, run)


@case
def command_shows_its_token():
    with gateway() as (url, asked), tempfile.NamedTemporaryFile("w") as file:
        file.write("abc123\n")
        file.flush()
        joulectl("command", "heat-pump", "--read", "--url", url, "--token-file", file.name)
        expect(asked[0][2]["Authorization"] == "Bearer abc123", asked)


@case
def command_says_what_is_wrong_with_the_address():
    run = joulectl("command", "a", "--read", "--url", "http://127.0.0.1:1")
    expect(run.returncode == 1 and "http://127.0.0.1:1" in run.stderr, run)
    for url in ("ftp://x", "http://", "http://x:99999", "http://[::1", "127.0.0.1:8080"):
        run = joulectl("command", "a", "--read", "--url", url)
        expect(run.returncode == 2 and "--url" in run.stderr, run)
    expect(joulectl("command").returncode == 2)
    expect(joulectl("command", "a").returncode == 2)


@case
def command_says_when_what_answers_is_no_gateway():
    with gateway() as (url, _):
        run = joulectl("command", "--id", "nothing", "--url", url + "/elsewhere")
        expect(run.returncode == 0, run)  # the server of the test answers everywhere
    with tempfile.TemporaryDirectory() as folder:
        run = joulectl("command", "--id", "x", "--url", "https://127.0.0.1:1", "--ca",
                       str(pathlib.Path(folder, "absent.pem")))
        expect(run.returncode == 2 and "absent.pem" in run.stderr, run)


@case
def password_prints_what_the_settings_take():
    run = joulectl("password", stdin="correct horse\n")
    expect(run.returncode == 0, run)
    _, kind, cost, salt, digest = run.stdout.strip().split("$")
    expect(kind == "scrypt" and cost == "ln=15,r=8,p=1", run)
    salt, digest = (base64.b64decode(part + "==") for part in (salt, digest))
    expect(hashlib.scrypt(b"correct horse", salt=salt, n=1 << 15, r=8, p=1, dklen=len(digest),
                          maxmem=1 << 26) == digest, run)
    expect(joulectl("password", stdin="short\n").returncode == 2)


@case
def token_prints_itself_and_its_digest():
    run = joulectl("token")
    made = json.loads(run.stdout)
    expect(run.returncode == 0 and len(made["token"]) == 48, run)
    expect(hashlib.sha256(made["token"].encode()).hexdigest() == made["sha256"], run)
    expect(json.loads(joulectl("token").stdout)["token"] != made["token"])
