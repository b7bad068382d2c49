"""How the page looks: light and dark, from a phone to a wall. Text meets WCAG AA on its ground."""

STYLE = """
:root{color-scheme:light dark;--ground:#f4f6f8;--card:#fff;--ink:#1b2127;--soft:#56616d;--rule:#dde2e8;--grid:#e8ecf0;
--good:#0a6b48;--goodbg:#e3f5ec;--bad:#b3202c;--badbg:#fdeaea;--warning:#7d5200;--warningbg:#fdf3dc;--unknown:#56616d;
--unknownbg:#eceff2;--c0:#0b63b0;--c1:#c05600;--c2:#087a58;--c3:#7a3fa8;--c4:#c0262d;--c5:#5b6672;--c6:#0e7c86;
--c7:#8a6d00}
@media (prefers-color-scheme:dark){:root{--ground:#0e1216;--card:#171d23;--ink:#e6eaef;--soft:#a3aebb;--rule:#2d363f;
--grid:#262e37;--good:#56d69a;--goodbg:#12301f;--bad:#ff8a85;--badbg:#3a1a1c;--warning:#f0c063;--warningbg:#35290f;
--unknown:#a3aebb;--unknownbg:#232b33;--c0:#6cb4ff;--c1:#f2a04c;--c2:#43cf9c;--c3:#c9a0ff;--c4:#ff7f78;--c5:#a9b4c0;
--c6:#5cd0da;--c7:#d9bd4c}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header{position:sticky;top:0;z-index:3;background:var(--card);border-bottom:1px solid var(--rule);padding:10px 20px;
display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center}
h1{font-size:18px;margin:0;overflow-wrap:anywhere}
h2{font-size:16px;margin:26px 0 10px}
main{max-width:1440px;margin:0 auto;padding:4px 20px 48px}
.space{flex:1}
.spans{display:flex;border:1px solid var(--rule);border-radius:7px;overflow:hidden}
.spans button{all:unset;padding:3px 11px;cursor:pointer;color:var(--soft);font-size:13px}
.spans button+button{border-left:1px solid var(--rule)}
.spans button[aria-pressed=true]{background:var(--ink);color:var(--card)}
.live{color:var(--soft);font-size:13px;display:flex;align-items:center;gap:6px;min-width:12ch}
.live i{width:8px;height:8px;border-radius:50%;background:var(--unknown)}
.live.on i{background:var(--good)}.live.off i{background:var(--bad)}
.badge{display:inline-block;border-radius:5px;padding:1px 8px;font-size:13px;font-weight:600;white-space:nowrap}
.good{color:var(--good);background:var(--goodbg)}.bad{color:var(--bad);background:var(--badbg)}
.warning{color:var(--warning);background:var(--warningbg)}.unknown{color:var(--unknown);background:var(--unknownbg)}
.overall{font-size:15px;padding:3px 12px;white-space:normal;overflow-wrap:anywhere}
.grid{display:grid;grid-template-columns:repeat(12,minmax(0,1fr));gap:14px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:9px;padding:12px 14px;min-width:0;
position:relative}
.half{grid-column:span 6}.full{grid-column:span 12}
.card h3{font-size:14px;margin:0 0 6px;display:flex;gap:8px;align-items:center;justify-content:space-between}
.card.bad{color:inherit;background:var(--card);border-color:var(--bad)}
.card.warning{color:inherit;background:var(--card);border-color:var(--warning)}
.card.good{color:inherit;background:var(--card)}
.now{font-weight:600;font-variant-numeric:tabular-nums}
.number{font-size:30px;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.2}
.soft{color:var(--soft)}.small{font-size:13px}
p{margin:4px 0}
svg{display:block;width:100%;overflow:visible}
svg text{font-size:11.5px;fill:var(--soft)}
svg .line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}
svg .limit{stroke-dasharray:5 4;stroke-width:1.2;fill:none}svg .limit.critical{stroke:var(--bad)}
svg .limit.warning{stroke:var(--warning)}svg .grid{stroke:var(--grid)}svg .cross{stroke:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:1px 14px;margin-top:6px;font-size:12.5px;color:var(--soft)}
.legend span{display:flex;align-items:center;gap:6px;min-width:0;overflow-wrap:anywhere}
.legend i{width:14px;height:3px;border-radius:2px;flex:none}
.legend b{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:5px 16px 5px 0;text-align:left;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--soft);font-weight:500;font-size:12.5px;white-space:nowrap}
td.n,th.n{text-align:right}td.n,td.t{white-space:nowrap}tr:last-child td{border-bottom:0}
td.w{overflow-wrap:break-word;min-width:14ch;max-width:48ch}th.w{width:99%}
.meter{height:8px;border-radius:5px;background:var(--unknownbg);overflow:hidden;min-width:110px;margin-top:5px}
.meter i{display:block;height:100%;background:var(--good)}.meter.bad i{background:var(--bad)}
.meter.warning i{background:var(--warning)}
.spansof{position:relative;margin:4px 0 10px}
.spansof div{position:relative;height:20px;font-size:12px}
.spansof i{position:absolute;top:3px;height:14px;border-radius:3px;background:var(--c0);min-width:2px;opacity:.85}
.spansof i.failed{background:var(--bad)}
.spansof span{position:absolute;top:1px;white-space:nowrap;padding:0 5px;color:var(--ink);
text-shadow:0 0 3px var(--card),0 0 3px var(--card)}
details summary{cursor:pointer}
iframe{width:100%;height:70vh;border:1px solid var(--rule);border-radius:9px;background:var(--card)}
button.open{font:inherit;padding:5px 14px;border-radius:7px;border:1px solid var(--rule);background:var(--card);
color:var(--ink);cursor:pointer}
.tip{position:absolute;pointer-events:none;background:var(--ink);color:var(--card);font-size:12px;padding:5px 9px;
border-radius:6px;z-index:2;white-space:nowrap;font-variant-numeric:tabular-nums}
:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
@media (max-width:900px){.half{grid-column:span 12}.grid>[class*=w]{grid-column:span 12!important}}
@media (max-width:560px){header{padding:9px 12px}main{padding:2px 12px 40px}.card{padding:10px}
.space{flex-basis:100%;height:0}td,th{padding-right:10px}.hide{display:none}}
"""
