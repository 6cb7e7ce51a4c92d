import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldPlaces } from '../../linux/field-offsets.ts';
import { definitionsFor, neededFields, PROBE_DEFINITIONS, renderProbe } from './kprobe-definitions.ts';

/** Every field lies 8 bytes behind the one that was asked before. */
function placesInOrder(lacking: readonly string[] = []): FieldPlaces {
  const seen = new Map<string, number>();
  return {
    place(type, path) {
      const key = `${type} ${path}`;
      if (lacking.includes(key)) return undefined;
      if (!seen.has(key)) seen.set(key, seen.size * 8);
      return { byteOffset: seen.get(key) as number, bitOffset: 2, bitSize: 5, size: 1 };
    },
  };
}

const definitionOf = (event: string) => PROBE_DEFINITIONS.find((one) => one.event === event) ?? assert.fail(event);

test('the line that people have written by hand, and what follows', () => {
  const places: FieldPlaces = {
    place: (_type, path) => {
      const at: Record<string, number> = { skc_dport: 12, skc_daddr: 0, skc_state: 18 };
      const byteOffset = at[path.split('.').at(-1) as string];
      return byteOffset === undefined ? undefined : { byteOffset, bitOffset: 0, bitSize: 8, size: 1 };
    },
  };
  assert.equal(
    renderProbe(definitionOf('tcp_retransmit'), 'losslog', places, 'x86_64'),
    'p:losslog/tcp_retransmit tcp_retransmit_skb port=+12(%di):u16 dst=+0(%di):u32 state=+18(%di):u8',
  );
  assert.equal(
    renderProbe(definitionOf('tcp_retransmit'), 'losslog_7', places, 'arm64'),
    'p:losslog_7/tcp_retransmit tcp_retransmit_skb port=+12(%x0):u16 dst=+0(%x0):u32 state=+18(%x0):u8',
  );
  assert.equal(
    renderProbe(definitionOf('tcp_resend_end'), 'losslog', places, 'x86_64'),
    'r:losslog/tcp_resend_end __tcp_retransmit_skb ret=$retval:s32',
  );
});

test('pointers are followed, bit fields cut out, arrays read where a pointer leads', () => {
  const line = renderProbe(definitionOf('tcp_retransmit'), 'losslog', placesInOrder(), 'x86_64');
  assert.match(line, / netns=\+\d+\(\+\d+\(%di\)\):u32 /);
  assert.match(line, / castate=\+\d+\(%di\):b5@2\/8 /);
  const drop = renderProbe(definitionOf('drop'), 'losslog', placesInOrder(), 'x86_64');
  assert.match(drop, / head=\+0\(\+\d+\(%si\)\):x64\[64\] /);
  assert.match(drop, / location=\$stack0:x64 reason=%dx:u32$/);
  assert.match(
    renderProbe(definitionOf('drop'), 'losslog', placesInOrder(), 'arm64'),
    / location=%x30:x64 reason=%x2:u32$/,
  );
});

test('a field that this kernel does not have is left out', () => {
  const line = renderProbe(definitionOf('tcp_retransmit'), 'losslog', placesInOrder(['net ns.inum']), 'x86_64');
  assert.doesNotMatch(line, /netns=/);
  assert.match(line, / family=/);
});

test('a list of packets is told once: by its own function where that frees them, else by the one that it calls', () => {
  const drops = (lacking: string[]) =>
    definitionsFor(placesInOrder(lacking))
      .filter((definition) => definition.drops)
      .map((definition) => definition.function);
  const one = ['sk_skb_reason_drop', 'kfree_skb_reason', 'kfree_skb'];
  assert.deepEqual(drops(['skb_free_array skb_count']), one);
  assert.deepEqual(new Set(drops([])), new Set([...one, 'kfree_skb_list_reason']));
  assert.ok(neededFields().some(({ type, path }) => type === 'skb_free_array' && path === 'skb_count'));
});

test('a definition fits what kprobe_events takes, and its names are its own', () => {
  const names = PROBE_DEFINITIONS.map(({ event }) => event);
  assert.equal(new Set(names).size, names.length);
  for (const definition of PROBE_DEFINITIONS) {
    const line = renderProbe(definition, 'losslog_4194304', placesInOrder(), 'x86_64');
    assert.ok(line.length < 4096, 'WRITE_BUFSIZE of kernel/trace/trace.c');
    const fields = [...line.matchAll(/ (\w+)=/g)].map(([, name]) => name);
    assert.equal(new Set(fields).size, fields.length, line);
    assert.ok(fields.length <= 128, 'MAX_TRACE_ARGS of kernel/trace/trace_probe.h');
  }
  assert.ok(neededFields().some(({ type, path }) => type === 'sock' && path === '__sk_common.skc_dport'));
});
