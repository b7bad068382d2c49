"""How a flame graph looks, beyond what all reports share. Names meet WCAG AA on their bars."""

STYLE = """
:root{--o0:#ffd9a8;--o0b:#ffcb8b;--o1:#c9dcf7;--o1b:#b8d0f2;--o2:#dfe3e8;--o2b:#d3d9e0;--hit:#e9b8ff;--more:214,69,69;
--less:47,116,200}
@media (prefers-color-scheme:dark){:root{--o0:#6b4416;--o0b:#7a5020;--o1:#24446f;--o1b:#2c5080;--o2:#333c46;
--o2b:#3c4651;--hit:#7a2f9c;--more:176,58,58;--less:45,98,168}}
.bar-of-tools{display:flex;flex-wrap:wrap;gap:8px 14px;align-items:center;margin:18px 0 8px}
.choice{display:inline-flex;border:1px solid var(--rule);border-radius:8px;overflow:hidden}
.choice button{border:0;border-right:1px solid var(--rule)}.choice button:last-child{border-right:0}
button,input[type=search]{font:inherit;font-size:14px;color:var(--ink);background:var(--card);
border:1px solid var(--rule);border-radius:8px;padding:6px 12px;min-height:36px}
.choice button{border-radius:0}
button{cursor:pointer}button[aria-pressed=true]{background:var(--c0);color:var(--ground)}
button:disabled{opacity:.45;cursor:default}
input[type=search]{flex:1 1 180px;min-width:0;max-width:340px}
.found{color:var(--soft);font-size:14px;font-variant-numeric:tabular-nums}
.flame{padding:0;overflow:hidden;border-radius:8px}
.flame svg{width:100%;overflow:hidden;cursor:pointer;touch-action:pan-y}
.flame svg text{font:12px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink);
pointer-events:none}
.flame rect{stroke:var(--card);stroke-width:1}
.flame .r0{fill:var(--o0)}.flame .r0.odd{fill:var(--o0b)}.flame .r1{fill:var(--o1)}.flame .r1.odd{fill:var(--o1b)}
.flame .r2{fill:var(--o2)}.flame .r2.odd{fill:var(--o2b)}.flame .up rect{opacity:.5}
.flame .hit rect[class]{fill:var(--hit)}.flame .at rect{stroke:var(--ink);stroke-width:1.5}
.flame .r-root{fill:var(--band2)}
.detail{border:1px solid var(--rule);border-radius:8px;padding:8px 12px;margin:10px 0;background:var(--card);
min-height:66px;font-size:14px;position:sticky;bottom:0;overflow-wrap:anywhere}
.detail b{font-weight:600}.detail span{color:var(--soft)}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;color:var(--soft);list-style:none;margin:8px 0;padding:0}
.key li{display:flex;align-items:center;gap:6px}.key i{width:16px;height:12px;border-radius:3px;flex:none}
.k0{background:var(--o0)}.k1{background:var(--o1)}.k2{background:var(--o2)}
.kmore{background:rgb(var(--more))}.kless{background:rgb(var(--less))}
@media (max-width:560px){.bar-of-tools{gap:8px}.choice{flex:1 1 auto}.choice button{flex:1 1 auto;padding:6px 8px}
input[type=search]{max-width:none;flex:1 1 100%;order:9}}
@media print{.bar-of-tools,.detail{display:none}}
"""
