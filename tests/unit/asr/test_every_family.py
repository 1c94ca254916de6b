"""Every family, with a random model of its real architecture: labels, loss, label audit, adapters."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import ASKED, MAKERS, make_wav2vec2
from tiny_models import make_moonshine, noise
from torch import Tensor

from lora.asr.adapter.configuration import target_modules
from lora.asr.families.granite_speech import LogMel
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.families.speech_model import IGNORED, SpeechModel
from lora.asr.labels.audit import audit_labels
from lora.asr.labels.build import Collator, Labelled, long_labels
from lora.asr.labels.loss import compare_loss
from lora.asr.labels.structure import label_structure
from lora.asr.model_files import describe_model
from lora.asr.model_json import UnusableModel
from lora.asr.model_loading import load_model
from lora.asr.training.data import SpeechRows
from lora.records.base import UserError
from lora.records.manifests import Utterance

torch.set_num_threads(1)
FAMILIES = {"moonshine": make_moonshine} | MAKERS
LLMS = ["voxtral", "granite_speech", "qwen3_asr"]
CTC = ["wav2vec2", "parakeet_ctc"]
TEXTS = ["Go on", "Hello there friend", "What", "Yes"]
Batch = dict[str, Tensor]
SHORT = {"max_new_tokens": 24}


def rows(texts: list[str] = TEXTS) -> SpeechRows:
    made = [
        Utterance(id=f"row-{n}", text=text, duration=length, sampling_rate=16000, samples=noise(n, length).tolist())
        for n, (text, length) in enumerate(zip(texts, (1.1, 1.9, 1.5, 2.4), strict=False))
    ]
    return SpeechRows(made, Path(), 16000, None)


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], SpeechModel]:
    """Load a model; its folder is created once."""
    folders: dict[str, Path] = {}

    def loaded(name: str) -> SpeechModel:
        if name not in folders:
            folders[name] = FAMILIES[name](tmp_path_factory.mktemp("families") / name)
        return load_model(describe_model(str(folders[name]), **ASKED.get(name, {})))

    return loaded


@pytest.fixture(params=FAMILIES)
def speech(request: pytest.FixtureRequest, load: Callable[[str], SpeechModel]) -> SpeechModel:
    return load(request.param)


@pytest.fixture(params=LLMS)
def llm(request: pytest.FixtureRequest, load: Callable[[str], SpeechModel]) -> SpeechModel:
    return load(request.param)


def decode(speech: SpeechModel) -> dict[str, Any]:
    return SHORT if isinstance(speech, SpeechLlm) or speech.family == "whisper" else {}


def batch(speech: SpeechModel, smoothed: bool = False) -> dict[str, Tensor]:
    lengths = (1.1, 1.9, 1.5)
    made = [{"audio": noise(n, length), "text": TEXTS[n]} for n, length in enumerate(lengths)]
    return Collator(speech, smoothed)(made)


def test_hypotheses_do_not_depend_on_the_batch(speech: SpeechModel) -> None:
    audio = [noise(seed, 1.02 + seed * 0.08) for seed in range(4)]
    together = speech.generate(speech.inputs(audio), decode(speech))
    alone = [speech.generate(speech.inputs([samples]), decode(speech)) for samples in audio]
    assert together.texts == [one.texts[0] for one in alone]
    assert together.token_ids == [one.token_ids[0] for one in alone]
    assert len(set(together.texts)) > 1  # the texts differ


def test_the_models_loss_equals_the_loss_by_hand(speech: SpeechModel) -> None:
    made = batch(speech)
    with torch.no_grad():
        own = float(speech.model(**made).loss)
        total, tokens = speech.summed_loss(made)
        if not speech.teacher_forced:  # the mean of utterances, each divided by its length
            losses, lengths = speech.losses(made)  # type: ignore[attr-defined]
            assert own == pytest.approx(float((losses / lengths).mean()), rel=1e-5)
        else:
            assert own == pytest.approx(total / tokens, rel=1e-5)
        assert speech.validation_loss(made)[0] / speech.validation_loss(made)[1] == pytest.approx(total / tokens)
    assert tokens == int(made["labels"].ne(IGNORED).sum())


def test_labels_are_correct_in_every_respect(speech: SpeechModel) -> None:
    structure = label_structure(speech, rows(), decode(speech))
    found = structure.model_dump(exclude={"tokenizer_eos", "generation_eos"})
    shares = {name: share for name, share in found.items() if share is not None}
    assert set(shares.values()) == {1.0}
    assert ("prompt_ignored" in shares) == isinstance(speech, SpeechLlm)
    assert ("only_text" in shares) == (not speech.teacher_forced)


def test_the_label_audit_passes(speech: SpeechModel) -> None:
    facts = audit_labels(speech, rows(), 4, decode(speech), [(0.1, 1), (0.0, 2)])
    assert facts.greedy is not None
    if isinstance(speech, SpeechLlm) or speech.family == "wav2vec2":
        assert facts.greedy.positions > 0
    if facts.greedy.positions:  # what is random bytes, or begins without a blank, comes back in other pieces
        assert facts.greedy.argmax_agreement == 1.0
        assert (facts.greedy.log_probability_gap or 0) < 1e-4
    smoothings = [loss.label_smoothing for loss in facts.losses]
    assert smoothings == ([0.0, 0.0, 0.1] if speech.teacher_forced else [0.0, 0.0])
    for loss in facts.losses:
        averaged = speech.averages_batches and loss.gradient_accumulation > 1 and speech.teacher_forced
        assert loss.trainer == pytest.approx(loss.mean_of_batches if averaged else loss.shift_0, abs=1e-4)
    assert facts.reference_nll is not None
    assert facts.hypothesis_nll is None or facts.hypothesis_nll < facts.reference_nll


def test_a_prompt_that_counts_in_the_loss_is_detected(llm: SpeechModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A common mistake of fine-tuning scripts: labels are a copy of the input ids."""
    right = type(llm).with_labels

    def copied(
        self: SpeechModel, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False
    ) -> dict[str, Tensor]:
        made = right(self, inputs, labels, smoothed)
        return made | {"labels": made["input_ids"].clone()}

    monkeypatch.setattr(type(llm), "with_labels", copied)
    assert label_structure(llm, rows(), SHORT).prompt_ignored == 0


