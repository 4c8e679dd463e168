import { el, latency, mark, table } from "./dom.js";

// watchForm has the form show how a name is answered.
export function watchForm(form, found) {
  let newest = 0;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const mine = ++newest;
    const show = (...parts) => {
      if (mine !== newest) return;
      found.hidden = false;
      found.replaceChildren(...parts.flat().filter(Boolean));
    };
    show(el("p", {}, "Looking it up …"));
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value.trim()) query.set(name, value.trim());
    }
    try {
      const response = await fetch("lookup?" + query, { signal: AbortSignal.timeout(20000) });
      const l = await response.json();
      show(response.ok ? answer(l) : el("p", {}, mark("failed", l.error)));
    } catch (error) {
      show(el("p", {}, mark("failed", "The server can’t be reached: " + error.message)));
    }
  });
}

function answer(l) {
  const good = l.rcode === "NOERROR" || l.rcode === "NXDOMAIN";
  const from = [l.member ? `member ${l.member}` : "", l.source ? `from ${l.source}` : "", l.cache ? `cache ${l.cache}` : "", latency(l.seconds)];
  return [
    el("p", { class: "verdict" }, mark(good ? "ok" : "failed", l.rcode || (l.next ? "passed on to the next plugin" : "no reply")), " ",
      el("code", {}, `${l.name} ${l.type}`), " ", from.filter(Boolean).join(", ")),
    l.extendedError ? el("p", {}, `Extended error ${l.extendedError.code}, ${l.extendedError.name}${l.extendedError.text ? `: ${l.extendedError.text}` : ""}`) : null,
    ...records("Answer", l.answer, good && !l.next ? "no records" : ""), ...records("Authority", l.authority), ...records("Additional", l.additional),
    el("h3", {}, "How it was found"), el("ol", {}, (l.steps || []).map((s) => el("li", {}, s))),
    l.candidates && l.candidates.length
      ? table("Candidates", ["Member", "Answers", "Why"], l.candidates.map((c) => [c.member || "the ServiceImport", mark(c.answers ? "ok" : "unknown", c.answers ? "yes" : "no"), c.reason]))
      : null,
    l.attempts && l.attempts.length
      ? table("Whom was asked", ["Member", "Upstream", "By", "Took", "Result"], l.attempts.map((a) => [a.member, el("code", {}, a.upstream), a.proto, latency(a.seconds), mark(a.error ? "failed" : a.replied ? "ok" : "unknown", a.error || (a.replied ? "replied" : "no reply yet"))]))
      : null,
    Object.keys(l.excluded || {}).length ? el("p", {}, "Left out: " + Object.entries(l.excluded).map(([why, n]) => `${n} ${why}`).join(", ")) : null,
  ];
}

function records(title, lines, none = "") {
  if (!lines || !lines.length) return none ? [el("h3", {}, title), el("p", {}, none)] : [];
  return [el("h3", {}, title), el("pre", { tabindex: "0", "aria-label": title }, lines.join("\n"))];
}
