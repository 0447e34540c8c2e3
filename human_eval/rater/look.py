"""The page's style, on top of the theme in ``.streamlit/config.toml``. Nothing of a stranger's text ever enters here."""

from __future__ import annotations

import streamlit as st

CSS = """
[data-testid="stMainBlockContainer"] { padding: 1.25rem 1rem 2rem; max-width: 46rem; }
[data-testid="stHeader"] { height: 2rem; min-height: 2rem; background: transparent; }

/* the label: plain text that breaks anywhere, and whose direction cannot touch the page's; however long it is, its
   place has one height, so that nothing below it moves */
.st-key-label, .st-key-long-label, .st-key-longest-label {
  min-height: 4.25rem; max-height: 4.25rem; justify-content: center; overflow: hidden; flex-shrink: 0;
}
.st-key-longest-label { overflow-y: auto; }
:is(.st-key-label, .st-key-long-label, .st-key-longest-label) [data-testid="stText"] {
  font-family: inherit; font-weight: 650; line-height: 1.2; white-space: pre-wrap; overflow-wrap: anywhere;
  unicode-bidi: isolate; text-align: center; color: inherit;
}
.st-key-label [data-testid="stText"] { font-size: clamp(1.5rem, 5vw, 2.25rem); }
.st-key-long-label [data-testid="stText"] { font-size: 1.25rem; }
.st-key-longest-label [data-testid="stText"] { font-size: 0.95rem; font-weight: 600; }

/* the picture has a place of fixed height, so that the buttons stay where they are from item to item; the bare photo
   lies over it and is seen while a key, the mouse or a finger is held */
.st-key-picture { position: relative; cursor: zoom-in; touch-action: pan-y; -webkit-touch-callout: none; user-select: none; }
.st-key-picture [data-testid="stImage"], .st-key-picture [data-testid="stImageContainer"] { width: 100%; margin: 0; }
.st-key-picture img {
  width: 100%; height: min(50vh, 30rem); object-fit: contain; border-radius: 0; -webkit-user-drag: none;
}
.st-key-picture [data-testid="stElementToolbar"] { display: none; }
.st-key-bare { position: absolute; inset: 0; visibility: hidden; pointer-events: none; }
.zg-bare .st-key-bare { visibility: visible; }
.st-key-ahead { position: absolute; width: 1px; height: 1px; overflow: hidden; visibility: hidden; }
.st-key-cookie { position: absolute; height: 0; overflow: hidden; }

/* what became of the last press, in a line that is always there */
.st-key-said .said { margin: 0; height: 1.5rem; line-height: 1.5rem; text-align: center; font-size: 0.95rem; overflow: hidden; }
.st-key-said .said.refused { font-weight: 650; color: var(--st-red-text-color); }

.st-key-scores button { min-height: 3.5rem; }
.st-key-scores button p { font-weight: 600; line-height: 1.2; white-space: normal; }
.st-key-scores [data-testid="stHorizontalBlock"] { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0.5rem; }
.st-key-scores [data-testid="stColumn"] { width: auto; min-width: 0; flex: none; }
.st-key-views button, .st-key-others button { min-height: 2.5rem; }
/* hints of keys: not on the scores, which begin with theirs, and not where there is no keyboard */
button kbd, button[kind] kbd { color: inherit; opacity: 1; }
:is(.st-key-views, .st-key-others) button::after {
  margin-left: 0.5rem; padding: 0 0.3rem; border: 1px solid currentColor; border-radius: 0.25rem;
  font-size: 0.75rem; line-height: 1.2rem;
}
[class*="st-key-view-outline"] button::after { content: "O"; }
[class*="st-key-view-dimmed"] button::after { content: "D"; }
[class*="st-key-view-zoom"] button::after { content: "E"; }
[class*="st-key-view-bare"] button::after { content: "F"; }
.st-key-others [class*="st-key-cannot-"] button::after { content: "T"; }
.st-key-others [class*="st-key-skip-"] button::after { content: "S"; }
.st-key-others [class*="st-key-undo-"] button::after { content: "Z"; }
.st-key-others [class*="st-key-comment-"] button::after { content: "C"; }
[class*="st-key-reason-b"] button::after { content: "B"; }
[class*="st-key-reason-n"] button::after { content: "N"; }
[class*="st-key-reason-w"] button::after { content: "W"; }
[class*="st-key-reason-p"] button::after { content: "P"; }
[class*="st-key-reason-x"] button::after { content: "X"; }
.st-key-touch { display: none; }
.st-key-consent [data-testid="stText"], .st-key-contact [data-testid="stText"] { font-family: inherit; white-space: pre-wrap; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: inherit; opacity: 1; }
:is(button, input, summary, a):focus-visible { outline: 3px solid #2f6df0 !important; outline-offset: 2px; }
main:focus-visible { outline: 3px solid #2f6df0 !important; outline-offset: -3px; }

[role="tab"], [role="tab"] p { color: inherit !important; }

@media (max-width: 40rem) {
  [data-testid="stMainBlockContainer"] { padding: 1rem 0.75rem 1.5rem; }
  .st-key-scores [data-testid="stHorizontalBlock"] { grid-template-columns: repeat(2, 1fr); }
  .st-key-picture img { height: min(36vh, 22rem); }
  .st-key-longest-label [data-testid="stText"] { font-size: 0.8rem; }
  [data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.5rem; }
}
@media (pointer: coarse), (hover: none), (max-width: 40rem) {
  button kbd, button::after, .st-key-keys { display: none !important; }
  .st-key-touch { display: block; }
  .st-key-view-bare { display: none; }  /* a finger on the photo does it */
}
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
"""


def apply() -> None:
    """Put the style into the page."""
    st.html(f"<style>{CSS}</style>")
