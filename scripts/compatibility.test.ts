import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compatibilityPage, resultOf } from './compatibility.ts';

const kernel = { series: '5.10', release: '5.10.0-46-cloud-amd64', tree: '/nowhere' };
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
  assert.deepEqual(resultOf(kernel, 1, STDOUT, DOCTOR).tests, {
    passed: ['IPv4, 1 % loss', 'kprobe: drops'],
    failed: ['an outage: timeouts'],
    skipped: ['kprobe: SYN'],
  });
});

test('the page: what a kernel tells, and how exact it was', () => {
  const page = compatibilityPage([
    resultOf(kernel, 1, STDOUT, DOCTOR),
    resultOf({ ...kernel, release: 'x' }, undefined, '', ''),
  ]);
  assert.match(page, /^\| 5\.10\.0-46-cloud-amd64 \| – \| – \| – \| – \| – \| – \| yes \| 1 of 1 \| – \| 1 of 2 \|$/m);
  assert.match(page, /^\| x \|.* did not end \| did not end \| did not end \|$/m);
});
