"""Somebody without a mouse: which controls of a page the Tab key reaches, and whether its focus is seen."""

from __future__ import annotations

from typing import Any

_MARK = """() => {
  let n = 0;
  for (const e of document.querySelectorAll('a[href], button, input, select, textarea, summary, canvas, [tabindex]')) {
    const box = e.getBoundingClientRect();
    const there = box.width > 1 && box.height > 1 && e.checkVisibility({visibilityProperty: true});
    const other = e.matches('[role=radio][aria-checked=false]');  // of a group, arrows lead from one to the next
    if (there && !other && e.tabIndex >= 0 && !e.disabled && !e.closest('[inert], [aria-hidden=true]')) e.dataset.stop = n++;
  }
  return n;
}"""
_AT = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const grid = at.closest('[data-testid="stDataFrame"]') && !at.matches('button');  // paints its own frame around a cell
  const seen = grid || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && style.opacity > 0);
  return [at.dataset.stop ?? null, seen || at === document.body];
}"""
_NAMES = """numbers => numbers.map(n => {
  const e = document.querySelector(`[data-stop="${n}"]`);
  return e ? e.tagName + ' ' + (e.getAttribute('aria-label') || e.innerText || e.dataset.testid || '').slice(0, 60) : 'gone';
})"""
_NAME = """() => {
  const a = document.activeElement;  // the page itself can have the focus, to be scrolled
  return a.matches('main, body') ? [] : [a.getAttribute('aria-label') || '', a.innerText || '', a.placeholder || ''];
}"""
_CELLS = 60
"""Steps that the cells of tables may take: Tab goes through them as well."""


def missed(page: Any) -> list[str]:
    """Controls that Tab does not reach from the top of the page, or whose focus cannot be seen."""
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    left, unseen = set(range(page.evaluate(_MARK))), set()
    for _ in range(len(left) + _CELLS):
        if not left:
            break
        page.keyboard.press("Tab")
        stop, seen = page.evaluate(_AT)
        if not seen:  # some appear slowly
            page.wait_for_timeout(400)
            _, seen = page.evaluate(_AT)
        if stop is not None:
            left.discard(int(stop))
            if not seen:
                unseen.add(int(stop))
    told = (("not reached", left), ("focus not seen", unseen))
    return [f"{what}: {name}" for what, numbers in told for name in page.evaluate(_NAMES, sorted(numbers))]


def tab_to(page: Any, name: str) -> None:
    """Press Tab until the control of this name, or a name that begins so, has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        at = page.evaluate(_NAME)
        if any(line.startswith(name) for text in at for line in text.splitlines()):
            return
    raise AssertionError(f"Tab does not reach {name!r}")
