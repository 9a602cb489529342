"""The offline bundle: what goes in, and what its install script does and refuses, all without a network."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import bundle  # noqa: E402
import bundle_debs  # noqa: E402
import bundle_targets  # noqa: E402
import bundle_wheels  # noqa: E402

TABLE = bundle_targets.read_table()
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def own_arch() -> str:
    if shutil.which("dpkg"):
        asked = ["dpkg", "--print-architecture"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return platform.machine()


def small_wheel(to: Path, version: str) -> Path:
    """A wheel named ayni whose program only knows its version."""
    info = f"ayni-{version}.dist-info"
    files = {
        "ayni_agent/__init__.py": f"def main():\n    print('ayni {version}')\n",
        "ayni_hub/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: ayni\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nayni = ayni_agent:main\n",
    }
    made = to / f"ayni-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in files) + f"{info}/RECORD,,\n")
    return made


_SMALL_PIP = """
import pathlib, sys, sysconfig, zipfile
to = pathlib.Path(sysconfig.get_path("purelib"))
for word in sys.argv:
    if word.endswith(".whl"):
        zipfile.ZipFile(word).extractall(to)
program = pathlib.Path(sysconfig.get_path("scripts"), "ayni")
program.write_text(f"#!{sys.executable}\\nfrom ayni_agent import main; main()\\n")
program.chmod(0o755)
"""


@pytest.fixture(scope="module")
def pip_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What takes the place of pip in these tests: quick, and enough for the one wheel here."""
    made = tmp_path_factory.mktemp("pip") / "pip-0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("pip/__main__.py", _SMALL_PIP)
    return made


class Bundle:
    """A bundle in a folder, for the machine that runs the tests, and a root to install it below."""

    def __init__(self, folder: Path, pip_wheel: Path, root: Path, version: str = "1.0", **about: str) -> None:
        self.folder, self.root = folder, root
        wheels = folder / "wheels"
        wheels.mkdir(parents=True)
        small = small_wheel(wheels, version)
        shutil.copy(pip_wheel, wheels)
        (folder / "debs").mkdir()
        for part in ("agent", "hub"):
            (wheels / f"{part}.list").write_text(f"{small.name}\n")
            (folder / "debs" / f"{part}.list").write_text("")
        self.put("files/agent/etc/systemd/system/ayni-agent.service", f"# {version}\n")
        self.put(f"files/agent/etc/only-{version}", "x\n")
        self.put("files/hub/etc/systemd/system/ayni-hub.service", f"# {version}\n")
        self.put("beside/machine/doc/deploying.md", "read\n")
        said = {
            "version": version, "arch": own_arch(), "debian": "bookworm", "python": PYTHON,
            "parts": "agent hub", "units_agent": "ayni-agent.service", "needs_agent": "/etc/ayni/agent.yaml",
            "needs_kb_agent": "100",
            "units_hub": "ayni-hub.service", "needs_hub": "", "needs_kb_hub": "100",
        } | about  # fmt: skip
        self.put("about", "".join(f"{key}={value}\n" for key, value in said.items()))
        for name in ("install", "uninstall"):
            shutil.copy(ROOT / "deploy" / "bundle" / name, folder / name)
        self.seal()
        (root / "etc").mkdir(parents=True, exist_ok=True)
        (root / "etc" / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')

    def put(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def seal(self) -> None:
        (self.folder / "manifest").unlink(missing_ok=True)
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(self.folder)}\n"
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        ]
        (self.folder / "manifest").write_text("".join(lines))

    def install(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(self.folder / "install"), "--root", str(self.root), *words]
        # The Python that the bundle says it is for comes first.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def whole(tmp_path: Path, pip_wheel: Path) -> Bundle:
    return Bundle(tmp_path / "bundle", pip_wheel, tmp_path / "root")


def test_a_changed_file_is_refused_by_name(whole: Bundle) -> None:
    whole.put("files/agent/etc/systemd/system/ayni-agent.service", "ExecStart=/bin/evil\n")
    done = whole.install("agent")
    assert done.returncode == 1
    assert "not as it was made: files/agent/etc/systemd/system/ayni-agent.service" in done.stderr
    assert not (whole.root / "opt").exists()


def test_a_file_that_the_manifest_does_not_name_is_refused(whole: Bundle) -> None:
    whole.put("files/agent/etc/cron.d/extra", "* * * * * root evil\n")
    done = whole.install("agent")
    assert done.returncode == 1
    assert "files that its manifest does not name" in done.stderr


def test_a_missing_file_is_refused(whole: Bundle) -> None:
    (whole.folder / "uninstall").unlink()
    assert whole.install("agent").returncode == 1


