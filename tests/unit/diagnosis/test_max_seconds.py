"""The choice of `max_seconds`, and the judgement of a configured one."""

from lora.diagnosis.data.max_seconds import choose_max_seconds
from lora.records.durations import SplitOption


def options(**train_rows):
    """Threshold (as a key like s8) -> training rows."""
    return [
        SplitOption(
            threshold=float(key[1:]), rows=n + n // 10, hours=n / 100, train_rows=n, val_rows=n // 10, speakers=None
        )
        for key, n in train_rows.items()
    ]


STUDY = options(s15=300, s5=60, s8=150, s10=200)


def test_the_smallest_sufficient_threshold_is_chosen():
    decision = choose_max_seconds(STUDY, None, 200, None)
    assert (decision.max_seconds, decision.sufficient, decision.status) == (10.0, 10.0, "chosen")
    assert [option.threshold for option in decision.options] == [5, 8, 10, 15]
    assert "10 s" in decision.reason
    assert "200 training rows" in decision.reason
    assert "8 s would leave 150" in decision.reason


def test_a_configured_number_is_kept_and_judged():
    starving = choose_max_seconds(STUDY, 8.0, 200, None)
    assert (starving.max_seconds, starving.status, starving.sufficient) == (8.0, "judged_starving", 10.0)
    assert "fewer than 200; 10 s would leave 200" in starving.reason
    enough = choose_max_seconds(STUDY, 15.0, 200, None)
    assert (enough.max_seconds, enough.status, enough.sufficient) == (15.0, "judged_sufficient", 10.0)
    assert "10 s would be enough" in enough.reason


def test_thresholds_beyond_the_window_are_not_chosen():
    decision = choose_max_seconds(STUDY, None, 200, 9.0)
    assert (decision.max_seconds, decision.status, decision.sufficient) == (8.0, "none_sufficient", None)
    assert "within the model's window of 9 s" in decision.reason
    judged = choose_max_seconds(STUDY, 10.0, 200, 9.0)
    assert judged.status == "judged_sufficient"
    assert "exceeds the model's window of 9 s" in judged.reason


def test_without_enough_rows_the_largest_with_rows_is_taken():
    decision = choose_max_seconds(options(s5=0, s8=3, s10=7), None, 200, None)
    assert (decision.max_seconds, decision.status) == (10.0, "none_sufficient")
    assert "leaves 7 training rows" in decision.reason


def test_no_row_survives():
    decision = choose_max_seconds(options(s5=0, s8=0), None, 200, None)
    assert (decision.max_seconds, decision.status, decision.sufficient) == (None, "none_sufficient", None)
    assert decision.reason == "0 rows remain with any threshold (tried: 5, 8 s), so no limit is set."


def seeded(threshold, train_rows, others, fewest_speakers=18):
    """An option whose first split has `train_rows` and whose 19 others have `others`."""
    return SplitOption(
        threshold=threshold,
        rows=train_rows + 20,
        hours=1.0,
        train_rows=train_rows,
        val_rows=20,
        speakers=20,
        seeded_train_rows=[train_rows, *others],
        fewest_train_speakers=fewest_speakers,
    )


LUCKY = seeded(8.0, 201, [201] * 10 + [199] * 9)
SOLID = seeded(10.0, 260, [255] * 19)


def test_the_smallest_stable_threshold_is_preferred():
    decision = choose_max_seconds([LUCKY, SOLID, seeded(15.0, 300, [300] * 19)], None, 200, None, 0.34)
    assert (decision.max_seconds, decision.sufficient, decision.stable, decision.status) == (10.0, 8.0, 10.0, "chosen")
    assert (
        "10 s is the smallest threshold that leaves at least 200 training rows with any of 20 split" in decision.reason
    )
    assert "8 s would leave 201, but only with 11 of 20 split seeds." in decision.reason


