"""Container recipes: from the pinned requirements, with all of the workflow, and without root."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_study import REPOSITORY

DOCKERFILE = (REPOSITORY / "containers/Dockerfile").read_text()
KUBERNETES = REPOSITORY / "containers/kubernetes.yaml"
APPTAINER = (REPOSITORY / "containers/apptainer.def").read_text()
WORKFLOW = {"Snakefile", "src", "rules", "scripts", "envs", "profiles", "report", "requirements.txt", "pyproject.toml"}


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, REPOSITORY / "containers/Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_both_have_the_whole_workflow() -> None:
    copied = {name for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M) for name in line.split()}
    assert copied >= WORKFLOW
    assert {source for source, _ in re.findall(r"^    (\S+) /opt/lora/(\S+)$", APPTAINER, re.M)} >= WORKFLOW
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} >= WORKFLOW
    assert all((REPOSITORY / name).exists() for name in copied)


def test_both_start_from_one_pinned_image_and_install_the_pins() -> None:
    (docker,), (apptainer,) = (
        re.findall(r"^FROM (\S+)$", DOCKERFILE, re.M),
        re.findall(r"^From: (\S+)$", APPTAINER, re.M),
    )
    assert docker == apptainer
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", docker)
    for text in (DOCKERFILE, APPTAINER):
        assert "grep '^torch==' requirements.txt" in text
        assert "-r requirements.txt" in text
        assert "pip install torch" not in text


def test_the_image_does_not_run_as_root() -> None:
    instructions = re.findall(r"^([A-Z]+) (.*)$", DOCKERFILE, re.M)
    users = [value for name, value in instructions if name == "USER"]
    assert users == ["1000"]
    assert [name for name, _ in instructions].index("USER") > max(
        n for n, (name, _) in enumerate(instructions) if name == "RUN"
    )


def test_a_kubernetes_job_runs_the_image_as_the_image_s_user_in_the_study_s_folder() -> None:
    pod = yaml.safe_load(KUBERNETES.read_text())["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert [str(pod["securityContext"]["runAsUser"])] == re.findall(r"^USER (.*)$", DOCKERFILE, re.M)
    assert [container["volumeMounts"][0]["mountPath"]] == re.findall(r"^WORKDIR (.*)$", DOCKERFILE, re.M)[-1:]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert container["args"][1] == container["resources"]["requests"]["cpu"]
    assert container["args"][3] == f"gpu={container['resources']['limits']['nvidia.com/gpu']}"


@pytest.mark.parametrize("profile", ["slurm", "generic"])
def test_cluster_profiles_keep_what_the_default_profile_sets(profile: str) -> None:
    def settings(name: str) -> list[str]:
        text = (REPOSITORY / f"profiles/{name}/config.yaml").read_text()
        return [line for line in text.splitlines() if re.match(r"(rerun-|max-checksum|nolock|show-failed)", line)]

    assert settings(profile) == settings("default")
    assert "CHANGE_ME" not in (REPOSITORY / f"profiles/{profile}/config.yaml").read_text()
