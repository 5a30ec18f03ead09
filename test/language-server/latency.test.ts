import assert from 'node:assert/strict';
import { test } from 'node:test';

import { quantile, runSession } from '../bench/device-trees';

/** Far above what is measured, as tests share the machine; `npm run bench -- --only devicetree` has the bars that count. */
const GENEROUS = { openMs: 1500, editMs: 300, requestMs: 150 } as const;

test('a board of Linux opens, follows edits and answers in the processor time of an editor that feels quick', () => {
  // Linux's bindings are indexed when they are met for the first time and kept on disk; that is not what is measured here.
  runSession('arch/arm64/boot/dts/qcom/sm8550-mtp.dts', { edits: 0 });
  const { openMs, editsMs, requestsMs, diagnosticsCount } = runSession('arch/arm64/boot/dts/qcom/sm8550-mtp.dts', { edits: 40 });
  assert.ok(diagnosticsCount > 10, `the board has warnings of dtc; ${String(diagnosticsCount)} were published`);
  assert.ok(openMs < GENEROUS.openMs, `open: ${openMs.toFixed(0)} ms`);
  assert.ok(quantile(editsMs, 0.95) < GENEROUS.editMs, `edits: ${quantile(editsMs, 0.95).toFixed(0)} ms`);
  for (const [name, times] of Object.entries(requestsMs)) assert.ok(quantile(times, 0.95) < GENEROUS.requestMs, `${name}: ${quantile(times, 0.95).toFixed(0)} ms`);
});
