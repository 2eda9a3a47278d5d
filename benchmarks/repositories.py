"""Made-up repositories: which files one has, the same at every run; knows no git and no product.

All artifacts come in plugins. A plugin counts as an
artifact itself and has up to 19 members, half of them skills with further files.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

SEED = 20_250_101
PER_PLUGIN = 20
BINARY_BYTES = 5_000_000
FILES_PER_FOLDER = 40
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
SUFFIXES = (".py", ".ts", ".go", ".txt", ".json", ".css", ".md", ".html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much a repository holds: artifacts, files in all (at least), and bytes of random binaries."""

    artifacts: int
    files: int = 0
    binary_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    path: str
    data: bytes
    executable: bool = False


def files_of(shape: Shape) -> Iterator[File]:
    """Every file of such a repository, in no particular order."""
    author = Author(SEED)
    made = 0
    for file in _artifacts(author, shape.artifacts):
        made += 1
        yield file
    yield from _filler(author, shape.files - made)
    yield from _binaries(author, shape.binary_bytes)


def changed(file: File) -> File:
    """The file after somebody has added a paragraph to it."""
    return File(
        path=file.path,
        data=file.data + f"\n{Author(SEED + 1).sentence(30)}\n".encode(),
        executable=file.executable,
    )


def first_skill(shape: Shape) -> File:
    """The document of some skill: what the one changed file is."""
    return next(file for file in files_of(shape) if file.path.endswith("/SKILL.md"))


class Author:
    """Writes words that mean nothing, always the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = ["".join(self._random.choices(SYLLABLES, k=2 + n % 3)) for n in range(3_000)]

    def word(self) -> str:
        return self._random.choice(self._words)

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def sentence(self, words: int = 14) -> str:
        return " ".join(self._random.choices(self._words, k=words)).capitalize() + "."

    def prose(self, size: int) -> str:
        """Paragraphs below headings, about `size` characters."""
        parts = []
        while size > 0:
            part = f"## {self.word().capitalize()}\n\n{self.sentence(60)}\n\n- {self.sentence(30)}\n"
            parts.append(part)
            size -= len(part)
        return "\n".join(parts)

    def noise(self, size: int) -> bytes:
        return self._random.randbytes(size)


def _artifacts(author: Author, count: int) -> Iterator[File]:
    makers = (_skill, _command, _skill, _agent)
    plugin = ""
    for number in range(count):
        place = number % PER_PLUGIN
        name = f"{author.word()}-{author.word()}-{number}"
        if place == 0:
            plugin = f"plugins/{name}"
            yield _manifest(author, plugin, name)
        else:
            yield from makers[place % len(makers)](author, plugin, name)


def _manifest(author: Author, plugin: str, name: str) -> File:
    values = {
        "name": name,
        "version": f"1.{author.number(0, 20)}.0",
        "description": author.sentence(),
        "author": {"name": "Ada Example"},
        "license": "MIT",
        "keywords": [author.word(), author.word()],
    }
    return File(path=f"{plugin}/.claude-plugin/plugin.json", data=json.dumps(values, indent=2).encode())


def _skill(author: Author, plugin: str, name: str) -> Iterator[File]:
    directory = f"{plugin}/skills/{name}"
    frontmatter = {
        "name": name,
        "description": f"{author.sentence()} Use when {author.sentence(8).lower()}",
        "license": "MIT",
        "allowed-tools": "Bash, Read, Write",
    }
    yield _document(author, f"{directory}/SKILL.md", frontmatter)
    extras = (
        File(path=f"{directory}/scripts/{author.word()}.py", data=_script(author), executable=True),
        File(path=f"{directory}/references/{author.word()}.md", data=author.prose(4_000).encode()),
        File(path=f"{directory}/assets/{author.word()}.txt", data=author.prose(1_000).encode()),
    )
    yield from extras[: author.number(1, len(extras))]


def _command(author: Author, plugin: str, name: str) -> Iterator[File]:
    frontmatter = {
        "description": author.sentence(),
        "argument-hint": f'"[{author.word()}]"',
        "allowed-tools": "Bash(git log:*), Read",
    }
    yield _document(author, f"{plugin}/commands/{name}.md", frontmatter)


def _agent(author: Author, plugin: str, name: str) -> Iterator[File]:
    frontmatter = {
        "name": name,
        "description": author.sentence(),
        "tools": "Read, Grep, Glob, Bash",
        "model": "inherit",
    }
    yield _document(author, f"{plugin}/agents/{name}.md", frontmatter)


def _document(author: Author, path: str, frontmatter: dict[str, str]) -> File:
    head = "\n".join(f"{key}: {value}" for key, value in frontmatter.items())
    title = f"{author.word()} {author.word()}".capitalize()
    text = f"---\n{head}\n---\n\n# {title}\n\n{author.prose(author.number(1_000, 6_000))}"
    return File(path=path, data=text.encode())


def _script(author: Author) -> bytes:
    functions = [f"def {author.word()}():\n    return {author.sentence()!r}\n" for _ in range(20)]
    return ("#!/usr/bin/env python3\n" + "\n\n".join(functions)).encode()


def _filler(author: Author, count: int) -> Iterator[File]:
    """Source files that are no artifacts, a few dozen in each folder."""
    for number in range(count):
        if number % FILES_PER_FOLDER == 0:
            folder = f"src/{author.word()}/{author.word()}-{number}"
        suffix = SUFFIXES[number % len(SUFFIXES)]
        yield File(path=f"{folder}/{author.word()}-{number}{suffix}", data=author.sentence(60).encode())


def _binaries(author: Author, size: int) -> Iterator[File]:
    for number in range(size // BINARY_BYTES):
        yield File(path=f"media/{author.word()}-{number}.bin", data=author.noise(BINARY_BYTES))
