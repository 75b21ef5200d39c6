// The script of the page on which a model writes: asks for texts, shows their tokens as they come,
// and goes on from another token where one is chosen. Texts become text nodes, never markup. The
// model is behind a server, or beside the page in a playground.
// Read next: serve_reply.h, what the server sends.
#include "examples/smoe/serve_page.h"

namespace smoe {

// A page reaches its models through `backend`, which has
//     models()                the models, as GET /v1/models lists them
//     complete(body, signal)  an asynchronous generator of the events that a completion sends, as
//                             text, cut anywhere
// and, if it also knows of training,
//     runs()                  the names of runs
//     run(name, tag)          {tag, told}, what is told of one; null if that has still this tag
// All throw Error with a message for people. Here is that of a server.
const char* const serve_backend = R"js(
const backend = (() => {
  function headers() {
    const key = sessionStorage.getItem('key');
    return {'Content-Type': 'application/json', ...(key ? {Authorization: 'Bearer ' + key} : {})};
  }
  async function answer_to(path, request = {}) {
    const response = await fetch(path, {...request, headers: {...headers(), ...request.headers}});
    if (response.ok || response.status === 304) return response;
    let message = `the server answers ${response.status}`;
    try { message = (await response.json()).error.message; } catch {}
    throw Object.assign(new Error(message), {status: response.status});
  }
  return {
    async models() { return (await (await answer_to('/v1/models')).json()).data; },
    async runs() { return (await (await answer_to('/v1/runs')).json()).data.map(run => run.id); },
    async run(name, tag) {
      const response = await answer_to('/v1/runs/' + encodeURIComponent(name), {headers: tag ? {'If-None-Match': tag} : {}});
      return response.status === 304 ? null : {tag: response.headers.get('ETag'), told: await response.json()};
    },
    async *complete(body, signal) {
      const response = await answer_to('/v1/completions', {method: 'POST', signal, body: JSON.stringify(body)});
      const reader = response.body.getReader(), decoder = new TextDecoder();
      for (;;) {
        const {done, value} = await reader.read();
        if (done) return;
        yield decoder.decode(value, {stream: true});
      }
    },
  };
})();
)js";

const char* const serve_script = R"js(
// Asking.

let models = [];
let running = null;  // what ends the requests that are being answered

// Calls on_choice for each choice of a stream.
async function ask(body, signal, on_choice) {
  let text = '';
  for await (const piece of backend.complete({...body, stream: true, echo: true, details: true}, signal)) {
    text += piece;
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) {
      const sent = event.slice('data: '.length);
      if (sent === '[DONE]') return;
      const chunk = JSON.parse(sent);
      if (chunk.error) throw new Error(chunk.error.message);
      chunk.choices.forEach(on_choice);
    }
  }
}

// The form.

let numbered = 0;
function labelled(text, control, kind = '') {
  control.id = control.id || `control${++numbered}`;
  return element('div', {class: kind}, element('label', {for: control.id}, text), control);
}

function slider(text, id, low, high, step, value, show) {
  const input = element('input', {type: 'range', id, min: low, max: high, step, value});
  const told = element('span', {class: 'value', 'aria-hidden': 'true'});
  function tell() {
    told.textContent = show(Number(input.value));
    input.setAttribute('aria-valuetext', told.textContent);
  }
  input.addEventListener('input', tell);
  tell();
  return {input, field: element('div', {class: 'slider'}, element('label', {for: id}, text), told, input)};
}

