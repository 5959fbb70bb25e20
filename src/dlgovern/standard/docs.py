"""Write the documentation of a standard's rules from the rule files, and say when it is stale."""

from __future__ import annotations

import os

from dlgovern.standard.compile import FAMILIES
from dlgovern.standard.explain import levels, markdown
from dlgovern.standard.read import RuleSource, Source

BEGIN, END = "<!-- rules -->", "<!-- /rules -->"


def pages(chain: list[Source]) -> dict[str, str]:
    """File name -> text: one page a rule of the last standard, and the index."""
    where = levels(chain)
    rules = sorted(chain[-1].rules, key=lambda source: source.rule.id)
    found = {f"{source.rule.id}.md": markdown(source, where[source.rule.id]) for source in rules}
    title = chain[-1].file.standard.title or chain[-1].file.standard.name
    head = f"# Rules\n\n{title}, version {chain[-1].file.standard.version}: {len(rules)} rules.\n"
    head += "These pages are generated from the rule files by `dlgovern rule docs`; do not edit them.\n\n"
    return {**found, "README.md": head + table(rules, where, "")}


def table(rules: list[RuleSource], where: dict[str, dict[str, dict[str, str]]], prefix: str) -> str:
    """The rules by family, one table each; ``prefix`` leads from the reader's page to the rule pages."""
    out: list[str] = []
    for digit, family in FAMILIES.items():
        group = [source for source in rules if source.rule.id[3] == digit]
        if not group:
            continue
        profiles = sorted(where[group[0].rule.id])
        out += [f"## {family.capitalize()}", "", f"| Rule | Name | {' | '.join(profiles)} | Repair | Summary |"]
        out.append("|---" * (4 + len(profiles)) + "|")
        for source in group:
            rule = source.rule
            said = " | ".join(where[rule.id][profile].get("", "off") for profile in profiles)
            repair = "" if rule.fix is None else "safe" if rule.fix.safe else "unsafe"
            summary = rule.summary.replace("|", "\\|")
            out.append(f"| [{rule.id}]({prefix}{rule.id}.md) | {rule.name} | {said} | {repair} | {summary} |")
        out.append("")
    return "\n".join(out)


def stale(chain: list[Source], folder: str, readme: str) -> dict[str, str | None]:
    """Path -> the text it should have, for every file that has another; None for a page that should not be."""
    wanted = {os.path.join(folder, name): text for name, text in pages(chain).items()}
    found: dict[str, str | None] = {path: text for path, text in wanted.items() if _read(path) != text}
    if os.path.isdir(folder):
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith(".md") and path not in wanted:
                found[path] = None
    text = _read(readme)
    if text and BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        prefix = os.path.relpath(folder, os.path.dirname(readme) or ".").replace(os.sep, "/") + "/"
        rules = sorted(chain[-1].rules, key=lambda source: source.rule.id)
        inner = table(rules, levels(chain), prefix).replace("## ", "### ")
        new = f"{before}{BEGIN}\n\n{inner}\n{END}{rest.partition(END)[2]}"
        if new != text:
            found[readme] = new
    return found


def write(changes: dict[str, str | None]) -> None:
    """Make the files as they should be."""
    for path, text in changes.items():
        if text is None:
            os.unlink(path)
            continue
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except OSError:
        return None
