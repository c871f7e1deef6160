"""Templates of JSON: a text that was written once, with other texts in its places."""

from overages._ground.jsontext import written
from overages.adapters.templates import SLOTS, quoted, template_of


def test_a_template_that_is_filled_in_is_the_text_of_the_tree() -> None:
    template = template_of({"used": SLOTS[0], "metric": "100 %", "at": SLOTS[1]}, 2)
    assert template is not None
    tree = {"used": "7", "metric": "100 %", "at": "noon"}
    assert template % ("noon", "7") == written(tree).decode()


def test_a_tree_that_has_what_looks_like_a_slot_has_no_template() -> None:
    assert template_of({"used": SLOTS[0], "metric": SLOTS[0]}, 1) is None
    assert template_of({"used": SLOTS[0], "metric": SLOTS[5]}, 1) is None


def test_a_text_is_quoted_as_json_has_it() -> None:
    assert quoted('Zoë "9"') == written('Zoë "9"').decode()
