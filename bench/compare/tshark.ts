/** A capture at the client, and what tshark's expert analysis says of it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../lab/command.ts';
import type { Host } from '../../lab/host.ts';
import type { LabProcess } from '../../lab/process.ts';
import type { Told } from './told.ts';

const RESENT = ['retransmission', 'fast_retransmission', 'spurious_retransmission']
  .map((name) => `tcp.analysis.${name}`)
  .join(' or ');

export class Capture {
  readonly #directory = mkdtempSync(join(tmpdir(), 'losslog-compare-'));
  readonly #file = join(this.#directory, 'capture.pcapng');
  readonly #process: LabProcess;

  private constructor(host: Host) {
    this.#process = host.spawn(['dumpcap', '-q', '-i', host.device, '-w', this.#file]);
  }

  static async start(host: Host): Promise<Capture> {
    const capture = new Capture(host);
    await capture.#process.stderrLine('File: ');
    return capture;
  }

  end(): void {
    this.#process.signal('SIGINT');
  }

  close(): void {
    this.#process.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** After {@link end}. */
  async told(): Promise<Told> {
    await this.#process.wait();
    const resent = run('tshark', '-r', this.#file, '-Y', RESENT, '-T', 'fields', '-e', 'frame.number');
    return {
      resent: resent.split('\n').filter(Boolean).length,
      groups: expertGroups(run('tshark', '-r', this.#file, '-q', '-z', 'expert')),
    };
  }
}

/** Errors, warnings and notes of `-z expert`; its chats tell of normal things. */
function expertGroups(text: string): Map<string, number> {
  const groups = new Map<string, number>();
  let severity = '';
  for (const line of text.split('\n')) {
    severity = /^(Errors|Warns|Notes|Chats) /.exec(line)?.[1] ?? severity;
    // "Duplicate ACK (#2)": each number would be a group
    const [, count, summary] = /^\s*(\d+)\s+\S+\s+\S+\s+(.+?)( \(#\d+\))?$/.exec(line) ?? [];
    if (severity !== 'Chats' && summary) groups.set(summary, (groups.get(summary) ?? 0) + Number(count));
  }
  return new Map([...groups].sort(([, a], [, b]) => b - a));
}
