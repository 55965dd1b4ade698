// Browser and announcer on a socket and a clock: every packet and every deadline goes in, whatever comes
// out is sent or told. There is one timer, for the earliest deadline.
//
// Without a socket (containers, no rights, a taken port) it says so once and stays silent; everything
// else of the product goes on.

import type { Candidate } from '../../core/backends/mdns-record.ts';
import type { MdnsMessage, MdnsSocket } from '../../io/mdns/mdns-socket.ts';
import type { MdnsAnnouncer } from './mdns-announcer.ts';
import type { BrowserEffect, MdnsBrowser } from './mdns-browser.ts';
import type { Clock } from './ports.ts';

export type MdnsListenerOptions = {
  readonly open: (hear: {
    readonly onMessage: (message: MdnsMessage) => void;
    readonly onUnavailable: (words: string) => void;
  }) => MdnsSocket;
  readonly clock: Clock;
  readonly browser: MdnsBrowser;
  /** Absent: this gateway is not announced. */
  readonly announcer?: MdnsAnnouncer | undefined;
  readonly ownAddresses: () => ReadonlySet<string>;
};

export type MdnsNews = {
  readonly onFound: (candidate: Candidate) => void;
  readonly onGone: (instance: string, words: string) => void;
  readonly onWarning: (words: string) => void;
};

export class MdnsListener {
  readonly #options: MdnsListenerOptions;
  #news: MdnsNews | undefined;
  #socket: MdnsSocket | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(options: MdnsListenerOptions) {
    this.#options = options;
  }

  start(news: MdnsNews): void {
    this.#news = news;
    this.#socket = this.#options.open({
      onMessage: (message) => this.#receive(message),
      onUnavailable: (words) => {
        news.onWarning(`${words}: engines that announce themselves are not seen`);
        void this.stop();
      },
    });
    this.#turn();
  }

  /** Says goodbye and closes; nothing is told any more. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#news = undefined;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const last = this.#options.announcer?.goodbye() ?? [];
    if (last.length > 0) socket?.respond(last);
    await socket?.close();
  }

  #receive(message: MdnsMessage): void {
    if (this.#news === undefined) return;
    const { announcer, browser, clock } = this.#options;
    if (message.kind === 'query') announcer?.receive(message.questions);
    else {
      const origin = { source: message.source, isThisMachine: this.#isOurs(message.source) };
      this.#act(browser.receive(message.records, origin, clock.monotonicMs()));
    }
    this.#turn();
  }

  /** No other machine can send from these: the kernel takes no packet from outside that has them. */
  #isOurs(source: string): boolean {
    return source.startsWith('127.') || this.#options.ownAddresses().has(source);
  }

  #turn(): void {
    const { announcer, browser, clock } = this.#options;
    this.#cancelTimer?.();
    const nowMs = clock.monotonicMs();
    if (browser.nextAt <= nowMs) this.#act(browser.tick(nowMs));
    const answers = announcer?.tick(nowMs) ?? [];
    if (answers.length > 0) this.#socket?.respond(answers);
    if (this.#news === undefined) return;
    const next = Math.min(browser.nextAt, announcer?.nextAt ?? Number.POSITIVE_INFINITY);
    this.#cancelTimer = clock.after(Math.max(1, Math.ceil(next - nowMs)), () => this.#turn());
  }

  #act(effects: readonly BrowserEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'ask':
          this.#socket?.query(effect.questions);
          break;
        case 'found':
          this.#news?.onFound(effect.candidate);
          break;
        case 'gone':
          this.#news?.onGone(effect.instance, effect.words);
          break;
        case 'warning':
          this.#news?.onWarning(
            `an announcement from ${effect.source} is dropped: ${effect.words}`,
          );
          break;
      }
    }
  }
}