def test_another_bundle_than_the_expected_one_is_refused(whole: Bundle) -> None:
    done = whole.install("agent", "--expect", "0" * 64)
    assert done.returncode == 1
    assert "another bundle than the one expected" in done.stderr
    number = hashlib.sha256((whole.folder / "manifest").read_bytes()).hexdigest()
    assert whole.install("agent", "--check", "--expect", number).returncode == 0


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"arch": "s390x"}, "the bundle is for s390x"),
        ({"python": "3.9"}, "the bundle is for 3.9"),
        ({"debian": "trixie"}, "this machine has Debian bookworm, the bundle is for trixie"),
        ({"needs_kb_agent": "99999999999"}, "are needed"),
        ({"parts": "hub"}, "the part agent is needed here, and the bundle has only: hub"),
    ],
)
def test_a_machine_that_does_not_fit_is_told_why(
    tmp_path: Path, pip_wheel: Path, about: dict[str, str], told: str
) -> None:
    done = Bundle(tmp_path / "bundle", pip_wheel, tmp_path / "root", **about).install("agent")
    assert done.returncode == 1
    assert told in done.stderr
    assert not (tmp_path / "root" / "opt").exists()


@pytest.mark.parametrize("words", [(), ("gateway",), ("--expect",)])
def test_wrong_use_ends_with_2(whole: Bundle, words: tuple[str, ...]) -> None:
    done = whole.install(*words)
    assert done.returncode == 2
    assert "agent|hub|console|web" in done.stderr


def test_check_says_what_would_be_done_and_does_nothing(whole: Bundle) -> None:
    done = whole.install("--check", "agent")
    assert "would install agent as /opt/ayni/1.0" in done.stderr
    assert done.stdout.splitlines()[-2:] == ["version 1.0", "changed"]
    assert not (whole.root / "opt").exists()


def test_install_again_upgrade_and_roll_back(tmp_path: Path, pip_wheel: Path) -> None:
    """Again changes nothing; a new version brings its files and takes the old ones; back brings those."""
    root = tmp_path / "root"
    opt = root / "opt" / "ayni"
    unit = root / "etc" / "systemd" / "system" / "ayni-agent.service"
    old = Bundle(tmp_path / "old", pip_wheel, root, "1.0")

    first = old.install("agent")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[-2:] == ["version 1.0", "changed"]
    assert (opt / "current").readlink() == Path("1.0")
    assert (root / "usr/local/bin/ayni").readlink() == Path("/opt/ayni/current/bin/ayni")
    assert unit.read_text() == "# 1.0\n"
    assert not (root / "etc/systemd/system/ayni-hub.service").exists()
    assert (opt / "1.0/doc/deploying.md").exists()
    installed = {path.name for path in (opt / "1.0/lib" / f"python{PYTHON}" / "site-packages").iterdir()}
    assert installed == {"ayni-1.0.dist-info", "ayni_agent", "ayni_hub"}, "no pip, no setuptools"
    packages = opt / "1.0/lib" / f"python{PYTHON}" / "site-packages"
    assert list(packages.glob("ayni_agent/__pycache__/*.pyc")), "services cannot compile it later"
    assert not list(packages.glob("ayni_hub/__pycache__/*.pyc")), "not run here, not compiled"

    assert old.install("agent").stdout.splitlines()[-2:] == ["version 1.0", "unchanged"]

    new = Bundle(tmp_path / "new", pip_wheel, root, "1.1")
    beside = new.install("agent", "--no-switch")
    assert beside.stdout.splitlines()[-2:] == ["version 1.1", "changed"]
    assert (opt / "current").readlink() == Path("1.0")
    assert unit.read_text() == "# 1.0\n"

    assert new.install("agent").returncode == 0
    assert (opt / "current").readlink() == Path("1.1")
    assert (opt / "previous").readlink() == Path("1.0")
    assert unit.read_text() == "# 1.1\n"
    assert not (root / "etc/only-1.0").exists()

    kept = opt / "current/deploy/install"
    command = ["sh", str(kept), "--root", str(root), "--roll-back"]
    back = subprocess.run(command, capture_output=True, text=True, check=False)
    assert back.stdout.splitlines() == ["version 1.0", "changed"]
    assert (opt / "current").readlink() == Path("1.0")
    assert (opt / "previous").readlink() == Path("1.1")
    assert unit.read_text() == "# 1.0\n"
    assert (root / "etc/only-1.0").exists()
    assert not (root / "etc/only-1.1").exists()


def test_another_build_of_the_same_version_does_not_touch_the_one_in_use(
    tmp_path: Path, pip_wheel: Path
) -> None:
    """A part that comes later, or another build, goes beside; parts that were there stay."""
    root = tmp_path / "root"
    opt = root / "opt" / "ayni"
    same = Bundle(tmp_path / "bundle", pip_wheel, root)
    assert same.install("agent").returncode == 0
    before = (opt / "1.0/bin/ayni").stat().st_ino
    later = same.install("hub")
    assert later.stdout.splitlines()[-2:] == ["version 1.0-2", "changed"]
    assert (opt / "1.0/bin/ayni").stat().st_ino == before
    assert (opt / "current/deploy/parts").read_text() == "agent hub\n"
    assert (root / "etc/systemd/system/ayni-hub.service").exists()
    (same.folder / "about").write_text((same.folder / "about").read_text().replace("agent hub", "hub"))
    same.seal()
    assert "the part agent is needed here" in same.install("hub").stderr


