"""Units and outcomes: scripts without spaces, and runs that write the same words."""

from __future__ import annotations

from pathlib import Path

from comparison_files import compared
from field_cases import Expected, field_case
from situations_text import SENTENCES


def wrong_every(texts: list[str], every: int, right: str, wrong: str) -> list[str]:
    return [text.replace(right, wrong) if n % every == 0 else text for n, text in enumerate(texts)]


JAPANESE = [
    f"私は{place}で{thing}を買いました"
    for place in ("東京", "大阪", "京都", "札幌", "福岡", "名古屋")
    for thing in ("本", "魚", "茶碗", "時計", "花", "靴", "鞄", "机")
]
THAI = [
    f"ผมชอบกิน{food}ที่{place}"
    for food in ("ข้าว", "ปลา", "ไก่", "ผลไม้", "ขนม", "ผัก")
    for place in ("บ้าน", "ร้าน", "ตลาด", "โรงเรียน", "สวน", "ทะเล", "วัด", "เมือง")
]


@field_case(
    name="Japanese",
    area="text",
    situation="texts without spaces: every hypothesis has a wrong character, so that every word would be wrong",
    source="huggingface/peft#342, espnet/espnet#5779",
    command="quick",
    expected=Expected(first="", outcome="better", says=("CER",), absent=("headroom.baseline_broken",)),
)
def japanese(folder: Path) -> list[str]:
    base = wrong_every(JAPANESE, 1, "買い", "貝")
    return compared(folder, JAPANESE, base, wrong_every(JAPANESE, 6, "買い", "貝"))


@field_case(
    name="Thai",
    area="text",
    situation="texts without spaces whose vowel and tone signs are combining marks",
    source="relative of huggingface/peft#342",
    command="quick",
    expected=Expected(first="", outcome="better", says=("CER",), absent=("headroom.baseline_broken",)),
)
def thai(folder: Path) -> list[str]:
    return compared(folder, THAI, wrong_every(THAI, 1, "ชอบกิน", "ชอปกัน"), wrong_every(THAI, 8, "ชอบกิน", "ชอปกัน"))


@field_case(
    name="code switching",
    area="text",
    situation="English words in Chinese sentences: characters and words are counted together",
    source="relative of huggingface/peft#342",
    command="quick",
    expected=Expected(first="", outcome="better", says=("MER",), absent=("headroom.baseline_broken",)),
)
def code_switching(folder: Path) -> list[str]:
    texts = [f"{text} 我 喜欢" for text in SENTENCES]
    return compared(folder, texts, wrong_every(texts, 1, "sat", "sad"), texts)


@field_case(
    name="case and punctuation only",
    area="text",
    situation="tuning on lower-case texts: every text loses capitals and full stop, no word changes",
    source="NVIDIA-NeMo/Speech#14503",
    command="quick",
    expected=Expected(
        first="", outcome="same_words", absent=("headroom.underpowered",), says=("case or punctuation only",)
    ),
)
def case_and_punctuation(folder: Path) -> list[str]:
    wrong = wrong_every(SENTENCES, 3, "sat", "sad")
    return compared(folder, SENTENCES, [f"{text.capitalize()}." for text in wrong], wrong)


@field_case(
    name="case and one word",
    area="text",
    situation="as before, but one row also has another word: an ordinary comparison",
    source="neighbour",
    command="quick",
    expected=Expected(outcome="underpowered"),
)
def case_and_one_word(folder: Path) -> list[str]:
    wrong = wrong_every(SENTENCES, 3, "sat", "sad")
    tuned = [wrong[0].replace("sad", "sat"), *wrong[1:]]
    return compared(folder, SENTENCES, [f"{text.capitalize()}." for text in wrong], tuned)
