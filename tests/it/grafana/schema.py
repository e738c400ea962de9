#!/usr/bin/env python3
"""Holds dashboards against the schema that Grafana publishes, in the form of its Python SDK.

    schema.py FILE...

A file is read into the SDK's classes and written out again. A key that does not come back is none that Grafana knows.
What is to be one of some words is looked up among them, and units among Grafana's own. Prints a line for each mistake.
"""

import dataclasses
import enum
import json
import sys
import types
import typing

from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard, units

UNITS = {value for name, value in vars(units).items() if not name.startswith("_") and isinstance(value, str)}


def lost(ours, theirs, path):
    """The paths of all that is in `ours` and not in `theirs`."""
    if isinstance(ours, dict):
        if not isinstance(theirs, dict):
            yield path
            return
        for key, value in ours.items():
            if key not in theirs and value is not None:
                yield f"{path}.{key}"
            elif key in theirs:
                yield from lost(value, theirs[key], f"{path}.{key}")
    elif isinstance(ours, list):
        if not isinstance(theirs, list) or len(ours) != len(theirs):
            yield path
            return
        for index, pair in enumerate(zip(ours, theirs)):
            yield from lost(*pair, f"{path}[{index}]")
    elif ours != theirs:
        yield path


def words(kind):
    """The enumerations that a type allows."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [kind]
    return [word for part in typing.get_args(kind) for word in words(part)] if typing.get_origin(kind) in (
        typing.Union,
        types.UnionType,
    ) else []


def strange(value, path):
    """What should be one of some words and is another one."""
    if dataclasses.is_dataclass(value) or hasattr(value, "__annotations__"):
        kinds = typing.get_type_hints(type(value))
        for name, inner in vars(value).items():
            allowed = words(kinds.get(name))
            if allowed and isinstance(inner, str) and not isinstance(inner, enum.Enum):
                known = [word.value for kind in allowed for word in kind]
                if inner not in known:
                    yield f"{path}.{name}: {inner!r} is none of {', '.join(map(str, known))}"
            yield from strange(inner, f"{path}.{name}")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from strange(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strange(inner, f"{path}[{index}]")


def unknown_units(value, path):
    if isinstance(value, dict):
        unit = value.get("unit") if "thresholds" in value or "noValue" in value else None
        if value.get("id") == "unit":
            unit = value.get("value")
        if unit is not None and unit not in UNITS:
            yield f"{path}: {unit!r} is no unit of Grafana's"
        for name, inner in value.items():
            yield from unknown_units(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unknown_units(inner, f"{path}[{index}]")


def complaints(path):
    with open(path, encoding="utf-8") as file:
        ours = json.load(file)
    model = dashboard.Dashboard.from_json(ours)
    theirs = json.loads(json.dumps(model, cls=encoder.JSONEncoder))
    for key in lost(ours, theirs, ""):
        yield f"{key} is not in Grafana's schema"
    yield from strange(model, "")
    yield from unknown_units(ours, "")


def main():
    plugins.register_default_plugins()
    for path in sys.argv[1:]:
        for complaint in complaints(path):
            print(f"{path}: {complaint}")


main()
