// The thread of a playground: it computes, so that the page stays awake. The page sends
//     {files: {name: base64, ...}}   the model, once; the answer is {models}, what GET /v1/models gives
//     {id, body}                     a request, as text; the answers are {id, events} and {id, ended: true}
//     {id, cancel: true}
// and gets {error}, an object with a message, or {id, error} where something cannot be done.
// Read next: module.cpp, which is called here; page.cpp, the other side.
'use strict';

const loading = smoe_module();
const asked = new Set();
const next = new MessageChannel();  // a way to come back after the messages that wait
next.port1.onmessage = () => loading.then(pass);

function problem_in(json) {
  return json === '' ? undefined : JSON.parse(json).error;
}

function open(module, files) {
  module.FS.mkdir('/model');
  for (const [name, base64] of Object.entries(files)) {
    module.FS.writeFile('/model/' + name, Uint8Array.from(atob(base64), one => one.charCodeAt(0)));
  }
  const models = JSON.parse(module.ccall('smoe_open', 'string', ['string'], ['/model']));
  for (const name of Object.keys(files)) module.FS.unlink('/model/' + name);
  return models.error ? {error: models.error} : {models: models.data};
}

function ask(module, id, body) {
  const error = problem_in(module.ccall('smoe_ask', 'string', ['number', 'string'], [id, body]));
  if (error) {
    postMessage({id, error});
    return;
  }
  if (asked.size === 0) next.port2.postMessage(null);
  asked.add(id);
}

// Every text gets a token. Then the page is told, and may have something to say.
function pass(module) {
  if (asked.size > 0) module._smoe_work();
  for (const id of asked) {
    const events = module.ccall('smoe_events', 'string', ['number'], [id]);
    if (events !== '') postMessage({id, events});
    if (module._smoe_has(id)) continue;
    asked.delete(id);
    postMessage({id, ended: true});
  }
  if (asked.size > 0) next.port2.postMessage(null);
}

onmessage = async ({data: {files, id, body, cancel}}) => {
  try {
    const module = await loading;
    if (files) postMessage(open(module, files));
    else if (!cancel) ask(module, id, body);
    else if (asked.delete(id)) module._smoe_cancel(id);
  } catch (error) {
    postMessage({id, error: {message: String(error)}});
  }
};
