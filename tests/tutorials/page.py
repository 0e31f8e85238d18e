# SPDX-License-Identifier: GPL-2.0-or-later
"""page.py: prints docs/from-ip-netns.md, made of the exercises of this directory."""

from exercise import exercises

HEAD = """\
# From `ip netns` to topod

What the usual tutorials do with commands, and the file that does the same: for each command, what to write
instead. `tests/tutorials` runs each exercise both ways and compares the results object by object;
`tests/tutorials/page.py` generates this page.

Intermediate steps (moving an end to its namespace, renaming it, bringing it up) need no words. The namespaces are
those of `ip netns`, so its commands, and commands of a tutorial that only show something, still work. If
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
