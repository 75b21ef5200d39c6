// The frame of a page and its style, in light and in dark, for a desk and for a phone. Nothing in
// the data can leave the element that holds it, and the page may not use a network.
// Read next: report_chart.cpp, the first part of the script.
#include "examples/smoe/report_page.h"

#include <fmt/format.h>

#include "core/text.h"

namespace smoe {
namespace {

constexpr const char* style = R"css(
:root { color-scheme: light dark; --ground: #fcfcfa; --text: #1c1c1a; --faint: #6a6a66; --line: #d8d8d2; --card: #f2f2ee; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #161618; --text: #e8e8e4; --faint: #a0a09a; --line: #3a3a3c; --card: #212123; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .3rem; }
h3 { font-size: 1rem; margin: 1rem 0 .2rem; }
p { margin: .3rem 0 .8rem; max-width: 44rem; }
.faint, label { color: var(--faint); font-size: .875rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .5rem; margin: 1rem 0; }
.fact { background: var(--card); border-radius: .4rem; padding: .5rem .7rem; }
.fact b { display: block; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.fact span { color: var(--faint); font-size: .8rem; }
figure { margin: .5rem 0 1rem; }
svg { display: block; width: 100%; touch-action: pan-y; user-select: none; cursor: crosshair; }
svg * { pointer-events: none; }
svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--line); }
svg .cursor { stroke: var(--faint); stroke-dasharray: 3 3; }
svg .chosen { fill: var(--faint); opacity: .25; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; margin-bottom: .3rem; font-size: .875rem; }
.legend .where { flex: 0 0 6rem; color: var(--faint); }
.legend .entries { flex: 1 1 15rem; }
.entries { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .875rem; font-variant-numeric: tabular-nums; max-height: 9.5rem; overflow-y: auto; }
.entries button { background: none; border: 0; padding: 0; text-align: left; cursor: pointer; overflow-wrap: anywhere; }
.entries [aria-pressed=true] { outline: 1px solid var(--faint); outline-offset: -1px; }
.entries .now { outline: 2px solid var(--text); outline-offset: -2px; }
.entries b { display: inline-block; min-width: 3.4rem; font-weight: inherit; }
.entries b.wide { min-width: 10.5rem; }
.entries i, th i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin-right: .35rem; vertical-align: -.05rem; }
.zoom { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem 1rem; }
.zoom label { flex: 1 1 10rem; display: flex; align-items: center; gap: .5rem; }
.zoom input { flex: 1; min-width: 5rem; }
button, select { font: inherit; font-size: .875rem; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .3rem; padding: .25rem .6rem; }
.story { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border-radius: .4rem; padding: .7rem; line-height: 1.8; }
.story span { border-radius: .2rem; padding: .1rem 0; cursor: help; }
.story span.now { outline: 2px solid var(--text); }
#tip { position: fixed; z-index: 1; max-width: min(20rem, calc(100vw - 1rem)); background: var(--ground); border: 1px solid var(--faint); border-radius: .4rem; padding: .5rem .7rem; font-size: .8rem; pointer-events: none; box-shadow: 0 2px 10px #0004; }
#tip[hidden] { display: none; }
#tip .bar { display: grid; grid-template-columns: 5rem 1fr 3rem; gap: .4rem; align-items: center; }
#tip .bar i { height: .6rem; border-radius: .2rem; min-width: 1px; }
.scroll { overflow: auto; background: linear-gradient(to left, var(--ground) 50%, transparent) right / 3rem 100% no-repeat local, linear-gradient(to left, var(--line), transparent) right / 1.2rem 100% no-repeat scroll; }
.map .scroll { max-height: 80vh; }
table { border-collapse: separate; border-spacing: 0; font-size: .875rem; font-variant-numeric: tabular-nums; border: solid var(--line); border-width: 1px 0 0 1px; }
th, td { padding: .3rem .45rem; text-align: right; border: solid var(--line); border-width: 0 1px 1px 0; white-space: nowrap; }
td.heat { padding: .3rem; }
th:first-child { position: sticky; left: 0; background: var(--ground); }
tbody th { max-width: 13rem; white-space: normal; overflow-wrap: anywhere; }
th:first-child, td:first-child, table.words td { text-align: left; }
table.words td { white-space: normal; overflow-wrap: anywhere; }
table.results th, table.results td { white-space: normal; }
table.results tbody th { min-width: 6.5rem; }
tr.arm th, tr.arm td { background: var(--card); font-weight: bold; }
tr.arm span { display: block; font-weight: normal; white-space: nowrap; }
th.seed { font-weight: normal; padding-left: 1.6rem; }
.scale { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .6rem; font-size: .875rem; margin: .3rem 0 .6rem; }
.scale i { width: 5rem; height: .8rem; border: 1px solid var(--line); }
.told { font-size: .875rem; min-height: 1.5rem; margin: .3rem 0; }
.cells { --cell: 3px; display: grid; grid-template-columns: max-content minmax(calc(var(--columns) * var(--cell)), 1fr); font-size: .75rem; color: var(--faint); font-variant-numeric: tabular-nums; }
.cells.square { grid-template-columns: max-content minmax(calc(var(--columns) * var(--cell)), 36rem); }
@media (pointer: coarse) { .cells { --cell: 8px; } }
.corner, .columns, .rows { background: var(--ground); position: sticky; z-index: 1; }
.corner { top: 0; left: 0; z-index: 2; }
.columns { top: 0; height: 1.2rem; }
.rows { left: 0; min-width: 1.9rem; max-width: 8rem; padding-right: .3rem; text-align: right; }
.rows div { height: 1.5rem; line-height: 1.5rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.columns span, .rows span { position: absolute; }
.columns span + span { transform: translateX(-50%); }
.rows span { right: .3rem; }
.rows span + span { transform: translateY(-50%); }
.picture { position: relative; border: 1px solid var(--line); }
.picture canvas { display: block; width: 100%; height: calc(var(--rows) * 1.5rem); image-rendering: pixelated; cursor: crosshair; }
.square .picture canvas { height: auto; aspect-ratio: 1; }
.spot { position: absolute; outline: 2px solid var(--text); pointer-events: none; scroll-margin: 2rem 1rem 1rem 3rem; }
@media (max-width: 30rem) { .told { min-height: 2.7rem; } }
details { margin: 2rem 0; }
summary { cursor: pointer; }
)css";

// JSON that cannot end the element that holds it.
std::string for_script_element(const nlohmann::ordered_json& data) {
    std::string text;
    using Handler = nlohmann::ordered_json::error_handler_t;
    for (const char c : data.dump(-1, ' ', false, Handler::replace)) {
        text += c == '<' ? std::string("\\u003c") : std::string(1, c);
    }
    return text;
}

}  // namespace

// The policy forbids the page to load anything that it does not hold itself.
std::string page(const PageKind& kind, const std::string& title,
                 const nlohmann::ordered_json& data) {
    return fmt::format(R"({}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'{}">
<title>{}</title>
<style>{}{}</style>
</head>
<body>
<main><noscript>This page draws itself with JavaScript, from the data that it holds.</noscript></main>
<div id="tip" role="tooltip" hidden></div>
<script type="application/json" id="data">{}</script>
<script>{}{}{}</script>
</body>
</html>
)",
                       kind.start, kind.policy, escaped(title), style, kind.style,
                       for_script_element(data), report_chart, report_tables,
                       fmt::join(kind.scripts, ""));
}

}  // namespace smoe
