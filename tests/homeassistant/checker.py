# SPDX-License-Identifier: Apache-2.0
"""Says what Home Assistant would refuse, or get wrong, of what a gateway sends: a table of rules
over a stream of messages as a real broker delivered them. Each rule is one known mistake."""
import json
import re
from dataclasses import dataclass, field

from discovery import (BINARY_CLASSES, CLASSES, CONFIG, DEVICE, EVERY, FREE_UNITS, ID, NEEDED,
                       ORIGIN, PLATFORMS, ROOT, UPDATE_STATE, long_form)

DIAGNOSTICS_MOST = 12  # enabled ones of one device
BIRTH_ANSWER_S = 7.0   # the random delay of up to 5 s, and what sending takes
STATE_AFTER_S = 0.4    # 0.5 s as sent; some of it is lost on the way


@dataclass
class Message:
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    time: float = 0.0

    def text(self):
        return self.payload.decode(errors="replace")


@dataclass
class Mark:
    """What the test did: birth (Home Assistant said online), killed (the gateway was), disabled
    (discovery is switched off from here on)."""
    kind: str
    time: float = 0.0


@dataclass
class Entity:
    device: dict
    config: dict
    key: str
    topic: str
    platform: str = field(init=False)

    def __post_init__(self):
        self.platform = self.config.get("platform", "")

    def __str__(self):
        return f"{self.topic} {self.key}"

    def availability(self):
        return [entry.get("topic") for entry in self.config.get("availability", [])]

    def value(self, payload):
        """What its template makes of a state: (found, value). Only the templates of this project
        are understood."""
        template = self.config.get("value_template")
        if template is None:
            return True, payload.decode(errors="replace")
        name = re.search(r"value_json\.(\w+)", template)
        try:
            document = json.loads(payload)
        except ValueError:
            return False, None
        return (name[1] in document, document.get(name[1])) if name else (False, None)


class Stream:
    """Messages and marks in their order, with the discovery in them understood."""

    def __init__(self, records, prefix="homeassistant"):
        self.records, self.prefix = list(records), prefix
        self.messages = [r for r in self.records if isinstance(r, Message)]
        self.configs = [m for m in self.messages if m.topic.startswith(prefix + "/")
                        and CONFIG.fullmatch(m.topic[len(prefix) + 1:])]
        self.announced = [(m, self.parse(m)) for m in self.configs if m.payload]
        self.entities = [entity for m, d in self.announced for entity in self.split(m, d)]

    @staticmethod
    def parse(message):
        try:
            document = long_form(json.loads(message.payload))
            return document if isinstance(document, dict) else {}
        except ValueError:
            return {}

    @staticmethod
    def split(message, document):
        """The entities of a discovery message, each with what the root says for all."""
        device = document.get("device", {})
        if "components" not in document:
            return [Entity(device, {**document, "platform": document.get("platform", "sensor")},
                           "", message.topic)]
        shared = {key: value for key, value in document.items()
                  if key in ROOT - {"device", "origin", "components"}}
        return [Entity(device, {**shared, **config}, key, message.topic)
                for key, config in document["components"].items()]

    def states(self):
        """(message, entity) for every state message that somebody was announced for."""
        latest = {}
        for entity in self.entities:
            latest[(entity.topic, entity.key)] = entity
        by_topic = {}
        for entity in latest.values():
            by_topic.setdefault(entity.config.get("state_topic"), []).append(entity)
        for message in self.messages:
            for entity in by_topic.get(message.topic, []):
                yield message, entity

    def status_topics(self):
        return {topic for entity in self.entities for topic in entity.availability()}

    def after(self, mark):
        return [r for r in self.records[self.records.index(mark):] if isinstance(r, Message)]

    def marks(self, kind):
        return [r for r in self.records if isinstance(r, Mark) and r.kind == kind]


RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


# --- A known mistake each -----------------------------------------------------------------------

@rule
def unit_wrong_for_class(stream):
    for entity in stream.entities:
        unit, own = entity.config.get("unit_of_measurement"), entity.config.get("device_class")
        if entity.platform not in ("sensor", "number"):
            continue
        units = CLASSES[own][0] if own in CLASSES else FREE_UNITS
        if unit is not None and unit not in units:
            yield f"{entity}: {unit} with class {own}"


