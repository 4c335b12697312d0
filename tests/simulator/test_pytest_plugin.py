"""The plugin as pytest loads it where the package is installed."""

import subprocess
import sys

import pytest

# What the runs within this one would import each for itself.
import hourglass_simulator.testing  # noqa: F401

pytest_plugins = ["pytester"]

HEAVY = """
import sys

def test_nothing_is_imported_that_no_fixture_needs():
    loaded = sorted(name for name in sys.modules if name.startswith("hourglass"))
    assert loaded == ["hourglass_simulator", "hourglass_simulator.pytest_plugin"]
    assert not {"aiohttp", "kopf", "kubernetes", "pydantic", "yaml"} & sys.modules.keys()
"""


def run(pytester: pytest.Pytester, test: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test)
    return pytester.runpytest_inprocess("-p", "no:hypothesispytest", "-p", "no:cov", *arguments)


def test_other_runs_import_nothing(pytester: pytest.Pytester) -> None:
    file = pytester.makepyfile(HEAVY)
    # In a process of its own; the plugins of this project's other dependencies import much.
    only = ["-p", "hourglass_simulator.pytest_plugin", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *only, str(file)],
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_pytest_finds_it_by_itself(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.has_plugin("hourglass-simulator")


def test_a_cluster_is_as_the_markers_say(pytester: pytest.Pytester) -> None:
    pytester.makefile(
        ".yaml",
        widgets="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}",
        own="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}",
    )
    pytester.makeini(
        "[pytest]\nsimulated_kubernetes = 1.37\nsimulated_manifests = widgets.yaml\n"
        "addopts = --strict-markers"
    )
    ran = run(
        pytester,
        """
        import pytest

        pytestmark = pytest.mark.simulated_cluster(nodes=1, kubernetes="1.34")

        def version(cluster):
            return cluster.get("Node", "node-1")["status"]["nodeInfo"]["kubeletVersion"][:5]

        def names(cluster):
            return [found["metadata"]["name"] for found in cluster.list("cm", "default")]

        def test_of_the_module(simulated_cluster):
            assert version(simulated_cluster) == "v1.34"
            assert len(simulated_cluster.list("Node")) == 1
            assert names(simulated_cluster) == ["all", "kube-root-ca.crt"]

        @pytest.mark.simulated_cluster(nodes=2, manifests=["own.yaml"])
        def test_of_its_own(simulated_cluster):
            assert version(simulated_cluster) == "v1.34"
            assert len(simulated_cluster.list("Node")) == 2
            assert names(simulated_cluster) == ["all", "kube-root-ca.crt", "own"]
        """,
    )
    ran.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("ini", "arguments", "version"),
    [
        ("", [], "v1.37"),
        ("simulated_kubernetes = 1.34", [], "v1.34"),
        ("simulated_kubernetes = 1.34", ["--simulated-kubernetes", "1.37"], "v1.37"),
    ],
    ids=["the newest", "that of the configuration", "that of the command line"],
)
def test_without_a_marker_the_version_is(
    pytester: pytest.Pytester, ini: str, arguments: list[str], version: str
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")
    test = f"""
        def test_it(simulated_cluster):
            node = simulated_cluster.get("Node", "node-1")
            assert node["status"]["nodeInfo"]["kubeletVersion"].startswith({version!r})
        """
    run(pytester, test, *arguments).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("marked", "said"),
    [("node=3", ": node: unknown option; expected one of "), ("3", " takes keywords only")],
    ids=["an option that there is not", "one without a name"],
)
def test_a_mistake_in_a_marker_is_named(pytester: pytest.Pytester, marked: str, said: str) -> None:
    test = f"""
        import pytest

        @pytest.mark.simulated_cluster({marked})
        def test_it(simulated_cluster):
            pass
        """
    ran = run(pytester, test)
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines([f"*@pytest.mark.simulated_cluster{said}*"])
    assert "Traceback" not in ran.stdout.str()


def test_a_test_that_fails_shows_what_happened(pytester: pytest.Pytester) -> None:
    ran = run(
        pytester,
        """
        def test_it(simulated_cluster):
            simulated_cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: a}}")
            assert 1 == 2
        """,
    )
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*simulated cluster*", "*Namespace a  created (by test)"])


def test_one_that_passes_shows_nothing(pytester: pytest.Pytester) -> None:
    ran = run(pytester, "def test_it(simulated_cluster): pass", "-rA")
    ran.assert_outcomes(passed=1)
    assert "- simulated cluster -" not in ran.stdout.str()
