/** Runs a command and measures the processor time (user + system) that it and its children used, whatever else the machine does. */
import { spawnSync } from 'node:child_process';

/** What a measured command did. */
export interface MeasuredRun { readonly seconds: number; readonly status: number; readonly output: string }

// `times` of POSIX sh prints, on its second line, what the shell's children used: "0m1.230000s 0m0.010000s". The command's own output goes to stderr.
const SCRIPT = '"$@" >&2; status=$?; times; exit $status';

/** Runs to the end or the time-out; a command that is killed by the time-out throws. */
export function measureCpuTime(command: readonly string[], timeoutMs: number): MeasuredRun {
  const result = spawnSync('sh', ['-c', SCRIPT, 'sh', ...command], { encoding: 'utf8', timeout: timeoutMs, input: '', maxBuffer: 1 << 26 });
  if (result.error !== undefined) throw new Error(`${command.join(' ')}: ${result.error.message}`);
  const children = result.stdout.trim().split('\n').at(-1) ?? '';
  const seconds = [...children.matchAll(/(\d+)m([\d.,]+)s/g)].reduce((sum, match) => sum + Number(match[1]) * 60 + Number(match[2]?.replace(',', '.')), 0);
  return { seconds, status: result.status ?? -1, output: result.stderr };
}
