"""WordNet's own morphology, morphy(7WN): exception lists first, then rules of detachment; no model."""

from __future__ import annotations

from zgbench.lexicon.wordnet import WordNet

_NOUN_RULES = (
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
)
_VERB_RULES = (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", ""))


def noun(word: str, wordnet: WordNet) -> tuple[str, ...]:
    """Base forms of a noun, or of a collocation with ``_`` between its words, likeliest first.

    A plural that is also a word of its own (*men*, *glasses*) has two; a word that WordNet lacks has none.
    """
    word = word.removesuffix("'s").removesuffix("'")
    first, joint, last = word.rpartition("_")
    forms = [first + joint + wordnet.noun_exceptions.get(last, last), word]
    for suffix, ending in _NOUN_RULES:
        if len(last) > len(suffix) + 1 and last.endswith(suffix) and not (suffix == "s" and last.endswith("ss")):
            forms.append(word.removesuffix(suffix) + ending)
    return tuple(dict.fromkeys(form for form in forms if form in wordnet))


def verb(word: str, wordnet: WordNet) -> str | None:
    """Base form of an inflected verb; None when it is none, or a base form already."""
    if (base := wordnet.verb_exceptions.get(word)) in wordnet.verbs:
        return base
    for suffix, ending in _VERB_RULES:
        if len(word) > len(suffix) + 1 and word.endswith(suffix):
            stem = word.removesuffix(suffix)
            if stem + ending in wordnet.verbs:
                return stem + ending
            if ending == "" and len(stem) > 2 and stem[-1] == stem[-2] and stem[:-1] in wordnet.verbs:
                return stem[:-1]  # sitting, stopped
    return None
