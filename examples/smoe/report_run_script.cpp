// The third part of the script of a page: what is shown of a run in a report and while it trains. Its
// curves, and texts whose tokens show what the router chose. Texts become text nodes, never markup.
// Read next: report_script.cpp, serve_training_script.cpp, which show runs.
#include "examples/smoe/report_page.h"

namespace smoe {

const char* const report_run_script = R"js(
// The curves of a run, part by part; each chart is a list of what chart() takes. A part that has nothing to show is left out.
function curves_of({reports, valid}) {
  const line = (name, y, k) => ({name, k, lines: [{x: reports.step, y}]});
  const parts = [{title: 'What it learned', text: 'Loss in nats per token: training as reported, and on held-out text. Drag over a part to look closer.',
                  charts: [['loss', [line('training', reports.loss, 0), {name: 'held out', k: 1, lines: [{x: valid.step, y: valid.loss}], dots: true}]]]}];
  if (reports.expert_shares.length > 0) {
    parts.push({title: 'Who does the work', text: 'The share of the tokens that each expert processed, over the steps.',
                charts: [['share of each expert', reports.expert_shares.map((share, k) => line(String(k), share, k)), {stacked: true, format: percent}]]});
  }
  if (valid.experts_changed.length > 0) {
    parts.push({title: 'Who changes experts', text: 'The share of the held-out tokens whose expert is another one than at the evaluation before, for each block that chooses.',
                charts: [['tokens that changed experts', valid.experts_changed.map((share, b) => ({name: `block ${b}`, k: b, lines: [{x: valid.step, y: share}], dots: true})), {from_zero: true, format: percent}]]});
  }
  if (reports.router_correctness.some(value => value !== null)) {
    parts.push({title: 'What the router learned', text: 'Its two losses while it learns, better the lower they are: correctness is what it pays for choosing experts whose tokens do worse than the average, distribution what it pays for uneven shares.',
                charts: [['correctness loss', [line('correctness loss', reports.router_correctness, 0)]],
                         ['distribution loss', [line('distribution loss', reports.router_distribution, 1)]]]});
  }
  return parts;
}

function speed_of({reports}) {
  const line = (name, y, k) => ({name, k, lines: [{x: reports.step, y}]});
  return {title: 'Speed and memory', text: 'Tokens a second, and the most bytes that tensors took, as training reported them.',
          charts: [['tokens per second', [line('tokens/s', reports.tokens_per_second, 2)], {from_zero: true}],
                   ...(reports.waiting.some(value => value !== null) ? [['share of the time in which the first process waited for others', [line('waiting', reports.waiting, 3)], {from_zero: true, format: percent}]] : []),
                   ['peak memory', [line('peak MiB', reports.peak_bytes.map(bytes => bytes === null ? null : bytes / 2 ** 20), 4)], {from_zero: true}]]};
}

// The tooltip of a token, near `place`.
function show_tip(token, place) {
  tip.replaceChildren(element('div', {}, element('b', {}, JSON.stringify(token.t)), token.p === undefined ? '' : ` was given ${percent(token.p)}`));
  if (token.top) {
    tip.append(element('div', {class: 'faint'}, 'likeliest: ' + token.top.map(([text, p]) => `${JSON.stringify(text)} ${percent(p)}`).join(', ')));
  }
  if (token.e !== undefined) tip.append(element('div', {}, `expert ${token.e}`));
  if (token.r) {
    const order = token.r.map((_, k) => k);
    if (order.length > 12) order.sort((a, b) => token.r[b] - token.r[a]).length = 12;
    for (const k of order) {
      const bar = swatch(k);
      bar.style.width = 100 * token.r[k] + '%';
      tip.append(element('div', {class: 'bar'}, element('span', {}, `expert ${k}`), bar, element('span', {}, percent(token.r[k]))));
    }
  }
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(8, Math.min(place.left, innerWidth - box.width - 8)) + 'px';
  tip.style.top = (place.bottom + box.height + 12 < innerHeight ? place.bottom + 6 : Math.max(8, place.top - box.height - 6)) + 'px';
}

// A story whose tokens can be pointed at, tapped, or walked through with the arrow keys.
function story_view(story, name) {
  const view = element('div', {class: 'story', tabindex: 0, role: 'group', 'aria-label': name});
  const tokens = story.tokens.filter(token => token.t !== '');
  const spans = tokens.map(token => {
    const span = element('span', {}, token.t);
    span.style.background = token.e === undefined ? tint(0, token.p === undefined ? 0 : 0.6 * (1 - token.p)) : tint(token.e, 0.4);
    return span;
  });
  let now = -1;
  function choose(i) {
    if (now >= 0) spans[now].classList.remove('now');
    now = i;
    if (i < 0) { tip.hidden = true; return; }
    spans[i].classList.add('now');
    show_tip(tokens[i], spans[i].getBoundingClientRect());
  }
  for (const kind of ['pointerover', 'pointerdown']) view.addEventListener(kind, event => choose(spans.indexOf(event.target)));
  view.addEventListener('pointerleave', event => { if (event.pointerType === 'mouse') choose(-1); });
  view.addEventListener('blur', () => choose(-1));
  view.addEventListener('keydown', event => {
    const move = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (move) { choose(Math.max(0, Math.min(spans.length - 1, now + move))); event.preventDefault(); }
    if (event.key === 'Escape') choose(-1);
  });
  view.append(...spans);
  return view;
}
addEventListener('scroll', () => { tip.hidden = true; }, {passive: true});

function settings_view(settings) {
  return element('details', {}, element('summary', {}, 'All settings'),
                 table(['setting', 'value'], Object.entries(settings).map(([name, value]) => [element('th', {}, ...breakable(name)), value]), 'words'));
}

// What a run wrote at a step of its training.
function sample_view(sample) {
  return [element('h3', {}, 'step ' + sample.step.toLocaleString('en')), story_view(sample, `written at step ${sample.step}`)];
}
)js";

}  // namespace smoe
