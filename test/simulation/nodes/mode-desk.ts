// The serving mode at the control node: the production's ladder on the reports of the gateways, the
// trips of the fleet and the health of the database. An escalation protects traffic and acts at
// once; a step down is written first. Every evaluation is recorded, so that replay can make it again.
//
// The windows of the burn rate run twenty times as fast as in the product: a world has minutes, not
// days. Rules and factors are the same.

import { burnMinutes, minuteOf, readBurn } from '../../../src/core/policy/burn-rate.ts';
import type { LadderEffect, LadderStep } from '../../../src/core/policy/ladder.ts';
import type { LadderSettings } from '../../../src/core/policy/ladder-settings.ts';
import {
  initialLadder,
  type LadderState,
  modeInForce,
} from '../../../src/core/policy/ladder-state.ts';
import { modeRecord } from '../../../src/core/policy/mode-record.ts';
import { OutcomeCounts } from '../../../src/core/policy/outcome-counts.ts';
import type { ServingMode } from '../../../src/core/policy/serving-mode.ts';
import type { FleetReading, LadderTick } from '../../../src/core/policy/tick-evidence.ts';
import type { VirtualDatabase } from '../environment/database.ts';
import { controlNode, type Ground, monotonicOf, wallOf } from '../environment/ground.ts';
import type { DecisionStream } from './decision-stream.ts';
import type { GatewayReport } from './gateway.ts';
import type { ProbeCounts } from './prober.ts';
import type { Trail } from './trail.ts';

export const ladderTickMs = 5000;
const burnSpeed = 20;

const ladderSettings: LadderSettings = {
  failureShare: 0.15,
  minCooldownMs: 10_000,
  holdMs: 15_000,
  riskThreshold: 0.6,
  graceMs: 10_000,
  slo: { objective: 0.9, minRequests: 20, minBad: 5 },
};

/** The row of the mode in the database. */
export type ModeRow = { state: LadderState | undefined };

type ModePorts = {
  readonly publish: (mode: ServingMode) => void;
  readonly fleet: () => FleetReading['backends'];
  /** Share of the gateways that serve. */
  readonly gateways: () => number;
  readonly probes: () => ProbeCounts;
};

export class ModeDesk {
  readonly #ground: Ground;
  readonly #database: VirtualDatabase;
  readonly #trail: Trail;
  readonly #row: ModeRow;
  readonly #stream: DecisionStream;
  readonly #ports: ModePorts;
  readonly #minutes = new OutcomeCounts(burnMinutes);
  readonly #startedMs: number;
  #state: LadderState;
  #requests = 0;
  #failures = 0;
  #trips: string[] = [];
  readonly #heard = new Set<string>();
  /** Escalations whose event is not written yet; nothing steps down before it is. */
  readonly #unwritten: { readonly effect: LadderEffect; readonly state: LadderState }[] = [];
  #isSteppingDown = false;

  constructor(
    ground: Ground,
    database: VirtualDatabase,
    trail: Trail,
    row: ModeRow,
    stream: DecisionStream,
    ports: ModePorts,
  ) {
    this.#ground = ground;
    this.#database = database;
    this.#trail = trail;
    this.#row = row;
    this.#stream = stream;
    this.#ports = ports;
    this.#startedMs = monotonicOf(ground, controlNode);
    this.#state = row.state ?? initialLadder(wallOf(ground, controlNode));
    ground.watch.policy.modeLoaded(this.#state.mode);
    ports.publish(modeInForce(this.#state));
  }

  get mode(): ServingMode {
    return this.#state.mode;
  }

  /** Counts a report once, however often it is delivered (RD7: first arrival). */
  heard(report: GatewayReport): void {
    const id = `${report.gateway}.${report.life}.${report.sequence}`;
    if (this.#heard.has(id) && this.#ground.conduct.countsReportsOnce) return;
    this.#heard.add(id);
    this.#ground.watch.policy.counted(id, report.requests, report.failures);
    this.#requests += report.requests;
    this.#failures += report.failures;
    const slot = minuteOf(this.#burnAt());
    this.#minutes.add(slot, { total: report.requests, bad: report.failures });
  }

  tripped(id: string): void {
    this.#trips.push(id);
  }

  #burnAt(): number {
    return this.#ground.timeline.now * burnSpeed + 1_000_000_000;
  }

  tick(): void {
    if (this.#isSteppingDown) return;
    const tick: LadderTick = {
      at: wallOf(this.#ground, controlNode),
      uptimeMs: Math.floor(monotonicOf(this.#ground, controlNode) - this.#startedMs),
      outcomes: { requests: this.#requests, failures: this.#failures, slow: 0 },
      probes: this.#ports.probes(),
      trips: this.#trips,
      backends: this.#ports.fleet(),
      gateway: this.#ports.gateways(),
      databaseThere: !this.#database.isAway && this.#unwritten.length === 0,
      burn: readBurn(this.#minutes, this.#burnAt(), ladderSettings.slo),
    };
    this.#requests = 0;
    this.#failures = 0;
    this.#trips = [];
    const before = this.#state;
    const step = this.#ground.parts.stepLadder(ladderSettings, before, tick);
    this.#ground.watch.policy.evaluated(ladderSettings, before, tick, step);
    this.#recordTick(before, tick, step);
    const down = step.effects.find(({ kind }) => kind === 'mode_deescalated');
    if (down !== undefined) {
      this.#stepDown(step.state, down);
      return;
    }
    this.#state = step.state;
    for (const effect of step.effects) this.#write(effect, step.state);
    this.#ports.publish(modeInForce(this.#state));
  }

  #stepDown(state: LadderState, effect: LadderEffect): void {
    this.#isSteppingDown = true;
    const act = (): void => {
      this.#isSteppingDown = false;
      this.#state = state;
      this.#ground.watch.policy.acted(effect);
      this.#ports.publish(modeInForce(state));
    };
    const refused = (): void => {
      this.#isSteppingDown = false;
    };
    this.#trail.record(factOf(effect), () => this.#store(state), act, refused);
  }

  /** An escalation is in force already; a suppressed one changes nothing. Written in their order. */
  #write(effect: LadderEffect, state: LadderState): void {
    this.#ground.watch.policy.acted(effect);
    this.#unwritten.push({ effect, state });
    if (this.#unwritten.length === 1) this.#writeNext();
  }

  #writeNext(): void {
    const next = this.#unwritten[0];
    if (next === undefined) return;
    const written = (): void => {
      this.#unwritten.shift();
      this.#writeNext();
    };
    this.#trail.record(factOf(next.effect), () => this.#store(next.state), written);
  }

  #store(state: LadderState): void {
    this.#row.state = state;
  }

  #recordTick(state: LadderState, tick: LadderTick, step: LadderStep): void {
    const input = { settings: ladderSettings, state, tick };
    this.#stream.control({ kind: 'control', at: tick.at, ...modeRecord(input, step) });
  }
}

function factOf(effect: LadderEffect) {
  const { burst, streak, risk } = effect.evidence;
  const data =
    effect.kind === 'mode_escalation_suppressed'
      ? { mode: effect.mode, burst, streak, risk }
      : { from: effect.from, to: effect.to, reason: effect.reason, burst, streak, risk };
  return {
    stream: 'policy',
    kind: effect.kind,
    actor: 'system',
    subject: 'mode:global',
    data,
  };
}
