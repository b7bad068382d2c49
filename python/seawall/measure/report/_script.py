"""What a report does when someone points at it; without it everything can still be read."""

SCRIPT = r"""
(() => {
const three = v => v === 0 ? "0" : Number(v.toPrecision(4)).toLocaleString("en-US", {maximumFractionDigits: 9});
const long = v => v >= 0.9995 ? three(v) + " s" : v >= 0.0009995 ? three(v * 1e3) + " ms" : three(v * 1e6) + " µs";
const size = v => { let i = 0; while (v >= 1024 && i < 4) { v /= 1024; i++; }
  return three(v) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][i] + "/s"; };
const show = {"s": long, "/s": v => three(v) + "/s", "B/s": size, "": three};
const clock = v => { if (v < 120) return three(Number(v.toPrecision(4))) + " s";
  const s = Math.round(v), two = n => String(n).padStart(2, "0");
  const m = Math.floor(s / 60), front = s >= 3600 ? Math.floor(m / 60) + ":" + two(m % 60) : m;
  return front + ":" + two(s % 60); };
const where = {moment: clock, length: long, percentile: v => {
  const beyond = 10 ** -v * 100; return "P" + Number((100 - beyond).toFixed(Math.max(1, Math.ceil(v)))); }};
const charts = [];
for (const figure of document.querySelectorAll("figure[data-values]")) {
  const facts = JSON.parse(figure.dataset.values), svg = figure.querySelector("svg");
  const title = svg.querySelector("title");
  svg.setAttribute("aria-label", title.textContent);
  title.remove(); // its native tooltip would cover the values
  const [left, right, top, bottom] = facts.frame;
  const cross = document.createElementNS(svg.namespaceURI, "path");
  cross.setAttribute("class", "cross"); svg.append(cross);
  const tip = document.createElement("div"); tip.className = "tip"; tip.hidden = true; figure.append(tip);
  for (const one of facts.series) if (typeof one.x === "number") one.x = facts.series[one.x].x;
  const off = new Set();
  const point = (x, told) => {
    if (x === null) { cross.setAttribute("d", ""); tip.hidden = true; return; }
    const f = (x - left) / (right - left), [low, high] = facts.span;
    const value = facts.log ? low * (high / low) ** f : low + f * (high - low);
    cross.setAttribute("d", `M${x} ${top}V${bottom}`);
    tip.hidden = !told; if (!told) return;
    const lines = [where[facts.axis](value)];
    facts.series.forEach((one, i) => {
      if (off.has(i) || !one.x.length) return;
      let a = 0, b = one.x.length - 1;
      while (b - a > 1) { const m = (a + b) >> 1; if (one.x[m] <= x) a = m; else b = m; }
      const at = Math.abs(one.x[b] - x) < Math.abs(one.x[a] - x) ? b : a;
      if (one.y[at] !== null) lines.push(one.name + ": " + show[facts.unit](one.y[at]));
    });
    tip.replaceChildren(...lines.map(line => {
      const div = document.createElement("div"); div.textContent = line; return div; }));
    const box = svg.getBoundingClientRect(), outer = figure.getBoundingClientRect();
    const px = box.left - outer.left + x * box.width / svg.viewBox.baseVal.width;
    tip.style.top = box.top - outer.top + 18 + "px";
    tip.style.left = Math.max(2, px + tip.offsetWidth + 14 < outer.width ? px + 12 : px - tip.offsetWidth - 12) + "px";
  };
  const section = figure.closest("[data-run]");
  const chart = {point, facts, section}; charts.push(chart);
  const all = (x, told) => { for (const other of charts) if (other === chart) point(x, told);
    else if (facts.axis === "moment" && other.facts.axis === "moment" && other.section === section
      && String(other.facts.frame) === String(facts.frame)) other.point(x, false); };
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    all(x < left - 4 || x > right + 4 ? null : Math.min(Math.max(x, left), right), true);
  });
  svg.addEventListener("pointerleave", () => all(null, false));
  const items = figure.querySelectorAll(".legend li");
  if (items.length > 1) for (const item of items) {
    item.setAttribute("role", "button"); item.tabIndex = 0; item.setAttribute("aria-pressed", "true");
    const toggle = () => { const i = Number(item.dataset.series), hide = !off.has(i);
      if (hide) off.add(i); else off.delete(i);
      svg.querySelector(`g[data-series="${i}"]`).toggleAttribute("hidden", hide);
      item.setAttribute("aria-pressed", String(!hide)); };
    item.addEventListener("click", toggle);
    item.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(); } });
  }
}
const unfold = () => { const at = location.hash && document.getElementById(location.hash.slice(1));
  if (at && at.tagName === "DETAILS") at.open = true; };
addEventListener("hashchange", unfold); unfold();
addEventListener("beforeprint", () => document.querySelectorAll("details.run").forEach(run => { run.open = true; }));
})();
"""
