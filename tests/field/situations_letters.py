"""Letters that one side never writes: vowel signs, other alphabets, other forms of a letter."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

from comparison_files import compared
from field_cases import Expected, field_case

ROWS = 60
RUSSIAN = "она ещё всё пошёл моё берёза зелёный шёл день вечер утро город река дом сад окно стол книга письмо дорога"
PERSIAN = "می‌روم می‌خواهم کتاب‌ها نمی‌دانم خانه‌ها روز شب شهر درخت آب نان پدر مادر دوست بزرگ کوچک زیبا یک کار است"
ARABIC = "كَتَبَ الوَلَدُ الدَّرسَ ذَهَبَ إلى المَدرَسَةِ وَجَدَ أباهُ يَقرَأُ الجَريدَةَ أمامَ البَيتِ رَجَعَ شَرِبَ الماءَ أكَلَ الخُبزَ"
ROMANIAN = (
    "și să în țară astăzi mâine după toți frați oraș mașină pădure câmp apă casă fată băiat carte școală merge vine"
)
SERBIAN = (
    "данас сутра кућа школа дете књига вода река планина човек жена година град село пут море сунце киша љубав њен"
)
TURKISH = (
    "bugün yarın ılık ışık kapı kırmızı sıcak kış yıldız altın balık çıktı geldi gitti okul ev şehir deniz iyi için"
)
HINDI = "मैं आज बाज़ार गया था और वहाँ से फल सब्ज़ी दूध लाया मेरे दोस्त ने कहा कि कल बारिश होगी बड़ा लड़का पढ़ना"
CHINESE = "電腦 學習 國家 說話 開門 時間 東西 問題 機場 書店 今天 明天 我們 他們 上山 下山 天氣 很好"
SIMPLIFIED = str.maketrans("電腦學習國說話開門時間東問題機場書們氣", "电脑学习国说话开门时间东问题机场书们气")
LATIN = str.maketrans(
    dict(zip("абвгдежзијклмнопрстуцчшћ", "abvgdežzijklmnoprstucčšć", strict=True)) | {"љ": "lj", "њ": "nj"}
)
NOTATION = "text.notation"


def texts_of(words: str, wrong: float, joined: str = " ") -> list[str]:
    """Sentences of these words, the same ones for any share of words that are wrong."""
    chance, errors = random.Random(8), random.Random(str(wrong))
    pool = words.split()
    sentences = [[chance.choice(pool) for _ in range(chance.randint(5, 9))] for _ in range(ROWS)]
    return [joined.join(errors.choice(pool) if errors.random() < wrong else w for w in words) for words in sentences]


def written(
    folder: Path,
    words: str,
    base: Callable[[str], str],
    tuned: Callable[[str], str] = str,
    references: Callable[[str], str] = str,
    joined: str = " ",
) -> list[str]:
    """An eighth of the baseline's and a sixteenth of the tuned words are wrong; each side is written in its own way."""
    sides = (references, 0.0), (base, 0.12), (tuned, 0.06)
    return compared(folder, *([write(text) for text in texts_of(words, wrong, joined)] for write, wrong in sides))


def without_marks(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain)


def turkish_capitals(text: str) -> str:
    return text.replace("i", "İ").replace("ı", "I").upper()


def with_ye(text: str) -> str:
    return text.replace("ё", "е")


@field_case(
    name="yo and ye",
    area="text",
    situation="references have ё, which the model writes as е",
    source="alphacep/awesome-russian-speech#8",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=('"ё" as "е"',)),
)
def yo(folder: Path) -> list[str]:
    return written(folder, RUSSIAN, with_ye, tuned=with_ye)


@field_case(
    name="yo on both sides",
    area="text",
    situation="references and both runs have ё",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def yo_everywhere(folder: Path) -> list[str]:
    return written(folder, RUSSIAN, str)


@field_case(
    name="half spaces as spaces",
    area="text",
    situation="references have non-joiners, which the model writes as spaces",
    source="persianlabs/ui#76",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=("NON-JOINER as a space",)),
)
def half_spaces(folder: Path) -> list[str]:
    return written(
        folder, PERSIAN, lambda text: text.replace("\u200c", " "), tuned=lambda text: text.replace("\u200c", " ")
    )


@field_case(
    name="half spaces lost",
    area="text",
    situation="the baseline joins what the references and the tuned run write with non-joiners",
    source="roshan-research/hazm#208",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=("NON-JOINER as nothing",)),
)
def lost_half_spaces(folder: Path) -> list[str]:
    return written(folder, PERSIAN, lambda text: text.replace("\u200c", ""))


