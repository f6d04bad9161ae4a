/** The page's style. Quiet colours for what is well, strong ones for delays; they differ in lightness, so they also work in grey. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfbf9, #15181b);
  --ink: light-dark(#1c2328, #e4e7e9);
  --soft: light-dark(#56616a, #9aa5ad);
  --line: light-dark(#dcdfe0, #2c3237);
  --s0: light-dark(#cfdde4, #29414d);
  --s1: light-dark(#a6c3d1, #37606f);
  --s2: light-dark(#e9cfa2, #6d5a34);
  --s3: light-dark(#e0a458, #a3762c);
  --s4: light-dark(#c96f28, #d98a3d);
  --s5: light-dark(#8f3b12, #f5b56f);
  --route: light-dark(#1f5c7a, #6fb3d2);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 980px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: 34px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.02em; }
h2 { font-size: 18px; margin: 44px 0 2px; }
p { margin: 0 0 12px; color: var(--soft); max-width: 68ch; }
.lead { font-size: 18px; color: var(--ink); }
figure { margin: 12px 0 0; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 560px; height: auto; }
.border { fill: none; stroke: var(--line); stroke-width: 1; }
.routes { fill: none; stroke: var(--route); opacity: 0.22; }
.dot { stroke: var(--paper); stroke-width: 0.8; }
.axis { stroke: var(--soft); stroke-width: 1; }
.track { fill: var(--line); opacity: 0.45; }
.label { font: 12px system-ui, sans-serif; fill: var(--soft); }
.strong { font-weight: 600; fill: var(--ink); }
svg .strong { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
${[0, 1, 2, 3, 4, 5].map((step) => `.s${step} { fill: var(--s${step}); } .b${step} { background: var(--s${step}); }`).join("\n")}
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 12px 0 0; color: var(--soft); font-size: 13px; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
details { margin-top: 16px; }
summary { cursor: pointer; color: var(--route); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; margin-top: 8px; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
.number { text-align: right; }
footer { margin-top: 48px; padding-top: 16px; border-top: 1px solid var(--line); font-size: 13px; }
code { font: 12px ui-monospace, monospace; }
`;
