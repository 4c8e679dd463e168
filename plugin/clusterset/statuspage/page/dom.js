// What makes elements and words. All texts go through textContent: none is read as markup.

// el makes an element with attributes, and children: elements, texts, or null for none.
export function el(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ""));
  return e;
}

const known = new WeakMap();

// fill replaces the children of e by those that make returns, unless it shows the same value
// already: what has the focus, is open or selected stays as it is.
export function fill(e, value, make) {
  const text = JSON.stringify(value);
  if (known.get(e) === text) return;
  known.set(e, text);
  e.replaceChildren(...[make()].flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ""));
}

// setText changes a text only where it differs, so that it isn't read aloud again.
export function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// at is the time that a text of JSON is, in milliseconds; 0 is none (Go's zero time is one).
export function at(text) {
  const ms = text ? Date.parse(text) : 0;
  return ms > 0 ? ms : 0;
}

// time shows a time, with its date.
export function time(text) {
  const ms = at(text);
  if (!ms) return "never";
  const iso = new Date(ms).toISOString();
  return el("time", { datetime: iso }, iso.slice(0, 19).replace("T", " ") + " UTC");
}

// span is a length of time in its greatest unit.
export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} days`;
}

// latency is seconds in words; 0 isn't known.
export function latency(seconds) {
  if (!seconds) return "?";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Number((seconds * 1e3).toPrecision(2))} ms`;
  return `${Number(seconds.toPrecision(2))} s`;
}

// many is a number with its word.
export function many(n, one, more = one + "s") {
  return `${n.toLocaleString("en")} ${n === 1 ? one : more}`;
}

const shapes = { ok: "●", degraded: "▲", failed: "✖", unknown: "○" };

// mark is a state as a shape and a word: it can be read without colours.
export function mark(state, word = state) {
  const shape = el("span", { class: "shape", "aria-hidden": "true" }, shapes[state] || "○");
  return el("span", { class: "mark " + (shapes[state] ? state : "unknown") }, shape, " ", word);
}

// table makes one with a caption, the heads of its columns, and rows of cells.
export function table(caption, heads, rows, attributes = {}) {
  const row = (cells) => el("tr", { role: "row" }, cells.map((c, i) => cell(heads[i], c, i === 0)));
  return el("table", { role: "table", ...attributes },
    el("caption", {}, caption), head(heads), el("tbody", { role: "rowgroup" }, rows.map(row)));
}

// head makes a table's. The roles are written out: where the screen is narrow, a row is
// displayed as a block, and would lose them.
export function head(heads) {
  return el("thead", { role: "rowgroup" },
    el("tr", { role: "row" }, heads.map((h) => el("th", { role: "columnheader", scope: "col" }, h))));
}

// cell makes one; its head is shown beside it where the screen is narrow.
export function cell(of, content, first = false) {
  return el(first ? "th" : "td", { role: first ? "rowheader" : "cell", scope: first ? "row" : null, "data-head": of },
    el("div", {}, content));
}
