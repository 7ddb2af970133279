"""The reviewer's questions are answered by the evidence, and the answers change with it."""

import re
from dataclasses import replace

import pytest

from softbio.report.checklist import NO, PARTLY, YES, checklist, model_cards
from softbio.results.records import load
from softbio.statistics.contests import Statistics


@pytest.fixture
def answers(made, tables) -> dict[str, str]:
    found = checklist(made.records, made.statistics, made.cards, set(tables))
    return {answer.question: answer for answer in found}


def word(answers, part: str) -> str:
    return next(answer.word for question, answer in answers.items() if part in question)


def test_what_is_there_is_said(answers):
    assert word(answers, "baseline") == YES
    assert word(answers, "licences") == YES
    # the shuffled control has one seed; the made-up runs do not say that they are deterministic
    assert word(answers, "other seeds") == PARTLY
    assert word(answers, "repeated exactly") == PARTLY
    assert word(answers, "leaks") == NO


def test_what_is_missing_is_said(made, tables):
    card = replace(made.cards["faces"], licence="not stated")
    given = (Statistics(), {"faces": card}, {*tables, "audit"})
    found = {a.question: a for a in checklist(made.records, *given)}
    assert word(found, "uncertainty") == NO
    assert word(found, "licences") == NO
    assert word(found, "leaks") == YES


def test_one_method_with_one_seed_is_not_called_certain(made, tables):
    runs = [f for f in made.results.runs if f.name == "seed0" and "resnet34" in f.parts]
    records = load(runs)
    found = {a.question: a for a in checklist(records, Statistics(), {}, set())}
    assert word(found, "baseline") == NO
    assert "3 of them have one seed" in next(a.text for q, a in found.items() if "seeds" in q)


def test_every_anchor_leads_somewhere(page):
    text = page.read_text()
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    links = set(re.findall(r'href="#([^"]+)"', text))
    assert links - ids == set()
    assert "table-uncertainty" in links


def test_model_card_names_whom_it_serves_worst(made):
    card = model_cards(made.records)[0]
    frame = made.records.groups.query(
        "backbone == 'small32' and variant == '' and selection == 'last' "
        "and decoding == 'published' and by == 'race'"
    )
    errors = frame.groupby("group")["mae"].mean()
    assert f"race: largest error for {errors.idxmax()} ({errors.max():.2f} years)" in card.gaps[1]
    assert card.trained_on == "1,800 images of the drawn faces"
