# SPDX-License-Identifier: Apache-2.0
"""Commands as a program on the site sends them: through the API, with a token."""
import hashlib
import http.client
import json
import urllib.error
import urllib.request

TOKEN = "an-operator"


class Operator:
    """Asks through the API; `settings` are made to know it."""

    def __init__(self, settings):
        settings["web"]["tokens"] = [{"name": "plant", "role": "operator",
                                      "sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}]
        self.url = f"http://{settings['web']['listen']}/api/v1/commands"

    def request(self, url, body=None, key=""):
        """Status and JSON; nothing where the gateway went away."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json",
                   **({"Idempotency-Key": key} if key else {})}
        data = json.dumps(body).encode() if body else None
        try:
            with urllib.request.urlopen(
                    urllib.request.Request(url, data, headers), timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())
        except (OSError, http.client.HTTPException):
            return None, {}

    def switch(self, value, key):
        return self.request(self.url, {"target": "meter-0", "quantity": "relay_closed",
                                       "value": value}, key)

    def state(self, name):
        return self.request(f"{self.url}/{name}")
