"""The form of a template: ``templates/ID/VERSION/`` with ``template.toml``, ``project/`` and, if wanted, ``parts/``.

``project/`` holds the files. A name that ends in ``.jinja`` loses the ending and the file is rendered; every other
file is copied byte for byte. Names of files and folders may hold ``__package__``, or any other answer so marked
(``<@ package @>`` works too, but Windows has no such names). ``parts/`` holds what files may ``<% include "name" %>`` or ``<% import "name" as m %>``. Delimiters: ``<@ value @>``, ``<% statement %>``, ``<# comment #>``;
the line break after a statement and the blanks before it are dropped. An unknown name is an error, so is printing a
bool, a list or free text (a ``str`` question without a ``pattern``) without a filter.

Names at hand: every answer, ``name`` and ``package`` (always asked), ``template.id``, ``template.version``,
``standard.name``, ``standard.version``, ``standard.source`` (what the project's configuration names).
Filters that escape for a place: ``toml yaml json python docstring shell markdown``, ``line`` (as it is: comments, prose),
``package`` (an identifier made of a name); of Jinja's own those in `render.KEPT`.

::

    schema = 1
    id = "ddp"                          # the folder's name
    version = "2026.1"                  # YEAR.N, the folder's name
    title = "…"                         # one line, in --list
    summary = "…"
    extends = ["_shared/2026.1"]        # templates (of this standard or one it extends) whose files, parts, questions and
                                        # tables lie below ours, the first lowest; ids that begin with _ are not listed
    technologies = ["torch"]            # libraries of the standard; one on hold keeps the template from being used
    after = ["cd <@ name @>", "…"]      # commands to show when the project is there

    [[question]]                        # in the order in which they are asked; a later one of the same name replaces
    name = "precision"                  # the variable
    type = "choice"                     # str, choice, multi (some of the choices, in their order), bool, int
    choices = ["bf16", "fp32"]
    default = "bf16"                    # without one the question must be answered; a str may hold <@ earlier answers @>
                                        # and <@ today @> (2026-11-25; what was answered is kept in dlgovern.lock)
    help = "…"
    pattern = "[a-z]+"                  # str: the whole answer; it may then be printed without a filter
    min = 1                             # int; max too
    when = "tracking != 'none'"         # asked only then; else the answer is the default

    [defaults]                          # other defaults for questions of an extended template
    [fixed]                             # answers that are not asked at all

    [[demand]]                          # of the answers together
    that = "precision != 'fp8' or 'onnx' not in export"
    message = "fp8 models cannot be exported to ONNX"

    [[file]]                            # which files: a pattern as in .gitignore, on the name in project/ without .jinja
    path = "launch/*.sbatch"
    owner = "generated"                 # generated: the template's; merged (default): merged by update; seeded: written once
    when = "'slurm' in launchers"       # every table that matches must agree; of owner and executable the last says
    executable = true

    [[promise]]                         # what `dlgovern verify` runs, in this order, in the project's folder
    name = "resume"                     # ``work`` is at hand here: a folder that exists as long as verify runs
    help = "a resumed run repeats the losses to the bit"
    command = ["torchrun", "--standalone", "--nproc-per-node=2", "-m", "<@ package @>.train", "--set", "run.dir=<@ work @>/again", "--resume"]
    environment = { OMP_NUM_THREADS = "1" }
    when = "resume == 'bitwise'"
    after = ["train", "stop"]           # not run where one of these was not kept
    seconds = 300                       # it is stopped then, and the promise is broken
    keep = ["<@ work @>/again/*.jsonl"] # files whose SHA-256 joins the evidence
    [[promise.check]]                   # besides exit code 0; each may have a `when`
    kind = "same"                       # JSON lines: the same values of `key`, to the bit (or up to `limit`)
    file = "<@ work @>/again/metrics.jsonl"
    other = "<@ work @>/whole/metrics.jsonl"
    key = "loss"
                                        # falling: file key · at-most: file key limit · equals: file key value ·
                                        # exists: file · output: pattern · clean: the command was `dlgovern check … --output-format
                                        # json`, and there is no finding, no excuse, and nothing that was not judged

``python``, ``torchrun``, ``pytest`` and ``dlgovern`` in a command mean those of the project's environment (``.venv``, else
that of dlgovern), and the dlgovern that runs.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dlgovern.standard.tables import Line

Variable = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Owner = Literal["generated", "merged", "seeded"]
Answer = str | bool | int | list[str]

VERSION = r"^20[0-9]{2}\.[0-9]{1,4}$"
TAKEN = frozenset({"template", "standard", "today", "init", "main"})
"""Variables that no question may be called by."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Question(_Strict):
    """One thing to be answered before a project can be made."""

    name: Variable
    type: Literal["str", "choice", "multi", "bool", "int"]
    help: Line
    choices: list[str] = []
    default: Answer | None = None
    pattern: str = ""
    min: int | None = None
    max: int | None = None
    when: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Question:
        if self.name in TAKEN:
            raise ValueError(f"{self.name!r} is taken")
        if (self.type in ("choice", "multi")) != bool(self.choices):
            raise ValueError("choice and multi have choices, the others have none")
        if self.pattern and self.type != "str":
            raise ValueError("only a str has a pattern")
        if self.when and self.default is None:
            raise ValueError("a question that is not always asked needs a default")
        return self


class FileTable(_Strict):
    """What holds for the files that a pattern names."""

    path: Line
    owner: Owner | None = None
    when: str = ""
    executable: bool | None = None


class Demand(_Strict):
    """What must hold between answers."""

    that: Line
    message: Line


class Check(_Strict):
    """One thing to look at when a promise's command has ended. Strings are rendered."""

    kind: Literal["falling", "same", "at-most", "equals", "exists", "output", "clean"]
    file: str = ""  # JSON, or JSON lines, below the project or absolute
    key: str = ""  # dotted way into it; in JSON lines, into each line that has it
    other: str = ""  # same: the second file
    limit: float = 0.0  # at-most: the largest value; same: the largest difference, 0 for the same bits
    value: str | bool | int | float | None = None  # equals
    pattern: str = ""  # output: a regular expression to be found in what the command printed
    when: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Check:
        needs = {"falling": "file key", "same": "file key other", "at-most": "file key", "equals": "file key", "exists": "file", "output": "pattern"}
        if missing := [word for word in needs.get(self.kind, "").split() if not getattr(self, word)]:
            raise ValueError(f"{self.kind} needs {', '.join(missing)}")
        return self


class Promise(_Strict):
    """A command that must succeed in a new project, and what it must have brought about."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    help: Line = ""
    command: list[str] = Field(min_length=1)  # words, each rendered; no shell
    environment: dict[str, str] = {}
    when: str = ""
    after: list[str] = []  # promises without which this one cannot be kept
    seconds: float = Field(default=300, gt=0)
    check: list[Check] = []
    keep: list[str] = []  # files whose hashes are evidence, as patterns below the project or {work}


class TemplateFile(_Strict):
    """``template.toml``."""

    schema_: Literal[1] = Field(alias="schema")
    id: Annotated[str, StringConstraints(pattern=r"^_?[a-z0-9]+(-[a-z0-9]+)*$")]
    version: Annotated[str, StringConstraints(pattern=VERSION)]
    title: Line
    summary: str = ""
    extends: list[str] = []
    technologies: list[str] = []
    after: list[str] = []
    question: list[Question] = []
    defaults: dict[str, Answer] = {}
    fixed: dict[str, Answer] = {}
    demand: list[Demand] = []
    file: list[FileTable] = []
    promise: list[Promise] = []
