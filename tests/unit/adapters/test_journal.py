"""Changes that are taken back."""

from overages.adapters.journal import Journal


def test_keys_that_are_added_or_taken_out_are_as_they_were_again() -> None:
    journal, held = Journal(), {"a": 1, "b": 2}
    journal.add(held, {"c": 3, "d": 4})
    place = journal.place
    journal.pop(held, "a")
    assert held == {"b": 2, "c": 3, "d": 4}
    journal.take_back(place)
    assert held == {"a": 1, "b": 2, "c": 3, "d": 4}
    journal.take_back(0)
    assert held == {"a": 1, "b": 2}
