"""Every command of every service: the short way to its door leads where the router leads."""

from typing import Any

import pytest

from belt.io.http.doors import Door
from belt.io.http.front import Ways
from checks.docs.apps import app, services

NAMES = [service.name for service in services()]


@pytest.mark.parametrize("name", NAMES)
def test_each_command_finds_its_own_door(name: str) -> None:
    doors = [route for route in app(name).router.routes if isinstance(route, Door)]
    ways, commands = Ways(doors), [door for door in doors if door.call is not None]
    assert commands
    for door in commands:
        parts = dict.fromkeys(door.param_convertors, "1")
        for method in door.methods or ():
            asked: dict[str, Any] = {
                "type": "http",
                "method": method,
                "path": door.path_format.format(**parts),
                "root_path": "",
            }
            assert ways.to(asked) == door.straight, door.path
            assert asked["path_params"] == parts
