// The debug session of the README without a window: the real adapter, the sample, a breakpoint on a hypercall, a look around, a step back.
import { join } from 'node:path';
import { DapClient } from './dap-client.mjs';

const print = (text = '') => console.log(text);
const title = (text) => print(`\n── ${text} ${'─'.repeat(Math.max(0, 76 - text.length))}`);

/** Runs the session and resolves with the exit code that the system ended with. */
export async function runHeadless(root) {
  const client = new DapClient(process.execPath, [join(root, 'dist', 'cli.js'), 'dap']);
  const consoles = printConsoles(client);
  const system = join(root, 'extension', 'samples', 'two-vms', 'two-vms.gunyah.json');
  const first = await start(client, system);
  consoles.flush();
  title(`Stopped: ${first.description ?? first.reason}`);
  const frame = await printStack(client, first.threadId);
  await printVariables(client, frame.id);
  await printQueues(client);
  await stepBack(client, first.threadId);
  const exitCode = await runToEnd(client, consoles);
  await client.request('disconnect').catch(() => undefined);
  await client.ended;
  return exitCode;
}

async function start(client, system) {
  title('Two VMs, breakpoint hvc:msgqueue_send if size > 16');
  const initialized = client.next('initialized');
  await client.request('initialize', { adapterID: 'gunyah', clientID: 'vscode', linesStartAt1: true, columnsStartAt1: true });
  const stopped = client.next('stopped');
  const launched = client.request('launch', { system });
  await Promise.race([initialized, launched.then(() => initialized)]);
  const { breakpoints } = await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'hvc:msgqueue_send', condition: 'size > 16' }] });
  for (const { verified, message } of breakpoints) if (!verified && message) print(`breakpoint: ${message}`);
  await client.request('configurationDone');
  await launched;
  return (await stopped).body;
}

/** Guest output line by line, each with the name of its VM. */
function printConsoles(client) {
  const partial = new Map();
  client.onEvent(({ event, body }) => {
    if (event === 'output' && body.category !== 'telemetry') process.stdout.write(body.output);
    if (event !== 'gunyah/console') return;
    const lines = ((partial.get(body.vm) ?? '') + body.text).split(/\r?\n/);
    partial.set(body.vm, lines.pop() ?? '');
    for (const line of lines) print(`[${body.vm}] ${line}`);
  });
  return {
    flush() {
      for (const [vm, text] of partial) if (text !== '') print(`[${vm}] ${text}`);
      partial.clear();
    },
  };
}

async function printStack(client, threadId) {
  const { threads } = await client.request('threads');
  const { stackFrames } = await client.request('stackTrace', { threadId, startFrame: 0, levels: 20 });
  print(`thread ${threads.find(({ id }) => id === threadId)?.name}`);
  for (const { name, source, line } of stackFrames) print(`  ${name}${source ? `  ${source.name}:${line}` : ''}`);
  if (stackFrames[0] === undefined) throw new Error('the stopped thread has no stack');
  return stackFrames[0];
}

async function printVariables(client, frameId) {
  const { scopes } = await client.request('scopes', { frameId });
  for (const { name, variablesReference, expensive } of scopes.filter((scope) => !scope.expensive).slice(0, 2)) {
    const { variables } = await client.request('variables', { variablesReference });
    print(`${name}${expensive ? ' (expensive)' : ''}`);
    for (const variable of variables.slice(0, 12)) print(`  ${variable.name} = ${variable.value}`);
  }
}

async function printQueues(client) {
  const { messageQueues } = await client.request('gunyah/messageQueues');
  print('Message queues');
  for (const { from, to, label, queued, depth, messages } of messageQueues) {
    print(`  ${`${from} → ${to}`.padEnd(20)} ${label.padEnd(16)} ${queued}/${depth} queued`);
    for (const { size, bytes, decoded } of messages) print(`      ${size} bytes  ${decoded ?? bytes.slice(0, 32)}`);
  }
}

async function stepBack(client, threadId) {
  title('Step back');
  const before = await client.request('gunyah/timeline');
  const stopped = client.next('stopped');
  await client.request('stepBack', { threadId });
  await stopped;
  const after = await client.request('gunyah/timeline');
  print(`tick ${before.now} → ${after.now}`);
  await printStack(client, threadId);
}

async function runToEnd(client, consoles) {
  title('Continue to the end');
  await client.request('setFunctionBreakpoints', { breakpoints: [] });
  let exitCode = 0;
  client.onEvent(({ event, body }) => { if (event === 'exited') exitCode = body.exitCode; });
  const ended = client.next('terminated');
  await client.request('continue', { threadId: 1 });
  await ended;
  consoles.flush();
  title(`The system ended with exit code ${exitCode}`);
  return exitCode;
}