@rule
def unit_missing(stream):
    for entity in stream.entities:
        own = entity.config.get("device_class")
        if entity.platform in ("sensor", "number") and own in CLASSES and \
                "unit_of_measurement" not in entity.config and None not in CLASSES[own][0]:
            yield f"{entity}: class {own} without a unit"


@rule
def state_class_wrong(stream):
    for entity in stream.entities:
        own, state = entity.config.get("device_class"), entity.config.get("state_class")
        if entity.platform == "sensor" and state is not None and own in CLASSES and \
                state not in CLASSES[own][1]:
            yield f"{entity}: {own} as {state}"


@rule
def text_with_state_class(stream):
    for message, entity in stream.states():
        found, value = entity.value(message.payload)
        if "state_class" in entity.config and found and isinstance(value, str) and \
                not re.fullmatch(r"-?\d+(\.\d+)?", value):
            yield f"{entity}: {value!r}"


@rule
def object_id_in_payload(stream):
    for entity in stream.entities:
        if "object_id" in entity.config:
            yield f"{entity}: use default_entity_id"


@rule
def unique_id_missing(stream):
    for entity in stream.entities:
        if entity.platform and len(entity.config) > 1 and not entity.config.get("unique_id"):
            yield f"{entity}: it cannot be edited, and is lost on restart"


@rule
def unique_id_changed(stream):
    seen, owners = {}, {}
    for entity in stream.entities:
        own, place = entity.config.get("unique_id"), (entity.topic, entity.key)
        if seen.setdefault(place, own) != own:
            yield f"{entity}: {seen[place]} became {own}"
        if own and owners.setdefault((entity.platform, own), place) != place:
            yield f"{entity}: {own} is that of another"


@rule
def address_in_identifier(stream):
    for message, document in stream.announced:
        ids = document.get("device", {}).get("identifiers", [])
        for text in [ids] if isinstance(ids, str) else ids:
            if re.search(r"\d+\.\d+\.\d+\.\d+|:\d+$|\[|tty|/dev/", text):
                yield f"{message.topic}: {text}"


@rule
def device_name_repeated(stream):
    for entity in stream.entities:
        name, device = entity.config.get("name"), entity.device.get("name")
        if name and device and name.lower().startswith(device.lower()):
            yield f"{entity}: {name} of {device}"


@rule
def birth_unanswered(stream):
    for mark in stream.marks("birth"):
        known = {m.topic for m in stream.configs if m.time <= mark.time}
        known -= {m.topic for m in stream.configs if not m.payload}
        answered = {m.topic for m in stream.after(mark)
                    if m in stream.configs and m.time - mark.time <= BIRTH_ANSWER_S}
        for topic in sorted(known - answered):
            yield f"{topic}: not sent again within {BIRTH_ANSWER_S:g} s"


@rule
def command_retained(stream):
    topics = {e.config["command_topic"] for e in stream.entities if "command_topic" in e.config}
    for message in stream.messages:
        if message.topic in topics and message.retain and message.payload:
            yield f"{message.topic}: {message.text()}"
    for entity in stream.entities:
        if entity.config.get("retain"):
            yield f"{entity}: asks for commands to be kept"


@rule
def value_empty(stream):
    for message, entity in stream.states():
        found, value = entity.value(message.payload)
        if message.payload and found and value in ("", None):
            yield f"{entity}: the old value would stay"


@rule
def template_without_default(stream):
    for entity in stream.entities:
        template = entity.config.get("value_template", "")
        if "value_json" in template and "default(" not in template:
            yield f"{entity}: {template}"


@rule
def update_state_wrong(stream):
    for message, entity in stream.states():
        if entity.platform != "update":
            continue
        try:
            document = json.loads(message.payload)
        except ValueError:
            continue
        texts = UPDATE_STATE - {"in_progress", "update_percentage"}
        wrong = [k for k, v in document.items()
                 if k not in UPDATE_STATE or (k in texts and v is None)]
        if wrong:
            yield f"{entity}: {wrong}: the whole message would be dropped"


