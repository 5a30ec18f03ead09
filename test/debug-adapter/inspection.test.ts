import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import type { DebugProtocol } from '@vscode/debugprotocol';

import { type Debugging, debugging, guestLaunch, sampleLaunch } from './debugging';

/** A session stopped in `stop_with_structure` of the unoptimised guest, after its locals are set. */
async function stoppedInStructure(context: TestContext): Promise<{ session: Debugging; frameId: number }> {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'stop_here' }] });
  const [, caller] = await session.frames(1);
  assert.equal(caller?.name, 'stop_with_structure');
  return { session, frameId: caller.id };
}

async function checkEvaluate(context: TestContext, expected: Readonly<Record<string, string | RegExp>>): Promise<void> {
  const { session, frameId } = await stoppedInStructure(context);
  for (const [expression, text] of Object.entries(expected)) {
    const result = await session.evaluate(expression, frameId);
    if (typeof text === 'string') assert.equal(result, text, expression); else assert.match(result, text, expression);
  }
}

function named(variables: readonly DebugProtocol.Variable[], name: string): DebugProtocol.Variable {
  const found = variables.find((variable) => variable.name === name);
  assert.ok(found !== undefined, `${name} among ${variables.map((variable) => variable.name).join(', ')}`);
  return found;
}

test('expressions read values of every C type', async (context) => {
  await checkEvaluate(context, {
    'everything->c': /'A'/, 'everything->sc': /-100/, 'everything->us': '60000', 'everything->ul': '18000000000000000000', 'everything->yes': 'true', 'everything->colour': /BLUE/, 'everything->choice': /MINUS/,
    'everything->number.bytes[0]': /68|0x44|'D'/, 'everything->number.high': /4386|0x1122/, 'everything->flags.level': '-7', 'everything->flags.mode': '5', 'everything->matrix[1][2]': '6',
    'everything->text': /a string/, 'everything->list->next->value': '20', 'everything->operation': /<add>/, copy: '{x = 103, y = -4}', 'copy.x + copy.y': '99', 'global.outer.inner.corners[1].y': '4',
    'sizeof(struct point)': '8', 'copy.x == 103 && everything->yes': /true|1/, '$pc': /0x/, vm: /nested-structs-o0/, '$tick': /^(0x[0-9a-f]+|\d+)$/, '$CurrentEL': /4/,
  });
});

test('an expression that cannot be evaluated says why, in every context', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  for (const where of ['watch', 'hover', 'repl', 'clipboard']) {
    for (const expression of ['no_such_name', '1 +', 'copy.z', '1 / 0']) {
      await assert.rejects(session.evaluate(expression, frameId, where), (error: Error) => error.message.length > 15 && !error.message.includes('made a mistake'));
    }
  }
});

test('the clipboard gets a whole structure', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  const text = await session.evaluate('*everything', frameId, 'clipboard');
  assert.match(text, /triangle/);
  assert.match(text, /corners/);
});

test('a structure opens into members, arrays are paged, and each child can be evaluated by its own name', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  const members = await session.variables(named(await session.scopeVariables(frameId, 'Locals'), 'everything').variablesReference);
  const matrix = named(members, 'matrix');
  assert.equal(matrix.indexedVariables, 2);
  const [, second] = await session.variables(matrix.variablesReference, { start: 0, count: 2 });
  assert.deepEqual((await session.variables(second?.variablesReference ?? 0, { start: 1, count: 2 })).map(({ name, value }) => [name, value]), [['[1]', '5'], ['[2]', '6']]);
  for (const member of members) {
    if (member.name === 'tail' || member.evaluateName === undefined) continue;
    assert.equal(await session.evaluate(member.evaluateName, frameId), member.value, member.name);
  }
});

