"""The page's style, on top of the theme in ``.streamlit/config.toml``. Nothing of a stranger's text ever enters here."""

from __future__ import annotations

import streamlit as st

CSS = """
[data-testid="stMainBlockContainer"] { padding: 1.25rem 1rem 2rem; max-width: 46rem; }
[data-testid="stHeader"] { height: 2rem; min-height: 2rem; background: transparent; }

/* the label: large plain text that breaks anywhere, and whose direction cannot touch the page's */
.st-key-label [data-testid="stText"], .st-key-long-label [data-testid="stText"] {
  font-family: inherit; font-weight: 650; line-height: 1.25; white-space: pre-wrap; overflow-wrap: anywhere;
  unicode-bidi: isolate; text-align: center; color: inherit;
}
.st-key-label [data-testid="stText"] { font-size: clamp(1.5rem, 5vw, 2.25rem); }
.st-key-long-label [data-testid="stText"] { font-size: 1.15rem; }
.st-key-label, .st-key-long-label { min-height: 3rem; justify-content: center; }

/* the picture has a place of fixed height, so that the buttons stay where they are from item to item */
.st-key-picture [data-testid="stImage"], .st-key-picture [data-testid="stImageContainer"] { width: 100%; margin: 0; }
.st-key-picture img { width: 100%; height: min(50vh, 30rem); object-fit: contain; border-radius: 0; }
.st-key-picture [data-testid="stElementToolbar"] { display: none; }
.st-key-ahead { position: absolute; width: 1px; height: 1px; overflow: hidden; visibility: hidden; }
.st-key-cookie { position: absolute; height: 0; overflow: hidden; }

.st-key-scores button { min-height: 3.5rem; }
.st-key-scores button p { font-weight: 600; line-height: 1.2; white-space: normal; }
.st-key-scores [data-testid="stHorizontalBlock"] { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0.5rem; }
.st-key-scores [data-testid="stColumn"] { width: auto; min-width: 0; flex: none; }
.st-key-views button, .st-key-others button { min-height: 2.5rem; }
/* hints of keys: readable, not on the scores, which begin with theirs, and not where there is no keyboard */
button kbd, button[kind] kbd { color: inherit; opacity: 1; }
.st-key-scores button kbd { display: none; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: inherit; opacity: 1; }
:is(button, input, summary, a):focus-visible { outline: 3px solid #2f6df0 !important; outline-offset: 2px; }
main:focus-visible { outline: 3px solid #2f6df0 !important; outline-offset: -3px; }

[role="tab"], [role="tab"] p { color: inherit !important; }

@media (max-width: 40rem) {
  [data-testid="stMainBlockContainer"] { padding: 1rem 0.75rem 1.5rem; }
  .st-key-scores [data-testid="stHorizontalBlock"] { grid-template-columns: repeat(2, 1fr); }
  .st-key-picture img { height: min(38vh, 22rem); }
}
@media (pointer: coarse) { button kbd { display: none; } }
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
"""


def apply() -> None:
    """Put the style into the page."""
    st.html(f"<style>{CSS}</style>")