const prompt = element('textarea', {id: 'prompt', rows: 3, autocapitalize: 'off', spellcheck: 'false'}, 'Once upon a time');
const model_choice = element('select', {id: 'model'});
const expert_choice = element('select', {id: 'experts'});
const temperature = slider('Temperature', 'temperature', 0, 2, 0.05, 0.8, x => x === 0 ? '0, always the likeliest' : x.toFixed(2));
const top_p = slider('Top-p', 'top-p', 0.05, 1, 0.05, 0.95, x => x.toFixed(2));
const length = slider('Most new tokens', 'length', 1, 100, 1, 100, String);
const seed = element('input', {type: 'number', id: 'seed', min: 0, max: 4294967295, step: 1, value: 1, required: ''});
const write = element('button', {type: 'submit', class: 'main', id: 'write'}, 'Write');
const again = element('button', {type: 'button', id: 'again'}, 'Another seed');
const compare = element('button', {type: 'button', id: 'compare'}, 'Each expert side by side');
const stop = element('button', {type: 'button', id: 'stop', disabled: ''}, 'Stop');
const problem = element('p', {role: 'alert', id: 'problem'});
const state = element('p', {role: 'status', class: 'faint', id: 'state'});
const desk = element('div', {class: 'desk'});
const experts_field = labelled('Experts', expert_choice), model_field = labelled('Model', model_choice);
const form = element('form', {}, labelled('Prompt', prompt, 'wide'), model_field, experts_field, temperature.field, top_p.field,
                     length.field, labelled('Seed', seed), element('div', {class: 'buttons wide'}, write, again, compare, stop));

const writing = element('div');

const model = () => models[model_choice.selectedIndex];

function show_model() {
  const {experts, can_ban, context, id} = model();
  const option = (value, text) => element('option', {value}, text), all = [...Array(experts).keys()];
  // Routers inside the model can be told to take one expert, and no more.
  expert_choice.replaceChildren(option('', 'the router chooses'), ...(can_ban ? [option('all', 'all neurons on')] : []),
    element('optgroup', {label: 'one for all tokens'}, ...all.map(k => option('only ' + k, `only expert ${k}`))),
    ...(can_ban ? [element('optgroup', {label: 'one banned'}, ...all.map(k => option('ban ' + k, `without expert ${k}`)))] : []));
  experts_field.hidden = compare.hidden = experts === 0;
  length.input.max = context - 1;
  length.input.value = Math.min(200, context - 1);
  length.input.dispatchEvent(new Event('input'));
  document.title = id + ' – smoe';
}

function rule_of(choice) {
  const [kind, k] = choice.split(' ');
  return kind === 'only' ? {expert: Number(k)} : kind === 'ban' ? {banned_experts: [Number(k)]} : kind === 'all' ? {expert: 'all'} : {};
}

function wanted(start) {
  return {model: model().id, prompt: start, max_tokens: Number(length.input.value), temperature: Number(temperature.input.value),
          top_p: Number(top_p.input.value), seed: Number(seed.value)};
}

// A text and what was thought at each of its tokens.

const endings = {end_of_text: 'its own end', max_tokens: 'the limit', context: "the end of the model's context", interrupted: 'the end of the server'};

class Text {
  // `rule` is what the request said of experts; `open` is called with this and the number of a token that is pointed at, or
  // chosen for good.
  constructor(label, rule, open) {
    this.rule = rule;
    this.tokens = [];
    this.spans = [];
    this.now = -1;
    this.view = element('div', {class: 'story', tabindex: 0, role: 'group', 'aria-label': label});
    const at = event => this.spans.indexOf(event.target);
    this.view.addEventListener('pointerover', event => { if (at(event) >= 0 && event.pointerType === 'mouse') this.choose(at(event), open, false); });
    this.view.addEventListener('click', event => { if (at(event) >= 0) this.choose(at(event), open, true); });
    this.view.addEventListener('keydown', event => {
      const move = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (move && this.spans.length > 0) this.choose(Math.max(0, Math.min(this.spans.length - 1, this.now + move)), open, true);
      if (event.key === 'Enter' && this.now >= 0) document.querySelector('.thought button')?.focus();
      if (move || event.key === 'Enter') event.preventDefault();
    });
  }
  choose(i, open, pinned) {
    this.now = i;
    open(this, i, pinned);
  }
  mark(i, kind) {
    for (const span of this.spans) span.classList.remove(kind);
    if (i >= 0) this.spans[i].classList.add(kind);
  }
  cut(i) {
    this.spans.splice(i).forEach(span => span.remove());
    this.tokens.length = i;
    this.now = -1;
  }
  add(choice) {
    for (const token of choice.details) {
      const span = element('span', {}, token === choice.details[choice.details.length - 1] ? choice.text : '');
      if (token.expert !== null) span.style.background = tint(token.expert, 0.4);
      if (token.of_prompt) span.classList.add('prompt');
      this.tokens.push(token);
      this.spans.push(span);
      this.view.append(span);
    }
    if (choice.details.length === 0 && choice.text) this.spans.at(-1)?.append(choice.text);
    if (choice.ended_by) this.ended_by = endings[choice.ended_by];
  }
}

