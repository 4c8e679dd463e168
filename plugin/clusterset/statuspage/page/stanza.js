import { at, el, fill, head, many, mark, setText, span, table, time } from "./dom.js";
import { heads, newRow, update } from "./member.js";

const order = ["failed", "degraded", "unknown", "ok"];
const filterFrom = 8; // members

// newStanza makes the section of a stanza; its update shows a status of it.
export function newStanza(n) {
  const id = `stanza-${n}`;
  const title = el("h2", { id });
  const facts = el("div", { class: "facts" }), more = el("div", { class: "more" });
  const filter = el("input", { type: "search", id: `${id}-filter`, autocomplete: "off", spellcheck: "false", placeholder: "name, region, network, state" });
  const shown = el("span", { role: "status", class: "number" });
  const box = el("p", { class: "filter", hidden: true }, el("label", { for: filter.id }, "Show only "), filter, " ", shown);
  const body = el("tbody", { role: "rowgroup" });
  const members = el("table", { role: "table", class: "members" }, el("caption", {}, "Members, as seen from here, the worst first"), head(heads), body);
  const none = el("p", {}, "No member is in force.");
  const rows = new Map();
  let last = [];

  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const m of last) {
      const text = [m.name, m.region, m.zone, m.network, m.health].join(" ").toLowerCase();
      const hide = !words.every((w) => text.includes(w));
      rows.get(m.name).tr.hidden = hide;
      n += hide ? 0 : 1;
    }
    setText(shown, words.length ? `${n} of ${many(last.length, "member")}` : "");
  };
  filter.addEventListener("input", show);

  return {
    section: el("section", { "aria-labelledby": id }, title, facts, box, members, none, more),
    update(s, now) {
      setText(title, (s.zones || []).map((z) => z.name).join(" ") || "a stanza without zones");
      fill(facts, [s.ready, s.waiting, s.local, s.mode, s.exports, s.affinity, s.cache], () => factsOf(s));
      last = [...(s.members || [])].sort((a, b) => order.indexOf(a.health) - order.indexOf(b.health) || (a.name < b.name ? -1 : 1));
      place(body, rows, last, now);
      members.hidden = last.length === 0;
      none.hidden = last.length > 0;
      box.hidden = last.length < filterFrom && !filter.value;
      show();
      fill(more, [s.document, s.overlaps, s.policies, s.imports, s.document ? span(now - at(s.document.inForceSince)) : 0], () => moreOf(s, now));
    },
  };
}

// place has a row for each member, in their order. Rows that are where they belong aren't moved.
function place(body, rows, members, now) {
  const left = new Set(rows.keys());
  let next = body.firstChild;
  for (const m of members) {
    if (!rows.has(m.name)) rows.set(m.name, newRow());
    left.delete(m.name);
    const row = rows.get(m.name);
    update(row, m, now);
    if (row.tr === next) next = next.nextSibling;
    else move(body, row.tr, next);
  }
  for (const name of left) {
    rows.get(name).tr.remove();
    rows.delete(name);
  }
}

// move puts a row before next. What has the focus in it has it afterwards too.
function move(body, tr, next) {
  const focused = tr.contains(document.activeElement) ? document.activeElement : null;
  body.insertBefore(tr, next);
  if (focused) focused.focus({ preventScroll: true });
}

function factsOf(s) {
  const c = s.cache || {}, entries = (k) => (c[k] ? c[k].entries : 0);
  const pairs = [
    ["Ready", s.ready ? mark("ok", "yes") : mark("degraded", "not yet: waits for " + ((s.waiting || []).join(", ") || "its members"))],
    ["Local cluster", s.local || "not known"], ["Mode", s.mode], ["Exports", s.exports], ["Affinity", s.affinity],
    ["Cached answers", many(entries("positive") + entries("negative"), "answer")],
  ];
  return el("dl", {}, pairs.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v))));
}

function moreOf(s, now) {
  return [documentOf(s.document || {}, now), importsOf(s.imports, now), overlapsOf(s.overlaps), policiesOf(s.policies)];
}

function documentOf(d, now) {
  const pairs = [
    ["Source", el("code", {}, d.source || "not known")],
    ["In force since", at(d.inForceSince) ? [time(d.inForceSince), ` (${span(now - at(d.inForceSince))})`] : "nothing is in force"],
    ["Members", String(d.members || 0)], ["Hash", d.hash ? el("code", {}, d.hash) : ""],
    ["Generation", d.generation ? String(d.generation) : ""], ["Resource version", d.resourceVersion || ""],
    ["Trouble", d.error ? [mark("failed", d.error), " since ", time(d.errorSince)] : ""],
  ];
  const findings = (d.findings || []).map((f) => [
    mark(f.severity === "error" ? "failed" : "degraded", f.severity), [f.key, f.path].filter(Boolean).join(": "),
    f.value === undefined || f.value === null ? "" : String(f.value), f.message,
  ]);
  return [
    el("h3", {}, "Document"),
    el("dl", { class: "lines" }, pairs.filter(([, v]) => v !== "").map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v)))),
    findings.length ? table("Findings", ["Severity", "Where", "Value", "What"], findings) : null,
    d.moreFindings ? el("p", {}, `${many(d.moreFindings, "finding")} more`) : null,
  ].flat();
}

function importsOf(d, now) {
  if (!d) return [];
  const state = { fresh: "ok", stale: "degraded" }[d.state] || "unknown";
  return [el("h3", {}, "ServiceImports"), el("p", {}, mark(state, d.state), at(d.since) ? ` for ${span(now - at(d.since))}` : "", d.error ? `: ${d.error}` : "")];
}

function overlapsOf(overlaps) {
  if (!overlaps || !overlaps.length) return [];
  return [el("h3", {}, "Overlapping CIDRs"), el("p", {}, mark("degraded", "No PTR is served for what two members share.")), el("ul", {}, overlaps.map((o) => el("li", {}, o)))];
}

function policiesOf(policies) {
  if (!policies || !policies.length) return [];
  const rows = policies.map((p) => [
    p.services.join(", "), (p.allow || []).join(", ") || "all", p.affinity || "default",
    Object.entries(p.weights || {}).map(([k, v]) => `${k} ${v}`).join(", ") || "none", (p.failover || []).join(", then ") || "none",
  ]);
  return [el("h3", {}, "Policies"), table("The first that matches a service holds", ["Services", "Who may look it up", "Affinity", "Weights", "Failover"], rows)];
}
