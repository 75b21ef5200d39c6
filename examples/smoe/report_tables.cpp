// The second part of the script of a page: tables, and heat maps for what has more columns than a
// table can show. Each scrolls inside its own box if the screen is too small for it.
// Read next: report_script.cpp, the last part.
#include "examples/smoe/report_page.h"

namespace smoe {

const char* const report_tables = R"js(
function facts(pairs) {
  const made = element('div', {class: 'facts'});
  for (const [name, value] of pairs) made.append(element('div', {class: 'fact'}, element('b', {}, value), element('span', {}, name)));
  return made;
}

// `text` with places where a line may end: after the dots and dashes of a name, not in its numbers.
function breakable(text) {
  return text.split(/(?<=[._-])(?!\d)/).flatMap(part => [part, element('wbr')]);
}

// `head` and `rows` are lists of texts or cells; a row may have a kind, for its style.
function table(head, rows, kind = '') {
  const cell = (tag, content) => content instanceof Node ? content : element(tag, {}, content);
  return element('div', {class: 'scroll'}, element('table', {class: kind},
    element('thead', {}, element('tr', {}, ...head.map(text => cell('th', text)))),
    element('tbody', {}, ...rows.map(row => element('tr', {class: row.kind || ''}, ...row.map((text, i) => cell(i === 0 ? 'th' : 'td', text)))))));
}

// With more experts than this, their numbers no longer fit beside each other.
const most_columns = 12;

function heat(text, fill) {
  const made = element('td', {class: 'heat'}, text);
  made.style.background = fill;
  return made;
}

function expert_head(k) {
  return element('th', {}, swatch(k), String(k));
}

// A map of `rows` (names) x `count` (experts): fill(r, c) is the colour of a cell, and say(r, c) what
// it says when it is pointed at, tapped, or reached with the arrow keys. Square ones have experts as
// rows, too.
function heat_map(label, rows, count, fill, say, square) {
  const picture = element('canvas', {width: count, height: rows.length, role: 'img', 'aria-label': label, tabindex: 0});
  const ink = picture.getContext('2d');
  rows.forEach((_, r) => {
    for (let c = 0; c < count; ++c) {
      ink.fillStyle = fill(r, c);
      ink.fillRect(c, r, 1, 1);
    }
  });
  const told = element('p', {class: 'told', 'aria-live': 'polite'}, 'Point at a cell, tap it, or use the arrow keys.');
  const spot = element('div', {class: 'spot', hidden: ''});
  const percent_of = (i, all) => 100 * i / all + '%';
  let now = [0, 0];
  function choose(r, c) {
    now = [Math.max(0, Math.min(rows.length - 1, r)), Math.max(0, Math.min(count - 1, c))];
    told.textContent = say(...now);
    spot.hidden = false;
    Object.assign(spot.style, {top: percent_of(now[0], rows.length), height: percent_of(1, rows.length),
                               left: percent_of(now[1], count), width: percent_of(1, count)});
  }
  function point(event) {
    const box = picture.getBoundingClientRect();
    choose(Math.floor((event.clientY - box.top) / box.height * rows.length), Math.floor((event.clientX - box.left) / box.width * count));
  }
  for (const kind of ['pointermove', 'pointerdown']) picture.addEventListener(kind, point);
  picture.addEventListener('keydown', event => {
    const move = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]}[event.key];
    if (!move) return;
    choose(now[0] + move[0], now[1] + move[1]);
    spot.scrollIntoView({block: 'nearest', inline: 'nearest'});
    event.preventDefault();
  });

  const every = count > 60 ? 10 : 5;
  function mark(i, all, side) {
    const made = element('span', {}, String(i));
    made.style[side] = percent_of(i + 0.5, all);
    return made;
  }
  const marks = (all, side) => [...Array(Math.ceil(all / every)).keys()].map(i => mark(i * every, all, side));
  const cells = element('div', {class: square ? 'cells square' : 'cells'}, element('div', {class: 'corner'}),
    element('div', {class: 'columns'}, ...marks(count, 'left')),
    element('div', {class: 'rows'}, ...(square ? marks(count, 'top') : rows.map(name => element('div', {title: name}, name)))),
    element('div', {class: 'picture'}, picture, spot));
  cells.style.setProperty('--columns', count);
  cells.style.setProperty('--rows', rows.length);
  return element('figure', {class: 'map'}, told, element('div', {class: 'scroll'}, cells));
}

