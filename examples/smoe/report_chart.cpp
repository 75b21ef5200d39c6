// The first part of the script of a page: small helpers, and the chart. It draws lines with a zoom,
// bands over runs with different seeds, and stacked shares.
// Read next: report_tables.cpp, the second part.
#include "examples/smoe/report_page.h"

namespace smoe {

const char* const report_chart = R"js('use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const main = document.querySelector('main');
const tip = document.getElementById('tip');

const colour = k => data.colours[k % data.colours.length];
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
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;

// Round numbers that divide [low, high] into about `count` parts.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
  const marks = [];
  for (let i = Math.ceil(low / step); i * step <= high; ++i) marks.push(i * step);
  return marks;
}

// The height at x of a line [[x, y], ...] with rising x; beyond its ends, that of the end.
function height_at(line, x) {
  let low = 0, high = line.length - 1;
  if (x <= line[low][0]) return line[low][1];
  if (x >= line[high][0]) return line[high][1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (line[middle][0] <= x) low = middle; else high = middle;
  }
  const [x0, y0] = line[low], [x1, y1] = line[high];
  return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
}

// [[x, lowest, highest], ...] of several lines, where all of them are.
function band(lines) {
  const from = Math.max(...lines.map(line => line[0][0])), to = Math.min(...lines.map(line => line.at(-1)[0]));
  const places = [...new Set(lines.flat().map(point => point[0]))].filter(x => x >= from && x <= to).sort((a, b) => a - b);
  return places.map(x => {
    const heights = lines.map(line => height_at(line, x));
    return [x, Math.min(...heights), Math.max(...heights)];
  });
}

// [[x, bottom, top], ...] of each group, whose shares lie on those of the groups before.
function stack(groups) {
  const tops = new Map();
  return groups.map(group => group.lines[0].map(([x, share]) => {
    const bottom = tops.get(x) || 0;
    tops.set(x, bottom + share);
    return [x, bottom, bottom + share];
  }));
}

