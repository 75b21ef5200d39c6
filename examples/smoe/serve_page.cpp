// The style of a server's page, beside that of a report, and its frame.
// Read next: report_page.cpp, the frame of all pages; serve_script.cpp.
#include "examples/smoe/serve_page.h"

#include "examples/smoe/report_page.h"
#include "models/training/expert_colours.h"

namespace smoe {
namespace {

constexpr const char* style = R"css(
form { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(15rem, 100%), 1fr)); gap: .6rem 1.2rem; }
form .wide { grid-column: 1 / -1; }
form label { display: block; }
form .slider { display: grid; grid-template-columns: 1fr auto; column-gap: .5rem; }
form .slider input { grid-column: 1 / -1; width: 100%; min-height: 1.5rem; margin: 0; accent-color: var(--text); }
.slider .value { color: var(--text); font-variant-numeric: tabular-nums; }
textarea, input:not([type=range]) { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .3rem; padding: .4rem .6rem; }
textarea { display: block; min-height: 5rem; resize: vertical; }
form select { width: 100%; min-height: 2.3rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; }
.buttons button { min-height: 2.3rem; }
button { cursor: pointer; }
button.main { background: var(--text); color: var(--ground); border-color: var(--text); }
button:disabled { opacity: .5; cursor: default; }
:focus-visible { outline: 2px solid #0087ff; outline-offset: 1px; }
.desk { display: grid; gap: 0 1.2rem; }
.desk > * { min-width: 0; }
.story { min-height: 4rem; }
.story span { cursor: pointer; }
.story span.pinned { outline: 2px solid #0087ff; }
.story span.prompt { font-weight: 600; }
.thought { font-size: .875rem; border-top: 1px solid var(--line); padding-top: .5rem; margin-top: .6rem; position: sticky; bottom: 0; max-height: 45vh; overflow-y: auto; background: var(--ground); }
.thought h3 { overflow-wrap: anywhere; white-space: pre-wrap; }
.thought ul { list-style: none; margin: 0 0 .6rem; padding: 0; }
.thought li > *, .router > * { display: grid; grid-template-columns: minmax(0, 7rem) 1fr 4rem; gap: .5rem; align-items: center; width: 100%; text-align: left; margin-bottom: .15rem; }
.thought li > button { padding: .35rem .5rem; }
.thought li span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.thought .taken { font-weight: 600; }
.thought .share { text-align: right; font-variant-numeric: tabular-nums; }
.thought .bar { display: block; height: .6rem; border-radius: .2rem; min-width: 1px; background: var(--faint); }
.experts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 0 1rem; }
.experts .story { font-size: .875rem; line-height: 1.6; min-height: 3rem; }
.experts h3 i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin-right: .35rem; }
[role=alert]:not(:empty) { border-left: 4px solid #d70000; padding: .3rem .7rem; background: var(--card); overflow-wrap: anywhere; }
nav { margin-bottom: 1rem; }
nav button[aria-pressed=true] { background: var(--text); color: var(--ground); }
[role=status] { min-height: 1.5rem; }
@media (min-width: 50rem) {
  .desk { grid-template-columns: minmax(0, 1fr) 19rem; align-items: start; }
  .thought { top: .5rem; bottom: auto; border: 0; margin: 0; padding: 0; max-height: calc(100vh - 1rem); overflow-y: auto; }
}
)css";

}  // namespace

std::string writing_page(const PageBackend& backend, const std::string& title,
                         nlohmann::ordered_json data) {
    constexpr int64_t colours = 255;
    data["colours"] = expert_colours(colours);
    return page(
        {.start = backend.start,
         .scripts = {backend.script, report_run_script, serve_training_script, serve_script},
         .style = style,
         .policy = backend.policy},
        title, data);
}

std::string serve_page() {
    return writing_page({.start = "<!doctype html>\n<!-- the page of smoe serve -->",
                         .script = serve_backend,
                         .policy = "; connect-src 'self'"},
                        "smoe");
}

}  // namespace smoe
