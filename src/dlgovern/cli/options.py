"""The options that commands share, and the law, files and policy they lead to."""


import argparse
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

from dlgovern.cli.settings import Settings, find_settings, override, read_settings
from dlgovern.errors import UsageError
from dlgovern.finding import CONFIDENCES, LEVELS, RuleNotRun
from dlgovern.policy import Policy
from dlgovern.source.discover import EXCLUDE, Discovery, discover
from dlgovern.standard.law import REFERENCE, load_policy
from dlgovern.standard.tailor import tailor
from dlgovern.store import Store, default_folder, in_tree


class Law(NamedTuple):
    """What a project is judged by."""

    policy: Policy
    not_run: list[RuleNotRun]
    whole: bool  # nothing was deselected
    settings: Settings


class Help(argparse.RawDescriptionHelpFormatter):
    """Help that keeps line breaks, and asks for the terminal's width without loading shutil and five compressors."""

    def __init__(self, prog: str) -> None:
        try:
            width = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
        except (ValueError, OSError):
            try:
                width = os.get_terminal_size().columns
            except OSError:
                width = 80
        super().__init__(prog, width=(width or 80) - 2)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Which rules, from which standard and configuration."""
    group = parser.add_argument_group("rules")
    for flag, help_ in (
        ("--select", "only these rules: ALL, a family such as DLG2, or an id"),
        ("--ignore", "not these rules"),
        ("--extend-select", "these rules too"),
        ("--extend-ignore", "nor these"),
    ):
        group.add_argument(flag, action="append", default=[], metavar="RULES", help=help_)
    group.add_argument("--profile", metavar="NAME", help="defects, governance or all")
    group.add_argument("--standard", metavar="NAME", help="the standard to judge by: a folder or an installed package")
    group.add_argument("--assume", action="append", default=[], metavar="LIB=VERSION", help="judge as if this version was used")
    group.add_argument("--config", action="append", default=[], metavar="PATH|KEY=VALUE", help="a configuration file, or one setting in TOML")
    group.add_argument("--isolated", action="store_true", help="read no configuration file")
    group.add_argument("--trust-standard-code", action="store_true", help="run detectors of a standard that is not installed")


def add_files(parser: argparse.ArgumentParser) -> None:
    """Which files, and the cache."""
    group = parser.add_argument_group("files")
    group.add_argument("--exclude", action="append", default=[], metavar="PATTERN", help="leave these out instead of the defaults")
    group.add_argument("--extend-exclude", action="append", default=[], metavar="PATTERN", help="leave these out too")
    group.add_argument("--force-exclude", action="store_true", default=None, help="leave out even files that are named")
    group.add_argument("--respect-gitignore", action=argparse.BooleanOptionalAction, default=None, help="leave out what git ignores")
    group.add_argument("--no-cache", action="store_true", help="judge everything anew: neither read nor keep results")
    group.add_argument("--cache-dir", metavar="PATH", help="where the cache lies")
    group.add_argument("--jobs", type=int, default=0, metavar="N", help="worker processes; 0 for one a processor")


def open_store(options: argparse.Namespace) -> Store:
    """The cache that the options ask for."""
    if getattr(options, "no_cache", False) or os.environ.get("DLGOVERN_NO_CACHE", "") not in ("", "0", "false"):
        return Store("")
    if folder := getattr(options, "cache_dir", None) or os.environ.get("DLGOVERN_CACHE_DIR"):
        return in_tree(os.path.abspath(folder))
    return Store(default_folder())


def law_store(options: argparse.Namespace, store: Store) -> Store:
    """Where the compiled standard lies: it is no result, so ``--no-cache`` leaves it alone, ``$DLGOVERN_NO_CACHE`` does not."""
    if store.folder or not getattr(options, "no_cache", False) or os.environ.get("DLGOVERN_NO_CACHE", "") not in ("", "0", "false"):
        return store
    return Store(os.path.abspath(options.cache_dir) if options.cache_dir else default_folder())


def open_law(options: argparse.Namespace, paths: Iterable[str], store: Store, *, silent: bool = False) -> Law:
    """The configuration around ``paths`` and the policy it leads to; ``silent``: its prose may come later."""
    settings = _settings(options, list(paths), store)
    values = _with_flags(settings.values, options)
    name = options.standard or values.get("standard", REFERENCE)
    base = os.getcwd() if options.standard else settings.root
    profile = options.profile or values.get("profile", "defects")
    policy = load_policy(name, base, profile, law_store(options, store), trust_code=options.trust_standard_code, silent=silent)
    policy, not_run, whole = tailor(policy, values)
    return Law(policy, not_run, whole, settings._replace(values=values))


def find_files(options: argparse.Namespace, paths: list[str], law: Law) -> Discovery:
    """The files that the paths name; model files by their content too, where a rule is about these."""
    settings, values = law.settings, law.settings.values
    return discover(
        settings.root,
        paths or ["."],
        exclude=options.exclude or values.get("exclude", EXCLUDE),
        extend_exclude=[*values.get("extend-exclude", []), *options.extend_exclude],
        respect_gitignore=_first(options.respect_gitignore, values.get("respect-gitignore"), True),
        force_exclude=_first(options.force_exclude, values.get("force-exclude"), False),
        models=any("artifact" in rule.kinds for rule in law.policy.rules),
    )


def words(values: Iterable[str]) -> list[str]:
    """Comma-separated words of a repeated option."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def bar(options: argparse.Namespace, values: dict[str, Any]) -> tuple[str, str]:
    """The level and confidence from which findings fail. Raises UsageError."""
    fail_on = options.fail_on or values.get("fail-on", "error")
    confidence = options.min_confidence or values.get("min-confidence", "high")
    if fail_on not in LEVELS or confidence not in CONFIDENCES:
        raise UsageError("--fail-on and --min-confidence take one of their words", do=f"{LEVELS}, {CONFIDENCES}")
    return fail_on, confidence


def _settings(options: argparse.Namespace, paths: list[str], store: Store) -> Settings:
    said = [*options.config] or ([os.environ["DLGOVERN_CONFIG"]] if os.environ.get("DLGOVERN_CONFIG") else [])
    files = [text for text in said if "=" not in text]
    if len(files) > 1:
        raise UsageError("--config names more than one file", do="name one; settings may be repeated")
    if files:
        settings = read_settings(files[0], store)
    else:
        modules = bool(paths) and not any(os.path.isdir(path) for path in paths)
        settings = find_settings(_common(paths), store, isolated=options.isolated, modules=modules)
    values = settings.values
    for text in said:
        if "=" in text:
            values = override(values, text)
    return settings._replace(values=values)


def _with_flags(values: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    merged = dict(values)
    for word in ("select", "ignore", "extend-select", "extend-ignore"):
        said = words(getattr(options, word.replace("-", "_")))
        if said:
            merged[word] = [*merged.get(word, []), *said] if word.startswith("extend") else said
    for text in options.assume:
        library, marker, version = text.partition("=")
        if not marker or not version.strip("=")[:1].isdigit():
            raise UsageError(f"--assume {text!r} is not LIB=VERSION", do="such as --assume torch=2.15")
        merged["assume"] = {**merged.get("assume", {}), library: version.strip("=")}
    return merged


def _common(paths: list[str]) -> str:
    real = [os.path.realpath(path) for path in paths or ["."] if path != "-"] or [os.getcwd()]
    try:
        common = os.path.commonpath(real)
    except ValueError:
        common = real[0]
    return common


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)
