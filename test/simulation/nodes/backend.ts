// A model server as the gateways meet it: it takes as many requests at once as it has places, is
// slower the fuller it is, and does what the faults say: crash, hang, flap, lie about being ready,
// answer 429 or 500, or cut a stream after its first byte.

import type { Chance } from '../environment/chance.ts';
import { backendNode, controlNode, type Ground } from '../environment/ground.ts';

export type BackendFacts = {
  readonly index: number;
  readonly id: string;
  readonly capacity: number;
  readonly priority: number;
  readonly models: readonly string[];
  /** First byte of an idle backend, ms. */
  readonly firstByteMs: number;
  /** From one chunk to the next, ms. */
  readonly chunkMs: number;
};

export type Reply =
  | { readonly kind: 'head'; readonly status: number }
  | { readonly kind: 'data' }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly words: 'connect' | 'reset' };

/** One attempt of one request at one backend. */
export type Exchange = {
  readonly gatewayNode: number;
  readonly backend: number;
  readonly chunks: number;
  /** Does the gateway still want the answer? */
  isOpen: boolean;
  readonly onReply: (exchange: Exchange, reply: Reply) => void;
};

export type ProbeAnswer = 'ok' | 'refused' | 'loading' | 'rate_limited';

export type Ailment = 'crashed' | 'hanging' | 'lying' | 'answers_429' | 'answers_500' | 'cuts';

const ready: Reply = { kind: 'head', status: 200 };
const data: Reply = { kind: 'data' };
const end: Reply = { kind: 'end' };
const refused: Reply = { kind: 'failed', words: 'connect' };
const reset: Reply = { kind: 'failed', words: 'reset' };

export class SimBackend {
  readonly facts: BackendFacts;
  readonly #ground: Ground;
  readonly #chance: Chance;
  readonly #running = new Set<Exchange>();
  readonly #ailments = new Set<Ailment>();
  /** Still loading its model, after a start, until this time. */
  #readyAtMs = 0;

  constructor(ground: Ground, chance: Chance, facts: BackendFacts) {
    this.#ground = ground;
    this.#chance = chance;
    this.facts = facts;
  }

  has(ailment: Ailment): boolean {
    return this.#ailments.has(ailment);
  }

  fall(ailment: Ailment): void {
    this.#ailments.add(ailment);
    if (ailment !== 'crashed') return;
    for (const exchange of this.#running) this.#reply(exchange, reset);
    this.#running.clear();
  }

  heal(ailment: Ailment): void {
    if (!this.#ailments.delete(ailment) || ailment !== 'crashed') return;
    this.#readyAtMs = this.#ground.timeline.now + this.#chance.between(200, 4000);
  }

  healAll(): void {
    for (const ailment of [...this.#ailments]) this.heal(ailment);
  }

  /** A request has arrived; a hanging backend never says a word about it. */
  accept(exchange: Exchange): void {
    if (this.has('hanging')) return;
    const isFull = this.#running.size >= this.facts.capacity * 2;
    if (this.has('crashed') || this.#isLoading()) this.#reply(exchange, refused);
    else if (this.has('lying')) this.#reply(exchange, reset);
    else if (this.has('answers_500')) this.#answer(exchange, 500);
    else if (isFull || this.has('answers_429')) this.#answer(exchange, 429);
    else this.#begin(exchange);
  }

  #begin(exchange: Exchange): void {
    this.#running.add(exchange);
    const load = this.#running.size / this.facts.capacity;
    const takesMs = this.facts.firstByteMs * (0.7 + 0.6 * this.#chance.unit()) * (1 + load);
    this.#later(exchange, takesMs, 'backend first byte', () => {
      this.#reply(exchange, ready);
      this.#reply(exchange, data);
      this.#goOn(exchange, exchange.chunks - 1);
    });
  }

  /** The gateway does not want the answer any more. */
  forget(exchange: Exchange): void {
    this.#running.delete(exchange);
  }

  /** Asked whether it is ready; a hanging backend never answers. */
  probe(answer: (answer: ProbeAnswer) => void): void {
    if (!this.has('hanging')) answer(this.#readiness());
  }

  #readiness(): ProbeAnswer {
    if (this.has('crashed')) return 'refused';
    if (this.#isLoading()) return 'loading';
    return this.has('answers_429') && this.#chance.hits(0.3) ? 'rate_limited' : 'ok';
  }

  #isLoading(): boolean {
    return this.#ground.timeline.now < this.#readyAtMs;
  }

  #goOn(exchange: Exchange, chunksLeft: number): void {
    this.#later(exchange, this.facts.chunkMs * (0.5 + this.#chance.unit()), 'backend chunk', () => {
      if (this.has('cuts')) {
        this.#running.delete(exchange);
        this.#ground.count('backend_cut');
        this.#reply(exchange, reset);
        return;
      }
      if (chunksLeft > 0) {
        this.#reply(exchange, data);
        this.#goOn(exchange, chunksLeft - 1);
        return;
      }
      this.#running.delete(exchange);
      this.#reply(exchange, end);
    });
  }

  /** Work on the exchange in a while; a crash ends it, and a hang swallows it. */
  #later(exchange: Exchange, delayMs: number, name: string, run: () => void): void {
    this.#ground.timeline.after(delayMs, name, () => {
      if (!this.#running.has(exchange)) return;
      if (this.has('hanging')) this.#running.delete(exchange);
      else run();
    });
  }

  #answer(exchange: Exchange, status: number): void {
    this.#reply(exchange, { kind: 'head', status });
    this.#reply(exchange, end);
  }

  #reply(exchange: Exchange, reply: Reply): void {
    const node = backendNode(this.facts.index);
    this.#ground.network.sendBytes(node, exchange.gatewayNode, `reply ${reply.kind}`, () => {
      if (exchange.isOpen) exchange.onReply(exchange, reply);
    });
  }

  /** Sends the answer of a probe to the control node. */
  answerProbe(name: string, deliver: () => void): void {
    this.#ground.network.sendBytes(backendNode(this.facts.index), controlNode, name, deliver);
  }
}

const modelSets = [['m-a'], ['m-a', 'm-b'], ['m-a', 'm-b', 'm-c']] as const;

/** Ten backends, from small and slow to large and fast. */
export function drawBackends(chance: Chance, count: number): readonly BackendFacts[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    id: `b-${String(index).padStart(2, '0')}`,
    capacity: chance.between(2, 6),
    priority: chance.pick([10, 50, 50, 50, 90]),
    models: chance.pick(modelSets),
    firstByteMs: chance.between(100, 700),
    chunkMs: chance.between(50, 500),
  }));
}
