"""Say everything a rule file holds about one rule, for a terminal or as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from dlgovern.standard.compile import ALL, FAMILIES, compile_policy, profiles
from dlgovern.standard.model import Example
from dlgovern.standard.read import RuleSource, Source

_WIDTH = 100


def levels(chain: list[Source]) -> dict[str, dict[str, dict[str, str]]]:
    """Rule id -> profile -> scope ("" for everywhere) -> level."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for profile in profiles(chain):
        if profile != ALL:
            for rule in compile_policy(chain, profile).rules:
                found.setdefault(rule.id, {})[profile] = rule.levels
    return found


def find(chain: list[Source], wanted: str) -> RuleSource | None:
    """The rule of this id or name, the nearest standard first."""
    for source in reversed(chain):
        for rule in source.rules:
            if wanted.upper() == rule.rule.id or wanted == rule.rule.name:
                found: RuleSource = rule
                return found
    return None


def explain(source: RuleSource, where: dict[str, dict[str, str]], *, color: bool = False) -> str:
    """The rule for a terminal; plain when ``color`` is off."""
    rule = source.rule

    def bold(text: str) -> str:
        return f"\033[1m{text}\033[0m" if color else text

    out = [bold(f"{rule.id} {rule.name}"), f"  {rule.summary}", ""]
    for title, text in (("Why", rule.why), ("Instead", rule.instead), ("Limits", rule.limits)):
        out += [bold(title), *_wrapped(text), ""]
    for example in rule.example:
        title = f"{_HEADINGS[example.kind]}: {example.name}" if example.name else _HEADINGS[example.kind]
        out += [bold(title), *_shown(example), ""]
    out += [bold("Level"), *(f"  {profile:<12} {_levels(found)}" for profile, found in sorted(where.items()))]
    out += [f"  confidence   {rule.confidence}", f"  repair       {_repair(source)}"]
    if rule.applies:
        out.append(f"  applies      {', '.join(f'{name} {range_}' for name, range_ in sorted(rule.applies.items()))}")
    if rule.needs:
        out.append(f"  needs        {', '.join(rule.needs)} (it does not run before they are set)")
    out += ["", bold("Suppress"), f"  {_suppress(source)}", "", bold("References"), *(f"  {link}" for link in rule.references)]
    return "\n".join(out) + "\n"


def markdown(source: RuleSource, where: dict[str, dict[str, str]]) -> str:
    """The rule as a page of the documentation."""
    rule = source.rule
    out = [f"# {rule.id} {rule.name}", "", f"{_sentence(rule.summary)}", ""]
    out += ["| | |", "|---|---|", f"| Family | {FAMILIES.get(rule.id[3], '')} |"]
    out += [f"| Level in `{profile}` | {_levels(found)} |" for profile, found in sorted(where.items())]
    out += [f"| Confidence | {rule.confidence} |", f"| Repair | {_repair(source)} |", f"| Since | {rule.since} |"]
    if rule.applies:
        out.append(f"| Applies | {', '.join(f'{name} `{range_}`' for name, range_ in sorted(rule.applies.items()))} |")
    if rule.needs:
        out.append(f"| Needs | {', '.join(f'`{name}`' for name in rule.needs)} |")
    if rule.aliases:
        out.append(f"| Also known as | {', '.join(rule.aliases)} |")
    out += ["", f"Message: {rule.message}", ""]
    for title, text in (("Why", rule.why), ("What to write instead", rule.instead), ("What it does not see", rule.limits)):
        out += [f"## {title}", "", text.strip(), ""]
    out += ["## Examples", ""]
    for example in rule.example:
        out += [f"### {_HEADINGS[example.kind]}: {example.name}", "", *_fenced(example)]
    out += ["## How to suppress", "", f"`{_suppress(source)}`", "", "## References", ""]
    return "\n".join([*out, *(f"- <{link}>" for link in rule.references)]) + "\n"


_HEADINGS = {"bad": "Bad", "ok": "Good", "missed": "Not seen"}


def _levels(found: dict[str, str]) -> str:
    scoped = ", ".join(f"{level} in {scope}" for scope, level in sorted(found.items()) if scope)
    return found.get("", "off") + (f" ({scoped})" if scoped else "")


def _repair(source: RuleSource) -> str:
    fix = source.rule.fix
    return "none" if fix is None else "safe" if fix.safe else "with a look: `--unsafe-fixes`"


def _suppress(source: RuleSource) -> str:
    if source.rule.shape in ("artifact", "repository"):
        return f"a waiver with owner, reason and expiry: rule = {source.rule.id}"
    return f"# dlgovern: ignore[{source.rule.id}] the reason"


def _wrapped(text: str) -> Iterator[str]:
    for part in text.strip().split("\n\n"):
        yield from textwrap.wrap(" ".join(part.split()), _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _shown(example: Example) -> Iterator[str]:
    for path, text in _files(example):
        if path:
            yield f"  {path}"
        for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
            marked = number in example.at or f"{path}:{number}" in example.at
            yield f"  {'>' if marked else ' '} {number:>3} | {line}".rstrip()
    if example.why_ok:
        yield f"  ({example.why_ok})"
    if example.fixed is not None:
        yield "  repaired:"
        yield from (f"        | {line}".rstrip() for line in example.fixed.rstrip("\n").split("\n"))


def _fenced(example: Example) -> Iterator[str]:
    for path, text in _files(example):
        if path:
            yield from (f"`{path}`:", "")
        fence = "````" if "```" in text else "```"
        yield from (f"{fence}{_language(path)}", text.rstrip("\n"), fence, "")
    if example.at:
        yield from (f"Found at: {', '.join(map(str, example.at))}", "")
    if example.why_ok:
        yield from (_sentence(example.why_ok), "")
    if example.fixed is not None:
        paths = list(example.files) or [example.path]
        language = _language(paths[0]) if len(paths) == 1 else "text"
        yield from ("Repaired:", "", f"```{language}", example.fixed.rstrip("\n"), "```", "")


def _files(example: Example) -> list[tuple[str, str]]:
    if not example.files:
        return [(example.path, example.text)]
    return [(path, text if not text.startswith("base64:") else "(bytes)") for path, text in sorted(example.files.items())]


def _language(path: str) -> str:
    ending = path.rpartition(".")[2] if path else "py"
    return {"py": "python", "toml": "toml", "sh": "shell", "yaml": "yaml", "yml": "yaml", "json": "json"}.get(ending, "text")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
