"""`python -m tuntas_tools.k8s`: finds or builds kustomize, applies, compares, tries, and says what is wrong in a sentence."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.k8s_manifests import K8S, kustomize
from tuntas_operations.errors import MissingProgram
from tuntas_tools.k8s.__main__ import main
from tuntas_tools.k8s.cluster import NEEDED_CRDS, Cluster, ClusterRefuses
from tuntas_tools.k8s.generated import differences, generate
from tuntas_tools.k8s.kustomize import VARIABLE, VERSION, DoesNotRender, find_kustomize
from tuntas_tools.k8s.overlays import UnknownOverlay, namespace_of, overlay_names, parts
from tuntas_tools.k8s.trial import Trial

pytestmark = pytest.mark.timeout(1200)  # the first one builds kustomize where the machine has none

KUBECTL = """
import json, os, sys
folder = os.environ["FAKE_CLUSTER"]
words = sys.argv[3:]
text = sys.stdin.read() if "--filename=-" in words else ""
with open(f"{folder}/calls.jsonl", "a") as file:
    file.write(json.dumps({"words": words, "kinds": text.count("\\nkind: ") + text.startswith("kind: ")}) + "\\n")
behaviour = json.load(open(f"{folder}/behaviour.json"))
answer = behaviour.get(" ".join(words[:2]), behaviour.get(words[0], {}))
sys.stdout.write(answer.get("out", ""))
sys.stderr.write(answer.get("err", ""))
sys.exit(answer.get("status", 0))
"""


class FakeCluster:
    """A kubectl that writes down what it is asked, and answers as configured."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        (folder / "kubectl.py").write_text(KUBECTL, encoding="utf-8")
        self.kubectl = program(folder / "kubectl", f'exec {shlex.quote(sys.executable)} {shlex.quote(str(folder / "kubectl.py"))} "$@"')
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.touch()
        monkeypatch.setenv("FAKE_CLUSTER", str(folder))
        monkeypatch.setenv("TUNTAS_KUBECTL", str(self.kubectl))
        self.answers()

    def answers(self, **behaviour: dict[str, object]) -> None:
        crds = json.dumps({"items": [{"metadata": {"name": name}} for name in NEEDED_CRDS]})
        answers = {"get crds": {"out": crds}, **{words.replace("_", " "): answer for words, answer in behaviour.items()}}
        (self._folder / "behaviour.json").write_text(json.dumps(answers), encoding="utf-8")

    @property
    def calls(self) -> list[list[str]]:
        file = self._folder / "calls.jsonl"
        return [json.loads(line)["words"] for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def program(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    return FakeCluster(tmp_path, monkeypatch)


def verbs(cluster: FakeCluster) -> list[str]:
    return [call[0] if not call[0].startswith("--") else call[2] for call in cluster.calls]


def test_apply_gives_every_part_to_the_cluster_in_order(cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(K8S), "apply", "dev", "--kubeconfig", str(cluster.kubeconfig)]) == 0
    (call,) = cluster.calls
    assert call == ["apply", "--server-side", "--field-manager=tuntas", "--force-conflicts", "--filename=-"]
    assert capsys.readouterr().out == "applied overlays/dev\n"


def test_apply_shows_the_warnings_of_the_cluster(cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.answers(apply={"err": "Warning: would violate PodSecurity\n"})
    assert main(["--root", str(K8S), "apply", "dev", "--kubeconfig", str(cluster.kubeconfig)]) == 0
    assert "would violate PodSecurity" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "status"), [({}, 0), ({"out": "-old\n+new\n", "status": 1}, 1)])
