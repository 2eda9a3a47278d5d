"""What can go wrong on the way: rules that the server applies to the requests they match, in order."""

import json
import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer, before it is sent."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Wire(Protocol):
    """The server's end of one connection. `stopping` is set when the server ends, to cut waits short."""

    connection: socket.socket

    @property
    def stopping(self) -> threading.Event: ...
    def head(self, reply: Reply) -> None: ...
    def write(self, data: bytes) -> None: ...
    def hang_up(self) -> None: ...


class Fault(Protocol):
    """Sends something in place of the reply that was due."""

    def send(self, reply: Reply, wire: Wire) -> None: ...


@dataclass(frozen=True, slots=True)
class Respond:
    """Another answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, reply: Reply, wire: Wire) -> None:
        wire.head(Reply(status=self.status, headers=self.headers, body=self.body))
        wire.write(self.body)


HTML = {"Content-Type": "text/html; charset=utf-8"}
BAD_GATEWAY = Respond(502, b"<html><body>Unicorn!</body></html>", HTML)


@dataclass(frozen=True, slots=True)
class Close:
    """The connection ends before any answer."""

    def send(self, reply: Reply, wire: Wire) -> None:
        wire.hang_up()


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset (RST) before any answer."""

    def send(self, reply: Reply, wire: Wire) -> None:
        at_once = struct.pack("ii", 1, 0)
        wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        wire.hang_up()
        os.close(wire.connection.detach())  # before socketserver ends the connection politely


@dataclass(frozen=True, slots=True)
class Stall:
    """The right answer, but late."""

    seconds: float

    def send(self, reply: Reply, wire: Wire) -> None:
        wire.stopping.wait(self.seconds)
        wire.head(reply)
        wire.write(reply.body)


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """The right answer, but only after `act` was done, while the client waits for it."""

    act: Callable[[], object]

    def send(self, reply: Reply, wire: Wire) -> None:
        self.act()
        wire.head(reply)
        wire.write(reply.body)


@dataclass(frozen=True, slots=True)
class Cut:
    """The full Content-Length, `after` bytes of body, then the end of the connection."""

    after: int

    def send(self, reply: Reply, wire: Wire) -> None:
        wire.head(reply)
        wire.write(reply.body[: self.after])
        wire.hang_up()


@dataclass(frozen=True, slots=True)
class Drip:
    """The right answer, `size` bytes every `pause` seconds."""

    pause: float
    size: int = 1

    def send(self, reply: Reply, wire: Wire) -> None:
        wire.head(reply)
        for start in range(0, len(reply.body), self.size):
            wire.write(reply.body[start : start + self.size])
            if wire.stopping.wait(self.pause):
                break


@dataclass(frozen=True, slots=True)
class Garbage:
    """A 200 whose body is the first half of the right one, with a Content-Length that fits."""

    def send(self, reply: Reply, wire: Wire) -> None:
        body = reply.body[: len(reply.body) // 2]
        wire.head(replace(reply, body=body))
        wire.write(body)


@dataclass(frozen=True, slots=True)
class Truncated:
    """A tree of which only the first `keep` rows are listed."""

    keep: int

    def send(self, reply: Reply, wire: Wire) -> None:
        document = json.loads(reply.body)
        body = json.dumps(document | {"tree": document["tree"][: self.keep], "truncated": True}).encode()
        wire.head(replace(reply, body=body))
        wire.write(body)


@dataclass(slots=True, kw_only=True)
class Rule:
    """A fault for the next `times` requests whose path (without query) the pattern matches somewhere."""

    pattern: str
    fault: Fault
    times: int = 1
    method: str = "GET"


class Faults:
    """The rules that are still to be applied, oldest first."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if rule.times > 0 and rule.method == method and re.search(rule.pattern, path):
                    rule.times -= 1
                    return rule.fault
        return None
