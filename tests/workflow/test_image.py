"""The container image: built from containers/Dockerfile, and a study computed in it.

CONTAINER_ENGINE names docker, podman or buildah; by default the first of them that is installed. BUILD_ARGUMENTS are
further arguments of its `build`, such as those for a mirror of packages.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from small_study import DATA, REPOSITORY, Study, make_study

ENGINES = (os.environ["CONTAINER_ENGINE"],) if "CONTAINER_ENGINE" in os.environ else ("docker", "podman", "buildah")
ENGINE = next((name for name in ENGINES if shutil.which(name)), "")
IMAGE = "localhost/lora-tuning-diagnostics:tested"
USER = 23456  # nobody's ID, as on a machine whose users the image does not know

pytestmark = [pytest.mark.image, pytest.mark.skipif(not ENGINE, reason=f"needs one of {', '.join(ENGINES)}")]


def engine(*arguments: str) -> str:
    done = subprocess.run([ENGINE, *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image() -> str:
    engine(
        "build", "-f", "containers/Dockerfile", "-t", IMAGE, *shlex.split(os.environ.get("BUILD_ARGUMENTS", "")), "."
    )
    return IMAGE


def run(image: str, study: Study) -> None:
    """Run the image's own command in a study."""
    user = USER if os.getuid() == 0 else os.getuid()
    if os.getuid() == 0:
        subprocess.run(["chown", "-R", str(user), str(study.folder)], check=True)
    options = [
        *("--user", f"{user}:{user}", "--volume", f"{study.folder}:/study"),
        *("--volume", f"{DATA}:{DATA}:ro"),  # the study has links to it
    ]
    if ENGINE == "buildah":  # it has containers for building only, and does not run an image's command
        text = (REPOSITORY / "containers/Dockerfile").read_text()
        command = [
            part
            for name in ("ENTRYPOINT", "CMD")
            for found in re.findall(rf"^{name} (.*)$", text, re.MULTILINE)
            for part in json.loads(found)
        ]
        engine("run", *options, engine("from", "--pull-never", image), "--", *command)
    else:
        engine("run", "--rm", *options, image)


def test_a_study_has_the_same_results_in_the_image_and_outside(image: str, computed: Study, tmp_path: Path) -> None:
    study = make_study(tmp_path / "a study in the image")
    run(image, study)
    assert study.digests() == computed.digests()
    assert study.stale_rules() == set()
