"""What the page does: it takes states from a stream of events and draws them. Text only ever becomes text."""

SCRIPT = r"""
"use strict";
const $ = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
};
const svg = (name, attributes = {}, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
};
const three = v => v === 0 ? "0" : Number(v.toPrecision(3)).toLocaleString("en-US", {maximumFractionDigits: 9});
const short = v => Math.abs(v) >= 1e9 ? three(v / 1e9) + " G" : Math.abs(v) >= 1e6 ? three(v / 1e6) + " M"
  : Math.abs(v) >= 1e4 ? three(v / 1e3) + " k" : three(v);
const seconds = v => v === 0 ? "0 s" : v >= 86400 ? three(v / 86400) + " d" : v >= 3600 ? three(v / 3600) + " h"
  : v >= 120 ? three(v / 60) + " min" : v >= 0.9995 ? three(v) + " s" : v >= 0.0009995 ? three(v * 1e3) + " ms"
  : three(v * 1e6) + " µs";
const bytes = v => { let i = 0; while (Math.abs(v) >= 1024 && i < 5) { v /= 1024; i++; }
  return three(v) + " " + ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][i]; };
const percent = v => three(v * 100) + " %";
const units = {"seconds": seconds, "bytes": bytes, "ratio": percent, "per_second": v => short(v) + "/s",
  "count": short, "": short};
const show = (unit, v) => v === null || v === undefined ? "-" : units[unit](v);
const hours = {hour: "2-digit", minute: "2-digit", hourCycle: "h23"};
const time = at => new Date(at * 1000).toLocaleTimeString([], {...hours, second: "2-digit"});
const moment = at => { const day = new Date(at * 1000), today = new Date().toDateString() === day.toDateString();
  return (today ? "" : day.toLocaleDateString() + " ") + time(at); };
const badge = (level, text) => $("span", {class: "badge " + level}, text);

let state = null, source = null, span = 300, heard = 0;
const nodes = {};

// Lines: what came is appended, what is older than the span goes.
const merge = next => {
  const id = panel => panel.row + "\n" + panel.title;
  const before = new Map(state ? state.panels.map(panel => [id(panel), panel.lines]) : []);
  if (next.since !== null && state) next.panels.forEach(panel => {
    const known = new Map((before.get(id(panel)) || []).map(line => [line.name, line.points]));
    for (const line of panel.lines)
      line.points = [...(known.get(line.name) || []), ...line.points].filter(p => p[0] > next.at - next.span);
  });
  state = next;
};

const chart = (panel, from, to) => {
  // As wide as it will be shown, so that text has the size of text.
  const place = Math.min(nodes.body.clientWidth, 1400), share = place <= 900 ? 1 : panel.width / 12;
  const width = Math.max(240, Math.round((place + 14) * share - 14 - 30)), height = 170;
  const left = 52, top = 8, bottom = height - 20;
  const all = panel.lines.flatMap(line => line.points.map(p => p[1])).filter(v => v !== null);
  const high = Math.max(...all, panel.limits.length && all.length ? Math.min(...panel.limits.map(l => l[0]),
    Math.max(...all) * 3) : 0, 0);
  const base = panel.unit === "bytes" ? 1024 : 10, want = (high || 1) / 3;
  const power = base ** Math.floor(Math.log(want) / Math.log(base));
  const steps = base === 10 ? [1, 2, 2.5, 5, 10] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
  const step = (steps.find(s => s * power >= want) || base) * power;
  const peak = Math.max(step, Math.ceil((high || 1) / step) * step);
  const x = at => left + (at - from) / (to - from) * (width - left - 6), y = v => bottom - v / peak * (bottom - top);
  const picture = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": panel.title});
  for (let v = 0; v <= peak * 1.001; v += step) {
    picture.append(svg("line", {class: "grid", x1: left, x2: width - 6, y1: y(v), y2: y(v)}),
      svg("text", {x: left - 7, y: y(v) + 4, "text-anchor": "end"}, units[panel.unit](v)));
  }
  for (let i = 0, parts = width < 420 ? 2 : 4; i <= parts; i++) {
    const at = from + (to - from) * i / parts;
    const anchor = i === 0 ? "start" : i === parts ? "end" : "middle";
    picture.append(svg("text", {x: x(at), y: height - 3, "text-anchor": anchor},
      (to - from > 100000 ? new Date(at * 1000).toLocaleDateString([], {weekday: "short"}) + " " : "")
      + new Date(at * 1000).toLocaleTimeString([], hours)));
  }
  for (const [value, severity] of panel.limits) if (value <= peak)
    picture.append(svg("path", {class: "limit " + severity, d: `M${left} ${y(value)}H${width - 6}`}));
  panel.lines.forEach((line, i) => {
    let d = "", drawing = false;
    for (const [at, value] of line.points) {
      if (value === null) { drawing = false; continue; }
      d += (drawing ? "L" : "M") + x(at).toFixed(1) + " " + y(value).toFixed(1); drawing = true;
    }
    picture.append(svg("path", {class: "line", d, stroke: `var(--c${i % 8})`}));
  });
  const cross = svg("path", {class: "cross", d: ""}); picture.append(cross);
  const tip = $("div", {class: "tip", hidden: ""});
  picture.addEventListener("pointermove", event => {
    const box = picture.getBoundingClientRect(), at = from + ((event.clientX - box.left) / box.width * width - left)
      / (width - left - 6) * (to - from);
    const near = panel.lines.map(line => [line.name, line.points.reduce((best, p) =>
      best === null || Math.abs(p[0] - at) < Math.abs(best[0] - at) ? p : best, null)]).filter(one => one[1]);
    if (!near.length || at < from || at > to) { tip.hidden = true; cross.setAttribute("d", ""); return; }
    cross.setAttribute("d", `M${x(near[0][1][0])} ${top}V${bottom}`);
    tip.replaceChildren($("div", {}, moment(near[0][1][0])),
      ...near.map(([name, p]) => $("div", {}, `${name}: ${show(panel.unit, p[1])}`)));
    tip.hidden = false;
    const right = event.clientX - box.left > box.width / 2;
    tip.style.left = right ? "auto" : event.clientX - box.left + 28 + "px";
    tip.style.right = right ? box.right - event.clientX + 28 + "px" : "auto";
    tip.style.top = "34px";
  });
  picture.addEventListener("pointerleave", () => { tip.hidden = true; cross.setAttribute("d", ""); });
  return [picture, tip];
};

const latest = line => {
  for (let i = line.points.length; i--;) if (line.points[i][1] !== null) return line.points[i][1];
  return null;
};
const drawPanel = panel => {
  const card = $("section", {class: `card ${panel.level} w`, style: `grid-column:span ${panel.width}`});
  const single = panel.lines.length === 1 && panel.kind !== "number" ? show(panel.unit, latest(panel.lines[0])) : null;
  const now = single === null ? null : $("span", {class: "now"}, single);
  card.append($("h3", {title: panel.help || null}, panel.title, now));
  const known = panel.lines.some(line => line.points.some(p => p[1] !== null));
  if (panel.kind === "number" || panel.kind === "table") {
    for (const line of panel.lines) card.append(panel.kind === "number" && panel.lines.length === 1
      ? $("div", {class: "number"}, show(panel.unit, latest(line)))
      : $("div", {class: "legend"}, $("span", {}, line.name, $("b", {}, show(panel.unit, latest(line))))));
  } else if (known) {
    card.append(...chart(panel, state.at - state.span, state.at));
    if (panel.lines.length > 1) card.append($("div", {class: "legend"}, ...panel.lines.map((line, i) => $("span", {},
      $("i", {style: `background:var(--c${i % 8})`}), line.name, $("b", {}, show(panel.unit, latest(line)))))));
  }
  if (!known) card.append($("p", {class: "soft small"}, "Nothing has come yet."));
  if (panel.others) card.append($("p", {class: "soft small"}, `and ${panel.others} lower lines`));
  return card;
};

const table = (heads, rows) => $("div", {class: "scroll", tabindex: "0"}, $("table", {},
  $("thead", {}, $("tr", {}, ...heads.map(([text, kind]) => $("th", {class: kind || null, scope: "col"}, text)))),
  $("tbody", {}, ...rows)));
const row = (...cells) => $("tr", {}, ...cells.map(([content, kind]) => $("td", {class: kind || null}, content)));
const section = (title, body, kind = "full") => $("section", {class: "card " + kind}, $("h3", {}, title), body);
const none = text => $("p", {class: "soft"}, text);
const rowsOf = (rows, empty, heads, make) => {
  const failed = rows.filter(one => one.failed !== undefined && one.name === undefined);
  if (failed.length) return $("p", {class: "badge bad"}, failed[0].failed);
  return rows.length ? table(heads, rows.map(make)) : none(empty);
};

const named = (name, detail) => [$("div", {}, name, detail ? $("div", {class: "soft small"}, detail) : null), "w"];
const states = {good: "ok", warning: "degraded", bad: "failed", unknown: "unknown"};
const drawers = {
  alerts: rows => section("Alerts", rowsOf(rows, "No alert is pending or firing.",
    [["Alert", "w"], ["State"], ["Severity", "hide"], ["Since"]], a => row(
      named(a.name, [a.summary, ...a.labels.map(l => l.join("="))].filter(Boolean).join(" · ")),
      [badge(a.state === "firing" ? "bad" : a.state === "pending" ? "warning" : "unknown", a.state)],
      [a.severity, "hide"], [moment(a.since), "t"])), "half"),
  budgets: rows => section("Error budgets", rowsOf(rows, "No objective is set.",
    [["Objective", "w"], ["Target", "n hide"], ["Budget left"], ["Burn", "n"]], b => {
      const level = b.left === null ? "unknown" : b.left <= 0 ? "bad" : b.left < 0.25 ? "warning" : "good";
      const full = Math.max(0, Math.min(1, b.left || 0)) * 100;
      const meter = $("div", {class: "meter " + level}, $("i", {style: `width:${full}%`}));
      return row([b.name, "w"], [Number((b.objective * 100).toFixed(4)) + " %", "n hide"],
        [$("div", {}, b.left === null ? "not known yet" : percent(b.left), meter)],
        [b.burn === null ? "-" : three(b.burn) + " x", "n"]); }), "half"),
  guards: rows => section("Guards", rowsOf(rows, "No guard has a name yet.",
    [["Guard", "w"], ["Kind", "hide"], ["State"], ["Passed", "n"], ["Refused", "n"]], g => row(named(g.name, g.detail),
      [g.kind, "hide"], [g.state ? badge(g.level, g.state) : ""], [g.passed === null ? "-" : short(g.passed), "n"],
      [g.refused === null ? "-" : short(g.refused), "n"])), "half"),
  health: rows => section("Health", rowsOf(rows, "No check is set.", [["Check", "w"], ["State"], ["Took", "n"]],
    h => row(named(h.name, [h.critical ? "" : "not critical", h.detail].filter(Boolean).join(" · ")),
      [badge(h.level, states[h.level])], [h.seconds === null ? "-" : seconds(h.seconds), "n"])), "half"),
};
const opened = new Set();
const drawTraces = rows => {

  const body = rows.length ? $("div", {}, ...rows.map(t => {
    if (t.failed !== undefined && t.name === undefined) return $("p", {class: "badge bad"}, t.failed);
    const more = $("details", opened.has(t.trace_id) ? {open: ""} : {}, $("summary", {}, `${t.name}  `,
      $("b", {}, seconds(t.seconds)), "  ", t.failed ? badge("bad", "error") : "",
      $("span", {class: "soft small"}, `  ${moment(t.at)} · ${t.trace_id}`)));
    more.addEventListener("toggle", () => more.open ? opened.add(t.trace_id) : opened.delete(t.trace_id));
    more.append($("div", {class: "spansof"}, ...t.spans.map(s => {
      const begin = s.start / t.seconds * 100, wide = Math.max(s.seconds / t.seconds * 100, 0.2);
      const after = begin > 60 ? `right:${100 - begin}%` : `left:${Math.min(begin + 0.3, 99)}%`;
      return $("div", {}, $("i", {class: s.failed ? "failed" : null, style: `left:${begin}%;width:${wide}%`}),
        $("span", {style: after}, `${s.name} ${seconds(s.seconds)}`)); })));
    return more; })) : none("No trace was kept yet.");

  return section("Slow and failed traces", body);
};

const draw = () => {
  const over = state.overall;
  nodes.overall.className = "badge overall " + over.level;
  nodes.overall.textContent = over.word + (over.names ? ": " + over.names : "");
  document.title = (over.level === "good" || over.level === "unknown" ? "" : "● ") + nodes.title;
  const first = $("div", {class: "grid"});
  for (const name of ["alerts", "budgets", "guards", "health"])
    if (state[name]) first.append(drawers[name](state[name]));
  const parts = [first];
  const rows = new Map();
  for (const panel of state.panels) rows.set(panel.row, [...(rows.get(panel.row) || []), panel]);
  for (const [name, panels] of rows) parts.push($("h2", {}, name || "Metrics"),
    $("div", {class: "grid"}, ...panels.map(drawPanel)));
  if (state.traces) parts.push($("h2", {}, "Traces"), $("div", {class: "grid"}, drawTraces(state.traces)));
  // Whoever reads or selects is not disturbed: the page is drawn again when nothing is pointed at or selected.
  if (nodes.body.matches(":hover") && document.querySelector(".tip:not([hidden])")) return;
  if (String(getSelection()) !== "") return;
  const place = scrollY; nodes.body.replaceChildren(...parts); scrollTo(0, place);
  nodes.flame.hidden = !state.flame;
};

const live = (on, text) => {
  nodes.live.className = "live " + (on ? "on" : "off"); nodes.live.lastChild.textContent = text; };
const listen = () => {
  if (source) source.close();
  source = new EventSource(`events?span=${span}`);
  source.onmessage = event => { merge(JSON.parse(event.data)); heard = Date.now();
    live(true, state.at === null ? "no metrics yet" : time(state.at)); draw(); };
  source.onerror = () => live(false, "connection lost, trying again");
};
setInterval(() => { if (heard && Date.now() - heard > 10000) live(false, "nothing heard for "
  + seconds(Math.round((Date.now() - heard) / 1000))); }, 1000);

addEventListener("DOMContentLoaded", () => {
  nodes.title = document.title;
  for (const name of ["overall", "live", "body", "flame"]) nodes[name] = document.getElementById(name);
  for (const button of document.querySelectorAll(".spans button")) button.addEventListener("click", () => {
    for (const other of document.querySelectorAll(".spans button"))
      other.setAttribute("aria-pressed", other === button);
    span = Number(button.value); state = null; listen();
  });
  document.getElementById("openflame").addEventListener("click", () => {
    const frame = $("iframe", {src: "flame", title: "Flame graph", sandbox: "allow-scripts"});
    document.getElementById("flameplace").replaceChildren(frame);
  });
  listen();
});
"""