def test_a_prompt_other_than_generations_is_detected(llm: SpeechModel, monkeypatch: pytest.MonkeyPatch) -> None:
    right = type(llm).with_labels

    def other(
        self: SpeechModel, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False
    ) -> dict[str, Tensor]:
        made = right(self, inputs, labels, smoothed)
        ids = made["input_ids"].clone()
        ids[:, 0] += 1
        return made | {"input_ids": ids}

    monkeypatch.setattr(type(llm), "with_labels", other)
    assert label_structure(llm, rows(), SHORT).prompt_ignored == 0


def test_a_loss_without_shift_is_detected(llm: SpeechModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits are compared with the tokens that the model reads instead of those that follow."""
    labelled = Labelled(rows(), TEXTS, [[0, 1, 2]])
    right = compare_loss(llm, labelled)
    forward = type(llm.model).forward

    def unshifted(self: Any, *arguments: Any, **keywords: Any) -> Any:
        made = forward(self, *arguments, **keywords)
        if keywords.get("labels") is not None:
            made.loss = torch.nn.functional.cross_entropy(made.logits.transpose(1, 2), keywords["labels"])
        return made

    monkeypatch.setattr(type(llm.model), "forward", unshifted)
    wrong = compare_loss(llm, labelled)
    assert right is not None
    assert wrong is not None
    assert right.trainer == pytest.approx(right.shift_0, abs=1e-4)
    assert abs((wrong.trainer or 0) - (wrong.shift_0 or 0)) > 2e-3


@pytest.mark.parametrize("name", CTC)
def test_ctc_labels_need_a_frame_per_token(name: str, load: Callable[[str], SpeechModel]) -> None:
    speech = load(name)
    texts = ["a", "ab" * 40, "aa" * 40]
    too_long = long_labels(speech, texts, [3.0, 1.0, 3.0])
    frames = int(speech.frames(speech.inputs([noise(1, 1.0)]))[0])  # type: ignore[attr-defined]
    assert speech.label_capacity(1.0) == frames < 80
    assert 1 in too_long
    assert f"frames for {frames}" in too_long[1]
    assert speech.label_length([5, 5, 6]) == 4
    facts = audit_labels(speech, rows(["a", "ab" * 200, "Yes"]), 4, {})
    assert facts.too_long_ids == ["row-1"]
    assert facts.label_capacity == "frames"


@pytest.mark.parametrize("name", CTC)
def test_ctc_accepts_only_greedy_decoding(name: str, load: Callable[[str], SpeechModel]) -> None:
    speech = load(name)
    inputs = speech.inputs([noise(1, 1.0)])
    assert speech.generate(inputs, {"num_beams": 1, "do_sample": False}) == speech.generate(inputs)
    with pytest.raises(UserError, match=r"num_beams is 4, but .* models decode only greedily"):
        speech.generate(inputs, {"num_beams": 4})


def test_ctc_labels_with_special_tokens_disagree_with_hypotheses(
    load: Callable[[str], SpeechModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels of a tokenizer that was built for a decoder."""
    speech = load("wav2vec2")
    right = type(speech).label_ids
    monkeypatch.setattr(type(speech), "label_ids", lambda self, texts: [[1, *ids, 2] for ids in right(self, texts)])
    facts = audit_labels(speech, rows(), 4, {})
    assert facts.structure is not None
    assert facts.structure.only_text == 0
    assert facts.greedy is not None
    assert (facts.greedy.compared, facts.greedy.retokenized) == ("tokens", 0)
    assert facts.greedy.argmax_agreement < 0.9


@pytest.mark.parametrize("kind", ["hubert", "wavlm", "wav2vec2-conformer"])
def test_models_related_to_wav2vec2(kind: str, tmp_path: Path) -> None:
    folder = make_wav2vec2(tmp_path / kind, kind=kind)
    speech = load_model(describe_model(str(folder)))
    assert speech.family == kind
    made = batch(speech)
    losses, lengths = speech.losses(made)  # type: ignore[attr-defined]
    assert float(speech.model(**made).loss) == pytest.approx(float((losses / lengths).mean()), rel=1e-4)


def test_granite_features_equal_those_of_transformers() -> None:
    """The expected numbers are those of GraniteSpeechFeatureExtractor of transformers 5.23.0 with torchaudio 2.11.0."""
    samples = (0.1 * np.sin(np.arange(16000) / 7) * np.linspace(0, 1, 16000)).astype(np.float32)
    features = LogMel.of({})([samples, samples])
    assert features.shape == (2, 50, 160)
    assert LogMel.of({}).audio_tokens(50) == 12
    assert features[0, [3, 10, 49], [5, 9, 90]].tolist() == pytest.approx([-0.521, 0.09203, 1.02091], abs=1e-4)


def test_a_language_or_prompt_that_a_family_does_not_take_is_rejected(load: Callable[[str], SpeechModel]) -> None:
    folder = str(load("wav2vec2").files.path)
    with pytest.raises(UserError, match=r"model.language is 'en', but wav2vec2 models take no language"):
        describe_model(folder, language="en")
    qwen = str(load("qwen3_asr").files.path)
    with pytest.raises(UserError, match=r"Qwen3-ASR needs the spoken language"):
        load_model(describe_model(qwen))


def test_the_language_reaches_prompt_and_labels(load: Callable[[str], SpeechModel]) -> None:
    whisper = load("whisper")
    tokens = whisper.tokenizer.convert_ids_to_tokens(whisper.label_ids(["Hi"])[0])
    assert tokens[:3] == ["<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    qwen = load("qwen3_asr")
    prompt = qwen.tokenizer.decode(qwen.inputs([noise(1, 1.0)])["input_ids"][0])
    assert prompt.endswith("language English<asr_text>")


def test_labels_end_with_the_tokenizers_own_eos_of_several(load: Callable[[str], SpeechModel]) -> None:
    """Qwen3-ASR lists <|endoftext|> first, and ends its answers with <|im_end|>."""
    speech = load("qwen3_asr")
    assert speech.files.generation["eos_token_id"][0] != speech.tokenizer.eos_token_id
    assert speech.label_ids(["Hi"])[0][-1] == speech.tokenizer.eos_token_id


@pytest.mark.parametrize(
    ("kind", "adapted"),
    [
        ("wavlm", {"intermediate_dense", "output_dense"}),  # its attention never calls its projections
        (
            "wav2vec2-conformer",
            {"intermediate_dense", "output_dense", "linear_q", "linear_k", "linear_v", "linear_out"},
        ),
    ],
)
def test_auto_adapts_only_layers_that_are_called(kind: str, adapted: set[str], tmp_path: Path) -> None:
    speech = load_model(describe_model(str(make_wav2vec2(tmp_path / kind, kind=kind))))
    names = target_modules(speech.model, "auto")
    assert set(names) == adapted
    called: set[str] = set()
    for name, module in speech.model.named_modules():
        last = name.rpartition(".")[2]
        if last in adapted:
            module.register_forward_hook(lambda *_, last=last: called.add(last))
    speech.generate(speech.inputs([noise(1, 1.0)]))
    assert called == adapted


def test_ctc_losses_are_means_even_if_the_folder_asks_for_sums(tmp_path: Path) -> None:
    folder = make_wav2vec2(tmp_path / "model")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"ctc_loss_reduction": "sum"}))
    speech = load_model(describe_model(str(folder)))
    made = batch(speech)
    losses, lengths = speech.losses(made)  # type: ignore[attr-defined]
    assert float(speech.model(**made).loss) == pytest.approx(float((losses / lengths).mean()), rel=1e-4)


