// The page reads status.json each few seconds, and shows what changed.
import { at, many, setText, span } from "./dom.js";
import { watchForm } from "./lookup.js";
import { newStanza } from "./stanza.js";

const pause = 5000, patience = 15000; // milliseconds
const byId = (id) => document.getElementById(id);

let stanzas = [];
let last = null; // the newest status
let failedSince = 0;
let timer = 0;
let reading = false;

async function read() {
  clearTimeout(timer);
  if (reading || document.hidden) return;
  reading = true;
  try {
    const response = await fetch("status.json", { signal: AbortSignal.timeout(patience) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    last = await response.json();
    failedSince = 0;
    show(last);
  } catch (error) {
    failedSince ||= Date.now();
    sayOld(error);
  }
  reading = false;
  timer = setTimeout(read, pause);
}

function show(process) {
  byId("trouble").hidden = true;
  document.body.classList.remove("old");
  const now = at(process.time);
  setText(byId("about"), [process.host, process.version, `up ${span(now - at(process.started))}`].filter(Boolean).join(" · "));
  const all = process.stanzas || [];
  if (stanzas.length !== all.length) {
    stanzas = all.map((_, i) => newStanza(i));
    byId("stanzas").replaceChildren(...stanzas.map((s) => s.section));
  }
  all.forEach((s, i) => stanzas[i].update(s, now));
  const [state, text] = summary(all);
  byId("summary").className = state;
  setText(byId("summary"), text);
  setText(document.querySelector("title"), `${state === "ok" ? "" : state + ": "}clusterset ${process.host}`);
}

// sayOld says that what is shown isn't of now.
function sayOld(error) {
  document.body.classList.toggle("old", last !== null);
  const clock = (ms) => new Date(ms).toISOString().slice(11, 19) + " UTC";
  byId("trouble").hidden = false;
  setText(byId("trouble"), `✖ The server can’t be reached since ${clock(failedSince)} (${error.message}). ` +
    (last ? `What is below is old: of ${clock(at(last.time))}.` : "Nothing is known yet."));
}

// summary is one sentence on all stanzas, and the state that it is of.
function summary(all) {
  const members = new Map(); // a member of several stanzas counts once, at its worst
  const order = ["failed", "degraded", "unknown", "ok"];
  for (const m of all.flatMap((s) => s.members || [])) {
    const before = members.get(m.name);
    if (!before || order.indexOf(m.health) < order.indexOf(before)) members.set(m.name, m.health);
  }
  const of = (health) => [...members].filter(([, h]) => h === health).map(([name]) => name);
  const parts = [];
  for (const [health, words] of [["failed", "failed"], ["degraded", "degraded"], ["unknown", "not heard of yet"]]) {
    const names = of(health);
    if (names.length) parts.push(`${names.length} of ${many(members.size, "member")} ${words}: ${list(names)}`);
  }
  const bad = all.some((s) => s.document && s.document.error);
  if (bad) parts.push("the document has an error");
  const waits = all.some((s) => !s.ready);
  if (waits) parts.push("not ready yet");
  if (all.length === 0) return ["unknown", "No stanza is served."];
  if (parts.length === 0) return members.size ? ["ok", `● All is well: ${many(members.size, "member")} answered for.`] : ["unknown", "○ There are no members."];
  const state = of("failed").length ? "failed" : of("degraded").length || bad ? "degraded" : "unknown";
  return [state, `${{ failed: "✖", degraded: "▲", unknown: "○" }[state]} ${parts.join("; ")}.`];
}

function list(names) {
  return names.length > 5 ? `${names.slice(0, 4).join(", ")} and ${names.length - 4} more` : names.join(", ");
}

watchForm(byId("lookup"), byId("found"));
document.addEventListener("visibilitychange", read);
read();
