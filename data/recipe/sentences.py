"""Write sentences: everyday ones, reports from a harbour workshop, and strings of odd words.

Words that sound alike (two/too, hear/here) are left out: no listener could tell them apart
without grammar, and grammar is what the random word strings keep the decoder from leaning on.

Example:
    everyday_sentence(np.random.default_rng(0))  # "Has Nora found the silver kettle?"
    domain_sentence(np.random.default_rng(0))    # "Replace the gasket before Thursday, please."

Reads and writes: nothing.
"""

from __future__ import annotations

import re

import numpy as np

EVERYDAY = {
    "name": "Oliver Martha Daniel Sophie Henry Alice Robert Emma Victor Helen Jacob Nora Peter "
    "Laura Simon Grace Thomas Julia",
    "place": "London Dublin Bristol Madrid Boston Vienna Oxford Berlin Cardiff Lisbon Chicago Geneva",
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "month": "January April June August October December",
    "thing": "lamp table letter basket camera window bottle jacket pencil mirror blanket kettle "
    "ticket piano carpet hammer umbrella candle orange sandwich picture radio saddle wallet "
    "pillow suitcase notebook ladder cheese butter coffee pepper honey bread apple",
    "adjective": "blue green yellow purple broken heavy little wooden empty silver golden ancient "
    "narrow quiet dirty modern simple gentle famous hungry clever angry lucky friendly",
    "person": "doctor teacher farmer driver sister brother neighbour captain student baker lawyer "
    "painter uncle manager kitten rabbit monkey spider",
    "location": "kitchen office station museum market library hospital village mountain river "
    "forest church bridge castle garden theatre school",
    "did": "carried painted opened finished borrowed cleaned noticed repaired delivered covered "
    "ordered dropped collected lifted found moved bought",
    "do": "carry paint open finish borrow clean notice repair deliver cover order drop collect lift find move",
    "went": "laughed waited slept travelled listened walked danced worked smiled arrived",
    "adverb": "slowly quickly often never always again together already perhaps",
    "past": "yesterday today earlier",
    "future": "tomorrow tonight later",
    "near": "behind under beside near inside across above",
    "number": "three seven five nine eleven twelve twenty fifty",
    "weather": "sunny windy cloudy rainy cold warm",
    "they": "I you we they",
    "not": "don't can't won't didn't couldn't",
}
EVERYDAY_TEMPLATES = (
    "the {adjective} {person} {did} the {thing}.",
    "the {person} {went} {near} the {location}.",
    "{name} {did} {number} {thing}s in {place}.",
    "where did {name} put the {adjective} {thing}?",
    "{they} {not} {do} the {thing} {future}.",
    "I'm going to {place} on {day} with {name}.",
    "is the {thing} {near} the {adjective} {thing}?",
    "it was {weather} in {place}, and the {person} {went} {adverb}.",
    "has {name} {did} the {adjective} {thing}?",
    "my {person} {adverb} {went} {near} the {location}.",
    "please {do} the {thing} before {day}.",
    "that's the {adjective} {thing} from the {location}.",
    "{name} and {name} {went} until {month}.",
    "we're {near} the {location}, but the {person} isn't.",
    "when will the {person} {do} my {thing}?",
    "{past}, {name} {did} a {adjective} {thing}.",
    "the {location} is {weather} and {adjective} in {month}.",
    "why {not} {they} {do} the {adjective} {thing}?",
    "can {they} {do} {number} {thing}s, {name}?",
    "she said the {location} was {adjective}.",
    "it's {adverb} {weather} {near} the {location}.",
    "he {did} the {thing}, the {thing} and the {thing}.",
    "yes, {name} {did} it {past}.",
    "who {did} the {thing} {near} the {location}?",
    "thank you, {name}.",
    "good morning, {name}.",
)

