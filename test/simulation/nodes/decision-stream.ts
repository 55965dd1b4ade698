// The decisions of one thread on their way to its disk: the production's encoder, its segment log
// and its recovery, driven by virtual time. Blocks are made every three seconds, off the way of a request,
// and nothing here ever makes one wait; in the product it is every quarter of a second, for a thousand
// times the traffic.

import { present } from '../../../src/base/assert.ts';
import { currentBehaviour } from '../../../src/core/decisions/behaviour.ts';
import type {
  AdmissionRecord,
  ControlRecord,
  SettledRecord,
} from '../../../src/core/decisions/decision-record.ts';
import { RecordEncoder, type RoutingFacts } from '../../../src/core/decisions/record-encoder.ts';
import type { Decision } from '../../../src/core/routing/decide.ts';
import type { RoutingSnapshot } from '../../../src/core/routing/snapshot.ts';
import { SegmentLog } from '../../../src/io/segments/segment-log.ts';
import { recoverStream } from '../../../src/io/segments/segment-recovery.ts';
import { firstStart } from '../../../src/io/segments/stream-chain.ts';
import { VirtualDisk } from '../environment/disk.ts';
import { chanceOf, type Ground, wallOf } from '../environment/ground.ts';
import { worldEndMs } from '../environment/span.ts';
import type { SnapshotStore } from './snapshot-store.ts';

const blockEveryMs = 3000;
const segmentBytes = 8192;
const queueBytes = 65_536;

export class DecisionStream {
  readonly name: string;
  readonly disk: VirtualDisk;
  readonly #ground: Ground;
  readonly #node: number;
  readonly #store: SnapshotStore;
  #encoder = new RecordEncoder();
  #log: SegmentLog | undefined;
  #segment = 1;
  #life = 0;

  constructor(ground: Ground, name: string, node: number, store: SnapshotStore) {
    this.name = name;
    this.#ground = ground;
    this.#node = node;
    this.#store = store;
    this.disk = new VirtualDisk(ground, chanceOf(ground.seed + node * 7919, 'disks'), name);
  }

  /** Opens what the last life left, and goes on behind it. */
  open(): void {
    const found = recoverStream(this.disk.segments(), firstStart());
    const recovered = found.ok ? found.value : undefined;
    const start = present(recovered, 'a stream of this program');
    this.#ground.watch.log.opened(this.name, start.sequence);
    this.#encoder = new RecordEncoder();
    const options = {
      stream: this.name,
      program: 'tensorforge simulation',
      segmentBytes,
      queueBytes,
      onFull: 'drop',
    } as const;
    this.#log = new SegmentLog(options, start, this.#wallMs());
    this.#life++;
    this.#pump(this.#log);
    this.#tick(this.#life);
  }

  /** Its thread dies: what is not on the disk is gone, what was being written is torn. */
  crash(): void {
    this.#life++;
    this.#log = undefined;
    if (this.disk.crash()) this.#ground.count('torn_write');
  }

  admission(record: AdmissionRecord): void {
    this.#encoder.admission(record);
    this.#ground.watch.log.recorded(this.name);
  }

  routing(
    facts: Omit<RoutingFacts, 'snapshotDigest' | 'tried'>,
    snapshot: RoutingSnapshot,
    tried: readonly string[],
    decision: Decision,
  ): void {
    const snapshotDigest = this.#store.digestOf(snapshot.version);
    const places = tried
      .map((id) => decision.considered.findIndex(({ target }) => target.id === id))
      .filter((place) => place >= 0);
    this.#encoder.routing({ ...facts, snapshotDigest, tried: places }, decision);
    this.#ground.watch.log.recorded(this.name);
  }

  settled(record: SettledRecord): void {
    this.#encoder.settled(record);
    this.#ground.watch.log.recorded(this.name);
  }

  control(record: ControlRecord): void {
    this.#encoder.control(record);
    this.#ground.watch.log.recorded(this.name);
  }

  #tick(life: number): void {
    this.#ground.timeline.after(blockEveryMs, 'block', () => {
      const log = this.#log;
      if (this.#life !== life || log === undefined) return;
      if (this.#ground.timeline.now > worldEndMs) return;
      const block = this.#encoder.take();
      const { segment } = log.stats();
      const isLost = segment !== this.#segment && !this.#ground.conduct.keepsAtRotation;
      this.#segment = segment;
      if (block !== undefined && !isLost) {
        const isTaken = log.offer({
          ...block,
          codec: this.#ground.conduct.codec,
          behaviour: currentBehaviour,
        });
        this.#ground.watch.log.offered(this.name, block.records, isTaken);
      }
      log.tick(this.#wallMs());
      this.#pump(log);
      this.#tick(life);
    });
  }

  /** Carries out what the log asks for, one effect at a time. */
  #pump(log: SegmentLog): void {
    const effect = log.next();
    if (effect === undefined) return;
    const goOn = (): void => {
      this.#ground.watch.log.kept(this.name, log.stats().sequence);
      this.#pump(log);
    };
    this.disk.perform(
      effect,
      (bytes) => {
        log.done(bytes);
        goOn();
      },
      (code) => {
        log.failed(code);
        goOn();
      },
    );
  }

  #wallMs(): number {
    return wallOf(this.#ground, this.#node);
  }
}
