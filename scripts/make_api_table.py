"""Builds the torch API tables from a raw list of changes, the hand-kept lists and the torch that is installed.

The raw list was read statically from the wheels of 17 releases: definitions and explicit re-exports by module. It does
not see what a star import or C++ brings, and it sees imports of foreign names as names. So no row of it is taken at its
word: each must agree with torch 2.13, and what cannot be decided is dropped. Run it as
`python scripts/make_api_table.py RAW.tsv.gz`; it writes both tables and prints what it kept and dropped, by reason.
"""

import argparse
import collections
import gzip
import inspect
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import torch_api as api

HEAD_NAMES = """\
# Names of torch that came, went or warn, for the rules about the API of torch. Made by scripts/make_api_table.py: do not edit.
# A row stands for its name and for every name below it, unless a longer row is nearer. No row: nothing known, say nothing.
# name         dotted name as users write it, one row for each public spelling
# added        first release that has it; empty: older than 1.13
# deprecated   first release that warns about it or documents it as deprecated; 1.13 also stands for older
# removed      first release without it, or in which every call raises; 1.13 also stands for older; empty: still there
# replacement  what to write instead, a dotted name or an expression; empty: nothing takes its place
# fix          rename: the replacement is a dotted name that means the same and takes the same arguments. insert: the same
#              with the arguments in its parentheses put before the call's own; only where the call's own are keywords, and
#              a bare decorator becomes that call. none: a person must decide. The rename of a module stands for its
#              parts too; each public part is there under the new name
# since        first release that has the replacement: a fix needs a floor at least this high
# group        general, amp, functorch, onnx, jit, export, quantization, distributed
# evidence     how torch 2.13 shows it. gone: does not resolve. raises, warns: on call, read or import. documented: silent.
#              resolves: is there. later: a change after 2.13, not seen by us beyond its absence or presence in 2.13
# note         what happens, in a sentence
# Checked on torch 2.13.0: every row, as evidence says; tests/torch/test_api_table.py repeats it. Versions of `added` and
# `removed` are from the wheels of 1.13.1 to 2.15.0, to the minor release; versions of `deprecated` are by hand. Left out
# on purpose: private names without a curated row, members of classes, torch.xpu (an extension patches it into older
# releases), names whose first release a star import hides. Read by hand against the history of torch: every curated row,
# every derived star spelling and a random 70 of `added`.
"""
HEAD_ARGUMENTS = """\
# Arguments of torch callables that came, went or warn. Made by scripts/make_api_table.py: do not edit.
# name         callable as users write it, one row for each public spelling
# argument     keyword
# added        first release that accepts it; empty: older than 1.13
# deprecated   first release that warns about it or documents it as deprecated; 1.13 also stands for older
# removed      first release that refuses it; 1.13 also stands for older; empty: still accepted
# replacement  what to write instead; empty: nothing takes its place
# fix          delete: leaving it out keeps the meaning. rename: only the keyword changed. none: a person must decide
# evidence     how torch 2.13 shows it: signature (in it or not, as the row says), raises, warns, source (the warning was
#              read in the source), later (a change after 2.13, checked as still accepted or not yet accepted)
# note         what happens, in a sentence
"""
# Names that a module imported for its own use; they say nothing about torch.
FOREIGN = frozenset(
    """ABC ABCMeta Any AnyStr Awaitable BinaryIO Callable ClassVar Collection Concatenate ContextDecorator Counter DefaultDict
    Deque Dict Enum Final FrozenSet Generator Generic Hashable IO Iterable IntEnum Iterator List Literal LooseVersion Mapping
    Match MutableMapping NamedTuple NewType NoReturn NotRequired Number Optional OrderedDict ParamSpec ParamsSpec Path
    Pattern Protocol Real RemovableHandle Self Sequence Set Sized Std SupportsIndex T T_co T_dict T_stack T_tuple
    TYPE_CHECKING Text TextIO Tuple Type TypeAlias TypeGuard TypeIs TypeVar TypedDict Union abc abstractmethod annotations
    build_ext byref c_int cast chain closing contextmanager copy count dataclass deepcopy defaultdict deprecated deque field
    get_type_hints inf init log logger lru_cache multiprocessing namedtuple nullcontext nn nnF nni nnq nnqat nnqd np npt
    overload packaging partial print_function range reduce runtime_checkable string_classes tabulate warn warnings
    with_metaclass wraps F MOD Parameter Tensor Variable ForkingPickler IterableWrapper ThreadPoolExecutor auto container_abcs
    diagnostics dist_cp errors fake fx_pytree gc_context hipify_python hooks jit_utils kw_only_dataclass onnx_proto_utils
    opt_einsum registration symbolic_helper uid utils AbstractContextManager ContextVar MappingProxyType TypeVarTuple Unpack
    cache dist_config mark_kernels""".split()
)
# Places whose names users do not write, or whose first release the raw list cannot know.
LEFT_OUT = {
    "torch.xpu": "patched in by an extension",
    "torch.compiler.config": "configuration values",
    "torch.distributed.config": "configuration values",
    "torch.fx.config": "configuration values",
    "torch.utils.collect_env": "a script",
    "torch.distributed.run": "a script",
    "torch.backends.xeon": "a script",
    "torch.utils.benchmark": "a script",
    "torch.fx.passes": "internal",
    "torch.fx.experimental": "internal",
    "torch.testing": "internal",
    "torch.ao.ns": "internal",
    "functorch.setup": "internal",
    "functorch.dim": "internal",
    "functorch.einops": "internal",
    "torch.distributed.flight_recorder.components": "internal",
    "torch.export.pt2_archive.constants": "internal",
    "torch.vmap": "older than the raw list says: it came from a private module",
    "torch.testing.assert_allclose": "older than the raw list says: a star import",
    "torch.mtia.memory": "internal",
    "torch.windows": "not on this platform",
    "torch.kernel32": "not on this platform",
    "torch.cuda_path": "not on this platform",
    "torch.cuda_path_var": "not on this platform",
    "torch.cuda_version": "not on this platform",
    "torch.cuda_version_1": "not on this platform",
    "torch.with_load_library_flags": "not on this platform",
    "torch.current_module": "not on this platform",
    "torch.path_patched": "not on this platform",
    "torch.prev_error_mode": "not on this platform",
    "torch.usebase_path": "not on this platform",
    "torch.base_py_dll_path": "not on this platform",
    "torch.default_path": "not on this platform",
    "torch.dll_paths": "not on this platform",
    "torch.dlls": "not on this platform",
    "torch.manager_path": "not on this platform",
    "torch.nvtoolsext_dll_path": "not on this platform",
    "torch.pfiles_path": "not on this platform",
    "torch.py_dll_path": "not on this platform",
    "torch.th_dll_path": "not on this platform",
}
# Packages that in every release since 1.13 (torch.mtia: since it exists) take the names of their parts by a star import.
STARS = frozenset(
    [
        "torch",
        "torch.ao.quantization",
        "torch.cuda",
        "torch.distributed",
        "torch.distributions",
        "torch.mtia",
        "torch.nn",
    ]
)
GROUPS = (
    ("torch.cuda.amp", "amp"),
    ("torch.cpu.amp", "amp"),
    ("torch.amp", "amp"),
    ("functorch", "functorch"),
    ("torch.onnx", "onnx"),
    ("torch.jit", "jit"),
    ("torch.export", "export"),
    ("torch.ao", "quantization"),
    ("torch.quantization", "quantization"),
    ("torch.nn.quantized", "quantization"),
    ("torch.nn.qat", "quantization"),
    ("torch.nn.intrinsic", "quantization"),
    ("torch.nn.quantizable", "quantization"),
    ("torch.distributed", "distributed"),
)
EVIDENCE = {
    "gone": "gone",
    "raise": "raises",
    "warn": "warns",
    "decorated": "warns",
    "import": "warns",
    "source": "warns",
}
EVIDENCE |= {"same": "documented", "documented": "documented", "exists": "resolves", "later": "later"}
EVIDENCE_ARGUMENT = {
    "accepts": "signature",
    "refuses": "signature",
    "raise": "raises",
    "warn": "warns",
    "source": "source",
}


