// Finds engines for as long as the process runs: a scan of the usual ports at the start and every so
// often, and announcements of the local network as they come. What is found is registered; what has gone
// is marked at once and forgotten after a grace, unless somebody approved or changed it meanwhile.
//
//   D1  A backend that is not of discovery is never touched.
//   D2  Nothing that is found becomes routable here but by ruling R7 or `discovery.mdns.autoApprove`.
//   D3  An approved backend is never led to another address: at another address it is another backend.
//   D4  Whoever is removed carries no request.
//   D5  Whom an operator removed is not listed again while it goes on being there.
// A goodbye is easily forged. It takes an approved backend out of traffic only until the probe that
// follows it at once.

import { BoundedMap } from '../../base/bounded-map.ts';
import type { BackendId } from '../../base/brand.ts';
import type { Backend } from '../../core/backends/backend.ts';
import {
  isGraceOver,
  missed,
  type Presence,
  seenNow,
  withdrawn,
} from '../../core/backends/discovered.ts';
import type { Candidate } from '../../core/backends/mdns-record.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import { announcedFacts, isAsFound, isScanned, scannedFacts } from './discovered-backends.ts';
import type { FoundEngine, PortReport } from './discovery.ts';
import type { Fleet, NewBackend } from './fleet.ts';
import type { MdnsListener } from './mdns-listener.ts';
import type { Clock } from './ports.ts';

export const sweepEveryMs = 10_000;
const refusalsMax = 256;
const listedMax = 4096;

export type DiscoveryLoopOptions = {
  readonly fleet: Pick<
    Fleet,
    | 'listBackends'
    | 'getBackend'
    | 'byUrl'
    | 'findByMdnsInstance'
    | 'setMdnsInstance'
    | 'counters'
    | 'idFor'
    | 'compose'
    | 'insert'
    | 'remove'
    | 'lost'
  >;
  readonly clock: Clock;
  /** One look at all ports; ends early when the signal is given. */
  readonly scan: (signal: AbortSignal) => Promise<readonly PortReport[]>;
  /** Absent: announcements are not listened for. */
  readonly mdns?: Pick<MdnsListener, 'start' | 'stop'> | undefined;
  /** Is it this installation that listens at this canonical URL? */
  readonly isOwn: (url: string) => boolean;
  readonly settings: {
    /** From the end of one scan to the next; 0 for none but the first. */
    readonly intervalMs: number;
    readonly graceMs: number;
    readonly autoApprove: boolean;
  };
  /** Makes the health checker look at the registry now. */
  readonly sync: () => void;
  readonly probeNow: (id: BackendId) => Promise<unknown>;
  readonly log: {
    info(facts: object, words: string): void;
    warn(facts: object, words: string): void;
  };
};

export class DiscoveryLoop {
  readonly #options: DiscoveryLoopOptions;
  readonly #presence = new Map<BackendId, Presence>();
  readonly #refused = new BoundedMap<string, true>(refusalsMax);
  /** What was inserted here, by URL, until it is removed here. */
  readonly #listed = new BoundedMap<string, BackendId>(listedMax);
  readonly #stopping = new AbortController();
  readonly #timers = new Map<'scan' | 'sweep', () => void>();
  #scanning: Promise<unknown> = Promise.resolve();

  constructor(options: DiscoveryLoopOptions) {
    this.#options = options;
  }

  /** Listens, scans once, and goes on by itself. Resolves with what the first scan heard. */
  async start(): Promise<readonly PortReport[]> {
    const { mdns, log } = this.#options;
    mdns?.start({
      onFound: (candidate) => this.#announced(candidate),
      onGone: (instance, words) => this.#silent(instance, words),
      onWarning: (words) => log.warn({}, words),
    });
    this.#after('sweep', sweepEveryMs, () => this.#sweep());
    return this.#scan();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const cancel of this.#timers.values()) cancel();
    await this.#options.mdns?.stop();
    await this.#scanning;
  }

  #after(name: 'scan' | 'sweep', delayMs: number, act: () => void): void {
    if (this.#stopping.signal.aborted) return;
    this.#timers.set(name, this.#options.clock.after(delayMs, act));
  }

  // ---- scans -------------------------------------------------------------------------------

