"""A file or a dead link in the place of a folder is one message before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.records.base import UserError
from lora.workflow.folders import require_folders

RESULTS = ["results/wer/base/domain.json", "results/verdict.json"]


@pytest.mark.parametrize("folder", ["docs", "work", "work/logs", "results", "results/wer", ".snakemake/metadata"])
def test_what_is_no_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    require_folders(RESULTS)
    path.write_text("mine")
    with pytest.raises(UserError, match=f"^{folder}: a file, where the workflow writes a folder"):
        require_folders(RESULTS)
    path.unlink()
    path.symlink_to("elsewhere")
    with pytest.raises(UserError, match=f"^{folder}: a link to elsewhere, which does not exist"):
        require_folders(RESULTS)
    (path.parent / "elsewhere").mkdir()
    require_folders(RESULTS)
