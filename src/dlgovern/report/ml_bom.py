"""A bill of materials of model files in the form of CycloneDX, written by that format's own library."""

from __future__ import annotations

import datetime
import json
import os
import uuid
from collections.abc import Sequence
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6

from dlgovern import __version__
from dlgovern.evidence.artifacts.values import Artifact
from dlgovern.report.display import display

_PREFIX = "dlgovern:artifact"


def render(artifacts: Sequence[Artifact], digests: Sequence[str], external: Sequence[dict[str, str]]) -> str:
    """The bill, one component of type machine-learning-model for each file.

    ``digests`` are their SHA-256, ``external`` those of the files beside each that hold its weights ("" for one that is not there).
    """
    components = [_component(*one) for one in zip(artifacts, digests, external, strict=True)]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "dlgovern:" + ",".join(f"{one.path}={d}" for one, d in zip(artifacts, digests, strict=True)))
    tool = Component(name="dlgovern", version=__version__, type=ComponentType.APPLICATION)
    metadata = BomMetaData(timestamp=_now())
    metadata.tools.components.add(tool)
    bom = Bom(components=components, serial_number=serial, metadata=metadata)
    return json.dumps(json.loads(JsonV1Dot6(bom).output_as_string()), indent=2, ensure_ascii=True) + "\n"


def _component(one: Artifact, digest: str, external: dict[str, str]) -> Component:
    said: dict[str, Any] = {"format": one.format, "size": one.size, "verdict": one.verdict}
    said |= {key: value for key, value in one.facts.items() if key not in ("metadata", "chat template")}
    said |= {f"metadata:{key}": value for key, value in one.facts.get("metadata", {}).items()}
    properties = [Property(name=f"{_PREFIX}:{display(key).replace(' ', '-')}", value=_text(value)) for key, value in sorted(said.items())]
    return Component(
        name=display(one.path),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"sha256:{digest}:{display(one.path)}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        properties=properties,
        components=[_weights(one.path, *beside) for beside in sorted(external.items())],
    )


def _weights(model: str, location: str, digest: str) -> Component:
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else []
    return Component(name=display(location), type=ComponentType.FILE, bom_ref=f"weights:{display(model)}:{display(location)}", hashes=hashes)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return display(", ".join(map(str, value)))
    if isinstance(value, dict):
        return display(", ".join(f"{key}={inner}" for key, inner in sorted(value.items())))
    return display(str(value))


def _now() -> datetime.datetime:
    """Now, or what $SOURCE_DATE_EPOCH says for a build that can be repeated."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdigit():
        return datetime.datetime.fromtimestamp(int(epoch), tz=datetime.UTC)
    return datetime.datetime.now(tz=datetime.UTC).replace(microsecond=0)