def test_diff_says_whether_anything_would_change(
    answer: dict[str, object], status: int, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.answers(diff=answer)
    assert main(["--root", str(K8S), "diff", "dev", "--kubeconfig", str(cluster.kubeconfig)]) == status
    assert capsys.readouterr().out == answer.get("out", "")


def test_what_a_cluster_refuses_is_said(cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.answers(diff={"err": "error: connection refused\n", "status": 2})
    assert main(["--root", str(K8S), "diff", "dev", "--kubeconfig", str(cluster.kubeconfig)]) == 1
    assert capsys.readouterr().err == "kubectl diff: error: connection refused\n"


def test_a_trial_applies_waits_compares_and_removes(cluster: FakeCluster) -> None:
    trial = Trial(Cluster(str(cluster.kubectl), cluster.kubeconfig), kustomize(), lambda _: None)
    trial.prepare([])
    assert trial.overlay(K8S, "dev") == []
    assert verbs(cluster) == ["get", "get", "apply", "apply", "wait", "wait", "diff", "delete"]
    assert cluster.calls[-1][:3] == ["delete", "namespace", "tuntas-dev"]


def test_a_trial_reports_warnings_and_differences_and_removes_all_the_same(cluster: FakeCluster) -> None:
    cluster.answers(apply={"err": "Warning: deprecated\n"}, diff={"out": "+x", "status": 1})
    faults = Trial(Cluster(str(cluster.kubectl), cluster.kubeconfig), kustomize(), lambda _: None).overlay(K8S, "dev")
    assert [fault.split(":")[0] for fault in faults] == ["overlays/dev", "overlays/dev differs right after it was applied"]
    assert verbs(cluster)[-1] == "delete"


def test_a_trial_touches_no_namespace_that_is_there(cluster: FakeCluster) -> None:
    cluster.answers(get_namespace={"out": "namespace/tuntas\n"})
    with pytest.raises(ClusterRefuses, match="has a namespace tuntas: a trial would overwrite and delete it"):
        Trial(Cluster(str(cluster.kubectl), cluster.kubeconfig), kustomize()).overlay(K8S, "production")
    assert verbs(cluster) == ["get"]


def test_a_trial_names_the_kinds_that_the_cluster_lacks(cluster: FakeCluster) -> None:
    cluster.answers(get_crds={"out": json.dumps({"items": []})})
    with pytest.raises(ClusterRefuses, match=r"lacks clusters\.postgresql\.cnpg\.io, .* install the operators"):
        Trial(Cluster(str(cluster.kubectl), cluster.kubeconfig), kustomize()).prepare([])


def test_overlays_and_their_parts() -> None:
    assert overlay_names(K8S) == ["dev", "production", "staging"]
    assert [part.relative_to(K8S).as_posix() for part in parts(K8S, "production")] == [
        "overlays/production",
        "overlays/production/agencies",
    ]
    assert namespace_of(K8S, "staging") == "tuntas-staging"
    with pytest.raises(UnknownOverlay, match="'prod': choose one of dev, production, staging"):
        parts(K8S, "prod")


def test_a_missing_kubeconfig_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setenv("TUNTAS_KUBECTL", str(program(tmp_path / "kubectl", "exit 0")))
    assert main(["--root", str(K8S), "apply", "dev", "--kubeconfig", str(tmp_path / "none")]) == 1
    assert "there is no kubeconfig" in capsys.readouterr().err


def test_what_is_out_of_date_is_named_and_written(tmp_path: Path) -> None:
    assert len(differences(tmp_path)) == len(generate(tmp_path)) == 4
    assert differences(tmp_path) == []
    users = tmp_path / "platform" / "kafka" / "generated" / "users.yaml"
    users.write_text(users.read_text(encoding="utf-8").replace("[Read, Write]", "[All]"), encoding="utf-8")
    (fault,) = differences(tmp_path)
    assert fault.startswith("platform/kafka/generated/users.yaml is out of date")


def test_a_kustomize_that_is_named_is_taken() -> None:
    assert find_kustomize({VARIABLE: "/opt/kustomize"}).command == ("/opt/kustomize", "build")


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("kustomize", "echo v5.6.0", ("kustomize", "build")),
        ("kustomize", "echo '{Version:kustomize/v4.5.7 GitCommit:x}'", ()),
        ("kubectl", """echo '{"kustomizeVersion":"v5.7.1"}'""", ("kubectl", "kustomize")),
        ("kubectl", """echo '{"kustomizeVersion":"v5.0.4"}'""", ()),
        ("kubectl", "exit 1", ()),
    ],
)
def test_one_on_the_path_is_taken_where_it_is_recent(name: str, line: str, words: tuple[str, ...], tmp_path: Path) -> None:
    program(tmp_path / name, line)
    built: list[Path] = []
    found = find_kustomize({"PATH": str(tmp_path)}, cache=tmp_path / "cache", build=built.append)
    if words:
        assert found.command == (str(tmp_path / words[0]), words[1])
        assert built == []
    else:
        assert built == [tmp_path / "cache" / f"kustomize-{VERSION}" / "kustomize"]


def test_one_that_was_built_is_not_built_again(tmp_path: Path) -> None:
    there = tmp_path / f"kustomize-{VERSION}" / "kustomize"
    there.parent.mkdir()
    program(there, "exit 0")
    assert find_kustomize({"PATH": ""}, cache=tmp_path, build=_must_not_be_called).command == (str(there), "build")


def _must_not_be_called(target: Path) -> None:
    raise AssertionError(f"{target} is there")


def test_where_none_can_be_had_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "go", "echo no network >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(MissingProgram, match=f"could not be built: no network: install kustomize or kubectl, or name one in {VARIABLE}"):
        find_kustomize({"PATH": str(tmp_path)}, cache=tmp_path / "cache")


def test_what_does_not_render_is_said(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [missing.yaml]\n", encoding="utf-8")
    with pytest.raises(DoesNotRender, match=r"missing\.yaml"):
        kustomize().build(tmp_path)