// How many of its tokens each expert took of a domain.
function domains_view(domains, experts) {
  const share = (domain, k) => domain.expert_tokens[k] / domain.tokens;
  const most = domains.reduce((most, domain) => Math.max(most, Math.max(...domain.expert_tokens) / domain.tokens), 0);
  const fill = (domain, k) => tint(k, 0.75 * share(domain, k) / most);
  const numbers = domain => [domain.name, domain.tokens.toLocaleString('en'), domain.loss.toFixed(3), domain.bits_per_byte.toFixed(3)];
  const head = ['domain', 'tokens', 'loss', 'bits/byte'], columns = [...Array(experts).keys()];
  if (experts <= most_columns) {
    return [table([...head, ...columns.map(expert_head)],
                  domains.map(domain => [...numbers(domain), ...columns.map(k => heat((100 * share(domain, k)).toFixed(1), fill(domain, k)))]))];
  }
  return [table(head, domains.map(numbers)),
          heat_map('share of each expert in a domain', domains.map(domain => domain.name), experts, (r, k) => fill(domains[r], k),
                   (r, k) => `${domains[r].name}: expert ${k} took ${percent(share(domains[r], k))} of the tokens.`, false)];
}

// What it costs if experts do not get the tokens that were meant for them, and what they tell.
function experts_view({loss, permuted, banned, single, oracle, blocks}) {
  const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
  const signed = value => (value > 0 ? '+' : '') + value.toFixed(4);
  const losses = [['as routed', loss], ['each expert replaced by the next', permuted]];
  if (single.length > 0) {
    const best = single.indexOf(Math.min(...single)), worst = banned.indexOf(Math.max(...banned));
    losses.push([`all tokens to expert ${best}, the best alone`, single[best]], ['one expert banned, mean over experts', mean(banned)],
                [`expert ${worst} banned, which costs most`, banned[worst]], ['the best expert for each token, looking ahead', oracle]);
  }
  const told = ({bits, floor}) => `${bits.toFixed(3)} (${floor.toFixed(3)})`;
  return [table(['tokens go to experts', 'loss', 'difference'],
                losses.map(([name, value]) => [name, value.toFixed(4), name === 'as routed' ? '' : signed(value - loss)])),
          element('p', {}, 'Information in bits, block by block; in brackets what chance gives, with the labels shuffled. The entropy is that of how often experts are chosen.'),
          table(['block', 'entropy', 'domain', 'token', 'position'],
                blocks.map((block, b) => [String(b), block.entropy.toFixed(3), told(block.domain), told(block.token), told(block.position)]))];
}

// What two experts share, against what masks share that know nothing of each other: if one keeps p
// of the neurons and the other q, that is p * q.
function overlap_view(overlap) {
  const by_chance = (a, b) => overlap[a][a] * overlap[b][b];
  const beyond = (a, b) => overlap[a][b] - by_chance(a, b);
  const most = overlap.reduce((most, row, a) => row.reduce((far, _, b) => a === b ? far : Math.max(far, Math.abs(beyond(a, b))), most), 1e-4);
  const shade = part => (part > 0 ? '#d75f00' : '#0087ff') + Math.round(220 * Math.min(1, Math.abs(part))).toString(16).padStart(2, '0');
  const fill = (a, b) => a === b ? '#80808060' : shade(beyond(a, b) / most);
  const points = (100 * most).toFixed(most < 0.01 ? 2 : 1);
  const key = element('div', {class: 'scale'}, element('span', {}, `${points} points below chance`), element('i'),
                      element('span', {}, 'above'));
  key.children[1].style.background = `linear-gradient(to right, ${[-1, -0.5, 0, 0.5, 1].map(shade)})`;
  const say = (a, b) => a === b ? `Expert ${a} keeps ${percent(overlap[a][a])} of the neurons.`
    : `Experts ${a} and ${b} both keep ${percent(overlap[a][b])}; by chance ${percent(by_chance(a, b))}.`;
  const experts = overlap.map((_, k) => k);
  return [key, experts.length <= most_columns
    ? table(['', ...experts.map(expert_head)], experts.map(a => [expert_head(a), ...experts.map(b => heat((100 * overlap[a][b]).toFixed(1), fill(a, b)))]))
    : heat_map('neurons that two experts share', experts.map(String), experts.length, fill, say, true)];
}
)js";

}  // namespace smoe