test('the register scope has all registers with PSTATE in words and the PC by name', async (context) => {
  const { session } = await stoppedInStructure(context);
  const registers = await session.scopeVariables((await session.topFrame(1)).id, 'Registers');
  assert.deepEqual(registers.map(({ name }) => name), [...Array.from({ length: 31 }, (_, n) => `x${String(n)}`), 'sp', 'pc', 'pstate']);
  assert.match(named(registers, 'pstate').value, /^0x[0-9a-f]{16} [N-][Z-][C-][V-] [D-][A-][I-][F-] EL1h$|^0x[0-9a-f]{8} [N-][Z-][C-][V-] [D-][A-][I-][F-] EL1h$/);
  assert.match(named(registers, 'pc').value, /<stop_here(\+\d+)?>$/);
});

test('system registers come in groups, and syndromes in words', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('exception-zoo'), functionBreakpoints: [{ name: 'print_and_skip', condition: 'exception_count == 3' }] });
  const groups = await session.scopeVariables((await session.topFrame(1)).id, 'System Registers');
  assert.deepEqual(groups.slice(0, 3).map(({ name }) => name), ['State', 'Exceptions', 'Translation']);
  const exceptions = await session.variables(named(groups, 'Exceptions').variablesReference);
  assert.match(named(exceptions, 'ESR_EL1').value, /Data abort at the same exception level/);
  assert.match(named(exceptions, 'SPSR_EL1').value, /EL1h/);
  const names = (await Promise.all(groups.map(({ variablesReference }) => session.variables(variablesReference)))).flat().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length > 30);
});

test('variables change by setVariable and setExpression, in memory and registers', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  const locals = await session.scope(frameId, 'Locals');
  const copy = named(await session.variables(locals.variablesReference), 'copy');
  assert.equal((await session.client.request('setVariable', { variablesReference: copy.variablesReference, name: 'x', value: '-7' })).value, '-7');
  assert.equal(await session.evaluate('copy.x', frameId), '-7');
  assert.equal((await session.send('setExpression', { expression: 'everything->point.y', value: 'copy.x * 2', frameId }))['value'], '-14');
  assert.equal(await session.evaluate('global.point.y', frameId), '-14');
  const top = (await session.topFrame(1)).id;
  const registers = await session.scope(top, 'Registers');
  assert.match((await session.client.request('setVariable', { variablesReference: registers.variablesReference, name: 'x5', value: '0x1234' })).value, /1234|4660/);
  assert.match(await session.evaluate('$x5', top), /1234|4660/);
  await session.client.waitForEvent('invalidated');
});

test('what cannot be changed is refused with a reason', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  const top = (await session.topFrame(1)).id;
  const registers = await session.scope(top, 'Registers');
  await assert.rejects(session.client.request('setVariable', { variablesReference: registers.variablesReference, name: 'x0', value: 'nonsense' }), /Cannot change this/);
  await assert.rejects(session.send('setExpression', { expression: '5', value: '6', frameId }), /Cannot change this/);
  const scopes = await session.client.request('scopes', { frameId });
  await assert.rejects(session.client.request('setVariable', { variablesReference: scopes.scopes[0]?.variablesReference ?? 0, name: 'no_such', value: '6' }), /Cannot change this/);
});

test('handles of an earlier stop are refused, not misunderstood', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  const { variablesReference } = await session.scope(frameId, 'Locals');
  await session.continue();
  await assert.rejects(session.client.request('scopes', { frameId }), /moved on/);
  await assert.rejects(session.client.request('variables', { variablesReference }), /moved on/);
  await assert.rejects(session.evaluate('copy', frameId), /moved on/);
});

test('inlined calls are frames of their own with their own variables', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o2'), functionBreakpoints: [{ name: 'stop_here', condition: 'stop_count == 3' }] });
  const frames = await session.frames(1);
  const names = frames.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 3), ['stop_here', 'inlined_inner', 'inlined_outer']);
  const inner = await session.scopeVariables(frames[1]?.id ?? 0, 'Locals');
  assert.deepEqual(inner.map(({ name }) => name).filter((name) => name === 'doubled' || name === 'value').sort(), ['doubled', 'value']);
  const outer = await session.scopeVariables(frames[2]?.id ?? 0, 'Locals');
  assert.ok(outer.some(({ name }) => name === 'tripled'));
});