HARBOUR = {
    "part": "bilge capstan hawser windlass bulkhead rudder propeller gasket flange manifold "
    "impeller turbine valve crankshaft piston throttle keel hull bollard winch shackle stanchion "
    "porthole gantry grommet coupling gearbox alternator transducer gauge scaffold tarpaulin "
    "derrick pulley",
    "stuff": "diesel coolant lubricant sealant epoxy primer ballast corrosion pressure torque",
    "craft": "trawler tugboat ferry dredger barge lifeboat",
    "crew": "foreman welder rigger electrician bosun stevedore machinist",
    "fix": "tighten inspect replace lubricate drain fasten calibrate unbolt",
    "fixed": "tightened inspected replaced lubricated drained fastened calibrated unbolted",
    "bad": "leaking rusty cracked jammed flooded hydraulic starboard worn",
}
HARBOUR_TEMPLATES = (
    "{fix} the {part} before {day}, please.",
    "the {crew} {fixed} the {bad} {part} {near} the {part}.",
    "is the {part} on the {craft} {bad} again?",
    "{name} {found} {stuff} {near} the {adjective} {part}.",
    "the {craft} arrived {past} with a {bad} {part}.",
    "we're {number} {part}s short, and the {crew} isn't here {past}.",
    "who {fixed} the {part}, {name} or the {crew}?",
    "don't {fix} the {bad} {part} until the {crew} {went}.",
    "the {stuff} in the {part} was {adjective}, so I {fixed} it.",
    "please order {stuff} and {number} {part}s from {place}.",
    "the {crew} said the {craft} {went} {near} the {location}.",
    "there's {stuff} under the {part}, {name}.",
    "{future}, the {crew} will {fix} the {craft} in {place}.",
    "can you {fix} the {part} and {do} the {thing}?",
    "the {bad} {part} from the {craft} is {near} the {bridge}.",
    "it's the {part}, the {part} or the {stuff}.",
    "the {part}, please, {name}.",
    "{fix} the {bad} {part}.",
)
EVERYDAY_WORDS = {slot: tuple(words.split()) for slot, words in EVERYDAY.items()}
ALL_WORDS = EVERYDAY_WORDS | {slot: tuple(words.split()) for slot, words in HARBOUR.items()}
ALL_WORDS |= {"found": ("found", "noticed", "dropped"), "bridge": ("bridge", "gantry", "office")}
LOOSE_WORDS = (
    *(word for slot in EVERYDAY_WORDS if slot not in ("they", "not") for word in EVERYDAY_WORDS[slot]),
    *("and", "the", "with", "from", "before", "until", "morning", "please", "going", "thank"),
)

ONSETS = "b br c cl cr d dr f fl fr g gl gr h j l m n p pl pr r s sc sh sl sp st str t th tr v w"
VOWELS = "a a a e e i i o o u u ee oo ai ea ou"
INNER_CODAS = "n r l m s p t nd st ck ll mp"
CODAS = "n t r l s m d p g ck nd nt rt st rk mp sh ft ll ss ng x rd nk"
ENDINGS = "er er or le ing ing et on al age ed ed y able ist in ant ate ine ide ure ion ic el s"
SYLLABLES = [tuple(each.split()) for each in (ONSETS, VOWELS, INNER_CODAS, CODAS, ENDINGS)]


def corpus_sentence(rng: np.random.Generator) -> str:
    """Training sentences: from a grammar, and many that no grammar predicts.

    A decoder trained on a grammar of few words only guesses the word of a slot from its type. Strings
    in any order, and words that do not exist, make it follow the sound and learn to spell by ear.
    """
    kind = rng.random()
    if kind < 0.5:
        return _word_string(rng)
    return _fill(rng, EVERYDAY_TEMPLATES, EVERYDAY_WORDS, made_up_share=0.4 if kind < 0.7 else 0.0)


def everyday_sentence(rng: np.random.Generator) -> str:
    """An everyday sentence of the grammar."""
    return _fill(rng, EVERYDAY_TEMPLATES, EVERYDAY_WORDS)


def domain_sentence(rng: np.random.Generator) -> str:
    """A sentence as spoken in a harbour workshop."""
    return _fill(rng, HARBOUR_TEMPLATES, ALL_WORDS)


def made_up_word(rng: np.random.Generator) -> str:
    """A word that English might have: one to three syllables, spelt as it sounds."""
    onsets, vowels, inner_codas, codas, endings = SYLLABLES
    stem = str(rng.choice(onsets)) + str(rng.choice(vowels))
    if rng.random() < 0.25:
        stem += str(rng.choice(inner_codas)) + str(rng.choice(onsets)) + str(rng.choice(vowels))
    stem += str(rng.choice(codas))
    word = stem + str(rng.choice(endings)) if rng.random() < 0.65 else stem
    return re.sub(r"c(?=[eiy])", "k", word)


def _fill(
    rng: np.random.Generator,
    templates: tuple[str, ...],
    words: dict[str, tuple[str, ...]],
    made_up_share: float = 0.0,
) -> str:
    def word(slot: re.Match[str]) -> str:
        known = str(rng.choice(words[slot.group(1)]))
        if rng.random() >= made_up_share:
            return known
        made_up = made_up_word(rng)
        return made_up.capitalize() if known[0].isupper() else made_up

    sentence = re.sub(r"\{(\w+)\}", word, str(rng.choice(templates)))
    return _agree(sentence[0].upper() + sentence[1:])


def _agree(sentence: str) -> str:
    """Correct what templates cannot know: articles, and plurals after a sibilant."""
    sentence = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", sentence)
    sentence = re.sub(r"(sandwich|winch|windlass|gearbox)s\b", r"\1es", sentence)
    return sentence.replace("gantrys", "gantries")


def _word_string(rng: np.random.Generator) -> str:
    words = [
        made_up_word(rng) if rng.random() < 0.4 else str(rng.choice(LOOSE_WORDS))
        for _ in range(int(rng.integers(1, 9)))
    ]
    if len(words) > 4 and rng.random() < 0.4:
        words[int(rng.integers(1, len(words) - 2))] += ","
    sentence = " ".join(words)
    return sentence[0].upper() + sentence[1:] + ("?" if rng.random() < 0.15 else ".")