@rule
def slash_at_the_end(stream):
    for entity in stream.entities:
        topics = [v for k, v in entity.config.items() if k.endswith("_topic")]
        for topic in topics + entity.availability():
            if isinstance(topic, str) and (topic.endswith("/") or topic.startswith("/")):
                yield f"{entity}: {topic}"
    for message in stream.messages:
        if message.topic.endswith("/"):
            yield message.topic


@rule
def not_utf_8(stream):
    for message in stream.messages:
        try:
            text = message.payload.decode()
        except UnicodeDecodeError:
            yield f"{message.topic}: not UTF-8"
            continue
        if re.search("Â°|Â³|\N{REPLACEMENT CHARACTER}", text) or "\\u00c2" in text:
            yield f"{message.topic}: encoded twice"


@rule
def diagnostics_enabled(stream):
    for message, document in stream.announced:
        enabled = [e for e in stream.split(message, document)
                   if e.config.get("entity_category") == "diagnostic"
                   and e.config.get("enabled_by_default", True)]
        if len(enabled) > DIAGNOSTICS_MOST:
            yield f"{message.topic}: {len(enabled)} diagnostic entities are enabled"


@rule
def not_switched_off(stream):
    for mark in stream.marks("disabled"):
        for message in stream.after(mark):
            if message in stream.configs:
                yield message.topic


# --- The form -----------------------------------------------------------------------------------

@rule
def id_illegal(stream):
    for message in stream.messages:
        rest = message.topic[len(stream.prefix) + 1:]
        if message.topic.startswith(stream.prefix + "/") and rest.strip("/").endswith("/config"):
            parts = CONFIG.fullmatch(rest)
            ids = [parts["node"] or "x", parts["object"]] if parts else [rest]
            if not all(ID.fullmatch(part) for part in ids):
                yield message.topic
    for entity in stream.entities:
        if entity.key and not ID.fullmatch(entity.key):
            yield str(entity)


@rule
def block_missing(stream):
    for message, document in stream.announced:
        if "/device/" not in message.topic:
            continue
        for block in ("device", "origin", "components"):
            if not document.get(block):
                yield f"{message.topic}: no {block}"
        if not document.get("origin", {}).get("name"):
            yield f"{message.topic}: an origin without a name"
        device = document.get("device", {})
        if not device.get("identifiers") and not device.get("connections"):
            yield f"{message.topic}: nothing identifies the device"


@rule
def key_unknown(stream):
    for message, document in stream.announced:
        for block, keys in (("device", DEVICE), ("origin", ORIGIN)):
            for key in set(document.get(block, {})) - keys:
                yield f"{message.topic}: {block} {key}"
    for entity in stream.entities:
        known = PLATFORMS.get(entity.platform)
        if known is None:
            yield f"{entity}: platform {entity.platform!r}"
            continue
        for key in set(entity.config) - known - EVERY - {"object_id"}:
            if not (key == "state_topic" and entity.platform == "button"):
                yield f"{entity}: {key}"


@rule
def key_missing(stream):
    for entity in stream.entities:
        for key in NEEDED.get(entity.platform, set()) - set(entity.config):
            yield f"{entity}: {entity.platform} without {key}"
        if entity.config.get("device_class") == "enum" and not entity.config.get("options"):
            yield f"{entity}: enum without options"


@rule
def class_unknown(stream):
    for entity in stream.entities:
        own = entity.config.get("device_class")
        known = {"sensor": CLASSES, "number": CLASSES, "binary_sensor": BINARY_CLASSES}
        if own is not None and entity.platform in known and own not in known[entity.platform]:
            yield f"{entity}: {own}"


@rule
def value_not_of_the_options(stream):
    for message, entity in stream.states():
        found, value = entity.value(message.payload)
        options = entity.config.get("options")
        if options and found and message.payload and value not in options:
            yield f"{entity}: {value!r}"


