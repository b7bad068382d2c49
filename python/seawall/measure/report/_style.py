"""How a report looks: light, dark, on paper and on a phone. Text meets WCAG AA on its ground, lines 3:1."""

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--card:#fff;--ink:#1b2127;--soft:#56616d;--rule:#dde2e8;--grid:#e8ecf0;
--band:#f2f5f8;--band2:#e7ecf2;--good:#0a6b48;--goodbg:#e3f5ec;--bad:#b3202c;--badbg:#fdeaea;--warn:#7d5200;
--warnbg:#fdf3dc;--c0:#0b63b0;--c1:#c05600;--c2:#087a58;--c3:#c0262d;--c4:#7a3fa8;--c5:#5b6672;--plan:#9db4cc}
@media (prefers-color-scheme:dark){:root{--ground:#12161b;--card:#191f26;--ink:#e6eaef;--soft:#a3aebb;--rule:#303943;
--grid:#2a323b;--band:#1f262e;--band2:#28313b;--good:#56d69a;--goodbg:#12301f;--bad:#ff8a85;--badbg:#3a1a1c;
--warn:#f0c063;--warnbg:#35290f;--c0:#6cb4ff;--c1:#f2a04c;--c2:#43cf9c;--c3:#ff7f78;--c4:#c9a0ff;--c5:#a9b4c0;
--plan:#4b6480}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1240px;margin:0 auto;padding:28px 24px 48px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:20px;margin:40px 0 12px;padding-top:4px;overflow-wrap:anywhere}
h3{font-size:16px;margin:28px 0 10px}
p{margin:8px 0;max-width:76ch;overflow-wrap:anywhere}
a{color:var(--c0)}
.lead,.soft{color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:10px 24px;margin:18px 0}
.facts dt{color:var(--soft);font-size:13px}.facts dd{margin:0;overflow-wrap:anywhere}
.banner{border-left:5px solid;border-radius:6px;padding:12px 16px;margin:18px 0}
.banner p{margin:4px 0 0}.banner ul{margin:6px 0 0;padding-left:20px}.banner li{overflow-wrap:anywhere}
.banner.good{border-color:var(--good);background:var(--goodbg)}.banner.bad{border-color:var(--bad);background:var(--badbg)}
.banner.warn{border-color:var(--warn);background:var(--warnbg)}
.good-word{color:var(--good);font-weight:600}.bad-word{color:var(--bad);font-weight:600}
.roomy{display:inline-block;min-width:26ch}
.warn-word{color:var(--warn);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:18px 0}
.tile{border:1px solid var(--rule);border-radius:8px;padding:10px 12px;background:var(--card);min-width:0}
.tile b{display:block;font-size:23px;line-height:1.3;font-weight:600;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px;display:block}
.plots{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:20px}
.minis{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:14px}
.minis.two{grid-template-columns:repeat(2,minmax(0,1fr))}
figure{margin:0;border:1px solid var(--rule);border-radius:8px;padding:12px 12px 8px;background:var(--card);
position:relative;min-width:0;break-inside:avoid}
figcaption .name{font-weight:600}.small figcaption{font-size:14px}
.small{display:flex;flex-direction:column}.small svg{margin-top:auto}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 14px;margin:4px 0 6px;padding:0;font-size:13px;
color:var(--soft)}
.legend li{display:flex;align-items:center;gap:6px;overflow-wrap:anywhere}
.legend li[role=button]{cursor:pointer}.legend li[aria-pressed=false]{text-decoration:line-through;opacity:.6}
.swatch,.bar{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.swatch{width:20px;flex:none;height:0;border-top:2.5px solid}
.swatch.thin{border-top-width:1px}.swatch.dash{border-top-style:dashed}
.swatch.dots{border-top-style:dotted}.swatch.area{height:10px;border-top:0;opacity:.75}
.swatch.s0{border-color:var(--c0)}.swatch.s1{border-color:var(--c1)}.swatch.s2{border-color:var(--c2)}
.swatch.s3{border-color:var(--c3)}.swatch.s4{border-color:var(--c4)}.swatch.s5{border-color:var(--c5)}
.swatch.area.s0{background:var(--c0)}.swatch.area.s1{background:var(--c1)}.swatch.area.s2{background:var(--c2)}
.swatch.area.s3{background:var(--c3)}.swatch.area.s4{background:var(--c4)}.swatch.area.plan{background:var(--plan)}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:12px;fill:var(--soft)}
svg .y{text-anchor:end}svg .x{text-anchor:middle}svg .x.end{text-anchor:end}
svg .grid{stroke:var(--grid);fill:none}svg .axis{stroke:var(--soft);fill:none}
svg .band{fill:var(--band)}svg .band.odd{fill:var(--band2)}svg .bandname{font-size:11px}
svg .event{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3;opacity:.7;fill:none}
svg .eventname{font-size:11.5px;fill:var(--ink);paint-order:stroke;stroke:var(--card);stroke-width:4px;
stroke-linejoin:round}
svg .line{fill:none;stroke-width:1.9;stroke-linejoin:round;stroke-linecap:round}
svg .area{stroke:none;fill-opacity:.55}svg .area.plan{fill-opacity:.5}
svg .thin{stroke-width:1}svg .dash{stroke-dasharray:6 4}svg .dots{stroke-dasharray:1.5 4;stroke-width:2.4}
svg .line.s0{stroke:var(--c0)}svg .line.s1{stroke:var(--c1)}svg .line.s2{stroke:var(--c2)}
svg .line.s3{stroke:var(--c3)}svg .line.s4{stroke:var(--c4)}svg .line.s5{stroke:var(--c5)}
svg .area.s0,svg .bars.s0{fill:var(--c0)}svg .area.s1,svg .bars.s1{fill:var(--c1)}
svg .area.s2,svg .bars.s2{fill:var(--c2)}svg .area.s3,svg .bars.s3{fill:var(--c3)}
svg .area.s4,svg .bars.s4{fill:var(--c4)}svg .area.plan{fill:var(--plan)}
svg [hidden]{display:none}svg .cross{stroke:var(--ink);stroke-width:1;opacity:.6}
.tip{position:absolute;pointer-events:none;background:var(--ink);color:var(--ground);font-size:12px;line-height:1.45;
padding:6px 9px;border-radius:6px;white-space:nowrap;z-index:2;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;margin:10px 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px;min-width:min(100%,420px)}
caption{text-align:left;color:var(--soft);font-size:13px;padding-bottom:4px}
th,td{padding:5px 14px 5px 0;border-bottom:1px solid var(--rule);text-align:right;vertical-align:top;white-space:nowrap}
th:first-child,td.words,th.words{text-align:left}th:first-child{font-weight:500}
thead th{color:var(--soft);font-weight:500;font-size:13px}
tbody td.words,tbody th{white-space:normal;overflow-wrap:break-word;max-width:60ch}tbody th{min-width:11ch}
tbody td.words{min-width:13ch}
.bar{display:inline-block;height:11px;border-radius:2px;min-width:2px;vertical-align:middle}
.bar.good{background:var(--c2)}.bar.bad{background:var(--c3)}.barcell{width:240px;display:inline-block;text-align:left}
details{margin:8px 0}summary{cursor:pointer;color:var(--soft)}
figure details summary{font-size:13px}figure details .scroll{max-height:340px;overflow-y:auto}
details.run{border:1px solid var(--rule);border-radius:8px;padding:10px 18px;margin:14px 0}
details.run>summary{color:var(--ink);font-weight:600;font-size:17px;overflow-wrap:anywhere}
details.run>summary span{font-weight:400;font-size:14px;color:var(--soft);margin-left:8px}
nav ol{columns:3 220px;margin:8px 0;padding-left:22px}
footer{margin-top:44px;padding-top:12px;border-top:1px solid var(--rule);color:var(--soft);font-size:13px}
:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
@media (max-width:1000px){.minis{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media (max-width:860px){.plots{grid-template-columns:minmax(0,1fr)}}
@media (max-width:560px){main{padding:18px 14px 36px}h1{font-size:22px}.plots,.minis,.minis.two{gap:14px}
.minis,.minis.two{grid-template-columns:minmax(0,1fr)}.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}
figure{padding:10px 8px 6px}.chart:not(.small) svg text{font-size:16px}.chart:not(.small) svg .eventname{font-size:12px}
.chart:not(.small) svg .bandname{font-size:13px}.chart:not(.small) svg .alternate{display:none}.barcell{width:90px}
.tile b{font-size:20px}}
@media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#ccc;--grid:#e4e4e4;
--band:#f4f4f4;--band2:#e9e9e9;--c0:#0b63b0;--c1:#c05600;--c2:#087a58;--c3:#c0262d;--c4:#7a3fa8;--c5:#5b6672;
--plan:#9db4cc;--good:#0a6b48;--goodbg:#fff;--bad:#b3202c;--badbg:#fff;--warn:#7d5200;--warnbg:#fff}
main{max-width:none;padding:0}figure,.tile,tr{break-inside:avoid}h2,h3{break-after:avoid}
figure details,.tip{display:none}}
"""
