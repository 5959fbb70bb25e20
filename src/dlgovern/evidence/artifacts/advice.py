"""What to write instead of a model file that is not clean, for what this file holds."""

from __future__ import annotations

from dlgovern.evidence.artifacts.values import Artifact

_MODULE = "torch.nn."


def advice(artifact: Artifact) -> str:
    """One sentence, "" for a clean file."""
    text = _text(artifact)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _text(artifact: Artifact) -> str:
    if artifact.verdict not in ("unsafe", "undecided"):
        return ""
    names = artifact.facts.get("code it could run", [])
    if artifact.format == "git-lfs pointer":
        return "fetch the file with `git lfs pull`, then ask again"
    if artifact.format == "torchscript":
        return "export again with torch.export and save a .pt2, or ship the state_dict as safetensors beside the code that builds the model"
    if artifact.format == "pt2":
        return "save again without pickled constants: register them as buffers, and drop custom objects and example inputs that are no plain tensors"
    if artifact.format in ("torch-zip", "torch-legacy", "torch-tar", "pickle") and artifact.verdict == "unsafe":
        return _of_pickle(artifact, names)
    if artifact.format in ("npy", "npz"):
        return "save arrays of numbers, not of objects; keep texts and structures in JSON beside them"
    if artifact.format == "keras":
        return "replace Lambda layers and custom functions by registered layers, and load with safe_mode=True"
    if artifact.verdict == "undecided":
        return "save it again with its own library, or load it only where it may do anything"
    return "do not load it; ask its author for weights as safetensors"


def _of_pickle(artifact: Artifact, names: list[str]) -> str:
    modules = sorted({name for name in names if name.startswith(_MODULE)})
    others = sorted(set(names) - set(modules))
    dangerous = [name for name in others if is_known_danger(name)]
    if dangerous:
        return f"do not load it: nothing that holds weights needs {dangerous[0]}"
    if modules:
        own = [name for name in others if not name.startswith(("torch.", "collections.", "builtins.", "numpy."))]
        first = next((one.name for one in artifact.reasons if one.name in modules or one.name in own), modules[0])
        text = (
            f"it holds a whole module ({first.rpartition('.')[2]}), saved by torch.save(model, …): where its code is trusted, save"
            ' safetensors.torch.save_model(model, "….safetensors") (or torch.save(model.state_dict(), …)) and build the model in code,'
            ' or torch.export.save(torch.export.export(model, example_inputs), "….pt2")'
        )
        if own:
            text += f"; its own classes ({', '.join(own[:3])}) stay in the package that defines them"
        return text
    if artifact.format == "pickle" and not artifact.tensors:
        return "write the data as JSON, arrays as .npy or safetensors; load what stays pickled only from where it was written"
    named = ", ".join(others[:3])
    return (
        "keep tensors and plain numbers, texts, lists and dicts in the checkpoint"
        + (f"; write {named} as plain values (vars(args), float(x), str(path))" if named else "")
        + ", so that torch.load(weights_only=True) takes it"
    )


_DANGER = frozenset(
    "os posix nt sys subprocess pty commands popen2 shutil socket ctypes cffi runpy importlib imp pkgutil code codeop"
    " webbrowser pip ensurepip venv platform timeit trace profile cProfile pdb bdb doctest pydoc multiprocessing asyncio threading"
    " _thread signal _posixsubprocess _winapi builtins __builtin__ operator _operator functools types marshal pickle _pickle"
    " cloudpickle dill shelve tempfile urllib http requests httpx ftplib smtplib telnetlib ssl site zipimport linecache inspect"
    " logging copyreg copy_reg nturl2path ntpath posixpath io _io".split()
)
_HARMLESS = frozenset(
    f"builtins.{name}" for name in "set frozenset bytearray bytes complex slice range list dict tuple int float str bool object".split()
) | frozenset(("functools.OrderedDict", "types.SimpleNamespace", "io.StringIO", "io.BytesIO", "_io.BytesIO", "_io.StringIO"))


def is_known_danger(name: str) -> bool:
    """Whether a callable is one that runs commands, programs or other pickles, or reaches what does.

    This never decides a verdict, which is the allow-list's: only how sure a finding is and what advice fits it.
    """
    return name.partition(".")[0] in _DANGER and name not in _HARMLESS
