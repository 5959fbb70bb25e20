"""The compiled policy of a project: from the cache when its sources have not changed, else compiled."""


import os
import sys
from typing import NamedTuple

from dlgovern import bundled, policy
from dlgovern.errors import ConfigurationError, Mistake, StandardError
from dlgovern.policy import Policy
from dlgovern.store import Store, key

REFERENCE = "reference"
"""Name of the shipped standard."""

_LONGEST_CHAIN = 8


class Where(NamedTuple):
    """A standard's name and folder, and whether it came from an installed package."""

    name: str
    folder: str
    installed: bool


def load_policy(
    name: str, base: str, profile: str, store: Store, *, trust_code: bool = False, silent: bool = False
) -> Policy:
    """The policy of the standard called ``name`` as seen from the folder ``base``.

    ``name`` is "reference", a path to a folder with ``standard.toml``, or an installed package that holds one.
    ``silent``: the prose may be left out until `policy.spoken` is asked for it.
    Raises StandardError with every mistake, or UsageError for an unknown profile.
    """
    chain = folders(name, base, store)
    stamp = key(bundled.version(), policy.FORMAT, sys.version_info[:2], profile, [_stamp(where) for where in chain])
    if cached := store.read(f"policy-{stamp}.json"):
        try:
            found = policy.load(cached)
            found = found if silent else policy.spoken(found)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            pass
        else:
            _demand_trusted(found, chain, base, trust=trust_code)
            return found
    from dlgovern.standard.compile import compile_policy  # cold: pydantic comes with it
    from dlgovern.standard.read import read_standard

    for where in chain:
        if trust_code and not where.installed:
            sys.path.append(os.path.dirname(where.folder))
    compiled = compile_policy([read_standard(where.folder) for where in chain], profile)
    _demand_trusted(compiled, chain, base, trust=trust_code)
    store.prune()
    store.prune()
    store.write(f"policy-{stamp}.json", policy.dump(compiled))
    return compiled


def find(name: str, base: str) -> Where:
    """Where the standard ``name`` lies. Raises ConfigurationError."""
    if name == REFERENCE:
        return Where(name, bundled.folder("rules"), installed=True)
    path = os.path.normpath(os.path.join(base, name))
    if os.path.isfile(os.path.join(path, "standard.toml")):
        return Where(name, path, installed=False)
    if name.replace("_", "").replace("-", "").isalnum():
        from importlib.util import find_spec  # only for standards in packages

        spec = find_spec(name.replace("-", "_"))
        for folder in (spec.submodule_search_locations or []) if spec else []:
            if os.path.isfile(os.path.join(folder, "standard.toml")):
                return Where(name, folder, installed=True)
    raise ConfigurationError(
        f"there is no standard {name!r}",
        do="name `reference`, a folder with a standard.toml, or an installed package that holds one",
    )


def folders(name: str, base: str, store: Store) -> list[Where]:
    """The standards from the outermost base to the named one."""
    chain: list[Where] = []
    while name:
        where = find(name, base)
        if any(where.folder == seen.folder for seen in chain) or len(chain) == _LONGEST_CHAIN:
            raise StandardError([Mistake(where.name, 0, "extends itself, directly or through another standard")])
        chain.append(where)
        name, base = _extends(where, store), where.folder
    return chain[::-1]


def _extends(where: Where, store: Store) -> str:
    """What a standard extends; remembered, because a TOML reader costs more than everything else here."""
    if where.name == REFERENCE:
        return ""
    path = os.path.join(where.folder, "standard.toml")
    status = os.stat(path)
    name = f"extends-{key(path, status.st_mtime_ns, status.st_size)}.json"
    known = store.get(name)
    if isinstance(known, dict) and isinstance(known.get("extends"), str):
        return str(known["extends"])
    import tomli  # cold

    try:
        with open(path, "rb") as file:
            head = tomli.load(file).get("standard", {})
        extends = str(head.get("extends", "")) if isinstance(head, dict) else ""
    except (tomli.TOMLDecodeError, UnicodeDecodeError):
        return ""  # reading it again for the compiler says what is wrong, and where
    store.put(name, {"extends": extends})
    return extends


def _stamp(where: Where) -> list[object]:
    """The files of a standard with size and time."""
    found: list[object] = [where.folder, where.installed]
    for folder, folders, names in os.walk(where.folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted(names):
            if name.endswith((".toml", ".tsv", ".py")):
                status = os.stat(os.path.join(folder, name))
                found.append((os.path.join(folder, name), status.st_size, status.st_mtime_ns))
    return found


def _demand_trusted(found: Policy, chain: list[Where], base: str, *, trust: bool) -> None:
    """Code of a standard runs only from an installed distribution outside the checked tree."""
    foreign = sorted({rule.detector for rule in found.rules if ":" in rule.detector})
    if not foreign or trust:
        return
    inside = os.path.join(os.path.realpath(base), "")
    trusted = [w for w in chain if w.installed and not os.path.realpath(w.folder).startswith(inside)]
    packages = {os.path.basename(where.folder) for where in trusted}
    for detector in foreign:
        if detector.partition(":")[0] not in packages:
            raise ConfigurationError(
                f"the detector {detector} is code, and its standard is not an installed package",
                do="install the standard, or pass --trust-standard-code while you develop it",
            )
