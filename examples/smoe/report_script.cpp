// The script of a report, which draws the page from the data in it: curves with a zoom, shares,
// tables, and stories whose tokens tell what the router thought. Texts become text nodes, never
// markup.
// Read next: report.cpp, the command.
#include "examples/smoe/report_page.h"

namespace smoe {

const char* const report_script = R"js('use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const main = document.querySelector('main');
const tip = document.getElementById('tip');

// The twelve colours that experts have on a terminal.
const palette = ['#0087ff', '#d75f00', '#00af5f', '#d7005f', '#875faf', '#af8700',
                 '#0087af', '#af00af', '#5f8700', '#ff5f5f', '#5f5faf', '#d78700'];
const colour = k => palette[k % palette.length];
const tint = (k, share) => colour(k) + Math.round(255 * share).toString(16).padStart(2, '0');

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function shape(tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function swatch(k) {
  const made = element('i');
  made.style.background = colour(k);
  return made;
}
function section(title, text, ...content) {
  main.append(element('h2', {}, title), element('p', {}, text), ...content);
}

const short = x => x === 0 ? '0' : Math.abs(x) >= 1e4 ? Intl.NumberFormat('en', {notation: 'compact'}).format(x)
                                                      : String(Number(x.toPrecision(4)));
const percent = x => (100 * x).toFixed(1) + ' %';

// Round numbers that divide [low, high] into about `count` parts.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
  const marks = [];
  for (let i = Math.ceil(low / step); i * step <= high; ++i) marks.push(i * step);
  return marks;
}

// A chart of `series` [{name, k, x, y, dots}], k being the number of its colour. Stacked ones are
// shares that lie on each other. Drag, or move the two sliders, to look at a part; the legend shows
// the values at the cursor.
function chart(label, series, {stacked = false, from_zero = false, format = short, x_name = 'step'} = {}) {
  series = series.map(one => {
    const kept = one.x.map((x, i) => [x, one.y[i]]).filter(([x, y]) => x !== null && y !== null && y !== undefined);
    return {...one, x: kept.map(point => point[0]), y: kept.map(point => point[1])};
  }).filter(one => one.x.length > 0);
  if (series.length === 0) return element('p', {class: 'faint'}, 'There is nothing to draw yet.');
  let first = Math.min(...series.map(one => one.x[0])), last = Math.max(...series.map(one => one.x.at(-1)));
  if (first === last) { first -= 0.5; last += 0.5; }
  let range = [first, last], cursor = null, drag = null;

  const height = 260, left = 56, right = 8, top = 8, bottom = 24;
  const picture = shape('svg', {height, role: 'img', 'aria-label': label});
  const legend = element('div', {class: 'legend'});
  const slider = name => element('input', {type: 'range', min: 0, max: 1000, value: name === 'from' ? 0 : 1000,
                                           'aria-label': `${label}: ${name}`});
  const from = slider('from'), to = slider('to'), whole = element('button', {type: 'button'}, 'Show all');
  const controls = element('div', {class: 'zoom'}, element('label', {}, 'from', from), element('label', {}, 'to', to), whole);
  const figure = element('figure', {class: 'chart'}, legend, picture, controls);

  function zoom(low, high) {
    const least = (last - first) / 1000;
    low = Math.max(first, Math.min(low, last - least));
    range = [low, Math.min(last, Math.max(high, low + least))];
    from.value = Math.round(1000 * (range[0] - first) / (last - first));
    to.value = Math.round(1000 * (range[1] - first) / (last - first));
    figure.dataset.from = range[0];
    figure.dataset.to = range[1];
    draw();
  }
  const at = slider => first + (last - first) * slider.value / 1000;
  from.addEventListener('input', () => zoom(at(from), Math.max(at(to), at(from))));
  to.addEventListener('input', () => zoom(Math.min(at(from), at(to)), at(to)));
  whole.addEventListener('click', () => zoom(first, last));

  const plot_width = () => Math.max(50, picture.clientWidth - left - right);
  const to_x = pixel => range[0] + (pixel - left) / plot_width() * (range[1] - range[0]);
  const pixel_of = event => event.clientX - picture.getBoundingClientRect().left;
  picture.addEventListener('pointerdown', event => {
    drag = pixel_of(event);
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener('pointermove', event => { cursor = pixel_of(event); draw(); });
  picture.addEventListener('pointerup', event => {
    const end = pixel_of(event), begin = drag;
    drag = null;
    if (begin !== null && Math.abs(end - begin) > 8) zoom(to_x(Math.min(begin, end)), to_x(Math.max(begin, end)));
    else draw();
  });
  picture.addEventListener('pointercancel', () => { drag = null; draw(); });
  picture.addEventListener('pointerleave', () => { if (drag === null) { cursor = null; draw(); } });
  picture.addEventListener('dblclick', () => zoom(first, last));

  // What is drawn of a series: the points in range and one beyond each end, as [x, low, high].
  const visible = [];
  function collect() {
    visible.length = 0;
    const below = new Map();
    for (const one of series) {
      const points = one.x.map((x, i) => {
        const low = stacked ? below.get(x) || 0 : one.y[i], high = stacked ? low + one.y[i] : low;
        below.set(x, high);
        return [x, low, high];
      });
      const begin = points.findIndex(point => point[0] >= range[0]);
      let end = points.length;
      while (end > 0 && points[end - 1][0] > range[1]) --end;
      visible.push(points.slice(Math.max(0, (begin < 0 ? points.length : begin) - 1), end + 1));
    }
  }
  function limits() {
    if (stacked) return [0, 1];
    const inside = visible.flat().filter(point => point[0] >= range[0] && point[0] <= range[1]);
    const values = (inside.length > 0 ? inside : visible.flat()).map(point => point[1]);
    const low = Math.min(...values), high = Math.max(...values);
    const space = high > low ? 0.05 * (high - low) : Math.abs(high) / 10 || 1;
    return [from_zero ? 0 : low - space, high + space];
  }
  function draw() {
    const width = plot_width(), inner = height - top - bottom;
    collect();
    const [low, high] = limits();
    const px = x => (x - range[0]) / (range[1] - range[0]) * width;
    const py = y => inner - (y - low) / (high - low) * inner;
    picture.replaceChildren();
    for (const y of ticks(low, high, 5)) {
      picture.append(shape('line', {class: 'grid', x1: left, x2: left + width, y1: top + py(y), y2: top + py(y)}),
                     shape('text', {x: left - 6, y: top + py(y) + 4, 'text-anchor': 'end'}, format(y)));
    }
    for (const x of ticks(range[0], range[1], width / 90)) {
      const anchor = px(x) > width - 20 ? 'end' : px(x) < 20 ? 'start' : 'middle';
      picture.append(shape('text', {x: left + px(x), y: height - 6, 'text-anchor': anchor}, short(x)));
    }
    // An inner svg cuts off what lies outside.
    const plot = shape('svg', {x: left, y: top, width, height: inner});
    plot.style.width = width + 'px';
    series.forEach((one, i) => {
      const points = visible[i];
      const line = points.map(point => `${px(point[0]).toFixed(1)},${py(point[2]).toFixed(1)}`);
      if (stacked) {
        const back = points.map(point => `${px(point[0]).toFixed(1)},${py(point[1]).toFixed(1)}`).reverse();
        plot.append(shape('polygon', {points: [...line, ...back].join(' '), fill: colour(one.k), opacity: 0.85}));
      } else {
        plot.append(shape('polyline', {points: line.join(' '), fill: 'none', stroke: colour(one.k), 'stroke-width': 1.7,
                                       'stroke-linejoin': 'round'}));
      }
      if (one.dots || points.length === 1) {
        for (const point of points) plot.append(shape('circle', {cx: px(point[0]), cy: py(point[2]), r: 3.5, fill: colour(one.k)}));
      }
    });
    if (drag !== null && cursor !== null) {
      plot.append(shape('rect', {class: 'chosen', x: Math.min(drag, cursor) - left, y: 0, width: Math.abs(cursor - drag), height: inner}));
    } else if (cursor !== null) {
      plot.append(shape('line', {class: 'cursor', x1: cursor - left, x2: cursor - left, y1: 0, y2: inner}));
    }
    picture.append(plot);
    show_values();
  }
  function show_values() {
    const x = cursor === null ? range[1] : Math.min(range[1], Math.max(range[0], to_x(cursor)));
    legend.replaceChildren(...series.map(one => {
      let nearest = 0;
      one.x.forEach((value, i) => { if (Math.abs(value - x) < Math.abs(one.x[nearest] - x)) nearest = i; });
      return element('span', {}, swatch(one.k), `${one.name} ${format(one.y[nearest])}`);
    }), element('span', {class: 'faint'}, `${x_name} ${short(Math.round(x))}`));
  }
  new ResizeObserver(draw).observe(figure);
  zoom(first, last);
  return figure;
}

function facts(pairs) {
  const made = element('div', {class: 'facts'});
  for (const [name, value] of pairs) made.append(element('div', {class: 'fact'}, element('b', {}, value), element('span', {}, name)));
  return made;
}

function table(head, rows, kind = '') {
  const cell = (tag, content) => content instanceof Node ? content : element(tag, {}, content);
  return element('div', {class: 'scroll'}, element('table', {class: kind},
    element('thead', {}, element('tr', {}, ...head.map(text => cell('th', text)))),
    element('tbody', {}, ...rows.map(row => element('tr', {}, ...row.map((text, i) => cell(i === 0 ? 'th' : 'td', text)))))));
}

function heat(text, share, k = 0) {
  const made = element('td', {class: 'heat'}, text);
  made.style.background = tint(k, 0.75 * share);
  return made;
}

function expert_head(k) {
  return element('th', {}, swatch(k), String(k));
}

// The tooltip of a token, near `place`.
function show_tip(token, place) {
  tip.replaceChildren(element('div', {}, element('b', {}, JSON.stringify(token.t)), ` was given ${percent(token.p)}`),
                      element('div', {class: 'faint'}, 'likeliest: ' +
                        token.top.map(([text, p]) => `${JSON.stringify(text)} ${percent(p)}`).join(', ')));
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
function story_view(story) {
  const view = element('div', {class: 'story', tabindex: 0, role: 'group', 'aria-label': `story of ${story.domain}`});
  const tokens = story.tokens.filter(token => token.t !== '');
  const spans = tokens.map(token => {
    const span = element('span', {}, token.t);
    span.style.background = token.e === undefined ? tint(0, 0.6 * (1 - token.p)) : tint(token.e, 0.4);
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
                 table(['setting', 'value'], Object.entries(settings), 'words'));
}

function one_run({run, model}) {
  const reports = run.reports, step = reports.step, experts = reports.expert_shares.length;
  const line = (name, y, k, dots = false) => ({name, k, x: step, y, dots});
  main.append(element('h1', {}, run.name), facts([['parameters', model.parameters.toLocaleString('en')], ...Object.entries(run.facts)]));
  section('What it learned', 'Loss in nats per token: training as reported, and on held-out text. Drag over a part to look closer.',
          chart('loss', [line('training', reports.loss, 0), {name: 'held out', k: 1, x: run.valid.step, y: run.valid.loss, dots: true}]));
  if (experts > 0) {
    section('Who does the work', 'The share of the tokens that each expert processed, over the steps.',
            chart('share of each expert', reports.expert_shares.map((share, k) => line(String(k), share, k)), {stacked: true, format: percent}));
  }
  if (reports.router_correctness.some(value => value !== null)) {
    section('What the router learned', 'Its two objectives while it learns: to be right about which expert does best, and to spread the tokens.',
            chart('correctness', [line('correctness', reports.router_correctness, 0)]),
            chart('distribution', [line('distribution', reports.router_distribution, 1)]));
  }
  if (model.stories.length > 0) {
    section('Token by token', experts > 0 ? 'The colour of a token is that of the expert that processed it. Point at one, tap it, or focus a story and use the arrow keys.'
                                          : 'The darker a token, the less the model expected it. Point at one, tap it, or focus a story and use the arrow keys.');
    main.append(element('p', {class: 'faint'}, 'Text: ' + model.source + '.'));
    if (experts > 0) {
      main.append(element('p', {class: 'legend key'}, ...reports.expert_shares.map((_, k) => element('span', {}, swatch(k), `expert ${k}`))));
    }
    for (const story of model.stories) main.append(element('h3', {}, story.domain), story_view(story));
  }
  if (model.domains.length > 0) {
    const most = Math.max(...model.domains.flatMap(domain => domain.expert_tokens.map(count => count / domain.tokens)));
    section(experts > 0 ? 'Experts and domains' : 'Domains', experts > 0 ? "How each domain's tokens are divided among the experts, in per cent." : 'How well each domain is predicted.',
            table(['domain', 'tokens', 'loss', 'bits/byte', ...reports.expert_shares.map((_, k) => expert_head(k))],
                  model.domains.map(domain => [domain.name, domain.tokens.toLocaleString('en'), domain.loss.toFixed(3), domain.bits_per_byte.toFixed(3),
                    ...domain.expert_tokens.map((count, k) => heat((100 * count / domain.tokens).toFixed(1), count / domain.tokens / most, k))])));
  }
  if (model.overlap.length > 0) {
    section('What experts share', 'Of all neurons with masks, the per cent that both experts keep; on the diagonal, what one keeps. ' +
            'Masks drawn by themselves share the square of what one keeps.',
            table(['', ...model.overlap.map((_, k) => expert_head(k))], model.overlap.map((row, k) => [expert_head(k), ...row.map(share => heat((100 * share).toFixed(1), share))])));
  }
  section('Speed and memory', 'Tokens a second, and the most bytes that tensors took, as training reported them.',
          chart('tokens per second', [line('tokens/s', reports.tokens_per_second, 2)], {from_zero: true}),
          chart('peak memory', [line('peak MiB', reports.peak_bytes.map(bytes => bytes === null ? null : bytes / 2 ** 20), 4)], {from_zero: true}));
  main.append(settings_view(run.settings));
}

// The x of a run's curves: its column `kind`, and for held-out losses that of the report at their
// step.
function xs(run, kind, steps) {
  const {step} = run.reports, values = run.reports[kind];
  return steps.map(at => {
    let i = step.findIndex(value => value >= at);
    return step.length === 0 ? null : values[i < 0 ? step.length - 1 : i];
  });
}

function several_runs(runs) {
  main.append(element('h1', {}, runs.length + ' runs compared'));
  const names = [...new Set(runs.flatMap(run => Object.keys(run.facts)))];
  const label = (run, k) => element('th', {}, swatch(k), run.name);
  section('At their ends', 'Losses per token are comparable between runs with the same tokenizer; bits per byte always are, on the same text.',
          table(['run', ...names], runs.map((run, k) => [label(run, k), ...names.map(name => run.facts[name] || '')])));
  const choice = element('select', {'aria-label': 'horizontal axis'}, ...['step', 'tokens', 'seconds'].map(kind => element('option', {}, kind)));
  const charts = element('div', {id: 'charts'});
  function draw() {
    const kind = choice.value;
    const curve = (column, from, dots) => runs.map((run, k) => ({name: run.name, k, dots, y: run[from][column], x: xs(run, kind, run[from].step)}));
    charts.replaceChildren(
      element('h3', {}, 'Training loss per token'), chart('training loss', curve('loss', 'reports', false), {x_name: kind}),
      element('h3', {}, 'Held-out loss per token'), chart('held-out loss', curve('loss', 'valid', true), {x_name: kind}),
      element('h3', {}, 'Held-out bits per byte'), chart('bits per byte', curve('bits_per_byte', 'valid', true), {x_name: kind}));
  }
  choice.addEventListener('change', draw);
  section('On the way', 'Drag over a part to look closer.', element('label', {}, 'over ', choice), charts);
  draw();
  const keys = Object.keys(runs[0].settings).filter(key => new Set(runs.map(run => run.settings[key])).size > 1);
  section('What differs', keys.length > 0 ? 'Settings that are not the same in all of them.' : 'All settings are the same.',
          ...(keys.length > 0 ? [table(['setting', ...runs.map(label)], keys.map(key => [key, ...runs.map(run => run.settings[key])]))] : []));
}

if (data.runs) several_runs(data.runs);
else one_run(data);
)js";

}  // namespace smoe
