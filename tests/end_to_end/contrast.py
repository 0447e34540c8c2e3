"""Contrast of text as a browser shows it, by WCAG 2.2."""

from __future__ import annotations

from typing import Any

_SCRIPT = """() => {
  const parse = c => {
    const m = c.match(/[\\d.]+/g).map(Number);
    return c.startsWith('color(srgb') ? [m[0] * 255, m[1] * 255, m[2] * 255, m.length > 3 ? m[3] : 1]
                                      : [m[0], m[1], m[2], m.length > 3 ? m[3] : 1];
  };
  const over = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!text || box.width < 2 || box.height < 2 || !element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    if (element.closest('button[disabled], style, script, noscript, [aria-hidden=true]')) continue;  // inactive controls are exempt
    const chain = [];
    for (let e = element; e; e = e.parentElement) chain.push(e);
    let below = [255, 255, 255, 1], opacity = 1;
    for (const e of chain.reverse()) {
      const style = getComputedStyle(e);
      below = over(parse(style.backgroundColor), below);
      opacity *= Number(style.opacity);
    }
    const style = getComputedStyle(element), colour = parse(style.color);
    colour[3] *= opacity;
    const [a, b] = [luminance(over(colour, below)), luminance(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    if (ratio < (large ? 3 : 4.5)) found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""


def poor_contrasts(page: Any) -> list[str]:
    """Visible texts of a page whose contrast is below WCAG AA (4.5:1, large text 3:1)."""
    found: list[str] = page.evaluate(_SCRIPT)
    return found
