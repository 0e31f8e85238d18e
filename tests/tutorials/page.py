# SPDX-License-Identifier: GPL-2.0-or-later
"""page.py: prints docs/from-ip-netns.md, made of the exercises of this directory."""

from exercise import exercises

HEAD = """\
# From `ip netns` to topod

What the usual tutorials do with commands, and the file that does it instead: for each command what one writes. Each exercise is
run both ways and compared object by object by `tests/tutorials`; `tests/tutorials/page.py` makes this page.

What a command only says to get there (moving an end to its namespace, renaming it, bringing it up) needs no words. The
namespaces are those of `ip netns`, so that its commands, and the ones of a tutorial that only look, go on working. If
namespaces made by commands exist already, `topod export` prints the file.
"""


def cell(text):
    return text.replace("|", "\\|")


def instead(words):
    """As a cell: words of the file and commands as code, remarks in parentheses as text."""
    code, _, remark = words.partition(" (") if not words.startswith("(") else ("", "", words[1:])
    return " ".join(filter(None, (f"`{cell(code)}`" if code else "", cell(remark.rstrip(")")))))


def section(exercise):
    yield f"\n## {exercise.title}\n"
    yield f"{exercise.text}\n"
    yield f"```yaml\n{exercise.file}```\n"
    if exercise.given:
        yield f"Given {exercise.given}:\n"
        yield "    " + "\n    ".join(command for command, _ in exercise.parts["given"]) + "\n"
    yield "| command | instead |\n|---|---|"
    for part in ("do", "check", "shown", "undo"):
        for command, words in exercise.parts[part]:
            yield f"| `{cell(command)}` | {instead(words)} |"


if __name__ == "__main__":
    print(HEAD, end="")
    for each in exercises():
        print("\n".join(section(each)))
