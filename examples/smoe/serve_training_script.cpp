// The script of the part of a server's page that shows runs while they train: curves that go on, and
// samples as they come. It asks again every two seconds, and is told if nothing is new.
// Read next: serve_training.h, what the server tells; serve_script.cpp, the page around it.
#include "examples/smoe/serve_page.h"

namespace smoe {

const char* const serve_training_script = R"js(
class Training {
  constructor() {
    this.choice = element('select', {id: 'run'});
    this.field = element('div', {}, element('label', {for: 'run'}, 'Run'), this.choice);
    this.problem = element('p', {role: 'alert'});
    this.state = element('p', {class: 'faint', id: 'reported'});
    this.facts = element('div');
    this.curves = element('div');
    this.samples = element('div');
    this.settings = element('div');
    this.view = element('div', {}, this.field, this.problem, this.state, this.facts, this.curves, this.samples, this.settings);
    this.choice.addEventListener('change', () => this.open());
  }
  offer(names) {
    this.choice.replaceChildren(...names.map(name => element('option', {}, name)));
    this.field.hidden = names.length === 1;
  }
  // Shows the chosen run from now on, until close().
  open() {
    this.close();
    for (const part of [this.facts, this.curves, this.samples, this.settings]) part.replaceChildren();
    this.charts = new Map();
    this.tag = this.last_sample = null;
    this.ask();
  }
  close() {
    clearTimeout(this.timer);
    this.asked = {};  // an answer to an earlier question is not shown
  }
  async ask() {
    const asked = this.asked;
    let answer = null, problem = '';
    try {
      answer = await backend.run(this.choice.value, this.tag);
    } catch (error) {
      problem = error.message;
    }
    if (asked !== this.asked) return;
    this.problem.textContent = problem;
    if (answer) this.show(answer);
    if (this.reported !== undefined) this.tell_age();
    this.timer = setTimeout(() => this.ask(), 2000);
  }
  tell_age() {
    const seconds = Math.max(0, Math.round(Date.now() / 1000 - this.reported));
    this.state.textContent = this.reported === null ? 'The run has not reported yet.'
      : seconds < 120 ? `Last report ${seconds} s ago.` : `Last report on ${new Date(1000 * this.reported).toLocaleString('en-GB')}.`;
  }
  show({tag, told: {run, samples, reported}}) {
    this.tag = tag;
    this.reported = reported;
    this.facts.replaceChildren(facts(Object.entries(run.facts)));
    const parts = [...curves_of(run), speed_of(run)], labels = parts.flatMap(part => part.charts.map(([label]) => label));
    if (labels.join() !== [...this.charts.keys()].join()) {
      this.charts = new Map(labels.map(label => [label, element('p')]));
      this.curves.replaceChildren(...parts.flatMap(({title, text, charts}) =>
        [element('h2', {}, title), element('p', {}, text), ...charts.map(([label]) => this.charts.get(label))]));
    }
    for (const [label, groups, options] of parts.flatMap(part => part.charts)) {
      const figure = this.charts.get(label);
      if (figure.update?.(groups)) continue;
      this.charts.set(label, chart(label, groups, options));
      figure.replaceWith(this.charts.get(label));
    }
    const newest = samples.at(-1)?.step;
    if (newest !== undefined && newest !== this.last_sample) {
      this.last_sample = newest;
      this.samples.replaceChildren(element('h2', {}, 'What it writes'),
        element('p', {}, 'Samples that training takes, the latest first. Nothing is given to it but the start of a text.'), ...samples.reverse().flatMap(sample_view));
    }
    if (!this.settings.firstChild) this.settings.append(settings_view(run.settings));
  }
}
)js";

}  // namespace smoe
