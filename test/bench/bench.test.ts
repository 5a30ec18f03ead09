import assert from 'node:assert/strict';
import { test } from 'node:test';

import { measureCpuTime } from './cpu-time';
import { againstLimit, formatFigure, geometricMean, median } from './figure';

test('processor time counts a busy child and not a sleeping one', () => {
  const busy = measureCpuTime([process.execPath, '-e', 'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);'], 30_000);
  const idle = measureCpuTime(['sleep', '0.3'], 30_000);
  assert.ok(busy.seconds >= 0.3, `busy: ${String(busy.seconds)}`);
  assert.ok(idle.seconds < 0.1, `idle: ${String(idle.seconds)}`);
});

test('a measured command keeps its exit status and its output', () => {
  const run = measureCpuTime(['sh', '-c', 'echo said; exit 3'], 30_000);
  assert.equal(run.status, 3);
  assert.equal(run.output, 'said\n');
});

test('means, medians and ratios are what their names say', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Math.abs(geometricMean([0.5, 2]) - 1) < 1e-12);
  const figure = againstLimit('adapter/step', 15, 'ms', 30);
  assert.equal(figure.ratio, 0.5);
  assert.match(formatFigure(figure), /adapter\/step +15\.00 ms +limit 30\.00 +ratio 0\.500/);
});
