// What buttons and pictures alone cannot do: keys by what is printed on them or else by their place, a focus that stays
// where it was when the next item comes, a line that says what was stored, and the bare photo while a key, a finger or
// the mouse is held. It acts by pressing the page's own buttons, and its texts arrive as data.
const BUTTON = (name) => document.querySelector(`[class*="st-key-${name}"] button:not(:disabled)`);
const bare = (on) => document.documentElement.classList.toggle("zg-bare", on);
const typing = (at) => at?.closest?.("input, textarea, select, [contenteditable='true']");
const nameOf = (at) => {
  const key = [...(at?.closest?.("[class*='st-key-']:has(button)")?.classList ?? [])].find((c) => c.startsWith("st-key-"));
  return key?.slice("st-key-".length);
};

function wanted(event, keys) {
  const printed = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (printed in keys) return keys[printed];
  // a letter of this alphabet means itself; anything else (Cyrillic, the digit row of AZERTY) is taken by its place
  if (/^[A-Z]$/.test(printed)) return undefined;
  const place = event.code.match(/^(?:Key|Digit|Numpad)([A-Z0-9])$/);
  return place ? keys[place[1]] : undefined;
}

const desk = {
  keys: {}, hold: "", ticket: "", focused: "", writing: "",
  down(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const holding = event.target?.closest?.(".st-key-view-bare") && [" ", "Enter"].includes(event.key);
    const name = holding ? desk.hold : wanted(event, desk.keys);
    if (!name) return;
    if (name === desk.hold) {
      bare(true);
      event.preventDefault();
      return;
    }
    if (event.repeat || (event.key === "Enter" && event.target?.closest?.("button, a, summary"))) return;
    const button = BUTTON(name);
    if (button) {
      event.preventDefault();
      button.click();
    }
  },
  up() { bare(false); },
  press(event) {
    if (event.target?.closest?.(".st-key-picture, .st-key-view-bare") && event.button === 0) bare(true);
  },
  click(event) {
    if (event.target?.closest?.(".st-key-view-bare")) event.stopPropagation();  // it is held, not pressed
  },
  menu(event) {
    if (event.target?.closest?.(".st-key-picture")) event.preventDefault();  // a long touch is a look, not a menu
  },
  focus(event) {
    const name = nameOf(event.target);
    desk.focused = name ? name.replace(/-[0-9a-f]{16}-\d+$|-[0-9a-f]{32}$/, "-") : "";
  },
  write(tries) {
    const box = document.querySelector(".st-key-comment-text textarea");
    if (box) box.focus();
    else if (tries > 0) setTimeout(() => desk.write(tries - 1), 50);
  },
  follow(tries) {  // the old button may still be there, the new one not yet
    if (!desk.focused || tries < 1) return;
    const at = document.activeElement;
    const button = !at || at === document.body ? BUTTON(desk.focused) : null;
    if (button) button.focus({ preventScroll: true });
    else setTimeout(() => desk.follow(tries - 1), 30);
  },
};

function listen() {
  if (window.zgbenchDesk) return window.zgbenchDesk;
  window.zgbenchDesk = desk;
  document.addEventListener("keydown", (e) => window.zgbenchDesk.down(e));
  for (const type of ["keyup", "pointerup", "pointercancel"]) document.addEventListener(type, () => bare(false));
  window.addEventListener("blur", () => bare(false));
  document.addEventListener("pointerdown", (e) => window.zgbenchDesk.press(e));
  document.addEventListener("contextmenu", (e) => window.zgbenchDesk.menu(e));
  document.addEventListener("click", (e) => window.zgbenchDesk.click(e), true);
  document.addEventListener("focusin", (e) => window.zgbenchDesk.focus(e));
  return desk;
}

export default function ({ data, parentElement }) {
  const at = listen();
  at.keys = data.keys;
  at.hold = data.hold;
  if (at.ticket !== data.ticket) {
    at.ticket = data.ticket;
    at.follow(40);
  }
  if (data.writing && at.writing !== data.ticket) at.write(60);
  at.writing = data.writing ? data.ticket : "";
  const line = parentElement.querySelector("[role=status]");
  if (line.dataset.turn !== String(data.turn)) {  // said again, it is another text to a screen reader
    line.dataset.turn = data.turn;
    line.textContent = data.said;
    line.classList.toggle("refused", data.refused);
  }
  return () => bare(false);
}
