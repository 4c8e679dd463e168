import { latency, many } from "./dom.js";

const width = 180, height = 36, most = 60;

function svg(tag, attributes) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  return e;
}

// words says what a history shows.
export function words(samples) {
  const queries = samples.reduce((n, s) => n + s.queries, 0);
  const failures = samples.reduce((n, s) => n + s.failures, 0);
  const slowest = Math.max(0, ...samples.map((s) => s.p95Seconds));
  return `${many(queries, "query", "queries")}, ${failures} failed` + (slowest ? `, 95% within ${latency(slowest)}` : "");
}

// history draws samples, the newest at the right: the median as a line, what 95% took at the
// most as a thin one, and failures as bars, whose height is their share of the queries.
export function history(samples) {
  const step = width / most;
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "history", "aria-label": "History: " + words(samples) });
  const x = (i) => (most - samples.length + i + 0.5) * step;
  const scale = Math.max(1e-6, ...samples.map((s) => Math.max(s.p95Seconds, s.medianSeconds)));
  root.append(svg("line", { class: "base", x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5 }));
  samples.forEach((s, i) => {
    if (!s.failures) return;
    const h = Math.max(4, (height - 2) * Math.min(1, s.failures / Math.max(1, s.queries)));
    root.append(svg("rect", { class: "failures", x: x(i) - step / 2 + 0.25, y: height - h, width: step - 0.5, height: h }));
  });
  for (const [name, of] of [["p95", "p95Seconds"], ["median", "medianSeconds"]]) {
    root.append(svg("path", { class: name, d: line(samples, of, x, scale) }));
  }
  return root;
}

// line is a path through values, with gaps where they aren't known.
function line(samples, of, x, scale) {
  let path = "", drawn = false;
  samples.forEach((s, i) => {
    if (s[of]) path += `${drawn ? "L" : "M"}${x(i).toFixed(1)} ${(height - 3 - (height - 6) * s[of] / scale).toFixed(1)}`;
    drawn = Boolean(s[of]);
  });
  return path;
}
