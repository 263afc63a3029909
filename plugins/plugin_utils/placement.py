# SPDX-License-Identifier: Apache-2.0
"""What the collection ships for its modules, and the shell command that finds, runs or places it on a target."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import typing as t

PLUGINS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The one executable, which holds all modules: the first argument says which. carry.sh knows its name too.
EXECUTABLE = 'tls_everywhere'

# One line of the shell's answer: a word and what it is about.
REMARK = re.compile(r'^tls\.everywhere: (held|missing|nowhere|placed|refused|spoiled|unshipped) (.*?)\r?$', re.MULTILINE)


class Program(t.NamedTuple):
    """The executable for one architecture."""

    #: as `uname -m` says it, for example x86_64
    machine: str
    #: on the controller
    path: str
    #: hexadecimal
    sha256: str
    #: bytes
    size: int


class Remark(t.NamedTuple):
    """What the shell on the target said: held, missing, nowhere, placed, refused, spoiled or unshipped."""

    word: str
    detail: str


@functools.lru_cache(maxsize=None)
def shipped(plugins: str = PLUGINS) -> tuple[Program, ...]:
    """The executable, by machine.

    Actions call it when their class is made, which the strategy does before it forks: the files are hashed once per
    play and not once per host, module and task.
    """
    native = os.path.join(plugins, 'native')
    try:
        kinds = sorted(os.listdir(native))
    except OSError:
        return ()
    programs = []
    for kind in kinds:
        path = os.path.join(native, kind, EXECUTABLE)
        if kind.startswith('linux-') and os.path.isfile(path):
            content = read(path)
            programs.append(Program(kind[len('linux-'):], path, hashlib.sha256(content).hexdigest(), len(content)))
    return tuple(programs)


def read(path: str) -> bytes:
    """The bytes of one shipped executable."""
    with open(path, 'rb') as file:
        return file.read()


@functools.lru_cache(maxsize=None)
def script() -> str:
    """carry.sh without its comments: it travels with every task."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'carry.sh'), encoding='utf-8') as file:
        lines = (line.strip() for line in file)
        return '\n'.join(line for line in lines if line and not line.startswith('#'))


def command(verb: str, module: str, programs: t.Sequence[Program], file: str, directories: t.Sequence[str]) -> str:
    """The command line of one round trip; the words are explained in carry.sh."""
    offer = ' '.join(f'{program.machine}={program.sha256}:{program.size}' for program in programs)
    words = ['/bin/sh', '-c', script(), 'tls.everywhere', verb, module, offer, file, *directories]
    return ' '.join(shlex.quote(word) for word in words)


def remarks(output: str) -> list[Remark]:
    """The shell's own lines, in their order; noise of login shells is passed over."""
    return [Remark(*found) for found in REMARK.findall(output)]


def answer(output: str) -> tuple[str | None, list[str]]:
    """The JSON of a program's output, from the first line that opens with a brace to the last that closes with one,
    and the other lines that are not empty."""
    lines = output.replace('\r\n', '\n').split('\n')
    first = next((at for at, line in enumerate(lines) if line.lstrip().startswith('{')), None)
    last = next((at for at in reversed(range(len(lines))) if lines[at].rstrip().endswith('}')), None)
    if first is None or last is None or last < first:
        return None, [line for line in lines if line.strip()]
    rest = lines[:first] + lines[last + 1:]
    return '\n'.join(lines[first:last + 1]), [line for line in rest if line.strip()]
