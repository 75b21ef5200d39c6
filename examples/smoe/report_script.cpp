// The last part of the script of a report, which draws the page of one run or of several: what a run
// learned, what its experts share, arms side by side. Texts become text nodes, never markup.
// Read next: report.cpp, the command.
#include "examples/smoe/report_page.h"

namespace smoe {

const char* const report_script = R"js(
function one_run({run, model, samples}) {
  const experts = run.reports.expert_shares.length;
  main.append(element('h1', {}, run.name), facts([['parameters', model.parameters.toLocaleString('en')], ['of them active', model.active_parameters.toLocaleString('en')], ...Object.entries(run.facts)]));
  for (const part of curves_of(run)) section(part.title, part.text, ...part.charts.map(args => chart(...args)));
  if (model.stories.length > 0) {
    section('Token by token', experts > 0 ? 'The colour of a token is that of the expert that processed it. Point at one, tap it, or focus a story and use the arrow keys.'
                                          : 'The darker a token, the less the model expected it. Point at one, tap it, or focus a story and use the arrow keys.');
    main.append(element('p', {class: 'faint'}, 'Text: ' + model.source + '.'));
    if (experts > 0) {
      main.append(element('p', {class: 'entries'}, ...run.reports.expert_shares.map((_, k) => element('span', {}, swatch(k), `expert ${k}`))));
    }
    for (const story of model.stories) main.append(element('h3', {}, story.domain), story_view(story, `story of ${story.domain}`));
  }
  if (samples.length > 0) {
    section('What it wrote on the way', 'Samples that training took, by their step. Nothing was given to it but the start of a text.', ...samples.flatMap(sample_view));
  }
  if (model.domains.length > 0) {
    section(experts > 0 ? 'Experts and domains' : 'Domains', experts > 0 ? "How each domain's tokens are divided among the experts, in per cent." : 'How well each domain is predicted.',
            ...domains_view(model.domains, experts));
  }
  if (model.experts) {
    section('What the experts know', `How the loss changes if tokens get other experts, and what a token's expert tells about the token, its place and its domain. On ${model.experts.tokens.toLocaleString('en')} tokens.`,
            ...experts_view(model.experts));
  }
  if (model.overlap.length > 0) {
    section('What experts share', 'Of all neurons with masks, the per cent that both experts keep; on the diagonal, in grey, what one keeps. ' +
            'Two masks that are drawn independently, of which one keeps p and the other q, share p × q on average. Colours show what is above or below that.',
            ...overlap_view(model.overlap));
  }
  const {title, text, charts} = speed_of(run);
  section(title, text, ...charts.map(args => chart(...args)));
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

// Numbers of several seeds in one cell: mean and standard deviation. Texts that are no numbers and
// differ have no mean.
function over_seeds(texts) {
  if (new Set(texts).size === 1) return texts[0];
  const numbers = texts.map(text => text === '' ? NaN : Number(text.replaceAll(',', '')));
  if (!numbers.every(Number.isFinite)) return '';
  const middle = mean(numbers), deviation = Math.sqrt(mean(numbers.map(x => (x - middle) ** 2)) * numbers.length / (numbers.length - 1));
  const digits = (texts[0].split('.')[1] || '').length;
  const show = x => x.toLocaleString('en', {minimumFractionDigits: digits, maximumFractionDigits: digits});
  return element('td', {}, show(middle), element('span', {}, '± ' + show(deviation)));
}

function results_table(runs, arms) {
  const names = [...new Set(runs.flatMap(run => Object.keys(run.facts)))];
  const values = run => names.map(name => run.facts[name] || '');
  const rows = arms.flatMap((arm, k) => {
    const of_arm = arm.runs.map(i => runs[i]);
    const head = element('th', {}, swatch(k), ...breakable(arm.name));
    if (of_arm.length === 1) return [[head, ...values(of_arm[0])]];
    head.append(element('span', {class: 'faint'}, `${of_arm.length} runs`));
    const row = [head, ...names.map((_, i) => over_seeds(of_arm.map(run => values(run)[i])))];
    return [Object.assign(row, {kind: 'arm'}),
            ...of_arm.map(run => [element('th', {class: 'seed'}, ...breakable(run.name)), ...values(run)])];
  });
  return table(['run', ...names], rows, 'results');
}

// The settings in which arms differ, and the seeds of each. The longer of both lists goes down.
function differences_table(runs, arms) {
  const keys = Object.keys(runs[0].settings).filter(key => new Set(runs.map(run => run.settings[key])).size > 1);
  if (keys.length === 0) return element('p', {}, 'All settings are the same.');
  function value(arm, key) {
    const values = [...new Set(arm.runs.map(i => runs[i].settings[key]))], text = values.join(', ');
    return text.length > 40 && values.length > 1 ? `${values.length} different ones` : text;
  }
  const name = (arm, k) => element('th', {}, swatch(k), ...breakable(arm.name));
  const setting = key => element('th', {}, ...breakable(key));
  return arms.length > keys.length
    ? table(['', ...keys.map(setting)], arms.map((arm, k) => [name(arm, k), ...keys.map(key => value(arm, key))]), 'results')
    : table(['setting', ...arms.map(name)], keys.map(key => [setting(key), ...arms.map(arm => value(arm, key))]), 'results');
}

function several_runs({runs, arms, without_reports}) {
  const grouped = arms.length < runs.length;
  main.append(element('h1', {}, runs.length + ' runs compared'));
  if (without_reports.length > 0) {
    main.append(element('p', {}, `There are no reports of ${without_reports.join(', ')} yet, so the table has gaps, and the charts have no curve there.`));
  }
  section('At their ends', 'Losses per token are comparable between runs with the same tokenizer; bits per byte always are, on the same text.' +
          (grouped ? ' Runs that differ in nothing but their seeds are one arm: its row has the mean and the standard deviation over them.' : ''),
          results_table(runs, arms));
  const choice = element('select', {'aria-label': 'horizontal axis'}, ...['step', 'tokens', 'seconds'].map(kind => element('option', {}, kind)));
  const charts = element('div', {id: 'charts'});
  function draw() {
    const kind = choice.value;
    const curves = (column, from, dots) => arms.map((arm, k) => ({name: arm.name, k, dots,
      lines: arm.runs.map(i => ({x: xs(runs[i], kind, runs[i][from].step), y: runs[i][from][column]}))}));
    charts.replaceChildren(
      element('h3', {}, 'Training loss per token'), chart('training loss', curves('loss', 'reports', false), {x_name: kind}),
      element('h3', {}, 'Held-out loss per token'), chart('held-out loss', curves('loss', 'valid', true), {x_name: kind}),
      element('h3', {}, 'Held-out bits per byte'), chart('bits per byte', curves('bits_per_byte', 'valid', true), {x_name: kind}));
  }
  choice.addEventListener('change', draw);
  section('On the way', 'Drag over a part to look closer; click on a name to set it off from the others.' +
          (grouped ? ' Each thin line is a run, and the band of an arm reaches from the lowest of its runs to the highest; numbers are their mean and range.' : ''),
          element('label', {}, 'over ', choice), charts);
  draw();
  section('What differs', 'Settings that are not the same in all of them.', differences_table(runs, arms));
}

if (data.runs) several_runs(data);
else one_run(data);
)js";

}  // namespace smoe
