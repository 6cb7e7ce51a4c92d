import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSource } from './layers.ts';

test('imports go down', () => {
  const source = "import { a } from '../event/a.ts';\nimport { b } from './b.ts';\nimport fs from 'node:fs';\n";
  assert.deepEqual(checkSource('src/store/x.ts', source), []);
});

test('an import that goes up names both layers and the line', () => {
  const source = "import { a } from './a.ts';\n\nimport { main } from '../cli/main.ts';\n";
  assert.deepEqual(checkSource('src/store/x.ts', source), ['store may not import cli (src/store/x.ts:3)']);
});

test('siblings of one level do not import each other', () => {
  assert.deepEqual(checkSource('src/bpf/x.ts', "import { a } from '../linux/a.ts';"), [
    'bpf may not import linux (src/bpf/x.ts:1)',
  ]);
});

test('every form of import counts, in nested folders too', () => {
  const source = [
    "import type { A } from '../../cli/a.ts';",
    "export { b } from '../../cli/b.ts';",
    'import {',
    '  c,',
    "} from '../../cli/c.ts';",
    "import '../../cli/d.ts';",
    "const e = await import('../../cli/e.ts');",
    "type F = import('../../cli/f.ts').F;",
    "new Worker(new URL('../../cli/g.ts', import.meta.url));",
    'import { h } from "../../cli/h.ts";',
  ].join('\n');
  const lines = [1, 2, 5, 6, 7, 8, 9, 10];
  assert.deepEqual(
    checkSource('src/event/deep/x.ts', source),
    lines.map((line) => `event may not import cli (src/event/deep/x.ts:${line})`),
  );
});

test('what only looks like an import does not count', () => {
  const source = [
    "// import { a } from '../cli/a.ts';",
    "/* import { a } from '../cli/a.ts';",
    ' */ const text = "import { b } from \'../cli/b.ts\'";',
    "const template = `import { c } from '../cli/c.ts'`;",
    "const url = 'http://host/'; const quote = /['\"`]/; const list = Array.from('../cli/d.ts');",
    "import json from '../../package.json' with { type: 'json' };",
  ].join('\n');
  assert.deepEqual(checkSource('src/base/x.ts', source), []);
});

test('text does not hide the import after it', () => {
  const source = "const quote = /['\"`/]/;\nconst half = a / b; // it's\nawait import('../cli/a.ts');\n";
  assert.deepEqual(checkSource('src/base/x.ts', source), ['base may not import cli (src/base/x.ts:3)']);
});

test('src imports nothing of the folders around it', () => {
  assert.deepEqual(checkSource('src/cli/x.ts', "import { lab } from '../../lab/lab.ts';"), [
    'cli may not import lab (src/cli/x.ts:1)',
  ]);
});

test('a folder that is in no table is refused', () => {
  assert.deepEqual(checkSource('src/util/x.ts', ''), ['src/util/x.ts is in no known layer of src/']);
  assert.deepEqual(checkSource('src/x.ts', ''), ['src/x.ts is in no known layer of src/']);
});

test('ui imports event and itself only', () => {
  assert.deepEqual(checkSource('ui/page.tsx', "import type { E } from '../src/event/e.ts';\nimport './b.ts';"), []);
  assert.deepEqual(checkSource('ui/page.tsx', "import { ip } from '../src/base/ip.ts';"), [
    'ui may not import base (ui/page.tsx:1)',
  ]);
});

test('only cli prints or ends the process', () => {
  const source = "console.log('x');\n\nprocess.exit(1);\nprocess.stdout.write('');\nprocess.pid;\n// console.log\n";
  assert.deepEqual(checkSource('src/recorder/x.ts', source), [
    'recorder may not use console.log, only cli may (src/recorder/x.ts:1)',
    'recorder may not use process.exit, only cli may (src/recorder/x.ts:3)',
    'recorder may not use process.stdout, only cli may (src/recorder/x.ts:4)',
  ]);
  assert.deepEqual(checkSource('src/cli/x.ts', source), []);
  assert.deepEqual(checkSource('src/recorder/x.test.ts', source), []);
  assert.deepEqual(checkSource('src/recorder/x.test-util.ts', source), []);
});
