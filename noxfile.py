"""The same steps for people and for CI: `nox -l` lists them."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "kernels", "lint"]
PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All Python tests against a fresh build."""
    session.install(".[test]")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python=False)
@nox.parametrize("preset", ["release", "tsan", "asan"])
def kernels(session: nox.Session, preset: str) -> None:
    """The C++ tests, plain and under sanitizers. Needs doctest (apt install doctest-dev)."""
    session.run("cmake", "--preset", preset, external=True)
    session.run("cmake", "--build", "--preset", preset, external=True)
    session.run("ctest", "--preset", preset, external=True)


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Formatting, lint rules, types, stubs, import contracts."""
    session.install(".[test,lint]", "nanobind>=2.9")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("python", "pyext/stubs.py", "--check")
    session.run("stubtest", "seawall._core", "--allowlist", "pyext/stubtest-allow.txt", "--ignore-disjoint-bases")
    session.run("lint-imports")


@nox.session(python="3.11")
def bench(session: nox.Session) -> None:
    """Compare with rivals and rewrite benchmarks/results. Close everything else first."""
    session.install(".[bench]")
    session.run("python", "-m", "benchmarks.run", "--write", *session.posargs)
    session.run("python", "-m", "benchmarks.load", "--write")
