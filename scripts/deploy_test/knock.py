"""Run at the desk: who hears what on the deployed broker, by delivery. In: one JSON object; out: one, too.

In: {"host", "port", "ca", "accounts": {name: password}, "topics": [topic]}. Every account subscribes to every
topic by name, by wildcards and as a shared subscription, then every account writes to every topic once.
Out: {topic: {writer: [who heard it]}}; an account that is not let in is named with null under "refused".
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt

_QUIET_S = 2.0


def main() -> None:
    """Listen, write, tell."""
    asked = json.load(sys.stdin)
    heard: set[tuple[str, str, str]] = set()
    lock = threading.Lock()
    clients: dict[str, mqtt.Client] = {}
    refused = []
    last = [time.monotonic()]

    def listen(name: str) -> Any:
        def on_message(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
            text = message.payload.decode("utf-8", "replace")
            if text.startswith("knock "):
                with lock:
                    heard.add((message.topic, text.removeprefix("knock "), name))
                    last[0] = time.monotonic()

        return on_message

    for name, password in asked["accounts"].items():
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"knock-{name}", protocol=mqtt.MQTTv5)
        client.username_pw_set(name, password)
        context = ssl.create_default_context(cafile=asked["ca"])
        client.tls_set_context(context)
        client.on_message = listen(name)
        came = threading.Event()
        client.on_connect = lambda _c, _u, _f, reason, _p, came=came: (
            came.set() if not reason.is_failure else None
        )
        client.connect(asked["host"], asked["port"], 30)
        client.loop_start()
        if not came.wait(5):
            refused.append(name)
            client.loop_stop()
            continue
        clients[name] = client
        for topic in asked["topics"]:
            client.subscribe(topic, qos=1)
            client.subscribe(f"$share/knock-{name}/{topic}", qos=1)
        for filter_ in ("#", "ayni/#", "ayni/v1/+/+", "$share/all/#", "ayni/v1/+/+/+/+"):
            client.subscribe(filter_, qos=1)
    time.sleep(_QUIET_S)
    for name, client in clients.items():
        for topic in asked["topics"]:
            client.publish(topic, f"knock {name}", qos=1)
    last[0] = time.monotonic()
    while time.monotonic() - last[0] < _QUIET_S:
        time.sleep(0.1)
    for client in clients.values():
        client.disconnect()
        client.loop_stop()
    found: dict[str, Any] = {topic: {} for topic in asked["topics"]}
    for topic, writer, hearer in sorted(heard):
        found[topic].setdefault(writer, []).append(hearer)
    print(json.dumps({"heard": found, "refused": refused}))


if __name__ == "__main__":
    main()