// The panel beside a text: the likeliest tokens, each a button that takes it, and the router.
const thought = element('section', {class: 'thought', 'aria-live': 'polite', 'aria-label': 'what the model thought'});
let pinned = null;

function share_row(tag, name, share, kind, fill) {
  const bar = element('span', {class: 'bar', 'aria-hidden': 'true'});
  bar.style.width = 100 * share + '%';
  if (fill) bar.style.background = fill;
  return element(tag, {class: kind}, element('span', {}, name), element('span', {}, bar), element('span', {class: 'share'}, percent(share)));
}

const name_of = token => token.text === '' ? 'the end' : JSON.stringify(token.text).slice(1, -1).replace(/^ | $/g, '␣');

function think(text, i, pin) {
  if (pinned !== null && !pin) return;
  if (pinned !== null) pinned.mark(-1, 'pinned');
  pinned = pin ? text : null;
  text.mark(i, pin ? 'pinned' : 'now');
  const token = text.tokens[i];
  const alternatives = token.likeliest.map(other => {
    const row = share_row('button', name_of(other), Math.exp(other.log_probability), other.id === token.id ? 'taken' : '');
    row.type = 'button';
    row.setAttribute('aria-label', `${other.text.trim() || name_of(other)}, ${percent(Math.exp(other.log_probability))}: take it and go on from there`);
    row.addEventListener('click', () => go_on(text, i, other));
    return element('li', {}, row);
  });
  thought.replaceChildren(element('h3', {}, name_of(token)),
    element('p', {}, `was given ${percent(Math.exp(token.log_probability))}` + (token.expert === null ? '' : `, and expert ${token.expert} processed it`) + '. ' +
            'Likeliest in its place; take one to go on from there:'),
    element('ul', {}, ...alternatives));
  if (token.router) {
    const order = token.router.map((_, k) => k).sort((a, b) => token.router[b] - token.router[a]).slice(0, 12);
    thought.append(element('h3', {}, 'The router'), element('div', {class: 'router'},
      ...order.map(k => share_row('div', `expert ${k}`, token.router[k], k === token.expert ? 'taken' : '', colour(k)))));
  }
}

function forget() {
  pinned?.mark(-1, 'pinned');
  pinned = null;
  thought.replaceChildren(element('p', {class: 'faint'}, 'Point at a token, tap it, or focus the text and use the arrow keys, then Enter.'));
}

// Writing.

// Lets `work` run with a signal that Stop gives, and tells how it went.
async function busy(work) {
  running?.abort();
  const mine = running = new AbortController(), start = performance.now();
  problem.textContent = '';
  state.textContent = 'Writing …';
  stop.disabled = false;
  forget();
  try {
    state.textContent = await work(mine.signal, () => (performance.now() - start) / 1000);
  } catch (error) {
    state.textContent = error.name === 'AbortError' ? 'Stopped.' : '';
    if (error.name !== 'AbortError') problem.textContent = error.message;
  }
  if (running === mine) {
    running = null;
    stop.disabled = true;
  }
}

function write_from(start, rule) {
  return busy(async (signal, seconds) => {
    const text = new Text('the text, token by token', rule, think);
    desk.replaceChildren(text.view, thought);
    await ask({...wanted(start), ...rule}, signal, choice => text.add(choice));
    const count = text.tokens.length;
    return `${count} tokens with the prompt, ${Math.round(count / seconds())} a second; ended by ${text.ended_by}.`;
  });
}

// The text so far is the prompt of the next. A text that has ended needs no request.
function go_on(text, i, other) {
  if (other.text !== '') {
    write_from([...text.tokens.slice(0, i).map(token => token.id), other.id], text.rule);
    return;
  }
  running?.abort();
  forget();
  text.cut(i);
  state.textContent = 'The text ends there.';
}

