/**
 * A compiled BPF object on its way: open → configure → load → attach. Knows nothing of what its programs are for.
 */

import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { LosslogError } from '../base/errors.ts';
import { lastErrno, libbpf, type Pointer } from './libbpf.ts';
import { captureLog, takeLog } from './log.ts';
import { BpfMap } from './map.ts';
import type { PinDirectory } from './pin-directory.ts';
import { type LoadedPrograms, runIterator } from './programs.ts';

export interface BpfObjectOptions {
  /** Programs to load besides those that load by default: the ones whose section begins with `?`. */
  programs: readonly string[];
  /** Writes the constants of `.rodata`; the verifier removes what they make dead. */
  configure(rodata: DataView): void;
  /** Entries of maps (bytes, of a ring), where they differ from the compiled ones. */
  maxEntries?: Readonly<Record<string, number>>;
}

/** Constants: pinned with the programs that have them. */
const CONSTANTS = /^\.rodata/;
/** libbpf puts the object's name, here an address, before the names of sections. */
const sectionName = (name: string): string => name.replace(/^[^.]+(?=\.)/, '');

/** A loaded object. {@link close} detaches and frees everything that is not pinned; maps that are still mapped keep their memory. */
export class BpfObject implements LoadedPrograms {
  #object: Pointer;
  #pins: PinDirectory | undefined;
  readonly #links = new Map<string, Pointer>();

  private constructor(object: Pointer) {
    this.#object = object;
  }

  /**
   * Opens the ELF file at `path` and loads it into the kernel.
   * @throws NOT_PERMITTED, NOT_SUPPORTED or BPF with the verifier's last words.
   */
  static load(path: string | URL, options: BpfObjectOptions): BpfObject {
    captureLog();
    const elf = readFileSync(path);
    const handle = libbpf().bpf_object__open_mem(elf, elf.length, null);
    if (handle === null) throw failure('cannot open the BPF object');
    const object = new BpfObject(handle);
    try {
      object.#prepare(options);
      if (libbpf().bpf_object__load(handle) !== 0) throw failure('the kernel refused the BPF programs');
    } catch (error) {
      object.close();
      throw error;
    }
    return object;
  }

  #prepare(options: BpfObjectOptions): void {
    for (const name of options.programs) libbpf().bpf_program__set_autoload(this.#program(name), true);
    for (const [name, entries] of Object.entries(options.maxEntries ?? {})) {
      libbpf().bpf_map__set_max_entries(this.#map(name), entries);
    }
    const size: [number] = [0];
    const rodata = libbpf().bpf_map__initial_value(this.#map('.rodata'), size);
    options.configure(new DataView(koffi.view(rodata, Number(size[0]))));
  }

  /** @throws BPF when the kernel refuses. */
  attach(program: string): void {
    const link = libbpf().bpf_program__attach(this.#program(program));
    if (link === null) throw failure(`cannot attach ${program}`);
    this.#links.set(program, link);
  }

  /** Pins every map, loaded program and link, the links last: they are what records. @throws BPF */
  pin(directory: PinDirectory): void {
    this.#pins = directory;
    for (const [name, map] of this.#all('map')) {
      if (!CONSTANTS.test(sectionName(name)))
        directory.pin('map', sectionName(name), Number(libbpf().bpf_map__fd(map)));
    }
    for (const [name, program] of this.#all('program')) {
      const fd = Number(libbpf().bpf_program__fd(program));
      if (fd >= 0) directory.pin('program', name, fd);
    }
    for (const [name, link] of this.#links) directory.pin('link', name, Number(libbpf().bpf_link__fd(link)));
  }

  *#all(what: 'map' | 'program'): Generator<[string, Pointer]> {
    const { [`bpf_object__next_${what}` as const]: next, [`bpf_${what}__name` as const]: nameOf } = libbpf();
    for (let one = next(this.#open(), null); one !== null; one = next(this.#open(), one)) yield [nameOf(one), one];
  }

  map(name: string): BpfMap {
    const map = this.#map(name);
    return new BpfMap(Number(libbpf().bpf_map__fd(map)), Number(libbpf().bpf_map__max_entries(map)));
  }

  /** The file descriptor of a loaded program. */
  programFd(name: string): number {
    return Number(libbpf().bpf_program__fd(this.#program(name)));
  }

  /** Runs an iterator program to its end and returns what it wrote. @throws BPF */
  iterate(program: string): Buffer {
    return runIterator(this.programFd(program));
  }

  /** Stops all programs, pinned or not; the rings keep what they hold until they are unmapped. */
  detach(): void {
    this.#pins?.remove('link');
    this.#pins = undefined;
    this.#dropLinks();
  }

  #dropLinks(): void {
    for (const link of this.#links.values()) libbpf().bpf_link__destroy(link);
    this.#links.clear();
  }

  close(): void {
    if (this.#object === null) return;
    this.#dropLinks();
    libbpf().bpf_object__close(this.#object);
    this.#object = null;
  }

  #program(name: string): Pointer {
    return this.#find(libbpf().bpf_object__find_program_by_name(this.#open(), name), `program ${name}`);
  }

  #map(name: string): Pointer {
    return this.#find(libbpf().bpf_object__find_map_by_name(this.#open(), name), `map ${name}`);
  }

  /** libbpf would follow a null pointer. */
  #open(): Pointer {
    if (this.#object === null) throw new LosslogError('INTERNAL', 'the BPF object is closed');
    return this.#object;
  }

  #find(pointer: Pointer, what: string): Pointer {
    if (pointer === null) throw new LosslogError('INTERNAL', `the BPF object has no ${what}`);
    return pointer;
  }
}

/** The verifier refuses with EACCES too: that is no matter of rights. What it said stands in the error's `cause`. */
function failure(what: string): LosslogError {
  const errno = lastErrno();
  const said = takeLog();
  const cause = said.join('\n');
  if (errno === 'EPERM') {
    return new LosslogError('NOT_PERMITTED', `${what}: EPERM`, {
      hint: 'run it as root, or with CAP_BPF and CAP_PERFMON; `losslog doctor` tells what is missing',
      cause,
    });
  }
  const verdict = said.findLast((line) => !LOG_FRAME.test(line));
  return new LosslogError('BPF', `${what}: ${errno}${verdict === undefined ? '' : ` (${verdict})`}`, {
    hint: '`losslog doctor` tells what this kernel offers',
    cause,
  });
}

/** Lines that stand around what the verifier says. */
const LOG_FRAME = /^(libbpf: |-- |processed |verification time|stack depth)/;
