"""What makes a flame graph answer: zoom, search, kinds, scopes and keys."""

SCRIPT = r"""(() => {
"use strict";
const data = JSON.parse(document.getElementById("profile").textContent);
const svg = document.querySelector(".flame svg"), box = document.querySelector(".flame");
const detail = document.querySelector(".detail"), found = document.querySelector(".found");
const search = document.querySelector("input[type=search]"), reset = document.querySelector("[data-reset]");
const NS = "http://www.w3.org/2000/svg", ROW = matchMedia("(pointer:coarse)").matches ? 26 : 20, LETTER = 7.25;
const nodes = data.nodes, compared = data.compared;
for (const node of nodes) { node.c = []; if (node.p >= 0) nodes[node.p].c.push(node); node.name = data.names[node.n]; }
nodes.forEach(node => { node.up = node.p < 0 ? null : nodes[node.p]; });
let kind = data.kind, scope = data.scope, top = nodes[0], at = null, query = "";
const digits = v => { if (!v) return "0"; const d = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(v))));
  return v.toLocaleString("en", {maximumFractionDigits: Math.min(d, 6)}); };
const show = {nanoseconds: v => v >= 1e9 ? digits(v / 1e9) + " s" : v >= 1e6 ? digits(v / 1e6) + " ms"
    : digits(v / 1e3) + " \u00b5s",
  bytes: v => { let i = 0; while (v >= 1024 && i < 4) { v /= 1024; i++; }
    return digits(v) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][i]; },
  count: v => v.toLocaleString("en")};
const value = node => node.v[kind], told = v => show[data.kinds[kind].unit](v);
const percent = (a, b) => b ? digits(100 * a / b) + " %" : "\u2013";
const inScope = node => node.name[1] === scope || !data.scopes.length;
const roots = () => nodes[0].c.filter(inScope);
const whole = () => roots().reduce((sum, node) => sum + value(node), 0);
const wholeBefore = () => roots().reduce((sum, node) => sum + node.b[kind], 0);
const hit = node => query && node.p > 0 && (node.name[0] + " " + node.name[1]).toLowerCase().includes(query);
const own = node => value(node) - node.c.reduce((sum, child) => sum + value(child), 0);
const path = node => { const up = []; for (let n = node.up; n && n.p >= 0; n = n.up) up.unshift(n); return up; };
const element = (name, attributes, parent) => { const e = document.createElementNS(NS, name);
  for (const key in attributes) e.setAttribute(key, attributes[key]); parent.append(e); return e; };
let shown = [];
const cell = (node, x, y, width, up) => {
  const g = element("g", {class: (up ? "up " : "") + (hit(node) ? "hit " : "") + (node === at ? "at" : "")}, svg);
  g.node = node; node.g = g; shown.push({node, x, y, width});
  const kindOf = node.p === 0 ? "r-root" : "r" + node.name[3] + (node.n % 2 ? " odd" : "");
  const rect = element("rect", {x, y, width: Math.max(width, .3), height: ROW, rx: 2, class: kindOf}, g);
  if (compared && node.p > 0 && !hit(node)) {
    const change = (value(node) - node.b[kind]) / (Math.max(whole(), wholeBefore()) || 1);
    const strength = Math.min(1, Math.sqrt(Math.abs(change)) * 1.6);
    rect.style.fill = Math.abs(change) < .002 ? "var(--o2)"
      : `rgba(var(--${change > 0 ? "more" : "less"}),${(.12 + .6 * strength).toFixed(2)})`;
  }
  const room = Math.floor((width - 8) / LETTER);
  if (room >= 3) { const name = node.name[0], text = element("text", {x: x + 4, y: y + ROW / 2 + 4}, g);
    text.textContent = name.length <= room ? name : name.slice(0, room - 1) + "\u2026"; }
};
const draw = () => {
  const wide = Math.max(box.clientWidth, 200), total = top.p < 0 ? whole() : value(top);
  svg.replaceChildren(); shown = [];
  let y = 0;
  for (const node of path(top)) { cell(node, 0, y, wide, true); y += ROW; }
  const level = top.p < 0 ? roots() : [top];
  let row = [], x = 0;
  for (const node of level.slice().sort((a, b) => value(b) - value(a))) {
    const w = total ? value(node) / total * wide : 0; row.push([node, x, w]); x += w; }
  while (row.length) {
    const next = [];
    for (const [node, left, width] of row) {
      if (width < .4) continue;
      cell(node, left, y, width, false);
      let x = left;
      const scale = value(node) ? width / value(node) : 0;
      for (const child of node.c) { const w = value(child) * scale; if (w >= .4) next.push([child, x, w]); x += w; }
    }
    row = next; y += ROW;
  }
  y = Math.max(y, ROW * 3);
  svg.setAttribute("viewBox", `0 0 ${wide} ${y}`); svg.style.height = y + "px";
  if (!total) { const t = element("text", {x: 12, y: ROW + 8}, svg); t.textContent = "Nothing was counted here."; }
  reset.disabled = top.p < 0;
  tellFound();
};
const tellFound = () => {
  if (!query) { found.textContent = ""; return; }
  const sum = node => hit(node) ? value(node) : node.c.reduce((s, child) => s + sum(child), 0);
  const matched = roots().reduce((s, node) => s + sum(node), 0);
  found.textContent = "found in " + percent(matched, whole()) + ", " + told(matched);
};
const tell = node => {
  if (!node || node.p < 0) { detail.textContent = detail.dataset.empty; return; }
  const b = document.createElement("b"), where = document.createElement("span"), how = document.createElement("div");
  b.textContent = node.name[0];
  where.textContent = node.p === 0 ? "" : "  " + node.name[1] + (node.name[2] ? ":" + node.name[2] : "");
  let text = told(value(node)) + ", " + percent(value(node), whole()) + " of all";
  if (top.p >= 0) text += ", " + percent(value(node), value(top)) + " of what is shown";
  const self = own(node);
  text += "; by itself " + told(Math.max(self, 0)) + ", " + percent(Math.max(self, 0), whole());
  if (compared) text += "; before " + told(node.b[kind]) + ", " + percent(node.b[kind], wholeBefore());
  const lines = (node.l || []).filter(line => line[1] > 0), sum = value(node) || 1;
  if (lines.length && kind === data.kind) text += "; line" + (lines.length > 1 ? "s " : " ")
    + lines.map(([line, v]) => line + " (" + percent(v, sum) + ")").join(", ");
  how.textContent = text; detail.replaceChildren(b, where, how);
};
const select = node => { if (at && at.g) at.g.classList.remove("at"); at = node;
  if (node && node.g) node.g.classList.add("at"); tell(node); };
const zoom = node => { top = node; draw(); select(at); };
const under = event => { let e = event.target; while (e && e !== svg && !e.node) e = e.parentNode;
  return e && e.node || null; };
svg.addEventListener("pointermove", event => { if (event.pointerType === "mouse") { const node = under(event);
  if (node !== at) select(node); } });
svg.addEventListener("click", event => { const node = under(event); if (!node) return;
  select(node); zoom(node === top ? (node.up || nodes[0]) : node); });
svg.addEventListener("keydown", event => {
  const steps = {ArrowDown: n => n.c.find(c => value(c)), ArrowUp: n => n.up && n.up.p >= 0 ? n.up : null,
    ArrowLeft: n => beside(n, -1), ArrowRight: n => beside(n, 1)};
  if (event.key === "Enter" && at) zoom(at); else if (event.key === "Escape") zoom(nodes[0]);
  else if (steps[event.key]) select((at && at.g && at.g.isConnected ? steps[event.key](at) : shown[0] && shown[0].node)
    || at);
  else return;
  event.preventDefault();
});
const beside = (node, step) => { const all = shown.filter(one => one.y === (shown.find(o => o.node === node) || {}).y);
  const i = all.findIndex(one => one.node === node); return all[i + step] && all[i + step].node; };
const choose = (name, set) => { for (const button of document.querySelectorAll(`[data-${name}]`)) {
  const mark = () => { for (const b of document.querySelectorAll(`[data-${name}]`))
    b.setAttribute("aria-pressed", String(String(b.dataset[name]) === String(name === "kind" ? kind : scope))); };
  button.addEventListener("click", () => { set(button.dataset[name]); mark(); draw(); select(null); }); mark(); } };
choose("kind", v => { kind = Number(v); });
choose("scope", v => { scope = v; top = nodes[0]; });
reset.addEventListener("click", () => zoom(nodes[0]));
search.addEventListener("input", () => { query = search.value.trim().toLowerCase(); draw(); });
addEventListener("keydown", event => { if (event.key === "/" && document.activeElement !== search) {
  event.preventDefault(); search.focus(); } });
new ResizeObserver(draw).observe(box);
draw(); select(null);
})();
"""