@field_case(
    name="half spaces on both sides",
    area="text",
    situation="references and both runs have non-joiners",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def half_spaces_everywhere(folder: Path) -> list[str]:
    return written(folder, PERSIAN, str)


@field_case(
    name="Arabic yeh and kaf",
    area="text",
    situation="Persian references were typed with the Arabic letters yeh and kaf",
    source="persianlabs/ui#76",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=('"ي" as "ی"',)),
)
def yeh_and_kaf(folder: Path) -> list[str]:
    return written(folder, PERSIAN, str, references=lambda text: text.replace("ی", "ي").replace("ک", "ك"))


@field_case(
    name="vowel signs in references",
    area="text",
    situation="Arabic references with vowel signs, which the model does not write",
    source="NVIDIA-NeMo/Speech#15452",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=("ARABIC FATHA as nothing",)),
)
def vowelled(folder: Path) -> list[str]:
    return written(folder, ARABIC, without_marks, tuned=without_marks)


@field_case(
    name="vowel signs learnt",
    area="text",
    situation="the tuned run learnt to write vowel signs, which the references do not have",
    source="relative of NVIDIA-NeMo/Speech#15452",
    command="quick",
    expected=Expected(first=NOTATION, reason="difference", absent=("adapter.worsens",)),
)
def vowels_learnt(folder: Path) -> list[str]:
    return written(folder, ARABIC, without_marks, references=without_marks)


@field_case(
    name="vowel signs on both sides",
    area="text",
    situation="references and both runs have vowel signs",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def vowelled_everywhere(folder: Path) -> list[str]:
    return written(folder, ARABIC, str)


@field_case(
    name="cedilla and comma",
    area="text",
    situation="the baseline writes ş and ţ with a cedilla, references and tuned run with a comma below",
    source="common-voice/common-voice#2971",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=('"ș" as "ş"',)),
)
def cedilla(folder: Path) -> list[str]:
    return written(folder, ROMANIAN, lambda text: text.replace("ș", "ş").replace("ț", "ţ"))


@field_case(
    name="no diacritics in references",
    area="text",
    situation="Romanian references without diacritics",
    source="relative of common-voice/common-voice#2971",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=('"ă" as "a"',)),
)
def no_diacritics(folder: Path) -> list[str]:
    return written(folder, ROMANIAN, str, references=without_marks)


@field_case(
    name="capitals of Turkish",
    area="text",
    situation="Turkish references in capitals, whose I is no i",
    source="google-research/url-nlp#9",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=('"ı" as "i"',)),
)
def turkish(folder: Path) -> list[str]:
    return written(folder, TURKISH, str, references=turkish_capitals)


@field_case(
    name="Turkish in sentence case",
    area="text",
    situation="the baseline writes capitals at the beginning of a sentence, the references none",
    source="shreyaskarnik/argo#46",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def turkish_sentences(folder: Path) -> list[str]:
    return written(folder, TURKISH, lambda text: f"{turkish_capitals(text[0])}{text[1:]}.")


@field_case(
    name="nukta lost",
    area="text",
    situation="the baseline writes Hindi without nuktas",
    source="ARTPARK-SAHAI-ORG/calibrate#95",
    command="quick",
    expected=Expected(first=NOTATION, absent=("headroom.baseline_broken",), says=("NUKTA as nothing",)),
)
def nukta(folder: Path) -> list[str]:
    return written(folder, HINDI, lambda text: unicodedata.normalize("NFD", text).replace("\u093c", ""))


@field_case(
    name="nukta decomposed",
    area="text",
    situation="the baseline writes nuktas as characters of their own, which Unicode calls equivalent",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def decomposed_nukta(folder: Path) -> list[str]:
    return written(folder, HINDI, lambda text: unicodedata.normalize("NFD", text))


@field_case(
    name="Serbian in Latin letters",
    area="text",
    situation="Cyrillic references, and a baseline that writes Latin letters",
    source="SubtitleEdit/subtitleedit#8044",
    command="quick",
    expected=Expected(
        first=NOTATION, absent=("headroom.baseline_broken",), says=("letters that only one side writes",)
    ),
)
def serbian(folder: Path) -> list[str]:
    return written(folder, SERBIAN, lambda text: text.translate(LATIN))


@field_case(
    name="traditional and simplified",
    area="text",
    situation="traditional references, and a baseline that writes simplified characters",
    source="openclaw/openclaw-windows-node#1087",
    command="quick",
    expected=Expected(first=NOTATION, says=("CER",)),
)
def chinese(folder: Path) -> list[str]:
    return written(folder, CHINESE, lambda text: text.translate(SIMPLIFIED), joined="")


@field_case(
    name="traditional on both sides",
    area="text",
    situation="traditional characters in references and both runs",
    source="neighbour",
    command="quick",
    expected=Expected(first="", outcome="better"),
)
def chinese_everywhere(folder: Path) -> list[str]:
    return written(folder, CHINESE, str, joined="")