def test_a_threshold_that_may_lose_its_speakers_is_passed_over():
    options = [seeded(8.0, 210, [210] * 19, fewest_speakers=9), SOLID]
    decision = choose_max_seconds(options, None, 200, None, 0.34)
    assert decision.max_seconds == 10.0
    assert (
        "8 s would leave 210, but one of 20 split seeds keeps 55.0 % of the speakers out of training" in decision.reason
    )
    assert choose_max_seconds(options, None, 200, None, 0.6).max_seconds == 8.0


def test_without_a_stable_threshold_the_smallest_sufficient_one_is_taken():
    decision = choose_max_seconds([LUCKY, seeded(10.0, 205, [150] * 19)], None, 200, None, 0.34)
    assert (decision.max_seconds, decision.sufficient, decision.stable) == (8.0, 8.0, None)
    assert "but only with 11 of 20 split seeds, and no larger threshold is stable either." in decision.reason
    assert choose_max_seconds([LUCKY, SOLID], None, 200, 9.0, 0.34).max_seconds == 8.0  # beyond the window


def test_a_configured_number_is_judged_by_the_same_rules():
    decision = choose_max_seconds([LUCKY, SOLID], 8.0, 200, None, 0.34)
    assert (decision.max_seconds, decision.status, decision.stable) == (8.0, "judged_sufficient", 10.0)
    assert "but only with 11 of 20 split seeds; 10 s would be stable." in decision.reason
    solid = choose_max_seconds([LUCKY, SOLID], 10.0, 200, None, 0.34)
    assert solid.reason.endswith("at least the 200 needed.")


def test_many_split_seeds_agree_where_no_speaker_is_known():
    plain = SOLID.model_copy(update={"speakers": None, "fewest_train_speakers": None})
    assert choose_max_seconds([plain], None, 200, None, 0.0).stable == 10.0


def complete(threshold, rows, lost=(), padded=None):
    option = seeded(threshold, rows, [rows] * 19)
    return option.model_copy(update={"lost": list(lost), "padded_seconds": padded})


def test_a_threshold_that_loses_a_kind_of_speech_is_passed_over():
    """Real accented speech: 5 s is sufficient and stable, but loses four speakers and slow speech."""
    options = [complete(5.0, 250, ["speakers_lost", "speaking_rate"]), complete(8.0, 290), complete(10.0, 300)]
    decision = choose_max_seconds(options, None, 200, None, 0.34)
    assert (decision.max_seconds, decision.sufficient, decision.stable) == (8.0, 5.0, 5.0)
    assert "5 s would leave 250, but loses speakers and one kind of speaking rate beyond chance." in decision.reason


def test_where_every_threshold_loses_something_the_largest_is_taken():
    options = [complete(5.0, 250, ["speakers_lost"]), complete(8.0, 290, ["words_lost"])]
    decision = choose_max_seconds(options, None, 200, None, 0.34)
    assert decision.max_seconds == 8.0
    assert "loses the least of all thresholds" in decision.reason


def test_a_larger_threshold_of_the_same_cost_keeps_its_rows():
    padded = [complete(t, rows, padded=30.0) for t, rows in ((5.0, 250), (8.0, 290), (10.0, 300), (15.0, 300))]
    decision = choose_max_seconds(padded, None, 200, 30.0, 0.34)
    assert decision.max_seconds == 10.0
    assert "5 s would leave 250, but saves nothing: the model pads both to 30 s" in decision.reason
    by_length = [complete(t, rows, padded=t) for t, rows in ((5.0, 250), (8.0, 290), (10.0, 300))]
    assert choose_max_seconds(by_length, None, 200, None, 0.34).max_seconds == 5.0


def test_a_loss_that_the_configuration_chose_is_kept():
    options = [complete(5.0, 250, ["speakers_lost"]), complete(8.0, 290)]
    assert choose_max_seconds(options, 5.0, 200, None, 0.34).max_seconds == 5.0
