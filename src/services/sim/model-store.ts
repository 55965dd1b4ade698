// The models that one simulated server has, and which of them are in GPU memory. On servers that
// load models on demand a request for a model that is not there starts its load and waits for it:
// that is a wake-up, counted apart from loads that somebody asked for.
//
//     unloaded --load asked, or a request--> loading --load time--> loaded
//         ^                                     |                      |
//         +------------- unload ----------------+--- unload, keep-alive over, room needed
//
// I1 who waits for a load hears of its end exactly once, with what came of it. I2 a model that is
// loaded or loading takes its bytes of memory; together they never take more than there is.
//
// A model that is being used can be pushed out like any other: the real servers wait for it to be
// idle first, which no gateway can tell from the outside.

import { modelBytesOf } from './model-size.ts';

export type LoadEnd = 'loaded' | 'unloaded';

export type StoredModel = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly state: 'unloaded' | 'loading' | 'loaded';
  /** 0 while it is not in memory. */
  readonly vramBytes: number;
  /** When the keep-alive is over; undefined while it is not loaded, Infinity never. */
  readonly expiresAtMs: number | undefined;
};

type Entry = {
  readonly name: string;
  readonly sizeBytes: number;
  state: StoredModel['state'];
  vramBytes: number;
  keepAliveMs: number;
  usedAtMs: number;
  waiting: ((end: LoadEnd) => void)[];
  timer: NodeJS.Timeout | undefined;
};

export type ModelStoreOptions = {
  readonly names: readonly string[];
  /** Bytes of a model whose name does not tell its size. */
  readonly bytesDefault: number;
  readonly vramTotalBytes: number;
  /** Real milliseconds that a load takes, by its bytes. */
  readonly loadMsOf: (sizeBytes: number) => number;
  /** Servers without model life have all of theirs in memory, always. */
  readonly isAlwaysLoaded: boolean;
  readonly now: () => number;
};

/** As Ollama keeps a model after its last use. */
const keepAliveDefaultMs = 5 * 60_000;

export class ModelStore {
  readonly #options: ModelStoreOptions;
  readonly #entries = new Map<string, Entry>();
  /** Loads that a request for an unloaded model started. */
  wakes = 0;
  /** Loads that were asked for. */
  loads = 0;
  unloads = 0;
  pulls = 0;

  constructor(options: ModelStoreOptions) {
    this.#options = options;
    for (const name of options.names) this.add(name);
  }

  get vramTotalBytes(): number {
    return this.#options.vramTotalBytes;
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  add(name: string): void {
    if (this.#entries.has(name)) return;
    const sizeBytes = modelBytesOf(name, this.#options.bytesDefault);
    const isLoaded = this.#options.isAlwaysLoaded;
    this.#entries.set(name, {
      name,
      sizeBytes,
      state: isLoaded ? 'loaded' : 'unloaded',
      vramBytes: isLoaded ? sizeBytes : 0,
      keepAliveMs: isLoaded ? Infinity : keepAliveDefaultMs,
      usedAtMs: this.#options.now(),
      waiting: [],
      timer: undefined,
    });
  }

  list(): readonly StoredModel[] {
    this.#expire();
    return [...this.#entries.values()].map(storedOf);
  }

  get(name: string): StoredModel | undefined {
    return this.list().find((model) => model.name === name);
  }

  /** A request needs the model: `then` runs at once where it is loaded, else after its load. */
  use(name: string, then: (end: LoadEnd) => void, keepAliveMs?: number): void {
    this.#want(name, then, keepAliveMs, () => this.wakes++);
  }

  /** Somebody asks for the load itself. */
  load(name: string, then: (end: LoadEnd) => void, keepAliveMs?: number): void {
    this.#want(name, then, keepAliveMs, () => this.loads++);
  }

  /** Whether there was anything to unload. */
  unload(name: string): boolean {
    this.#expire();
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.state === 'unloaded') return false;
    this.#drop(entry);
    return true;
  }

  /** Real milliseconds of a load of `name`, which need not be there. */
  loadMsOf(name: string): number {
    return this.#options.loadMsOf(modelBytesOf(name, this.#options.bytesDefault));
  }

  bytesOf(name: string): number {
    return modelBytesOf(name, this.#options.bytesDefault);
  }

  stop(): void {
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
  }

  #want(
    name: string,
    then: (end: LoadEnd) => void,
    keepAliveMs: number | undefined,
    count: () => void,
  ): void {
    this.#expire();
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      then('unloaded');
      return;
    }
    entry.usedAtMs = this.#options.now();
    if (keepAliveMs !== undefined) entry.keepAliveMs = keepAliveMs;
    if (entry.state === 'loaded') {
      then('loaded');
      return;
    }
    entry.waiting.push(then);
    if (entry.state === 'loading') return;
    count();
    this.#start(entry);
  }

  #start(entry: Entry): void {
    // What is larger than the memory runs partly on the CPU.
    const bytes = Math.min(entry.sizeBytes, this.#options.vramTotalBytes);
    this.#makeRoom(bytes);
    entry.state = 'loading';
    entry.vramBytes = bytes;
    const ms = this.#options.loadMsOf(entry.sizeBytes);
    if (ms <= 0) this.#loaded(entry);
    else entry.timer = setTimeout(() => this.#loaded(entry), ms);
  }

  #loaded(entry: Entry): void {
    entry.state = 'loaded';
    entry.usedAtMs = this.#options.now();
    this.#tell(entry, 'loaded');
  }

  /** Least recently used models give way. */
  #makeRoom(bytes: number): void {
    const inMemory = [...this.#entries.values()].filter(({ state }) => state !== 'unloaded');
    inMemory.sort((a, b) => a.usedAtMs - b.usedAtMs);
    let used = inMemory.reduce((sum, { vramBytes }) => sum + vramBytes, 0);
    for (const entry of inMemory) {
      if (used + bytes <= this.#options.vramTotalBytes) return;
      used -= entry.vramBytes;
      this.#drop(entry);
    }
  }

  #expire(): void {
    const now = this.#options.now();
    for (const entry of this.#entries.values()) {
      if (entry.state === 'loaded' && entry.usedAtMs + entry.keepAliveMs < now) this.#drop(entry);
    }
  }

  #drop(entry: Entry): void {
    clearTimeout(entry.timer);
    entry.state = 'unloaded';
    entry.vramBytes = 0;
    entry.keepAliveMs = keepAliveDefaultMs;
    this.unloads++;
    this.#tell(entry, 'unloaded');
  }

  #tell(entry: Entry, end: LoadEnd): void {
    const { waiting } = entry;
    entry.waiting = [];
    for (const then of waiting) then(end);
  }
}

function storedOf(entry: Entry): StoredModel {
  const { name, sizeBytes, state, vramBytes, usedAtMs, keepAliveMs } = entry;
  const expiresAtMs = state === 'loaded' ? usedAtMs + keepAliveMs : undefined;
  return { name, sizeBytes, state, vramBytes, expiresAtMs };
}