def under(name: str, places: Any) -> str:
    """The longest of the places that is the name or above it, else an empty text."""
    parts = name.split(".")
    return next((p for end in range(len(parts), 0, -1) if (p := ".".join(parts[:end])) in places), "")


def group(name: str) -> str:
    """Group of a name that nobody curated."""
    return next((g for prefix, g in GROUPS if name == prefix or name.startswith(f"{prefix}.")), "general")


def home(found: Any) -> str:
    """Dotted name under which a class or function was defined, empty for anything else."""
    if not (inspect.isclass(found) or inspect.isroutine(found)):
        return ""
    module = getattr(found, "__module__", None)
    if not isinstance(module, str):
        return ""
    return f"{module}.{getattr(found, '__qualname__', None) or getattr(found, '__name__', '')}"


def offered(name: str) -> str:
    """Why a resolving name is not one that its module offers, or an empty text."""
    found, (above, leaf) = api.resolve(name), name.rsplit(".", 1)
    parent = api.resolve(above)
    if isinstance(found, types.ModuleType):
        return "" if found.__name__ == name else "a module imported there"
    if not isinstance(parent, types.ModuleType):
        return "member of a class"
    if not home(found).startswith(("torch.", "functorch.")):
        return "constant or foreign object"
    listed = getattr(parent, "__all__", None)
    if listed is not None:
        return "" if leaf in listed else "not in __all__"
    module = found.__module__
    package = hasattr(parent, "__path__") and module.startswith(f"{above}.")
    return "" if module == above or package else "imported there for its own use"