  #scan(): Promise<readonly PortReport[]> {
    const { scan, settings, log } = this.#options;
    const { signal } = this.#stopping;
    const scanned = scan(signal)
      .catch((error: unknown) => {
        log.warn({ error: String(error) }, 'a look for engines failed');
        return [];
      })
      .then((reports) => {
        if (signal.aborted) return [];
        for (const report of reports) this.#heard(report);
        if (settings.intervalMs > 0) this.#after('scan', settings.intervalMs, () => this.#scan());
        return reports;
      });
    this.#scanning = scanned;
    return scanned;
  }

  #heard(report: PortReport): void {
    const known = this.#options.fleet.byUrl(report.url);
    if (report.answer === 'engine') this.#answered(report, known);
    // Whoever answers oddly is the health checker's to judge.
    if (report.answer !== 'nothing') return;
    if (known === undefined) this.#listed.delete(report.url);
    else if (isScanned(known)) this.#missed(known);
  }

  #missed(known: Backend): void {
    this.#mark(known, missed(this.#presenceOf(known), this.#nowMs()), 'nothing listens there');
  }

  #answered(report: FoundEngine, known: Backend | undefined): void {
    const isOther = known !== undefined && known.backendType !== report.type;
    if (known === undefined) this.#insert(scannedFacts(report));
    else if (isOther && isScanned(known) && this.#forget(known)) this.#insert(scannedFacts(report));
    else this.#back(known);
  }

  // ---- announcements -----------------------------------------------------------------------

  #announced(candidate: Candidate): void {
    const { fleet, isOwn, settings } = this.#options;
    if (isOwn(candidate.url)) return;
    const known = fleet.byUrl(candidate.url);
    if (known !== undefined) {
      this.#announcedAgain(candidate, known);
      return;
    }
    const former = fleet.findByMdnsInstance(candidate.instance);
    const moved = former === undefined ? undefined : fleet.getBackend(former);
    if (moved !== undefined && !this.#forget(moved)) {
      this.#mark(moved, withdrawn(this.#presenceOf(moved), this.#nowMs()), 'it has moved');
      fleet.setMdnsInstance(moved.id, `${candidate.instance} (before it moved)`);
    }
    this.#insert(announcedFacts(candidate, settings.autoApprove));
  }

  #announcedAgain(candidate: Candidate, known: Backend): void {
    const { fleet, settings } = this.#options;
    if (known.discoverySource !== 'mdns' || isScanned(known)) return;
    const isSameName = known.metadata['mdns_instance'] === candidate.instance;
    if (isSameName && known.backendType !== candidate.type && this.#forget(known)) {
      this.#insert(announcedFacts(candidate, settings.autoApprove));
      return;
    }
    // Another name for one that is there may be anybody's; for one that has gone it is its new name.
    if (!isSameName && this.#presenceOf(known).kind === 'present') return;
    if (!isSameName) fleet.setMdnsInstance(known.id, candidate.instance);
    this.#back(known);
  }

  #silent(instance: string, words: string): void {
    const { fleet } = this.#options;
    const id = fleet.findByMdnsInstance(instance);
    const backend = id === undefined ? undefined : fleet.getBackend(id);
    if (backend === undefined || backend.discoverySource !== 'mdns') return;
    this.#mark(backend, withdrawn(this.#presenceOf(backend), this.#nowMs()), words);
  }

  // ---- presence ----------------------------------------------------------------------------

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #presenceOf(backend: Backend): Presence {
    return this.#presence.get(backend.id) ?? seenNow;
  }

  #mark(backend: Backend, presence: Presence, words: string): void {
    const { fleet, log } = this.#options;
    const before = this.#presenceOf(backend);
    this.#presence.set(backend.id, presence);
    if (presence.kind === 'present' || before.kind === 'gone') return;
    fleet.lost(backend.id, words);
    log.warn({ backend: backend.id }, `${backend.id} has gone: ${words}`);
    if (backend.approved) this.#probe(backend.id);
  }

  #back(backend: Backend): void {
    const before = this.#presence.get(backend.id);
    this.#presence.delete(backend.id);
    if (before?.kind !== 'gone') return;
    this.#options.log.info({ backend: backend.id }, `${backend.id} is back`);
    this.#probe(backend.id);
  }

  #probe(id: BackendId): void {
    // Removed or stopping meanwhile: nobody waits for the answer.
    this.#options.probeNow(id).catch(() => undefined);
  }

  #sweep(): void {
    const { fleet, settings, log } = this.#options;
    for (const [id, presence] of [...this.#presence]) {
      const backend = fleet.getBackend(id);
      if (backend === undefined || backend.discoverySource !== 'mdns') {
        this.#presence.delete(id);
      } else if (isGraceOver(presence, this.#nowMs(), settings.graceMs) && this.#forget(backend)) {
        log.info({ backend: id }, `${id} is removed: gone for ${settings.graceMs / 1000} s`);
      }
    }
    this.#after('sweep', sweepEveryMs, () => this.#sweep());
  }

  // ---- registry ----------------------------------------------------------------------------

  /** Removes it when it is as it was found and carries nothing. */
  #forget(backend: Backend): boolean {
    const { fleet, sync } = this.#options;
    if (!isAsFound(backend) || fleet.counters(backend.id).pendingRequests > 0) return false;
    fleet.remove(backend.id);
    this.#listed.delete(backend.url);
    this.#presence.delete(backend.id);
    sync();
    return true;
  }

  #insert(facts: NewBackend): void {
    const { fleet, sync, log } = this.#options;
    const before = this.#listed.get(facts.url);
    if (before !== undefined && fleet.getBackend(before) === undefined) return;
    try {
      const { id } = fleet.insert(fleet.compose(fleet.idFor(facts.name, facts.url), facts));
      this.#listed.set(facts.url, id);
      log.info(
        { backend: id, found_by: facts.metadata['found_by'] },
        `found ${id} at ${facts.url}`,
      );
      sync();
    } catch (error) {
      // The registry is full, or the name is taken twice over; told once for each address.
      if (!(error instanceof TensorForgeError)) throw error;
      if (this.#refused.has(facts.url)) return;
      this.#refused.set(facts.url, true);
      log.warn({ code: error.code }, `${facts.url} was found and not added: ${error.message}`);
    }
  }
}
