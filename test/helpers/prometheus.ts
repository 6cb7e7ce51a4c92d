/** A real Prometheus: installed, or fetched by scripts/setup.sh for the tests. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LabProcess } from '../../lab/process.ts';

const FETCHED = fileURLToPath(new URL('../../build/tools/prometheus/usr/bin/', import.meta.url));

/** The path of `prometheus` or `promtool`; its bare name when it was not fetched. */
export function prometheusProgram(name: 'prometheus' | 'promtool'): string {
  const fetched = join(FETCHED, name);
  return existsSync(fetched) ? fetched : name;
}

/** What promtool complains about; empty when it is content. */
export function promtool(args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(prometheusProgram('promtool'), args, { input, encoding: 'utf8' });
  return status === 0 ? stderr : `${stdout}${stderr}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// biome-ignore lint/suspicious/noExplicitAny: the test asserts what is there
type Answer = any;

export class Prometheus {
  readonly #process: LabProcess;
  readonly #url: string;
  readonly #directory: string;

  private constructor(process: LabProcess, url: string, directory: string) {
    this.#process = process;
    this.#url = url;
    this.#directory = directory;
  }

  /** Scrapes `target` (host:port) each second, and evaluates the rules of a file. */
  static async start(target: string, rules: string): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), 'losslog-prometheus-'));
    const config = join(directory, 'prometheus.yml');
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [rules],
        scrape_configs: [{ job_name: 'losslog', static_configs: [{ targets: [target] }] }],
      }),
    );
    const port = await freePort();
    const process = new LabProcess([
      prometheusProgram('prometheus'),
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    return new Prometheus(process, `http://127.0.0.1:${port}`, directory);
  }

  /** Its HTTP API. @returns `data` of the answer; undefined while it does not answer yet */
  async ask(path: string, parameters: Record<string, string> = {}): Promise<Answer> {
    try {
      const response = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
      const { status, data, error } = (await response.json()) as Answer;
      if (status !== 'success') throw new Error(`${path}: ${error}`);
      return data;
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Asks until the answer is as it should be. @throws after half a minute, with the last answer */
  async until(path: string, parameters: Record<string, string>, isDone: (data: Answer) => boolean): Promise<Answer> {
    let data: Answer;
    for (let i = 0; i < 300; i++) {
      data = await this.ask(path, parameters);
      if (data !== undefined && isDone(data)) return data;
      await sleep(100);
    }
    throw new Error(`${path} ${JSON.stringify(parameters)}: ${JSON.stringify(data)} ${this.#process.stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
