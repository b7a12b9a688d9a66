"""Makes calls with one of the SDKs for Python, as its documents say: python.py MODULE.

The first line of stdin is the plan. What happened goes to stdout, as JSON.
"""

import importlib
import json
import logging
import sys
import threading
import time
from datetime import UTC, datetime

logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
analytics = importlib.import_module(sys.argv[1])
plan = json.loads(sys.stdin.readline())
analytics.write_key = plan["key"]
analytics.host = plan["url"]
given_up: list[str] = []
analytics.on_error = lambda error, items: given_up.append(f"{type(error).__name__}: {error} ({len(items)} calls)")


def value(held):
    """What the plan's JSON stands for."""
    if isinstance(held, list):
        return [value(each) for each in held]
    if not isinstance(held, dict):
        return held
    match held.get("$"):
        case "nan":
            return float("nan")
        case "date":
            return datetime.fromtimestamp(held["milliseconds"] / 1000, UTC)
    return {key: value(each) for key, each in held.items()}


def make(call):
    user, properties, name = call["user"], value(call["properties"]), call["name"]
    who = {"user_id": user, "anonymous_id": call["anonymous"]}
    when = call["time"]
    stated = {} if when is None else {"timestamp": datetime.fromtimestamp(when / 1000, UTC)}
    match call["kind"]:
        case "track":
            analytics.track(event=name, properties=properties, **who, **stated)
        case "page":
            analytics.page(category=call["category"], name=name, properties=properties, **who, **stated)
        case "screen":
            analytics.screen(category=call["category"], name=name, properties=properties, **who, **stated)
        case "identify":
            analytics.identify(traits=properties, **who, **stated)
        case "group":
            analytics.group(group_id=name, traits=properties, **who, **stated)
        case "alias":
            analytics.alias(previous_id=name, user_id=user, **stated)


def ping(number):
    users = plan["users"]
    analytics.track(users[number % len(users)], "Ping", {"number": number})


began, made = time.time_ns() // 1_000_000, 0
for burst in plan["bursts"]:
    for call in burst:
        make(call)
        made += 1
    analytics.flush()
if plan["users"]:
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    while not closed.wait(plan["pause"]):
        ping(made)
        made += 1
analytics.flush()
json.dump({"began": began, "ended": time.time_ns() // 1_000_000, "made": made, "given_up": given_up}, sys.stdout)