def test_nothing_to_roll_back_to_is_told(whole: Bundle) -> None:
    done = whole.install("--roll-back")
    assert done.returncode == 1
    assert "there is no version before" in done.stderr


def test_the_same_content_is_packed_to_the_same_octets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    digests = []
    for name, when in (("a", 1), ("b", 2_000_000_000)):
        folder = tmp_path / name / "ayni-1"
        (folder / "wheels").mkdir(parents=True)
        (folder / "wheels" / "x.whl").write_bytes(b"x")
        (folder / "install").write_text("#!/bin/sh\n")
        (folder / "install").chmod(0o755)
        os.utime(folder / "install", (when, when))
        digests.append(
            (bundle.pack(folder, tmp_path / f"{name}.tar"), (tmp_path / f"{name}.tar").read_bytes())
        )
    assert digests[0] == digests[1]
    with tarfile.open(tmp_path / "a.tar") as archive:
        assert archive.getmember("ayni-1/install").mode == 0o755
        assert "ayni-1/manifest" in archive.getnames()


def test_the_table_names_what_there_is() -> None:
    """Every file, extra and unit that targets.toml names exists, and every package of Debian will do."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for file in TABLE.files:
        assert file.source.is_file(), file
        assert file.part in {*TABLE.parts, bundle_targets.MACHINE}
    for part in TABLE.parts.values():
        assert set(part.extras) <= set(extras)
        installed = {Path(file.to).name for file in TABLE.files if file.part == part.name}
        assert set(part.units) <= installed
    wanted = bundle_targets.requirements(tuple(extras))
    for each in map(bundle_wheels.Requirement, wanted):
        package = TABLE.debian_packages.get(bundle_targets.plain(each.name))
        for version in package.versions.values() if package else ():
            assert each.specifier.contains(version), f"{each} against Debian's {version}"


def wheel_of(name: str, version: str, *requires: str) -> bundle_wheels.Wheel:
    asked = tuple(bundle_wheels.Requirement(each) for each in requires)
    return bundle_wheels.Wheel(
        path=Path(f"{name}.whl"), name=name, version=version, requires=asked, unpacked=1
    )


def test_markers_are_answered_for_the_other_machine() -> None:
    """pip asks them about the machine that it runs on; here the target answers."""
    found = {
        "a": wheel_of("a", "1", "only-old; python_version < '3.13'", "deep[more]; extra == 'x'", "yaml"),
        "deep": wheel_of("deep", "2", "deeper>=1; extra == 'more'", "never; sys_platform == 'win32'"),
        "deeper": wheel_of("deeper", "1"),
    }
    old, new = (TABLE.target("armv7l", debian=debian) for debian in ("bookworm", "trixie"))
    plainly = bundle_wheels.needed(["a[x]"], found, new, {"yaml"})
    assert [wheel.name for wheel in plainly.wheels] == ["a", "deep", "deeper"]
    assert plainly.missing == ()
    assert plainly.elsewhere == {"yaml"}
    assert bundle_wheels.needed(["a"], found, old, {"yaml"}).missing == ("only-old",)
    assert bundle_wheels.needed(["deep>=3"], found, new, ()).missing == ("deep>=3",)


def test_a_stand_in_is_a_wheel_of_debians_version(tmp_path: Path) -> None:
    package = TABLE.debian_packages["cryptography"]
    made = bundle_wheels.read_wheel(bundle_wheels.stand_in(package, "bookworm", tmp_path))
    assert (made.name, made.version) == ("cryptography", "38.0.4+debian")


@pytest.mark.parametrize(
    ("arch", "debian", "python", "told"),
    [
        ("mips", None, None, 'architecture "mips" is none of aarch64, armv7l, x86_64'),
        ("armv7l", "buster", None, 'Debian "buster" is none of bookworm, trixie'),
        ("armv7l", None, "3.9", 'Python "3.9" is none of 3.11, 3.13'),
        ("armv7l", "bookworm", "3.13", "Debian bookworm has Python 3.11, not 3.13"),
    ],
)
def test_a_target_that_there_is_not_is_told(
    arch: str, debian: str | None, python: str | None, told: str
) -> None:
    with pytest.raises(bundle_targets.TargetError, match=told):
        TABLE.target(arch, debian=debian, python=python)


@pytest.mark.parametrize(
    ("version", "bare"),
    [("38.0.4-3+deb12u1", "38.0.4"), ("1:9.2p1-2", "9.2p1"), ("6.0-3+b2", "6.0"), ("2.0.11", "2.0.11")],
)
def test_debians_own_numbers_are_taken_off_a_version(version: str, bare: str) -> None:
    assert bundle_debs.upstream(version) == bare
