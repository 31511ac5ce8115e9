// Runs bpmn-engine; called by benchmarks/peers/__init__.py:
// node bpmn_engine_peer.cjs NODE_MODULES MODEL STATE_FILE w1|w2 INSTANCES
// prints JSON: the seconds a step, where a step is one task done and the state saved: written to a file
// and forced to the disk. In w2 the state is read back and recovered before each task.
'use strict';

const fs = require('fs');
const path = require('path');
const { EventEmitter } = require('events');

const [modules, model, file, work, instances] = process.argv.slice(2);
const { Engine } = require(path.join(modules, 'bpmn-engine'));
const variables = { order: 'WO-1001', amount: 12.5, items: [1, 2, 3] };

// a manual task stands for the service call of w1: it waits to be told that it is done
const source = fs.readFileSync(model, 'utf8').replaceAll('serviceTask', 'manualTask');
const handle = fs.openSync(file, 'w+');

async function save(engine) {
  const state = Buffer.from(JSON.stringify(await engine.getState()));
  fs.writeSync(handle, state, 0, state.length, 0);
  fs.ftruncateSync(handle, state.length);
  fs.fdatasyncSync(handle);
}

function load() {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function listen() {
  const listener = new EventEmitter();
  const waiting = [];
  let awake = null;
  listener.on('activity.wait', (api) => {
    waiting.push(api);
    if (awake) awake();
  });
  const next = async () => {
    if (!waiting.length) await new Promise((resolve) => (awake = resolve));
    awake = null;
    return waiting.shift();
  };
  return { listener, next };
}

async function serviceTasks() {
  const engine = new Engine({ name: 'w1', source, variables });
  const { listener, next } = listen();
  let ended = false;
  engine.once('end', () => (ended = true));
  await engine.execute({ listener });
  let steps = 0;
  while (!ended) {
    const api = await next();
    api.signal({ n: steps + 1 });
    await save(engine);
    steps += 1;
  }
  return steps;
}

async function userTasks() {
  let engine = new Engine({ name: 'w2', source, variables });
  await engine.execute({ listener: listen().listener });
  await save(engine);
  await engine.stop();
  let steps = 0;
  let ended = false;
  while (!ended) {
    engine = new Engine({ name: 'w2' }).recover(load());
    const { listener, next } = listen();
    engine.once('end', () => (ended = true));
    await engine.resume({ listener });
    const api = await next();
    api.signal({ r: steps });
    await save(engine);
    if (!ended) await engine.stop();
    steps += 1;
  }
  return steps;
}

(async () => {
  const one = work === 'w1' ? serviceTasks : userTasks;
  await one();
  const begun = process.hrtime.bigint();
  let steps = 0;
  for (let number = 0; number < Number(instances); number += 1) steps += await one();
  console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - begun) / 1e9 / steps, steps }));
})();