def test_a_language_unknown_to_whisper_is_rejected(load: Callable[[str], SpeechModel]) -> None:
    folder = str(load("whisper").files.path)
    with pytest.raises(
        UserError, match=r"'fr', which this Whisper model does not know; expected one of <\|de\|>, <\|en\|>"
    ):
        load_model(describe_model(folder, language="fr"))


@pytest.mark.parametrize(
    ("name", "keys", "value", "message"),
    [
        (
            "voxtral",
            ("text_config", "hidden_act"),
            "x",
            r"config\.json cannot be loaded: no key 'x'\. Copy config\.json",
        ),
        ("qwen3_asr", ("audio_config", "d_model"), 0, r"config\.json cannot be loaded: .*\. Copy config\.json"),
        ("voxtral", ("audio_config", "num_attention_heads"), -1, r"forward pass fails: .*\. config\.json does not fit"),
        ("voxtral", ("audio_token_id",), None, r"its forward pass fails: .*\. config\.json does not fit the weights"),
        (
            "wav2vec2",
            ("num_attention_heads",),
            -1,
            r"its forward pass fails: .*\. config\.json does not fit the weights",
        ),
    ],
)
def test_sizes_that_do_not_fit_each_other_are_no_fault_of_decode(
    load: Callable[[str], SpeechModel], tmp_path: Path, name: str, keys: tuple[str, ...], value: Any, message: str
) -> None:
    folder = Path(shutil.copytree(load(name).files.path, tmp_path / "model"))
    settings = json.loads((folder / "config.json").read_text())
    part = settings[keys[0]] if len(keys) > 1 else settings
    part[keys[-1]] = value
    (folder / "config.json").write_text(json.dumps(settings))

    def transcribe() -> None:
        changed = load_model(describe_model(str(folder), **ASKED.get(name, {})))
        changed.generate(changed.inputs([noise(1, 1.0)]), decode(changed))

    with pytest.raises(UnusableModel, match=message):
        transcribe()


@pytest.mark.parametrize(("key", "value"), [("lang_to_id", 2.5), ("lang_to_id", {"<|en|>": "x"}), ("task_to_id", [1])])
def test_tables_of_whispers_tokens_that_are_none(
    load: Callable[[str], SpeechModel], tmp_path: Path, key: str, value: Any
) -> None:
    folder = Path(shutil.copytree(load("whisper").files.path, tmp_path / "model"))
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(settings | {key: value}))
    with pytest.raises(
        UnusableModel, match=rf"{key} in generation_config\.json is .*; expected the token id of each name"
    ):
        load_model(describe_model(str(folder), language="en"))


def test_a_tokenizer_of_another_kind_is_no_whisper_tokenizer(
    load: Callable[[str], SpeechModel], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(load("whisper").files.path, tmp_path / "model"))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"tokenizer_class": "BertTokenizer"}))
    with pytest.raises(UnusableModel, match=r"is a BertTokenizer by tokenizer_class in tokenizer_config\.json"):
        load_model(describe_model(str(folder), language="en"))