const most_compared = 32;
function write_each() {
  return busy(async signal => {
    const {experts, can_ban} = model(), shown = Math.min(experts, most_compared);
    const rules = [['the router chooses', {}], ...(can_ban ? [['all neurons on', {expert: 'all'}]] : []),
                   ...[...Array(shown).keys()].map(k => [`expert ${k}`, {expert: k}, k])];
    const cards = rules.map(([name, rule, k]) => ({text: new Text(name, rule, think), head: element('h3', {}, ...(k === undefined ? [] : [swatch(k)]), name)}));
    desk.replaceChildren(element('div', {class: 'experts'}, ...cards.map(({text, head}) => element('div', {}, head, text.view))), thought);
    const queue = [...cards];
    // A browser opens six connections to a server.
    await Promise.all([...Array(6)].map(async () => {
      for (let card; (card = queue.shift());) {
        await ask({...wanted(prompt.value), ...card.text.rule}, signal, choice => card.text.add(choice));
      }
    }));
    return `The same prompt and seed, ${cards.length} times` + (shown < experts ? `, with the first ${shown} of ${experts} experts.` : '.');
  });
}

form.addEventListener('submit', event => {
  event.preventDefault();
  write_from(prompt.value, rule_of(expert_choice.value));
});
again.addEventListener('click', () => { seed.value = Math.floor(Math.random() * 1e6); form.requestSubmit(); });
compare.addEventListener('click', () => { if (form.reportValidity()) write_each(); });
stop.addEventListener('click', () => running?.abort());
model_choice.addEventListener('change', show_model);
prompt.addEventListener('keydown', event => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
addEventListener('keydown', event => { if (event.key === 'Escape') { running?.abort(); forget(); } });

// Beginning.

function ask_for_key() {
  const key = element('input', {type: 'password', autocomplete: 'off', required: ''});
  const door = element('form', {}, labelled('This server has a key', key), element('div', {class: 'buttons wide'}, element('button', {class: 'main'}, 'Open')));
  door.addEventListener('submit', event => {
    event.preventDefault();
    sessionStorage.setItem('key', key.value);
    begin();
  });
  main.replaceChildren(element('h1', {}, 'smoe'), door, problem);
  key.focus();
}

async function begin() {
  problem.textContent = '';
  main.replaceChildren(element('p', {class: 'faint'}, 'Loading …'));
  try {
    models = await backend.models();
  } catch (error) {
    if (error.status === 401) {
      ask_for_key();
      if (sessionStorage.getItem('key')) problem.textContent = 'That is not its key.';
    } else {
      problem.textContent = error.message;
      main.replaceChildren(element('h1', {}, 'smoe'), problem);
    }
    return;
  }
  const runs = backend.runs ? await backend.runs() : [];
  writing.replaceChildren(form, problem, state, desk);
  model_choice.replaceChildren(...models.map(({id}) => element('option', {}, id)));
  model_field.hidden = models.length === 1;
  const names = new Set([...models.map(({id}) => id), ...runs]);
  main.replaceChildren(element('h1', {}, names.size === 1 ? [...names][0] : 'smoe'), ...(runs.length > 0 ? [tabs(runs)] : [writing]));
  if (models.length > 0) show_model();
  forget();
}

// Writing and, for a backend that knows runs, their training: one of the two is shown.
function tabs(runs) {
  const training = new Training(), views = {Writing: writing, Training: training.view};
  const buttons = Object.keys(views).map(name => element('button', {type: 'button'}, name));
  function show(name) {
    buttons.forEach(button => button.setAttribute('aria-pressed', button.textContent === name));
    for (const [other, view] of Object.entries(views)) view.hidden = other !== name;
    if (name === 'Training') training.open(); else training.close();
    history.replaceState(null, '', name === 'Training' ? '#training' : location.pathname);
  }
  for (const button of buttons) button.addEventListener('click', () => show(button.textContent));
  training.offer(runs);
  buttons[0].hidden = models.length === 0;
  show(models.length === 0 || location.hash === '#training' ? 'Training' : 'Writing');
  return element('div', {}, element('nav', {class: 'buttons'}, ...buttons), writing, training.view);
}
begin();
)js";

}  // namespace smoe
