/** Whether this kernel has trampolines (fentry): a fact for docs/compatibility.md, since other tools build on them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiledBpf } from '../../lab/compile.ts';
import { Lab } from '../../lab/lab.ts';
import { holdConnection } from '../../lab/traffic.ts';
import { BpfObject } from '../../src/bpf/object.ts';
import { requires } from '../helpers/requires.ts';

const COUNT = 3;

test('fentry: a trampoline on tcp_retransmit_skb() counts resent SYNs', requires('root', 'btf', 'fentry'), async () => {
  await using lab = Lab.create();
  const { client, server } = lab.twoHosts();
  const object = BpfObject.load(compiledBpf('test/kernels/fentry.bpf.c'), {
    programs: ['on_retransmit'],
    configure: () => {},
  });
  try {
    object.attach('on_retransmit');
    server.dropMatching({ family: 4, protocol: 'tcp' });
    const opening = holdConnection(client, { host: server.ip4, port: 1 }).catch(() => {});
    while (client.counters().get('Tcp.RetransSegs') < COUNT) await sleep(100);
    const calls = new BigUint64Array(1);
    assert.ok(object.map('calls').lookup(new Uint8Array(4), new Uint8Array(calls.buffer)));
    assert.ok((calls[0] as bigint) >= COUNT, `${calls[0]} calls`);
    lab.close();
    await opening;
  } finally {
    object.close();
  }
});
