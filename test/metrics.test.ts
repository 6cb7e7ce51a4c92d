/** Metrics, read by the Prometheus that they are for. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Lab } from '../lab/lab.ts';
import { Recorder } from '../lab/recorder.ts';
import { blastUdp } from '../lab/traffic.ts';
import { metricsText } from '../src/export/prometheus.ts';
import { Prometheus, promtool } from './helpers/prometheus.ts';
import { requires } from './helpers/requires.ts';
import { seen } from './helpers/seen.ts';

const packaged = (path: string): string => fileURLToPath(new URL(`../packaging/${path}`, import.meta.url));
const RULES = packaged('prometheus/losslog.rules.yml');
const PORT = 4789;
const COUNT = 499;

/** Names in docs/metrics.md. */
const DOCUMENTED = new Set(
  [
    ...readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8').matchAll(/`((?:losslog|process)_\w+)`/g),
  ].map(([, name]) => name),
);

/** The expressions of a dashboard, as Grafana would send them. */
function expressions(): string[] {
  const { panels } = JSON.parse(readFileSync(packaged('grafana/losslog.json'), 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) =>
    targets.map(({ expr }) =>
      expr
        .replaceAll('$__rate_interval', '1m')
        .replaceAll('$__range', '1h')
        .replaceAll(/\$(instance|job)/g, '.*'),
    ),
  );
}

test('a real Prometheus scrapes what the rule counted', requires('root', 'btf', 'prometheus'), async () => {
  await seen(async () => {
    await using lab = Lab.create();
    const { client, server } = lab.twoHosts();
    const labels = ['--metrics-by', 'process', '--metrics-by', 'container'];
    await using recorder = await Recorder.start({ hosts: [server], args: ['--listen', '127.0.0.1:0', ...labels] });
    const url = /^losslog: serving (http:\S+)\/ /m.exec(recorder.process.stderr)?.[1] ?? assert.fail();
    const rule = server.dropMatching({ protocol: 'udp', dport: PORT });
    await blastUdp(client, { host: server.ip4, port: PORT, count: COUNT, rate: 5000 });
    assert.equal(rule.packets(4), COUNT);

    await using prometheus = await Prometheus.start(new URL(url).host, RULES);
    const drops = { query: 'sum(losslog_drops_total{reason="NETFILTER_DROP",class="loss"})' };
    const { result } = await prometheus.until('query', drops, (data) => Number(data.result[0]?.value[1]) >= COUNT);
    assert.equal(Number(result[0].value[1]), COUNT);
    const byProcess = await prometheus.ask('query', { query: 'sum(losslog_process_drops_total)' });
    assert.equal(Number(byProcess.result[0].value[1]), COUNT);
    const up = await prometheus.ask('query', { query: 'losslog_recorder_up' });
    assert.equal(up.result[0].value[1], '1');

    const text = await (await fetch(`${url}/metrics`)).text();
    assert.equal(promtool(['check', 'metrics'], text), '');
    for (const [, name = ''] of text.matchAll(/^# TYPE (\S+)/gm)) assert.ok(DOCUMENTED.has(name), `${name} in docs`);
    for (const query of expressions()) await prometheus.ask('query', { query });
    const { groups } = await prometheus.until('rules', {}, (data) => data.groups[0]?.rules[0]?.health === 'ok');
    assert.deepEqual(
      groups[0].rules.map(({ health, lastError }: { health: string; lastError?: string }) => lastError ?? health),
      groups[0].rules.map(() => 'ok'),
    );
  });
});

test('dashboard and rules ask for what there is', () => {
  const asked = [...expressions(), readFileSync(RULES, 'utf8')].join(' ');
  for (const [name] of asked.matchAll(/\b(losslog|process)_\w+/g)) assert.ok(DOCUMENTED.has(name), name);
});

test('the alert rules are sound', requires('prometheus'), () => {
  assert.equal(promtool(['check', 'rules', RULES]), '');
});

test('hostile names are inert', requires('prometheus'), () => {
  const names = ['\u001b[31m"}\n', '\\', 'a"b', '\ud800', '\0', '\u202e', '{}', '\r\n# HELP x y'];
  const samples = names.map((name, value) => ({ labels: { process: name }, value }));
  const text = metricsText([{ name: 'losslog_x', type: 'gauge', help: 'A\nb\\n.', samples }]);
  assert.equal(promtool(['check', 'metrics'], text), '');
  assert.equal(text.split('\n').length, names.length + 3);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\u202e]/);
});
