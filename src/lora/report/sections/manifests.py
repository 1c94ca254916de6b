"""D1: how each manifest was read, and what is done to its recordings before a model hears them."""

from __future__ import annotations

from lora import layout
from lora.formatting import UNKNOWN, listed
from lora.report.markdown import code, table
from lora.report.study import Study


def read_as(study: Study) -> str:
    """A row a manifest; recordings are counted by what resampling and mixing down change."""
    headers = ["manifest", "read as", "columns", "usable rows", "speakers", "resampled", "mixed to one channel"]
    headers.append("one channel taken")
    told_of = [m for m in study.manifests if study.find(layout.MANIFEST_FACTS, manifest=m).value is not None]
    if not told_of:
        return ""  # references alone were read
    rows = [_manifest(study, manifest, _model_rate(study)) for manifest in study.manifests]
    told = "How the manifests were read, and how many recordings are changed before the model hears them:"
    return f"{told}\n\n{table(headers, rows, numbers=range(3, 8))}"


def _manifest(study: Study, manifest: str, rate: int | None) -> list[str]:
    facts = study.find(layout.MANIFEST_FACTS, manifest=manifest).value
    if facts is None:
        return [code(manifest), *[UNKNOWN] * 7]
    other = {field: name for field, name in facts.columns.items() if field != name}
    measures = [m for m in study.table(layout.INTEGRITY, manifest=manifest) if m.get("rate")]
    several = [m for m in measures if m.get("channels") != "1"]
    chosen = sum(bool(m.get("channel")) for m in several)
    return [
        code(manifest),
        code(facts.format) + (f" ({code(facts.split)})" if facts.split else ""),
        listed([f"{field} from {code(name)}" for field, name in other.items()], most=4) if other else "",
        f"{facts.rows:,}",
        UNKNOWN if facts.speakers is None else f"{facts.speakers:,}",
        UNKNOWN if rate is None else f"{sum(m['rate'] != str(rate) for m in measures):,}",
        f"{len(several) - chosen:,}",
        f"{chosen:,}",
    ]


def _model_rate(study: Study) -> int | None:
    """The sampling rate (Hz) that the baseline's model hears, where it is known."""
    for manifest in study.evaluations:
        settings = study.settings("base", manifest).value
        if settings is not None and settings.preprocess and settings.preprocess.get("sampling_rate"):
            return int(settings.preprocess["sampling_rate"])
    return None
