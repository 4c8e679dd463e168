import { at, cell, el, fill, latency, many, mark, span } from "./dom.js";
import { history, words } from "./draw.js";

export const heads = ["Member", "State", "DNS", "Data", "Gateway", "Last 5 minutes"];

const day = 24 * 3600 * 1000;
const upstreamMarks = { up: "ok", ejected: "degraded", down: "failed" };
const dataMarks = { fresh: "ok", stale: "degraded", unsynced: "unknown" };

// newRow makes the row of a member; update shows what it is like now.
export function newRow() {
  const cells = heads.map((h, i) => cell(h, null, i === 0));
  return { tr: el("tr", { role: "row" }, cells), cells: cells.map((c) => c.firstChild) };
}

export function update(row, m, now) {
  const [name, state, dns, data, gateway, recent] = row.cells;
  const place = [m.region, m.zone].filter(Boolean).join(" / ");
  fill(name, [m.name, m.local, m.network, place, m.clusterDomain, m.serviceCIDRs, m.podCIDRs, m.gateways, m.reach], () => [
    el("strong", {}, m.name), m.local ? " (local)" : null, addresses(m, place),
  ]);
  fill(state, [m.health, m.reason], () => [mark(m.health), m.reason ? el("p", { class: "note" }, m.reason) : null]);
  fill(dns, m.dns || null, () => (m.dns ? m.dns.upstreams.map(upstream) : el("span", { class: "none" }, m.local ? "looked up inside this server" : "not asked")));
  fill(data, [m.data, m.data ? ages(m.data, now) : 0], () => (m.data ? dataWords(m.data, now) : el("span", { class: "none" }, "no kubeconfig")));
  fill(gateway, [m.gateway, m.gateway ? span(now - at(m.gateway.since)) : 0], () => (m.gateway ? gatewayWords(m.gateway, now) : el("span", { class: "none" }, "not probed")));
  fill(recent, m.recent || [], () => (m.recent ? [history(m.recent), el("p", { class: "note", "aria-hidden": "true" }, words(m.recent))] : el("span", { class: "none" }, "nothing yet")));
}

// addresses is where a member is, and its addresses, which are mostly not looked at.
function addresses(m, place) {
  const lines = [["services", m.serviceCIDRs], ["pods", m.podCIDRs], ["gateways", m.gateways], ["reach", m.reach], ["domain", [m.clusterDomain]]];
  const where = [place, m.network ? `network ${m.network}` : ""].filter(Boolean).join(", ");
  return el("details", {}, el("summary", { "aria-label": `${m.name}: ${where || "its addresses"}` }, where || "addresses"),
    el("dl", {}, lines.filter(([, v]) => v && v.length).map(([k, v]) => [el("dt", {}, k), el("dd", {}, v.join(", "))])));
}

function upstream(u) {
  const trouble = u.state === "up" ? "" : u.error;
  const able = [u.edns ? "" : "no EDNS", u.streams ? "" : "no TCP"].filter(Boolean).join(", ");
  return el("div", { class: "upstream" }, el("code", {}, u.address), " ", mark(upstreamMarks[u.state], u.state), " ",
    el("span", { class: "number" }, u.medianSeconds && u.state !== "down" ? latency(u.medianSeconds) : ""),
    trouble || able ? el("p", { class: "note" }, [trouble, able].filter(Boolean).join("; ")) : null);
}

// ages are what changes of data while nothing happens.
function ages(d, now) {
  return [span(now - at(d.since)), credentials(d, now)];
}

function dataWords(d, now) {
  const since = at(d.since) ? `for ${span(now - at(d.since))}` : "";
  const notes = [d.error, d.refused, credentials(d, now)].filter(Boolean);
  return [
    mark(dataMarks[d.state], d.state), ` ${since}`,
    el("p", { class: "number" }, `${many(d.services, "service")}, ${many(d.endpointSlices, "slice")}`),
    notes.map((n) => el("p", { class: "note" }, n)),
  ];
}

// credentials says what has to be done about them, "" is nothing.
export function credentials(d, now) {
  const c = d.credentials || {}, expires = at(c.expires), warn = at(c.warnFrom);
  const notes = [];
  if (c.error) notes.push(`new credentials aren’t used: ${c.error}`);
  if (expires && expires <= now) notes.push(`its ${c.kind} has expired`);
  else if (expires && (expires - now < day || (warn && warn <= now))) notes.push(`its ${c.kind} expires in ${span(expires - now)}`);
  if (c.insecure) notes.push("its API’s certificate isn’t verified");
  return notes.join("; ");
}

function gatewayWords(g, now) {
  return [
    mark(g.alive ? "ok" : "failed", g.alive ? "alive" : "dead"), ` for ${span(now - at(g.since))}`,
    el("p", { class: "note" }, el("code", {}, g.url)),
    g.error ? el("p", { class: "note" }, g.error) : null,
  ];
}
