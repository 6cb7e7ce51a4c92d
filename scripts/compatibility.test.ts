import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compatibilityPage, resultOf } from './compatibility.ts';

const kernel = { release: '5.10.0-46-cloud-amd64' };
const STDOUT = `✔ IPv4, 1 % loss (1234.5ms)
✖ an outage: timeouts (99ms)
✔ kprobe: drops (5ms)
﹣ kprobe: SYN (0.1ms) # this kernel has no kprobes
ℹ tests 4

✖ failing tests:

test at test/x.test.ts:1:1
✖ an outage: timeouts (99ms)
`;
const DOCTOR = '{"name":"reason of kfree_skb","state":"limited"}\n{"name":"ftrace","state":"ok"}\n';

test('each test counts once, by how it ended', () => {
  assert.deepEqual(resultOf(kernel, [{ hasEnded: true, stdout: STDOUT, doctor: DOCTOR }]).tests, {
    passed: ['IPv4, 1 % loss', 'kprobe: drops'],
    failed: ['an outage: timeouts'],
    skipped: ['kprobe: SYN'],
  });
});

test('the page: what a kernel tells, and how exact it was', () => {
  const result = resultOf(kernel, [
    { hasEnded: true, stdout: STDOUT, doctor: DOCTOR },
    { hasEnded: false, stdout: '✔ ftrace: it says (1.5ms)\n', doctor: '' },
  ]);
  assert.equal(result.crashed, 1);
  const row =
    /^\| 5\.10\.0-46-cloud-amd64 \| – \| – \| – \| – \| – \| – \| yes \| 1 of 1 \| 1 of 1 \| – \| 1 of 2 \|$/m;
  assert.match(compatibilityPage([result]), row);
});
