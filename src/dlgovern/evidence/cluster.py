"""Read what a cluster or a container engine is asked to run: Kubernetes manifests, compose files, dev containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dlgovern.evidence.embedded import environment_of, exec_of, script_of
from dlgovern.evidence.gathered import Gathered
from dlgovern.evidence.nodes import Document, Node, truth, walk, whole
from dlgovern.evidence.recipe import Pod, Recipe, Resource, Value
from dlgovern.evidence.script import Script
from dlgovern.evidence.words import Line

_GPU = re.compile(r"(?:nvidia\.com|amd\.com|gpu\.intel\.com|habana\.ai)/(?:gpu|mig-[\w.-]+|gaudi|i915|xe)(?:\.shared)?$")
_LOST = ("podTemplateOverrides", "podSpecOverrides")


class _Containers(Gathered):
    """A file about containers, while it is read."""

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__(lines)
        self.pods: list[Pod] = []
        self.resources: list[Resource] = []
        self.values: list[Value] = []

    def start(self, script: Script) -> int:
        """The index of the first command of a script, -1 for none."""
        first, count = self.add(script)
        return first if count else -1

    def recipe(self, empty: Recipe) -> Recipe:
        """The recipe of the whole file."""
        return self.into(empty)._replace(
            pods=tuple(self.pods), resources=tuple(self.resources), values=tuple(self.values),
        )


def read_cluster(document: Document, lines: Sequence[Line], empty: Recipe) -> Recipe:
    """Kubernetes manifests: every pod in every document, and the jobs of Kubeflow and Ray."""
    sheet = _Containers(lines)
    for root in document.roots:
        api, kind = root.get("apiVersion"), root.get("kind")
        if api is None or kind is None or api.kind != "scalar" or kind.kind != "scalar" or kind.text == "CustomResourceDefinition":
            continue
        sheet.resources.append(
            Resource(api.text, kind.text, root.word("metadata", "name") or "", root.word("spec", "runtimeRef", "name") or "",
                     _labels(root.at("metadata", "labels")), kind.line, kind.column, kind.end_column)
        )
        if kind.text == "List":
            continue
        if kind.text == "TrainJob":
            _train_job(root, sheet)
        elif kind.text in ("RayJob", "RayCluster", "RayService") and (entry := root.at("spec", "entrypoint")) is not None:
            sheet.start(script_of(entry, lines, "cluster"))
        processes = root.word("spec", "nprocPerNode") or root.word("spec", "elasticPolicy", "nProcPerNode") or ""
        for path, spec in walk(root):
            containers = spec.get("containers") if spec.kind == "mapping" else None
            if containers is not None and containers.kind == "sequence":
                _pod(root, path, spec, containers, processes, sheet)
    return sheet.recipe(empty)


def _labels(node: Node | None) -> tuple[tuple[str, str], ...]:
    pairs = node.pairs if node is not None else ()
    return tuple((key.text, value.text) for key, value in pairs if key.kind == value.kind == "scalar")


def _pod(root: Node, path: tuple[str, ...], spec: Node, containers: Node, processes: str, sheet: _Containers) -> None:
    role, replicas = "", 1
    for depth, word in enumerate(path):
        if word.endswith("ReplicaSpecs") and depth + 1 < len(path):
            role = path[depth + 1]
            count = root.at(*path[: depth + 2], "replicas")
            replicas = 1 if count is None else _number(count)
    memory = _memory_volumes(spec)
    host = truth(spec.get("hostIPC")) is True
    for container in spec.get("initContainers").items if spec.get("initContainers") is not None else ():  # type: ignore[union-attr]
        sheet.image(container.get("image"), final=False)
    for container in containers.items:
        if container.kind != "mapping":
            continue
        sheet.image(container.get("image"))
        sheet.settings += environment_of(container.get("env"))
        launch = sheet.start(exec_of(container.get("command"), container.get("args"), sheet.lines, "cluster"))
        mounts = container.get("volumeMounts")
        shared = host or any(
            mount.word("mountPath") == "/dev/shm" and mount.word("name") in memory
            for mount in (mounts.items if mounts is not None else ())
        )
        at = container.key("image") or container.key("name") or container
        place = (at.line, at.column, at.end_column)
        sheet.pods.append(Pod("kubernetes", role, _gpus(container.get("resources")), replicas, shared, processes, launch, *place))


def _memory_volumes(spec: Node) -> set[str]:
    volumes = spec.get("volumes")
    found = set()
    for volume in volumes.items if volumes is not None else ():
        empty = volume.get("emptyDir")
        host = volume.word("hostPath", "path")
        name = volume.word("name")
        if name and ((empty is not None and empty.word("medium") == "Memory") or host == "/dev/shm"):
            found.add(name)
    return found


def _gpus(resources: Node | None) -> int:
    """How many GPUs a container asks for: 0 for none, -1 where the number is not known."""
    for part in ("limits", "requests"):
        node = resources.get(part) if resources is not None else None
        for key, value in node.pairs if node is not None else ():
            if key.kind == "scalar" and _GPU.match(key.text):
                return _number(value)
    return 0


def _number(node: Node) -> int:
    found = whole(node)
    return -1 if found is None else found


def _train_job(root: Node, sheet: _Containers) -> None:
    trainer = root.at("spec", "trainer")
    for lost in _LOST:
        spec = root.get("spec")
        if spec is not None and (key := spec.key(lost)) is not None:
            sheet.values.append(Value(f"TrainJob.{lost}", lost, False, key.line, key.column, key.end_line, key.end_column, (key.line, key.column)))
    if trainer is None:
        return
    sheet.image(trainer.get("image"))
    sheet.settings += environment_of(trainer.get("env"))
    launch = sheet.start(exec_of(trainer.get("command"), trainer.get("args"), sheet.lines, "cluster"))
    count = trainer.get("numNodes")
    key = root.at("spec") and root.at("spec").key("trainer")  # type: ignore[union-attr]
    at = key or trainer
    sheet.pods.append(
        Pod("trainjob", "Node", _gpus(trainer.get("resourcesPerNode")), 1 if count is None else _number(count), True,
            trainer.word("numProcPerNode") or "", launch, at.line, at.column, at.end_column)
    )


def read_compose(document: Document, lines: Sequence[Line], empty: Recipe) -> Recipe:
    """A compose file: its services."""
    sheet = _Containers(lines)
    services = document.roots[0].get("services")
    for name, service in services.pairs if services is not None else ():
        if service.kind != "mapping":
            continue
        if service.get("build") is None:
            sheet.image(service.get("image"))
        sheet.settings += environment_of(service.get("environment"))
        launch = sheet.start(exec_of(service.get("entrypoint"), service.get("command"), lines, "start"))
        if launch < 0:
            launch = sheet.start(exec_of(service.get("command"), None, lines, "start"))
        shared = service.get("shm_size") is not None or service.word("ipc") in ("host", "shareable") or any(
            "/dev/shm" in text for text in _texts(service.get("volumes"))
        ) or any("/dev/shm" in text for text in _texts(service.get("tmpfs")))
        sheet.pods.append(Pod("compose", name.text, _compose_gpus(service), 1, shared, "", launch, name.line, name.column, name.end_column))
    return sheet.recipe(empty)


def _compose_gpus(service: Node) -> int:
    if service.get("gpus") is not None or service.word("runtime") == "nvidia":
        return -1
    devices = service.at("deploy", "resources", "reservations", "devices")
    for device in devices.items if devices is not None else ():
        if "gpu" in _texts(device.get("capabilities")) or device.word("driver") == "nvidia":
            count = device.get("count")
            return -1 if count is None else _number(count)
    return 0


def _texts(node: Node | None) -> list[str]:
    items: Iterator[Node] = iter(node.items or (node,)) if node is not None else iter(())
    found = []
    for item in items:
        if item.kind == "scalar":
            found.append(item.text)
        elif item.kind == "mapping":
            found += [value.text for _, value in item.pairs if value.kind == "scalar"]
        else:
            found += [inner.text for inner in item.items if inner.kind == "scalar"]
    return found


def read_devcontainer(document: Document, lines: Sequence[Line], empty: Recipe) -> Recipe:
    """A devcontainer.json."""
    sheet = _Containers(lines)
    root = document.roots[0]
    sheet.image(root.get("image"))
    for key in ("containerEnv", "remoteEnv"):
        sheet.settings += environment_of(root.get(key))
    for key in ("onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand"):
        node = root.get(key)
        if node is not None and node.kind == "scalar":
            sheet.start(script_of(node, lines, "build"))
        elif node is not None and node.kind == "sequence":
            sheet.start(exec_of(node, None, lines, "build"))
    return sheet.recipe(empty)
