// The last part of the script of a study's page: two choices, of a domain and of what has been
// spent, and the tables and curves that follow them. Texts become text nodes, never markup.
// Read next: study_page.h, the data.
#include "examples/smoe/report_page.h"

namespace smoe {

const char* const study_script = R"js(
const {arms, domains, compare_to} = data;
const spent_words = {steps: 'steps', multiply_adds: 'multiply-adds', seconds: 'seconds'};
const known = value => value !== null && value !== undefined;
const digits = (value, count = 4) => known(value) ? value.toFixed(count) : '-';
const signed = value => (value > 0 ? '+' : '') + digits(value);
const large = value => known(value) ? value.toLocaleString('en', {notation: 'compact', maximumSignificantDigits: 4}) : '-';
const name_of = (arm, k) => element('th', {}, swatch(k), ...breakable(arm.name));

// A number, and below it what qualifies it.
function cell(text, below = '') {
  return element('td', {}, text, ...(below ? [element('div', {class: 'faint'}, below)] : []));
}
const mean_cell = ([mean, deviation]) => cell(digits(mean), known(deviation) ? '±\u00a0' + digits(deviation) : '');
const p_of = p => !known(p) ? '-' : p < 0.0001 ? '< 0.0001' : digits(p);
function difference_cell(difference) {
  if (!known(difference) || !known(difference[0])) return cell('-');
  const [mean, low, high] = difference;
  return cell(signed(mean), known(low) ? `${signed(low)} to ${signed(high)}` : '');
}

function costs_table() {
  return table(['arm', 'parameters', 'active', 'router', 'multiply-adds', 'seconds'], arms.map((arm, k) => {
    const head = name_of(arm, k);
    if (arm.what) head.append(element('div', {class: 'faint'}, arm.what));
    return [head, large(arm.parameters), large(arm.active), large(arm.router), large(arm.multiply_adds), large(arm.seconds)];
  }), 'results');
}

function comparison_table(comparison) {
  const head = ['arm', 'lr', 'seeds', 'bits per byte', 'loss', ...(compare_to ? ['difference', 'p'] : [])];
  return table(head, arms.map((arm, k) => {
    const {loss, bits_per_byte, difference} = comparison.arms[k];
    const lr = known(arm.lr) ? arm.lr + (arm.lr_at_end ? '*' : '') : '-';
    const row = [name_of(arm, k), lr, String(arm.seeds), mean_cell(bits_per_byte), mean_cell(loss)];
    return compare_to ? [...row, difference_cell(difference), p_of(known(difference) ? difference[3] : null)] : row;
  }), 'results');
}

// Every domain at once: the loss, or its difference to the arm that is compared to.
function domains_table(spent) {
  return table(['arm', ...domains.map(domain => element('th', {}, ...breakable(domain)))], arms.map((arm, k) =>
    [name_of(arm, k), ...domains.map((_, d) => {
      const {loss, difference} = data.comparisons[d][spent].arms[k];
      return compare_to && arm.name !== compare_to ? difference_cell(difference) : mean_cell(loss);
    })]), 'results');
}

function choice_of(label, values, texts) {
  return element('select', {'aria-label': label}, ...values.map((value, i) => element('option', {value}, texts[i])));
}

function study_page() {
  main.append(element('h1', {}, data.name),
    facts([['runs have ended', `${data.ended} of ${data.wanted}`], ['arms', arms.length], ['domains', Math.max(1, domains.length - 1)]]));
  if (data.failed.length > 0) {
    section('Failed', 'These runs ended before their last step. They are left out of means.',
            table(['run', 'why'], data.failed.map(({run, message}) => [element('th', {}, ...breakable(run)), message]), 'words'));
  }
  section('What they cost', 'Parameters of the model, those that have a part in a token, and those of routers; multiply-adds of a token in ' +
          'training, and seconds of a run, as means over the runs that are compared.', costs_table());

  const domain = choice_of('domain', domains.map((_, d) => d), domains), over = choice_of('over', data.spent.map((_, i) => i), data.spent.map(one => spent_words[one]));
  const result = element('div', {id: 'result'}), charts = element('div', {id: 'charts'}), by_domain = element('div', {id: 'by-domain'});
  function draw() {
    const d = Number(domain.value), spent = Number(over.value), comparison = data.comparisons[d][spent], kind = data.spent[spent];
    const what = comparison.text ? `After ${comparison.text}` + (domains[d] === 'all' ? '' : `, in the domain ${domains[d]}`) + '.'
                                 : 'There is nothing to compare yet.';
    result.replaceChildren(element('p', {class: 'faint'}, what), comparison_table(comparison));
    const curves = column => arms.map((arm, k) => ({name: arm.name, k, dots: true,
      lines: data.curves[d][k].map(run => ({x: run[kind], y: run[column]}))}));
    const x_name = spent_words[kind];
    charts.replaceChildren(element('h3', {}, 'Loss per token'), chart('held-out loss', curves('loss'), {x_name}),
                           element('h3', {}, 'Bits per byte'), chart('held-out bits per byte', curves('bits_per_byte'), {x_name}));
    if (domains.length > 1) by_domain.replaceChildren(domains_table(spent));
  }
  for (const one of [domain, over]) one.addEventListener('change', draw);
  section('Which is ahead', 'Mean and standard deviation over seeds on held-out text, at the best learning rate, after equal steps, multiply-adds or ' +
          'seconds: the most that all runs reach. Between evaluations the curves are taken to be straight; a dash stands where one has not begun.' +
          (compare_to ? ` Differences are those of the loss from ${compare_to}, in nats per token and paired by seed, with their 95 % interval.` : '') +
          (arms.some(arm => arm.lr_at_end) ? ' * marks the lowest or highest rate that was tried: a better one may lie beyond.' : ''),
          element('p', {}, element('label', {}, 'domain ', domain), ' ', element('label', {}, 'at equal ', over)), result);
  if (domains.length > 1) {
    section('By domain', compare_to ? `The difference of the loss from that of ${compare_to}, whose row has its loss.` : 'The loss per token.', by_domain);
  }
  section('On the way', 'Held-out text. Each thin line is a run, and the band of an arm reaches from the lowest of its runs to the highest. ' +
          'Drag over a part to look closer; click on a name to set it off from the others.', charts);
  draw();
}
study_page();
)js";

}  // namespace smoe
