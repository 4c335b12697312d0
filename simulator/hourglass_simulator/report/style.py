"""How the HTML page looks, in light, in dark and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --text: #1b1f24; --back: #ffffff; --soft: #f3f4f6; --line: #d0d4da; --faint: #5b6470;
  --good: #1b6e2c; --bad: #b3261e;
  --Pending: #767c85; --Running: #2a7a3b; --Upgrading: #1a5fb4; --Failed: #b3261e;
  --Terminating: #6d4c41;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e7eb; --back: #15181c; --soft: #20252b; --line: #3a414a; --faint: #9aa4b0;
    --good: #8fd49f; --bad: #ff9d94;
  }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
  max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.2rem; margin: 0 0 .2rem; }
a { color: inherit; }
section { border-top: 2px solid var(--line); margin-top: 2rem; padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; }
th { font-weight: 600; white-space: nowrap; }
.time { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.kind, .verdict { white-space: nowrap; }
.met { color: var(--good); } .not { color: var(--bad); font-weight: 600; }
.faint { color: var(--faint); }
.wide { overflow-x: auto; } .wide table { font-size: .9rem; } .wide td { overflow-wrap: normal; }
details { margin: .5rem 0; }
summary { cursor: pointer; font-weight: 600; }

.lanes { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(60%, 1fr);
  gap: .3rem .8rem;  align-items: center; margin: 1rem 0; }
.lanes > b { font-weight: 500; overflow-wrap: anywhere; }
.lane, .marks, .axis { position: relative; height: 1.6rem; }
.lane { background: var(--soft); border-radius: 4px; overflow: hidden; }
.lane span { position: absolute; top: 0; bottom: 0; box-sizing: border-box; color: #fff;
  font-size: .78rem; line-height: 1.6rem; padding-left: .35rem; overflow: hidden;
  white-space: nowrap; border-right: 1px solid var(--back); }
.lane span.degraded { border-bottom: .4rem solid #f5a524; line-height: 1.25rem; }
.marks a { position: absolute; top: .15rem; min-width: 1.3rem; height: 1.3rem; padding: 0 .3rem;
  box-sizing: border-box; transform: translateX(-50%); white-space: nowrap;
  border-radius: .65rem; background: var(--text); color: var(--back); font-size: .72rem;
  line-height: 1.3rem; text-align: center; text-decoration: none; }
.marks a.not { background: var(--bad); }
.axis { border-top: 1px solid var(--line); height: 1.2rem; font-size: .78rem;
  color: var(--faint); }
.axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.axis span:first-child { transform: none; }
.axis span.end { transform: translateX(-100%); }
.Pending { background: var(--Pending); } .Running { background: var(--Running); }
.Upgrading { background: var(--Upgrading); } .Failed { background: var(--Failed); }
.Terminating { background: var(--Terminating); }
.key span { display: inline-block; padding: 0 .5rem; margin-right: .4rem; border-radius: 4px;
  color: #fff; font-size: .85rem; }
.key .degraded { color: inherit; border-bottom: .4rem solid #f5a524; border-radius: 0; }

.filter label { margin-right: .8rem; white-space: nowrap; }
fieldset { border: 0; padding: 0; margin: .3rem 0; display: inline; }
tr.step td { font-weight: 600; background: var(--soft); } tr.failure td { color: var(--bad); }
tr.write td { color: var(--faint); }
.timeline:has(.show-step:not(:checked)) tr.step,
.timeline:has(.show-performer:not(:checked)) tr.performer,
.timeline:has(.show-pod:not(:checked)) tr.pod,
.timeline:has(.show-node:not(:checked)) tr.node,
.timeline:has(.show-event:not(:checked)) tr.event,
.timeline:has(.show-write:not(:checked)) tr.write { display: none; }
@media print {
  body { max-width: none; margin: 0; font-size: 11px; }
  .lane span, .marks a, .key span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section, tr { break-inside: avoid; } .timeline { display: none; }
}
"""