test('a stack is given in pages with its whole depth', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'factorial', condition: 'n == 1' }] });
  const whole = await session.client.request('stackTrace', { threadId: 1 });
  assert.equal(whole.totalFrames, whole.stackFrames.length);
  assert.equal(whole.stackFrames.filter(({ name }) => name === 'factorial').length, 10);
  const page = await session.client.request('stackTrace', { threadId: 1, startFrame: 3, levels: 4 });
  assert.deepEqual(page.stackFrames, whole.stackFrames.slice(3, 7));
});

test('a shadowed name means the inner variable', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('nested-structs-o0'), functionBreakpoints: [{ name: 'stop_here', condition: 'stop_count == 4' }] });
  const [, frame] = await session.frames(1);
  assert.equal(frame?.name, 'shadows');
  assert.equal(await session.evaluate('value', frame.id), '10');
});

test('an exception handler stands above the code that it interrupted', async (context) => {
  const session = debugging(context);
  await session.start({ launch: guestLaunch('timer-irq'), functionBreakpoints: [{ name: 'tick' }] });
  const names = (await session.frames(1)).map(({ name }) => name);
  assert.equal(names[0], 'tick');
  assert.ok(names.includes('count_ticks') && names.includes('guest_main'), names.join(' < '));
});

test('a vCPU that is off has one subtle frame that says so', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'guest_main' }] });
  const threads = await session.client.request('threads', {});
  const sensor = threads.threads.find(({ name }) => name === 'sensor/cpu0');
  assert.deepEqual((await session.frames(sensor?.id ?? 0)).map(({ name, presentationHint, line }) => [name, presentationHint, line]), [['off', 'subtle', 0]]);
});

test('after its VM has ended a thread still answers, and so does the primary VM', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch(), functionBreakpoints: [{ name: 'rm-notify:VM_EXITED' }] });
  const { threads } = await session.client.request('threads', {});
  for (const { id } of threads) assert.ok((await session.frames(id)).length > 0);
  assert.ok((await session.frameTexts(1)).some((text) => text.startsWith('guest_main:')));
});

test('completions offer registers, names of the program and events', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  const labels = async (text: string): Promise<string[]> => {
    const { targets } = await session.send('completions', { frameId, text, column: text.length + 1 });
    return Array.isArray(targets) ? targets.map(({ label }: { label: string }) => label) : [];
  };
  assert.ok((await labels('$x1')).includes('$x10'));
  assert.ok((await labels('1 + fact')).includes('factorial'));
  assert.ok((await labels('hvc:msgq')).includes('hvc:msgqueue_send'));
  assert.deepEqual(await labels('no_such_prefix'), []);
});

test('modules and loaded sources name the images and files of both VMs', async (context) => {
  const session = debugging(context);
  await session.start({ launch: sampleLaunch({ stopOnEntry: true }) });
  const { modules, totalModules } = await session.send('modules', {});
  assert.equal(totalModules, 2);
  assert.ok(Array.isArray(modules) && modules.every(({ symbolStatus }: { symbolStatus: string }) => symbolStatus === 'Symbols loaded'));
  const { sources } = await session.send('loadedSources', {});
  const paths = Array.isArray(sources) ? sources.map(({ path }: { path: string }) => path) : [];
  assert.ok(paths.some((path) => path.endsWith('primary/main.c')) && paths.some((path) => path.endsWith('sensor/main.c')));
  assert.equal(new Set(paths).size, paths.length);
});

test('a function pointer tells where its function is declared', async (context) => {
  const { session, frameId } = await stoppedInStructure(context);
  const { valueLocationReference } = await session.send('evaluate', { expression: 'everything->operation', frameId, context: 'watch' });
  const location = await session.send('locations', { locationReference: valueLocationReference });
  assert.match(JSON.stringify(location['source']), /nested-structs\.c/);
  assert.equal(typeof location['line'], 'number');
});