@rule
def entity_id_wrong(stream):
    for entity in stream.entities:
        own = entity.config.get("default_entity_id")
        if own and not re.fullmatch(rf"{entity.platform}\.[a-z0-9_]+", own):
            yield f"{entity}: {own}"


# --- Birth, will, retained ----------------------------------------------------------------------

@rule
def availability_lacking(stream):
    """A value needs both: the gateway's will and the device's own word."""
    for entity in stream.entities:
        topics = entity.availability()
        expires = "expire_after" in entity.config or "command_topic" in entity.config
        if expires and (len(topics) < 2 or entity.config.get("availability_mode") != "all"):
            yield f"{entity}: {topics} {entity.config.get('availability_mode')}"


@rule
def never_expires(stream):
    for entity in stream.entities:
        if entity.platform == "sensor" and not entity.config.get("expire_after"):
            yield f"{entity}: an old value would stay"


@rule
def discovery_not_retained(stream):
    for message in stream.configs:
        if not message.retain:
            yield message.topic


@rule
def state_not_retained(stream):
    for message, entity in stream.states():
        if not message.retain or message.qos != 1:
            yield f"{message.topic}: qos {message.qos}, retain {message.retain}"
    for message in stream.messages:
        if message.topic in stream.status_topics() and not (message.retain and message.qos == 1):
            yield f"{message.topic}: qos {message.qos}, retain {message.retain}"


@rule
def will_missing(stream):
    for mark in stream.marks("killed"):
        said = {m.topic for m in stream.after(mark) if m.payload == b"offline"}
        shared = [set(e.availability()) for e in stream.entities if e.availability()]
        if shared and not set.intersection(*shared) & said:
            yield "nobody says offline for a gateway that was killed"


@rule
def birth_of_the_gateway_missing(stream):
    for topic in stream.status_topics():
        if not any(m.topic == topic for m in stream.messages):
            yield f"{topic}: never said"


@rule
def state_while_unavailable(stream):
    said = {}
    for message in stream.messages:
        if message.topic in stream.status_topics():
            said[message.topic] = message.payload
        for entity in stream.entities:
            if entity.config.get("state_topic") == message.topic and message.payload and \
                    len(entity.availability()) > 1 and "expire_after" in entity.config and \
                    said.get(entity.availability()[1]) == b"offline" and \
                    not becomes_available(stream, message, entity):
                yield f"{message.topic}: a state of a device that is offline"
                break


def becomes_available(stream, message, entity):
    """Whether the device is said to be online right behind this state."""
    for later in stream.messages[stream.messages.index(message) + 1:]:
        if later.topic == entity.availability()[1]:
            return later.payload == b"online"
        if later.topic == message.topic:
            return False
    return False


@rule
def state_too_soon(stream):
    """Home Assistant subscribes to a state only once it has dealt with the announcement."""
    announced = {}
    for message in stream.messages:
        if message in stream.configs and message.payload:
            for entity in stream.split(message, stream.parse(message)):
                if "expire_after" in entity.config:
                    announced[entity.config.get("state_topic")] = message.time
        elif message.topic in announced:
            time = announced.pop(message.topic)
            if message.time - time < STATE_AFTER_S:
                yield f"{message.topic}: {message.time - time:.3f} s after its announcement"


@rule
def state_not_repeated_after_announcement(stream):
    for mark in stream.marks("birth"):
        behind = stream.after(mark)
        for message in behind:
            if message not in stream.configs or not message.payload:
                continue
            topics = {e.config.get("state_topic") for e in
                      stream.split(message, stream.parse(message)) if "expire_after" in e.config}
            online = {m.topic for m in stream.messages}
            for topic in topics & online:
                if not any(m.topic == topic and m.time > message.time for m in behind):
                    yield f"{topic}: not told after {message.topic}"


def check(records, prefix="homeassistant"):
    """Every breach as (rule, text); an empty list where Home Assistant would be content."""
    stream = Stream(records, prefix)
    if not stream.entities and not stream.marks("disabled"):
        return [("nothing_announced", "no discovery message was seen")]
    return [(name, text) for name, function in RULES.items()
            for text in sorted(set(function(stream)))]
