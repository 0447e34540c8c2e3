"""The closed classes of English words that the head phrase parser knows by name. No label, no class name."""

from __future__ import annotations

DETERMINERS = frozenset(
    """a an the this that these those some any no each every either both all another other others such same
    my your his her its our their one's many much few several more most less various numerous multiple single
    one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand
    dozen dozens half lots plenty very quite just only maybe perhaps there here it he she they we you i""".split()
)
"""Articles, possessives, numerals, pronouns and adverbs of degree: never the head, skipped where they stand."""

PREPOSITIONS = frozenset(
    """about above across after against along alongside amid among amongst around as at atop before behind below
    beneath beside besides between beyond by despite down during except for from in inside into like near
    nearby next of off on onto opposite out outside over past per since through throughout to toward towards under
    underneath until up upon via with within without""".split()
)

RELATIVES = frozenset("that which who whom whose where when while because if so but".split())

NEGATIONS = frozenset("no not none nothing never without neither isn't aren't".split())

CONJUNCTIONS = frozenset("and or & / nor vs versus plus".split())

VERBS = frozenset(
    """is are was were be been being am isn't aren't has have had having can could will would shall should may might
    must do does did seems seem looks appears appear contains contain shows show depicts depict""".split()
)
"""Auxiliaries, copulas and the verbs of captions: what follows is said about the head."""

INDEFINITES = {
    "someone": "person",
    "somebody": "person",
    "anyone": "person",
    "anybody": "person",
    "everyone": "person",
    "everybody": "person",
}
"""Indefinite pronouns that name a noun."""

PARTITIVES = frozenset(
    """group groups row rows line lines pair pairs couple bunch flock flocks herd herds piece pieces pack set sets
    stack stacks pile piles heap heaps lot number series collection cluster clusters variety assortment array crowd crowds
    team part parts portion section sections segment bit bits fragment slice slices chunk chunks lump patch patches
    stretch strip strips type types kind kinds sort sorts example mass mix mixture range bundle handful majority rest
    hundreds thousands tons amount quantity sea block blocks field view close-up closeup picture pictures photo photos photograph
    photographs image images shot shots drawing painting scene front back side sides top bottom end ends rear edge edges
    corner middle center centre interior exterior inside outside surface base tip body silhouette outline""".split()
)
"""Containers, quantifiers, depictions and words for a place on a thing: with *of*, what follows is the head."""

DEICTIC = frozenset(
    "front back side top bottom end rear edge corner middle center centre left right background foreground distance".split()
)
"""Words for a place in the picture: no thing by themselves."""