// A chart of `groups` [{name, k, lines: [{x, y}], dots}], k being the number of the colour. A group
// of several lines, runs with different seeds, has thin ones and a band from the lowest to the
// highest. Stacked groups have one line each. Drag, or move the two sliders, to look at a part; the
// legend shows the values at the cursor, and a click on an entry sets it off from the others.
function chart(label, groups, {stacked = false, from_zero = false, format = short, x_name = 'step'} = {}) {
  const points_of = ({x, y}) => x.map((at, i) => [at, y[i]]).filter(([at, value]) => Number.isFinite(at) && Number.isFinite(value));
  const drawable = all => all.map(group => ({...group, lines: group.lines.map(points_of).filter(line => line.length > 0)}))
                             .filter(group => group.lines.length > 0);
  groups = drawable(groups);
  if (groups.length === 0) return element('p', {class: 'faint'}, 'There is nothing to draw yet.');
  let areas, all_lines, first, last, range, cursor = null, drag = null;
  function take(fresh) {
    groups = fresh;
    areas = stacked ? stack(groups) : groups.map(group => group.lines.length > 1 ? band(group.lines) : []);
    all_lines = groups.flatMap(group => group.lines);
    first = Math.min(...all_lines.map(line => line[0][0]));
    last = Math.max(...all_lines.map(line => line.at(-1)[0]));
    if (first === last) { first -= 0.5; last += 0.5; }
  }
  take(groups);
  const chosen = new Set();

  const height = 260, left = 56, right = 8, top = 8, bottom = 24, inner = height - top - bottom;
  const picture = shape('svg', {height, role: 'img', 'aria-label': label}), overlay = shape('g', {});
  const slider = name => element('input', {type: 'range', min: 0, max: 1000, value: name === 'from' ? 0 : 1000,
                                           'aria-label': `${label}: ${name}`});
  const from = slider('from'), to = slider('to'), whole = element('button', {type: 'button'}, 'Show all');
  const controls = element('div', {class: 'zoom'}, element('label', {}, 'from', from), element('label', {}, 'to', to), whole);

  const where = element('span', {class: 'where'});
  const shown = groups.map(group => element('b', group.lines.length > 1 ? {class: 'wide'} : {}));
  const entries = groups.map((group, i) => {
    const entry = groups.length > 1 ? element('button', {type: 'button', 'aria-pressed': 'false'}) : element('span');
    entry.append(swatch(group.k), element('span', {}, group.name + ':'), ' ', shown[i]);
    entry.addEventListener('click', () => {
      if (!chosen.delete(i)) chosen.add(i);
      entry.setAttribute('aria-pressed', chosen.has(i));
      draw();
    });
    return entry;
  });
  const legend = element('div', {class: 'entries'}, ...entries);
  const figure = element('figure', {class: 'chart'}, element('div', {class: 'legend'}, where, legend), picture, controls);

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
  function pixel_of(event) {
    const box = picture.getBoundingClientRect();
    return {x: event.clientX - box.left, y: event.clientY - box.top};
  }
  picture.addEventListener('pointerdown', event => {
    drag = pixel_of(event).x;
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener('pointermove', event => { cursor = pixel_of(event); point(); });
  picture.addEventListener('pointerup', event => {
    const end = pixel_of(event).x, begin = drag;
    drag = null;
    if (begin !== null && Math.abs(end - begin) > 8) zoom(to_x(Math.min(begin, end)), to_x(Math.max(begin, end)));
    else point();
  });
  picture.addEventListener('pointercancel', () => { drag = null; point(); });
  picture.addEventListener('pointerleave', () => { if (drag === null) { cursor = null; point(); } });
  picture.addEventListener('dblclick', () => zoom(first, last));

  // The points in range and one beyond each end.
  function visible(points) {
    const begin = points.findIndex(point => point[0] >= range[0]);
    let end = points.length;
    while (end > 0 && points[end - 1][0] > range[1]) --end;
    return points.slice(Math.max(0, (begin < 0 ? points.length : begin) - 1), end + 1);
  }
  function limits() {
    if (stacked) return [0, 1];
    const near = all_lines.flatMap(visible);
    const inside = near.filter(point => point[0] >= range[0] && point[0] <= range[1]);
    const heights = (inside.length > 0 ? inside : near).map(point => point[1]);
    const low = heights.reduce((a, b) => Math.min(a, b)), high = heights.reduce((a, b) => Math.max(a, b));
    const space = high > low ? 0.05 * (high - low) : Math.abs(high) / 10 || 1;
    return [from_zero ? 0 : low - space, high + space];
  }
  function draw() {
    const width = plot_width(), [low, high] = limits();
    const px = x => (x - range[0]) / (range[1] - range[0]) * width;
    const py = y => inner - (y - low) / (high - low) * inner;
    const corner = (x, y) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`;
    picture.replaceChildren();
    for (const y of ticks(low, high, 5)) {
      picture.append(shape('line', {class: 'grid', x1: left, x2: left + width, y1: top + py(y), y2: top + py(y)}),
                     shape('text', {x: left - 6, y: top + py(y) + 4, 'text-anchor': 'end'}, format(y)));
    }
    for (const x of ticks(range[0], range[1], width / 90)) {
      const anchor = px(x) > width - 20 ? 'end' : px(x) < 20 ? 'start' : 'middle';
      picture.append(shape('text', {x: left + px(x), y: height - 6, 'text-anchor': anchor}, short(x)));
    }
    // An inner svg cuts off what lies outside, but for the dots on its edges.
    const edge = 4, box = [-edge, -edge, width + 2 * edge, inner + 2 * edge];
    const plot = shape('svg', {x: left - edge, y: top - edge, width: box[2], height: box[3], viewBox: box.join(' ')});
    plot.style.width = box[2] + 'px';
    groups.forEach((group, i) => {
      const layer = shape('g', {opacity: chosen.size > 0 && !chosen.has(i) ? 0.12 : 1}), several = group.lines.length > 1;
      const area = visible(areas[i]);
      if (area.length > 0) {
        const outline = [...area.map(([x, _, y]) => corner(x, y)), ...area.map(([x, y]) => corner(x, y)).reverse()];
        layer.append(shape('polygon', {points: outline.join(' '), fill: colour(group.k), opacity: stacked ? 0.85 : 0.2}));
      }
      for (const line of stacked ? [] : group.lines.map(visible)) {
        layer.append(shape('polyline', {points: line.map(([x, y]) => corner(x, y)).join(' '), fill: 'none', stroke: colour(group.k),
                                        'stroke-width': several ? 1 : 1.7, 'stroke-linejoin': 'round'}));
        for (const [x, y] of group.dots || line.length === 1 ? line : []) {
          layer.append(shape('circle', {cx: px(x), cy: py(y), r: several ? 2 : 3.5, fill: colour(group.k)}));
        }
      }
      plot.append(layer);
    });
    plot.append(overlay);
    picture.append(plot);
    point();
  }
  // What follows the cursor: a line, or the part that a drag has chosen, and the values.
  function point() {
    overlay.replaceChildren();
    if (drag !== null && cursor !== null) {
      overlay.append(shape('rect', {class: 'chosen', x: Math.min(drag, cursor.x) - left, y: 0, width: Math.abs(cursor.x - drag), height: inner}));
    } else if (cursor !== null) {
      overlay.append(shape('line', {class: 'cursor', x1: cursor.x - left, x2: cursor.x - left, y1: 0, y2: inner}));
    }
    const x = cursor === null ? range[1] : Math.min(range[1], Math.max(range[0], to_x(cursor.x)));
    const heights = groups.map(group => group.lines.map(line => height_at(line, x)));
    heights.forEach((values, i) => {
      shown[i].textContent = format(mean(values)) +
        (values.length > 1 ? ` (${format(Math.min(...values))} to ${format(Math.max(...values))})` : '');
    });
    where.textContent = `${x_name} ${short(Math.round(x))}`;
    if (stacked) mark_entry(cursor === null ? -1 : under(heights, 1 - (cursor.y - top) / inner));
  }
  // Of stacked groups, the one at this height.
  function under(heights, y) {
    let sum = 0;
    return y < 0 ? -1 : heights.findIndex(([share]) => (sum += share) >= y);
  }
  function mark_entry(i) {
    entries.forEach((entry, k) => entry.classList.toggle('now', k === i));
    if (i >= 0 && legend.scrollHeight > legend.clientHeight) {
      legend.scrollTop = entries[i].offsetTop - legend.offsetTop - legend.clientHeight / 2;
    }
  }
  // Draws the same groups with more points, and returns whether they are the same. What is shown stays, but its end goes with
  // that of the lines.
  figure.update = fresh => {
    fresh = drawable(fresh);
    if (fresh.map(group => group.name).join() !== groups.map(group => group.name).join()) return false;
    const [low, high] = range, from_first = low === first, to_last = high === last;
    take(fresh);
    zoom(from_first ? first : low, to_last ? last : high);
    return true;
  };
  new ResizeObserver(draw).observe(figure);
  zoom(first, last);
  return figure;
}
)js";

}  // namespace smoe
