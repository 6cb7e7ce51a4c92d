import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compatibilityPage, resultOf } from './compatibility.ts';

const kernel = { release: '5.10.0-46-cloud-amd64' };
const STDOUT = `✔ retransmissions: IPv4, 1 % loss (1234.5ms)
✖ retransmissions: an outage: timeouts (99ms)
✔ sources: drops of a queue (7.5ms)
✔ fentry: a trampoline (3.5ms)
✔ kprobe: drops (5ms)
✔ connection: an end (5ms)
﹣ kprobe: SYN (0.1ms) # this kernel has no kprobes
ℹ tests 4

✖ failing tests:

test at test/x.test.ts:1:1
✖ retransmissions: an outage: timeouts (99ms)
`;
const DOCTOR = '{"name":"reason of kfree_skb","state":"limited"}\n{"name":"ftrace","state":"ok"}\n';

test('each test counts once, by how it ended', () => {
  assert.deepEqual(resultOf(kernel, [{ hasEnded: true, stdout: STDOUT, doctor: DOCTOR }]).tests, {
    passed: [
      'retransmissions: IPv4, 1 % loss',
      'sources: drops of a queue',
      'fentry: a trampoline',
      'kprobe: drops',
      'connection: an end',
    ],
    failed: ['retransmissions: an outage: timeouts'],
    skipped: ['kprobe: SYN'],
  });
});

test('the page: what a kernel tells, and how exact it was', () => {
  const result = resultOf(kernel, [
    { hasEnded: true, stdout: STDOUT, doctor: DOCTOR },
    { hasEnded: false, stdout: '✔ ftrace: it says (1.5ms)\n', doctor: '' },
  ]);
  assert.equal(result.crashed, 1);
  // Without kprobe events the tests that compare all sources say nothing of them.
  const row =
    /^\| 5\.10\.0-46-cloud-amd64 \| – \| – \| – \| – \| – \| – \| yes \| – \| yes \| 2 of 3 \| 2 of 2 \| – \| 1 of 1 \|$/m;
  assert.match(compatibilityPage([result]), row);
  const checks = new Map([...result.checks, ['kprobe', 'ok']]);
  assert.match(compatibilityPage([{ ...result, checks }]), /\| 2 of 3 \| 2 of 2 \| 2 of 2 \| 1 of 1 \|$/m);
});
