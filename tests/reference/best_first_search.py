"""Best-first search, plainly: looks through all that is open before each step."""

from reference.beam_search import START, Children, Found, Text, to_back_up_to


def best_first_search(
    children: Children,
    *,
    expansions: int,
    branching: int,
    max_steps: int,
    threshold: float | None = None,
    prune: float | None = None,
) -> Found:
    found = Found(children, prune)
    open_texts: list[Text] = [START]
    while open_texts and len(found.expanded) < expansions:
        best, *open_texts = to_back_up_to(open_texts)
        new = found.expand(best, branching)
        if any(one.complete and threshold is not None and (one.value or -1.0) >= threshold for one in new):
            break
        open_texts += [one for one in new if not one.complete and one.steps < max_steps]
    return found
