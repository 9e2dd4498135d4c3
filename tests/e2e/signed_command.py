# SPDX-License-Identifier: Apache-2.0
"""Commands as an operator sends them: signed with HMAC, retained at the broker."""
import base64
import hashlib
import hmac
import json
import subprocess

SECRET = bytes(range(32))


def issuers(folder):
    """The settings that make the operator known."""
    key = folder / "operator.key"
    key.write_text(base64.b64encode(SECRET).decode())
    key.chmod(0o600)
    return {"issuers": [{"name": "operator", "method": "hmac", "key_file": str(key)}]}


def published(broker, topic, payload, retain=True):
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1",
                    "-t", topic, "-m", payload, *(["-r"] if retain else [])], check=True)


def retained(broker, topic):
    """What stands retained on the topic, or nothing."""
    told = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", topic,
                           "-C", "1", "-W", "1"], capture_output=True, text=True)
    return told.stdout.strip()


def cbor_head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    size = 0 if number < 1 << 8 else 1 if number < 1 << 16 else 2 if number < 1 << 32 else 3
    return bytes([major << 5 | 24 + size]) + number.to_bytes(1 << size, "big")


def signed(command, gateway="gw-1"):
    """The command with its HMAC over the bytes of core/trust, written anew from the format."""
    order = ["id", "issuer", "target", "not_before", "expiry", "counter", "action", "quantity",
             "value"]
    actions = {"set": 0, "read": 1}
    fields = {"not_before": 0, "action": "set", "counter": 0, "value": 0, **command}
    body = b""
    count = 0
    for number, name in enumerate(order, 1):
        value = fields[name]
        if value == "":
            continue
        count += 1
        body += cbor_head(0, number)
        if name == "action":
            body += cbor_head(0, actions[value])
        elif isinstance(value, str):
            body += cbor_head(3, len(value)) + value.encode()
        else:
            body += cbor_head(0, value) if value >= 0 else cbor_head(1, -1 - value)
    message = b"jouleway-command-v1" + cbor_head(3, len(gateway)) + gateway.encode() + \
        cbor_head(5, count) + body
    code = hmac.new(SECRET, message, hashlib.sha256).digest()
    return json.dumps({**fields, "signature": base64.b64encode(code).decode()})
