/** Debugging the sample `rtos`: stacks through interrupts, and steps through a switch of tasks, forwards and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { va, type DebugTarget, type VmSymbols } from '../../runtime/index';
import { debug, finish, sampleSubject, symbolsOf } from '../support/system';

const STEPS_MAX = 80;
const ERET = 0xd69f_03e0;
/** Where a saved context holds FPCR, which is not 0 in the tasks that compute. */
const FPCR_OFFSET = 280n;

interface Session { readonly target: DebugTarget; readonly symbols: VmSymbols; readonly vcpu: number }

/** Runs to the first place in a function that `decide` chooses. */
async function stoppedAt(name: string, decide: (session: Session) => boolean): Promise<Session> {
  const subject = await sampleSubject('rtos');
  const target = debug(subject);
  const symbols = symbolsOf(subject, target, 'rtos');
  const [found] = symbols.files.flatMap((file) => file.findFunctions(name));
  assert.ok(found !== undefined, `${name} exists`);
  target.breakpoints.set({ id: 1, place: { kind: 'code', vm: null, addresses: [va(found.address)] }, reason: 'function breakpoint', decide: ({ vcpu }) => decide({ target, symbols, vcpu: vcpu ?? 0 }) });
  const stop = finish(target.continue());
  assert.equal(stop.reason, 'function breakpoint');
  target.breakpoints.remove(1);
  return { target, symbols, vcpu: stop.vcpu ?? 0 };
}

function functionsOf({ symbols, vcpu }: Session): string[] {
  return symbols.stack(vcpu, 12).map(({ pc }) => symbols.at(pc)?.symbolize(pc)?.name ?? '?');
}

test('the stack of a task leads from the switch through the interrupt into what was interrupted', async () => {
  const session = await stoppedAt('switch_task', (here) => functionsOf(here).includes('leibniz'));
  assert.deepEqual(functionsOf(session), ['switch_task', 'kernel_interrupt', 'interrupt_entry', 'leibniz', 'compute', 'task_begin']);
});

/** Registers that a switch changes. */
function registersNow({ target, vcpu }: Session): readonly bigint[] {
  const state = target.system.engine.vcpu(vcpu);
  return [state.pc, state.sp, state.pstate, ...Array.from({ length: 31 }, (_, n) => state.x(n)), ...Array.from({ length: 32 }, (_, n) => state.v(n)).flat(), state.systemRegister('FPCR')];
}

test('steps lead through a switch into another task, and as many steps back into the one before, registers and all', async () => {
  const session = await stoppedAt('kernel_resume', ({ target, vcpu }) => {
    const state = target.system.engine.vcpu(vcpu);
    return state.sp !== state.x(0) && target.system.readVirtual(vcpu, va(state.x(0) + FPCR_OFFSET), 8).some((byte) => byte !== 0);
  });
  const { target, vcpu } = session;
  const before = target.system.stateHash();
  const seen = [registersNow(session)];
  const word = (): number => Buffer.from(target.system.readVirtual(vcpu, va(target.system.pcOf(vcpu)), 4)).readUInt32LE();
  let wasReturn = false;
  while (!wasReturn && seen.length < STEPS_MAX) {
    wasReturn = word() === ERET;
    assert.equal(finish(target.stepInstruction(vcpu, 'into')).reason, 'step');
    seen.push(registersNow(session));
  }
  assert.ok(wasReturn, 'the switch ends in a return from the exception');
  assert.ok(['leibniz', 'compute'].includes(functionsOf(session)[0] ?? ''), functionsOf(session).join());
  for (const registers of seen.slice(0, -1).reverse()) {
    assert.equal(finish(target.stepBack(vcpu, undefined)).reason, 'step');
    assert.deepEqual(registersNow(session), registers);
  }
  assert.equal(target.system.stateHash(), before);
});
