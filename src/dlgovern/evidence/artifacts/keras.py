"""Read the configuration of a Keras model: which classes and functions loading it would create and call."""

from __future__ import annotations

import re
from typing import Any

from dlgovern.evidence.artifacts import keras_operators, npy, zips
from dlgovern.evidence.artifacts.allowed import Allowed
from dlgovern.evidence.artifacts.blob import Blob, Broken
from dlgovern.evidence.artifacts.opened import Opened
from dlgovern.evidence.artifacts.values import Findings

_LAMBDAS = frozenset(("Lambda", "__lambda__", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"))
_DENIED = frozenset(
    "enable_unsafe_deserialization load_model get_file deserialize_keras_object model_from_json model_from_config"
    " load_weights save_model register_keras_serializable custom_object_scope set_backend run_script".split()
)
_ROOMS = ("keras.config", "keras.saving", "keras.utils", "keras.src.saving", "keras.src.utils", "keras.ops")
_FUNCTIONS = frozenset(
    "binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy categorical_crossentropy categorical_focal_crossentropy"
    " categorical_generalized_cross_entropy categorical_hinge celu circle concordance_correlation cosine_similarity ctc dice elu exponential gelu glu"
    " hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh hinge huber kl_divergence leaky_relu linear log_cosh log_sigmoid log_softmax"
    " mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mish pearson_correlation poisson relu relu6"
    " selu sigmoid silu soft_shrink softmax softplus softsign sparse_categorical_accuracy sparse_categorical_crossentropy sparse_plus sparse_sigmoid"
    " sparse_top_k_categorical_accuracy sparsemax squared_hinge squareplus swish tanh tanh_shrink threshold top_k_categorical_accuracy tversky".split()
)
"""The activations, losses and metrics of Keras 3 that are functions: all that a configuration has to name."""

_BUILDERS = ("keras.applications", "keras.src.applications", "keras.datasets", "keras.src.datasets")
_SISTERS = frozenset(("keras_hub", "keras_cv", "keras_nlp"))
DEPTH = 200
PARTS = 600_000
"""Lists and objects of a configuration."""


def is_keras(opened: Opened) -> bool:
    """Whether an archive is one of Keras 3."""
    names = opened.by_name
    return "config.json" in names and ("metadata.json" in names or any(name.startswith("model.weights") for name in names))


def read(opened: Opened, allowed: Allowed, findings: Findings) -> None:
    """Say what a ``.keras`` archive would create."""
    findings.facts["producer"] = "keras"
    metadata = opened.json("metadata.json")
    if isinstance(metadata, dict) and isinstance(metadata.get("keras_version"), str):
        findings.facts["framework version"] = metadata["keras_version"][:40]
    config = opened.json("config.json")
    if config is None:
        findings.undecided("has a configuration that is not understood", "config.json")
    else:
        judge(config, findings, "config.json")
        findings.facts["layer classes"] = layers(config)
    for member in opened.members:
        name = opened.short(member)
        if name in ("config.json", "metadata.json") or name.endswith("/"):
            continue
        if name.endswith(".h5"):
            blob = opened.content(member)
            if blob is not None:
                from dlgovern.evidence.artifacts import hdf5

                hdf5.read(blob, allowed, findings, name)
        elif name.endswith(".npz"):
            _weights(opened, member, allowed, findings)
        elif name.startswith("assets/"):
            findings.note("holds a file that loading it puts on disk", name)
        else:
            findings.undecided("holds a member that Keras does not put there", name)


def _weights(opened: Opened, member: zips.Member, allowed: Allowed, findings: Findings) -> None:
    blob = opened.content(member)
    if blob is None:
        return
    try:
        npy.read_npz(blob, zips.read_zip(blob, findings), allowed, findings)
    except Broken as error:
        findings.undecided(str(error), member.name)


def judge(config: Any, findings: Findings, place: str) -> None:
    """Walk a configuration and say what in it is code."""
    todo: list[tuple[Any, int]] = [(config, 0)]
    seen = 0
    while todo:
        value, depth = todo.pop()
        seen += 1
        if depth > DEPTH or seen > 2_000_000:  # noqa: PLR2004
            findings.undecided("has a configuration too deep or too large to be looked at", place)
            return
        if isinstance(value, dict):
            _entry(value, findings, place)
            todo += [(inner, depth + 1) for inner in value.values()]
        elif isinstance(value, list):
            todo += [(inner, depth + 1) for inner in value]


def layers(config: Any) -> list[str]:
    """The classes of a model and of what it is made of, sorted."""
    found: set[str] = set()
    todo = [config]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if isinstance(name := value.get("class_name"), str) and isinstance(value.get("config"), dict):
                found.add(name[:80])
            inner = value.get("config")
            todo += [inner] if isinstance(inner, dict) else []
            todo += value["layers"] if isinstance(value.get("layers"), list) else []
            todo += [value["layer"]] if isinstance(value.get("layer"), dict) else []
        if len(found) > 1000:  # noqa: PLR2004 - no model has as many kinds
            break
    return sorted(found)


def _entry(entry: dict[str, Any], findings: Findings, place: str) -> None:
    name = entry.get("class_name")
    if entry.get("function_type") == "lambda":
        findings.unsafe("holds a lambda: its bytecode runs when the model is called", place, name="lambda")
    if not isinstance(name, str):
        if name is not None:
            findings.undecided("names a class by something else than a text", place)
        return
    module = entry.get("module")
    inner = entry.get("config")
    if isinstance(inner, dict) and isinstance(inner.get("vocabulary"), str) and inner["vocabulary"]:
        findings.undecided(f"reads another file when it is loaded: {inner['vocabulary'][:80]}", place)
    keras_operators.judge(name, inner, findings, place)
    if name in _LAMBDAS:
        findings.unsafe(f"holds a {name}: loading or calling it runs code from the file", place, name=name)
    if module is not None and not isinstance(module, str):
        findings.undecided("names a module by something else than a text", place)
        return
    if module and module.partition(".")[0] != "keras":
        what = f"{module}.{_shown(entry, name)}"
        if module == "builtins" and name == "function":
            if _shown(entry, name) in _FUNCTIONS:
                return
            findings.undecided(f"needs a function from the code that loads it: {_shown(entry, name)[:80]}", place)
        elif entry.get("registered_name") not in (None, name) and ">" in str(entry.get("registered_name")):
            findings.undecided(f"needs a class from the code that loads it: {str(entry['registered_name'])[:80]}", place)
        elif module.partition(".")[0] in _SISTERS:
            findings.undecided(f"needs {what[:120]}, whose code is not judged here", place)
        else:
            findings.unsafe(f"would import {what[:120]}", place, name=what[:120])
        return
    shown = _shown(entry, name)
    small = not name[:1].isupper()
    if (module and module.startswith(_ROOMS) and small) or shown in _DENIED or name in _DENIED:
        findings.unsafe(f"would call {module or 'keras'}.{shown[:80]}", place, name=f"{module or 'keras'}.{shown[:80]}")
    elif module and ((small and shown not in _FUNCTIONS) or module.startswith(_BUILDERS)):
        findings.undecided(f"names {module[:80]}.{shown[:80]}, of which no model is made", place)


def _shown(entry: dict[str, Any], name: str) -> str:
    config = entry.get("config")
    return config if name == "function" and isinstance(config, str) else name


_LAMBDA = re.compile(rb'"class_name":\s*"(?:Lambda|__lambda__|TorchModuleWrapper)"|"function_type":\s*"lambda"')


def mentions_lambda(data: bytes) -> bool:
    """Whether bytes hold a piece of a configuration with a lambda in it."""
    return _LAMBDA.search(data) is not None


def scan(blob: Blob, most: int) -> bool:
    """Whether the first ``most`` bytes of a file mention a lambda."""
    position = 0
    while position < min(blob.size, most):
        if mentions_lambda(blob.read(position, (1 << 20) + 128)):
            return True
        position += 1 << 20
    return False