class Raw:
    """The raw list: first release with a name, first without it, parameter lists by release."""

    def __init__(self, path: Path) -> None:
        with gzip.open(path, "rt", encoding="utf-8") as text:
            lines = [line.rstrip("\n").split("\t") for line in text if line[0] != "#"]
        self.added = {line[0]: line[1] for line in lines}
        self.removed = {line[0]: line[2] for line in lines if line[2]}
        self.parameters = {line[0]: line[3] for line in lines if len(line) > 3 and line[3]}
        self.leaves_gone = collections.Counter(name.rsplit(".", 1)[1] for name in self.removed)

    def first(self, name: str) -> str:
        """First release with a name, taking what stands above it into account."""
        return max((self.added.get(n, "") for n in ancestors(name)), key=api.version)


def ancestors(name: str) -> list[str]:
    """The name and everything above it, shortest first."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def spellings() -> dict[int, set[str]]:
    """Public spellings of every public class and function of torch, by identity."""
    found: dict[int, set[str]] = collections.defaultdict(set)
    for path, module in sorted(sys.modules.items()):
        if not path.startswith(("torch", "functorch")) or api.private(path) or module is None:
            continue
        for leaf, value in list(vars(module).items()):
            if not leaf.startswith("_") and home(value) and offered(f"{path}.{leaf}") == "":
                found[id(value)].add(f"{path}.{leaf}")
    return found


def first_look(name: str) -> str:
    """Why a raw name is dropped before torch is asked, or an empty text."""
    if api.private(name):
        return "private"
    if under(name, LEFT_OUT):
        return LEFT_OUT[under(name, LEFT_OUT)]
    if name.rsplit(".", 1)[1] in FOREIGN or name.endswith(".*"):
        return "foreign name"
    return ""


def judge_added(raw: Raw, name: str, defined: set[str]) -> str:
    """Why torch 2.13 does not confirm a raw name that came and stayed, or an empty text."""
    above = name.rsplit(".", 1)[0]
    resolves = api.resolve(name) is not api.MISSING
    if api.version(raw.added[name]) > api.PROVEN_ON:
        if resolves:
            return "resolves before its first release"
        if not isinstance(api.resolve(above), types.ModuleType):
            return "below a name that is new, or member of a class"
        leaf = name.rsplit(".", 1)[1]
        return "imported there for its own use" if leaf in defined or leaf.isupper() else ""
    if not resolves:
        return "does not resolve"
    if raw.removed.get(f"{above}.*") == raw.added[name]:
        return "was a star import before"
    return offered(name)


def judge_removed(raw: Raw, name: str, defined: set[str]) -> str:
    """Why torch 2.13 does not confirm a raw name that went, or an empty text."""
    above, leaf = name.rsplit(".", 1)
    parent = api.resolve(above)
    if api.version(raw.removed[name]) > api.PROVEN_ON:
        return "removed after 2.13"
    if api.resolve(name) is not api.MISSING:
        return "marked as gone, still resolves"
    if under(above, raw.removed):
        return "below a name that is gone"
    if parent is api.MISSING:
        return "parent not importable here"
    if not isinstance(parent, types.ModuleType):
        return "member of a class"
    return "imported there for its own use" if leaf in defined or leaf.isupper() else ""


def names(raw: Raw, counts: collections.Counter[str]) -> list[api.Name]:
    """All rows about names: curated, confirmed, and the public spellings that star imports hide from the raw list."""
    curated = api.read(api.CURATED_NAMES, api.CuratedName)
    table: dict[str, api.Name] = {}
    for row in curated:
        if problem := api.prove_name(row):
            raise SystemExit(f"{row.name}: {problem}")
        if row.fix == "rename" and api.resolve(row.replacement) is api.MISSING and row.since <= "2.13":
            raise SystemExit(f"{row.name}: {row.replacement} does not resolve")
        kind = row.proof.partition(": ")[0]
        added = {"-": "", "": raw.first(row.name)}.get(row.added, row.added)
        cells = row._replace(added=added)._asdict() | {"evidence": EVIDENCE[kind]}
        table[row.name] = api.Name(*(cells[field] for field in api.Name._fields))
    counts["kept: curated"] = len(table)

    for name in raw.added:
        if not first_look(name):
            api.resolve(name)  # Loads the modules that `defined` and `spellings` look into.
    loaded = [(p, m) for p, m in sys.modules.items() if p.startswith(("torch", "functorch")) and m is not None]
    defined = {leaf for p, m in loaded for leaf, v in list(vars(m).items()) if getattr(v, "__module__", None) == p}
    fresh: dict[str, str] = {}
    for name, added in raw.added.items():
        if name in table:
            continue
        gone = name in raw.removed
        reason = first_look(name)
        if not reason and gone:
            reason = judge_removed(raw, name, defined)
        elif not reason:
            reason = judge_added(raw, name, defined) if added else "only parameters"
        if reason:
            counts[f"dropped: {reason}"] += 1
        elif gone:
            note = f"Not in torch from {raw.removed[name]} on."
            table[name] = api.Name(
                name, raw.first(name), "", raw.removed[name], "", "none", "", group(name), "gone", note
            )
            counts["kept: gone"] += 1
        else:
            fresh[name] = raw.first(name)
    public = spellings()
    for name in sorted(fresh):
        found = api.resolve(name)
        if home(found) == name and not raw.leaves_gone[name.rsplit(".", 1)[1]]:
            for other in sorted(public[id(found)] - fresh.keys() - table.keys() - raw.added.keys()):
                if other.rsplit(".", 1)[0] in STARS:
                    fresh[other] = max(fresh[name], raw.first(other), key=api.version)
                    counts["kept: new, star spelling"] += 1
    for row in curated:
        if row.deprecated and not row.removed and not api.private(row.name):
            found = api.resolve(row.name)
            for other in sorted(public.get(id(found), set()) - table.keys()):
                added = fresh.pop(other, "") or raw.first(other)
                if table[row.name].group != "functorch" and row.name.rsplit(".", 1)[1] == other.rsplit(".", 1)[1]:
                    table[other] = table[row.name]._replace(name=other, added=added)
                    counts["kept: deprecated, other spelling"] += 1
    taken = set(table)
    modules = {n for n in fresh if isinstance(api.resolve(n), types.ModuleType)}
    for name, added in sorted(fresh.items()):
        nearest = under(name.rsplit(".", 1)[0], fresh.keys() | taken)
        if nearest not in taken and fresh.get(nearest) == added:
            counts["dropped: same release as the row above"] += 1
            continue
        later = api.version(added) > api.PROVEN_ON
        table[name] = api.Name(
            name, added, "", "", "", "none", "", group(name), "later" if later else "resolves", f"New in torch {added}."
        )
        counts["kept: new module" if name in modules else "kept: new, after 2.13" if later else "kept: new"] += 1
    return sorted(table.values())


def changes(raw: Raw, name: str) -> dict[str, tuple[str, str]]:
    """First release with and first without each parameter, where the raw list of a callable agrees with torch 2.13."""
    steps = [step.partition(":") for step in raw.parameters[name].split(" ")]
    history = [(at, [p for p in listed.strip("()").split(",") if p]) for at, _, listed in steps]
    known = api.parameters(name.removesuffix(".__init__"))
    here = [listed for at, listed in history if api.version(at) <= api.PROVEN_ON]
    skip = 1 if name.endswith(".__init__") else 0
    if not here or known is None or set(here[-1][skip:]) != set(known) or "*" in here[-1]:
        return {}
    found = {}
    for parameter in sorted({p for _, listed in history for p in listed[skip:]} - {"**", "self", "cls"}):
        present = [parameter in listed for _, listed in history]
        start = present.index(True)
        end = present.index(False, start) if False in present[start:] else None
        added = history[start][0] if start and "**" not in {p for _, ps in history[:start] for p in ps} else ""
        removed = history[end][0] if end is not None and "**" not in history[end][1] else ""
        came_back = end is not None and True in present[end:]
        if not came_back and not parameter.startswith("_") and (added or removed):
            found[parameter] = (added, removed)
    return found


def arguments(raw: Raw, counts: collections.Counter[str]) -> list[api.Argument]:
    """All rows about arguments, for every public spelling: curated, or agreed on by raw list and signature."""
    table: dict[tuple[str, str], api.Argument] = {}
    for row in api.read(api.CURATED_ARGUMENTS, api.CuratedArgument):
        if problem := api.prove_argument(row):
            raise SystemExit(f"{row.name}({row.argument}=): {problem}")
        cells = row._asdict() | {"evidence": EVIDENCE_ARGUMENT[row.proof.partition(": ")[0]]}
        cells["added"] = "" if row.added == "-" else row.added
        table[row.name, row.argument] = api.Argument(*(cells[field] for field in api.Argument._fields))
    public = spellings()
    for row in list(table.values()):
        for spelling in public.get(id(api.resolve(row.name)), ()):
            table.setdefault((spelling, row.argument), row._replace(name=spelling))
    counts["kept: curated argument"] = len(table)
    for name in raw.parameters:
        plain = name.removesuffix(".__init__")
        found = api.resolve(plain)
        if api.private(plain) or under(plain, LEFT_OUT) or found is api.MISSING or offered(plain):
            counts["dropped: callable not public"] += 1
            continue
        if inspect.isclass(found) != name.endswith(".__init__") or not (listed := changes(raw, name)):
            counts["dropped: callable whose parameters disagree or only grew hidden ones"] += 1
            continue
        for spelling in public[id(found)] | {plain}:
            for argument, (added, removed) in listed.items():
                if (spelling, argument) in table:
                    continue
                late = max(api.version(added), api.version(removed)) > api.PROVEN_ON
                note = f"Not accepted from torch {removed} on." if removed else f"New in torch {added}."
                row = api.Argument(
                    spelling, argument, added, "", removed, "", "none", "later" if late else "signature", note
                )
                table[spelling, argument] = row
                counts["kept: argument"] += 1
    return sorted(table.values())


def write(path: Path, head: str, rows: list[Any]) -> None:
    """Writes a table with its head, one row a line."""
    columns = "\t".join(rows[0]._fields)
    body = "".join("\t".join(row) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}# {columns}\n{body}", encoding="utf-8", newline="\n")


def main() -> None:
    """Reads the raw list, asks torch, writes both tables, says what became of every raw name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path, help="raw list of changes, gzipped")
    raw = Raw(parser.parse_args().raw)
    warnings.simplefilter("ignore")
    import torch

    if not torch.__version__.startswith("2.13."):
        raise SystemExit(f"torch 2.13 must be installed, found {torch.__version__}")
    counts: collections.Counter[str] = collections.Counter()
    rows, listed = names(raw, counts), arguments(raw, counts)
    write(api.NAMES, HEAD_NAMES, rows)
    write(api.ARGUMENTS, HEAD_ARGUMENTS, listed)
    print(f"{len(rows)} names, {len(listed)} arguments")
    for reason, count in sorted(counts.items()):
        print(f"{count:6} {reason}")


if __name__ == "__main__":
    main()
